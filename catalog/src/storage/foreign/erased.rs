//! Files of others keep those who were erased; answers do not have them: rows with an identifier
//! that has a tombstone are left out.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Column as ColumnExpr;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use crate::catalog::Catalog;
use crate::definition::Relation;
use crate::error::Result;
use crate::storage::erasure::{Tombstone, Tombstones};
use crate::storage::provider::external;
use crate::storage::shared::Shared;
use crate::storage::stitching::{IdentifierColumn, identifier_columns, identifiers};

/// What is asked of each row.
pub(super) struct Stays {
    tombstones: Arc<Tombstones>,
    /// With the place of the column that each is of.
    identifiers: Vec<(usize, IdentifierColumn)>,
}

impl Stays {
    /// `None`: nobody was erased, or the table has no identifiers.
    pub(super) fn of(shared: &Shared, catalog: &Catalog, relation: &Relation) -> Option<Self> {
        let tombstones = shared.identity.tombstones();
        if tombstones.is_empty() {
            return None;
        }
        let columns = relation.live_columns().enumerate();
        let identifiers = columns.flat_map(|(place, column)| {
            identifier_columns(catalog, place, column).into_iter().map(move |one| (place, one))
        });
        let identifiers: Vec<_> = identifiers.collect();
        (!identifiers.is_empty()).then_some(Self { tombstones, identifiers })
    }

    /// The places of the columns that are looked at, each once.
    pub(super) fn places(&self) -> Vec<usize> {
        let mut places: Vec<usize> = self.identifiers.iter().map(|(place, _)| *place).collect();
        places.dedup();
        places
    }

    /// The condition, over a scan that has the columns.
    pub(super) fn condition(
        self,
        scan: &Schema,
        names: &[&str],
        state: &dyn Session,
    ) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
        let mut arguments: Vec<Arc<dyn PhysicalExpr>> = Vec::with_capacity(names.len());
        for name in names {
            arguments.push(Arc::new(ColumnExpr::new(name, scan.index_of(name)?)));
        }
        let function = NotErased {
            signature: Signature::any(names.len(), Volatility::Immutable),
            places: self.places(),
            stays: Arc::new(self),
        };
        Ok(Arc::new(ScalarFunctionExpr::new(
            "not_erased",
            Arc::new(ScalarUDF::new_from_impl(function)),
            arguments,
            Arc::new(Field::new("not_erased", DataType::Boolean, false)),
            Arc::clone(state.config().options()),
        )))
    }

    fn rows(
        &self,
        places: &[usize],
        arguments: &[datafusion::arrow::array::ArrayRef],
    ) -> Result<BooleanArray> {
        let rows = arguments.first().map_or(0, |array| array.len());
        let mut stays = vec![true; rows];
        for (place, column) in &self.identifiers {
            let argument = places.iter().position(|one| one == place);
            let Some(array) = argument.and_then(|at| arguments.get(at)) else { continue };
            let (codes, distinct) = identifiers(column, array)?;
            let erased = |value: &String| {
                self.tombstones.contains(Tombstone::Identifier(column.namespace(), value))
            };
            let erased: Vec<bool> = distinct.iter().map(erased).collect();
            for (stays, code) in stays.iter_mut().zip(codes) {
                // Codes count from 1; 0 is no identifier.
                let code = usize::try_from(code).unwrap_or_default().checked_sub(1);
                *stays &= !code.and_then(|code| erased.get(code)).is_some_and(|one| *one);
            }
        }
        Ok(BooleanArray::from(stays))
    }
}

impl fmt::Debug for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stays").field("places", &self.places()).finish_non_exhaustive()
    }
}

/// Internal: whether no identifier of a row is that of somebody who was erased.
#[derive(Debug)]
struct NotErased {
    signature: Signature,
    places: Vec<usize>,
    stays: Arc<Stays>,
}

impl PartialEq for NotErased {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.stays, &other.stays)
    }
}

impl Eq for NotErased {}

impl Hash for NotErased {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.stays).hash(state);
    }
}

impl ScalarUDFImpl for NotErased {
    fn name(&self) -> &'static str {
        "not_erased"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let rows = self.stays.rows(&self.places, &arrays).map_err(external)?;
        Ok(ColumnarValue::Array(Arc::new(rows)))
    }
}
