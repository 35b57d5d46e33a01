//! `ip_address`: an IPv4 or IPv6 address; an online identifier (CJEU C-582/14, Breyer).

use std::net::IpAddr;

use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const IP_ADDRESS: SemanticDomain = SemanticDomain {
    name: "ip_address",
    oid: 12029,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::OnlineIdentifier,
    masking: Masking::Network,
    comparator: Comparator::Exact,
    validate,
    normalize,
    comment: "internet address",
};

fn validate(value: &str) -> Result<(), String> {
    parse(value).map(drop).ok_or_else(|| "it is no IPv4 or IPv6 address".to_owned())
}

fn parse(value: &str) -> Option<IpAddr> {
    value.trim().parse().ok()
}

/// The shortest form (RFC 5952); an IPv4 address in IPv6 clothes becomes IPv4.
fn normalize(value: &str) -> Option<String> {
    parse(value).map(|address| address.to_canonical().to_string())
}
