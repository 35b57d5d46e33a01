//! `identity.why(a, b)`: the shortest way between two identifiers.

use std::sync::Arc;

use clientele_catalog::domains::Subject;
use clientele_identity::graph::{LinkKind, Via};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::handle::{self, source_name};
use crate::planning::context::QueryContext;

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("step", PgType::INT4),
    ("from_identifier", PgType::TEXT),
    ("to_identifier", PgType::TEXT),
    ("via", PgType::TEXT),
    ("source", PgType::TEXT),
    ("weight", PgType::FLOAT8),
    ("seen_at", PgType::TIMESTAMPTZ),
];

/// One row for each step; none when the two are not one customer.
pub(super) fn rows(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let (Some(a), Some(b)) = (text(arguments, 0), text(arguments, 1)) else {
        return Err(Error::new("22004", "identity.why needs two identifiers"));
    };
    let ends = (handle::seen(context, a)?, handle::seen(context, b)?);
    let (subject, path) = match ends {
        (Some(a), Some(b)) if a.subject == b.subject => {
            (a.subject, context.store.path(a.subject, a.node, b.node).unwrap_or_default())
        }
        _ => (Subject::Person, Vec::new()),
    };
    let nodes = path.iter().flat_map(|step| {
        let record = match step.via {
            Via::Record(record) => record,
            Via::Link(_) => step.from,
        };
        [step.from, step.to, record]
    });
    let nodes: Vec<u32> = nodes.collect();
    let sights = context.store.first_sights(&context.snapshot, subject, &nodes)?;
    let catalog = context.catalog();
    let of_record = |via: &Via| match via {
        Via::Record(record) => sights.iter().find(|one| one.node == *record),
        Via::Link(_) => None,
    };
    let kind = |via: &Via| match via {
        Via::Record(_) => "record",
        Via::Link(link) => match link.kind {
            LinkKind::Matched { .. } => "match",
            LinkKind::Merged => "merge",
            LinkKind::Split => "split",
        },
    };
    let weight = |via: &Via| match via {
        Via::Link(link) => match link.kind {
            LinkKind::Matched { weight } => Some(f64::from(weight)),
            _ => None,
        },
        Via::Record(_) => None,
    };
    let shown = |node: u32| handle::shown(catalog, &sights, node);
    let sources =
        path.iter().map(|step| of_record(&step.via).map(|one| source_name(catalog, one.source)));
    let times = path.iter().map(|step| of_record(&step.via).map(|one| one.seen_at));
    Ok(vec![
        Arc::new((1..).take(path.len()).map(Some).collect::<Int32Array>()),
        Arc::new(path.iter().map(|step| shown(step.from)).collect::<StringViewArray>()),
        Arc::new(path.iter().map(|step| shown(step.to)).collect::<StringViewArray>()),
        Arc::new(path.iter().map(|step| Some(kind(&step.via))).collect::<StringViewArray>()),
        Arc::new(sources.collect::<StringViewArray>()),
        Arc::new(path.iter().map(|step| weight(&step.via)).collect::<Float64Array>()),
        Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
    ])
}
