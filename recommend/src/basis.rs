//! What is counted: each customer's codes, and each code's customers.
//!
//! Common customers are counted for pairs of codes `j < i`, one row `i` at a time: for each customer
//! of `i`, one step for each smaller code of that customer. A row stays in a cache.

use std::borrow::Cow;
use std::ops::{AddAssign, Range};

use crate::codes::Codes;
use crate::error::Result;
use crate::histories::{Histories, History};
use crate::parallel::Workers;

/// Lists that are read ahead.
const AHEAD: usize = 16;

/// A code in memory: the lists of all customers are read many times, and half as long is faster.
pub(crate) trait Code: Copy + Send + Sync {
    fn from_code(code: u32) -> Self;
    fn place(self) -> usize;
    /// Cells that a row must have for so many items.
    fn room(items: usize) -> usize;
    /// Adds to the cells of a list.
    fn step<T: Copy + AddAssign>(row: &mut [T], codes: &[Self], by: T);
}

impl Code for u16 {
    fn from_code(code: u32) -> Self {
        code as Self
    }

    fn place(self) -> usize {
        usize::from(self)
    }

    fn room(_items: usize) -> usize {
        1 << Self::BITS
    }

    #[inline]
    fn step<T: Copy + AddAssign>(row: &mut [T], codes: &[Self], by: T) {
        // A row with a cell for every code there can be: no step needs a check.
        let Some(row) = row.first_chunk_mut::<{ 1 << Self::BITS }>() else { return };
        for code in codes {
            row[usize::from(*code)] += by;
        }
    }
}

impl Code for u32 {
    fn from_code(code: u32) -> Self {
        code
    }

    fn place(self) -> usize {
        self as usize
    }

    fn room(items: usize) -> usize {
        items
    }

    #[inline]
    fn step<T: Copy + AddAssign>(row: &mut [T], codes: &[Self], by: T) {
        for code in codes {
            row[*code as usize] += by;
        }
    }
}

/// What is counted.
pub(crate) struct Basis<C> {
    codes: Vec<C>,
    /// By code, where its columns begin.
    starts: Vec<u32>,
    /// Of each customer of a code, where the customer's codes begin.
    columns: Vec<u32>,
    /// Of each of these, how many codes are smaller.
    before: Vec<C>,
    /// Of each customer, where the codes begin, and how many there are.
    pub(crate) lists: Vec<(u32, u32)>,
    pub(crate) buyers: Vec<u32>,
}

impl<C: Code> Basis<C> {
    /// Of everybody's last `cut` items: the pairs of a customer grow with the square of the items,
    /// and who buys everything says little.
    ///
    /// # Errors
    /// Cancelled.
    pub(crate) fn new(histories: &Histories, cut: usize, workers: Workers<'_>) -> Result<Self> {
        let mut codes: Vec<C> = Vec::with_capacity(histories.pairs());
        let mut lists = Vec::with_capacity(histories.len());
        for history in histories.all() {
            let list = last(&histories.codes, history, cut);
            lists.push((codes.len() as u32, list.len() as u32));
            codes.extend(list.iter().map(|code| C::from_code(*code)));
        }
        let mut buyers = vec![0_u32; histories.items()];
        codes.iter().for_each(|code| buyers[code.place()] += 1);
        let mut starts = vec![0_u32; buyers.len() + 1];
        for (code, count) in buyers.iter().enumerate() {
            starts[code + 1] = starts[code] + count;
        }
        let (columns, before) = (vec![0; codes.len()], vec![C::from_code(0); codes.len()]);
        let mut basis = Self { codes, starts, columns, before, lists, buyers };
        basis.fill_columns(workers)?;
        Ok(basis)
    }

    /// Each thread fills the columns of some codes, about as many as any other.
    fn fill_columns(&mut self, workers: Workers<'_>) -> Result<()> {
        let threads = workers.threads.max(1);
        let (codes, all) = (self.buyers.len(), self.codes.len());
        let (mut columns, mut before) =
            (std::mem::take(&mut self.columns), std::mem::take(&mut self.before));
        let (mut rest, mut from) = ((columns.as_mut_slice(), before.as_mut_slice()), 0);
        std::thread::scope(|scope| {
            for thread in 1..=threads {
                let to =
                    self.starts.partition_point(|one| (*one as usize) < all * thread / threads);
                let to = if thread == threads { codes } else { to.clamp(from, codes) };
                let count = (self.starts[to] - self.starts[from]) as usize;
                let (columns, others) = rest.0.split_at_mut(count);
                let (before, others_before) = rest.1.split_at_mut(count);
                rest = (others, others_before);
                let range = from..to;
                from = to;
                let basis = &*self;
                scope.spawn(move || basis.columns_into(range, columns, before));
            }
        });
        (self.columns, self.before) = (columns, before);
        workers.check()
    }

    fn columns_into(&self, range: Range<usize>, columns: &mut [u32], smaller: &mut [C]) {
        let first = self.starts[range.start];
        let mut next: Vec<u32> =
            self.starts[range.clone()].iter().map(|start| start - first).collect();
        for (start, length) in &self.lists {
            let list = self.list((*start, *length));
            let before = list.partition_point(|code| code.place() < range.start);
            for (place, code) in (before as u32..).zip(&list[before..]) {
                let Some(at) = next.get_mut(code.place() - range.start) else { break };
                columns[*at as usize] = *start;
                smaller[*at as usize] = C::from_code(place);
                *at += 1;
            }
        }
    }

    pub(crate) fn list(&self, (start, length): (u32, u32)) -> &[C] {
        &self.codes[start as usize..start as usize + length as usize]
    }

    /// The customers of a code: where their codes begin, and how many are smaller.
    pub(crate) fn column(&self, code: u32) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
        let range = self.columns_of(code);
        let before = self.before[range.clone()].iter();
        self.columns[range].iter().copied().zip(before.map(|one| one.place() as u32))
    }

    /// Where the columns of a code stand among all.
    pub(crate) fn columns_of(&self, code: u32) -> Range<usize> {
        self.starts[code as usize] as usize..self.starts[code as usize + 1] as usize
    }

    /// The customer of each column.
    pub(crate) fn places(&self) -> Vec<u32> {
        let mut next = self.starts.clone();
        let mut places = vec![0; self.columns.len()];
        for (place, list) in (0..).zip(&self.lists) {
            for code in self.list(*list) {
                let at = &mut next[code.place()];
                places[*at as usize] = place;
                *at += 1;
            }
        }
        places
    }

    /// How many pairs there are of a customer and an item that count.
    pub(crate) fn pairs(&self) -> usize {
        self.codes.len()
    }

    /// Adds the common customers of a code and every smaller one to a row, which has
    /// [`Code::room`].
    pub(crate) fn count_into<T: Copy + AddAssign + From<u8>>(&self, code: u32, row: &mut [T]) {
        let range = self.columns_of(code);
        let before = self.before[range.clone()].chunks(AHEAD);
        for (columns, before) in self.columns[range].chunks(AHEAD).zip(before) {
            let lists = || columns.iter().zip(before);
            let list = |(start, length): (&u32, &C)| {
                &self.codes[*start as usize..*start as usize + length.place()]
            };
            // Where lists begin and end is at random places in memory: all of these come at once
            // instead of one after the other.
            let ends = lists().map(list).filter_map(|list| Some((list.first()?, list.last()?)));
            let read = ends.fold(0, |all, (first, last)| all ^ first.place() ^ last.place());
            std::hint::black_box(read);
            lists().map(list).for_each(|list| C::step(row, list, T::from(1)));
        }
    }

    /// Steps that a row takes.
    pub(crate) fn steps(&self, code: u32) -> usize {
        self.column(code).map(|(_, length)| length as usize).sum()
    }
}

/// The codes of a history that count: those of the `cut` items bought last, ascending.
pub(crate) fn last<'a>(codes: &Codes, history: History<'a>, cut: usize) -> Cow<'a, [u32]> {
    if history.codes.len() <= cut {
        return Cow::Borrowed(history.codes);
    }
    let mut last: Vec<(u32, u32)> =
        history.times.iter().copied().zip(history.codes.iter().copied()).collect();
    last.sort_unstable_by_key(|(time, code)| (std::cmp::Reverse(*time), codes.item(*code)));
    last.truncate(cut);
    let mut kept: Vec<u32> = last.into_iter().map(|(_, code)| code).collect();
    kept.sort_unstable();
    Cow::Owned(kept)
}
