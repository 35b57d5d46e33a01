//! Keyed pseudonyms: equal values have equal ones, and nobody without the key can try values.
//!
//! `email_` and 20 characters: 80 bits of HMAC-SHA-256 (RFC 2104) over namespace and normalised
//! value, then 20 bits over these. The latter tell a pseudonym from a value, so that what is a
//! pseudonym already, in a table made of treated values, stays the same.

use clientele_catalog::definition::Oid;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};

/// Characters of five bits (RFC 4648 §6, small letters).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of the value, and of the check behind them.
const VALUE_LENGTH: usize = 16;
const CHECK_LENGTH: usize = 4;

/// Makes the pseudonyms of one namespace.
pub(super) struct Pseudonyms {
    /// Ready to go on with the value.
    values: Hmac<Sha256>,
    checks: Hmac<Sha256>,
    prefix: String,
}

impl Pseudonyms {
    /// Of a namespace, with its name before each. Those of temporary tables are others: anybody can
    /// write values into one, and would try them against those of other tables. All know each other
    /// again.
    ///
    /// # Errors
    /// None in practice: HMAC takes keys of any length.
    pub(super) fn new(key: &[u8], (namespace, name): (Oid, &str), temporary: bool) -> Result<Self> {
        let keyed = |purpose: &[u8]| -> Result<Hmac<Sha256>> {
            let mut mac = Hmac::new_from_slice(key).map_err(Error::internal)?;
            mac.update(purpose);
            mac.update(&namespace.to_be_bytes());
            Ok(mac)
        };
        let prefix = format!("{name}_");
        let purpose: &[u8] = if temporary { b"temporary pseudonym" } else { b"pseudonym" };
        Ok(Self { values: keyed(purpose)?, checks: keyed(b"check")?, prefix })
    }

    /// What each of them starts with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The pseudonym of a normalised value.
    pub(super) fn of(&self, value: &str) -> String {
        let mut text = String::with_capacity(self.prefix.len() + VALUE_LENGTH + CHECK_LENGTH);
        text.push_str(&self.prefix);
        push(&mut text, &self.values, value.as_bytes(), VALUE_LENGTH);
        let start = self.prefix.len();
        let body = text.get(start..).unwrap_or_default().to_owned();
        push(&mut text, &self.checks, body.as_bytes(), CHECK_LENGTH);
        text
    }

    /// Whether a text is one of these pseudonyms.
    pub(super) fn is_one(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(&self.prefix) else { return false };
        if rest.len() != VALUE_LENGTH + CHECK_LENGTH || !rest.is_ascii() {
            return false;
        }
        let (body, check) = rest.split_at(VALUE_LENGTH);
        let mut expected = String::with_capacity(CHECK_LENGTH);
        push(&mut expected, &self.checks, body.as_bytes(), CHECK_LENGTH);
        expected == check
    }
}

/// The first characters of a MAC.
fn push(text: &mut String, mac: &Hmac<Sha256>, message: &[u8], length: usize) {
    let mut mac = mac.clone();
    mac.update(message);
    let bytes = mac.finalize().into_bytes();
    for place in 0..length {
        let bit = place * 5;
        let at = |index: usize| u16::from(bytes.get(index).copied().unwrap_or_default());
        let two = at(bit / 8) << 8 | at(bit / 8 + 1);
        let five = usize::from(two >> (11 - bit % 8) & 31);
        text.push(char::from(ALPHABET.get(five).copied().unwrap_or(b'a')));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonyms(key: &[u8], namespace: Oid) -> Pseudonyms {
        Pseudonyms::new(key, (namespace, "email"), false).unwrap()
    }

    #[test]
    fn equal_values_of_a_namespace_and_a_key_are_equal() {
        let (key, other_key) = ([1; 32], [2; 32]);
        let of = |key: &[u8], namespace, value: &str| pseudonyms(key, namespace).of(value);
        let one = of(&key, 12000, "jane@example.com");
        assert_eq!(one, of(&key, 12000, "jane@example.com"));
        assert_ne!(one, of(&key, 12000, "john@example.com"));
        assert_ne!(one, of(&key, 12001, "jane@example.com"));
        assert_ne!(one, of(&other_key, 12000, "jane@example.com"));
        assert_eq!(one.len(), "email_".len() + VALUE_LENGTH + CHECK_LENGTH);
        let plain = |one: u8| one == b'_' || one.is_ascii_lowercase() || one.is_ascii_digit();
        assert!(one.bytes().all(plain), "{one}");
    }

    #[test]
    fn temporary_tables_try_no_values() {
        let lasting = pseudonyms(&[1; 32], 12000);
        let temporary = Pseudonyms::new(&[1; 32], (12000, "email"), true).unwrap();
        let (one, other) = (lasting.of("jane@example.com"), temporary.of("jane@example.com"));
        assert_ne!(one, other);
        assert!(temporary.is_one(&one) && lasting.is_one(&other));
    }

    #[test]
    fn a_pseudonym_is_known_again_and_nothing_else() {
        let key = [1; 32];
        let ours = pseudonyms(&key, 12000);
        let one = ours.of("jane@example.com");
        assert!(ours.is_one(&one));
        assert!(!pseudonyms(&[2; 32], 12000).is_one(&one));
        for other in ["", "email_", "jane@example.com", "email_aaaaaaaaaaaaaaaaaaaa"] {
            assert!(!ours.is_one(other), "{other}");
        }
    }
}
