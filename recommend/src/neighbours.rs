//! The items nearest to each item.
//!
//! Common customers are counted for pairs of codes `j < i`, one row `i` at a time: for each customer
//! of `i`, one step for each smaller code of that customer. A row stays in a cache; no matrix of all
//! pairs is ever in memory. Both items of a pair are offered to one another at once.

use crate::error::Result;
use crate::histories::Histories;
use crate::methods::{self, Logarithms, Method};
use crate::model::Settings;
use crate::top::{Scored, Top};

/// Rows that a thread takes at once.
const ROWS_AT_ONCE: usize = 8;
/// Lists that are read ahead.
const AHEAD: usize = 16;
/// Cells that are weighed at once.
const AT_ONCE: usize = 16;
/// A row with so many times fewer steps than cells is walked by its steps.
const SPARSE: usize = 4;

/// Neighbours of each code, best first.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    starts: Vec<u32>,
    /// Side by side: scoring reads both at random places.
    all: Vec<(u32, f32)>,
}

impl Neighbours {
    /// The neighbours of a code, with their weights.
    pub fn of(&self, code: u32) -> &[(u32, f32)] {
        let code = code as usize;
        match (self.starts.get(code), self.starts.get(code + 1)) {
            (Some(first), Some(last)) => &self.all[*first as usize..*last as usize],
            _ => &[],
        }
    }

    /// The weight of one code for another.
    pub fn weight(&self, code: u32, other: u32) -> Option<f32> {
        let found = self.of(code).iter().find(|(one, _)| *one == other)?;
        Some(found.1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        self.starts.len() * 4 + self.all.len() * 8
    }

    /// From lists of each code.
    pub(crate) fn from_lists<'a>(lists: impl Iterator<Item = &'a [Scored]>) -> Self {
        let mut all = Self { starts: vec![0], all: Vec::new() };
        for list in lists {
            all.all.extend(list.iter().map(|(weight, _, code)| (*code, *weight)));
            all.starts.push(all.all.len() as u32);
        }
        all
    }

    /// The items bought together with each item by most customers, with their number.
    ///
    /// # Errors
    /// Cancelled.
    pub fn by_support(histories: &Histories, settings: &Settings) -> Result<Self> {
        let basis = Basis::<u32>::new(histories, usize::MAX);
        let least = settings.min_support.max(1) as u32;
        let rows = Rows { basis: &basis, histories, settings };
        rows.count(|weigh| weigh.each(&basis.buyers, least, |c, _| c))
    }

    /// The nearest items of each item by a method of counts.
    ///
    /// # Errors
    /// Cancelled.
    pub fn by_counts(histories: &Histories, method: Method, settings: &Settings) -> Result<Self> {
        match histories.items() <= usize::from(u16::MAX) {
            true => Self::counted::<u16>(histories, method, settings),
            false => Self::counted::<u32>(histories, method, settings),
        }
    }

    fn counted<C: Code>(
        histories: &Histories,
        method: Method,
        settings: &Settings,
    ) -> Result<Self> {
        let basis = Basis::<C>::new(histories, settings.cut);
        let n = histories.len() as f64;
        let buyers: Vec<f32> = basis.buyers.iter().map(|one| *one as f32).collect();
        let inverse: Vec<f32> = buyers.iter().map(|one| one.sqrt().recip()).collect();
        let rows = Rows { basis: &basis, histories, settings };
        let least = settings.min_support.max(1) as u32;
        match method {
            Method::ShrunkCosine => rows.count(|weigh| {
                let own = inverse[weigh.code as usize];
                weigh.each(&inverse, least, |c, other| methods::shrunk(c * own * other, c));
            }),
            Method::Jaccard => rows.count(|weigh| {
                let own = buyers[weigh.code as usize];
                weigh.each(&buyers, least, |c, other| c / (own + other - c));
            }),
            Method::Lift => rows.count(|weigh| {
                let own = buyers[weigh.code as usize];
                weigh.each(&buyers, least, |c, other| c * n as f32 / (own * other));
            }),
            Method::Llr => {
                let logarithms = Logarithms::up_to(histories.len());
                rows.count(|weigh| {
                    let own = f64::from(basis.buyers[weigh.code as usize]);
                    weigh.each(&basis.buyers, least, |c, other| {
                        let ratio = logarithms.ratio(f64::from(c), (own, f64::from(other)), n);
                        ratio as f32
                    });
                })
            }
            Method::TfIdf | Method::Bm25 => rows.weigh(method == Method::Bm25),
            _ => rows.count(|weigh| {
                let own = inverse[weigh.code as usize];
                weigh.each(&inverse, least, |c, other| c * own * other);
            }),
        }
    }
}

/// A code, and the common customers with some others that are to be weighed.
struct Weigh<'a, T> {
    code: u32,
    first: usize,
    counts: &'a [T],
    weights: &'a mut [f32],
}

impl Weigh<'_, u32> {
    /// Weighs each: of its count and of what is known of the other code. Written so that a
    /// processor does several at once.
    #[inline]
    fn each<F: Copy>(&mut self, factors: &[F], least: u32, of: impl Fn(f32, F) -> f32) {
        let factors = &factors[self.first..self.first + self.counts.len()];
        for ((weight, count), factor) in self.weights.iter_mut().zip(self.counts).zip(factors) {
            // Signed: that is one instruction, and there are no more customers.
            let found = of(count.cast_signed() as f32, *factor);
            *weight = if *count >= least { found } else { 0.0 };
        }
    }
}

/// A code in memory: the lists of all customers are read many times, and half as long is faster.
pub(crate) trait Code: Copy + Send + Sync {
    fn from_code(code: u32) -> Self;
    fn place(self) -> usize;
}

impl Code for u16 {
    fn from_code(code: u32) -> Self {
        code as Self
    }

    fn place(self) -> usize {
        usize::from(self)
    }
}

impl Code for u32 {
    fn from_code(code: u32) -> Self {
        code
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// What is counted: each customer's codes, and each code's customers.
pub(crate) struct Basis<C> {
    codes: Vec<C>,
    /// By code, where its columns begin.
    starts: Vec<u32>,
    /// Of each customer of a code: where the customer's codes begin, how many are smaller.
    columns: Vec<(u32, u32)>,
    /// Of each column, the customer; only where customers have weights.
    places: Vec<u32>,
    lists: Vec<(u32, u32)>,
    buyers: Vec<u32>,
}

impl<C: Code> Basis<C> {
    /// Of everybody's last `cut` items: the pairs of a customer grow with the square of the items,
    /// and who buys everything says little.
    pub(crate) fn new(histories: &Histories, cut: usize) -> Self {
        let mut codes: Vec<C> = histories.codes().iter().map(|code| C::from_code(*code)).collect();
        let mut lists = Vec::with_capacity(histories.len());
        for place in 0..histories.len() {
            let history = histories.history(place);
            if history.codes.len() <= cut {
                lists.push((histories.start(place), history.codes.len() as u32));
                continue;
            }
            let mut last: Vec<(u32, u32)> =
                history.times.iter().copied().zip(history.codes.iter().copied()).collect();
            last.sort_unstable_by_key(|(time, code)| {
                (std::cmp::Reverse(*time), histories.item(*code))
            });
            let mut kept: Vec<u32> = last.into_iter().take(cut).map(|(_, code)| code).collect();
            kept.sort_unstable();
            lists.push((codes.len() as u32, kept.len() as u32));
            codes.extend(kept.into_iter().map(C::from_code));
        }
        let mut buyers = vec![0_u32; histories.items()];
        let list = |(start, length): (u32, u32)| start as usize..(start + length) as usize;
        for one in &lists {
            for code in &codes[list(*one)] {
                buyers[code.place()] += 1;
            }
        }
        let mut starts = vec![0_u32; buyers.len() + 1];
        for (code, count) in buyers.iter().enumerate() {
            starts[code + 1] = starts[code] + count;
        }
        let mut next = starts.clone();
        let mut columns = vec![(0, 0); starts.last().map_or(0, |last| *last as usize)];
        for one in &lists {
            for (before, code) in (0..).zip(&codes[list(*one)]) {
                let at = &mut next[code.place()];
                columns[*at as usize] = (one.0, before);
                *at += 1;
            }
        }
        Self { codes, starts, columns, places: Vec::new(), lists, buyers }
    }

    /// Notes the customer of each column.
    fn with_places(mut self) -> Self {
        let mut next = self.starts.clone();
        self.places = vec![0; self.columns.len()];
        for (place, (start, length)) in (0..).zip(&self.lists) {
            for code in &self.codes[*start as usize..(*start + *length) as usize] {
                let at = &mut next[code.place()];
                self.places[*at as usize] = place;
                *at += 1;
            }
        }
        self
    }

    fn column(&self, code: u32) -> std::ops::Range<usize> {
        self.starts[code as usize] as usize..self.starts[code as usize + 1] as usize
    }

    /// How many customers a code has, of those counted.
    pub(crate) fn buyers(&self, code: u32) -> u32 {
        self.buyers[code as usize]
    }

    /// Adds the common customers of a code and every smaller one to a row.
    pub(crate) fn count_into(&self, code: u32, row: &mut [u32]) {
        for columns in self.columns[self.column(code)].chunks(AHEAD) {
            self.touch(columns);
            for (start, length) in columns {
                for other in &self.codes[*start as usize..(*start + *length) as usize] {
                    row[other.place()] += 1;
                }
            }
        }
    }

    /// Reads where lists begin and end, which are at random places in memory: all of them come at
    /// once instead of one after the other.
    fn touch(&self, columns: &[(u32, u32)]) {
        let heads = columns.iter().filter(|(_, length)| *length > 0).map(|(start, length)| {
            let (first, last) = (*start as usize, (*start + *length) as usize - 1);
            self.codes[first].place() ^ self.codes[last].place()
        });
        std::hint::black_box(heads.fold(0, |all, one| all ^ one));
    }

    fn steps(&self, code: u32) -> usize {
        self.columns[self.column(code)].iter().map(|(_, length)| *length as usize).sum()
    }
}

/// Common customers in a row of cells.
trait Cell: Copy + Default + PartialEq + Send + Into<u64> + std::ops::AddAssign {}

impl Cell for u32 {}
impl Cell for u64 {}

/// What a thread works with.
struct Bench<T> {
    row: Vec<T>,
    touched: Vec<u32>,
    tops: Vec<Top>,
    /// The floors of `tops`, side by side.
    floors: Vec<f32>,
}

struct Rows<'a, C> {
    basis: &'a Basis<C>,
    histories: &'a Histories,
    settings: &'a Settings,
}

impl<C: Code> Rows<'_, C> {
    /// Neighbours by a weight of integer counts.
    fn count(&self, weight: impl Fn(&mut Weigh<'_, u32>) + Sync) -> Result<Neighbours> {
        let fill = |code: u32, bench: &mut Bench<u32>| self.basis.count_into(code, &mut bench.row);
        let touch = |code: u32, bench: &mut Bench<u32>| {
            for (start, length) in &self.basis.columns[self.basis.column(code)] {
                bench.step((*start, *length), &self.basis.codes, 1);
            }
        };
        self.run(fill, touch, weight)
    }

    /// Neighbours where customers have weights.
    fn weigh(&self, bm25: bool) -> Result<Neighbours> {
        let basis = Basis::<C>::new(self.histories, self.settings.cut).with_places();
        let items = self.histories.items();
        let of_customer =
            |(_, length): &(u32, u32)| methods::customer_weight(items, *length as usize);
        let weights: Vec<u64> = basis.lists.iter().map(of_customer).collect();
        let norm = |code: u32| {
            let places = &basis.places[basis.column(code)];
            places.iter().map(|place| weights[*place as usize]).sum::<u64>() as f64
        };
        let average = basis.columns.len() as f64 / items.max(1) as f64;
        let factor = |code: u32| match bm25 {
            true => methods::bm25_damping(f64::from(basis.buyers(code)), average),
            false => norm(code).sqrt().recip(),
        };
        let factors: Vec<f64> = (0..items as u32).map(factor).collect();
        let columns = |code: u32| {
            let range = basis.column(code);
            basis.columns[range.clone()].iter().zip(&basis.places[range])
        };
        let fill = |code: u32, bench: &mut Bench<u64>| {
            for ((start, length), place) in columns(code) {
                let weight = weights[*place as usize];
                for other in &basis.codes[*start as usize..(*start + *length) as usize] {
                    bench.row[other.place()] += weight;
                }
            }
        };
        let touch = |code: u32, bench: &mut Bench<u64>| {
            for (list, place) in columns(code) {
                bench.step(*list, &basis.codes, weights[*place as usize]);
            }
        };
        self.run(fill, touch, |weigh: &mut Weigh<'_, u64>| {
            let own = factors[weigh.code as usize];
            let factors = &factors[weigh.first..];
            for ((weight, count), factor) in weigh.weights.iter_mut().zip(weigh.counts).zip(factors)
            {
                *weight = (*count as f64 * own * factor) as f32;
            }
        })
    }

    fn run<T: Cell>(
        &self,
        fill: impl Fn(u32, &mut Bench<T>) + Sync,
        touch: impl Fn(u32, &mut Bench<T>) + Sync,
        weight: impl Fn(&mut Weigh<'_, T>) + Sync,
    ) -> Result<Neighbours> {
        let items = self.histories.items();
        let k = self.settings.neighbours;
        let start = || Bench {
            row: vec![T::default(); items],
            touched: Vec::new(),
            tops: vec![Top::new(k); items],
            floors: vec![f32::MIN_POSITIVE; items],
        };
        let benches =
            self.settings.workers().run((items, ROWS_AT_ONCE), start, |bench, codes| {
                // The rows of many steps are the first ones, of many cells the last ones.
                for code in codes.map(|code| code as u32) {
                    let sparse = self.basis.steps(code) * SPARSE < code as usize;
                    match sparse {
                        true => touch(code, bench),
                        false => fill(code, bench),
                    }
                    bench.offer((code, sparse), self.histories, &weight);
                }
            })?;
        let mut tops = benches.into_iter().map(|bench| bench.tops);
        let mut first = tops.next().unwrap_or_default();
        for others in tops {
            for (one, other) in first.iter_mut().zip(others) {
                one.merge(other);
            }
        }
        Ok(Neighbours::from_lists(first.iter_mut().map(Top::sorted)))
    }
}

impl<T: Cell> Bench<T> {
    /// Adds to the cells of a list and remembers which they are.
    fn step<C: Code>(&mut self, (start, length): (u32, u32), codes: &[C], weight: T) {
        for other in &codes[start as usize..(start + length) as usize] {
            let cell = &mut self.row[other.place()];
            if *cell == T::default() {
                self.touched.push(other.place() as u32);
            }
            *cell += weight;
        }
    }

    /// Offers a code and what was bought with it to one another, and clears the row.
    fn offer(
        &mut self,
        (code, sparse): (u32, bool),
        histories: &Histories,
        weight: &impl Fn(&mut Weigh<'_, T>),
    ) {
        let mut weights = [0.0_f32; AT_ONCE];
        if sparse {
            let touched = std::mem::take(&mut self.touched);
            for other in &touched {
                let first = *other as usize;
                let counts = &[std::mem::take(&mut self.row[first])];
                weight(&mut Weigh { code, first, counts, weights: &mut weights[..1] });
                self.offer_one((code, *other), weights[0], histories);
            }
            self.touched = touched;
            self.touched.clear();
            return;
        }
        for first in (0..code as usize).step_by(AT_ONCE) {
            let last = (first + AT_ONCE).min(code as usize);
            let weights = &mut weights[..last - first];
            let counts = &mut self.row[first..last];
            weight(&mut Weigh { code, first, counts, weights });
            counts.fill(T::default());
            let own = self.floors[code as usize];
            let floors = self.floors[first..last].iter();
            let any = weights
                .iter()
                .zip(floors)
                .fold(false, |any, (weight, floor)| any | (*weight >= own) | (*weight >= *floor));
            if any {
                for (other, weight) in (first as u32..last as u32).zip(weights.iter()) {
                    self.offer_one((code, other), *weight, histories);
                }
            }
        }
    }

    #[inline]
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
