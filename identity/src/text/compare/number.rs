//! Closeness of numbers: amounts, ages, sizes.

/// One minus the difference in proportion to the larger magnitude, not below zero: 100 and 95 →
/// 0.95. Equal numbers are 1.0, zeros and infinities included; NaN is like NaN only.
pub fn number_similarity(a: f64, b: f64) -> f64 {
    if a == b || a.is_nan() && b.is_nan() {
        return 1.0;
    }
    let similarity = 1.0 - (a - b).abs() / a.abs().max(b.abs());
    // NaN when one is NaN or infinite: nothing alike.
    if similarity.is_nan() { 0.0 } else { similarity.max(0.0) }
}
