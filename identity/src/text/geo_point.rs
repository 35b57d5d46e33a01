//! `geo_point`: latitude and longitude in degrees (WGS 84), `lat,lon`.

/// Says why a text is no place on earth.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    let (latitude, longitude) = parse(value).ok_or("it is not \"latitude,longitude\"")?;
    if !(-90.0..=90.0).contains(&latitude) {
        return Err("its latitude is not between -90 and 90".to_owned());
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err("its longitude is not between -180 and 180".to_owned());
    }
    Ok(())
}

/// Latitude and longitude.
pub fn parse(value: &str) -> Option<(f64, f64)> {
    let inner = value.trim().trim_start_matches('(').trim_end_matches(')');
    let (latitude, longitude) = inner.split_once(',')?;
    Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?))
}

/// Six decimals, about a decimetre.
pub fn normalize(value: &str) -> Option<String> {
    // Adding zero makes a positive zero of the negative one.
    let rounded = |degrees: f64| (degrees * 1e6).round() / 1e6 + 0.0;
    parse(value)
        .map(|(latitude, longitude)| format!("{:.6},{:.6}", rounded(latitude), rounded(longitude)))
}
