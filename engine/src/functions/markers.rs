//! Functions that stand for syntax until the types of its operands are known: DataFusion's planner
//! would choose by itself, and refuse what it does not know.

use std::sync::Arc;

use clientele_udfs::range::Kind;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// The prefix operator `-`.
pub const NEGATED: &str = "negated";
/// `x = ANY (array)`, with x first.
pub const EQUALS_ANY: &str = "equals any";
/// The first value of an enumerated type.
pub const ENUM_FIRST: &str = "enum_first";
/// The last one.
pub const ENUM_LAST: &str = "enum_last";
/// All of them, or those between two.
pub const ENUM_RANGE: &str = "enum_range";
/// `lower(x)`, of a text or of a range.
pub const LOWER: &str = "lower of";
/// `upper(x)`, likewise.
pub const UPPER: &str = "upper of";
/// What ranges are compared by; not a marker, but no name that SQL can call either.
pub const RANGE_ORDER: &str = "range order";
/// `substring(x FROM a FOR b)`.
pub const SUBSTRING: &str = "substring of";

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let all = [
        (NEGATED, vec![1]),
        (EQUALS_ANY, vec![2]),
        (SUBSTRING, vec![2, 3]),
        (LOWER, vec![1]),
        (UPPER, vec![1]),
        (ENUM_FIRST, vec![1]),
        (ENUM_LAST, vec![1]),
        (ENUM_RANGE, vec![1, 2]),
    ];
    all.into_iter().map(|(name, counts)| {
        let counts = counts.into_iter().map(datafusion::logical_expr::TypeSignature::Any);
        let signature = Signature::one_of(counts.collect(), Volatility::Immutable);
        Arc::new(ScalarUDF::from(Marker { name, signature }))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Marker {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Marker {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let first = args.arg_fields.first();
        Ok(match (self.name, first) {
            (ENUM_RANGE, _) => PgType::TEXT_ARRAY.field(self.name, true),
            (EQUALS_ANY, _) => PgType::BOOL.field(self.name, true),
            (LOWER | UPPER, Some(field)) => {
                let kind = Kind::of(PgType::from_field(field));
                kind.map_or(PgType::TEXT, |kind| kind.element).field(self.name, true)
            }
            (SUBSTRING, Some(field)) if PgType::from_field(field) != PgType::BYTEA => {
                PgType::TEXT.field(self.name, true)
            }
            (_, Some(field)) => Arc::clone(field),
            (_, None) => Arc::new(Field::new(self.name, DataType::Null, true)),
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        datafusion::common::internal_err!("{} is planned as what it stands for", self.name)
    }
}
