//! `geo_distance`, `geo_within`: metres between two points given as latitude and longitude.
//!
//! The haversine formula on a sphere of the Earth's mean radius (IUGG, 6 371 008.8 m); it is off by
//! at most 0.6 % from the ellipsoid.

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

const EARTH_RADIUS_M: f64 = 6_371_008.8;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "geo_distance(latitude float8, longitude float8, latitude0 float8, longitude0 float8) -> float8",
            "Metres between two points, on a sphere.",
            |row| Ok(distance(row)?.into()),
        ),
        function(
            "geo_within(latitude float8, longitude float8, latitude0 float8, longitude0 float8, radius_m float8) -> bool",
            "Whether a point is at most so many metres from another one.",
            |row| Ok((distance(row)? <= row.float(4)).into()),
        ),
    ]
}

fn distance(row: &Row<'_>) -> Result<f64> {
    let point = |argument: usize| -> Result<(f64, f64)> {
        let (latitude, longitude) = (row.float(argument), row.float(argument + 1));
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            let text = "latitude must be from -90 to 90, longitude from -180 to 180";
            return Err(ValueError::new("22003", text));
        }
        Ok((latitude.to_radians(), longitude.to_radians()))
    };
    let (a, b) = (point(0)?, point(2)?);
    let half = |difference: f64| (difference / 2.0).sin().powi(2);
    let haversine = half(b.0 - a.0) + a.0.cos() * b.0.cos() * half(b.1 - a.1);
    Ok(2.0 * EARTH_RADIUS_M * haversine.sqrt().min(1.0).asin())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn distances() {
        check(&[
            // Paris – London, 343.6 km; over the date line; to the antipode.
            ("round(geo_distance(48.8566, 2.3522, 51.5074, -0.1278)::numeric / 1000)", "344"),
            ("round(geo_distance(0, 179.5, 0, -179.5)::numeric / 1000)", "111"),
            ("round(geo_distance(0, 0, 0, 180)::numeric / 1000)", "20015"),
            ("geo_within(48.8566, 2.3522, 51.5074, -0.1278, 345000)", "t"),
            ("geo_within(48.8566, 2.3522, 51.5074, -0.1278, 340000)", "f"),
            ("geo_within(48.8566, NULL, 51.5074, -0.1278, 340000)", "NULL"),
        ]);
        check_errors(&[(
            "geo_distance(91, 0, 0, 0)",
            "22003",
            "latitude must be from -90 to 90, longitude from -180 to 180",
        )]);
    }
}
