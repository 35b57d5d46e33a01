//! What is matched: records in dictionary-encoded columns, each with a meaning.

use std::fmt;

use hashbrown::HashMap;

/// The code of a missing value.
pub const NULL: u32 = u32::MAX;

/// What the values of a column are: it decides how they are folded, compared and blocked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning {
    /// A first or middle name.
    GivenName,
    /// A surname.
    FamilyName,
    /// A whole name in any order; it is taken apart into given, family and other names.
    FullName,
    /// The names of a whole name that are neither the given nor the family name.
    OtherNames,
    /// The name of a company or another organisation.
    Company,
    /// A calendar date, in any usual form.
    Date,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A street address, or a part of one.
    Address,
    /// A postal code.
    Postcode,
    /// A place.
    City,
    /// One of few values: gender, state, country, occupation.
    Category,
    /// A number whose closeness means something: a price, a year.
    Number,
    /// Words in any order: a title, a description.
    Text,
    /// The codes within a text: model numbers, versions. Every column of text has them, too.
    Codes,
    /// A code that only one entity should have: a customer number, a social security number.
    Key,
}

impl Meaning {
    const NAMES: [(Self, &'static str); 16] = [
        (Self::GivenName, "given_name"),
        (Self::FamilyName, "family_name"),
        (Self::FullName, "full_name"),
        (Self::OtherNames, "other_names"),
        (Self::Company, "company"),
        (Self::Date, "date"),
        (Self::Email, "email"),
        (Self::Phone, "phone"),
        (Self::Address, "address"),
        (Self::Postcode, "postcode"),
        (Self::City, "city"),
        (Self::Category, "category"),
        (Self::Number, "number"),
        (Self::Text, "text"),
        (Self::Codes, "codes"),
        (Self::Key, "key"),
    ];

    /// True for given and family names.
    pub(crate) fn is_name(self) -> bool {
        matches!(self, Self::GivenName | Self::FamilyName | Self::FullName)
    }

    /// The meaning of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(meaning, _)| *meaning)
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(meaning, _)| meaning == self);
        f.write_str(found.map_or("", |(_, name)| name))
    }
}

/// One column of records: `codes[row]` is a place in `dictionary`, or [`NULL`].
#[derive(Debug, Clone)]
pub struct Column {
    /// The name that explanations show.
    pub name: String,
    /// What the values are.
    pub meaning: Meaning,
    /// One code per record.
    pub codes: Vec<u32>,
    /// The distinct values, as they were written.
    pub dictionary: Vec<String>,
}

impl Column {
    /// Encodes values; empty ones and those of white space are missing.
    pub fn from_values<'a>(
        name: &str,
        meaning: Meaning,
        values: impl Iterator<Item = Option<&'a str>>,
    ) -> Self {
        let mut places: HashMap<&'a str, u32> = HashMap::new();
        let mut dictionary = Vec::new();
        let codes = values
            .map(|value| match value.map(str::trim) {
                None | Some("") => NULL,
                Some(value) => *places.entry(value).or_insert_with(|| {
                    dictionary.push(value.to_owned());
                    dictionary.len() as u32 - 1
                }),
            })
            .collect();
        Self { name: name.to_owned(), meaning, codes, dictionary }
    }
}

/// Records to be matched: columns of one length, and where each record came from.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The columns, in the order in which explanations show them.
    pub columns: Vec<Column>,
    /// The number of the source (a table) of each record; empty when there is one source.
    pub source: Vec<u32>,
    /// The number of records.
    pub len: usize,
}
