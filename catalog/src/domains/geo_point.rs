//! `geo_point`: latitude and longitude in degrees (WGS 84), `lat,lon`.

use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const GEO_POINT: SemanticDomain = SemanticDomain {
    name: "geo_point",
    oid: 12030,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Decimals(1),
    comparator: Comparator::Distance,
    validate,
    normalize,
    comment: "place on earth: latitude,longitude",
};

fn validate(value: &str) -> Result<(), String> {
    let (latitude, longitude) = parse(value).ok_or("it is not \"latitude,longitude\"")?;
    if !(-90.0..=90.0).contains(&latitude) {
        return Err("its latitude is not between -90 and 90".to_owned());
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err("its longitude is not between -180 and 180".to_owned());
    }
    Ok(())
}

fn parse(value: &str) -> Option<(f64, f64)> {
    let inner = value.trim().trim_start_matches('(').trim_end_matches(')');
    let (latitude, longitude) = inner.split_once(',')?;
    Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?))
}

/// Six decimals, about a decimetre.
fn normalize(value: &str) -> Option<String> {
    parse(value).map(|(latitude, longitude)| format!("{latitude:.6},{longitude:.6}"))
}
