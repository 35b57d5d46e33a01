//! Values that stand for "nothing": they would stitch strangers together.
//!
//! The defaults are the file `blocked.csv`; they become rows that a user may change. A pattern is
//! compared with the *normalised* value.

use std::collections::HashMap;
use std::sync::LazyLock;

use hashbrown::HashSet;
use regex::RegexSet;

/// A pattern of values that identify nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    /// Name of the domain; `*` for every one.
    pub domain: &'static str,
    /// A normalised value, or a regular expression that matches some.
    pub pattern: &'static str,
    /// Whether the pattern is a regular expression.
    pub regex: bool,
    /// Why, in a few words.
    pub reason: &'static str,
}

static DEFAULTS: LazyLock<Vec<Blocked>> = LazyLock::new(|| {
    let lines = include_str!("blocked.csv").lines().skip(1);
    lines.filter_map(line).collect()
});

/// The defaults.
pub fn blocked_defaults() -> &'static [Blocked] {
    &DEFAULTS
}

/// `domain,match,reason,pattern`: the pattern last, since it may contain commas.
fn line(line: &'static str) -> Option<Blocked> {
    let mut fields = line.splitn(4, ',');
    let (domain, kind, reason) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Blocked { domain, pattern: fields.next()?, regex: kind == "regex", reason })
}

/// Blocked patterns, ready to ask.
#[derive(Debug, Default)]
pub struct Blocklist {
    exact: HashMap<String, HashSet<String>>,
    regexes: HashMap<String, RegexSet>,
}

/// Holds for every domain.
const EVERY: &str = "*";

impl Blocklist {
    /// Compiles `(domain, pattern, is a regular expression)`.
    ///
    /// # Errors
    /// What is wrong with a regular expression.
    pub fn new<'a>(
        patterns: impl IntoIterator<Item = (&'a str, &'a str, bool)>,
    ) -> Result<Self, regex::Error> {
        let mut exact: HashMap<String, HashSet<String>> = HashMap::new();
        let mut regexes: HashMap<String, Vec<String>> = HashMap::new();
        for (domain, pattern, is_regex) in patterns {
            if is_regex {
                regexes.entry(domain.to_owned()).or_default().push(pattern.to_owned());
            } else {
                exact.entry(domain.to_owned()).or_default().insert(pattern.to_owned());
            }
        }
        let compiled = regexes.into_iter().map(|(domain, set)| Ok((domain, RegexSet::new(set)?)));
        Ok(Self { exact, regexes: compiled.collect::<Result<_, regex::Error>>()? })
    }

    /// Whether a normalised value of a domain identifies nobody.
    pub fn blocks(&self, domain: &str, value: &str) -> bool {
        [domain, EVERY].into_iter().any(|domain| {
            self.exact.get(domain).is_some_and(|values| values.contains(value))
                || self.regexes.get(domain).is_some_and(|set| set.is_match(value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::domain;

    fn defaults() -> Blocklist {
        let rows = blocked_defaults().iter().map(|row| (row.domain, row.pattern, row.regex));
        Blocklist::new(rows).unwrap()
    }

    /// A pattern that is not in normal form, or that no line was made of, would block nothing.
    #[test]
    fn patterns_are_normal() {
        assert_eq!(blocked_defaults().len(), include_str!("blocked.csv").lines().count() - 1);
        for row in blocked_defaults() {
            assert!(!row.reason.is_empty(), "{row:?}");
            let Some(domain) = domain::by_name(row.domain) else {
                assert_eq!(row.domain, EVERY);
                continue;
            };
            if !row.regex {
                assert_eq!((domain.normalize)(row.pattern).as_deref(), Some(row.pattern));
            }
        }
    }

    #[test]
    fn garbage_is_blocked_and_people_are_not() {
        let cases = [
            ("email", "Test@Test.com", true),
            ("email", "noreply@shop.example.com", true),
            ("email", "no-reply+17@gmail.com", true),
            ("email", "n/a@example.com", true),
            ("email", "jane.doe@example.org", false),
            ("email", "norah@web.de", false),
            ("email", "info@acme.fr", true),
            ("phone", "000 000 0000", true),
            ("phone", "+1 (000) 000-0000", true),
            ("phone", "123-456-7890", true),
            ("phone", "06 66 66 66 66", true),
            ("phone", "+33 6 12 34 56 78", false),
            ("phone", "+1 212 555 2368", false),
            ("phone", "+1 202-555-0143", true),
            ("device_id", "00000000-0000-0000-0000-000000000000", true),
            ("device_id", "6D92078A-8246-4BA4-AE5B-76104861E7DC", false),
            ("customer_key", "N/A", true),
            ("customer_key", "Unknown", true),
            ("customer_key", "0", true),
            ("customer_key", "C-17", false),
            ("loyalty_card", "0000 0000", true),
            ("siren", "000 000 000", true),
            ("web_domain", "www.gmail.com", true),
            ("web_domain", "acme.fr", false),
            ("birth_date", "1900-01-01", true),
            ("birth_date", "1979-05-12", false),
            ("given_name", "NULL", true),
            ("given_name", "Nolan", false),
            ("family_name", "Test", true),
            ("family_name", "None", true),
            ("postcode", "00000", true),
            ("ip_address", "127.0.0.1", true),
            ("ip_address", "192.168.1.20", true),
            ("ip_address", "193.0.14.129", false),
        ];
        let list = defaults();
        for (name, value, expected) in cases {
            let form = (domain::by_name(name).unwrap().normalize)(value).unwrap();
            assert_eq!(list.blocks(name, &form), expected, "{name} {value} {form}");
        }
    }
}
