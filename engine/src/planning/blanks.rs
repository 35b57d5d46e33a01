//! Values of `char(n)`: the blanks that they are filled with mean nothing (manual, 8.3).

use clientele_udfs::types::PgType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result as DataFusionResult;
use datafusion::functions::string::expr_fn::rtrim;
use datafusion::logical_expr::Expr;

use crate::functions;

/// Trailing blanks of `char(n)` mean nothing where values are compared. A literal gets the blanks
/// that the column's values have, so that the column stays what files and keys are searched by.
pub(super) fn alike(left: Expr, right: Expr, types: (PgType, PgType)) -> (Expr, Expr) {
    let fixed = |one: PgType| one.oid == PgType::BPCHAR.oid;
    let trimmed = |expr: Expr| rtrim(vec![expr]);
    let padded = |literal: Expr, width: i32| match &literal {
        Expr::Literal(ScalarValue::Utf8(Some(text)), None) => {
            let text = text.trim_end_matches(' ');
            let width = usize::try_from(width - 4).unwrap_or_default();
            Expr::Literal(ScalarValue::Utf8(Some(format!("{text:<width$}"))), None)
        }
        _ => literal,
    };
    match (fixed(types.0), fixed(types.1)) {
        (false, false) => (left, right),
        (true, true) if types.0.modifier == types.1.modifier => (left, right),
        (true, false) if types.1 == PgType::UNKNOWN => (left, padded(right, types.0.modifier)),
        (false, true) if types.0 == PgType::UNKNOWN => (padded(left, types.1.modifier), right),
        (true, true) => (trimmed(left), trimmed(right)),
        (true, false) => (trimmed(left), right),
        (false, true) => (left, trimmed(right)),
    }
}

/// Takes the blanks off that `char(n)` is filled with: they go where it becomes text (manual, 8.3).
pub(super) fn unpad(arguments: &mut [Expr], schema: &DFSchema) -> DataFusionResult<()> {
    for argument in arguments {
        if functions::operand_type(argument, schema)?.oid == PgType::BPCHAR.oid {
            let value = std::mem::replace(argument, Expr::Literal(ScalarValue::Null, None));
            *argument = rtrim(vec![value]);
        }
    }
    Ok(())
}

/// Functions of text.
pub(super) const OF_TEXT: &[&str] = &[
    "ascii",
    "btrim",
    "char_length",
    "character_length",
    "initcap",
    "left",
    "length",
    "lpad",
    "ltrim",
    "md5",
    "quote_ident",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_matches",
    "regexp_replace",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "regexp_substr",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "string_to_array",
    "strpos",
    "substr",
    "to_date",
    "to_number",
    "to_timestamp",
    "translate",
];
