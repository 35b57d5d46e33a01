//! Gamma–Gamma: what a purchase of a customer is worth, from the mean of those seen. Values are
//! gamma(p, ν) for a customer, and ν is gamma(q, γ) among customers.

use super::Fit;
use super::minimize::{minimize, polish};
use super::special::ln_gamma;
use crate::error::{Error, Result};

/// Customers that a first fit looks at.
const SOME: usize = 20_000;

/// The parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    /// Shape of a customer's values.
    pub p: f64,
    /// Shape of their scale among customers.
    pub q: f64,
    /// Scale of their scale among customers.
    pub v: f64,
}

/// What is known of a customer: purchases after the first, and the mean of their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// Purchases after the first.
    pub frequency: f64,
    /// Mean of what they were worth.
    pub monetary: f64,
}

impl GammaGamma {
    /// The most likely parameters, from customers who came back and spent something.
    ///
    /// # Errors
    /// There are none.
    pub fn fit(customers: &[(Spent, f64)]) -> Result<Fit<Self>> {
        let known = |(one, _): &&(Spent, f64)| one.frequency > 0.0 && one.monetary > 0.0;
        let customers: Vec<(Spent, f64)> = customers.iter().filter(known).copied().collect();
        let count: f64 = customers.iter().map(|(_, weight)| weight).sum();
        if count <= 0.0 {
            return Err(Error::NoFit("no customer has bought more than once at a price"));
        }
        // In a unit in which the mean is 10.
        let sum: f64 = customers.iter().map(|(one, weight)| one.monetary * weight).sum();
        let unit = sum / count / 10.0;
        let at = |p: &[f64; 3]| {
            let [p, q, v] = p.map(f64::exp);
            Self { p, q, v }
        };
        let scaled: Vec<(Spent, f64)> = customers
            .iter()
            .map(|(one, weight)| (Spent { monetary: one.monetary / unit, ..*one }, *weight))
            .collect();
        let groups = by_frequency(&scaled);
        let loss = |p: &[f64; 3], every: usize| {
            if p.iter().any(|one| one.abs() > 20.0) {
                return f64::INFINITY;
            }
            let model = at(p);
            -groups.iter().map(|group| model.ln_likelihood_of(group, every)).sum::<f64>()
        };
        // Of many customers, some tell nearly where it is.
        let every = scaled.len() / SOME + 1;
        let (mut best, _, mut evaluations) = minimize([1.0; 3], |p| loss(p, every));
        if every > 1 {
            let (near, _, more) = polish(best, |p| loss(p, 1));
            (best, evaluations) = (near, evaluations + more);
        }
        let mut parameters = at(&best);
        parameters.v *= unit;
        let of_all = customers.iter();
        let log_likelihood = of_all.map(|(one, weight)| weight * parameters.ln_likelihood(one));
        Ok(Fit { parameters, log_likelihood: log_likelihood.sum(), evaluations })
    }

    /// The logarithm of how likely a mean is (Fader and Hardie, *The Gamma-Gamma Model of Monetary
    /// Value*, 2013, equation 1a).
    pub fn ln_likelihood(&self, one: &Spent) -> f64 {
        self.ln_likelihood_of(&[(*one, 1.0)], 1)
    }

    /// The same of every so-manieth customer of a group who bought as often.
    fn ln_likelihood_of(&self, group: &[(Spent, f64)], every: usize) -> f64 {
        let Some((first, _)) = group.first() else { return 0.0 };
        let (x, Self { p, q, v }) = (first.frequency, *self);
        let all = ln_gamma(p * x + q) - ln_gamma(p * x) - ln_gamma(q) + q * v.ln() + p * x * x.ln();
        let of_one = |(one, weight): &(Spent, f64)| {
            let m = one.monetary;
            weight * (all + (p * x - 1.0) * m.ln() - (p * x + q) * (x * m + v).ln())
        };
        group.iter().step_by(every).map(of_one).sum()
    }

    /// What a purchase of a customer is expected to be worth; `None` where the mean does not exist
    /// (`q` of at most 1, and nothing seen).
    pub fn expected_value(&self, one: &Spent) -> Option<f64> {
        let Self { p, q, v } = *self;
        let below = p * one.frequency + q - 1.0;
        (below > 0.0).then(|| p * (v + one.frequency * one.monetary) / below)
    }
}

/// Customers by the number of their purchases.
fn by_frequency(customers: &[(Spent, f64)]) -> Vec<Vec<(Spent, f64)>> {
    let mut sorted = customers.to_vec();
    sorted.sort_unstable_by_key(|(one, _)| [one.frequency, one.monetary].map(f64::to_bits));
    let groups = sorted.chunk_by(|(a, _), (b, _)| a.frequency == b.frequency);
    groups.map(<[_]>::to_vec).collect()
}
