//! `ROW(a, b)` and whole rows: a record whose fields keep the exact types of their values, by which
//! they are printed and become JSON.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::internal_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// Its name; the arguments are names and values in turn.
pub const RECORD: &str = "record of";

/// The function.
pub(super) fn function() -> Arc<ScalarUDF> {
    let signature = Signature::variadic_any(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Record { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Record {
    signature: Signature,
}

impl ScalarUDFImpl for Record {
    fn name(&self) -> &str {
        RECORD
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("a record's type is that of its fields")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
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
        let DataType::Struct(fields) = args.return_field.data_type() else {
            return internal_err!("a record expected");
        };
        let values = args.args.iter().skip(1).step_by(2);
        let columns = values.map(|value| value.to_array(args.number_rows));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let record = StructArray::try_new(fields.clone(), columns, None)?;
        Ok(ColumnarValue::Array(Arc::new(record)))
    }
}
