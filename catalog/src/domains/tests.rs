//! Values that each domain accepts, refuses, and what it makes of them.

use std::collections::HashSet;

use super::*;
use crate::definition::{FIRST_USER_OID, Object};

/// Domain, value, normalised form; `Err` marks a value that is refused.
type Case = (&'static str, &'static str, Result<&'static str, ()>);

const CASES: &[Case] = &[
    ("email", "Jane.Doe+news@Example.COM ", Ok("jane.doe+news@example.com")),
    ("email", "o'neil@mail.example.co.uk", Ok("o'neil@mail.example.co.uk")),
    ("email", "jörg@münchen.de", Ok("jörg@münchen.de")),
    ("email", "jane", Err(())),
    ("email", "jane@", Err(())),
    ("email", "@example.com", Err(())),
    ("email", "jane@localhost", Err(())),
    ("email", "a b@example.com", Err(())),
    ("email", ".a@example.com", Err(())),
    ("email", "a..b@example.com", Err(())),
    ("email", "a@b@example.com", Err(())),
    ("email", "a@-example.com", Err(())),
    ("email", "a@example..com", Err(())),
    ("email", "", Err(())),
    ("phone", "06 12 34 56 78", Ok("0612345678")),
    ("phone", "+33 (0)6 12-34-56-78", Ok("+33612345678")),
    ("phone", "0033 6 12 34 56 78", Ok("+33612345678")),
    ("phone", "(212) 555-0100 ext. 12", Ok("2125550100")),
    ("phone", "+44 020 7946 0018", Ok("+442079460018")),
    ("phone", "n/a", Err(())),
    ("phone", "12", Err(())),
    ("phone", "123456789012345678901", Err(())),
    (
        "device_id",
        "6D92078A-8246-4BA4-AE5B-76104861E7DC",
        Ok("6d92078a-8246-4ba4-ae5b-76104861e7dc"),
    ),
    ("device_id", "GA1.2.abC", Ok("GA1.2.abC")),
    ("device_id", " ", Err(())),
    ("customer_key", " C-17 ", Ok("C-17")),
    ("customer_key", "", Err(())),
    ("loyalty_card", "9204 1122-33", Ok("9204112233")),
    ("company_key", "acme", Ok("acme")),
    ("company_key", "a\u{0}b", Err(())),
    ("siren", "732 829 320", Ok("732829320")),
    ("siren", "732829321", Err(())),
    ("siren", "73282932", Err(())),
    ("siren", "73282932A", Err(())),
    ("siret", "732 829 320 00074", Ok("73282932000074")),
    ("siret", "73282932000075", Err(())),
    ("siret", "35600000049837", Ok("35600000049837")),
    ("siret", "35600000049838", Err(())),
    ("vat_number", "FR 40 303 265 045", Ok("FR40303265045")),
    ("vat_number", "de136695976", Ok("DE136695976")),
    ("vat_number", "GR094259216", Ok("EL094259216")),
    ("vat_number", "CHE-123.456.788 MWST", Ok("CHE123456788")),
    ("vat_number", "NL004495445B01", Ok("NL004495445B01")),
    ("vat_number", "DE12345678", Err(())),
    ("vat_number", "DE136695977", Err(())),
    ("vat_number", "ZZ12345678", Err(())),
    ("vat_number", "123456789", Err(())),
    ("web_domain", "https://www.Example.com/a?b", Ok("example.com")),
    ("web_domain", "shop.example.com:8080", Ok("example.com")),
    ("web_domain", "example", Err(())),
    ("web_domain", "exa mple.com", Err(())),
    ("given_name", "Élodie-Anne", Ok("elodie anne")),
    ("given_name", "  ", Err(())),
    ("family_name", "O’Connor", Ok("oconnor")),
    ("family_name", "Weiß", Ok("weiss")),
    ("family_name", "Øre\u{1}", Err(())),
    ("full_name", "Łukasz  SØRENSEN", Ok("lukasz sorensen")),
    ("birth_date", "1980-02-29", Ok("1980-02-29")),
    ("birth_date", "1981-02-29", Err(())),
    ("birth_date", "1879-12-31", Err(())),
    ("birth_date", "2999-01-01", Err(())),
    ("gender", "Mme", Ok("f")),
    ("gender", "Non-binary", Ok("x")),
    ("gender", "agender", Ok("agender")),
    ("street_address", "1 rue de l'Église\nBât. B", Ok("1 r de l eglise bldg b")),
    ("postcode", "sw1a 1aa", Ok("SW1A1AA")),
    ("postcode", "F-75001", Ok("F75001")),
    ("postcode", "75001;Paris", Err(())),
    ("city", "Saint-Étienne", Ok("saint etienne")),
    ("country", "fr", Ok("FR")),
    ("country", "DEU", Ok("DE")),
    ("country", "United Kingdom", Ok("GB")),
    ("country", "UK", Ok("GB")),
    ("country", "Côte d'Ivoire", Ok("CI")),
    ("country", "ZZ", Err(())),
    ("country", "Atlantis", Err(())),
    ("ip_address", "192.0.2.1", Ok("192.0.2.1")),
    ("ip_address", "2001:DB8:0:0::1", Ok("2001:db8::1")),
    ("ip_address", "::ffff:192.0.2.1", Ok("192.0.2.1")),
    ("ip_address", "192.0.2.256", Err(())),
    ("geo_point", "48.8566, 2.3522", Ok("48.856600,2.352200")),
    ("geo_point", "(91,0)", Err(())),
    ("geo_point", "48.85 2.35", Err(())),
    ("geo_point", "nan,0", Err(())),
    ("free_text", "anything\n at all", Ok("anything\n at all")),
    ("sensitive", "diabetic", Ok("diabetic")),
];

#[test]
fn values_are_accepted_refused_and_normalised() {
    for (name, value, expected) in CASES {
        let domain = SEMANTIC_DOMAINS.iter().find(|one| one.name == *name).unwrap();
        let outcome = (domain.validate)(value);
        assert_eq!(outcome.is_ok(), expected.is_ok(), "{name} {value:?}: {outcome:?}");
        if let Ok(form) = expected {
            assert_eq!((domain.normalize)(value).as_deref(), Some(*form), "{name} {value:?}");
        }
    }
}

#[test]
fn a_normal_form_is_valid_and_normal() {
    for (name, value, _) in CASES.iter().filter(|(_, _, expected)| expected.is_ok()) {
        let domain = SEMANTIC_DOMAINS.iter().find(|one| one.name == *name).unwrap();
        let once = (domain.normalize)(value).unwrap();
        assert_eq!((domain.validate)(&once), Ok(()), "{name} {once:?}");
        assert_eq!((domain.normalize)(&once).as_deref(), Some(once.as_str()), "{name}");
    }
}

#[test]
fn no_value_breaks_a_domain() {
    let long = "é".repeat(10_000);
    for domain in &SEMANTIC_DOMAINS {
        for value in ["", " ", "\0", "@", "+", "00", "-", "://", "\u{301}", "🙂", long.as_str()] {
            let _ = (domain.validate)(value);
            let _ = (domain.normalize)(value);
        }
    }
}

#[test]
fn names_and_oids_are_unique_and_built_in() {
    let names: HashSet<_> = SEMANTIC_DOMAINS.iter().map(|one| one.name).collect();
    let oids: HashSet<_> = SEMANTIC_DOMAINS.iter().map(|one| one.oid).collect();
    assert_eq!((names.len(), oids.len()), (SEMANTIC_DOMAINS.len(), SEMANTIC_DOMAINS.len()));
    assert!(oids.iter().all(|oid| (12_000..12_100).contains(oid)));
    assert_eq!(built_in().len(), SEMANTIC_DOMAINS.len());
}

#[test]
fn a_user_s_domain_inherits_its_meaning() {
    let mut catalog = Catalog::new();
    let own = |oid, name: &str, parent| {
        Object::Domain(Domain {
            oid,
            schema: 2200,
            name: name.to_owned(),
            parent: Some(parent),
            ..built_in().remove(0)
        })
    };
    catalog.put(own(FIRST_USER_OID, "crm_id", 12003));
    catalog.put(own(FIRST_USER_OID + 1, "old_crm_id", FIRST_USER_OID));
    catalog.put(own(FIRST_USER_OID + 2, "loop", FIRST_USER_OID + 2));
    assert_eq!(meaning(&catalog, FIRST_USER_OID + 1).unwrap().name, "customer_key");
    assert!(meaning(&catalog, FIRST_USER_OID + 2).is_none());
    assert!(meaning(&catalog, 1).is_none());
}
