//! `web_domain`: a host name of the web (RFC 1035 §2.3.4; beyond ASCII by RFC 5890).

use super::fold;

const HOST_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// Says why a text, an address of a page included, has no host name.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    host(host_of_address(value))
}

/// Says why a text is no host name with at least two labels.
///
/// # Errors
/// The reason.
pub fn host(name: &str) -> Result<(), String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > HOST_MAX {
        return Err(format!("the host name has not 1 to {HOST_MAX} bytes"));
    }
    if !name.contains('.') {
        return Err("the host name has no dot".to_owned());
    }
    name.split('.').try_for_each(label)?;
    match name.rsplit('.').next() {
        Some(last) if last.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("the host name ends in a number".to_owned())
        }
        _ => Ok(()),
    }
}

fn label(label: &str) -> Result<(), String> {
    if label.is_empty() || label.len() > LABEL_MAX {
        return Err(format!("a label of the host name has not 1 to {LABEL_MAX} bytes"));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("a label of the host name begins or ends with a hyphen".to_owned());
    }
    match label.chars().find(|one| !one.is_alphanumeric() && !"-_".contains(*one)) {
        Some(letter) => Err(format!("the host name contains {letter:?}")),
        None => Ok(()),
    }
}

/// The host name of what people paste: with scheme, port and path.
fn host_of_address(value: &str) -> &str {
    let value = value.trim();
    let after_scheme = value.split_once("://").map_or(value, |(_, rest)| rest);
    after_scheme.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

/// The domain that one owner registered (public suffix list): `https://shop.Example.co.uk/a` →
/// `example.co.uk`. A public suffix itself stays.
pub fn normalize(value: &str) -> Option<String> {
    let name = unicode_host(host_of_address(value));
    let registered = host(&name).ok().and_then(|()| psl::domain_str(&name)).map(str::to_owned);
    fold::some(registered.unwrap_or(name))
}

/// A host name in lower case and Unicode (UTS 46), without a dot at the end; names that are none
/// stay as they are but for case.
pub fn unicode_host(name: &str) -> String {
    let ends = |letter: char| letter == '.' || letter.is_whitespace();
    let lower = name.trim_start().trim_end_matches(ends).to_lowercase();
    if lower.is_ascii() && !lower.contains("xn--") {
        return lower;
    }
    let (unicode, outcome) = idna::domain_to_unicode(&lower);
    // Mapping may bring out signs that end a host name.
    let foreign = |letter: char| letter.is_whitespace() || "/:?#@".contains(letter);
    let is_host = !unicode.contains(foreign) && !unicode.ends_with('.');
    let stable = is_host && idna::domain_to_unicode(&unicode).0 == unicode;
    if outcome.is_ok() && stable { unicode } else { lower }
}
