//! Distinct values of one kind, folded once, with what comparing and blocking need of them.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::dates::{self, DateOrder};
use super::fold::{fold, soundex};
use super::kernel::signature;
use super::nicknames;
use super::records::Meaning;

/// A folded value: 40 bytes, so that a comparison seldom touches more than one cache line of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Item {
    start: u32,
    len: u32,
    /// See [`signature`].
    pub(crate) signature: u64,
    /// Facts of the meaning: see [`Values::facts`].
    pub(crate) facts: [u32; 4],
    tokens: (u32, u32),
}

/// A dictionary of folded values; a value keeps its code for ever.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    meaning: Meaning,
    order: DateOrder,
    arena: Vec<u8>,
    items: Vec<Item>,
    places: HashTable<u32>,
    token_lists: Vec<u32>,
    /// The words of the values, for meanings that compare words.
    pub(crate) words: Option<Box<Values>>,
    scratch: Vec<u8>,
}

/// True when values of this meaning are compared word by word.
pub(crate) fn has_words(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Text | Meaning::Codes | Meaning::Company | Meaning::Address | Meaning::OtherNames
    )
}

impl Values {
    pub(crate) fn new(meaning: Meaning, order: DateOrder) -> Self {
        let words = has_words(meaning);
        Self {
            meaning,
            order,
            arena: Vec::new(),
            items: Vec::new(),
            places: HashTable::new(),
            token_lists: Vec::new(),
            words: words.then(|| Box::new(Self::new(Meaning::Category, order))),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn item(&self, code: u32) -> &Item {
        &self.items[code as usize]
    }

    /// The folded bytes of a value.
    pub(crate) fn bytes(&self, code: u32) -> &[u8] {
        let item = &self.items[code as usize];
        &self.arena[item.start as usize..(item.start + item.len) as usize]
    }

    /// The distinct words of a value, as sorted codes into `words`.
    pub(crate) fn tokens(&self, code: u32) -> &[u32] {
        let (start, end) = self.items[code as usize].tokens;
        &self.token_lists[start as usize..end as usize]
    }

    /// The code of a value as written; `None` when nothing of it is left after folding.
    pub(crate) fn intern(&mut self, value: &str) -> Option<u32> {
        let mut folded = std::mem::take(&mut self.scratch);
        let date = self.fold_value(value, &mut folded);
        let code = (!folded.is_empty()).then(|| self.intern_folded(&folded, date));
        self.scratch = folded;
        code
    }

    /// The code of bytes that are folded already.
    pub(crate) fn intern_folded(&mut self, folded: &[u8], date: Option<dates::Written>) -> u32 {
        let hash = xxh3_64(folded);
        let found = self.places.find(hash, |code| self.bytes(*code) == folded).copied();
        if let Some(code) = found {
            return code;
        }
        let code = self.items.len() as u32;
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(folded);
        let tokens = self.intern_tokens(folded);
        let facts = self.facts(folded, date);
        let len = folded.len() as u32;
        self.items.push(Item { start, len, signature: signature(folded), facts, tokens });
        let (arena, items) = (&self.arena, &self.items);
        self.places.insert_unique(hash, code, |code| {
            let item = &items[*code as usize];
            xxh3_64(&arena[item.start as usize..(item.start + item.len) as usize])
        });
        code
    }

    fn intern_tokens(&mut self, folded: &[u8]) -> (u32, u32) {
        let start = self.token_lists.len() as u32;
        if let Some(words) = &mut self.words {
            let mut tokens: Vec<u32> = folded
                .split(|byte| *byte == b' ')
                .filter(|word| !word.is_empty())
                .map(|word| words.intern_folded(word, None))
                .collect();
            tokens.sort_unstable();
            tokens.dedup();
            self.token_lists.extend(tokens);
        }
        (start, self.token_lists.len() as u32)
    }

    fn fold_value(&self, value: &str, out: &mut Vec<u8>) -> Option<dates::Written> {
        match self.meaning {
            Meaning::Email => fold(value, b"@._+-", out),
            Meaning::Number => fold(value, b".-", out),
            Meaning::Phone => {
                out.clear();
                out.extend(value.bytes().filter(u8::is_ascii_digit));
            }
            Meaning::Postcode | Meaning::Key => {
                fold(value, b"", out);
                out.retain(|byte| *byte != b' ');
            }
            Meaning::Address => {
                fold(value, b"", out);
                super::address::shorten(out);
            }
            Meaning::Company => {
                fold(value, b"", out);
                super::address::drop_legal_form(out);
            }
            Meaning::Date => {
                out.clear();
                let date = dates::parse(value, self.order);
                match date {
                    Some(date) => out.extend(date.digits()),
                    None => fold(value, b"", out),
                }
                return date;
            }
            Meaning::Codes => drop(super::codes::cut(value, out)),
            Meaning::Text => {
                let words = super::codes::cut(value, out);
                fold(&words, b"", out);
            }
            _ => fold(value, b"", out),
        }
        None
    }

    /// What the meaning needs beside the bytes: hashes of parts, codes of sound, numbers.
    fn facts(&self, folded: &[u8], date: Option<dates::Written>) -> [u32; 4] {
        let hash = |bytes: &[u8]| (xxh3_64(bytes) as u32).max(1);
        let first = folded.split(|byte| *byte == b' ').next().unwrap_or(folded);
        match self.meaning {
            Meaning::GivenName | Meaning::FamilyName | Meaning::FullName => {
                let number = nicknames::number(first);
                [
                    nicknames::group(number),
                    number,
                    soundex(first),
                    hash(&folded[..folded.len().min(3)]),
                ]
            }
            Meaning::Date => match date {
                Some(d) => {
                    let days = d.year * 372 + d.month * 31 + d.day;
                    [d.year.max(1), d.month * 100 + d.day, days, multiset(folded)]
                }
                None => [0; 4],
            },
            Meaning::Number => {
                let text = std::str::from_utf8(folded).unwrap_or_default();
                match text.parse::<f64>() {
                    Ok(number) => {
                        let bits = number.to_bits();
                        [(bits >> 32) as u32, bits as u32, 1, 0]
                    }
                    Err(_) => [0; 4],
                }
            }
            Meaning::Phone | Meaning::Key => {
                [hash(&folded[folded.len().saturating_sub(7)..]), multiset(folded), 0, 0]
            }
            Meaning::Email => {
                let local = folded.iter().position(|byte| *byte == b'@').unwrap_or(folded.len());
                [hash(&folded[..local]), local as u32, hash(&folded[..local.min(4)]), 0]
            }
            Meaning::Postcode => [hash(outward(folded)), multiset(folded), 0, 0],
            Meaning::City => [soundex(first), hash(&folded[..folded.len().min(4)]), hash(first), 0],
            Meaning::Address => super::address::facts(folded),
            _ => [0; 4],
        }
    }
}

/// The same for all orders of the same characters.
fn multiset(value: &[u8]) -> u32 {
    let sum = value.iter().fold(0u32, |sum, byte| {
        sum.wrapping_add((u32::from(*byte) + 1).wrapping_mul(0x9E37_79B1).rotate_left(9))
    });
    sum.max(1)
}

/// The district of a postcode: all but the last three of a lettered one, else the first three.
fn outward(postcode: &[u8]) -> &[u8] {
    let lettered = postcode.iter().any(u8::is_ascii_alphabetic);
    let keep = if lettered && postcode.len() > 4 { postcode.len() - 3 } else { 3 };
    &postcode[..keep.min(postcode.len())]
}
