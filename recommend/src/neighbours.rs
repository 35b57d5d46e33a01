//! The items nearest to each item.
//!
//! Common customers are counted one row after the other ([`crate::basis`]); both items of a pair are
//! offered to one another at once. The rows are kept where there is room for them: what changes is
//! then added to the counts, and only weighed anew.

use fearless_simd::{Level, dispatch};

use crate::basis::{Basis, Code};
use crate::counts::{Counts, Row};
use crate::error::Result;
use crate::histories::Histories;
use crate::methods::Method;
use crate::model::Settings;
use crate::top::Top;
use crate::weights::{Measure, Weight, Weighted};

/// Rows that a thread takes at once.
const ROWS_AT_ONCE: usize = 8;
/// Cells that are weighed at once.
const AT_ONCE: usize = 32;
/// A row with so many times fewer steps than cells is walked by its steps.
const SPARSE: usize = 4;

/// Neighbours of each code, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbours {
    starts: Vec<u32>,
    codes: Codes,
    weights: Vec<f32>,
}

/// Codes, short where they can be: scoring reads them at random places.
#[derive(Debug, Clone, PartialEq)]
enum Codes {
    Short(Vec<u16>),
    Long(Vec<u32>),
}

/// Some of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listed<'a> {
    Short(&'a [u16]),
    Long(&'a [u32]),
}

impl Default for Codes {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

impl Codes {
    fn range(&self, range: std::ops::Range<usize>) -> Listed<'_> {
        match self {
            Self::Short(codes) => Listed::Short(&codes[range]),
            Self::Long(codes) => Listed::Long(&codes[range]),
        }
    }

    fn push(&mut self, code: u32) {
        match (u16::try_from(code), &mut *self) {
            (Ok(code), Self::Short(codes)) => codes.push(code),
            (Err(_), Self::Short(codes)) => {
                let codes = codes.iter().copied().map(u32::from);
                *self = Self::Long(codes.chain([code]).collect());
            }
            (_, Self::Long(codes)) => codes.push(code),
        }
    }
}

impl Listed<'_> {
    pub(crate) fn at(self, place: usize) -> u32 {
        match self {
            Self::Short(codes) => u32::from(codes[place]),
            Self::Long(codes) => codes[place],
        }
    }
}

impl Neighbours {
    /// The neighbours of a code, with their weights.
    pub fn of(&self, code: u32) -> impl Iterator<Item = (u32, f32)> + Clone + '_ {
        let (codes, weights) = self.lists(code);
        weights.iter().enumerate().map(move |(place, weight)| (codes.at(place), *weight))
    }

    /// The same side by side.
    pub(crate) fn lists(&self, code: u32) -> (Listed<'_>, &[f32]) {
        let code = code as usize;
        match (self.starts.get(code), self.starts.get(code + 1)) {
            (Some(first), Some(last)) => {
                let range = *first as usize..*last as usize;
                (self.codes.range(range.clone()), &self.weights[range])
            }
            _ => (Listed::Short(&[]), &[]),
        }
    }

    /// Reads where the lists of codes begin and end. They are at random places in memory: all of
    /// these come at once instead of one after the other.
    pub(crate) fn read_ahead<'a>(&self, codes: impl Iterator<Item = &'a u32>) {
        let read = codes.fold(0, |all, code| {
            let (codes, weights) = self.lists(*code);
            let [first, middle, last] = [0, weights.len() / 2, weights.len().saturating_sub(1)];
            match weights.get(last) {
                None => all,
                Some(weight) => {
                    let weights = weights[first].to_bits() ^ weights[middle].to_bits();
                    all ^ codes.at(first) ^ codes.at(last) ^ weight.to_bits() ^ weights
                }
            }
        });
        std::hint::black_box(read);
    }

    /// The weight of one code for another.
    pub fn weight(&self, code: u32, other: u32) -> Option<f32> {
        self.of(code).find(|one| one.0 == other).map(|one| one.1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        self.starts.len() * 4 + self.weights.len() * 8
    }

    /// From lists of each code.
    pub(crate) fn from_lists<L: IntoIterator<Item = (u32, f32)>>(
        lists: impl Iterator<Item = L>,
    ) -> Self {
        let mut all = Self { starts: vec![0], ..Self::default() };
        for list in lists {
            for (code, weight) in list {
                all.codes.push(code);
                all.weights.push(weight);
            }
            all.starts.push(all.weights.len() as u32);
        }
        all
    }

    /// The items bought together with each item by most customers, with their number.
    ///
    /// # Errors
    /// Cancelled.
    pub fn by_support(histories: &Histories, settings: &Settings) -> Result<Self> {
        let basis = Basis::<u32>::new(histories, usize::MAX, settings.workers())?;
        let measure = Measure::new(None, (&basis.buyers, histories.len()), settings.min_support);
        let rows = Rows { histories, settings, is_kept: false };
        rows.count(&basis, &measure).map(|(found, _)| found)
    }

    /// The nearest items of each item by a method, and the counts where there is room for them.
    ///
    /// # Errors
    /// Cancelled.
    pub fn fit(
        histories: &Histories,
        method: Method,
        settings: &Settings,
    ) -> Result<(Self, Option<Counts>)> {
        match histories.items() <= usize::from(u16::MAX) {
            true => Self::counted::<u16>(histories, method, settings),
            false => Self::counted::<u32>(histories, method, settings),
        }
    }

    fn counted<C: Code>(
        histories: &Histories,
        method: Method,
        settings: &Settings,
    ) -> Result<(Self, Option<Counts>)> {
        let basis = Basis::<C>::new(histories, settings.cut, settings.workers())?;
        if matches!(method, Method::TfIdf | Method::Bm25) {
            let rows = Rows { histories, settings, is_kept: false };
            return rows.weigh(&basis, &Weighted::new(&basis, method)).map(|found| (found, None));
        }
        let is_kept = Counts::bytes_of(histories.items()) <= settings.counts_bytes;
        let rows = Rows { histories, settings, is_kept };
        let buyers = (basis.buyers.as_slice(), histories.len());
        let measure = Measure::new(Some(method), buyers, settings.min_support);
        rows.count(&basis, &measure)
    }

    /// The same from counts.
    ///
    /// # Errors
    /// Cancelled.
    pub fn of_counts(
        counts: &Counts,
        histories: &Histories,
        method: Method,
        settings: &Settings,
    ) -> Result<Self> {
        let buyers = (counts.buyers.as_slice(), histories.len());
        let measure = Measure::new(Some(method), buyers, settings.min_support);
        let rows = Rows { histories, settings, is_kept: false };
        let benches = rows.run(0, |bench: &mut Bench, code| match &counts.rows[code as usize] {
            Row::Narrow(cells) => bench.lists.offer(code, cells, (histories, &measure)),
            Row::Wide(cells) => bench.lists.offer(code, cells, (histories, &measure)),
        })?;
        Ok(merged(benches))
    }
}

/// How rows are made.
struct Rows<'a> {
    histories: &'a Histories,
    settings: &'a Settings,
    /// Whether they are kept.
    is_kept: bool,
}

/// What a thread works with.
#[derive(Default)]
struct Bench {
    narrow: Vec<u16>,
    wide: Vec<u32>,
    weighted: Vec<u64>,
    touched: Vec<u32>,
    lists: Lists,
    kept: Vec<(u32, Row)>,
}

impl Rows<'_> {
    /// Neighbours by a weight of integer counts.
    fn count<C: Code>(
        &self,
        basis: &Basis<C>,
        measure: &Measure,
    ) -> Result<(Neighbours, Option<Counts>)> {
        let at = (self.histories, measure);
        let mut benches = self.run(C::room(self.histories.items()), |bench, code| {
            let cells = code as usize;
            let Bench { narrow, wide, touched, lists, kept, .. } = bench;
            if !self.is_kept && basis.steps(code) * SPARSE < cells {
                for list in basis.column(code) {
                    step(basis.list(list), (wide, touched), 1);
                }
                lists.offer_some(code, (wide, touched), at);
            } else if Row::is_narrow(basis.buyers[cells]) {
                basis.count_into(code, narrow);
                lists.offer(code, &narrow[..cells], at);
                if self.is_kept {
                    kept.push((code, Row::Narrow(narrow[..cells].to_vec())));
                }
                narrow[..cells].fill(0);
            } else {
                basis.count_into(code, wide);
                lists.offer(code, &wide[..cells], at);
                if self.is_kept {
                    kept.push((code, Row::Wide(wide[..cells].to_vec())));
                }
                wide[..cells].fill(0);
            }
        })?;
        let counts = self.is_kept.then(|| {
            let kept = benches.iter_mut().flat_map(|bench| std::mem::take(&mut bench.kept));
            let mut rows: Vec<(u32, Row)> = kept.collect();
            rows.sort_unstable_by_key(|(code, _)| *code);
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            Counts { rows, buyers: basis.buyers.clone() }
        });
        Ok((merged(benches), counts))
    }

    /// Neighbours where customers have weights.
    fn weigh<C: Code>(&self, basis: &Basis<C>, weighted: &Weighted) -> Result<Neighbours> {
        let places = basis.places();
        let at = (self.histories, weighted);
        let benches = self.run(C::room(self.histories.items()), |bench, code| {
            let Bench { weighted: row, touched, lists, .. } = bench;
            let cells = code as usize;
            let columns = basis.column(code).zip(&places[basis.columns_of(code)]);
            let columns = columns
                .map(|(list, place)| (basis.list(list), weighted.customers[*place as usize]));
            if basis.steps(code) * SPARSE < cells {
                columns.for_each(|(list, weight)| step(list, (row, touched), weight));
                lists.offer_some(code, (row, touched), at);
            } else {
                columns.for_each(|(list, weight)| C::step(row, list, weight));
                lists.offer(code, &row[..cells], at);
                row[..cells].fill(0);
            }
        })?;
        Ok(merged(benches))
    }

    /// Each thread makes some rows, of which each has `room` cells to be made in.
    fn run(&self, room: usize, row: impl Fn(&mut Bench, u32) + Sync) -> Result<Vec<Bench>> {
        let items = self.histories.items();
        let start = || Bench {
            narrow: vec![0; room],
            wide: vec![0; room],
            weighted: vec![0; room],
            lists: Lists::new(items, self.settings.neighbours),
            ..Bench::default()
        };
        // The rows of many steps are the first ones, of many cells the last ones.
        self.settings.workers().run((items, ROWS_AT_ONCE), start, |bench, codes| {
            codes.for_each(|code| row(bench, code as u32));
        })
    }
}

/// Adds to the cells of a list and remembers which they are.
fn step<C: Code, T: Copy + Default + PartialEq + std::ops::AddAssign>(
    codes: &[C],
    (row, touched): (&mut [T], &mut Vec<u32>),
    weight: T,
) {
    for other in codes {
        let cell = &mut row[other.place()];
        if *cell == T::default() {
            touched.push(other.place() as u32);
        }
        *cell += weight;
    }
}

fn merged(benches: Vec<Bench>) -> Neighbours {
    let mut tops = benches.into_iter().map(|bench| bench.lists.tops);
    let mut first = tops.next().unwrap_or_default();
    for others in tops {
        for (one, other) in first.iter_mut().zip(others) {
            one.merge(other);
        }
    }
    let pairs = |top: &mut Top| top.sorted().iter().map(|one| (one.2, one.0)).collect::<Vec<_>>();
    Neighbours::from_lists(first.iter_mut().map(pairs))
}

/// The best of every code so far.
#[derive(Default)]
struct Lists {
    tops: Vec<Top>,
    /// The floors of `tops`, side by side.
    floors: Vec<f32>,
}

/// What is known of codes, and how pairs are weighed.
type At<'a, W> = (&'a Histories, &'a W);

impl Lists {
    fn new(items: usize, k: usize) -> Self {
        Self { tops: vec![Top::new(k); items], floors: vec![f32::MIN_POSITIVE; items] }
    }

    /// Offers a code and every smaller one to one another.
    fn offer<T, W: Weight<T>>(&mut self, code: u32, counts: &[T], at: At<'_, W>) {
        dispatch!(Level::new(), _ => self.offer_all(code, counts, at));
    }

    /// Written so that a processor weighs and compares several at once, as many as it can.
    #[inline(always)]
    fn offer_all<T, W: Weight<T>>(&mut self, code: u32, counts: &[T], at: At<'_, W>) {
        let (histories, weight) = at;
        let mut weights = [0.0_f32; AT_ONCE];
        let mut first = 0;
        for counts in counts.chunks(AT_ONCE) {
            let weights = &mut weights[..counts.len()];
            weight.weigh(code, first, counts, weights);
            let own = self.floors[code as usize];
            let floors = &self.floors[first..first + counts.len()];
            // Seen for all at once, whether any is good enough; then which.
            let mut good = 0_u32;
            for (place, (weight, floor)) in weights.iter().zip(floors).enumerate() {
                good |= u32::from((*weight >= own) | (*weight >= *floor)) << place;
            }
            while good != 0 {
                let place = good.trailing_zeros() as usize;
                good &= good - 1;
                self.offer_one((code, (first + place) as u32), weights[place], histories);
            }
            first += counts.len();
        }
    }

    /// Offers a code and those that were touched to one another, and clears these cells.
    fn offer_some<T: Copy + Default, W: Weight<T>>(
        &mut self,
        code: u32,
        (row, touched): (&mut [T], &mut Vec<u32>),
        (histories, weight): At<'_, W>,
    ) {
        for other in touched.drain(..) {
            let first = other as usize;
            let mut weights = [0.0];
            weight.weigh(code, first, &[std::mem::take(&mut row[first])], &mut weights);
            self.offer_one((code, other), weights[0], histories);
        }
    }

    fn offer_one(&mut self, (code, other): (u32, u32), weight: f32, histories: &Histories) {
        for (one, another) in [(code, other), (other, code)] {
            let place = one as usize;
            if weight >= self.floors[place] {
                let top = &mut self.tops[place];
                top.push((weight, histories.item(another), another));
                self.floors[place] = top.floor();
            }
        }
    }
}
