//! `email`: an electronic mail address (RFC 5321 §4.1.2). Quoted mailboxes are refused: no provider
//! gives them out, and in real files they are shifted columns.

use clientele_udfs::types::PgType;

use super::web_domain;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const EMAIL: SemanticDomain = SemanticDomain {
    name: "email",
    oid: 12000,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::Contact,
    masking: Masking::Pseudonym,
    comparator: Comparator::Email,
    validate,
    normalize,
    comment: "electronic mail address of a person; identifies",
};

const ADDRESS_MAX: usize = 254;
const MAILBOX_MAX: usize = 64;

fn validate(value: &str) -> Result<(), String> {
    let address = value.trim();
    if address.len() > ADDRESS_MAX {
        return Err(format!("it is longer than {ADDRESS_MAX} bytes"));
    }
    let (mailbox, host) = address.rsplit_once('@').ok_or("it has no \"@\"")?;
    if mailbox.is_empty() || mailbox.len() > MAILBOX_MAX {
        return Err(format!("the part before \"@\" has not 1 to {MAILBOX_MAX} bytes"));
    }
    if mailbox.starts_with('.') || mailbox.ends_with('.') || mailbox.contains("..") {
        return Err("the part before \"@\" has a dot at an end or two in a row".to_owned());
    }
    if let Some(letter) = mailbox.chars().find(|letter| !is_atom_letter(*letter)) {
        return Err(format!("the part before \"@\" contains {letter:?}"));
    }
    web_domain::host(host)
}

/// RFC 5321 `atext` and the dot; letters beyond ASCII by RFC 6531.
fn is_atom_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter)
}

/// Lower case throughout: RFC 5321 lets mailboxes differ by case, no provider does. Tags and dots
/// stay, since they make different mailboxes at most providers.
fn normalize(value: &str) -> Option<String> {
    let address = value.trim().trim_end_matches('.').to_lowercase();
    address.contains('@').then_some(address)
}
