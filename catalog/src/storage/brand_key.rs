//! The secret of a brand: one random key for each database, kept with its definitions.
//!
//! What must be recognised and not be read is kept as a keyed hash: tombstones of those who were
//! erased, subjects of requests. A hash without a key would give e-mail addresses away to whoever
//! tries some. Receipts are signed with a key that follows from it.

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What signatures of receipts are made for.
const RECEIPTS: &str = "receipts";

/// A brand's secret key.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BrandKey([u8; 32]);

impl std::fmt::Debug for BrandKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BrandKey")
    }
}

impl BrandKey {
    /// A new one.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub(super) fn random() -> Result<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Error::Internal("there are no random bytes".to_owned()))?;
        Ok(Self(bytes))
    }

    /// Whether it was never made: the database is older than such keys.
    pub(super) fn is_missing(&self) -> bool {
        self.0 == [0; 32]
    }

    /// HMAC-SHA-256 of several parts. The same parts for another purpose are another value.
    pub fn hmac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            // Lengths tell apart what would else be the same text.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }

    fn signer(&self) -> Result<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.hmac(RECEIPTS, &[]))
            .map_err(|error| Error::Internal(format!("no signing key: {error}")))
    }

    /// Ed25519 signature of a message, in hexadecimal.
    ///
    /// # Errors
    /// None in practice.
    pub fn sign(&self, message: &[u8]) -> Result<String> {
        Ok(hex(self.signer()?.sign(message).as_ref()))
    }

    /// The key that signatures are verified with, in hexadecimal.
    ///
    /// # Errors
    /// None in practice.
    pub fn public_key(&self) -> Result<String> {
        Ok(hex(self.signer()?.public_key().as_ref()))
    }
}

/// Whether an Ed25519 signature of a message is right.
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits; `None` for other text.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|one| one.to_digit(16).and_then(|one| u8::try_from(one).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_parts_separate() {
        let key = BrandKey([7; 32]);
        let one = key.hmac("tombstone", &[b"ab", b"c"]);
        assert_ne!(one, key.hmac("tombstone", &[b"a", b"bc"]));
        assert_ne!(one, key.hmac("subject", &[b"ab", b"c"]));
        assert_ne!(one, BrandKey([8; 32]).hmac("tombstone", &[b"ab", b"c"]));
        assert_eq!(one, key.hmac("tombstone", &[b"ab", b"c"]));
    }

    #[test]
    fn signatures_are_of_key_and_message() {
        let key = BrandKey([7; 32]);
        let signature = unhex(&key.sign(b"message").expect("signature")).expect("digits");
        let public = unhex(&key.public_key().expect("key")).expect("digits");
        assert!(verify(&public, b"message", &signature));
        assert!(!verify(&public, b"another", &signature));
        let other = unhex(&BrandKey([8; 32]).public_key().expect("key")).expect("digits");
        assert!(!verify(&other, b"message", &signature));
    }

    #[test]
    fn hexadecimal_digits_are_read_back() {
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }
}
