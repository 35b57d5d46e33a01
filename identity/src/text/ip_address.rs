//! `ip_address`: an IPv4 or IPv6 address; an online identifier (CJEU C-582/14, Breyer).

use std::net::IpAddr;

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    parse(value).map(drop).ok_or_else(|| "it is no IPv4 or IPv6 address".to_owned())
}

fn parse(value: &str) -> Option<IpAddr> {
    value.trim().parse().ok()
}

/// The shortest form (RFC 5952); an IPv4 address in IPv6 clothes becomes IPv4.
pub fn normalize(value: &str) -> Option<String> {
    parse(value).map(|address| address.to_canonical().to_string())
}
