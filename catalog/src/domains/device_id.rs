//! `device_id`: a device, browser or advertising identifier (cookie, IDFA, GAID).

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const DEVICE_ID: SemanticDomain = SemanticDomain {
    name: "device_id",
    oid: 12002,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::OnlineIdentifier,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: text::key,
    normalize,
    comment: "device, browser or advertising identifier; identifies",
};

/// UUIDs are compared without case (RFC 9562 §4); other identifiers may be case-sensitive.
fn normalize(value: &str) -> Option<String> {
    let value = value.trim();
    let is_uuid =
        value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    text::some(if is_uuid { value.to_ascii_lowercase() } else { value.to_owned() })
}
