//! The table functions: name, arguments, columns, what each does.

use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::features::oids;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::scalar::ScalarValue;

use super::{events, preview, why};
use crate::error::{Error, Result};
use crate::functions::procedures::Parameter;
use crate::planning::context::QueryContext;

/// A table function of a feature.
pub(crate) struct Function {
    /// Schema and name.
    pub(crate) name: &'static str,
    /// Its arguments.
    pub(crate) parameters: &'static [Parameter],
    /// Its columns.
    pub(crate) columns: &'static [(&'static str, PgType)],
    /// One sentence for `\df+`.
    pub(crate) comment: &'static str,
    kernel: fn(&QueryContext, &[ScalarValue]) -> Result<Vec<ArrayRef>>,
}

const fn parameter(name: &'static str, default: Option<&'static str>) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default }
}

const fn number(name: &'static str) -> Parameter {
    Parameter { name, pg_type: PgType::INT8, default: Some("NULL") }
}

/// Arguments with their names.
type Arguments = Vec<(Option<String>, ScalarValue)>;

/// Every table function.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "identity.why",
        parameters: &[parameter("a", None), parameter("b", None)],
        columns: why::COLUMNS,
        comment: "the shortest way from one identifier to another: what was seen with what, where and when",
        kernel: why::rows,
    },
    Function {
        name: "identity.preview",
        parameters: &[
            parameter("namespace", None),
            number("priority"),
            number("max_per_customer"),
            number("max_fan_out"),
            parameter("blocked", Some("NULL")),
            parameter("blocked_regex", Some("NULL")),
        ],
        columns: preview::COLUMNS,
        comment: "who would merge and who would split under another rule; nothing is changed",
        kernel: preview::rows,
    },
    Function {
        name: "identity.events",
        parameters: &[],
        columns: events::COLUMNS,
        comment: "every merge and split of customers, in the order in which they came",
        kernel: events::rows,
    },
];

/// Calls the function of that name; `None`: there is none.
pub(crate) fn call(
    name: &str,
) -> Option<impl Fn(&QueryContext, Arguments) -> Result<RecordBatch> + use<>> {
    let function = FUNCTIONS.iter().find(|one| one.name == name)?;
    Some(move |context: &QueryContext, arguments: Arguments| {
        may_read(context, function.name)?;
        let values = matched(function, arguments)?;
        let columns = (function.kernel)(context, &values)?;
        let fields = function.columns.iter().map(|(name, pg_type)| pg_type.field(name, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        RecordBatch::try_new(schema, columns).map_err(Error::internal)
    })
}

/// What shows or tries identifiers is for those who may read them all.
///
/// # Errors
/// 42501.
pub(super) fn may_read(context: &QueryContext, name: &str) -> Result<()> {
    let readable = |oid: Oid| {
        let relation = context.catalog().relation_by_oid(oid);
        relation.is_some_and(|one| Access::relation(one).permits(&context.rights, 'r', false))
    };
    if readable(oids::NODES) || readable(oids::IDENTIFIERS) {
        return Ok(());
    }
    Err(Error::new("42501", format!("permission denied for function {name}"))
        .with_detail("It tells of identifiers: SELECT on identity.identifiers is needed."))
}

/// Arguments in the order of the parameters; NULL for those that are not given.
fn matched(
    function: &Function,
    arguments: Vec<(Option<String>, ScalarValue)>,
) -> Result<Vec<ScalarValue>> {
    let mut given: Vec<Option<ScalarValue>> = vec![None; function.parameters.len()];
    for (index, (label, value)) in arguments.into_iter().enumerate() {
        let place = match &label {
            None => Some(index),
            Some(label) => function.parameters.iter().position(|one| one.name == label),
        };
        let slot = place.and_then(|place| given.get_mut(place)).ok_or_else(|| unfit(function))?;
        if slot.replace(value).is_some() {
            return Err(unfit(function));
        }
    }
    let pairs = function.parameters.iter().zip(given);
    pairs
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
    let parameters: Vec<String> = function.parameters.iter().map(parameter).collect();
    Error::new("42883", format!("function {} does not take these arguments", function.name))
        .with_hint(format!("Its signature is {}({}).", function.name, parameters.join(", ")))
}
