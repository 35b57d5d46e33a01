//! The best of many, in bounded memory, with one order for equals.

/// Up to how many are kept in order.
const INSERTED: usize = 32;

/// Something with a score and a number that decides between equals.
pub(crate) type Scored = (f32, u32, u32);

/// Keeps the best `k` of what it is given: higher score first, of equals the smaller item.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    best: Vec<Scored>,
    k: usize,
    floor: f32,
}

impl Top {
    /// Of `k`.
    pub(crate) fn new(k: usize) -> Self {
        Self { best: Vec::new(), k, floor: f32::MIN_POSITIVE }
    }

    /// What scores less cannot be among the best.
    #[inline]
    pub(crate) fn floor(&self) -> f32 {
        self.floor
    }

    /// Takes one: score, item, code.
    #[inline]
    pub(crate) fn push(&mut self, one: Scored) {
        if one.0 >= self.floor {
            match self.k <= INSERTED {
                true => self.insert(one),
                false => {
                    self.best.push(one);
                    if self.best.len() >= 2 * self.k {
                        self.shrink();
                    }
                }
            }
        }
    }

    /// Few are kept in order, so that the floor rises at once.
    fn insert(&mut self, one: Scored) {
        let place = self.best.partition_point(|other| order(other, &one).is_lt());
        if place == self.k {
            return;
        }
        if self.best.len() == self.k {
            self.best.pop();
        }
        self.best.insert(place, one);
        if self.best.len() == self.k {
            self.floor = self.best[self.k - 1].0;
        }
    }

    #[cold]
    fn shrink(&mut self) {
        if self.k == 0 {
            return self.best.clear();
        }
        if self.best.len() > self.k {
            self.best.select_nth_unstable_by(self.k - 1, order);
            self.best.truncate(self.k);
            self.floor = self.best[self.k - 1].0;
        }
    }

    /// Takes all that another has.
    pub(crate) fn merge(&mut self, other: Self) {
        for one in other.best {
            self.push(one);
        }
    }

    /// The best, best first.
    pub(crate) fn sorted(&mut self) -> &[Scored] {
        self.shrink();
        self.best.sort_unstable_by(order);
        &self.best
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.best.clear();
        self.floor = f32::MIN_POSITIVE;
    }
}

/// Higher score first, of equals the smaller item.
pub(crate) fn order(a: &Scored, b: &Scored) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}
