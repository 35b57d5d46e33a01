//! Special functions (NIST Digital Library of Mathematical Functions).

/// `ln Γ(x)` for positive `x`.
pub(super) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// `ψ(x)`, the derivative of `ln Γ(x)`, for positive `x`: by recurrence (DLMF 5.5.2) to where its
/// asymptotic series (5.11.2) is exact.
pub(super) fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= x.recip();
        x += 1.0;
    }
    let square = (x * x).recip();
    let series = square
        * (1.0 / 12.0
            - square
                * (1.0 / 120.0 - square * (1.0 / 252.0 - square * (1.0 / 240.0 - square / 132.0))));
    sum + x.ln() - 0.5 / x - series
}

/// `ln B(a, b)`, the beta function.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// `ln(exp a + exp b)`.
pub(super) fn ln_sum(a: f64, b: f64) -> f64 {
    let (most, least) = if a > b { (a, b) } else { (b, a) };
    if most == f64::NEG_INFINITY { most } else { most + (least - most).exp().ln_1p() }
}

/// Terms of a series at most.
const TERMS_MAX: usize = 200_000;

/// Gauss's hypergeometric function ₂F₁(a, b; c; z) for `0 ≤ z < 1` (DLMF 15.2.1), by its series; by
/// Euler's transformation (15.8.1) where that converges sooner.
pub(super) fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> f64 {
    // The series of the transformed one falls faster when c < a + b.
    if c - a - b < 0.0 && z > 0.5 {
        return (1.0 - z).powf(c - a - b) * series(c - a, c - b, c, z);
    }
    series(a, b, c, z)
}

fn series(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for step in 0..TERMS_MAX {
        let n = step as f64;
        term *= (a + n) * (b + n) / ((c + n) * (1.0 + n)) * z;
        sum += term;
        if term.abs() <= 1e-14 * f64::abs(sum) {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digamma_function_has_its_known_values() {
        // ψ(1) = −γ; ψ(½) = −γ − 2 ln 2 (DLMF 5.4.12, 5.4.13).
        let gamma = 0.577_215_664_901_532_9;
        assert!((digamma(1.0) + gamma).abs() < 1e-12);
        assert!((digamma(0.5) + gamma + 2.0 * 2.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn the_hypergeometric_function_has_its_known_values() {
        // ₂F₁(1, 1; 2; z) = −ln(1 − z) / z; ₂F₁(a, b; b; z) = (1 − z)⁻ᵃ.
        for z in [0.1_f64, 0.5, 0.9, 0.99] {
            assert!((hypergeometric(1.0, 1.0, 2.0, z) + (1.0 - z).ln() / z).abs() < 1e-9);
            let power = (1.0 - z).powf(-1.7);
            assert!((hypergeometric(1.7, 2.3, 2.3, z) / power - 1.0).abs() < 1e-9);
        }
    }
}
