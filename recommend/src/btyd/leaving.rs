//! How likely it is to have left between two times, of Pareto/NBD: `ln ∫ (m + y)⁻ᵖ (M + y)⁻ᵍ dy`.
//!
//! In closed form that is a difference of hypergeometric functions, whose series take forever where
//! `M` is far from `m`, as it is where all customers leave at about one rate. By `v = ln(m + y)` the
//! logarithm of what is integrated is concave, so that it is known where it matters: there it is
//! summed up by Gauss–Legendre quadrature (DLMF 3.5.19).

/// Nodes and weights of 16 points (DLMF table 3.5.3), without their mirror images.
const NODES: [(f64, f64); 8] = [
    (0.095_012_509_837_637_4, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_6),
    (0.458_016_777_657_227_4, 0.169_156_519_395_002_5),
    (0.617_876_244_402_643_8, 0.149_595_988_816_576_7),
    (0.755_404_408_355_003, 0.124_628_971_255_533_9),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_8),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_9),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_1),
];
/// Longest interval of 16 points.
const INTERVAL: f64 = 3.0;
/// What is so many times less by its logarithm than the most adds nothing.
const DEPTH: f64 = 30.0;
/// Steps to where that is at most; from there on it is only less exact.
const STEPS_MAX: usize = 100;

/// The powers `p` and `g`, and `M − m ≥ 0`.
pub(super) struct Leaving {
    pub(super) p: f64,
    pub(super) g: f64,
    pub(super) apart: f64,
}

impl Leaving {
    /// From and to are `ln(m + y)`.
    pub(super) fn ln_integral(&self, (from, to): (f64, f64)) -> f64 {
        if to <= from {
            return f64::NEG_INFINITY;
        }
        let top = match self.p < 1.0 {
            true => ((1.0 - self.p) * self.apart / (self.p + self.g - 1.0)).ln().clamp(from, to),
            false => from,
        };
        let highest = self.height(top);
        let (from, to) = (self.edge(from, highest), self.edge(to, highest));
        let count = ((to - from) / INTERVAL).ceil().max(1.0);
        let half = (to - from) / count / 2.0;
        let at = |v: f64| (self.height(v) - highest).exp();
        let of_one = |number: usize| -> f64 {
            let middle = from + half * (2 * number + 1) as f64;
            let pairs = NODES.iter();
            pairs.map(|(x, weight)| weight * (at(middle - half * x) + at(middle + half * x))).sum()
        };
        let sum: f64 = (0..count as usize).map(of_one).sum();
        highest + (sum * half).ln()
    }

    fn height(&self, v: f64) -> f64 {
        (1.0 - self.p) * v - self.g * (v.exp() + self.apart).ln()
    }

    /// An end, or where what is beyond adds nothing: by Newton's method, which does not go too far,
    /// as a concave curve is below its tangents.
    fn edge(&self, end: f64, highest: f64) -> f64 {
        let mut v = end;
        for _ in 0..STEPS_MAX {
            let below = highest - DEPTH - self.height(v);
            if below <= DEPTH / 4.0 {
                break;
            }
            let power = v.exp();
            v += below / (1.0 - self.p - self.g * power / (power + self.apart));
        }
        v
    }
}
