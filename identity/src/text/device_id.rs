//! `device_id`: a device, browser or advertising identifier (cookie, IDFA, GAID).

use super::fold;

/// UUIDs are compared without case (RFC 9562 §4) and braces; other identifiers may be
/// case-sensitive.
pub fn normalize(value: &str) -> Option<String> {
    let value = value.trim();
    let bare = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(value);
    let is_uuid =
        bare.len() == 36 && bare.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_uuid { Some(bare.to_ascii_lowercase()) } else { fold::trimmed(value) }
}
