//! Columns of a file as a table has them: found by name, cast as PostgreSQL casts.

use std::sync::Arc;

use clientele_udfs::cast;
use clientele_udfs::types::{Kept, PgType};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_expr::expressions::{CastExpr, Column as ColumnExpr, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};

use super::files::ForeignFile;
use super::uuid;
use crate::definition::Column;
use crate::error::{Error, Result};

/// How Parquet keeps UUIDs.
const UUID_BYTES: DataType = DataType::FixedSizeBinary(16);

/// How a column is made from that of a file.
enum Reading {
    /// Arrow's cast is PostgreSQL's, and bounds of the column stay bounds.
    Arrow,
    /// A cast of PostgreSQL's own.
    Cast(Arc<ScalarUDF>),
}

/// Refuses a file that cannot give the columns.
///
/// # Errors
/// A column is missing that is declared NOT NULL, or is of a type that cannot be cast.
pub(super) fn check<'a>(
    file: &ForeignFile,
    columns: impl Iterator<Item = &'a Column>,
) -> Result<()> {
    let schema = file.footer.schema();
    for column in columns {
        let Some(at) = place(schema, &column.name) else {
            if column.not_null {
                return Err(Error::FileLacksColumn {
                    path: file.path.clone(),
                    column: column.name.clone(),
                });
            }
            continue;
        };
        if reading(schema.field(at), column.pg_type).is_none() {
            return Err(Error::FileColumnType {
                path: file.path.clone(),
                column: column.name.clone(),
                found: shown(schema.field(at)),
                wanted: column.pg_type.sql_name(),
            });
        }
    }
    Ok(())
}

/// Where a file has a column: its name, else its name in other letters.
fn place(schema: &Schema, name: &str) -> Option<usize> {
    let exact = schema.fields().iter().position(|field| field.name() == name);
    let alike = |field: &FieldRef| field.name().to_lowercase() == name.to_lowercase();
    exact.or_else(|| schema.fields().iter().position(alike))
}

/// The type of a file's column in PostgreSQL's words; Arrow's where it has none.
fn shown(field: &Field) -> String {
    match has_form(field.data_type()) {
        true => PgType::from_field(&as_read(field)).sql_name(),
        false => field.data_type().to_string(),
    }
}

/// Large binaries of a file are bytes; here they are numbers.
fn as_read(field: &Field) -> Field {
    match field.data_type() {
        DataType::LargeBinary => field.clone().with_data_type(DataType::Binary),
        _ => field.clone(),
    }
}

/// Whether values of a file's column are values of some type.
pub(super) fn has_form(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => false,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            !item.data_type().is_nested() && has_form(item.data_type())
        }
        other => !other.is_nested() || matches!(other, DataType::Dictionary(..)),
    }
}

/// The type that a file's column has by itself; `None`: none.
pub(super) fn own_type(field: &Field) -> Option<PgType> {
    has_form(field.data_type()).then(|| match field.data_type() {
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            PgType::numeric(u16::from(*precision), i16::from(*scale))
        }
        DataType::UInt64 => PgType::NUMERIC,
        _ => PgType::from_field(&as_read(field)),
    })
}

/// `None`: there is no such cast.
fn reading(field: &Field, to: PgType) -> Option<Reading> {
    if !has_form(field.data_type()) {
        return None;
    }
    if *field.data_type() == UUID_BYTES && to == PgType::UUID {
        return Some(Reading::Cast(uuid::function()));
    }
    let field = &as_read(field);
    let from = PgType::from_field(field);
    if !cast::exists(from, to, true) {
        return None;
    }
    let is_number = |one: PgType| one.facts().category == 'N' && one.element().is_none();
    if as_it_is(field.data_type(), to) || is_moment(field.data_type(), to) {
        return Some(Reading::Arrow);
    }
    if to.oid == PgType::NUMERIC.oid && is_number(from) {
        return Some(Reading::Cast(cast::to_numeric(to)));
    }
    Some(cast::cast(field, to, true).map_or(Reading::Arrow, Reading::Cast))
}

/// Whether every value of the Arrow type is one of the type; texts have rules of their own.
fn as_it_is(data_type: &DataType, to: PgType) -> bool {
    *data_type == to.arrow() && to.facts().kept_as != Kept::Text && to.element().is_none()
}

/// Whether only the unit of an instant differs.
fn is_moment(data_type: &DataType, to: PgType) -> bool {
    match data_type {
        DataType::Timestamp(_, None) => to == PgType::TIMESTAMP,
        DataType::Timestamp(_, Some(_)) => to == PgType::TIMESTAMPTZ,
        _ => false,
    }
}

/// Casts each file's columns to the table's.
#[derive(Debug)]
pub(super) struct CastColumns {
    /// Settings that casts hang on: the zone.
    pub(super) options: Arc<ConfigOptions>,
}

impl PhysicalExprAdapterFactory for CastColumns {
    fn create(
        &self,
        logical_file_schema: SchemaRef,
        physical_file_schema: SchemaRef,
    ) -> DataFusionResult<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(OfFile {
            table: logical_file_schema,
            file: physical_file_schema,
            options: Arc::clone(&self.options),
        }))
    }
}

/// The columns of one file.
#[derive(Debug)]
struct OfFile {
    table: SchemaRef,
    file: SchemaRef,
    options: Arc<ConfigOptions>,
}

impl OfFile {
    fn column(&self, name: &str, wanted: &Field) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
        let Some(at) = place(&self.file, name) else {
            let null = ScalarValue::try_from(wanted.data_type())?;
            let metadata = FieldMetadata::from(wanted);
            return Ok(Arc::new(Literal::new_with_metadata(null, Some(metadata))));
        };
        let found = self.file.field(at);
        let mut read: Arc<dyn PhysicalExpr> = Arc::new(ColumnExpr::new(found.name(), at));
        if found == wanted {
            return Ok(read);
        }
        let plain = as_read(found);
        if plain.data_type() != found.data_type() {
            read = Arc::new(CastExpr::new_with_target_field(read, Arc::new(plain), None));
        }
        let to = PgType::from_field(wanted);
        let wanted = Arc::new(wanted.clone());
        Ok(match reading(found, to) {
            Some(Reading::Cast(function)) => Arc::new(ScalarFunctionExpr::new(
                function.name(),
                Arc::clone(&function),
                vec![read],
                wanted,
                Arc::clone(&self.options),
            )),
            Some(Reading::Arrow) => Arc::new(CastExpr::new_with_target_field(read, wanted, None)),
            None => {
                let text = format!("column \"{name}\" of a file cannot be cast");
                return Err(datafusion::error::DataFusionError::Internal(text));
            }
        })
    }
}

impl PhysicalExprAdapter for OfFile {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
        let rewritten = expr.transform(|node| {
            let Some(column) = node.downcast_ref::<ColumnExpr>() else {
                return Ok(Transformed::no(node));
            };
            match self.table.field_with_name(column.name()) {
                Ok(wanted) => self.column(column.name(), wanted).map(Transformed::yes),
                Err(_) => Ok(Transformed::no(node)),
            }
        });
        rewritten.data()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn columns_are_found_by_name_and_by_letters() {
        let fields = ["Id", "id", "NAME"].map(|name| Field::new(name, DataType::Int32, true));
        let schema = Schema::new(fields.to_vec());
        let found = ["id", "Id", "ID", "name", "other"].map(|name| place(&schema, name));
        assert_eq!(found, [Some(1), Some(0), Some(0), Some(2), None]);
    }

    #[test]
    fn types_are_cast_as_postgresql_casts_them() {
        let utc = || DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let item = |data_type| Arc::new(Field::new("element", data_type, true));
        let fields = vec![Field::new("a", DataType::Int32, true)];
        let cases = [
            (DataType::Int32, PgType::INT8, "arrow"),
            (DataType::Int64, PgType::INT4, "cast"),
            (DataType::Utf8View, PgType::TEXT, "arrow"),
            (DataType::Utf8View, PgType::DATE, "cast"),
            (DataType::Decimal128(12, 2), PgType::numeric(12, 2), "arrow"),
            (DataType::Decimal128(12, 2), PgType::NUMERIC, "cast"),
            (utc(), PgType::TIMESTAMPTZ, "arrow"),
            (utc(), PgType::DATE, "cast"),
            (utc(), PgType::INT4, "none"),
            (DataType::Boolean, PgType::DATE, "none"),
            (DataType::LargeBinary, PgType::BYTEA, "arrow"),
            (UUID_BYTES, PgType::UUID, "cast"),
            (DataType::FixedSizeBinary(8), PgType::UUID, "none"),
            (DataType::List(item(DataType::Int32)), PgType::INT4_ARRAY, "cast"),
            (
                DataType::List(item(DataType::List(item(DataType::Int32)))),
                PgType::INT4_ARRAY,
                "none",
            ),
            (DataType::Struct(fields.into()), PgType::TEXT, "none"),
        ];
        for (data_type, to, expected) in cases {
            let field = Field::new("c", data_type, true);
            let found = match reading(&field, to) {
                Some(Reading::Arrow) => "arrow",
                Some(Reading::Cast(_)) => "cast",
                None => "none",
            };
            assert_eq!(found, expected, "{field} as {}", to.sql_name());
        }
    }
}
