//! Models as `jsonb`.

use clientele_recommend::btyd::bg_nbd::BgNbd;
use clientele_recommend::btyd::gamma_gamma::GammaGamma;
use clientele_recommend::btyd::pareto_nbd::ParetoNbd;
use clientele_recommend::btyd::{Fit, Summary};
use serde_json::{Map, Value};

use crate::{Result, ValueError};

/// A model of when customers buy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Buying {
    /// BG/NBD and MBG/NBD.
    Beta(BgNbd),
    /// Pareto/NBD.
    Pareto(ParetoNbd),
}

impl Buying {
    pub(super) fn p_alive(&self, one: &Summary) -> f64 {
        match self {
            Self::Beta(model) => model.p_alive(one),
            Self::Pareto(model) => model.p_alive(one),
        }
    }

    pub(super) fn expected_purchases(&self, one: &Summary, time: f64) -> f64 {
        match self {
            Self::Beta(model) => model.expected_purchases(one, time),
            Self::Pareto(model) => model.expected_purchases(one, time),
        }
    }

    /// Reads a model of when customers buy.
    pub(super) fn read(text: &str) -> Result<Self> {
        let object = object(text)?;
        let get = |name: &str| number(&object, name);
        match object.get("model").and_then(Value::as_str) {
            Some(kind @ ("bg_nbd" | "mbg_nbd")) => Ok(Self::Beta(BgNbd {
                r: get("r")?,
                alpha: get("alpha")?,
                a: get("a")?,
                b: get("b")?,
                modified: kind == "mbg_nbd",
            })),
            Some("pareto_nbd") => Ok(Self::Pareto(ParetoNbd {
                r: get("r")?,
                alpha: get("alpha")?,
                s: get("s")?,
                beta: get("beta")?,
            })),
            _ => Err(ValueError::invalid_parameter("not a model of when customers buy")),
        }
    }
}

/// Reads a model of what purchases are worth.
pub(super) fn read_value(text: &str) -> Result<GammaGamma> {
    let object = object(text)?;
    let get = |name: &str| number(&object, name);
    match object.get("model").and_then(Value::as_str) {
        Some("gamma_gamma") => Ok(GammaGamma { p: get("p")?, q: get("q")?, v: get("v")? }),
        _ => Err(ValueError::invalid_parameter("not a model of what purchases are worth")),
    }
}

/// Writes a fit with the names of its parameters.
pub(super) fn write<P>(
    kind: &str,
    fit: &Fit<P>,
    (customers, parameters): (f64, &[(&str, f64)]),
) -> String {
    let mut object = Map::new();
    object.insert("model".to_owned(), kind.into());
    let numbers = parameters.iter().copied();
    let more = [
        ("log_likelihood", fit.log_likelihood),
        ("customers", customers),
        ("evaluations", fit.evaluations as f64),
    ];
    object.extend(numbers.chain(more).map(|(name, value)| (name.to_owned(), value.into())));
    Value::Object(object).to_string()
}

fn object(text: &str) -> Result<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(ValueError::invalid_parameter("a model must be a JSON object")),
    }
}

fn number(object: &Map<String, Value>, name: &str) -> Result<f64> {
    let found = object.get(name).and_then(Value::as_f64).filter(|one| *one > 0.0);
    found.ok_or_else(|| {
        ValueError::invalid_parameter(format!("a model needs a positive parameter \"{name}\""))
    })
}
