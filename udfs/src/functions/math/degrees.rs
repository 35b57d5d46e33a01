//! Trigonometry in degrees, exact at the angles that everybody knows: `sind(30)` is 0.5 (float.c).

use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("sind(float8) -> float8", "Sine of degrees.", |row| {
            Ok(checked(row.float(0), sine)?.into())
        }),
        function("cosd(float8) -> float8", "Cosine of degrees.", |row| {
            Ok(checked(row.float(0), cosine)?.into())
        }),
        function("tand(float8) -> float8", "Tangent of degrees.", |row| {
            Ok(checked(row.float(0), |angle| tangent(angle) / unit_tangent())?.into())
        }),
        function("cotd(float8) -> float8", "Cotangent of degrees.", |row| {
            Ok(checked(row.float(0), |angle| unit_tangent() / tangent(angle))?.into())
        }),
        function("asind(float8) -> float8", "Inverse sine in degrees.", |row| {
            Ok(within(row.float(0), arc_sine)?.into())
        }),
        function("acosd(float8) -> float8", "Inverse cosine in degrees.", |row| {
            let arc = |ratio: f64| match ratio >= 0.0 {
                true => arc_cosine_of_quarter(ratio),
                false => 90.0 + arc_sine_of_quarter(-ratio),
            };
            Ok(within(row.float(0), arc)?.into())
        }),
        function("atand(float8) -> float8", "Inverse tangent in degrees.", |row| {
            Ok((row.float(0).atan() / 1f64.atan() * 45.0).into())
        }),
        function("atan2d(float8, float8) -> float8", "Inverse tangent of y/x in degrees.", |row| {
            Ok((row.float(0).atan2(row.float(1)) / 1f64.atan() * 45.0).into())
        }),
    ]
}

fn out_of_range() -> ValueError {
    ValueError::new("22003", "input is out of range")
}

fn checked(angle: f64, function: impl Fn(f64) -> f64) -> Result<f64> {
    if angle.is_infinite() { Err(out_of_range()) } else { Ok(function(angle)) }
}

fn within(ratio: f64, function: impl Fn(f64) -> f64) -> Result<f64> {
    match ratio.is_nan() || (-1.0..=1.0).contains(&ratio) {
        true => Ok(function(ratio)),
        false => Err(out_of_range()),
    }
}

fn sine_to_30(angle: f64) -> f64 {
    angle.to_radians().sin() / 30f64.to_radians().sin() / 2.0
}

fn cosine_to_60(angle: f64) -> f64 {
    1.0 - (1.0 - angle.to_radians().cos()) / (1.0 - 60f64.to_radians().cos()) / 2.0
}

/// Of the first quarter of the circle.
fn sine_of_quarter(angle: f64) -> f64 {
    if angle <= 30.0 { sine_to_30(angle) } else { cosine_to_60(90.0 - angle) }
}

fn cosine_of_quarter(angle: f64) -> f64 {
    if angle <= 60.0 { cosine_to_60(angle) } else { sine_to_30(90.0 - angle) }
}

/// An angle of the first quarter, with the signs of sine and cosine there.
fn reduced(angle: f64) -> (f64, f64, f64) {
    let (mut angle, mut sine, mut cosine) = (angle % 360.0, 1.0, 1.0);
    if angle < 0.0 {
        (angle, sine) = (-angle, -sine);
    }
    if angle > 180.0 {
        (angle, sine) = (360.0 - angle, -sine);
    }
    if angle > 90.0 {
        (angle, cosine) = (180.0 - angle, -cosine);
    }
    (angle, sine, cosine)
}

fn sine(angle: f64) -> f64 {
    let (angle, sign, _) = reduced(angle);
    sign * sine_of_quarter(angle)
}

fn cosine(angle: f64) -> f64 {
    let (angle, _, sign) = reduced(angle);
    sign * cosine_of_quarter(angle)
}

fn tangent(angle: f64) -> f64 {
    let (angle, sine, cosine) = reduced(angle);
    sine * cosine * (sine_of_quarter(angle) / cosine_of_quarter(angle))
}

fn unit_tangent() -> f64 {
    sine_of_quarter(45.0) / cosine_of_quarter(45.0)
}

fn arc_sine_of_quarter(ratio: f64) -> f64 {
    match ratio <= 0.5 {
        true => ratio.asin() / 0.5f64.asin() * 30.0,
        false => 90.0 - ratio.acos() / 0.5f64.acos() * 60.0,
    }
}

fn arc_cosine_of_quarter(ratio: f64) -> f64 {
    match ratio <= 0.5 {
        true => 90.0 - ratio.asin() / 0.5f64.asin() * 30.0,
        false => ratio.acos() / 0.5f64.acos() * 60.0,
    }
}

fn arc_sine(ratio: f64) -> f64 {
    if ratio >= 0.0 { arc_sine_of_quarter(ratio) } else { -arc_sine_of_quarter(-ratio) }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn known_angles_are_exact() {
        check(&[
            ("sind(30.0::float8)", "0.5"),
            ("sind(-150.0::float8)", "-0.5"),
            ("cosd(60.0::float8)", "0.5"),
            ("cosd(240.0::float8)", "-0.5"),
            ("tand(45.0::float8)", "1"),
            ("tand(135.0::float8)", "-1"),
            ("asind(0.5::float8)", "30"),
            ("acosd(-0.5::float8)", "120"),
            ("atand(1.0::float8)", "45"),
        ]);
    }
}
