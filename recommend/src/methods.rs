//! Ways to weigh how much two items belong together.

/// A method. What each says of a pair of items comes from `c` customers who have both, `a` and `b`
/// who have each, of `n` customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `c / √(ab)`.
    Cosine,
    /// Cosine times `c / (c + 10)`: few common customers say little.
    ShrunkCosine,
    /// `c / (a + b - c)`.
    Jaccard,
    /// Dunning's log-likelihood ratio G² (Computational Linguistics 19(1), 1993), where the two
    /// come together more often than by chance.
    Llr,
    /// Cosine of customers weighed by `ln(items / (1 + bought))`: who buys all says little.
    TfIdf,
    /// The same weights, with items damped by Okapi BM25 (k₁ = 1.2, b = 0.75).
    Bm25,
    /// `cn / (ab)`: how many times more often than by chance.
    Lift,
    /// Ridge regression of every item on all others (Steck, WWW 2019), on the items bought most.
    Ease,
    /// What most customers have bought, the same for everybody.
    Popularity,
    /// What the customer buys most often.
    Personal,
}

impl Method {
    /// Every method.
    pub const ALL: &'static [Self] = &[
        Self::Cosine,
        Self::ShrunkCosine,
        Self::Jaccard,
        Self::Llr,
        Self::TfIdf,
        Self::Bm25,
        Self::Lift,
        Self::Ease,
        Self::Popularity,
        Self::Personal,
    ];

    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::ShrunkCosine => "shrunk_cosine",
            Self::Jaccard => "jaccard",
            Self::Llr => "llr",
            Self::TfIdf => "tfidf",
            Self::Bm25 => "bm25",
            Self::Lift => "lift",
            Self::Ease => "ease",
            Self::Popularity => "popularity",
            Self::Personal => "personal",
        }
    }

    /// The method of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Whether nothing but counts of customers goes into what belongs together.
    pub fn is_counted(self) -> bool {
        !matches!(self, Self::TfIdf | Self::Bm25)
    }

    /// Whether it says which items belong together.
    pub fn has_neighbours(self) -> bool {
        !matches!(self, Self::Popularity | Self::Personal)
    }
}

/// Common customers that a shrunk cosine asks for.
const SHRINKAGE: f32 = 10.0;
/// Parts of a customer's weight that are counted, so that sums are exact in any order.
const WEIGHT_UNIT: f64 = 65_536.0;
/// Okapi BM25: how fast more of the same stops to count.
const K1: f64 = 1.2;
/// Okapi BM25: how much the number of buyers damps.
const B: f64 = 0.75;

/// The weight of a customer who has bought that many of the items, in whole units.
pub(crate) fn customer_weight(items: usize, bought: usize) -> u64 {
    let idf = (items as f64 / (1.0 + bought as f64)).ln().max(0.0);
    (idf * idf * WEIGHT_UNIT).round() as u64
}

/// Damping of an item by its share of the purchases, for BM25.
pub(crate) fn bm25_damping(buyers: f64, average: f64) -> f64 {
    (K1 + 1.0) / (K1 * (1.0 - B + B * buyers / average) + 1.0)
}

/// A shrunk cosine from a cosine.
pub(crate) fn shrunk(cosine: f32, common: f32) -> f32 {
    cosine * common / (common + SHRINKAGE)
}

/// `x ln x` of the numbers up to a limit, which log-likelihood ratios are made of.
#[derive(Debug)]
pub(crate) struct Logarithms(Vec<f64>);

impl Logarithms {
    /// Numbers that are tabled at most: 32 MiB of them.
    const TABLED: usize = 1 << 22;

    pub(crate) fn up_to(most: usize) -> Self {
        Self((0..=most.min(Self::TABLED)).map(|x| x_ln_x(x as f64)).collect())
    }

    fn of(&self, x: f64) -> f64 {
        self.0.get(x as usize).copied().unwrap_or_else(|| x_ln_x(x))
    }

    /// G² of a pair; 0 where the two come together no more often than by chance. Sums of what is
    /// said of either are made first, so that it is the same whichever comes first.
    pub(crate) fn ratio(&self, common: f32, (a, b): (f32, f32), n: f64) -> f32 {
        let (common, a, b) = (f64::from(common), f64::from(a), f64::from(b));
        if common * n <= a * b {
            return 0.0;
        }
        let cells = self.of(common)
            + (self.of(a - common) + self.of(b - common))
            + self.of(n - (a + b) + common);
        let margins = (self.of(a) + self.of(n - a)) + (self.of(b) + self.of(n - b));
        (2.0 * (cells + self.of(n) - margins)).max(0.0) as f32
    }
}

fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}
