//! How a SQL function is declared: a signature as `\df` prints it, a sentence, a plain Rust kernel.
//!
//! ```ignore
//! function("left(text, int4) -> text", "The first n characters.", |row| {
//!     Ok(left(row.text(0), row.int(1)).into())
//! })
//! ```
//! Several overloads with one kernel stand in one string, separated by `;`. A kernel is not
//! called for a row with a NULL argument unless the function is declared `nulls()`.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::logical_expr::{ReturnFieldArgs, Volatility};

use super::argument::{Call, Row};
use super::signature::Signature;
use super::value::Value;
use crate::Result;

/// Computes one row.
pub type RowKernel = fn(&Row<'_>) -> Result<Value>;
/// Computes a column.
pub type ColumnKernel = fn(&Call<'_>) -> Result<ArrayRef>;
/// Precision and scale of a `numeric` result; `None`: each value has its own.
pub type ScaleRule = fn(&ReturnFieldArgs<'_>) -> Option<(u8, i8)>;
/// The field of a result that the signature alone does not tell.
pub type ResultRule = fn(&ReturnFieldArgs<'_>) -> Option<FieldRef>;

/// The body of a function.
#[derive(Debug, Clone, Copy)]
pub enum Kernel {
    /// Row by row.
    Rows(RowKernel),
    /// A column at once.
    Columns(ColumnKernel),
}

/// A SQL function: declared here, nowhere else.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name.
    pub name: &'static str,
    /// Overloads that share the kernel.
    pub signatures: Vec<Signature>,
    /// One sentence.
    pub description: &'static str,
    /// Whether it always gives the same answer.
    pub volatility: Volatility,
    /// Whether a NULL argument makes the result NULL.
    pub strict: bool,
    /// The operator that stands for it (`->`, `+`).
    pub operator: Option<&'static str>,
    /// The body.
    pub kernel: Kernel,
    /// Precision and scale of a numeric result.
    pub scale: Option<ScaleRule>,
    /// The field of the result, where it follows the arguments.
    pub result: Option<ResultRule>,
}

/// Declares a function with a row kernel.
pub fn function(
    signatures: &'static str,
    description: &'static str,
    kernel: RowKernel,
) -> Function {
    Function::new(signatures, description, Kernel::Rows(kernel))
}

/// Declares a function with a column kernel.
pub fn column_function(
    signatures: &'static str,
    description: &'static str,
    kernel: ColumnKernel,
) -> Function {
    Function::new(signatures, description, Kernel::Columns(kernel))
}

impl Function {
    fn new(signatures: &'static str, description: &'static str, kernel: Kernel) -> Self {
        let signatures: Vec<_> =
            signatures.split(';').filter_map(|text| Signature::parse(text.trim())).collect();
        Self {
            name: signatures.first().map_or("", |signature| signature.name),
            signatures,
            description,
            volatility: Volatility::Immutable,
            strict: true,
            operator: None,
            kernel,
            scale: None,
            result: None,
        }
    }

    /// Depends on the session (time zone), not on the row.
    #[must_use]
    pub fn stable(mut self) -> Self {
        self.volatility = Volatility::Stable;
        self
    }

    /// Another answer at each call.
    #[must_use]
    pub fn volatile(mut self) -> Self {
        self.volatility = Volatility::Volatile;
        self
    }

    /// Is called with NULL arguments too.
    #[must_use]
    pub fn nulls(mut self) -> Self {
        self.strict = false;
        self
    }

    /// The operator that stands for it.
    #[must_use]
    pub fn operator(mut self, symbol: &'static str) -> Self {
        self.operator = Some(symbol);
        self
    }

    /// Precision and scale of the numeric result.
    #[must_use]
    pub fn scale(mut self, rule: ScaleRule) -> Self {
        self.scale = Some(rule);
        self
    }

    /// The field of the result.
    #[must_use]
    pub fn result(mut self, rule: ResultRule) -> Self {
        self.result = Some(rule);
        self
    }
}
