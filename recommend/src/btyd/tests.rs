//! The CDNOW customers (calibration sample of 2 357, weeks; from the MIT-licensed package
//! `lifetimes`), whose parameters are published in the papers that the models are from.

use super::bg_nbd::BgNbd;
use super::gamma_gamma::{GammaGamma, Spent};
use super::pareto_nbd::ParetoNbd;
use super::{Summary, Weighted};
use crate::Result;

/// So many customers that a first fit looks at some of them: moved a little, so that no two are
/// alike, they have the same parameters.
#[test]
fn many_customers_have_the_parameters_of_few() -> Result<()> {
    let few = summaries();
    let many = (0..30).flat_map(|turn| {
        few.iter().map(move |(one, _)| {
            let moved = f64::from(turn) * 1e-7;
            (Summary { age: one.age + moved, ..*one }, 1.0)
        })
    });
    let (one, other) = (BgNbd::fit(&few, false)?, BgNbd::fit(&many.collect::<Vec<_>>(), false)?);
    near(one.parameters.r, other.parameters.r, 0.001);
    near(one.parameters.alpha, other.parameters.alpha, 0.01);
    near(one.parameters.b, other.parameters.b, 0.01);
    Ok(())
}

/// Summary and mean value of each customer.
fn cdnow() -> Vec<(Summary, f64)> {
    let rows = include_str!("cdnow.csv").lines().skip(1);
    let customers = rows.filter_map(|line| {
        let mut numbers = line.split(',').map(str::parse::<f64>);
        let mut next = || numbers.next()?.ok();
        let (frequency, recency, age) = (next()?, next()?, next()?);
        Some((Summary { frequency, recency, age }, next()?))
    });
    customers.collect()
}

fn summaries() -> Vec<Weighted> {
    cdnow().into_iter().map(|(one, _)| (one, 1.0)).collect()
}

/// The customer of the papers: bought twice again, last after 30.43 of 38.86 weeks.
const KNOWN: Summary = Summary { frequency: 2.0, recency: 30.43, age: 38.86 };

#[track_caller]
fn near(found: f64, published: f64, within: f64) {
    assert!((found - published).abs() <= within, "{found} is not {published}");
}

#[test]
fn bg_nbd_is_as_published() -> Result<()> {
    assert_eq!(cdnow().len(), 2357);
    let fit = BgNbd::fit(&summaries(), false)?;
    let model = fit.parameters;
    near(model.r, 0.243, 0.001);
    near(model.alpha, 4.414, 0.001);
    near(model.a, 0.793, 0.001);
    near(model.b, 2.426, 0.001);
    near(fit.log_likelihood, -9582.4, 0.05);
    near(model.expected_purchases(&KNOWN, 39.0), 1.226, 0.001);
    near(model.p_alive(&KNOWN), 0.7266, 0.0005);
    near(model.expected_of_new(39.0), 1.195, 0.001);
    Ok(())
}

#[test]
fn mbg_nbd_is_as_other_implementations_find_it() -> Result<()> {
    let model = BgNbd::fit(&summaries(), true)?.parameters;
    near(model.r, 0.5248, 0.001);
    near(model.alpha, 6.183, 0.01);
    near(model.a, 0.8914, 0.002);
    near(model.b, 1.614, 0.005);
    Ok(())
}

#[test]
fn pareto_nbd_is_as_published() -> Result<()> {
    let fit = ParetoNbd::fit(&summaries())?;
    let model = fit.parameters;
    near(model.r, 0.553, 0.001);
    near(model.alpha, 10.578, 0.005);
    near(model.s, 0.606, 0.001);
    near(model.beta, 11.669, 0.02);
    near(fit.log_likelihood, -9594.98, 0.05);
    Ok(())
}

/// The time of leaving integrated step by step, where its rates are nearly the same for all.
#[test]
fn pareto_nbd_is_what_integration_gives() {
    let cases = [(0.7, 18.0, 900.0, 2e5), (0.5, 10.0, 0.6, 11.0), (3.0, 4e4, 0.2, 1.0)];
    let customers = [(0.0, 0.0, 50.0), (1.0, 3.0, 70.0), (40.0, 69.0, 70.0), (5.0, 70.0, 70.0)];
    for (r, alpha, s, beta) in cases {
        let model = ParetoNbd { r, alpha, s, beta };
        for (x, recency, age) in customers {
            let found = model.ln_likelihood(&Summary { frequency: x, recency, age });
            let ln_at = |y: f64, leaves: f64| {
                -(r + x) * (alpha + y).ln() - (s + leaves) * (beta + y).ln() + s * beta.ln()
            };
            let stays = ln_at(age, 0.0);
            let steps = 5000;
            let width = (age - recency) / f64::from(steps);
            let middles = (0..steps).map(|step| recency + (f64::from(step) + 0.5) * width);
            let left: f64 = middles.map(|y| (ln_at(y, 1.0) - stays).exp() * s * width).sum();
            let first = libm::lgamma(r + x) - libm::lgamma(r) + r * alpha.ln();
            near(found, first + stays + left.ln_1p(), 1e-5 * found.abs().max(1.0));
        }
    }
}

/// Customers who all leave at one rate: the valley of the parameters of leaving has no floor.
#[test]
fn pareto_nbd_ends_where_all_leave_alike() -> Result<()> {
    let customers = (0..100_u32).map(|place| {
        let lot = |salt: u32| {
            f64::from((place * 7919 + salt).wrapping_mul(2_654_435_761) >> 8) / 16_777_216.0
        };
        let (age, left) = (40.0 + 60.0 * lot(1), -30.0 * (1.0 - lot(2)).ln());
        let lives = age.min(left);
        let frequency = (lives * lot(3) / 10.0).floor();
        let recency =
            if frequency > 0.0 { lives * (1.0 - lot(4) / (frequency + 1.0)) } else { 0.0 };
        (Summary { frequency, recency, age }, 1.0)
    });
    let customers: Vec<Weighted> = customers.collect();
    let fit = ParetoNbd::fit(&customers)?;
    assert!(fit.log_likelihood.is_finite() && fit.log_likelihood < 0.0, "{fit:?}");
    for (one, _) in &customers {
        assert!((0.0..=1.0).contains(&fit.parameters.p_alive(one)));
    }
    Ok(())
}

#[test]
fn gamma_gamma_is_as_published() -> Result<()> {
    let spent: Vec<(Spent, f64)> = cdnow()
        .into_iter()
        .map(|(one, monetary)| (Spent { frequency: one.frequency, monetary }, 1.0))
        .collect();
    let model = GammaGamma::fit(&spent)?.parameters;
    near(model.p, 6.25, 0.01);
    near(model.q, 3.74, 0.01);
    near(model.v, 15.44, 0.05);
    for ((one, _), expected) in spent.iter().zip([24.659, 18.911, 35.171]) {
        near(model.expected_value(one).unwrap_or_default(), expected, 0.01);
    }
    Ok(())
}

#[test]
fn weights_are_customers() -> Result<()> {
    let twice: Vec<Weighted> = summaries().iter().chain(&summaries()).copied().collect();
    let weighted: Vec<Weighted> = summaries().iter().map(|(one, _)| (*one, 2.0)).collect();
    let (one, other) = (BgNbd::fit(&twice, false)?, BgNbd::fit(&weighted, false)?);
    near(one.parameters.alpha, other.parameters.alpha, 1e-3);
    near(one.log_likelihood, other.log_likelihood, 1e-3);
    Ok(())
}

#[test]
fn nothing_is_fitted_to_customers_who_never_came_back() {
    let once = Summary { frequency: 0.0, recency: 0.0, age: 10.0 };
    assert!(BgNbd::fit(&[(once, 5.0)], false).is_err());
    assert!(ParetoNbd::fit(&[]).is_err());
    assert!(GammaGamma::fit(&[]).is_err());
}
