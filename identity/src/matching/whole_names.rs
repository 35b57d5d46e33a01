//! Whole names, taken apart.

use super::fold::fold;
use super::records::{Column, Meaning, NULL};

/// Words of a name that are titles, or say how two people of one name differ.
const TITLES: [&[u8]; 16] = [
    b"mr", b"mrs", b"ms", b"miss", b"dr", b"prof", b"sir", b"jr", b"sr", b"herr", b"frau", b"mme",
    b"phd", b"md", b"esq", b"rev",
];

/// The columns of whole names of one batch, folded once per distinct value.
pub(crate) struct WholeNames<'a> {
    columns: Vec<(&'a Column, Vec<Vec<u8>>)>,
}

impl<'a> WholeNames<'a> {
    pub(crate) fn of(columns: &'a [Column]) -> Self {
        let whole = columns.iter().filter(|column| column.meaning == Meaning::FullName);
        let mut columns: Vec<(&Column, Vec<Vec<u8>>)> = whole
            .map(|column| (column, column.dictionary.iter().map(|v| ordered(v)).collect()))
            .collect();
        // The column that says most comes first.
        let size = |folded: &[Vec<u8>]| folded.iter().map(Vec::len).sum::<usize>();
        columns.sort_by_key(|(_, folded)| std::cmp::Reverse(size(folded)));
        Self { columns }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The words of the first whole name that the record has.
    pub(crate) fn words(&self, record: usize) -> Option<Vec<&[u8]>> {
        let (column, folded) =
            self.columns.iter().find(|(column, _)| column.codes[record] != NULL)?;
        let words = folded[column.codes[record] as usize].split(|byte| *byte == b' ');
        Some(words.filter(|word| !word.is_empty() && !TITLES.contains(word)).collect())
    }
}

/// Writes the words for which `new` holds, once each, in order.
pub(crate) fn others(names: &[&[u8]], new: impl Fn(&[u8]) -> bool, out: &mut Vec<u8>) {
    out.clear();
    for (place, word) in names.iter().enumerate() {
        if new(word) && !names[..place].contains(word) {
            if !out.is_empty() {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
}

/// The folded name, with `Family, Given` turned round.
fn ordered(value: &str) -> Vec<u8> {
    let mut folded = Vec::new();
    match value.split_once(',') {
        Some((family, given)) if !family.trim().contains(' ') && !given.trim().is_empty() => {
            fold(&format!("{given} {family}"), b"", &mut folded);
        }
        _ => fold(value, b"", &mut folded),
    }
    folded
}

/// The given name (the first word) and the family name (the last one).
pub(crate) fn split<'a>(words: &[&'a [u8]]) -> (&'a [u8], &'a [u8]) {
    match words {
        [] => (b"", b""),
        [one] => (one, b""),
        [first, .., last] => (first, last),
    }
}
