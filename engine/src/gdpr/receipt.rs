//! Receipts: what an erasure took, in numbers and hashes, signed and chained.
//!
//! A receipt keeps the invariant of Amazon S3 Find and Forget for each table: all rows
//! `A1 = A0 − B0`, rows of the people `B1 = 0`, rows of others in the files that were replaced
//! `C1 = C0`. It names nobody.

use clientele_catalog::storage::{sha256, unhex, verify};
use serde_json::Value;

/// A receipt as `gdpr.receipts` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it says, as JSON.
    pub document: String,
    /// Hash of the receipt before.
    pub previous_hash: String,
    /// Hash of that and the document.
    pub hash: String,
    /// Signature of the hash.
    pub signature: String,
    /// The key that it is verified with.
    pub public_key: String,
}

/// What is wrong with a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The document is not what was hashed.
    #[error("the document is not the one that was signed")]
    Document,
    /// The signature is not of that hash and key.
    #[error("the signature is wrong")]
    Signature,
    /// It is signed with another key than that of the brand.
    #[error("it is signed with another key")]
    Key,
    /// The numbers do not add up.
    #[error("the numbers do not add up")]
    Numbers,
    /// The receipt before is another one.
    #[error("the receipt before it is missing or another one")]
    Chain,
}

/// The hash of a receipt.
pub(super) fn hash(previous_hash: &str, document: &str) -> String {
    sha256(format!("{previous_hash}\n{document}").as_bytes())
}

/// A document in the one form that is hashed, whatever spaces a client shows it with.
pub(super) fn canonical(document: &str) -> Option<String> {
    serde_json::from_str::<Value>(document).ok().map(|value| value.to_string())
}

impl Receipt {
    /// Reads a row of `gdpr.receipts` that was exported as JSON.
    pub fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let document = match value.get("document")? {
            Value::String(text) => canonical(text)?,
            document => document.to_string(),
        };
        Some(Self {
            document,
            previous_hash: text("previous_hash")?,
            hash: text("hash")?,
            signature: text("signature")?,
            public_key: text("public_key")?,
        })
    }

    /// Finds what is wrong with the receipt by itself: hash, signature, numbers.
    ///
    /// # Errors
    /// The first flaw.
    pub fn check(&self) -> Result<(), Flaw> {
        let document = canonical(&self.document).ok_or(Flaw::Document)?;
        if hash(&self.previous_hash, &document) != self.hash {
            return Err(Flaw::Document);
        }
        let keys = unhex(&self.public_key).zip(unhex(&self.signature));
        let (key, signature) = keys.ok_or(Flaw::Signature)?;
        if !verify(&key, self.hash.as_bytes(), &signature) {
            return Err(Flaw::Signature);
        }
        let document: Value = serde_json::from_str(&document).map_err(|_| Flaw::Document)?;
        let tables = document.get("tables").and_then(Value::as_array).ok_or(Flaw::Numbers)?;
        match tables.iter().all(adds_up) {
            true => Ok(()),
            false => Err(Flaw::Numbers),
        }
    }
}

fn adds_up(table: &Value) -> bool {
    let number = |name: &str| table.get(name).and_then(Value::as_u64);
    let all = number("A0").zip(number("B0")).and_then(|(all, gone)| all.checked_sub(gone));
    all.is_some() && all == number("A1") && number("B1") == Some(0) && number("C0") == number("C1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_must_add_up() {
        let table = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let cases = [
            (r#"{"A0": 5, "B0": 2, "A1": 3, "B1": 0, "C0": 3, "C1": 3}"#, true),
            (r#"{"A0": 5, "B0": 2, "A1": 4, "B1": 0, "C0": 3, "C1": 3}"#, false),
            (r#"{"A0": 5, "B0": 2, "A1": 3, "B1": 1, "C0": 3, "C1": 3}"#, false),
            (r#"{"A0": 5, "B0": 2, "A1": 3, "B1": 0, "C0": 3, "C1": 2}"#, false),
            (r#"{"A0": 5, "B0": 6, "A1": 0, "B1": 0, "C0": 0, "C1": 0}"#, false),
            ("{}", false),
        ];
        for (text, expected) in cases {
            assert_eq!(adds_up(&table(text)), expected, "{text}");
        }
    }
}
