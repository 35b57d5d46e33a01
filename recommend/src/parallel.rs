//! Work on several threads whose result does not depend on their number.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// How a computation runs: on how many threads, and until who stops it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workers<'a> {
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
}

impl Workers<'_> {
    /// Whether somebody still waits.
    pub(crate) fn check(self) -> Result<()> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    /// Each thread makes a state, takes one chunk of `0..count` after the other, and hands over what
    /// it has made of them; results are in no order.
    pub(crate) fn run<S: Send>(
        self,
        (count, chunk): (usize, usize),
        start: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, std::ops::Range<usize>) + Sync,
    ) -> Result<Vec<S>> {
        let next = AtomicUsize::new(0);
        let task = || {
            let mut state = start();
            while !self.stop.load(Ordering::Relaxed) {
                let first = next.fetch_add(chunk, Ordering::Relaxed);
                if first >= count {
                    break;
                }
                work(&mut state, first..(first + chunk).min(count));
            }
            state
        };
        let states = match self.threads.max(1) {
            1 => vec![task()],
            threads => std::thread::scope(|scope| {
                let handles: Vec<_> = (0..threads).map(|_| scope.spawn(task)).collect();
                handles
                    .into_iter()
                    .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            }),
        };
        self.check().map(|()| states)
    }

    /// The results of `work` for each of `0..count`, in order.
    pub(crate) fn each<T: Send>(
        self,
        count: usize,
        work: impl Fn(usize) -> T + Sync,
    ) -> Result<Vec<T>> {
        self.each_with(count, || (), |(), index| work(index))
    }

    /// The same, where each thread has something to work with.
    pub(crate) fn each_with<S: Send, T: Send>(
        self,
        count: usize,
        start: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) -> T + Sync,
    ) -> Result<Vec<T>> {
        let start = || (start(), Vec::new());
        let parts = self.run((count, 1), start, |(state, made): &mut (S, Vec<_>), range| {
            made.extend(range.map(|index| (index, work(state, index))));
        })?;
        let mut all: Vec<(usize, T)> = parts.into_iter().flat_map(|(_, made)| made).collect();
        all.sort_unstable_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }
}
