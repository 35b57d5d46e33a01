//! `web_domain`: a host name of the web (RFC 1035 §2.3.4; beyond ASCII by RFC 5890).

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const WEB_DOMAIN: SemanticDomain = SemanticDomain {
    name: "web_domain",
    oid: 12009,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate,
    normalize,
    comment: "host name of a company on the web; identifies a company",
};

const HOST_MAX: usize = 253;
const LABEL_MAX: usize = 63;

fn validate(value: &str) -> Result<(), String> {
    host(host_of_address(value))
}

/// Says why a text is no host name with at least two labels.
pub(crate) fn host(name: &str) -> Result<(), String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > HOST_MAX {
        return Err(format!("the host name has not 1 to {HOST_MAX} bytes"));
    }
    if !name.contains('.') {
        return Err("the host name has no dot".to_owned());
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > LABEL_MAX {
            return Err(format!("a label of the host name has not 1 to {LABEL_MAX} bytes"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a label of the host name begins or ends with a hyphen".to_owned());
        }
        if let Some(letter) =
            label.chars().find(|one| !one.is_alphanumeric() && !"-_".contains(*one))
        {
            return Err(format!("the host name contains {letter:?}"));
        }
    }
    Ok(())
}

/// The host name of what people paste: with scheme, port and path.
fn host_of_address(value: &str) -> &str {
    let value = value.trim();
    let after_scheme = value.split_once("://").map_or(value, |(_, rest)| rest);
    after_scheme.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

/// Lower case, without scheme, `www.`, port and path.
fn normalize(value: &str) -> Option<String> {
    let name = host_of_address(value).trim_end_matches('.').to_lowercase();
    text::some(name.strip_prefix("www.").map(str::to_owned).unwrap_or(name))
}
