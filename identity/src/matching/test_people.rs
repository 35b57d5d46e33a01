//! People for tests: every third record is an earlier one with an error.

use std::ops::Range;

use super::random::Random;
use super::records::{Column, Meaning, Records};

const GIVEN: [&str; 24] = [
    "Anna", "Robert", "Maria", "William", "Sophie", "Thomas", "Clara", "James", "Ingrid", "Pavel",
    "Chiara", "Hugo", "Lena", "Oscar", "Zoe", "Karl", "Nina", "Felix", "Ida", "Emil", "Rosa",
    "Max", "Eva", "Leo",
];

fn word(random: &mut Random) -> String {
    let syllable = |random: &mut Random| {
        let consonant = b"bdfghklmnprstvw"[random.below(15) as usize];
        let vowel = b"aeiou"[random.below(5) as usize];
        [char::from(consonant), char::from(vowel)]
    };
    (0..3).flat_map(|_| syllable(random)).collect()
}

fn person(number: u64) -> [Option<String>; 5] {
    let mut random = Random::new(number * 7 + 1);
    let given = GIVEN[random.below(24) as usize].to_owned();
    let family = word(&mut random);
    let (year, month, day) = (1940 + random.below(60), 1 + random.below(12), 1 + random.below(28));
    let email = format!("{}.{family}{}@example.org", given.to_lowercase(), random.below(90));
    let city = ["Lyon", "Leeds", "Ghent", "Porto", "Turin"][random.below(5) as usize].to_owned();
    [
        Some(given),
        Some(family),
        Some(format!("{year}-{month:02}-{day:02}")),
        Some(email),
        Some(city),
    ]
}

fn record(number: u64) -> [Option<String>; 5] {
    if number % 3 != 2 {
        return person(number);
    }
    let mut random = Random::new(number);
    let mut values = person(random.below(number / 3) * 3);
    match random.below(5) {
        0 => values[0] = values[0].take().map(|name| name[..1].to_owned()),
        1 => values[1] = values[1].take().map(|name| format!("{}e", &name[..5])),
        2 => values[2] = None,
        3 => values[3] = None,
        _ => values.swap(0, 1),
    }
    values
}

/// The records of these numbers.
pub(crate) fn people(numbers: Range<u64>) -> Records {
    let rows: Vec<_> = numbers.map(record).collect();
    let meanings = [
        ("given_name", Meaning::GivenName),
        ("family_name", Meaning::FamilyName),
        ("birth_date", Meaning::Date),
        ("email", Meaning::Email),
        ("city", Meaning::City),
    ];
    let columns = meanings.iter().enumerate().map(|(place, (name, meaning))| {
        Column::from_values(name, *meaning, rows.iter().map(|row| row[place].as_deref()))
    });
    Records { columns: columns.collect(), source: Vec::new(), len: rows.len() }
}
