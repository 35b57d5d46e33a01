//! Receipts: what an erasure took, in numbers and hashes, signed and chained.
//!
//! A receipt keeps the invariant of Amazon S3 Find and Forget for each table: all rows
//! `A1 = A0 − B0`, rows of the people `B1 = 0`, rows of others in the files that were replaced
//! `C1 = C0`. It names nobody.

use std::collections::BTreeMap;

use chrono::DateTime;
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
    /// The row shows other values than its document.
    #[error("it shows other values than the document that was signed")]
    Shown,
    /// The receipt before is another one.
    #[error("the receipt before it is missing or another one")]
    Chain,
}

/// What a row shows of its document, and the member of the document.
const SHOWN: [(&str, &str); 3] =
    [("receipt_id", "receipt"), ("requested_at", "erased_at"), ("completed_at", "completed_at")];

/// The hash of a receipt.
pub(super) fn hash(previous_hash: &str, document: &str) -> String {
    sha256(format!("{previous_hash}\n{document}").as_bytes())
}

/// A document in the one form that is hashed, whatever spaces and order of members a client shows it
/// with: members are sorted (RFC 8785).
pub(super) fn canonical(document: &str) -> Option<String> {
    serde_json::from_str::<Value>(document).ok().map(|value| sorted(value).to_string())
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().collect();
            members.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// As the first receipts were hashed: members in the order in which they were written.
fn as_written(document: &str) -> Option<String> {
    serde_json::from_str::<Value>(document).ok().map(|value| value.to_string())
}

impl Receipt {
    /// Reads a row of `gdpr.receipts` that was exported as JSON.
    pub fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let document = match value.get("document")? {
            Value::String(text) => as_written(text)?,
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

    /// Whether all that an exported row shows beside the document is what the document says.
    pub fn shows_the_document(text: &str) -> bool {
        let Ok(row) = serde_json::from_str::<Value>(text) else { return false };
        let document = match row.get("document") {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            document => document.cloned().unwrap_or_default(),
        };
        let instant = |value: &Value| DateTime::parse_from_rfc3339(value.as_str()?).ok();
        SHOWN.iter().all(|(shown, said)| match (row.get(shown), document.get(said)) {
            (None, _) => true,
            (Some(shown), Some(said)) if said.is_i64() => shown == said,
            (Some(shown), Some(said)) => {
                instant(shown).is_some_and(|shown| Some(shown) == instant(said))
            }
            (Some(_), None) => false,
        })
    }

    /// Finds what is wrong with the receipt by itself: hash, signature, numbers.
    ///
    /// # Errors
    /// The first flaw.
    pub fn check(&self) -> Result<(), Flaw> {
        let forms = [canonical(&self.document), as_written(&self.document)];
        let hashed = |document: &String| hash(&self.previous_hash, document) == self.hash;
        let document = forms.into_iter().flatten().find(hashed).ok_or(Flaw::Document)?;
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
    fn a_document_is_one_whatever_order_it_is_shown_in() {
        let one = canonical(r#"{"b": [{"d": 1, "c": null}], "a": "x"}"#);
        assert_eq!(one.as_deref(), Some(r#"{"a":"x","b":[{"c":null,"d":1}]}"#));
        assert_eq!(one, canonical(r#"{ "a": "x", "b": [{"c": null, "d": 1}] }"#));
        let document = r#"{"receipt": 7, "erased_at": "2026-11-26T07:01:42.5+00:00"}"#;
        let row = |shown: &str| format!(r#"{{{shown}, "document": {document}}}"#);
        let shown = |text: &str| Receipt::shows_the_document(&row(text));
        assert!(shown(r#""receipt_id": 7, "requested_at": "2026-11-26T08:01:42.5+01:00""#));
        assert!(!shown(r#""receipt_id": 8"#));
        assert!(!shown(r#""requested_at": "2020-01-01""#));
        assert!(!shown(r#""completed_at": "2026-11-26T07:01:42.5+00:00""#));
    }

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
