//! What a customer bought of one item, as sums of integers: they are the same in any order, and
//! what was added can be taken away again.

use crate::model::Settings;
use crate::purchases::Purchase;

/// Parts of a piece that are counted: quantities have six decimals.
const PIECE: i64 = 1_000_000;
/// Most pieces of a line.
const PIECES_MAX: f32 = 1e9;
/// Parts of a line's strength that are counted.
const WHOLE: i64 = 1 << 24;

/// Lines of one customer and one item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Millionths of pieces that were bought, whatever was returned.
    pub(crate) bought: i64,
    /// The same less what was returned.
    pub(crate) net: i64,
    /// Lines that were bought; with a half-life, as far as they still count.
    strength: i64,
    /// When it was bought last.
    pub(crate) time: u32,
}

impl Sum {
    /// Of what was bought once in each of so many lines, and nothing returned.
    pub(crate) fn plain(pieces: u16, strength: f32, time: u32) -> Self {
        let bought = i64::from(pieces) * PIECE;
        let strength = (f64::from(strength) * WHOLE as f64).round() as i64;
        Self { bought, net: bought, strength, time }
    }

    /// Adds a line that counts `weight`.
    #[inline]
    pub(crate) fn add(&mut self, quantity: f32, time: u32, weight: i64) {
        let pieces = match quantity == 1.0 {
            true => PIECE,
            false => parts(quantity),
        };
        self.net += pieces;
        if pieces > 0 {
            self.bought += pieces;
            self.strength += weight;
            self.time = self.time.max(time);
        }
    }

    /// With the lines of another.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            bought: self.bought + other.bought,
            net: self.net + other.net,
            strength: self.strength + other.strength,
            time: self.time.max(other.time),
        }
    }

    /// Without lines that it has. It stays as it was last bought, unless nothing bought is left.
    pub(crate) fn minus(self, other: Self) -> Self {
        let (bought, net) = (self.bought - other.bought, self.net - other.net);
        match bought == 0 {
            true => Self { net, ..Self::default() },
            false => Self { bought, net, strength: self.strength - other.strength, ..self },
        }
    }

    /// As strong as it is some time later.
    pub(crate) fn fades(self, factor: f64) -> Self {
        Self { strength: (self.strength as f64 * factor).round() as i64, ..self }
    }

    /// Whether there are no lines that say anything.
    pub(crate) fn is_nothing(&self) -> bool {
        self.bought == 0 && self.net == 0
    }

    /// Whether it was bought and not returned.
    pub(crate) fn is_kept(&self) -> bool {
        self.bought > 0 && self.net > 0
    }

    /// Pieces, where nothing was returned and these are a small whole number.
    pub(crate) fn pieces(&self) -> Option<u16> {
        let whole = self.net == self.bought && self.bought % PIECE == 0;
        let pieces = u16::try_from(self.bought / PIECE).ok();
        pieces.filter(|pieces| whole && *pieces < u16::MAX)
    }

    /// How many times it was bought; what was returned in part counts in part.
    pub(crate) fn strength(&self) -> f32 {
        let lines = self.strength as f64 / WHOLE as f64;
        match self.net < self.bought {
            true => (lines * self.net as f64 / self.bought as f64) as f32,
            false => lines as f32,
        }
    }
}

fn parts(quantity: f32) -> i64 {
    (f64::from(quantity.clamp(-PIECES_MAX, PIECES_MAX)) * PIECE as f64).round() as i64
}

/// How much a purchase still counts some time later: half after the half-life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HalfLife(pub(crate) Option<f64>);

impl HalfLife {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self(settings.half_life_s)
    }

    /// What is left of 1 after so many seconds.
    pub(crate) fn left(self, seconds: u32) -> f64 {
        self.0.map_or(1.0, |half_life| (-f64::from(seconds) / half_life).exp2())
    }

    /// What a line counts, seen from a customer's last purchase. Only the proportions of one
    /// customer's strengths matter, and seen from there others' purchases do not change them.
    #[inline]
    pub(crate) fn weight(self, time: u32, last: u32) -> i64 {
        match self.0 {
            None => WHOLE,
            Some(_) => (self.left(last.saturating_sub(time)) * WHOLE as f64).round() as i64,
        }
    }
}

/// A line of a known customer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bought {
    pub(crate) code: u32,
    pub(crate) quantity: f32,
    pub(crate) time: u32,
}

impl From<Purchase> for Bought {
    fn from(line: Purchase) -> Self {
        Self { code: line.item, quantity: line.quantity, time: line.time }
    }
}

/// Adds up the lines of one customer after the other.
#[derive(Debug, Default)]
pub(crate) struct Adder {
    /// By code, one more than the place of its sum; 0 for none.
    places: Vec<u32>,
    sums: Vec<(u32, Sum)>,
}

impl Adder {
    /// The sums of lines by code, ascending.
    pub(crate) fn add(
        &mut self,
        lines: &[Bought],
        half_life: HalfLife,
        last: u32,
    ) -> &[(u32, Sum)] {
        self.sums.clear();
        for line in lines {
            let code = line.code as usize;
            if code >= self.places.len() {
                self.places.resize(code + 1, 0);
            }
            let place = match self.places[code] {
                0 => {
                    self.sums.push((line.code, Sum::default()));
                    self.places[code] = self.sums.len() as u32;
                    self.sums.len()
                }
                place => place as usize,
            };
            let weight = half_life.weight(line.time, last);
            self.sums[place - 1].1.add(line.quantity, line.time, weight);
        }
        self.sums.iter().for_each(|(code, _)| self.places[*code as usize] = 0);
        self.sums.sort_unstable_by_key(|(code, _)| *code);
        &self.sums
    }
}

/// When a customer bought last.
pub(crate) fn last_bought(lines: &[Bought]) -> u32 {
    let bought = lines.iter().filter(|line| line.quantity > 0.0);
    bought.map(|line| line.time).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_can_be_taken_away() {
        let mut lines = Sum::default();
        for quantity in [0.1, 0.2, -0.3, 3.0, 1e12] {
            lines.add(quantity, 7, WHOLE);
        }
        let mut tenths = Sum::default();
        [0.1, 0.2, -0.3].iter().for_each(|quantity| tenths.add(*quantity, 3, WHOLE));
        assert_eq!(tenths.net, 0);
        let left = lines.minus(tenths);
        assert_eq!((left.net, left.strength()), (1_000_000_003 * PIECE, 2.0));
        assert!(left.minus(left).plus(Sum::default()).is_nothing());
    }
}
