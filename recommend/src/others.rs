//! Customers for whom other items count than before.

use std::borrow::Cow;

use crate::basis::last;
use crate::codes::Codes;
use crate::partition::Partition;

/// Those of a partition.
#[derive(Debug, Default)]
pub(crate) struct Others {
    all: Vec<Kept>,
    /// The codes of all, one list after the other.
    codes: Vec<u32>,
}

/// How one is kept.
#[derive(Debug)]
struct Kept {
    /// Where the customer stands in the partition.
    place: u32,
    /// Where the lists begin.
    first: u32,
    /// How many there are of each, in the order of [`Other`]. All that count are here only where
    /// these are not all that was bought.
    lengths: [u32; 4],
}

/// What has become of the items that count of a customer; all are codes, ascending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Other<'a> {
    pub(crate) came: &'a [u32],
    pub(crate) went: &'a [u32],
    /// All that counted, where any went.
    before: &'a [u32],
    /// All that count now.
    now: &'a [u32],
}

impl<'a> Other<'a> {
    /// All among which something came, or all from which something went.
    pub(crate) fn all(self, came: bool) -> &'a [u32] {
        if came { self.now } else { self.before }
    }
}

impl Others {
    /// Notes what has become of the last customer of a partition, of whom `before` counted; `None`:
    /// the customer is nobody's any more.
    pub(crate) fn note(
        &mut self,
        before: &[u32],
        part: Option<&Partition>,
        (codes, cut): (&Codes, usize),
    ) {
        let place = part.map_or(0, |part| part.customers.len() - 1);
        let history = part.map(|part| part.history(place)).unwrap_or_default();
        let now = last(codes, history, cut);
        let first = self.codes.len();
        only(&now, before, &mut self.codes);
        let came = self.codes.len() - first;
        only(before, &now, &mut self.codes);
        let went = self.codes.len() - first - came;
        if came + went == 0 {
            return;
        }
        let before = if went > 0 { before } else { &[] };
        self.codes.extend_from_slice(before);
        let some = if matches!(now, Cow::Owned(_)) { &now[..] } else { &[] };
        self.codes.extend_from_slice(some);
        let lengths = [came, went, before.len(), some.len()].map(|one| one as u32);
        self.all.push(Kept { place: place as u32, first: first as u32, lengths });
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// One of them.
    pub(crate) fn get<'a>(&'a self, number: usize, part: &'a Partition) -> Other<'a> {
        let Kept { place, first, lengths } = &self.all[number];
        let mut rest = &self.codes[*first as usize..];
        let [came, went, before, some] = lengths.map(|length| {
            let (list, others) = rest.split_at(length as usize);
            rest = others;
            list
        });
        let now = match (came.is_empty(), some.is_empty()) {
            (false, true) => part.history(*place as usize).codes,
            _ => some,
        };
        Other { came, went, before, now }
    }
}

/// Adds those of some that are not among others; all are ascending.
fn only(some: &[u32], others: &[u32], to: &mut Vec<u32>) {
    let mut others = others.iter().peekable();
    for one in some {
        while others.next_if(|other| *other < one).is_some() {}
        if others.peek() != Some(&one) {
            to.push(*one);
        }
    }
}
