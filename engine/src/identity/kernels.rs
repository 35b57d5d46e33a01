//! Scalar functions over identity.

use clientele_catalog::domains::{self, Kind, Subject};
use clientele_identity::graph::Status;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::functions::{may_read, sees_values};
use crate::error::Result;
use crate::functions::row_kernel::{Kernel, number, stable, text, text_value};
use crate::handle;
use crate::planning::context::QueryContext;

/// Every one.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel {
        name: "identity.resolve",
        arguments: "text",
        signature: stable(1, 1, PgType::INT8),
        comment: "the customer (or account) that an identifier such as email:jane@example.com belongs to",
        call: resolve,
    },
    Kernel {
        name: "identity.identifier_status",
        arguments: "oid, text",
        signature: stable(2, 2, PgType::TEXT),
        comment: "whether an identifier stitches: open, blocked or quarantined",
        call: |context, values| {
            let Some((status, _)) = standing(context, values)? else {
                return Ok(ScalarValue::Utf8View(None));
            };
            Ok(text_value(match status {
                Status::Open => "open",
                Status::Blocked => "blocked",
                Status::Quarantined => "quarantined",
                Status::Unknown => return Ok(ScalarValue::Utf8View(None)),
            }))
        },
    },
    Kernel {
        name: "identity.identifier_degree",
        arguments: "oid, text",
        signature: stable(2, 2, PgType::INT8),
        comment: "with how many identifiers of one namespace an identifier was seen",
        call: |context, values| {
            let degree = standing(context, values)?.map(|(_, degree)| i64::from(degree));
            Ok(ScalarValue::Int64(degree))
        },
    },
];

fn resolve(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    may_read(context, "identity.resolve")?;
    let Some(handle) = handle::seen(context, text(values, 0)?)? else {
        return Ok(ScalarValue::Int64(None));
    };
    let customer = context.snapshot.customers.of(handle.subject).customer(handle.node);
    Ok(ScalarValue::Int64((customer != 0).then(|| i64::from(customer))))
}

/// How an identifier, given by namespace and normalised value, stands.
fn standing(context: &QueryContext, values: &[ScalarValue]) -> Result<Option<(Status, u32)>> {
    // Who may not see identifiers may not try any.
    if !sees_values(context) {
        return Ok(None);
    }
    let (namespace, value) = (number(values, 0)?, text(values, 1)?);
    let Ok(namespace) = u32::try_from(namespace) else { return Ok(None) };
    let meaning = domains::meaning(context.catalog(), namespace);
    let subject = match meaning.map(|one| one.kind) {
        Some(Kind::Identifier(subject)) => subject,
        _ => Subject::Person,
    };
    let node = context.store.node_of(subject, namespace, value);
    Ok(node.map(|node| context.store.standing(subject, node)))
}
