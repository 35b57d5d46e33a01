//! The table functions: name, arguments, columns, what each does.

use clientele_catalog::definition::Oid;
use clientele_catalog::features::oids;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::ArrayRef;
use datafusion::scalar::ScalarValue;

use super::{events, preview, preview_segments, why};
use crate::error::{Error, Result};
use crate::functions::declared::{Function, Kernel};
use crate::functions::procedures::Parameter;
use crate::planning::context::QueryContext;

const fn parameter(name: &'static str, default: Option<&'static str>) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default }
}

const fn number(name: &'static str) -> Parameter {
    Parameter { name, pg_type: PgType::INT8, default: Some("NULL") }
}

/// The arguments that say a rule.
const RULE: &[Parameter] = &[
    parameter("namespace", None),
    number("priority"),
    number("max_per_customer"),
    number("max_fan_out"),
    parameter("blocked", Some("NULL")),
    parameter("blocked_regex", Some("NULL")),
];

/// Every table function.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "identity.why",
        parameters: &[parameter("a", None), parameter("b", None)],
        variadic: false,
        columns: why::COLUMNS,
        comment: "the shortest way from one identifier to another: what was seen with what, where and when",
        kernel: |context, values| allowed(context, "identity.why", (why::rows, values)),
    },
    Function {
        name: "identity.preview",
        parameters: RULE,
        variadic: false,
        columns: preview::COLUMNS,
        comment: "who would merge and who would split under another rule; nothing is changed",
        kernel: |context, values| allowed(context, "identity.preview", (preview::rows, values)),
    },
    Function {
        name: "identity.preview_segments",
        parameters: RULE,
        variadic: false,
        columns: preview_segments::COLUMNS,
        comment: "how many customers would enter and leave each segment under another rule; nothing is changed",
        kernel: |context, values| {
            allowed(context, "identity.preview_segments", (preview_segments::rows, values))
        },
    },
    Function {
        name: "identity.events",
        parameters: &[],
        variadic: false,
        columns: events::COLUMNS,
        comment: "every merge and split of customers, in the order in which they came",
        kernel: |context, values| allowed(context, "identity.events", (events::rows, values)),
    },
];

/// Asks a kernel for who may read identifiers.
fn allowed(
    context: &QueryContext,
    name: &str,
    (kernel, values): (Kernel, &[ScalarValue]),
) -> Result<Vec<ArrayRef>> {
    may_read(context, name)?;
    kernel(context, values)
}

/// Whether identifiers are shown to the role as they are.
pub(super) fn sees_values(context: &QueryContext) -> bool {
    let nodes = context.catalog().relation_by_oid(oids::NODES);
    let value = nodes.and_then(|nodes| Some((nodes, nodes.column("value")?)));
    value.is_some_and(|(nodes, value)| context.sees_column(nodes, value))
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
    if sees_values(context) && (readable(oids::NODES) || readable(oids::IDENTIFIERS)) {
        return Ok(());
    }
    Err(Error::new("42501", format!("permission denied for function {name}"))
        .with_detail("It tells of identifiers: SELECT on identity.identifiers is needed, and on identity.nodes (value)."))
}
