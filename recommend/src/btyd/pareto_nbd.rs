//! Pareto/NBD: purchases at a rate that is gamma(r, α) among customers, who leave at a rate that is
//! gamma(s, β) among them.

use super::leaving::Leaving;
use super::minimize::{minimize, polish};
use super::special::{ln_gamma, ln_sum};
use super::{Fit, Summary, Weighted, is_sane, scaled};
use crate::error::Result;

/// Customers that a first fit looks at, and those that the last steps look at.
const FEW: usize = 2048;
const MANY: usize = 20_000;

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
        let loss = |p: &[f64; 4], every: usize| {
            if !is_sane(p) {
                return f64::INFINITY;
            }
            let model = at(p);
            let some = scaled.iter().step_by(every);
            -some.map(|(one, weight)| weight * model.ln_likelihood(one)).sum::<f64>()
        };
        // Of many customers, every so-manieth is looked at: each is an integral.
        let every = |most: usize| scaled.len() / most + 1;
        let (mut best, _, mut evaluations) = minimize([0.0; 4], |p| loss(p, every(FEW)));
        if every(FEW) > 1 {
            let (near, _, more) = polish(best, |p| loss(p, every(MANY)));
            (best, evaluations) = (near, evaluations + more);
        }
        let mut parameters = at(&best);
        parameters.alpha *= unit;
        parameters.beta *= unit;
        let of_all = customers.iter();
        let log_likelihood = of_all.map(|(one, weight)| weight * parameters.ln_likelihood(one));
        Ok(Fit { parameters, log_likelihood: log_likelihood.sum(), evaluations })
    }

    /// The logarithm of how likely a summary is (Fader and Hardie, *A Note on Deriving the
    /// Pareto/NBD Model*, 2005).
    pub fn ln_likelihood(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let first = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + s * beta.ln();
        let stays = -(r + x) * (alpha + one.age).ln() - s * (beta + one.age).ln();
        first + ln_sum(stays, self.ln_leaves(one))
    }

    /// The same of having left between the last purchase and now.
    fn ln_leaves(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let (p, g) = if alpha <= beta { (r + x, s + 1.0) } else { (s + 1.0, r + x) };
        let small = alpha.min(beta);
        let leaving = Leaving { p, g, apart: (alpha - beta).abs() };
        s.ln() + leaving.ln_integral(((small + one.recency).ln(), (small + one.age).ln()))
    }

    /// The probability that a customer has not left.
    pub fn p_alive(&self, one: &Summary) -> f64 {
        let (x, Self { r, alpha, s, beta }) = (one.frequency, *self);
        let stays = -(r + x) * (alpha + one.age).ln() - s * (beta + one.age).ln();
        let odds = self.ln_leaves(one) - stays;
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
