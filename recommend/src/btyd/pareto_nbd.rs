//! Pareto/NBD: purchases at a rate that is gamma(r, α) among customers, who leave at a rate that is
//! gamma(s, β) among them.

use super::minimize::minimize;
use super::special::{hypergeometric, ln_gamma, ln_sum};
use super::{Fit, Summary, Weighted, is_sane, scaled};
use crate::error::Result;

/// Customers that a fit looks at: each evaluation is a series.
const SOME: usize = 20_000;

/// The parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParetoNbd {
    /// Shape of the rates of buying.
    pub r: f64,
    /// Scale of the rates of buying.
    pub alpha: f64,
    /// Shape of the rates of leaving.
    pub s: f64,
    /// Scale of the rates of leaving.
    pub beta: f64,
}

impl ParetoNbd {
    /// The most likely parameters; of more than 20,000 different customers, of a part of them.
    ///
    /// # Errors
    /// Nobody came back, or there is nobody.
    pub fn fit(customers: &[Weighted]) -> Result<Fit<Self>> {
        let (scaled, unit) = scaled(customers)?;
        let at = |p: &[f64; 4]| {
            let [r, alpha, s, beta] = p.map(f64::exp);
            Self { r, alpha, s, beta }
        };
        // Each evaluation is a series: of more customers, every so-manieth is looked at.
        let every = scaled.len() / SOME + 1;
        let loss = |p: &[f64; 4]| {
            if !is_sane(p) {
                return f64::INFINITY;
            }
            let model = at(p);
            let some = scaled.iter().step_by(every);
            -some.map(|(one, weight)| weight * model.ln_likelihood(one)).sum::<f64>()
        };
        let (best, _, evaluations) = minimize([0.0; 4], loss);
        let mut parameters = at(&best);
        parameters.alpha *= unit;
        parameters.beta *= unit;
        let of_all = customers.iter();
        let log_likelihood = of_all.map(|(one, weight)| weight * parameters.ln_likelihood(one));
        Ok(Fit { parameters, log_likelihood: log_likelihood.sum(), evaluations })
    }

    /// The logarithm of how likely a summary is (Fader and Hardie, *A Note on Deriving the
    /// Pareto/NBD Model*, 2005, equation 17).
    pub fn ln_likelihood(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let first = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + s * beta.ln();
        let stays = -(r + x) * (alpha + one.age).ln() - s * (beta + one.age).ln();
        let leaves = (s / (r + s + x)).ln() + self.ln_left(one);
        first + ln_sum(stays, leaves)
    }

    /// The logarithm of A₀, which is for having left between the last purchase and now.
    fn ln_left(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let (large, b) = if alpha >= beta { (alpha, s + 1.0) } else { (beta, r + x) };
        let difference = (alpha - beta).abs();
        let power = r + s + x;
        let at = |time: f64| {
            let z = difference / (large + time);
            hypergeometric(power, b, power + 1.0, z).ln() - power * (large + time).ln()
        };
        let (since_last, now) = (at(one.recency), at(one.age));
        // The difference of two close numbers.
        since_last + (-(now - since_last).exp_m1()).max(f64::MIN_POSITIVE).ln()
    }

    /// The probability that a customer has not left.
    pub fn p_alive(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let odds = (s / (r + s + x)).ln()
            + (r + x) * (alpha + one.age).ln()
            + s * (beta + one.age).ln()
            + self.ln_left(one);
        1.0 / (1.0 + odds.exp())
    }

    /// Purchases that a customer is expected to make within a time from now.
    pub fn expected_purchases(&self, one: &Summary, time: f64) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let rate = (r + x) * (beta + one.age) / ((alpha + one.age) * (s - 1.0));
        let falls = ((beta + one.age) / (beta + one.age + time)).powf(s - 1.0);
        rate * (1.0 - falls) * self.p_alive(one)
    }
}
