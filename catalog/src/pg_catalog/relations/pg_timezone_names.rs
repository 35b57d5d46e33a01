//! `pg_timezone_names`: time zones with their offset now. PostgreSQL manual:
//! view-pg-timezone-names.

use chrono::{Offset, Utc};
use chrono_tz::{OffsetComponents, OffsetName, TZ_VARIANTS};

use super::super::system_relation::relation;

relation! { (_context) (zone, offset) in {
    let now = Utc::now();
    TZ_VARIANTS.iter().map(move |zone| (zone, now.with_timezone(zone).offset().to_owned()))
} => {
    name: zone.name(),
    abbrev: offset.abbreviation().unwrap_or_default().to_owned(),
    utc_offset: i64::from(offset.fix().local_minus_utc()),
    is_dst: !offset.dst_offset().is_zero(),
} }
