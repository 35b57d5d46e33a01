//! "Buy till you die": when customers buy, and when they have left, from three numbers of each.
//!
//! - [`bg_nbd`]: BG/NBD (Fader, Hardie and Lee, *"Counting Your Customers" the Easy Way*, Marketing
//!   Science 24(2), 2005) and MBG/NBD (Batislam, Denizel and Filiztekin, IJRM 24(3), 2007), in which
//!   who never came back may have left at once.
//! - [`pareto_nbd`]: Pareto/NBD (Schmittlein, Morrison and Colombo, Management Science 33(1), 1987).
//! - [`gamma_gamma`]: what a purchase is worth (Fader, Hardie and Lee, *RFM and CLV*, JMR 42(4), 2005).

pub mod bg_nbd;
pub mod gamma_gamma;
mod leaving;
mod minimize;
mod newton;
pub mod pareto_nbd;
mod special;

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// The customers in units in which the oldest is of a handy age, and that unit.
///
/// # Errors
/// Nobody came back, or there is nobody.
fn scaled(customers: &[Weighted]) -> Result<(Vec<Weighted>, f64)> {
    if !customers.iter().any(|(one, _)| one.frequency > 0.0) {
        return Err(Error::NoFit("no customer has bought more than once"));
    }
    let oldest = customers.iter().map(|(one, _)| one.age).fold(f64::MIN_POSITIVE, f64::max);
    let unit = oldest / 10.0;
    let scaled = customers.iter().map(|(one, weight)| {
        let (recency, age) = (one.recency / unit, one.age / unit);
        (Summary { recency, age, ..*one }, *weight)
    });
    Ok((scaled.collect(), unit))
}

/// Whether logarithms of parameters are those of a model that anybody could mean.
fn is_sane(parameters: &[f64]) -> bool {
    parameters.iter().all(|one| one.abs() <= 20.0)
}

/// What is known of a customer: everything counts in one unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Purchases after the first, `x`.
    pub frequency: f64,
    /// From the first purchase to the last, `t_x`.
    pub recency: f64,
    /// From the first purchase until now, `T`.
    pub age: f64,
}

/// Customers with the same summary, and how many.
pub type Weighted = (Summary, f64);

/// What came of fitting a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit<P> {
    /// The parameters.
    pub parameters: P,
    /// The logarithm of the likelihood at them.
    pub log_likelihood: f64,
    /// Evaluations of the likelihood.
    pub evaluations: usize,
}
