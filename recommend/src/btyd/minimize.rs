//! Nelder–Mead: the smallest value of a function without derivatives (Nelder and Mead, The Computer
//! Journal 7(4), 1965), with the coefficients for its dimension of Gao and Han (Computational
//! Optimization and Applications 51(1), 2012).

/// How far apart values may be at the end.
const TOLERANCE: f64 = 1e-10;
/// What another round must gain, as a part of the value, for one more.
const GAIN: f64 = 1e-8;
/// First steps, in logarithms of parameters.
const STEP: f64 = 0.5;
/// First steps from where it is nearly smallest.
const STEP_NEAR: f64 = 0.03;
/// Evaluations at most.
const EVALUATIONS_MAX: usize = 4000;
/// The same from a place that is near: where that does not settle it, the valley has no floor, and
/// more steps along it change no prediction.
const EVALUATIONS_NEAR: usize = 200;

/// Where a function is smallest, its value there, and how often it was evaluated. Begins again from
/// where it stopped until that gains nothing: a simplex may collapse early.
pub(super) fn minimize<const N: usize>(
    start: [f64; N],
    of: impl Fn(&[f64; N]) -> f64,
) -> ([f64; N], f64, usize) {
    let (mut best, mut value, mut evaluations) = round(start, (STEP, EVALUATIONS_MAX), &of);
    while evaluations < EVALUATIONS_MAX {
        let (next, found, more) = round(best, (STEP, EVALUATIONS_MAX), &of);
        evaluations += more;
        let gained = value - found;
        if found < value {
            (best, value) = (next, found);
        }
        if gained.is_nan() || gained < GAIN * (1.0 + value.abs()) {
            break;
        }
    }
    (best, value, evaluations)
}

/// The same from a place that is near: one round of small steps.
pub(super) fn polish<const N: usize>(
    start: [f64; N],
    of: impl Fn(&[f64; N]) -> f64,
) -> ([f64; N], f64, usize) {
    round(start, (STEP_NEAR, EVALUATIONS_NEAR), &of)
}

fn round<const N: usize>(
    start: [f64; N],
    (step, most): (f64, usize),
    of: &impl Fn(&[f64; N]) -> f64,
) -> ([f64; N], f64, usize) {
    let n = N as f64;
    let (expansion, contraction, shrinking) = (1.0 + 2.0 / n, 0.75 - 0.5 / n, 1.0 - 1.0 / n);
    let value = |point: [f64; N]| {
        let value = of(&point);
        (point, if value.is_nan() { f64::INFINITY } else { value })
    };
    let mut simplex = vec![value(start)];
    for axis in 0..N {
        let mut point = start;
        point[axis] += step;
        simplex.push(value(point));
    }
    let mut evaluations = simplex.len();
    while evaluations < most {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let spread = simplex[N].1 - simplex[0].1;
        if spread <= TOLERANCE * (1.0 + simplex[0].1.abs()) {
            break;
        }
        let centre: [f64; N] =
            std::array::from_fn(|axis| simplex[..N].iter().map(|one| one.0[axis]).sum::<f64>() / n);
        let worst = simplex[N];
        let along = |far: f64| {
            value(std::array::from_fn(|axis| centre[axis] + far * (worst.0[axis] - centre[axis])))
        };
        let reflected = along(-1.0);
        evaluations += 1;
        let next = if reflected.1 < simplex[0].1 {
            evaluations += 1;
            let expanded = along(-expansion);
            Some(if expanded.1 < reflected.1 { expanded } else { reflected })
        } else if reflected.1 < simplex[N - 1].1 {
            Some(reflected)
        } else {
            evaluations += 1;
            let outside = reflected.1 < worst.1;
            let contracted = along(if outside { -contraction } else { contraction });
            (contracted.1 < worst.1.min(reflected.1)).then_some(contracted)
        };
        match next {
            Some(next) => simplex[N] = next,
            None => {
                let best = simplex[0].0;
                for one in &mut simplex[1..] {
                    let point = std::array::from_fn(|axis| {
                        best[axis] + shrinking * (one.0[axis] - best[axis])
                    });
                    *one = value(point);
                }
                evaluations += N;
            }
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    (simplex[0].0, simplex[0].1, evaluations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_bent_valley() {
        let valley = |p: &[f64; 2]| (1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2);
        let ([x, y], value, _) = minimize([-1.2, 1.0], valley);
        assert!((x - 1.0).abs() < 1e-4 && (y - 1.0).abs() < 1e-4 && value < 1e-8);
    }
}
