//! What the views `identity.suspicious` and `identity.near_limits` ask of the graph.
//!
//! ```sql
//! SELECT * FROM identity.quality;
//! SELECT * FROM identity.suspicious ORDER BY records DESC;
//! ```

use clientele_catalog::domains::Subject;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use crate::error::Result;
use crate::functions::row_kernel::{Kernel, number, stable, text, text_value};
use crate::planning::context::QueryContext;

/// Every function. None of them shows a value of an identifier.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel {
        name: "identity.bridge",
        arguments: "bigint",
        signature: stable(1, 1, PgType::TEXT),
        comment: "namespace of the identifier that alone holds the records of a customer together",
        call: bridge,
    },
    Kernel {
        name: "identity.max_fan_out",
        arguments: "text",
        signature: stable(1, 1, PgType::INT8),
        comment: "with how many others of one namespace an identifier of a namespace may be seen",
        call: |context, values| {
            let limits = context.store.limits(&context.snapshot, text(values, 0)?)?;
            Ok(ScalarValue::Int64(limits.fan_out.map(i64::from)))
        },
    },
];

fn bridge(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (store, snapshot) = (&context.store, &context.snapshot);
    let found = store.bridge(snapshot, Subject::Person, number(values, 0)?);
    let Some((node, _)) = found else { return Ok(ScalarValue::Utf8View(None)) };
    let sights = store.first_sights(snapshot, Subject::Person, &[node])?;
    let namespace = sights.first().and_then(|one| one.identifier.as_ref()).map(|one| one.0);
    let domain = namespace.and_then(|oid| context.catalog().domain_by_oid(oid));
    Ok(domain.map_or(ScalarValue::Utf8View(None), |domain| text_value(&domain.name)))
}
