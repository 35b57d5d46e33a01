//! Newton's method: where the derivatives of a function are nothing, from a place that is near. The
//! second derivatives are differences of the first.

/// How far derivatives are looked at apart.
const APART: f64 = 1e-4;
/// A step that moves nothing more.
const TINY: f64 = 1e-9;
/// Longest step, in logarithms of parameters.
const STEP_MAX: f64 = 0.5;
/// Steps at most.
const STEPS_MAX: usize = 20;

/// Where all derivatives are nothing, and how often they were evaluated; `None`: not found from
/// there.
pub(super) fn newton<const N: usize>(
    start: [f64; N],
    derivatives: impl Fn(&[f64; N]) -> [f64; N],
) -> Option<([f64; N], usize)> {
    let (mut at, mut evaluations) = (start, 0);
    for _ in 0..STEPS_MAX {
        let here = derivatives(&at);
        let mut matrix = [[0.0; N]; N];
        for axis in 0..N {
            let mut beside = at;
            beside[axis] += APART;
            let there = derivatives(&beside);
            for row in 0..N {
                matrix[row][axis] = (there[row] - here[row]) / APART;
            }
        }
        evaluations += N + 1;
        let step = solve(matrix, here)?;
        let longest = step.iter().fold(0.0, |most: f64, one| most.max(one.abs()));
        if longest.is_nan() || longest > STEP_MAX {
            return None;
        }
        (0..N).for_each(|axis| at[axis] -= step[axis]);
        if longest < TINY {
            return Some((at, evaluations));
        }
    }
    None
}

/// Solves linear equations by elimination; `None`: there is no single solution.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let size = |row: &usize| matrix[*row][column].abs();
        let pivot = (column..N).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let (top, value) = (matrix[column], right[column]);
        if top[column] == 0.0 {
            return None;
        }
        for row in column + 1..N {
            let factor = matrix[row][column] / top[column];
            (column..N).for_each(|place| matrix[row][place] -= factor * top[place]);
            right[row] -= factor * value;
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|place| matrix[row][place] * right[place]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_the_derivatives_are_nothing() {
        // Of (x − 1)⁴ + (x − y)² + eʸ − ey.
        let of = |p: &[f64; 2]| {
            let [x, y] = *p;
            let first = 4.0 * (x - 1.0).powi(3) + 2.0 * (x - y);
            [first + (x - 1.0), -2.0 * (x - y) + y.exp() - 1.0_f64.exp()]
        };
        let found = newton([1.2, 0.9], of).map(|(at, _)| at);
        assert!(found.is_some_and(|[x, y]| (x - 1.0).abs() < 1e-8 && (y - 1.0).abs() < 1e-8));
        assert_eq!(newton([0.0], |_| [1.0]), None);
    }
}
