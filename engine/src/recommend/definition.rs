//! What the definition of a recommender says: which column is what, and how to recommend.

use clientele_recommend::{Method, Settings};
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use datafusion::scalar::ScalarValue;

use crate::api::Column;
use crate::error::{Error, Result};

/// Names of columns that say which they are.
const CUSTOMERS: &[&str] = &["customer_id", "customer"];
const ITEMS: &[&str] = &["product_id", "item_id", "product", "item", "sku"];
const QUANTITIES: &[&str] = &["quantity", "qty"];
const TIMES: &[&str] = &["ordered_at", "purchased_at", "occurred_at"];

/// Days of a month, on average.
const MONTH_DAYS: f64 = 30.436_875;
/// Most that may be asked for one customer.
pub(super) const K_MAX: usize = 10_000;

/// A definition that was understood.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) roles: Roles,
    pub(super) k: usize,
    /// `None`: `auto`.
    pub(super) method: Option<Method>,
    pub(super) bought: Rule,
    /// `None`: `auto`.
    pub(super) rebuy: Option<f32>,
    pub(super) fallback: bool,
    pub(super) settings: Settings,
}

/// Which column of the query is what, by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) customer: usize,
    pub(super) item: usize,
    pub(super) quantity: Option<usize>,
    pub(super) time: Option<usize>,
}

/// What becomes of items that were bought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// They are not recommended.
    Exclude,
    /// They are.
    Allow,
    /// Only they are.
    Only,
    /// They are after so many seconds.
    After(f64),
}

impl Rule {
    /// `exclude`, `allow`, `only` or an interval.
    pub(super) fn read(text: &str) -> Result<Self> {
        match text {
            "exclude" => Ok(Self::Exclude),
            "allow" => Ok(Self::Allow),
            "only" => Ok(Self::Only),
            other => seconds(other).map(Self::After).ok_or_else(|| {
                invalid("bought", other)
                    .with_hint("Valid values are exclude, allow, only, or an interval.")
            }),
        }
    }
}

impl Definition {
    /// From the options of a view and the columns of its query.
    ///
    /// # Errors
    /// 22023 for an unknown option or value, 42703 for a column that is not there, 42P16 when there
    /// is no customer or no item, 42804 for columns of the wrong type.
    pub(super) fn read(options: &[(String, String)], columns: &[Column]) -> Result<Self> {
        Self::with(Roles::find(options, columns)?, options)
    }

    /// Refuses options that no recommender has.
    ///
    /// # Errors
    /// 22023.
    pub(super) fn check(options: &[(String, String)]) -> Result<()> {
        let roles = Roles { customer: 0, item: 1, quantity: None, time: None };
        Self::with(roles, options).map(|_| ())
    }

    fn with(roles: Roles, options: &[(String, String)]) -> Result<Self> {
        let mut definition = Self {
            roles,
            k: 10,
            method: None,
            bought: Rule::Exclude,
            rebuy: None,
            fallback: true,
            settings: Settings::default(),
        };
        for (name, value) in options {
            definition.option(name, value)?;
        }
        Ok(definition)
    }

    fn option(&mut self, name: &str, value: &str) -> Result<()> {
        let settings = &mut self.settings;
        match name {
            "k" => self.k = number(name, value, 1..=K_MAX)?,
            "method" if value == "auto" => self.method = None,
            "method" => self.method = Some(method(value)?),
            "neighbours" => settings.neighbours = number(name, value, 1..=1000)?,
            "min_support" => settings.min_support = number(name, value, 1..=1_000_000)? as u64,
            "cut" => settings.cut = number(name, value, 2..=100_000)?,
            "head" => settings.head = number(name, value, 2..=20_000)?,
            "ridge" => settings.ridge = real(name, value, 1e-3..=1e9)?,
            "half_life" => {
                let found = seconds(value).ok_or_else(|| invalid(name, value))?;
                settings.half_life_s = Some(found);
            }
            "bought" => self.bought = Rule::read(value)?,
            "rebuy" if value == "auto" => self.rebuy = None,
            "rebuy" => self.rebuy = Some(real(name, value, 0.0..=1.0)? as f32),
            "fallback" => self.fallback = fallback(value)?,
            "customer" | "item" | "quantity" | "time" | "access_method" | "refresh" => {}
            other => {
                return Err(Error::new("22023", format!("unrecognized parameter \"{other}\"")));
            }
        }
        Ok(())
    }
}

impl Roles {
    fn find(options: &[(String, String)], columns: &[Column]) -> Result<Self> {
        let named = |role: &str| -> Result<Option<usize>> {
            let Some((_, name)) = options.iter().find(|(option, _)| option == role) else {
                return Ok(None);
            };
            let place = columns.iter().position(|column| column.name == *name);
            place
                .map(Some)
                .ok_or_else(|| Error::new("42703", format!("column \"{name}\" does not exist")))
        };
        let by_name = |names: &[&str]| {
            names.iter().find_map(|name| columns.iter().position(|column| column.name == *name))
        };
        let customer = named("customer")?.or_else(|| by_name(CUSTOMERS)).unwrap_or(0);
        let free = |taken: &[usize], fits: fn(PgType) -> bool| {
            let mut places = 0..columns.len();
            places.find(|place| !taken.contains(place) && fits(columns[*place].pg_type))
        };
        let item =
            named("item")?.or_else(|| by_name(ITEMS)).or_else(|| free(&[customer], |_| true));
        let Some(item) = item.filter(|item| *item != customer) else {
            return Err(Error::new("42P16", "a recommender needs a customer and an item")
                .with_hint("Its query has at least two columns: who bought, and what."));
        };
        let time =
            named("time")?.or_else(|| by_name(TIMES)).or_else(|| free(&[customer, item], is_time));
        let quantity = named("quantity")?
            .or_else(|| by_name(QUANTITIES))
            .or_else(|| free(&[customer, item], is_number));
        let roles = Self { customer, item, quantity, time };
        roles.check(columns)?;
        Ok(roles)
    }

    fn check(&self, columns: &[Column]) -> Result<()> {
        let fits = |role: &str, place: Option<usize>, fits: fn(PgType) -> bool| {
            let Some(column) = place.and_then(|place| columns.get(place)) else { return Ok(()) };
            if fits(column.pg_type) {
                return Ok(());
            }
            let text = format!(
                "column \"{}\" of type {} cannot be the {role} of a recommender",
                column.name,
                column.pg_type.sql_name()
            );
            Err(Error::new("42804", text))
        };
        fits("quantity", self.quantity, is_number)?;
        fits("time", self.time, is_time)
    }
}

fn is_time(pg_type: PgType) -> bool {
    matches!(pg_type.arrow(), DataType::Timestamp(..) | DataType::Date32)
}

fn is_number(pg_type: PgType) -> bool {
    pg_type.facts().category == 'N'
}

/// A method by its name.
fn method(name: &str) -> Result<Method> {
    Method::named(name).ok_or_else(|| {
        let names: Vec<&str> = Method::ALL.iter().map(|one| one.name()).collect();
        invalid("method", name).with_hint(format!("Valid values are auto, {}.", names.join(", ")))
    })
}

/// `popular` or `none`.
pub(super) fn fallback(value: &str) -> Result<bool> {
    match value {
        "popular" => Ok(true),
        "none" => Ok(false),
        other => Err(invalid("fallback", other).with_hint("Valid values are popular, none.")),
    }
}

/// Seconds of a positive interval, as `90 days`.
fn seconds(text: &str) -> Option<f64> {
    let value = ScalarValue::Utf8(Some(text.to_owned()));
    let interval = value.cast_to(&DataType::Interval(IntervalUnit::MonthDayNano)).ok()?;
    let ScalarValue::IntervalMonthDayNano(Some(one)) = interval else { return None };
    let days = f64::from(one.months) * MONTH_DAYS + f64::from(one.days);
    Some(days * 86_400.0 + one.nanoseconds as f64 / 1e9).filter(|seconds| *seconds > 0.0)
}

fn number(name: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Result<usize> {
    let found = value.parse().ok().filter(|number| range.contains(number));
    found.ok_or_else(|| out_of_bounds(name, value, (range.start(), range.end())))
}

fn real(name: &str, value: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64> {
    let found = value.parse().ok().filter(|number| range.contains(number));
    found.ok_or_else(|| out_of_bounds(name, value, (range.start(), range.end())))
}

fn out_of_bounds<T: std::fmt::Display>(name: &str, value: &str, (least, most): (T, T)) -> Error {
    invalid(name, value)
        .with_detail(format!("Valid values are between \"{least}\" and \"{most}\"."))
}

/// The error of a value that an option cannot have.
pub(super) fn invalid(name: &str, value: &str) -> Error {
    Error::new("22023", format!("invalid value for option \"{name}\": \"{value}\""))
}
