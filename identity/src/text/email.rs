//! `email`: an electronic mail address (RFC 5321 §4.1.2). Quoted mailboxes are refused: no provider
//! gives them out, and in real files they are shifted columns.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::web_domain;

const ADDRESS_MAX: usize = 254;
const MAILBOX_MAX: usize = 64;

/// What a provider lets people add to their address without its becoming another mailbox.
struct Provider {
    /// Its hosts.
    hosts: &'static [&'static str],
    /// The host that stands for all of them, where they share their mailboxes.
    one_host: Option<&'static str>,
    /// Whether dots in the mailbox mean nothing.
    dots: bool,
}

/// Providers whose own documentation says that `+tag` is ignored. Elsewhere it may be another
/// person, so tags and dots stay.
const PROVIDERS: [Provider; 6] = [
    Provider { hosts: &["gmail.com", "googlemail.com"], one_host: Some("gmail.com"), dots: true },
    Provider {
        hosts: &[
            "outlook.com",
            "outlook.de",
            "outlook.fr",
            "outlook.es",
            "outlook.it",
            "hotmail.com",
            "hotmail.co.uk",
            "hotmail.de",
            "hotmail.es",
            "hotmail.fr",
            "hotmail.it",
            "live.com",
            "live.co.uk",
            "live.fr",
            "live.nl",
            "msn.com",
        ],
        one_host: None,
        dots: false,
    },
    Provider { hosts: &["icloud.com", "me.com", "mac.com"], one_host: None, dots: false },
    Provider { hosts: &["proton.me", "protonmail.com", "pm.me"], one_host: None, dots: false },
    Provider { hosts: &["fastmail.com", "fastmail.fm"], one_host: None, dots: false },
    Provider { hosts: &["posteo.de", "mailbox.org"], one_host: None, dots: false },
];

/// Says why a text is no address.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    let address: Cow<'_, str> = match value.trim() {
        ascii if ascii.is_ascii() => Cow::Borrowed(ascii),
        other => Cow::Owned(other.nfc().collect()),
    };
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

/// Lower case throughout: RFC 5321 lets mailboxes differ by case, no provider does. The host in
/// Unicode, and what [`PROVIDERS`] ignore left out: `J.Doe+news@googlemail.com` →
/// `jdoe@gmail.com`. `None` without `@`.
pub fn normalize(value: &str) -> Option<String> {
    if is_plain(value) {
        return Some(value.to_owned());
    }
    let (mailbox, host) = value.trim().rsplit_once('@')?;
    let mut host = web_domain::unicode_host(host);
    let mut mailbox = if mailbox.is_ascii() {
        mailbox.to_ascii_lowercase()
    } else {
        mailbox.to_lowercase().nfc().collect()
    };
    if let Some(provider) = provider(&host) {
        if let Some(bare) = bare(&mailbox, provider.dots) {
            mailbox = bare;
        }
        if let Some(one_host) = provider.one_host {
            host = one_host.to_owned();
        }
    }
    Some(format!("{mailbox}@{host}"))
}

fn provider(host: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|one| one.hosts.contains(&host))
}

/// Whether an address is of small ASCII letters at a host that leaves nothing out: it stays as it is.
/// Files are full of such addresses.
fn is_plain(value: &str) -> bool {
    let Some((_, host)) = value.rsplit_once('@') else { return false };
    let plain =
        |one: u8| matches!(one, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'+' | b'@');
    value.bytes().all(plain)
        && !host.ends_with('.')
        && !host.contains("xn--")
        && provider(host).is_none()
}

/// The mailbox without its tag and dots; `None` when nothing is left.
fn bare(mailbox: &str, dots: bool) -> Option<String> {
    let name = mailbox.split('+').next().unwrap_or_default();
    let name = if dots { name.replace('.', "") } else { name.to_owned() };
    super::fold::some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_is_what_the_long_way_gives() {
        let hosts =
            ["shop.example", "gmail.com", "pm.me", "xn--bcher-kva.example", "a.b.", "", "@"];
        for mailbox in ["jane", "j.doe", "j+tag", "", ".", "a@b", "J", "é"] {
            for host in hosts {
                let value = format!("{mailbox}@{host}");
                let spaced = normalize(&format!(" {value}"));
                assert_eq!(normalize(&value), spaced, "{value}");
                assert!(!is_plain(&value) || spaced.as_deref() == Some(&value), "{value}");
            }
        }
    }
}
