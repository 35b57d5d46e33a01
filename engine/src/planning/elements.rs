//! Elements: of arrays, of the vectors of the catalogs.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;

use super::values::field_of;
use crate::functions;

/// `ARRAY['…'::jsonb]` is of the type over that of its elements, where DataFusion does not tell it.
pub(super) fn array_of(array: ScalarFunction, schema: &DFSchema) -> DataFusionResult<Expr> {
    let types = array.args.iter().map(|element| functions::operand_type(element, schema));
    let mut types = types.collect::<DataFusionResult<Vec<_>>>()?;
    types.retain(|one| *one != PgType::UNKNOWN);
    let element = types.first().copied().filter(|first| types.iter().all(|one| one == first));
    let array = Expr::ScalarFunction(array);
    let field = field_of(&array, schema)?;
    Ok(match element.map(|element| PgType { modifier: -1, ..element }.array()) {
        Some(pg_type) if pg_type != PgType::from_field(&field) => {
            let field = field.as_ref().clone().with_metadata(pg_type.metadata());
            functions::retyped(array, &Arc::new(field))
        }
        _ => array,
    })
}

pub(super) fn is_vector(access: &ScalarFunction, schema: &DFSchema) -> DataFusionResult<bool> {
    let Some(array) = access.args.first() else { return Ok(false) };
    let oid = PgType::from_field(field_of(array, schema)?.as_ref()).oid;
    Ok(oid == PgType::INT2VECTOR.oid || oid == PgType::OIDVECTOR.oid)
}
