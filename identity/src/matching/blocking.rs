//! Blocking: only records that share a key are compared.

use std::fmt;

use super::prepared::Prepared;
use super::random::mix;
use super::records::{Meaning, NULL};

/// What of a value two records must share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The whole folded value.
    Value,
    /// The given and the family name, in any order.
    BothNames,
    /// The sound of the first word (Soundex).
    Sound,
    /// The first characters.
    Start,
    /// The nickname's group, or the value.
    Nickname,
    /// The year.
    Year,
    /// The month and the day.
    MonthDay,
    /// What is before the @.
    LocalPart,
    /// The last seven digits.
    Tail,
    /// The district of a postcode.
    District,
    /// House number and sound of the street.
    House,
    /// The same characters in any order.
    Anagram,
    /// Any one word.
    Word,
}

impl Part {
    const NAMES: [(Self, &'static str); 13] = [
        (Self::Value, "value"),
        (Self::BothNames, "both names"),
        (Self::Sound, "sound"),
        (Self::Start, "start"),
        (Self::Nickname, "nickname"),
        (Self::Year, "year"),
        (Self::MonthDay, "month and day"),
        (Self::LocalPart, "local part"),
        (Self::Tail, "last digits"),
        (Self::District, "district"),
        (Self::House, "house"),
        (Self::Anagram, "anagram"),
        (Self::Word, "word"),
    ];

    /// The part of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(part, _)| *part)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(part, _)| part == self);
        f.write_str(found.map_or("", |(_, name)| name))
    }
}

/// A part of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The number of the comparison.
    pub field: usize,
    /// What of its values must be shared.
    pub part: Part,
}

/// Records that share all of these keys are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// The keys; at most one of them is of words.
    pub keys: Vec<Key>,
}

/// The parts that values of a meaning can be blocked on, strictest first.
pub(crate) fn parts(meaning: Meaning) -> &'static [Part] {
    match meaning {
        Meaning::GivenName | Meaning::FullName => &[Part::Value, Part::Nickname, Part::Start],
        Meaning::FamilyName => &[Part::Value, Part::Sound, Part::Start],
        Meaning::Date => &[Part::Value, Part::MonthDay, Part::Year],
        Meaning::Email => &[Part::Value, Part::LocalPart, Part::Start],
        Meaning::Phone | Meaning::Key => &[Part::Value, Part::Tail, Part::Anagram],
        Meaning::Address => &[Part::Value, Part::House, Part::Sound],
        Meaning::Postcode => &[Part::Value, Part::District],
        Meaning::City => &[Part::Value, Part::Sound],
        Meaning::Category | Meaning::Number => &[Part::Value],
        Meaning::Text | Meaning::Codes | Meaning::Company | Meaning::OtherNames => {
            &[Part::Value, Part::Word]
        }
    }
}

impl Rule {
    /// Records that may share a word for it to be a key: a commoner word says little.
    pub(crate) const WORD_LIMIT: usize = 50;

    /// The records of a block that are still compared.
    pub(crate) fn limit(&self, block_limit: usize) -> usize {
        if self.word_field().is_some() { block_limit.min(Self::WORD_LIMIT) } else { block_limit }
    }

    pub(crate) fn word_field(&self) -> Option<usize> {
        self.keys.iter().find(|key| key.part == Part::Word).map(|key| key.field)
    }

    /// The hash of the keys of a record but for words; `None` when one is missing.
    pub(crate) fn hash(&self, prepared: &Prepared, record: u32) -> Option<u64> {
        let row = prepared.row(record);
        let mut hash = 0x51_7C_C1_B7;
        for key in self.keys.iter().filter(|key| key.part != Part::Word) {
            let fact = Self::fact(prepared, row, *key)?;
            hash = mix(hash ^ fact).wrapping_add(key.field as u64);
        }
        Some(hash)
    }

    /// What of a record must be shared for one key; `None` when it is missing.
    pub(crate) fn fact(prepared: &Prepared, row: &[u32], key: Key) -> Option<u64> {
        let code = row[key.field];
        if code == NULL {
            return None;
        }
        let values = prepared.values_of(key.field);
        let facts = || values.item(code).facts;
        let meaning = prepared.fields[key.field].meaning;
        let fact = match key.part {
            Part::Value => return Some(u64::from(code)),
            Part::BothNames => {
                let (given, family) = prepared.swappable?;
                let (one, two) = (row[given].min(row[family]), row[given].max(row[family]));
                return (two != NULL).then(|| u64::from(one) << 32 | u64::from(two));
            }
            Part::Nickname => match facts()[0] {
                0 => return Some(u64::from(code) | 1 << 40),
                group => group,
            },
            Part::Sound if meaning == Meaning::City => facts()[0],
            Part::Sound if meaning == Meaning::Address => facts()[1],
            Part::Sound => facts()[2],
            Part::Start if meaning == Meaning::Email => facts()[2],
            Part::Start => facts()[3],
            Part::Year | Part::LocalPart | Part::Tail | Part::District => facts()[0],
            Part::MonthDay | Part::Anagram => facts()[1],
            Part::House => facts()[2],
            Part::Word => return None,
        };
        (fact != 0).then_some(u64::from(fact))
    }
}

/// Records by key of one rule: `keys` sorted by (key, record), blocks over the limit left out.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    /// Key and record of each entry, key in the high half.
    pub(crate) entries: Vec<u64>,
    /// The key of each record, 0 for none; empty for rules of words.
    keys: Vec<u32>,
    /// Sorted keys of each record, for rules of words: entries `starts[r] .. starts[r + 1]`.
    word_keys: Vec<u32>,
    starts: Vec<u32>,
}

impl Blocks {
    /// Sorts records into blocks; a block of more than `limit` records says nothing.
    pub(crate) fn new(rule: &Rule, prepared: &Prepared, limit: usize) -> Self {
        let limit = rule.limit(limit);
        let mut entries = entries(rule, prepared, 0..prepared.len() as u32);
        entries.sort_unstable();
        entries.dedup();
        let mut kept = 0;
        let mut start = 0;
        while start < entries.len() {
            let end = block_end(&entries, start);
            if (2..=limit).contains(&(end - start)) {
                entries.copy_within(start..end, kept);
                kept += end - start;
            }
            start = end;
        }
        entries.truncate(kept);
        entries.shrink_to_fit();
        let mut blocks =
            Self { entries, keys: Vec::new(), word_keys: Vec::new(), starts: Vec::new() };
        match rule.word_field() {
            None => {
                blocks.keys = vec![0; prepared.len()];
                for entry in &blocks.entries {
                    blocks.keys[(entry & 0xFFFF_FFFF) as usize] = (entry >> 32) as u32;
                }
            }
            Some(_) => blocks.index_words(prepared.len()),
        }
        blocks
    }

    fn index_words(&mut self, len: usize) {
        self.starts = vec![0; len + 1];
        for entry in &self.entries {
            self.starts[(entry & 0xFFFF_FFFF) as usize + 1] += 1;
        }
        for record in 0..len {
            self.starts[record + 1] += self.starts[record];
        }
        let mut next = self.starts.clone();
        self.word_keys = vec![0; self.entries.len()];
        for entry in &self.entries {
            let place = &mut next[(entry & 0xFFFF_FFFF) as usize];
            self.word_keys[*place as usize] = (entry >> 32) as u32;
            *place += 1;
        }
    }

    /// The first key that two records share, 0 for none.
    pub(crate) fn shared(&self, a: u32, b: u32) -> u32 {
        if self.starts.is_empty() {
            let (x, y) = (self.keys[a as usize], self.keys[b as usize]);
            return if x == y { x } else { 0 };
        }
        let keys = |record: u32| {
            let record = record as usize;
            &self.word_keys[self.starts[record] as usize..self.starts[record + 1] as usize]
        };
        let (mut x, mut y) = (keys(a), keys(b));
        while let ([first, rest_x @ ..], [second, rest_y @ ..]) = (x, y) {
            match first.cmp(second) {
                std::cmp::Ordering::Equal => return *first,
                std::cmp::Ordering::Less => x = rest_x,
                std::cmp::Ordering::Greater => y = rest_y,
            }
        }
        0
    }
}

/// The end of the block that begins at `start`.
pub(crate) fn block_end(entries: &[u64], start: usize) -> usize {
    let key = entries[start] >> 32;
    start + entries[start..].iter().take_while(|entry| *entry >> 32 == key).count()
}

/// Key and record of the given records, unsorted.
pub(crate) fn entries(
    rule: &Rule,
    prepared: &Prepared,
    records: impl ExactSizeIterator<Item = u32>,
) -> Vec<u64> {
    let mut entries = Vec::with_capacity(records.len());
    let word_field = rule.word_field();
    for record in records {
        let Some(hash) = rule.hash(prepared, record) else { continue };
        let mut push = |hash: u64| {
            let key = ((mix(hash) >> 32) as u32).max(1);
            entries.push(u64::from(key) << 32 | u64::from(record));
        };
        match word_field {
            None => push(hash),
            Some(field) => {
                let code = prepared.row(record)[field];
                if code != NULL {
                    let tokens = prepared.values_of(field).tokens(code);
                    tokens.iter().for_each(|token| push(hash ^ mix(u64::from(*token) + 1)));
                }
            }
        }
    }
    entries
}
