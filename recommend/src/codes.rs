//! How items are numbered: by how often they are bought, most first. Such numbers are *codes*, and
//! rows of common customers by code have what matters at their beginning.

use crate::purchases::Gatherer;

/// Items and their codes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Codes {
    /// Item of a code.
    items: Vec<u32>,
    /// Code of an item; `u32::MAX`: it was never bought.
    codes: Vec<u32>,
}

/// Gathered lines, and the items that their numbers stand for.
pub type Gathered = (Gatherer, Vec<u32>);

impl Codes {
    /// Of the items in gathered lines, of `items`.
    pub(crate) fn of(gathered: &[Gathered], items: usize) -> Self {
        let mut codes = Self { items: Vec::new(), codes: vec![u32::MAX; items] };
        codes.append(gathered.iter().map(|(one, to)| (one, to)));
        codes
    }

    /// With new items after the known ones, of which `now` says what their numbers have become.
    pub(crate) fn with<'a>(
        &self,
        gathered: impl Iterator<Item = (&'a Gatherer, &'a Vec<u32>)>,
        now: &[u32],
        items: usize,
    ) -> Self {
        let known: Vec<u32> = self.items.iter().map(|item| now[*item as usize]).collect();
        let mut codes = vec![u32::MAX; items];
        for (code, item) in (0..).zip(&known) {
            codes[*item as usize] = code;
        }
        let mut codes = Self { items: known, codes };
        codes.append(gathered);
        codes
    }

    fn append<'a>(&mut self, gathered: impl Iterator<Item = (&'a Gatherer, &'a Vec<u32>)>) {
        let mut lines = vec![0_u64; self.codes.len()];
        for (one, to) in gathered {
            for (count, item) in one.item_lines().iter().zip(to) {
                lines[*item as usize] += u64::from(*count);
            }
        }
        let is_new =
            |item: &u32| lines[*item as usize] > 0 && self.codes[*item as usize] == u32::MAX;
        let mut new: Vec<u32> = (0..self.codes.len() as u32).filter(is_new).collect();
        new.sort_unstable_by_key(|item| (std::cmp::Reverse(lines[*item as usize]), *item));
        for item in new {
            self.codes[item as usize] = self.items.len() as u32;
            self.items.push(item);
        }
    }

    /// How many codes there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The item of a code.
    pub(crate) fn item(&self, code: u32) -> u32 {
        self.items[code as usize]
    }

    /// The code of an item.
    pub(crate) fn code(&self, item: u32) -> Option<u32> {
        self.codes.get(item as usize).copied().filter(|code| *code != u32::MAX)
    }

    /// Lines with the codes of their gatherer's numbers.
    pub(crate) fn coded<'a>(&self, (gatherer, items): (&'a Gatherer, &[u32])) -> Coded<'a> {
        Coded(gatherer, items.iter().map(|item| self.codes[*item as usize]).collect())
    }
}

/// Gathered lines, and the codes of the items that their numbers stand for.
pub(crate) struct Coded<'a>(pub(crate) &'a Gatherer, pub(crate) Vec<u32>);
