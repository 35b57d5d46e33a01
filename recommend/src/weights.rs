//! How much two items belong together, from how many customers have both.

use crate::basis::{Basis, Code};
use crate::methods::{self, Logarithms, Method};

/// Common customers of two items.
pub(crate) trait Cell: Copy + Default + PartialEq + Send + Sync {
    fn float(self) -> f32;
}

impl Cell for u16 {
    #[inline(always)]
    fn float(self) -> f32 {
        f32::from(self)
    }
}

impl Cell for u32 {
    #[inline(always)]
    fn float(self) -> f32 {
        // Signed: that is one instruction, and there are no more customers.
        self.cast_signed() as f32
    }
}

/// Weighs a code and some others that stand side by side.
pub(crate) trait Weight<T>: Sync {
    /// Of cells from that code on.
    fn weigh(&self, code: u32, first: usize, counts: &[T], weights: &mut [f32]);
}

/// By counts of customers.
pub(crate) struct Measure {
    /// `None`: the number of common customers itself.
    method: Option<Method>,
    /// Least common customers.
    least: u64,
    customers: f64,
    buyers: Vec<f32>,
    /// One over the square roots of `buyers`.
    roots: Vec<f32>,
    logarithms: Logarithms,
}

impl Measure {
    /// Of a method, with `buyers` of each code among `customers`.
    pub(crate) fn new(
        method: Option<Method>,
        (buyers, customers): (&[u32], usize),
        least: u64,
    ) -> Self {
        let tabled = if method == Some(Method::Llr) { customers } else { 0 };
        let buyers: Vec<f32> = buyers.iter().map(|one| one.cast_signed() as f32).collect();
        Self {
            method,
            least: least.max(1),
            customers: customers as f64,
            roots: buyers.iter().map(|one| one.sqrt().recip()).collect(),
            buyers,
            logarithms: Logarithms::up_to(tabled),
        }
    }

    /// Weighs each: of its count and of what is known of both codes. Written so that a processor
    /// does several at once.
    #[inline(always)]
    fn each<T: Cell>(
        &self,
        (counts, weights): (&[T], &mut [f32]),
        (factors, own): (&[f32], f32),
        of: impl Fn(f32, f32, f32) -> f32,
    ) {
        let least = self.least as f32;
        for ((weight, count), other) in weights.iter_mut().zip(counts).zip(factors) {
            let count = count.float();
            let found = of(count, own, *other);
            *weight = if count >= least { found } else { 0.0 };
        }
    }
}

impl<T: Cell> Weight<T> for Measure {
    // Both codes of a pair say the same, whichever comes first: that is no matter of order.
    #[inline(always)]
    fn weigh(&self, code: u32, first: usize, counts: &[T], weights: &mut [f32]) {
        let (place, n) = (code as usize, self.customers);
        let cells = (counts, weights);
        let buyers = (&self.buyers[first..first + counts.len()], self.buyers[place]);
        let roots = (&self.roots[first..first + counts.len()], self.roots[place]);
        match self.method {
            None => self.each(cells, buyers, |c, _, _| c),
            Some(Method::ShrunkCosine) => {
                self.each(cells, roots, |c, a, b| methods::shrunk(c * (a * b), c));
            }
            Some(Method::Jaccard) => self.each(cells, buyers, |c, a, b| c / (a + b - c)),
            Some(Method::Lift) => self.each(cells, buyers, |c, a, b| c * n as f32 / (a * b)),
            Some(Method::Llr) => {
                self.each(cells, buyers, |c, a, b| self.logarithms.ratio(c, (a, b), n));
            }
            Some(_) => self.each(cells, roots, |c, a, b| c * (a * b)),
        }
    }
}

/// By weights of customers, for TF-IDF and BM25.
pub(crate) struct Weighted {
    /// By customer.
    pub(crate) customers: Vec<u64>,
    /// By code.
    factors: Vec<f64>,
}

impl Weighted {
    /// Of the customers of a basis.
    pub(crate) fn new<C: Code>(basis: &Basis<C>, method: Method) -> Self {
        let items = basis.buyers.len();
        let of_customer =
            |(_, length): &(u32, u32)| methods::customer_weight(items, *length as usize);
        let customers: Vec<u64> = basis.lists.iter().map(of_customer).collect();
        let mut norms = vec![0_u64; items];
        for (list, weight) in basis.lists.iter().zip(&customers) {
            basis.list(*list).iter().for_each(|code| norms[code.place()] += weight);
        }
        let average = basis.pairs() as f64 / items.max(1) as f64;
        let factor = |(norm, buyers): (&u64, &u32)| match method {
            Method::Bm25 => methods::bm25_damping(f64::from(*buyers), average),
            _ => (*norm as f64).sqrt().recip(),
        };
        let factors = norms.iter().zip(&basis.buyers).map(factor).collect();
        Self { customers, factors }
    }
}

impl Weight<u64> for Weighted {
    fn weigh(&self, code: u32, first: usize, counts: &[u64], weights: &mut [f32]) {
        let own = self.factors[code as usize];
        let factors = &self.factors[first..];
        for ((weight, count), factor) in weights.iter_mut().zip(counts).zip(factors) {
            *weight = (*count as f64 * (own * factor)) as f32;
        }
    }
}
