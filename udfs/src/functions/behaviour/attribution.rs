//! `attribution`, `first_touch`, `last_touch`: what brought customers to buy.
//!
//! A row with a value (or `converted`) is a conversion; any other row with a source is a touch. A
//! conversion is credited to the touches at most the window before it:
//!
//! | model | credit |
//! |---|---|
//! | `first`, `last` | all to the first, to the last touch |
//! | `linear` | the same to each |
//! | `position` | 40 % to the first, 40 % to the last, the rest to those between |
//! | `decay` | halved for each seven days before the conversion |
//!
//! A conversion without a touch is credited to the source `(none)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type, Int64Type, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::timeline::{constant, microseconds, time_type, undefined};
use crate::ValueError;
use crate::functions::aggregates::collect::{Collect, Plan, field_of};
use crate::functions::json::scan::quoted;
use crate::input::json::normalise;
use crate::types::PgType;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    let text = |_: &[FieldRef]| field_of(PgType::TEXT);
    vec![
        Collect::udaf("attribution", false, |_| field_of(PgType::JSONB), attribution),
        Collect::udaf("first_touch", false, text, |plan, columns| touch(plan, columns, true)),
        Collect::udaf("last_touch", false, text, |plan, columns| touch(plan, columns, false)),
    ]
}

const NO_SOURCE: &str = "(none)";
const HALF_LIFE: f64 = 7.0 * 86_400e6;

/// The touches before each conversion: times and sources, in order.
struct Journey<'a> {
    touches: Vec<(i64, &'a str)>,
    conversions: Vec<(i64, f64)>,
}

impl Journey<'_> {
    fn before(&self, at: i64, window: i64) -> &[(i64, &str)] {
        let end = self.touches.partition_point(|touch| touch.0 <= at);
        let touches = &self.touches[..end];
        let start = touches.partition_point(|touch| at.saturating_sub(touch.0) > window);
        &touches[start..]
    }
}

fn journey<'a>(
    columns: (&ArrayRef, &'a ArrayRef),
    value: impl Fn(usize) -> Option<f64>,
) -> Result<Journey<'a>> {
    let unfit = || undefined("attribution", &[columns.0.data_type().clone()]);
    let wanted = time_type(columns.0.data_type()).ok_or_else(unfit)?;
    let times = cast(&cast(columns.0, &wanted)?, &DataType::Int64)?;
    let times = times.as_primitive::<Int64Type>();
    let sources = columns.1.as_string_view();
    let (mut touches, mut conversions) = (vec![], vec![]);
    for row in (0..times.len()).filter(|row| times.is_valid(*row)) {
        match value(row) {
            Some(value) => conversions.push((times.value(row), value)),
            None if sources.is_valid(row) => touches.push((times.value(row), sources.value(row))),
            None => {}
        }
    }
    touches.sort_unstable();
    conversions.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    Ok(Journey { touches, conversions })
}

fn window(plan: &Plan, place: usize) -> Result<i64> {
    let interval = DataType::Interval(IntervalUnit::MonthDayNano);
    let expr = plan.exprs.get(place);
    let value = expr.map(|expr| constant(expr, &interval)).transpose()?;
    Ok(microseconds("window", &value.unwrap_or(ScalarValue::Null))?)
}

fn given(plan: &Plan) -> Vec<DataType> {
    plan.fields.iter().map(|field| field.data_type().clone()).collect()
}

fn attribution(plan: &Plan, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let [_, _, time, source, value] = columns else {
        return Err(undefined("attribution", &given(plan)).into());
    };
    let model = constant(&plan.exprs[0], &DataType::Utf8)?;
    let model = match &model {
        ScalarValue::Utf8(Some(model)) => model.as_str(),
        _ => "",
    };
    let window = window(plan, 1)?;
    let (source, value) = (cast(source, &DataType::Utf8View)?, cast(value, &DataType::Float64)?);
    let value = value.as_primitive::<Float64Type>();
    let journey = journey((time, &source), |row| value.is_valid(row).then(|| value.value(row)))?;
    let mut credit: BTreeMap<&str, f64> = BTreeMap::new();
    for (at, value) in &journey.conversions {
        let touches = journey.before(*at, window);
        if touches.is_empty() {
            *credit.entry(NO_SOURCE).or_default() += value;
        }
        for ((_, source), share) in touches.iter().zip(shares(model, touches, *at)?) {
            *credit.entry(source).or_default() += value * share;
        }
    }
    if credit.is_empty() {
        return Ok(ScalarValue::Utf8View(None));
    }
    let members = credit.iter().filter(|(_, value)| **value != 0.0);
    let members: Vec<String> =
        members.map(|(source, value)| format!("{}: {value}", quoted(source))).collect();
    Ok(ScalarValue::Utf8View(Some(normalise(&format!("{{{}}}", members.join(", ")))?)))
}

/// The part of a conversion that each touch is credited with; their sum is one.
fn shares(model: &str, touches: &[(i64, &str)], at: i64) -> Result<Vec<f64>> {
    let last = touches.len().saturating_sub(1);
    let weight = |place: usize, time: i64| {
        Some(match model {
            "first" => f64::from(u8::from(place == 0)),
            "last" => f64::from(u8::from(place == last)),
            "linear" => 1.0,
            "position" if last < 2 => 1.0,
            "position" if place == 0 || place == last => 0.4,
            "position" => 0.2 / (last - 1) as f64,
            "decay" => 0.5_f64.powf((at - time) as f64 / HALF_LIFE),
            _ => return None,
        })
    };
    let weights = touches.iter().enumerate().map(|(place, touch)| weight(place, touch.0));
    let weights: Option<Vec<f64>> = weights.collect();
    let weights = weights.ok_or_else(|| {
        ValueError::new("22023", format!("unknown model of attribution: \"{model}\""))
            .with_hint("Models are first, last, linear, position and decay.")
    })?;
    let sum: f64 = weights.iter().sum();
    Ok(weights.into_iter().map(|weight| weight / sum).collect())
}

fn touch(plan: &Plan, columns: &[ArrayRef], first: bool) -> Result<ScalarValue> {
    let name = if first { "first_touch" } else { "last_touch" };
    let [_, time, source, converted] = columns else {
        return Err(undefined(name, &given(plan)).into());
    };
    let window = window(plan, 0)?;
    let (source, converted) =
        (cast(source, &DataType::Utf8View)?, cast(converted, &DataType::Boolean)?);
    let converted = converted.as_boolean();
    let is_conversion = |row: usize| converted.is_valid(row) && converted.value(row);
    let journey = journey((time, &source), |row| is_conversion(row).then_some(1.0))?;
    let touches = journey.conversions.first().map(|(at, _)| journey.before(*at, window));
    let touch = touches.and_then(|touches| if first { touches.first() } else { touches.last() });
    Ok(ScalarValue::Utf8View(touch.map(|(_, source)| (*source).to_owned())))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check_query;

    #[test]
    fn credit() {
        let rows = "(select at::date as at, source, value from (values ('2026-01-01', 'ads', null), ('2026-01-08', 'mail', null), \
                    ('2026-01-09', 'ads', null), ('2026-01-15', null, 100), ('2026-03-01', null, 7)) v(at, source, value)) t";
        let model =
            |model: &str| format!("attribution('{model}', interval '30 days', at, source, value)");
        check_query(&[
            (&model("first"), rows, &["{\"ads\": 100, \"(none)\": 7}"]),
            (&model("position"), rows, &["{\"ads\": 80, \"mail\": 20, \"(none)\": 7}"]),
            (
                "attribution('linear', interval '7 days', at, source, value)",
                rows,
                &["{\"ads\": 50, \"mail\": 50, \"(none)\": 7}"],
            ),
            (
                "first_touch(interval '7 days', at, source, value is not null), \
                 last_touch(interval '30 days', at, source, value is not null)",
                rows,
                &["mail", "ads"],
            ),
            ("last_touch(interval '1 day', at, source, value is not null)", rows, &["NULL"]),
        ]);
    }

    #[test]
    fn half_as_much_a_week_before() {
        let rows = "(select at::date as at, source, value from (values ('2026-01-01', 'a', null), ('2026-01-08', 'b', null), \
                    ('2026-01-15', null, 3)) v(at, source, value)) t";
        check_query(&[(
            "attribution('decay', interval '30 days', at, source, value)",
            rows,
            &["{\"a\": 1, \"b\": 2}"],
        )]);
    }
}
