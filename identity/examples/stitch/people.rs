//! A graph of people as a customer data platform sees them, with poison in it.
//!
//! 1.5 million people with cookies (zipf), devices, users, e-mail addresses and phones; edges are
//! rows that name two of them, nearly half of them repeats; a few devices are shared in a family;
//! and 67 identifiers (a till's e-mail address, a kiosk) were seen with thousands of strangers.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The kinds of identifiers, which are the namespaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Cookie,
    Device,
    User,
    Email,
    Phone,
}

use Kind::{Cookie, Device, Email, Phone, User};

const KINDS: [Kind; 5] = [Cookie, Device, User, Email, Phone];

/// How many identifiers of each kind 1.5 million people have.
const TOTALS: [usize; 5] = [8_080_000, 1_050_000, 1_200_000, 1_430_000, 750_000];
const PEOPLE: usize = 1_500_000;
/// Gives 5.39 cookies a person under a cap of 200.
const COOKIE_SLOPE: f64 = 1.0375;

/// The edges of people, in thousands of the whole, and what they connect.
const SHARES: [(usize, Kind, Kind); 6] = [
    (388, Cookie, User),
    (204, Cookie, Device),
    (143, Device, User),
    (143, User, Email),
    (82, Email, Phone),
    (40, Cookie, Email),
];
const EDGES: usize = 19_600_000;
const FAMILY: usize = 30_000;

/// How many poisoned identifiers of a kind were seen with how many others.
const POISON: [(usize, Kind, usize, Kind); 5] = [
    (3, Email, 100_000, User),
    (2, Phone, 100_000, User),
    (2, Device, 150_000, Cookie),
    (10, Email, 20_000, Phone),
    (50, Device, 2_000, User),
];

/// Identifiers numbered kind by kind, and the rows that name two of them.
pub(crate) struct People {
    /// The first number of each kind, and the end of all.
    starts: [u32; 6],
    pub(crate) edges: Vec<[u32; 2]>,
    pub(crate) poisoned: Vec<u32>,
}

/// The owner of each identifier of a kind, and each person's first one.
struct Owned {
    owner: Vec<u32>,
    first: Vec<u32>,
}

impl Owned {
    fn new(counts: Vec<usize>) -> Self {
        let (mut owner, mut first) = (Vec::new(), Vec::with_capacity(counts.len() + 1));
        for (person, count) in counts.into_iter().enumerate() {
            first.push(owner.len() as u32);
            owner.extend(std::iter::repeat_n(person as u32, count));
        }
        first.push(owner.len() as u32);
        Self { owner, first }
    }

    fn any(&self, person: u32, random: &mut ChaCha8Rng) -> Option<u32> {
        let (first, end) = (self.first[person as usize], self.first[person as usize + 1]);
        (first < end).then(|| random.random_range(first..end))
    }
}

impl People {
    /// People and edges at `scale` of the whole.
    pub(crate) fn new(scale: f64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let of = |count: usize| (count as f64 * scale) as usize;
        let people = of(PEOPLE);
        let owned = KINDS
            .map(|kind| Owned::new(counts(kind, people, of(TOTALS[kind as usize]), &mut random)));
        let mut starts = [0; 6];
        for kind in KINDS {
            starts[kind as usize + 1] =
                starts[kind as usize] + owned[kind as usize].owner.len() as u32;
        }
        let mut people = Self { starts, edges: Vec::new(), poisoned: Vec::new() };
        for (share, one, other) in SHARES {
            people.meet(of(EDGES * share / 1000), (one, other), &owned, &mut random);
        }
        for _ in 0..of(FAMILY) {
            let device = people.any(Device, &mut random);
            let user = people.any(User, &mut random);
            people.edges.push([device, user]);
        }
        people.poison(&mut random);
        let end = people.edges.len();
        for place in (1..end).rev() {
            people.edges.swap(place, random.random_range(0..=place));
        }
        people
    }

    pub(crate) fn identifiers(&self) -> u32 {
        self.starts[5]
    }

    pub(crate) fn kind(&self, identifier: u32) -> Kind {
        let kind = self.starts[1..5].iter().filter(|start| **start <= identifier).count();
        KINDS[kind]
    }

    /// The normalised value of an identifier.
    pub(crate) fn value(&self, identifier: u32) -> String {
        let scrambled = u64::from(identifier).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match self.kind(identifier) {
            Cookie => format!("ga1.{scrambled:016x}"),
            Device => format!("{:08x}-{scrambled:016x}", identifier.rotate_left(16)),
            User => format!("u{identifier}"),
            Email => format!("{:010x}@example{}.com", scrambled >> 24, identifier % 50),
            Phone => format!("+336{:08}", identifier - self.starts[Phone as usize]),
        }
    }

    fn any(&self, kind: Kind, random: &mut ChaCha8Rng) -> u32 {
        random.random_range(self.starts[kind as usize]..self.starts[kind as usize + 1])
    }

    /// Rows on which one person's identifiers of two kinds meet.
    fn meet(
        &mut self,
        count: usize,
        (one, other): (Kind, Kind),
        owned: &[Owned; 5],
        random: &mut ChaCha8Rng,
    ) {
        let end = self.edges.len() + count;
        while self.edges.len() < end {
            let a = self.any(one, random);
            let owners = &owned[one as usize];
            let person = owners.owner[(a - self.starts[one as usize]) as usize];
            if let Some(b) = owned[other as usize].any(person, random) {
                self.edges.push([a, b + self.starts[other as usize]]);
            }
        }
    }

    fn poison(&mut self, random: &mut ChaCha8Rng) {
        for (count, kind, others, other) in POISON {
            for _ in 0..count {
                let poisoned = loop {
                    let candidate = self.any(kind, random);
                    if !self.poisoned.contains(&candidate) {
                        break candidate;
                    }
                };
                self.poisoned.push(poisoned);
                for _ in 0..others {
                    let stranger = self.any(other, random);
                    self.edges.push([poisoned, stranger]);
                }
            }
        }
        self.poisoned.sort_unstable();
    }
}

/// How many identifiers of a kind each person has: cookies after a zipf law of at most 200,
/// others by chance.
fn counts(kind: Kind, people: usize, total: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut counts = vec![0; people];
    if kind == Cookie {
        for count in &mut counts {
            // P(at least n) = n^-slope.
            let share: f64 = random.random_range(f64::MIN_POSITIVE..1.0);
            *count = (share.powf(-1.0 / COOKIE_SLOPE) as usize).clamp(1, 200);
        }
        return counts;
    }
    for _ in 0..total {
        counts[random.random_range(0..people)] += 1;
    }
    counts
}
