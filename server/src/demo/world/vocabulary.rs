//! The words that data are made of, read from the lists in `names/`.

use std::collections::HashMap;

use super::lists::{Lists, lines, spaced};
use super::plain::plain;
use super::random::{Dice, Weighted};

/// How many places down a list of names the frequency takes to fall to a half.
const FLAT: u64 = 12;

/// A name as its bearer writes it, and as a mailbox does.
#[derive(Debug)]
pub(crate) struct Name {
    /// `François`.
    pub(crate) text: String,
    /// `francois`.
    pub(crate) ascii: String,
}

impl Name {
    fn new(word: &str) -> Self {
        let text = spaced(word);
        let letters = plain(&text).to_ascii_lowercase();
        Self { text, ascii: letters.chars().filter(char::is_ascii_alphanumeric).collect() }
    }
}

/// A town.
#[derive(Debug)]
pub(crate) struct City {
    /// Its name.
    pub(crate) name: String,
    /// First postcode, or a letter code of British postcodes.
    first: String,
    count: u64,
}

/// What is particular to a country.
#[derive(Debug)]
pub(crate) struct Country {
    /// ISO 3166-1 code.
    pub(crate) code: &'static str,
    /// International prefix of telephone numbers.
    pub(crate) dial: &'static str,
    /// Beginnings of mobile numbers, without the leading zero.
    pub(crate) mobile: &'static [&'static str],
    /// Whether the house number stands before the street.
    pub(crate) number_first: bool,
    /// Given names of women.
    pub(crate) female: Weighted<Name>,
    /// Given names of men.
    pub(crate) male: Weighted<Name>,
    /// Family names.
    pub(crate) family: Weighted<Name>,
    /// Streets.
    pub(crate) streets: Weighted<String>,
    /// Towns.
    pub(crate) cities: Weighted<City>,
    /// Hosts of mailboxes that only this country uses.
    pub(crate) mail: Vec<String>,
    /// Our shops.
    pub(crate) stores: Vec<String>,
}

/// A category of products.
#[derive(Debug)]
pub(crate) struct Category {
    /// Its name.
    pub(crate) name: String,
    /// Lowest and highest price, euros.
    pub(crate) euros: (u64, u64),
    /// What there is in it.
    pub(crate) nouns: Vec<String>,
}

/// All lists.
pub(crate) struct Vocabulary {
    /// Countries by their share of the customers.
    pub(crate) countries: Weighted<Country>,
    /// Short forms by given name.
    pub(crate) nicknames: HashMap<String, String>,
    /// Categories of products.
    pub(crate) categories: Vec<Category>,
    /// Words before nouns.
    pub(crate) styles: Vec<String>,
    /// Brands.
    pub(crate) brands: Vec<String>,
    /// Subjects of newsletters with `{}` for the category.
    pub(crate) subjects: Vec<String>,
}

/// What of a country stands in no list.
struct Facts {
    share: u64,
    code: &'static str,
    dial: &'static str,
    mobile: &'static [&'static str],
    number_first: bool,
    lists: &'static str,
}

const COUNTRIES: &[Facts] = &[
    Facts {
        share: 40,
        code: "FR",
        dial: "33",
        mobile: &["6", "7"],
        number_first: true,
        lists: include_str!("../names/fr.txt"),
    },
    Facts {
        share: 22,
        code: "DE",
        dial: "49",
        mobile: &["15", "16", "17"],
        number_first: false,
        lists: include_str!("../names/de.txt"),
    },
    Facts {
        share: 15,
        code: "GB",
        dial: "44",
        mobile: &["74", "77", "79"],
        number_first: true,
        lists: include_str!("../names/gb.txt"),
    },
    Facts {
        share: 12,
        code: "ES",
        dial: "34",
        mobile: &["6"],
        number_first: false,
        lists: include_str!("../names/es.txt"),
    },
    Facts {
        share: 11,
        code: "IT",
        dial: "39",
        mobile: &["32", "33", "34"],
        number_first: false,
        lists: include_str!("../names/it.txt"),
    },
];

impl Vocabulary {
    /// Reads the lists.
    pub(crate) fn new() -> Self {
        let products = Lists::new(include_str!("../names/products.txt"));
        let nicknames = lines(include_str!("../names/nicknames.txt"));
        let pair =
            |line: &str| line.split_once(' ').map(|(name, short)| (spaced(name), spaced(short)));
        Self {
            countries: Weighted::new(COUNTRIES.iter().map(|facts| (country(facts), facts.share))),
            nicknames: nicknames.filter_map(pair).collect(),
            categories: products.lines("categories").filter_map(category).collect(),
            styles: products.words("styles"),
            brands: products.words("brands"),
            subjects: lines(include_str!("../names/campaigns.txt")).map(str::to_owned).collect(),
        }
    }
}

impl City {
    /// One of its postcodes.
    pub(crate) fn postcode(&self, dice: &mut Dice) -> String {
        let number = dice.below(self.count);
        match self.first.parse::<u64>() {
            Ok(first) => format!("{:05}", first + number),
            Err(_) => {
                let letter = |dice: &mut Dice| {
                    dice.one_of(&['A', 'B', 'D', 'E', 'H', 'L', 'N', 'P', 'R', 'T', 'X', 'Y'])
                };
                let (inward, one, two) = (dice.below(10), letter(dice), letter(dice));
                format!("{}{} {inward}{one}{two}", self.first, number + 1)
            }
        }
    }
}

fn country(facts: &Facts) -> Country {
    let lists = Lists::new(facts.lists);
    let names = |section| Weighted::ranked(lists.list(section).map(Name::new), FLAT);
    Country {
        code: facts.code,
        dial: facts.dial,
        mobile: facts.mobile,
        number_first: facts.number_first,
        female: names("female"),
        male: names("male"),
        family: names("family"),
        streets: Weighted::ranked(lists.words("streets"), FLAT),
        cities: Weighted::new(lists.lines("cities").filter_map(city)),
        mail: lists.words("mail"),
        stores: lists.words("stores"),
    }
}

fn city(line: &str) -> Option<(City, u64)> {
    let mut words = line.split(' ');
    let (name, first) = (spaced(words.next()?), words.next()?.to_owned());
    let (count, thousands) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((City { name, first, count }, thousands))
}

fn category(line: &str) -> Option<Category> {
    let mut words = line.split(' ');
    let name = words.next()?.to_owned();
    let euros = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Category { name, euros, nouns: words.map(spaced).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_words() {
        let vocabulary = Vocabulary::new();
        assert_eq!(vocabulary.countries.items().len(), COUNTRIES.len());
        for country in vocabulary.countries.items() {
            assert!(
                country.female.items().len() > 60 && country.male.items().len() > 60,
                "{}",
                country.code
            );
            assert!(
                country.family.items().len() > 100 && country.cities.items().len() > 30,
                "{}",
                country.code
            );
            assert!(country.mail.len() == 3 && country.stores.len() >= 3, "{}", country.code);
            for name in country
                .family
                .items()
                .iter()
                .chain(country.female.items())
                .chain(country.male.items())
            {
                assert!(plain(&name.text).is_ascii() && !name.ascii.is_empty(), "{}", name.text);
            }
        }
        assert_eq!(vocabulary.categories.len(), 10);
        assert!(
            vocabulary.nicknames.len() > 120
                && vocabulary.styles.len() > 20
                && vocabulary.brands.len() > 8
        );
    }
}
