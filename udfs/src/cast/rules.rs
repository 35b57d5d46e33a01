//! Which kernel casts what (manual §10, `pg_cast`).

use std::fmt;

use datafusion::arrow::datatypes::{DataType, Field};

use crate::types::{Kept, PgType};

/// How a cast is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// The same value in the type's usual Arrow layout.
    Relabel,
    /// `numeric(p,s)` → `numeric`: nothing but the type changes.
    KeepDigits,
    /// Through the input function.
    FromText,
    /// `jsonb` number or boolean → number or boolean.
    FromJson,
    /// Length rules only.
    TextToText,
    /// Through the output function of a type.
    ToText(PgType),
    ToInteger,
    ToNumeric,
    ToFloat,
    /// Among dates, times, timestamps, intervals.
    Temporal,
    /// Whole number → bit string, and back.
    Bits,
    /// Array → array.
    Elements(Inner),
}

/// A kernel for elements: any but [`Kernel::Elements`], since arrays do not nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Inner {
    Relabel,
    FromText,
    FromJson,
    TextToText,
    ToText(PgType),
    ToInteger,
    ToNumeric,
    ToFloat,
    Temporal,
}

impl Inner {
    pub(crate) fn kernel(self) -> Kernel {
        match self {
            Self::Relabel => Kernel::Relabel,
            Self::FromText => Kernel::FromText,
            Self::FromJson => Kernel::FromJson,
            Self::TextToText => Kernel::TextToText,
            Self::ToText(from) => Kernel::ToText(from),
            Self::ToInteger => Kernel::ToInteger,
            Self::ToNumeric => Kernel::ToNumeric,
            Self::ToFloat => Kernel::ToFloat,
            Self::Temporal => Kernel::Temporal,
        }
    }
}

impl Kernel {
    fn inner(self) -> Option<Inner> {
        Some(match self {
            Self::Relabel => Inner::Relabel,
            // The elements of one array share a layout.
            Self::KeepDigits => Inner::ToNumeric,
            Self::FromText => Inner::FromText,
            Self::FromJson => Inner::FromJson,
            Self::TextToText => Inner::TextToText,
            Self::ToText(from) => Inner::ToText(from),
            Self::ToInteger => Inner::ToInteger,
            Self::ToNumeric => Inner::ToNumeric,
            Self::ToFloat => Inner::ToFloat,
            Self::Temporal => Inner::Temporal,
            Self::Bits | Self::Elements(_) => return None,
        })
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToText(from) => write!(f, "text_of_{}", from.sql_name()),
            Self::Elements(inner) => write!(f, "elements_{}", inner.kernel()),
            other => write!(f, "{other:?}"),
        }
    }
}

/// `bit(n)`.
const BIT: u32 = 1560;

/// Types that are plain text: `text`, `varchar`, `char`, `name`, `"char"`, `unknown`, `cstring`.
pub(crate) fn is_text(pg_type: PgType) -> bool {
    matches!(pg_type.oid, 18 | 19 | 25 | 705 | 1042 | 1043 | 2275)
}

fn is_integer(pg_type: PgType) -> bool {
    matches!(pg_type, PgType::INT2 | PgType::INT4 | PgType::INT8)
}

fn is_float(pg_type: PgType) -> bool {
    matches!(pg_type, PgType::FLOAT4 | PgType::FLOAT8)
}

fn is_numeric(pg_type: PgType) -> bool {
    pg_type.oid == 1700
}

fn is_number(pg_type: PgType) -> bool {
    is_integer(pg_type) || is_float(pg_type) || is_numeric(pg_type)
}

fn is_object(pg_type: PgType) -> bool {
    pg_type.facts().kept_as == Kept::Int64 && pg_type != PgType::INT8 && pg_type != PgType::TID
}

/// Among `date`, `time`, `timestamp`, `timestamptz` and `interval`; `timetz` is text here.
fn is_temporal(from: PgType, to: PgType) -> bool {
    match from.oid {
        1082 => matches!(to.oid, 1114 | 1184),
        1083 | 1186 => matches!(to.oid, 1083 | 1186),
        1114 | 1184 => matches!(to.oid, 1082 | 1083 | 1114 | 1184),
        _ => false,
    }
}

/// Whether PostgreSQL casts one type to the other, explicitly or in an assignment.
pub(crate) fn exists(from: PgType, to: PgType, explicit: bool) -> bool {
    if from.oid == to.oid {
        return true;
    }
    let explicit_only = is_text(from) && from != PgType::UNKNOWN && !is_text(to)
        || from == PgType::JSONB && to != PgType::JSON && !is_text(to)
        || matches!((from, to), (PgType::BOOL, PgType::INT4) | (PgType::INT4, PgType::BOOL));
    (explicit || !explicit_only) && between(from, to, explicit).is_some()
}

/// The kernel for a cast; `None` where Arrow's cast does the same, or there is no such cast.
pub(crate) fn kernel(from: &Field, to: PgType, explicit: bool) -> Option<Kernel> {
    let data_type = from.data_type();
    // Does a field of this Arrow type mean the type without being told?
    let speaks_for_itself = PgType::from_arrow(&to.arrow()) == to;
    if data_type == &DataType::Null {
        return (!speaks_for_itself).then_some(Kernel::Relabel);
    }
    let from = PgType::from_field(from);
    if from == to {
        return (data_type != &to.arrow()).then_some(match to {
            to if is_integer(to) => Kernel::ToInteger,
            to if is_numeric(to) && explicit => Kernel::KeepDigits,
            to if is_numeric(to) => Kernel::ToNumeric,
            to if to.element().is_some_and(is_numeric) => Kernel::Elements(Inner::ToNumeric),
            _ => Kernel::Relabel,
        });
    }
    if speaks_for_itself && is_exact(data_type, &to.arrow()) {
        return None;
    }
    between(from, to, explicit)
}

/// Whether Arrow's cast cannot fail and rounds at most once.
fn is_exact(from: &DataType, to: &DataType) -> bool {
    use DataType as D;
    matches!(
        (from, to),
        (D::Boolean, D::Int32)
            | (D::Int32, D::Boolean)
            | (D::Int16, D::Int32 | D::Int64 | D::Float32 | D::Float64)
            | (D::Int32, D::Int64 | D::Float32 | D::Float64)
            | (D::Int64, D::Float32 | D::Float64)
            | (D::Float32, D::Float64)
    )
}

fn between(from: PgType, to: PgType, explicit: bool) -> Option<Kernel> {
    match (from.element(), to.element()) {
        (Some(from), Some(to)) if from == to && !is_numeric(to) => return Some(Kernel::Relabel),
        (Some(from), Some(to)) => {
            return between(from, to, explicit)?.inner().map(Kernel::Elements);
        }
        (Some(_), None) => return is_text(to).then_some(Kernel::ToText(from)),
        (None, Some(_)) => return is_text(from).then_some(Kernel::FromText),
        (None, None) => {}
    }
    Some(match (from, to) {
        (_, to) if is_text(from) && is_text(to) => Kernel::TextToText,
        _ if is_text(to) => Kernel::ToText(from),
        _ if is_text(from) => Kernel::FromText,
        (from, to) if is_integer(from) && to.oid == BIT && explicit => Kernel::Bits,
        (from, PgType::INT4 | PgType::INT8) if from.oid == BIT && explicit => Kernel::Bits,
        (PgType::JSONB, to) if is_number(to) || to == PgType::BOOL => Kernel::FromJson,
        (PgType::JSON, PgType::JSONB) => Kernel::FromText,
        (PgType::JSONB, PgType::JSON) => Kernel::Relabel,
        (from, to) if is_number(from) && is_integer(to) => Kernel::ToInteger,
        (from, PgType::NUMERIC) if (is_numeric(from) || is_integer(from)) && explicit => {
            Kernel::KeepDigits
        }
        (from, to) if is_number(from) && is_numeric(to) => Kernel::ToNumeric,
        (from, to) if is_number(from) && is_float(to) => Kernel::ToFloat,
        (PgType::BOOL, PgType::INT4) | (PgType::INT4, PgType::BOOL) => Kernel::Relabel,
        (from, to) if is_integer(from) && is_object(to) => Kernel::ToInteger,
        (from, PgType::INT4) if is_object(from) => Kernel::ToInteger,
        (from, to) if is_object(from) && (is_object(to) || to == PgType::INT8) => Kernel::Relabel,
        (from, to) if is_temporal(from, to) => Kernel::Temporal,
        (from, to) if from.oid == to.oid && from.facts().kept_as == Kept::Text => Kernel::FromText,
        (from, to) if from.oid == to.oid => Kernel::Relabel,
        _ => return None,
    })
}
