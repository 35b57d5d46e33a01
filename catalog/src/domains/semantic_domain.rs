//! What is known about a built-in domain.

use clientele_udfs::types::PgType;
use serde::{Deserialize, Serialize};

use crate::definition::Oid;

/// Whom an identifier identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A natural person.
    Person,
    /// A company or one of its sites.
    Company,
}

/// What role a column of the domain plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Equal values stitch records together.
    Identifier(Subject),
    /// It says something about the person, and stitches nothing.
    Attribute,
}

/// The kind of personal data, in the words of a record of processing (GDPR art. 30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Category {
    /// How to reach the person.
    Contact,
    /// Who the person is.
    Identity,
    /// Where the person lives or is.
    Location,
    /// Online identifier (GDPR recital 30).
    OnlineIdentifier,
    /// Relation between the person and the brand: customer numbers, cards.
    CustomerRelation,
    /// A company; personal data where the company is one person (a sole trader).
    Company,
    /// Text in which anything may stand.
    FreeText,
    /// Special category (GDPR art. 9).
    SpecialCategory,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Contact,
        Self::Identity,
        Self::Location,
        Self::OnlineIdentifier,
        Self::CustomerRelation,
        Self::Company,
        Self::FreeText,
        Self::SpecialCategory,
    ];

    /// The category of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Name as reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Identity => "identity",
            Self::Location => "location",
            Self::OnlineIdentifier => "online identifier",
            Self::CustomerRelation => "customer relation",
            Self::Company => "company",
            Self::FreeText => "free text",
            Self::SpecialCategory => "special category",
        }
    }
}

/// What a role sees that has no right to the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Masking {
    /// A keyed pseudonym: equal values stay equal, so joins and distinct counts still work.
    Pseudonym,
    /// NULL.
    Null,
    /// 1 January of the year.
    Year,
    /// The first characters of the normalised value.
    FirstCharacters(usize),
    /// The network: 24 bits of an IPv4 address, 48 of an IPv6 address.
    Network,
    /// Latitude and longitude with that many decimals (one: about 11 km).
    Decimals(usize),
    /// The value itself.
    Open,
}

impl Masking {
    /// Name as `gdpr.columns` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pseudonym => "pseudonym",
            Self::Null => "null",
            Self::Year | Self::FirstCharacters(_) | Self::Network | Self::Decimals(_) => {
                "generalise"
            }
            Self::Open => "open",
        }
    }

    /// How little it shows: of two treatments the one with the greater number is the stricter.
    pub fn strictness(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Year | Self::FirstCharacters(_) | Self::Network | Self::Decimals(_) => 1,
            Self::Pseudonym => 2,
            Self::Null => 3,
        }
    }
}

/// How record matching compares two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// Equal normalised values.
    Exact,
    /// Equal addresses, else equal mailbox or similar mailbox and equal host.
    Email,
    /// Equal last digits.
    Digits,
    /// Similarity of personal names (Jaro–Winkler), nicknames.
    PersonName,
    /// Equal, day and month swapped, one digit off, same year.
    Date,
    /// Similarity of tokens.
    Tokens,
    /// Common prefix.
    Prefix,
    /// Distance on the ground.
    Distance,
    /// Not compared.
    None,
}

/// A built-in domain: the meaning of a column and how it is treated by default.
#[derive(Debug)]
pub struct SemanticDomain {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its OID, fixed for ever.
    pub oid: Oid,
    /// Type of its values.
    pub base: PgType,
    /// Identifier or attribute.
    pub kind: Kind,
    /// Kind of personal data.
    pub category: Category,
    /// Default treatment.
    pub masking: Masking,
    /// How record matching compares it.
    pub comparator: Comparator,
    /// Says why a value (as text) is none of the domain.
    pub validate: fn(&str) -> Result<(), String>,
    /// The form under which two spellings are one value; `None` when nothing is left.
    pub normalize: fn(&str) -> Option<String>,
    /// What `\dD+` shows.
    pub comment: &'static str,
}

impl SemanticDomain {
    /// Name of its check constraint, for error 23514.
    pub fn check_name(&self) -> String {
        format!("{}_check", self.name)
    }

    /// The condition of that constraint as catalogs show it.
    pub fn check_expression(&self) -> String {
        format!("clientele.valid(VALUE, '{}'::text)", self.name)
    }

    /// Whether its values stitch records together.
    pub fn identifies(&self) -> bool {
        matches!(self.kind, Kind::Identifier(_))
    }
}

impl Subject {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Person, Self::Company];

    /// Name of the generated column that says whose row it is.
    pub fn column(self) -> &'static str {
        match self {
            Self::Person => "customer_id",
            Self::Company => "account_id",
        }
    }

    /// The function that the column is generated by, as catalogs show it.
    pub fn function(self) -> &'static str {
        match self {
            Self::Person => "identity.customer",
            Self::Company => "identity.account",
        }
    }
}
