//! The words for treatments: our own, and PostgreSQL Anonymizer's as far as they say the same
//! (postgresql-anonymizer.readthedocs.io, "Masking Functions").

use clientele_catalog::domains::Masking;

use crate::error::{Error, Result};

/// What a label says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// This treatment.
    Is(Masking),
    /// Less than the value, as the column's domain or type goes.
    Generalise,
}

/// The treatment that a text names.
///
/// # Errors
/// 22023 for what has no treatment here.
pub(super) fn treatment(text: &str) -> Result<Label> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = words.to_lowercase();
    match lower.as_str() {
        "open" | "not masked" => return Ok(Label::Is(Masking::Open)),
        "pseudonym" => return Ok(Label::Is(Masking::Pseudonym)),
        "generalise" | "generalize" => return Ok(Label::Generalise),
        "null" | "masked with value null" => return Ok(Label::Is(Masking::Null)),
        _ => {}
    }
    let call = lower.strip_prefix("masked with function ");
    let call = call.map(|call| call.trim_start_matches("anon."));
    let label = call.and_then(|call| {
        let (name, arguments) = call.trim_end_matches(')').split_once('(')?;
        function(name.trim(), arguments)
    });
    label.ok_or_else(|| {
        Error::new("22023", format!("\"{text}\" is no treatment of a column"))
            .with_hint("Use open, pseudonym, generalise or null; fakes and noise are not offered: they are mistaken for data.")
    })
}

fn function(name: &str, arguments: &str) -> Option<Label> {
    if ["hash", "digest"].contains(&name) || name.starts_with("pseudo_") {
        return Some(Label::Is(Masking::Pseudonym));
    }
    if name.starts_with("generalize_") {
        return Some(Label::Generalise);
    }
    // partial(column, prefix, padding, suffix) keeps characters at both ends; only the first are.
    let parts: Vec<&str> = arguments.split(',').map(str::trim).collect();
    match (name, parts.as_slice()) {
        ("partial", [_, prefix, _, "0"]) => {
            Some(Label::Is(Masking::FirstCharacters(prefix.parse().ok()?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_treatments() {
        for (text, label) in [
            ("open", Some(Label::Is(Masking::Open))),
            ("NOT MASKED", Some(Label::Is(Masking::Open))),
            ("Pseudonym", Some(Label::Is(Masking::Pseudonym))),
            ("generalize", Some(Label::Generalise)),
            ("MASKED WITH VALUE NULL", Some(Label::Is(Masking::Null))),
            ("MASKED WITH FUNCTION anon.hash(email)", Some(Label::Is(Masking::Pseudonym))),
            ("MASKED  WITH FUNCTION anon.pseudo_email(id)", Some(Label::Is(Masking::Pseudonym))),
            (
                "MASKED WITH FUNCTION anon.partial(zip, 3, $$**$$, 0)",
                Some(Label::Is(Masking::FirstCharacters(3))),
            ),
            ("MASKED WITH FUNCTION anon.partial(zip,3,$$**$$,2)", None),
            ("MASKED WITH FUNCTION anon.dummy_last_name()", None),
            ("MASKED WITH VALUE 'x'", None),
            ("", None),
        ] {
            assert_eq!(treatment(text).ok(), label, "{text}");
        }
    }
}
