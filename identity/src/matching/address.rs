//! Words of addresses and of company names that are written in many ways, or say nothing.

use xxhash_rust::xxh3::xxh3_64;

use super::fold::soundex;

/// Words of addresses and their short forms (United States Postal Service, Royal Mail usage).
const SHORT: [(&str, &str); 36] = [
    ("street", "st"),
    ("road", "rd"),
    ("avenue", "ave"),
    ("av", "ave"),
    ("boulevard", "blvd"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("place", "pl"),
    ("court", "ct"),
    ("crt", "ct"),
    ("square", "sq"),
    ("terrace", "ter"),
    ("tce", "ter"),
    ("crescent", "cres"),
    ("circuit", "cct"),
    ("circle", "cir"),
    ("close", "cl"),
    ("parkway", "pkwy"),
    ("highway", "hwy"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("northeast", "ne"),
    ("northwest", "nw"),
    ("southeast", "se"),
    ("southwest", "sw"),
    ("apartment", "apt"),
    ("suite", "ste"),
    ("building", "bldg"),
    ("floor", "fl"),
    ("saint", "st"),
    ("mount", "mt"),
    ("strasse", "str"),
    ("unit", "apt"),
    ("village", "vlge"),
];

/// Words of a company's name that tell its legal form only.
const LEGAL: [&str; 31] = [
    "inc",
    "incorporated",
    "llc",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "plc",
    "gmbh",
    "ag",
    "kg",
    "ohg",
    "se",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "bv",
    "nv",
    "ab",
    "as",
    "oy",
    "aps",
    "pty",
    "llp",
    "lp",
    "the",
    "and",
];

/// Writes the words of an address in their short form.
pub(crate) fn shorten(folded: &mut Vec<u8>) {
    rewrite(folded, |word| {
        SHORT.iter().find(|(long, _)| long.as_bytes() == word).map(|(_, short)| short.as_bytes())
    });
}

/// Leaves out the legal form, unless nothing else is there.
pub(crate) fn drop_legal_form(folded: &mut Vec<u8>) {
    let whole = folded.clone();
    rewrite(folded, |word| LEGAL.iter().any(|form| form.as_bytes() == word).then_some(&b""[..]));
    if folded.is_empty() {
        *folded = whole;
    }
}

fn rewrite(folded: &mut Vec<u8>, replacement: impl Fn(&[u8]) -> Option<&'static [u8]>) {
    let mut out = Vec::with_capacity(folded.len());
    for word in folded.split(|byte| *byte == b' ') {
        let word = replacement(word).unwrap_or(word);
        if !word.is_empty() {
            if !out.is_empty() {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
    *folded = out;
}

/// House number, sound of the longest word, hash of both together; 0 where there is none.
pub(crate) fn facts(folded: &[u8]) -> [u32; 4] {
    let words = || folded.split(|byte| *byte == b' ');
    let number = words().find(|word| word.first().is_some_and(u8::is_ascii_digit));
    let street = words()
        .filter(|word| !word.first().is_some_and(u8::is_ascii_digit))
        .max_by_key(|word| word.len());
    let number = number.map_or(0, |word| (xxh3_64(word) as u32).max(1));
    let street = street.map_or(0, soundex);
    let both = if number == 0 { 0 } else { number.rotate_left(7) ^ street };
    [number, street, both, 0]
}

#[cfg(test)]
mod tests {
    use super::{drop_legal_form, facts, shorten};

    #[test]
    fn words_are_shortened_and_legal_forms_dropped() {
        let mut address = b"12 north main street".to_vec();
        shorten(&mut address);
        assert_eq!(address, b"12 n main st");
        let mut company = b"acme corporation ltd".to_vec();
        drop_legal_form(&mut company);
        assert_eq!(company, b"acme");
        let mut company = b"the company".to_vec();
        drop_legal_form(&mut company);
        assert_eq!(company, b"the company");
    }

    #[test]
    fn an_address_has_a_number_and_a_street() {
        assert_eq!(facts(b"12 main st")[2], facts(b"main st 12")[2]);
        assert_ne!(facts(b"12 main st")[0], facts(b"13 main st")[0]);
        assert_eq!(facts(b"main st")[0], 0);
    }
}
