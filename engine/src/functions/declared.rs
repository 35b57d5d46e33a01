//! Table functions that a feature declares: name, arguments, columns, one sentence, and a kernel.
//!
//! A feature puts its declarations into a table of its own and adds that table to [`all`].

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::scalar::ScalarValue;

use super::procedures::Parameter;
use super::tables::Arguments;
use crate::builtin;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// What a table function does: typed arguments in the order of its parameters; its columns.
pub(crate) type Kernel = fn(&QueryContext, &[ScalarValue]) -> Result<Vec<ArrayRef>>;

/// A table function of a feature.
pub(crate) struct Function {
    /// Schema and name.
    pub(crate) name: &'static str,
    /// Its arguments.
    pub(crate) parameters: &'static [Parameter],
    /// The last parameter takes any number of arguments.
    pub(crate) variadic: bool,
    /// Its columns.
    pub(crate) columns: &'static [(&'static str, PgType)],
    /// One sentence for `\df+`.
    pub(crate) comment: &'static str,
    /// What it does; it also refuses who may not ask.
    pub(crate) kernel: Kernel,
}

/// Every table function of the features.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    crate::identity::FUNCTIONS
        .iter()
        .chain(crate::segments::FUNCTIONS)
        .chain(crate::privacy::FUNCTIONS)
        .chain(crate::privacy::audit::FUNCTIONS)
        .chain(crate::consent::FUNCTIONS)
        .chain(crate::gdpr::FUNCTIONS)
}

/// Calls the function of that name; `None`: there is none.
pub(super) fn call(
    name: &str,
) -> Option<impl Fn(&QueryContext, Arguments) -> Result<RecordBatch> + use<>> {
    let function = all().find(|one| one.name == name)?;
    Some(move |context: &QueryContext, arguments: Arguments| {
        let values = matched(function, arguments)?;
        let columns = (function.kernel)(context, &values)?;
        let fields = function.columns.iter().map(|(name, pg_type)| pg_type.field(name, true));
        builtin::fitted(&Arc::new(Schema::new(fields.collect::<Vec<_>>())), &columns)
    })
}

/// Arguments in the order of the parameters; NULL for those that are not given.
fn matched(function: &Function, arguments: Arguments) -> Result<Vec<ScalarValue>> {
    let mut given: Vec<Option<ScalarValue>> = vec![None; function.parameters.len()];
    let mut more = Vec::new();
    for (index, (label, value)) in arguments.into_iter().enumerate() {
        let place = match &label {
            None if index >= given.len() && function.variadic => {
                more.push(value);
                continue;
            }
            None => Some(index),
            Some(label) => function.parameters.iter().position(|one| one.name == label),
        };
        let slot = place.and_then(|place| given.get_mut(place)).ok_or_else(|| unfit(function))?;
        if slot.replace(value).is_some() {
            return Err(unfit(function));
        }
    }
    let last = function.parameters.last();
    let pairs = function.parameters.iter().zip(given);
    let more = more.into_iter().filter_map(|one| Some((last?, Some(one))));
    pairs
        .chain(more)
        .map(|(parameter, value)| match (value, parameter.default) {
            (Some(value), _) => value.cast_to(&parameter.pg_type.arrow()).map_err(Error::from),
            (None, Some(_)) => {
                ScalarValue::try_from(&parameter.pg_type.arrow()).map_err(Error::from)
            }
            (None, None) => Err(unfit(function)),
        })
        .collect()
}

fn unfit(function: &Function) -> Error {
    let parameter = |one: &Parameter| {
        let default = one.default.map(|one| format!(" DEFAULT {one}")).unwrap_or_default();
        format!("{} {}{default}", one.name, one.pg_type.sql_name())
    };
    let mut parameters: Vec<String> = function.parameters.iter().map(parameter).collect();
    if let Some(last) = parameters.last_mut().filter(|_| function.variadic) {
        last.push_str(", ...");
    }
    Error::new("42883", format!("function {} does not take these arguments", function.name))
        .with_hint(format!("Its signature is {}({}).", function.name, parameters.join(", ")))
}
