//! Casts from text, to text, and among the text types.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;

use super::udf::Call;
use crate::functions::misc::inet::with_netmask;
use crate::input::text::{Rule, cut, padded};
use crate::input::{Builder, Context};
use crate::output::{self, Style};
use crate::types::PgType;
use crate::{Result, ValueError, layout};

/// Runs every text through the input function.
pub(super) fn parsed(array: &ArrayRef, call: &Call) -> Result<ArrayRef> {
    let texts = layout::converted(array, &DataType::Utf8View)?;
    let mut builder = Builder::new(call.to, array.len())?;
    for text in texts.as_string_view() {
        builder.append(text, &call.ctx)?;
    }
    Ok(builder.finish())
}

/// Runs every value through the output function, then the length rule.
pub(super) fn printed(array: &ArrayRef, from: PgType, call: &Call) -> Result<ArrayRef> {
    let texts = match array.data_type() {
        // `boolout` prints t and f, the cast to text true and false (bool.c, booltext).
        DataType::Boolean => layout::converted(array, &DataType::Utf8View)?,
        // The cast shows the netmask of a single host, which `inet_out` does not (network_show).
        _ if from == PgType::INET => {
            let texts = layout::converted(array, &DataType::Utf8View)?;
            let whole = texts.as_string_view().iter().map(|text| text.map(with_netmask));
            Arc::new(whole.collect::<StringViewArray>())
        }
        _ => {
            let style = Style { time_zone: call.ctx.time_zone, ..Style::default() };
            output::to_text_array(array, from, &style)?
        }
    };
    fitted(&texts, from, call)
}

/// Applies the length rule of the target, cutting where the cast is explicit.
pub(super) fn fitted(array: &ArrayRef, from: PgType, call: &Call) -> Result<ArrayRef> {
    let texts = layout::converted(array, &DataType::Utf8View)?;
    let rule = Rule::of(call.to);
    // Blanks at the end of char(n) mean nothing, and only there (manual §8.3).
    let blanks_end = from.oid == 1042 && call.to.oid != 1042;
    if rule == Rule::Any && !blanks_end {
        return Ok(texts);
    }
    let mut builder = StringViewBuilder::with_capacity(texts.len());
    for text in texts.as_string_view() {
        let text = text.map(|text| if blanks_end { text.trim_end_matches(' ') } else { text });
        builder.append_option(text.map(|text| fit(rule, text, call)).transpose()?);
    }
    Ok(Arc::new(builder.finish()))
}

fn fit<'t>(rule: Rule, text: &'t str, call: &Call) -> Result<Cow<'t, str>> {
    match rule {
        Rule::AtMost(length) if call.explicit => Ok(Cow::Borrowed(cut(text, length))),
        Rule::Padded(length) if call.explicit => Ok(padded(cut(text, length), length)),
        rule => rule.apply(text, &call.ctx),
    }
}

/// Casts the numbers and booleans of `jsonb`; JSON null is NULL only to `jsonb` itself.
pub(super) fn from_json(array: &ArrayRef, call: &Call) -> Result<ArrayRef> {
    let texts = layout::converted(array, &DataType::Utf8View)?;
    let wants_boolean = call.to == PgType::BOOL;
    // A number is a numeric first, so that 1.5 rounds instead of being refused.
    let mut builder =
        Builder::new(if wants_boolean { call.to } else { PgType::NUMERIC }, array.len())?;
    for text in texts.as_string_view() {
        let Some(text) = text else {
            builder.append_null();
            continue;
        };
        let kind = json_kind(text);
        if kind != if wants_boolean { "boolean" } else { "numeric" } {
            let message = format!("cannot cast jsonb {kind} to type {}", call.to.sql_name());
            return Err(ValueError::new("22023", message));
        }
        builder.append(Some(text), &Context { ..call.ctx })?;
    }
    let values = builder.finish();
    match call.to {
        PgType::BOOL => Ok(values),
        PgType::FLOAT4 | PgType::FLOAT8 => super::float::to_float(&values, call.to),
        to if to.oid == 1700 => super::numeric::to_numeric(&values, to),
        to => super::integer::to_integer(&values, to),
    }
}

fn json_kind(text: &str) -> &'static str {
    match text.bytes().next() {
        Some(b'"') => "string",
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'n') => "null",
        Some(b't' | b'f') => "boolean",
        _ => "numeric",
    }
}
