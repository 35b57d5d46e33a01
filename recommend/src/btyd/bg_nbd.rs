//! BG/NBD and MBG/NBD: purchases at a rate that is gamma(r, α) among customers; after each purchase
//! a customer leaves with a probability that is beta(a, b) among them. In MBG/NBD they may leave
//! after the first one, too.

use super::minimize::{minimize, polish};
use super::newton::newton;
use super::special::{digamma, hypergeometric, ln_beta, ln_gamma, ln_sum};
use super::{Fit, Summary, Weighted, is_sane, scaled};
use crate::error::Result;

/// Customers that a first fit looks at.
const FEW: usize = 4096;
/// Customers that a fit looks at which all of them would not settle.
const MANY: usize = 65_536;

/// The parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbd {
    /// Shape of the rates.
    pub r: f64,
    /// Scale of the rates, in the unit of time.
    pub alpha: f64,
    /// Leaving.
    pub a: f64,
    /// Staying.
    pub b: f64,
    /// Whether customers may leave after their first purchase (MBG/NBD).
    pub modified: bool,
}

impl BgNbd {
    /// The most likely parameters.
    ///
    /// # Errors
    /// Nobody came back, or there is nobody.
    pub fn fit(customers: &[Weighted], modified: bool) -> Result<Fit<Self>> {
        let (scaled, unit) = scaled(customers)?;
        let at = |p: &[f64; 4]| {
            let [r, alpha, a, b] = p.map(f64::exp);
            Self { r, alpha, a, b, modified }
        };
        let groups = by_frequency(&scaled);
        let loss = |p: &[f64; 4], every: usize| {
            if !is_sane(p) {
                return f64::INFINITY;
            }
            let model = at(p);
            -groups.iter().map(|group| model.ln_likelihood_of(group, every)).sum::<f64>()
        };
        // Of many customers, some tell nearly where it is; from there it is few steps.
        let every = scaled.len() / FEW + 1;
        let (mut best, _, mut evaluations) = minimize([0.0; 4], |p| loss(p, every));
        if every > 1 {
            let derivatives = |p: &[f64; 4]| {
                let of_groups = groups.iter().map(|group| at(p).derivatives_of(group));
                of_groups
                    .fold([0.0; 4], |all, one| std::array::from_fn(|axis| all[axis] + one[axis]))
            };
            let (near, more) = newton(best, derivatives).unwrap_or_else(|| {
                let every = scaled.len() / MANY + 1;
                let (near, _, more) = polish(best, |p| loss(p, every));
                (near, more)
            });
            (best, evaluations) = (near, evaluations + more);
        }
        // Each purchase is as many times likelier as the unit is longer.
        let purchases: f64 = customers.iter().map(|(one, weight)| weight * one.frequency).sum();
        let log_likelihood = -loss(&best, 1) - purchases * unit.ln();
        let mut parameters = at(&best);
        parameters.alpha *= unit;
        Ok(Fit { parameters, log_likelihood, evaluations })
    }

    /// The logarithm of how likely every so-manieth customer of a group is. What hangs on the number
    /// of purchases alone is computed once for the group.
    fn ln_likelihood_of(&self, group: &[Weighted], every: usize) -> f64 {
        let Some((first, _)) = group.first() else { return 0.0 };
        let (x, Self { r, alpha, a, b, .. }) = (first.frequency, *self);
        let (stays, leaves) = match self.modified {
            true => (ln_beta(a, b + x + 1.0), ln_beta(a + 1.0, b + x)),
            false if x > 0.0 => (ln_beta(a, b + x), ln_beta(a + 1.0, b + x - 1.0)),
            false => (ln_beta(a, b + x), f64::NEG_INFINITY),
        };
        let all = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() - ln_beta(a, b);
        let of_one = |(one, weight): &Weighted| {
            let stays = stays - (r + x) * (alpha + one.age).ln();
            let leaves = leaves - (r + x) * (alpha + one.recency).ln();
            weight * (all + ln_sum(stays, leaves))
        };
        group.iter().step_by(every).map(of_one).sum()
    }

    /// The derivatives of the logarithm of how likely a group is by the logarithms of the
    /// parameters.
    fn derivatives_of(&self, group: &[Weighted]) -> [f64; 4] {
        let Some((first, _)) = group.first() else { return [0.0; 4] };
        let (x, Self { r, alpha, a, b, .. }) = (first.frequency, *self);
        let may_leave = self.modified || x > 0.0;
        // Of B(a, b + stays) and B(a + 1, b + stays - 1).
        let stays = if self.modified { x + 1.0 } else { x };
        let odds = if may_leave { (a / (b + stays - 1.0)).ln() } else { f64::NEG_INFINITY };
        let (mut all, mut left, mut logarithms, mut inverses) = (0.0, 0.0, 0.0, 0.0);
        for (one, weight) in group {
            let (now, last) = (alpha + one.age, alpha + one.recency);
            let (ln_now, ln_last) = (now.ln(), last.ln());
            let leaves = 1.0 / (1.0 + (-(odds + (r + x) * (ln_now - ln_last))).exp());
            all += weight;
            left += weight * leaves;
            logarithms += weight * (ln_now + leaves * (ln_last - ln_now));
            inverses += weight * (now.recip() + leaves * (last.recip() - now.recip()));
        }
        // Both beta functions have a + b + stays as the sum of their arguments.
        let of_sum = digamma(a + b) - digamma(a + b + stays);
        let by_b = if may_leave { left / (b + stays - 1.0) } else { 0.0 };
        [
            r * (all * (digamma(r + x) - digamma(r) + alpha.ln()) - logarithms),
            alpha * (all * r / alpha - (r + x) * inverses),
            a * (all * of_sum + left / a),
            b * (all * (of_sum + digamma(b + stays) - digamma(b)) - by_b),
        ]
    }

    /// The logarithm of how likely a summary is.
    pub fn ln_likelihood(&self, one: &Summary) -> f64 {
        self.ln_likelihood_of(&[(*one, 1.0)], 1)
    }

    /// The probability that a customer has not left.
    pub fn p_alive(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, a, b, .. }) = (one.frequency, *self);
        let odds = (r + x) * ((alpha + one.age) / (alpha + one.recency)).ln();
        let left = match (self.modified, x > 0.0) {
            (true, _) => (a / (b + x)).ln() + odds,
            (false, true) => (a / (b + x - 1.0)).ln() + odds,
            (false, false) => return 1.0,
        };
        1.0 / (1.0 + left.exp())
    }

    /// Purchases that a customer is expected to make within a time from now.
    pub fn expected_purchases(&self, one: &Summary, time: f64) -> f64 {
        if time <= 0.0 {
            return 0.0;
        }
        let (x, Self { r, alpha, a, b, .. }) = (one.frequency, *self);
        // MBG/NBD had one chance more to leave.
        let b = if self.modified { b + 1.0 } else { b };
        let (age, z) = (alpha + one.age, time / (alpha + one.age + time));
        let falls =
            (age / (age + time)).powf(r + x) * hypergeometric(r + x, b + x, a + b + x - 1.0, z);
        let rest = (a + b + x - 1.0) / (a - 1.0) * (1.0 - falls);
        rest * self.p_alive(one)
    }

    /// Purchases that a new customer is expected to make within a time, after the first.
    pub fn expected_of_new(&self, time: f64) -> f64 {
        let Self { r, alpha, a, b, .. } = *self;
        let z = time / (alpha + time);
        match self.modified {
            false => {
                let falls = (alpha / (alpha + time)).powf(r) * hypergeometric(r, b, a + b - 1.0, z);
                (a + b - 1.0) / (a - 1.0) * (1.0 - falls)
            }
            true => {
                let falls = (alpha / (alpha + time)).powf(r) * hypergeometric(r, b + 1.0, a + b, z);
                b / (a - 1.0) * (1.0 - falls)
            }
        }
    }
}

/// Customers by the number of their purchases.
fn by_frequency(customers: &[Weighted]) -> Vec<Vec<Weighted>> {
    let mut sorted = customers.to_vec();
    let key = |(one, _): &Weighted| [one.frequency, one.recency, one.age].map(f64::to_bits);
    sorted.sort_unstable_by_key(key);
    let groups = sorted.chunk_by(|(a, _), (b, _)| a.frequency == b.frequency);
    groups.map(<[Weighted]>::to_vec).collect()
}
