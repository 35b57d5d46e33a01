//! What holds for every domain, and values that each accepts, refuses, and what it makes of them.

use super::domain::{self, DOMAINS};
use super::{phone, vat_number};

/// Domain, value, normalised form; `Err` marks a value that is refused.
type Case = (&'static str, &'static str, Result<&'static str, ()>);

const CASES: &[Case] = &[
    ("email", "Jane.Doe+news@Example.COM ", Ok("jane.doe+news@example.com")),
    ("email", "J.Doe+news@GoogleMail.com", Ok("jdoe@gmail.com")),
    ("email", "jane.doe+a+b@outlook.com", Ok("jane.doe@outlook.com")),
    ("email", "+news@gmail.com", Ok("+news@gmail.com")),
    ("email", "a.b@xn--mnchen-3ya.de", Ok("a.b@münchen.de")),
    ("email", "JÖRG@MÜNCHEN.DE", Ok("jörg@münchen.de")),
    ("email", "jo\u{308}rg@münchen.de", Ok("jörg@münchen.de")),
    ("email", "a@127.0.0.1", Err(())),
    ("phone", "tel:+33-6-12-34-56-78", Ok("+33612345678")),
    ("phone", "+44 020 7946 0018", Ok("+442079460018")),
    ("phone", "+39 06 698 82022", Ok("+390669882022")),
    ("phone", "(+49) 30 123456", Ok("+4930123456")),
    ("phone", "０６１２３４５６７８", Ok("0612345678")),
    ("phone", "+999 1234", Ok("+9991234")),
    ("phone", "000 000 0000", Ok("0000000000")),
    (
        "device_id",
        "{6D92078A-8246-4BA4-AE5B-76104861E7DC}",
        Ok("6d92078a-8246-4ba4-ae5b-76104861e7dc"),
    ),
    ("given_name", "D’Angelo", Ok("dangelo")),
    ("given_name", "Jean-Pierre", Ok("jean pierre")),
    ("family_name", "O'Hara", Ok("ohara")),
    ("family_name", "O Hara", Ok("ohara")),
    ("family_name", "Mc Donald", Ok("mcdonald")),
    ("family_name", "van den Berg", Ok("vandenberg")),
    ("family_name", "García de la Cruz", Ok("garcia delacruz")),
    ("family_name", "von Goethe", Ok("vongoethe")),
    ("full_name", "Dr. DE LA CRUZ, María", Ok("maria delacruz")),
    ("full_name", "Goethe, Johann von", Ok("johann vongoethe")),
    ("full_name", "MARTIN Élodie", Ok("elodie martin")),
    ("full_name", "Élodie MARTIN", Ok("elodie martin")),
    ("full_name", "JR Smith", Ok("jr smith")),
    ("full_name", "Van Morrison", Ok("van morrison")),
    ("full_name", "Mrs Jane O'Neil, PhD", Ok("jane oneil")),
    ("full_name", "John Smith, Jr.", Ok("john smith jr")),
    ("full_name", "Dr. Smith", Ok("dr smith")),
    ("birth_date", "29.02.1980", Ok("1980-02-29")),
    ("birth_date", "3/5/1980", Ok("1980-05-03")),
    ("birth_date", "02/29/1980", Ok("1980-02-29")),
    ("birth_date", "19800229", Ok("1980-02-29")),
    ("birth_date", "1980-02-29 00:00:00", Ok("1980-02-29")),
    ("birth_date", "29/02/80", Err(())),
    ("birth_date", "1879-12-31", Err(())),
    ("postcode", "sw1a 1aa", Ok("SW1A1AA")),
    ("city", "St-Étienne Cedex 2", Ok("saint etienne")),
    ("city", "Sankt Gallen", Ok("saint gallen")),
    ("city", "Cedex", Ok("cedex")),
    ("country", "Deutschland", Ok("DE")),
    ("country", "États-Unis", Ok("US")),
    ("country", "Ελλάδα", Ok("GR")),
    ("country", "Nederland", Ok("NL")),
    ("country", "250", Ok("FR")),
    ("country", "Atlantis", Err(())),
    ("web_domain", "https://shop.Example.co.uk:8080/a", Ok("example.co.uk")),
    ("web_domain", "www.xn--mnchen-3ya.de", Ok("münchen.de")),
    ("web_domain", "jane.github.io", Ok("jane.github.io")),
    ("vat_number", "BE 403.019.261", Ok("BE0403019261")),
    ("vat_number", "CHE-123.456.788 MWST", Ok("CHE123456788")),
    ("vat_number", "GR 094259216", Ok("EL094259216")),
    ("vat_number", "DE136695977", Err(())),
    ("siret", "356 000 000 49837", Ok("35600000049837")),
    ("geo_point", "(48.8566, -0)", Ok("48.856600,0.000000")),
];

#[test]
fn values_are_accepted_refused_and_normalised() {
    for (name, value, expected) in CASES {
        let domain = domain::by_name(name).unwrap();
        let outcome = (domain.validate)(value);
        assert_eq!(outcome.is_ok(), expected.is_ok(), "{name} {value:?}: {outcome:?}");
        if let Ok(form) = expected {
            assert_eq!((domain.normalize)(value).as_deref(), Some(*form), "{name} {value:?}");
            assert_eq!((domain.validate)(form), Ok(()), "{name} {form:?}");
        }
    }
}

/// Separated by bars, for brevity.
const PIECES: &str = "| |+|00|0|1|12|33|(0)|6|49|999|@|.|-|_|/|,|;|:|#|x|e|'|’|gmail.com|googlemail.com|xn--|\
    xn--a|www.|http://|co.uk|com|de|la|von|O|Mc|mac|Dr.|Mr|phd|jr|SMITH|Jane|É|ß|İ|ﬁ|st|Ste|\
    cedex|apt|unit|po box|bp|strasse|rue|bis|ter|a|b|FR|GR|BE|CHE|MWST|1980|02|29|\u{301}|🙂";

/// Texts of pieces that mean something to some domain, and of any character there is.
fn random_values(count: usize) -> Vec<String> {
    let pieces: Vec<&str> = PIECES.split('|').collect();
    let count_of_pieces = u32::try_from(pieces.len()).unwrap();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |limit: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state % u64::from(limit)).unwrap()
    };
    let mut value = |_| {
        let mut value = String::new();
        for _ in 0..=next(7) {
            match next(12) {
                0 => value.extend(char::from_u32(next(0x11_0000))),
                1 => value.extend(char::from_u32(next(0x800))),
                2 => value.push(' '),
                _ => value.push_str(pieces[next(count_of_pieces) as usize]),
            }
        }
        value
    };
    (0..count).map(&mut value).collect()
}

#[test]
fn normalising_twice_is_normalising_once() {
    let long = ["é".repeat(10_000), "1".repeat(10_000), "von ".repeat(5_000)];
    let values = random_values(20_000);
    for domain in &DOMAINS {
        for value in values.iter().chain(&long) {
            let _ = (domain.validate)(value);
            if let Some(once) = (domain.normalize)(value) {
                let twice = (domain.normalize)(&once);
                assert_eq!(twice.as_deref(), Some(once.as_str()), "{} {value:?}", domain.name);
            }
        }
    }
}

#[test]
fn any_character_leaves_a_normal_form() {
    // The planes that have letters; host names of every seventh beyond the common scripts.
    for letter in (0..0x2_0000).filter_map(char::from_u32) {
        let value = format!("a{letter}@b{letter}.de");
        let names = ["full_name", "city", "email", "web_domain"];
        let code = u32::from(letter);
        let all = code < 0x800 || code.is_multiple_of(7);
        for name in &names[..if all { 4 } else { 2 }] {
            let normalize = domain::by_name(name).unwrap().normalize;
            if let Some(once) = normalize(&value) {
                assert_eq!(normalize(&once).as_deref(), Some(once.as_str()), "{name} {letter:?}");
            }
        }
    }
}

#[test]
fn numbers_of_a_region() {
    let cases = [
        ("06 12 34 56 78", "FR", "+33612345678", true),
        ("6 12 34 56 78", "FR", "+33612345678", true),
        ("(212) 736-5000 ext. 12", "us", "+12127365000", true),
        ("011 33 6 12 34 56 78", "US", "+33612345678", true),
        ("020 7946 0018", "GB", "+442079460018", true),
        ("06 698 82022", "IT", "+390669882022", true),
        ("030 901820", "DE", "+4930901820", true),
        ("+33 6 12 34 56 78", "US", "+33612345678", true),
        ("12", "FR", "12", false),
        ("000 000 0000", "US", "0000000000", false),
    ];
    for (value, region, expected, valid) in cases {
        let region = phone::region(region);
        assert!(region.is_some());
        assert_eq!(phone::normalize_in(value, region).as_deref(), Some(expected), "{value}");
        assert_eq!(phone::normalize_in(expected, region).as_deref(), Some(expected), "{value}");
        assert_eq!(phone::is_valid_in(value, region), valid, "{value}");
    }
    assert_eq!(phone::region("XX"), None);
    assert!(!phone::is_valid_in("06 12 34 56 78", None));
}

/// Numbers of every country with right check digits, of which every other last digit is wrong.
#[test]
fn check_digits_of_vat_numbers() {
    for number in include_str!("vat_number/valid.txt").lines() {
        assert_eq!(vat_number::validate(number), Ok(()), "{number}");
    }
    for number in include_str!("vat_number/invalid.txt").lines() {
        assert!(vat_number::validate(number).is_err(), "{number}");
    }
}
