//! How many customers have both of two items, of all pairs: the half of a matrix below its
//! diagonal. Integers: what customers no longer have is subtracted, and the counts are those that
//! all purchases together would make.

use std::ops::Range;

use crate::changes::Other;
use crate::error::Result;
use crate::model::Settings;
use crate::parallel::Workers;

/// The counts of one code with every smaller one: half as long where they can be, and most can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Row {
    /// Whether the counts of a code with so many buyers may be narrow.
    pub(crate) fn is_narrow(buyers: u32) -> bool {
        buyers <= u32::from(u16::MAX)
    }

    /// Room for greater counts.
    fn widen(&mut self) {
        if let Self::Narrow(cells) = self {
            *self = Self::Wide(cells.iter().copied().map(u32::from).collect());
        }
    }

    fn bump(&mut self, codes: &[u32], up: bool) {
        match self {
            Self::Narrow(cells) => bump(cells, codes, |cell| match up {
                true => cell.wrapping_add(1),
                false => cell.wrapping_sub(1),
            }),
            Self::Wide(cells) => bump(cells, codes, |cell| match up {
                true => cell.wrapping_add(1),
                false => cell.wrapping_sub(1),
            }),
        }
    }
}

#[inline]
fn bump<T: Copy>(cells: &mut [T], codes: &[u32], to: impl Fn(T) -> T) {
    for code in codes {
        let cell = &mut cells[*code as usize];
        *cell = to(*cell);
    }
}

/// The counts of all pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub(crate) rows: Vec<Row>,
    /// Customers of each code, of those counted.
    pub(crate) buyers: Vec<u32>,
}

impl Counts {
    /// Bytes that those of so many items take.
    pub fn bytes_of(items: usize) -> usize {
        items * items.saturating_sub(1) / 2 * size_of::<u16>()
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        Self::bytes_of(self.rows.len())
    }

    /// Takes in what customers have bought and no longer have.
    ///
    /// # Errors
    /// Cancelled; the counts are good for nothing then.
    pub(crate) fn change(
        &mut self,
        others: &[Other],
        items: usize,
        settings: &Settings,
    ) -> Result<()> {
        self.buyers.resize(items, 0);
        for code in self.rows.len()..items {
            self.rows.push(Row::Narrow(vec![0; code]));
        }
        self.take(others, settings.workers())
    }

    fn take(&mut self, others: &[Other], workers: Workers<'_>) -> Result<()> {
        for other in others {
            other.came.iter().for_each(|code| self.buyers[*code as usize] += 1);
            other.went.iter().for_each(|code| self.buyers[*code as usize] -= 1);
        }
        for (row, buyers) in self.rows.iter_mut().zip(&self.buyers) {
            // Some may come before others go.
            if !Row::is_narrow(buyers.saturating_add(others.len() as u32)) {
                row.widen();
            }
        }
        self.bump(others, workers)
    }

    /// Each thread has some of the rows, about as many cells as any other.
    fn bump(&mut self, others: &[Other], workers: Workers<'_>) -> Result<()> {
        let (count, threads) = (self.rows.len(), workers.threads.max(1));
        let (mut rest, mut first) = (self.rows.as_mut_slice(), 0);
        std::thread::scope(|scope| {
            for thread in 1..=threads {
                let share = (thread as f64 / threads as f64).sqrt();
                let end = ((count as f64 * share).round() as usize).clamp(first, count);
                let (rows, others_rows) = rest.split_at_mut(end - first);
                rest = others_rows;
                let range = first..end;
                first = end;
                scope.spawn(move || {
                    for other in others {
                        if workers.check().is_err() {
                            break;
                        }
                        other.bump(rows, &range);
                    }
                });
            }
        });
        workers.check()
    }
}

impl Other {
    /// Changes the cells of some rows.
    fn bump(&self, rows: &mut [Row], range: &Range<usize>) {
        if !self.went.is_empty() {
            let is_new = |code: &&u32| self.came.binary_search(code).is_err();
            let mut before: Vec<u32> = self.now.iter().filter(is_new).copied().collect();
            before.extend(&self.went);
            before.sort_unstable();
            pairs((&before, &self.went), (rows, range), false);
        }
        pairs((&self.now, &self.came), (rows, range), true);
    }
}

/// Every pair of one of `some` with one of `all`, once.
fn pairs((all, some): (&[u32], &[u32]), (rows, range): (&mut [Row], &Range<usize>), up: bool) {
    for code in some {
        let place = all.partition_point(|one| one < code);
        if range.contains(&(*code as usize)) {
            rows[*code as usize - range.start].bump(&all[..place], up);
        }
        let greater = all[place..].iter().skip(1).filter(|one| range.contains(&(**one as usize)));
        for other in greater.filter(|one| some.binary_search(one).is_err()) {
            rows[*other as usize - range.start].bump(&[*code], up);
        }
    }
}
