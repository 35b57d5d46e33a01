//! `ROW(a, b)` and whole rows: a record whose fields keep the exact types of their values, by which
//! they are printed and become JSON.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// Its name; the arguments are names and values in turn.
pub const RECORD: &str = "record of";
/// The same of a relation that an outer join may have no row of: NULL where all fields are.
pub const RECORD_OR_NULL: &str = "record or null of";

/// A record that is a whole row of a relation, and the relation's OID.
pub const ROW_OF: &str = "row of";

/// The functions.
pub(super) fn functions() -> [Arc<ScalarUDF>; 3] {
    [RECORD, RECORD_OR_NULL, ROW_OF].map(|name| {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::from(Record { name, signature }))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Record {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Record {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("a record's type is that of its fields")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if self.name == ROW_OF {
            return row_of(&args);
        }
        let named = args.scalar_arguments.chunks(2).zip(args.arg_fields.chunks(2));
        let field = |(names, fields): (&[Option<_>], &[FieldRef])| {
            let name: Option<&datafusion::scalar::ScalarValue> = names.first().copied().flatten();
            let name = name.and_then(|name| name.try_as_str().flatten())?;
            let field = fields.get(1)?.as_ref().clone();
            Some(Arc::new(field.with_name(name).with_nullable(true)))
        };
        let fields: Option<Fields> = named.map(field).collect();
        match fields {
            Some(fields) => Ok(Arc::new(
                Field::new(RECORD, DataType::Struct(fields), true)
                    .with_metadata(PgType::RECORD.metadata()),
            )),
            None => internal_err!("names and values in turn expected"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.name == ROW_OF {
            let record = args.args.into_iter().next();
            return record.ok_or_else(|| internal_datafusion_err!("a record expected"));
        }
        let DataType::Struct(fields) = args.return_field.data_type() else {
            return internal_err!("a record expected");
        };
        let values = args.args.iter().skip(1).step_by(2);
        let columns = values.map(|value| value.to_array(args.number_rows));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let is_row = |row: usize| columns.iter().any(|column| !column.is_null(row));
        let rows = (self.name == RECORD_OR_NULL)
            .then(|| (0..args.number_rows).map(is_row).collect::<NullBuffer>());
        let record = StructArray::try_new(fields.clone(), columns, rows)?;
        Ok(ColumnarValue::Array(Arc::new(record)))
    }
}

/// The record, of the relation's row type.
fn row_of(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let oid = args.scalar_arguments.get(1).copied().flatten();
    let oid = oid.and_then(|oid| oid.try_as_str().flatten()?.parse().ok());
    match (args.arg_fields.first(), oid) {
        (Some(field), Some(oid)) => {
            Ok(Arc::new(field.as_ref().clone().with_metadata(PgType::row_of(oid).metadata())))
        }
        _ => internal_err!("a record and the OID of its relation expected"),
    }
}
