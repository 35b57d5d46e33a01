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
        for other in others {
            other.came.iter().for_each(|code| self.buyers[*code as usize] += 1);
            other.went.iter().for_each(|code| self.buyers[*code as usize] -= 1);
        }
        // In between a cell may be anything: what is added and subtracted goes round.
        let rows = self.rows.iter_mut().zip(&self.buyers);
        rows.filter(|(_, buyers)| !Row::is_narrow(**buyers)).for_each(|(row, _)| row.widen());
        self.bump(others, settings.workers())
    }

    /// Each thread has some of the rows, about as many cells as any other.
    fn bump(&mut self, others: &[Other], workers: Workers<'_>) -> Result<()> {
        let mut steps: Vec<Step> = Vec::new();
        for (place, other) in (0..).zip(others) {
            steps.extend(other.came.iter().map(|code| (*code, place, true)));
            steps.extend(other.went.iter().map(|code| (*code, place, false)));
        }
        steps.sort_unstable();
        let (count, threads) = (self.rows.len(), workers.threads.max(1));
        let (mut rest, mut first) = (self.rows.as_mut_slice(), 0);
        std::thread::scope(|scope| {
            for thread in 1..=threads {
                let share = (thread as f64 / threads as f64).sqrt();
                let end = ((count as f64 * share).round() as usize).clamp(first, count);
                let (rows, others_rows) = rest.split_at_mut(end - first);
                rest = others_rows;
                let mine = Mine { rows, range: first..end };
                first = end;
                let steps = &steps;
                scope.spawn(move || mine.bump(steps, others, workers));
            }
        });
        workers.check()
    }
}

/// A code that came or went, the place of whom it came to or went from, and whether it came.
type Step = (u32, u32, bool);

/// The rows of a thread.
struct Mine<'a> {
    rows: &'a mut [Row],
    range: Range<usize>,
}

impl Mine<'_> {
    fn bump(mut self, steps: &[Step], others: &[Other], workers: Workers<'_>) {
        // One row after the other, which stays in a cache: the smaller codes.
        let range = self.range.clone();
        for (code, place, came) in steps.iter().filter(|one| range.contains(&(one.0 as usize))) {
            let all = others[*place as usize].all(*came);
            let smaller = all.partition_point(|one| one < code);
            self.rows[*code as usize - range.start].bump(&all[..smaller], *came);
        }
        // Then the greater ones, in rows of their own.
        for other in others {
            if workers.check().is_err() {
                break;
            }
            self.greater(other, &other.came, true);
            self.greater(other, &other.went, false);
        }
    }

    /// A pair of two that came, or of two that went, is one of the smaller codes.
    fn greater(&mut self, other: &Other, some: &[u32], came: bool) {
        let all = other.all(came);
        for code in some {
            let from = all.partition_point(|one| one <= code);
            for greater in &all[from..] {
                if self.has(*greater) && some.binary_search(greater).is_err() {
                    self.rows[*greater as usize - self.range.start].bump(&[*code], came);
                }
            }
        }
    }

    fn has(&self, code: u32) -> bool {
        self.range.contains(&(code as usize))
    }
}
