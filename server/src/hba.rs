//! Who may connect from where: rules in the form of PostgreSQL's `pg_hba.conf` (manual:
//! auth-pg-hba-conf). The first rule that fits decides; where none fits, nobody gets in.
//!
//! ```text
//! # type   database  user        address        method
//! host     all       admin       127.0.0.1/32   scram-sha-256
//! hostssl  acme      +analysts   10.0.0.0/8     scram-sha-256
//! host     all       all         all            reject
//! ```
//!
//! A password is always asked for: `trust` and its kin are refused when the file is read.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clientele_engine::{Engine, Error, Startup};

/// The rules, in order.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    /// `hostssl`, `hostnossl`; `None`: either.
    tls: Option<bool>,
    databases: Vec<String>,
    users: Vec<String>,
    addresses: Addresses,
    admits: bool,
}

#[derive(Debug, Clone)]
enum Addresses {
    All,
    /// A network and how many of its bits count.
    Network(IpAddr, u32),
}

impl Rules {
    /// Reads the file.
    ///
    /// # Errors
    /// A line that is no rule, with its number.
    pub fn read(path: &Path) -> Result<Self> {
        let text = crate::settings::read_text(path)?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut rules = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if !words.is_empty() {
                let rule = rule(&words).with_context(|| format!("line {number}"))?;
                rules.extend(rule);
            }
        }
        Ok(Self(rules))
    }

    /// Lets a client on to its password, or not. No rules at all: everyone has to have one.
    ///
    /// # Errors
    /// 28000 with PostgreSQL's words.
    pub fn admit(&self, startup: &Startup, engine: &Engine) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let Some(address) = startup.peer.map(|peer| peer.ip().to_canonical()) else {
            return Ok(());
        };
        let found = self.0.iter().find(|rule| rule.fits(startup, address, engine));
        if found.is_some_and(|rule| rule.admits) {
            return Ok(());
        }
        let refused = match found {
            Some(_) => "pg_hba.conf rejects connection",
            None => "no pg_hba.conf entry",
        };
        let encryption = if startup.tls.is_some() { "SSL encryption" } else { "no encryption" };
        Err(Error::fatal(
            "28000",
            format!(
                "{refused} for host \"{address}\", user \"{}\", database \"{}\", {encryption}",
                startup.role, startup.database
            ),
        ))
    }
}

impl Rule {
    fn fits(&self, startup: &Startup, address: IpAddr, engine: &Engine) -> bool {
        let of_database = self.databases.iter().any(|one| match one.as_str() {
            "all" => true,
            "sameuser" => startup.database == startup.role,
            "samerole" => engine.is_member(&startup.role, &startup.database),
            name => name == startup.database,
        });
        let of_user = self.users.iter().any(|one| match one.strip_prefix('+') {
            Some(group) => engine.is_member(&startup.role, group),
            None => one == "all" || *one == startup.role,
        });
        self.tls.is_none_or(|tls| tls == startup.tls.is_some())
            && of_database
            && of_user
            && self.addresses.contain(address)
    }
}

impl Addresses {
    fn contain(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Network(IpAddr::V4(network), bits), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                u32::from(*network) & mask == u32::from(address) & mask
            }
            (Self::Network(IpAddr::V6(network), bits), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                u128::from(*network) & mask == u128::from(address) & mask
            }
            (Self::Network(..), _) => false,
        }
    }
}

/// A rule; `None` for `local`, which concerns sockets that there are none of.
fn rule(words: &[&str]) -> Result<Option<Rule>> {
    let [kind, databases, users, rest @ ..] = words else {
        bail!("a rule has a type, databases, users, an address and a method");
    };
    let tls = match *kind {
        "local" => return Ok(None),
        "host" => None,
        "hostssl" => Some(true),
        "hostnossl" => Some(false),
        "hostgssenc" | "hostnogssenc" => bail!("GSSAPI encryption is not supported"),
        other => bail!("invalid connection type \"{other}\""),
    };
    let (addresses, method) = match rest {
        [address, method] => (addresses(address, None)?, method),
        [address, mask, method] => (addresses(address, Some(mask))?, method),
        _ => bail!("an address and a method are expected"),
    };
    let admits = match *method {
        "scram-sha-256" | "md5" | "password" => true,
        "reject" => false,
        "trust" | "ident" | "peer" => bail!("method \"{method}\" would ask for no password"),
        other => bail!("invalid authentication method \"{other}\""),
    };
    let list = |text: &str| text.split(',').map(|one| one.trim_matches('"').to_owned()).collect();
    Ok(Some(Rule { tls, databases: list(databases), users: list(users), addresses, admits }))
}

fn addresses(text: &str, mask: Option<&str>) -> Result<Addresses> {
    let network = |text: &str| {
        text.parse::<IpAddr>().with_context(|| format!("invalid IP address \"{text}\""))
    };
    match (text, mask, text.split_once('/')) {
        ("all", None, None) => Ok(Addresses::All),
        (_, None, Some((address, bits))) => {
            let address = network(address)?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse().ok().filter(|bits| *bits <= most);
            let bits = bits.with_context(|| format!("invalid CIDR mask in \"{text}\""))?;
            Ok(Addresses::Network(address, bits))
        }
        (address, Some(mask), None) => {
            let bits = match network(mask)? {
                IpAddr::V4(mask) => u32::from(mask).leading_ones(),
                IpAddr::V6(mask) => u128::from(mask).leading_ones(),
            };
            Ok(Addresses::Network(network(address)?, bits))
        }
        _ => bail!("\"{text}\" is neither an address with a mask nor \"all\""),
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Rules, addresses};

    #[test]
    fn networks_contain_their_addresses() {
        let contains = |network: &str, address: &str| {
            addresses(network, None).unwrap().contain(address.parse().unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.200.3.4"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("0.0.0.0/0", "192.0.2.1"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::1/128", "::1"));
        assert!(contains("all", "2001:db8::1"));
        let masked = addresses("192.168.1.0", Some("255.255.255.0")).unwrap();
        assert!(matches!(masked, Addresses::Network(_, 24)));
    }

    #[test]
    fn a_rule_that_asks_for_no_password_is_refused() {
        let error = Rules::parse("# all\nhost all all 127.0.0.1/32 trust").unwrap_err();
        assert!(format!("{error:#}").contains("line 2: method \"trust\""), "{error:#}");
        for line in ["host all all 10.0.0.0/40 md5", "hots all all all md5", "host all all"] {
            assert!(Rules::parse(line).is_err(), "{line}");
        }
        assert_eq!(Rules::parse("local all all peer\nhost all all all reject").unwrap().0.len(), 1);
    }
}
