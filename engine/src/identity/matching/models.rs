//! Models as rows of `identity.models` and `identity.model_levels`.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::features::oids;
use clientele_identity::matching::{Dependence, LevelRow, Links, Meaning, Model, VERSION};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use serde_json::{Value, json};

use super::columns::Asked;
use crate::builtin;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// A model that is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) asked: Asked,
    pub(super) model: Model,
}

/// The rows of a system table, each column whole.
fn read(context: &QueryContext, relation: u32) -> Result<Vec<Vec<ArrayRef>>> {
    let mut batches = Vec::new();
    builtin::each(context, relation, |rows| batches.push(rows.columns))?;
    Ok(batches)
}

fn integer(columns: &[ArrayRef], at: usize, row: usize) -> Option<i64> {
    let array = columns.get(at)?;
    let wide = array.as_primitive_opt::<Int64Type>().map(|one| one.value(row));
    wide.or_else(|| Some(i64::from(array.as_primitive_opt::<Int32Type>()?.value(row))))
}

fn float(columns: &[ArrayRef], at: usize, row: usize) -> Option<f64> {
    Some(columns.get(at)?.as_primitive_opt::<Float64Type>()?.value(row))
}

fn text(columns: &[ArrayRef], at: usize, row: usize) -> Option<&str> {
    Some(columns.get(at)?.as_string_view_opt()?.value(row))
}

fn truth(columns: &[ArrayRef], at: usize, row: usize) -> Option<bool> {
    Some(columns.get(at)?.as_boolean_opt()?.value(row))
}

/// Numbers of the models that are kept.
pub(super) fn numbers(context: &QueryContext) -> Result<Vec<i64>> {
    let batches = read(context, oids::MODELS)?;
    let rows = batches.iter().flat_map(|columns| {
        (0..columns.first().map_or(0, |one| one.len())).filter_map(|row| integer(columns, 0, row))
    });
    Ok(rows.collect())
}

/// The model of that number, or the newest one.
///
/// # Errors
/// P0002 when there is none, 55000 for one that an older version trained.
pub(super) fn find(context: &QueryContext, id: Option<i64>) -> Result<Kept> {
    let newest = numbers(context)?.into_iter().max();
    let id = id.or(newest).ok_or_else(|| {
        Error::new("P0002", "there is no model to match by")
            .with_hint("CALL identity.train() learns one from the rows that are there.")
    })?;
    let missing = || Error::new("P0002", format!("model {id} does not exist"));
    let mut levels = Vec::new();
    for columns in read(context, oids::MODEL_LEVELS)? {
        for row in 0..columns.first().map_or(0, |one| one.len()) {
            if integer(&columns, 0, row) == Some(id) {
                levels.push(level(&columns, row).ok_or_else(missing)?);
            }
        }
    }
    for columns in read(context, oids::MODELS)? {
        for row in 0..columns.first().map_or(0, |one| one.len()) {
            if integer(&columns, 0, row) == Some(id) {
                return kept(id, (&columns, row), &levels).ok_or_else(|| {
                    Error::new("55000", format!("model {id} is of an older version"))
                        .with_hint("CALL identity.train() trains another.")
                });
            }
        }
    }
    Err(missing())
}

fn level(columns: &[ArrayRef], row: usize) -> Option<LevelRow> {
    Some(LevelRow {
        comparison: text(columns, 1, row)?.to_owned(),
        meaning: Meaning::named(text(columns, 2, row)?)?,
        usual_share: float(columns, 3, row)?,
        level: u32::try_from(integer(columns, 4, row)?).ok()?,
        label: text(columns, 5, row)?.to_owned(),
        m: float(columns, 6, row)?,
        u: float(columns, 7, row)?,
        weight: float(columns, 8, row)?,
    })
}

fn kept(id: i64, (columns, row): (&[ArrayRef], usize), levels: &[LevelRow]) -> Option<Kept> {
    let version = u32::try_from(integer(columns, 9, row)?).ok()?;
    if version != VERSION {
        return None;
    }
    let across = truth(columns, 8, row)?;
    let mut model = Model {
        version,
        comparisons: Model::comparisons_of(levels)?,
        lambda: float(columns, 4, row)?,
        rules: Vec::new(),
        dependences: Vec::new(),
        block_limit: usize::try_from(integer(columns, 7, row)?).ok()?,
        links: if across { Links::AcrossSources } else { Links::All },
    };
    let rules = text(columns, 5, row)?.lines().map(|one| model.parse_rule(one));
    model.rules = rules.collect::<Option<_>>()?;
    model.dependences = dependences(&model, text(columns, 6, row)?)?;
    let (tables, asked) = (text(columns, 1, row)?.to_owned(), text(columns, 2, row)?.to_owned());
    Some(Kept { id, asked: Asked { tables, columns: asked }, model })
}

fn name(model: &Model, comparison: usize) -> &str {
    model.comparisons.get(comparison).map_or("", |one| one.name.as_str())
}

fn shown_dependences(model: &Model) -> String {
    let one = |one: &Dependence| {
        json!({
            "comparison": name(model, one.comparison), "given": name(model, one.given), "u": one.u,
        })
    };
    Value::Array(model.dependences.iter().map(one).collect()).to_string()
}

fn dependences(model: &Model, text: &str) -> Option<Vec<Dependence>> {
    let place = |one: &Value, key: &str| {
        let wanted = one.get(key)?.as_str()?;
        model.comparisons.iter().position(|comparison| comparison.name == wanted)
    };
    let one = |one: &Value| {
        let (comparison, given) = (place(one, "comparison")?, place(one, "given")?);
        Some(Dependence { comparison, given, u: one.get("u")?.as_f64()? })
    };
    serde_json::from_str::<Value>(text).ok()?.as_array()?.iter().map(one).collect()
}

fn one(text: &str) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values([text]))
}

/// The rows of a model: of `identity.models`, then of `identity.model_levels`.
pub(super) fn rows(kept: &Kept, records: usize, role: &str) -> Result<[RecordBatch; 2]> {
    let model = &kept.model;
    let long = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let short = |value: i64| -> ArrayRef {
        Arc::new(Int32Array::from(vec![i32::try_from(value).unwrap_or(i32::MAX)]))
    };
    let now = TimestampMicrosecondArray::from(vec![Utc::now().timestamp_micros()]);
    let head = vec![
        long(kept.id),
        one(&kept.asked.tables),
        one(&kept.asked.columns),
        long(i64::try_from(records).unwrap_or(i64::MAX)),
        Arc::new(Float64Array::from(vec![model.lambda])) as ArrayRef,
        one(&model.rule_texts().join("\n")),
        one(&shown_dependences(model)),
        short(i64::try_from(model.block_limit).unwrap_or(i64::MAX)),
        Arc::new(BooleanArray::from(vec![model.links == Links::AcrossSources])),
        short(i64::from(model.version)),
        one(role),
        Arc::new(now.with_timezone("UTC")),
    ];
    let levels = model.rows();
    let texts = |of: &dyn Fn(&LevelRow) -> String| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(levels.iter().map(of)))
    };
    let floats = |of: fn(&LevelRow) -> f64| -> ArrayRef {
        Arc::new(levels.iter().map(of).map(Some).collect::<Float64Array>())
    };
    let numbers = levels.iter().map(|one| i32::try_from(one.level).ok());
    let body = vec![
        Arc::new(Int64Array::from(vec![kept.id; levels.len()])) as ArrayRef,
        texts(&|one| one.comparison.clone()),
        texts(&|one| one.meaning.to_string()),
        floats(|one| one.usual_share),
        Arc::new(numbers.collect::<Int32Array>()),
        texts(&|one| one.label.clone()),
        floats(|one| one.m),
        floats(|one| one.u),
        floats(|one| one.weight),
    ];
    Ok([builtin::batch(oids::MODELS, &head)?, builtin::batch(oids::MODEL_LEVELS, &body)?])
}
