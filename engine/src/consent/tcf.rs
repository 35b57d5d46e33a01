//! Consent strings of the IAB: the Transparency and Consent Framework (TCF v2, "Consent string and
//! vendor list formats v2", `IABTechLab` on GitHub) and the Global Privacy Platform (GPP, "Consent
//! String Specification"), decoded to JSON.
//!
//! Both are bits in web-safe base64, six a character. The string itself is the proof: keep it as
//! the evidence of an event.

use chrono::DateTime;
use serde_json::{Value, json};

/// Most vendors that a string may name.
const VENDORS_MAX: u64 = 65_535;
/// `IAB Europe TCF v2` among the sections of GPP.
const SECTION_TCF: u64 = 2;

/// A TCF string: its core, and its other segments.
///
/// # Errors
/// Why it is none.
pub(super) fn decode_tcf(text: &str) -> Result<Value, String> {
    let mut segments = text.split('.');
    let mut decoded = core(segments.next().unwrap_or_default())?;
    for segment in segments {
        let mut bits = Bits::new(segment)?;
        let (name, value) = match bits.number(3)? {
            1 => ("vendors_disclosed", bits.vendors()?.into()),
            2 => ("vendors_allowed", bits.vendors()?.into()),
            3 => ("publisher", bits.publisher()?),
            other => return Err(format!("segment type {other} is not 1, 2 or 3")),
        };
        decoded[name] = value;
    }
    Ok(decoded)
}

fn core(text: &str) -> Result<Value, String> {
    let mut bits = Bits::new(text)?;
    let version = bits.number(6)?;
    if version != 2 {
        return Err(format!("version {version} is not 2"));
    }
    let (created, updated) = (bits.instant()?, bits.instant()?);
    let (cmp, cmp_version, screen) = (bits.number(12)?, bits.number(12)?, bits.number(6)?);
    let language = bits.letters()?;
    let (vendor_list, policy) = (bits.number(12)?, bits.number(6)?);
    let (service_specific, non_standard) = (bits.flag()?, bits.flag()?);
    let (features, purposes) = (bits.set(12)?, bits.set(24)?);
    let interests = bits.set(24)?;
    let (purpose_one, country) = (bits.flag()?, bits.letters()?);
    let (vendors, vendor_interests) = (bits.vendors()?, bits.vendors()?);
    Ok(json!({
        "version": version,
        "created_at": created,
        "last_updated_at": updated,
        "cmp_id": cmp,
        "cmp_version": cmp_version,
        "consent_screen": screen,
        "consent_language": language,
        "vendor_list_version": vendor_list,
        "policy_version": policy,
        "is_service_specific": service_specific,
        "use_non_standard_texts": non_standard,
        "special_features": features,
        "purposes_consent": purposes,
        "purposes_legitimate_interest": interests,
        "purpose_one_treatment": purpose_one,
        "publisher_country": country,
        "vendors_consent": vendors,
        "vendors_legitimate_interest": vendor_interests,
        "publisher_restrictions": bits.restrictions()?,
    }))
}

/// A GPP string: its header, the section of the European TCF decoded, others as they are.
///
/// # Errors
/// Why it is none.
pub(super) fn decode_gpp(text: &str) -> Result<Value, String> {
    let mut parts = text.split('~');
    let mut bits = Bits::new(parts.next().unwrap_or_default())?;
    let (kind, version) = (bits.number(6)?, bits.number(6)?);
    if (kind, version) != (3, 1) {
        return Err(format!("header type {kind}, version {version} is not 3, 1"));
    }
    let mut sections = serde_json::Map::new();
    let mut ids = Vec::new();
    let mut last = 0;
    for _ in 0..bits.number(12)? {
        let range = bits.flag()?;
        let first = last + bits.fibonacci()?;
        last = if range { first + bits.fibonacci()? } else { first };
        if last - first > VENDORS_MAX {
            return Err("its range of sections is too long".to_owned());
        }
        ids.extend(first..=last);
    }
    for id in &ids {
        let section = parts.next().ok_or_else(|| format!("section {id} is missing"))?;
        let decoded = match *id {
            SECTION_TCF => decode_tcf(section)?,
            _ => Value::from(section),
        };
        sections.insert(id.to_string(), decoded);
    }
    Ok(json!({ "version": version, "section_ids": ids, "sections": sections }))
}

/// Bits, read from the front.
struct Bits {
    bits: Vec<bool>,
    at: usize,
}

impl Bits {
    fn new(text: &str) -> Result<Self, String> {
        let mut bits = Vec::with_capacity(text.len() * 6);
        for character in text.trim_end_matches('=').bytes() {
            let six = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return Err("it is not in web-safe base64".to_owned()),
            };
            bits.extend((0..6).rev().map(|bit| six >> bit & 1 == 1));
        }
        Ok(Self { bits, at: 0 })
    }

    fn flag(&mut self) -> Result<bool, String> {
        let bit = self.bits.get(self.at).copied();
        self.at += 1;
        bit.ok_or_else(|| "it ends too early".to_owned())
    }

    fn number(&mut self, width: usize) -> Result<u64, String> {
        (0..width).try_fold(0, |number, _| Ok(number << 1 | u64::from(self.flag()?)))
    }

    /// Tenths of a second since 1970.
    fn instant(&mut self) -> Result<Option<String>, String> {
        let millis = i64::try_from(self.number(36)?).unwrap_or(i64::MAX).saturating_mul(100);
        Ok(DateTime::from_timestamp_millis(millis).map(|one| one.to_rfc3339()))
    }

    /// Two letters, six bits each.
    fn letters(&mut self) -> Result<String, String> {
        let letter = |number: u64| u8::try_from(number).ok().filter(|one| *one < 26);
        let mut letters = String::with_capacity(2);
        for _ in 0..2 {
            let one = letter(self.number(6)?).ok_or("a letter is none")?;
            letters.push(char::from(b'A' + one));
        }
        Ok(letters)
    }

    /// The numbers, from 1, of the bits that are set.
    fn set(&mut self, width: usize) -> Result<Vec<u64>, String> {
        let mut set = Vec::new();
        for number in (1..).take(width) {
            if self.flag()? {
                set.push(number);
            }
        }
        Ok(set)
    }

    /// Vendors, as bits or as ranges.
    fn vendors(&mut self) -> Result<Vec<u64>, String> {
        let most = self.number(16)?;
        match self.flag()? {
            true => self.ranges(),
            false => self.set(usize::try_from(most).unwrap_or(0)),
        }
    }

    fn ranges(&mut self) -> Result<Vec<u64>, String> {
        let mut vendors = Vec::new();
        for _ in 0..self.number(12)? {
            let range = self.flag()?;
            let first = self.number(16)?;
            let last = if range { self.number(16)? } else { first };
            if vendors.len() as u64 + last.saturating_sub(first) > VENDORS_MAX {
                return Err("it names too many vendors".to_owned());
            }
            vendors.extend(first..=last);
        }
        Ok(vendors)
    }

    fn restrictions(&mut self) -> Result<Vec<Value>, String> {
        const KINDS: [&str; 3] = ["not allowed", "require consent", "require legitimate interest"];
        let mut found = Vec::new();
        for _ in 0..self.number(12)? {
            let (purpose, kind) = (self.number(6)?, self.number(2)?);
            let kind = usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind));
            let vendors = self.ranges()?;
            found.push(json!({ "purpose": purpose, "restriction": kind, "vendors": vendors }));
        }
        Ok(found)
    }

    /// What the publisher's own purposes, and those of its own making, were allowed.
    fn publisher(&mut self) -> Result<Value, String> {
        let (purposes, interests) = (self.set(24)?, self.set(24)?);
        let own = usize::try_from(self.number(6)?).unwrap_or(0);
        Ok(json!({
            "purposes_consent": purposes,
            "purposes_legitimate_interest": interests,
            "custom_purposes_consent": self.set(own)?,
            "custom_purposes_legitimate_interest": self.set(own)?,
        }))
    }

    /// A number in Fibonacci coding: the sum of the numbers whose bits are set, up to two ones.
    fn fibonacci(&mut self) -> Result<u64, String> {
        let (mut one, mut next, mut sum, mut before) = (1_u64, 2_u64, 0_u64, false);
        for _ in 0..64 {
            let bit = self.flag()?;
            if bit && before {
                return Ok(sum);
            }
            sum = sum.saturating_add(if bit { one } else { 0 });
            (one, next, before) = (next, one.saturating_add(next), bit);
        }
        Err("a number has no end".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the TCF specification, of `iabtcf-es`.
    const EXAMPLE: &str = "COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA";

    #[test]
    fn a_core_string_is_decoded() {
        let found = decode_tcf(EXAMPLE).unwrap();
        assert_eq!(found["version"], 2);
        assert_eq!(found["cmp_id"], 675);
        assert_eq!(found["cmp_version"], 2);
        assert_eq!(found["consent_screen"], 1);
        assert_eq!(found["consent_language"], "EN");
        assert_eq!(found["vendor_list_version"], 15);
        assert_eq!(found["created_at"], "2020-01-26T17:01:00+00:00");
        assert_eq!(found["purposes_consent"], json!([2, 10]));
        assert_eq!(found["purposes_legitimate_interest"], json!([2, 9]));
    }

    /// The example of the TCF specification with disclosed vendors; what is expected is what the
    /// package `iab-tcf` (Python) says.
    #[test]
    fn segments_are_decoded() {
        let core = "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA";
        let disclosed = "IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQ\
                         ARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw";
        let found = decode_tcf(&format!("{core}.{disclosed}")).unwrap();
        assert_eq!(found["purposes_consent"], json!([1, 2, 3]));
        assert_eq!(found["vendors_consent"], json!([2, 6, 8]));
        let vendors = found["vendors_disclosed"].as_array().unwrap();
        assert_eq!(vendors[..6], [2, 6, 8, 12, 18, 23].map(Value::from));
        assert_eq!(vendors.last(), Some(&Value::from(720)));
        // Purposes 1 and 3 by consent, 2 by interest; two of the publisher's own, one by each.
        let found = decode_tcf(&format!("{core}.dAAACAAAAUg")).unwrap();
        let publisher = &found["publisher"];
        assert_eq!(publisher["purposes_consent"], json!([1, 3]));
        assert_eq!(publisher["purposes_legitimate_interest"], json!([2]));
        assert_eq!(publisher["custom_purposes_consent"], json!([1]));
        assert_eq!(publisher["custom_purposes_legitimate_interest"], json!([2]));
        assert!(decode_tcf(&format!("{core}.")).is_err());
        assert!(decode_tcf(&format!("{core}.A")).is_err());
    }

    #[test]
    fn several_sections_of_gpp_are_decoded() {
        let text = "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN";
        let found = decode_gpp(text).unwrap();
        assert_eq!(found["section_ids"], json!([2, 6]));
        assert_eq!(found["sections"]["6"], "1YNN");
    }

    #[test]
    fn a_gpp_string_is_decoded() {
        let text = "DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA";
        let found = decode_gpp(text).unwrap();
        assert_eq!(found["section_ids"], json!([2]));
        assert_eq!(found["sections"]["2"]["version"], 2);
        assert_eq!(found["sections"]["2"]["consent_language"], "EN");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "C", "!!!!", "BOtybn4PA", "COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAA"] {
            assert!(decode_tcf(text).is_err(), "{text}");
        }
        assert!(decode_gpp("DBABM").is_err());
        assert!(decode_gpp("COtybn4P~x").is_err());
    }
}
