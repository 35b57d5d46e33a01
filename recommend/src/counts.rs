//! How many customers have both of two items, of all pairs: the half of a matrix below its
//! diagonal. Integers: what customers no longer have is subtracted, and the counts are those that
//! all purchases together would make.

use std::ops::Range;

use crate::error::Result;
use crate::histories::Histories;
use crate::model::Settings;
use crate::others::{Other, Others};
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

    /// Takes in what customers of each partition have bought and no longer have; `histories` are those
    /// of now.
    ///
    /// # Errors
    /// Cancelled; the counts are good for nothing then.
    pub(crate) fn change(
        &mut self,
        others: &[Others],
        histories: &Histories,
        settings: &Settings,
    ) -> Result<()> {
        let items = histories.items();
        self.buyers.resize(items, 0);
        for code in self.rows.len()..items {
            self.rows.push(Row::Narrow(vec![0; code]));
        }
        let changes = Changes { others, histories };
        for (_, other) in changes.all() {
            other.came.iter().for_each(|code| self.buyers[*code as usize] += 1);
            other.went.iter().for_each(|code| self.buyers[*code as usize] -= 1);
        }
        // In between a cell may be anything: what is added and subtracted goes round.
        let rows = self.rows.iter_mut().zip(&self.buyers);
        rows.filter(|(_, buyers)| !Row::is_narrow(**buyers)).for_each(|(row, _)| row.widen());
        self.bump(changes, settings.workers())
    }

    /// Each thread has some of the rows, about as many cells as any other.
    fn bump(&mut self, changes: Changes<'_>, workers: Workers<'_>) -> Result<()> {
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
                scope.spawn(move || mine.bump(changes, workers));
            }
        });
        workers.check()
    }
}

/// What has become of whom.
#[derive(Clone, Copy)]
struct Changes<'a> {
    others: &'a [Others],
    histories: &'a Histories,
}

impl<'a> Changes<'a> {
    /// All, each with its partition and its number there.
    fn all(self) -> impl Iterator<Item = ((usize, usize), Other<'a>)> {
        let numbers = self.others.iter().enumerate();
        let numbers = numbers.flat_map(|(part, all)| (0..all.len()).map(move |one| (part, one)));
        numbers.map(move |at| (at, self.get(at)))
    }

    fn get(self, (part, number): (usize, usize)) -> Other<'a> {
        self.others[part].get(number, &self.histories.partitions[part])
    }
}

/// The rows of a thread.
struct Mine<'a> {
    rows: &'a mut [Row],
    range: Range<usize>,
}

impl Mine<'_> {
    fn bump(mut self, changes: Changes<'_>, workers: Workers<'_>) {
        // A code that came or went, where of whom that is, and whether it came.
        let mut steps: Vec<(u32, (u32, u32), bool)> = Vec::new();
        for ((part, number), other) in changes.all() {
            let at = (part as u32, number as u32);
            let mut note = |codes: &[u32], came| {
                let mine = codes.iter().filter(|code| self.has(**code));
                steps.extend(mine.map(|code| (*code, at, came)));
            };
            note(other.came, true);
            note(other.went, false);
        }
        // One row after the other, which stays in a cache: the smaller codes.
        steps.sort_unstable();
        for (code, (part, number), came) in steps {
            let all = changes.get((part as usize, number as usize)).all(came);
            let smaller = all.partition_point(|one| *one < code);
            self.rows[code as usize - self.range.start].bump(&all[..smaller], came);
        }
        // Then the greater ones, in rows of their own.
        for (_, other) in changes.all() {
            if workers.check().is_err() {
                break;
            }
            self.greater(other, other.came, true);
            self.greater(other, other.went, false);
        }
    }

    /// A pair of two that came, or of two that went, is one of the smaller codes.
    fn greater(&mut self, other: Other<'_>, some: &[u32], came: bool) {
        let all = other.all(came);
        let end = all.partition_point(|one| (*one as usize) < self.range.end);
        for code in some {
            let least = (*code + 1).max(self.range.start as u32);
            let from = all.partition_point(|one| *one < least).min(end);
            for greater in &all[from..end] {
                if some.len() == 1 || some.binary_search(greater).is_err() {
                    self.rows[*greater as usize - self.range.start].bump(&[*code], came);
                }
            }
        }
    }

    fn has(&self, code: u32) -> bool {
        self.range.contains(&(code as usize))
    }
}
