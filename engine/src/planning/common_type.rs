//! The one type of values that stand in one column: of VALUES, UNION and recursive queries (manual:
//! typeconv-union-case).

use clientele_udfs::cast;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, Placeholder};
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, Union};

use super::values::{external, field_of};
use crate::error::Error;
use crate::functions;

/// VALUES with one type in each column.
///
/// # Errors
/// 42804 where types do not match.
pub(super) fn values(mut rows: Vec<Vec<Expr>>) -> Result<LogicalPlan> {
    let schema = DFSchema::empty();
    for column in 0..rows.first().map_or(0, Vec::len) {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells: Vec<Cell> = cells.map(|cell| Cell::of(cell, &schema)).collect::<Result<_>>()?;
        let Some(target) = target(&cells, Clause::Values)? else { continue };
        for (row, cell) in rows.iter_mut().zip(&cells) {
            let Some(place) = row.get_mut(column) else { continue };
            let value = std::mem::replace(place, Expr::Literal(ScalarValue::Null, None));
            *place = converted(value, cell, (target, Clause::Values))?;
        }
    }
    LogicalPlanBuilder::values(rows)?.build()
}

/// A UNION with one type in each column.
///
/// # Errors
/// 42804 where types do not match.
pub(super) fn union(union: Union) -> Result<LogicalPlan> {
    let width = union.schema.fields().len();
    let mut targets = Vec::with_capacity(width);
    for column in 0..width {
        let cells = union.inputs.iter().map(|input| Cell::of_output(input, column));
        let cells: Option<Vec<Cell>> = cells.collect();
        targets.push(match cells {
            Some(cells) => target(&cells, Clause::Union)?,
            None => None,
        });
    }
    if targets.iter().all(Option::is_none) {
        return LogicalPlan::Union(union).recompute_schema();
    }
    let inputs = union.inputs.iter().map(|input| Ok(project(input, &targets)?.into()));
    Ok(LogicalPlan::Union(Union::try_new_with_loose_types(inputs.collect::<Result<_>>()?)?))
}

/// A recursive query whose terms have the same fields: those of the first one, by type alone.
///
/// # Errors
/// A plan that cannot be built.
pub(super) fn recursion(query: RecursiveQuery) -> Result<LogicalPlan> {
    let first = query.static_term.schema().fields();
    let next = query.recursive_term.schema().fields();
    let alike = |(one, other): (&FieldRef, &FieldRef)| {
        one.data_type() == other.data_type() && one.metadata() == other.metadata()
    };
    if first.iter().zip(next).all(alike) {
        return LogicalPlan::RecursiveQuery(query).recompute_schema();
    }
    let plain = |field: &FieldRef| {
        let metadata = PgType::from_field(field).metadata();
        Field::new(field.name(), field.data_type().clone(), true).with_metadata(metadata).into()
    };
    let fields: Vec<FieldRef> = first.iter().map(plain).collect();
    let first = stated(&query.static_term, &fields)?.into();
    let next = stated(&query.recursive_term, &fields)?.into();
    RecursiveQuery::try_new(query.name, first, next, query.is_distinct)
        .map(LogicalPlan::RecursiveQuery)
}

/// The plan's columns under these fields.
fn stated(plan: &LogicalPlan, fields: &[FieldRef]) -> Result<LogicalPlan> {
    let columns = plan.schema().iter().zip(fields);
    let exprs = columns.map(|((qualifier, own), field)| {
        let value = Expr::Column(Column::from((qualifier, own)));
        let value = match own.data_type() == field.data_type() {
            true => value,
            false => match cast::cast(own, PgType::from_field(field), false) {
                Some(function) => function.call(vec![value]),
                None => Expr::Cast(Cast::new(Box::new(value), field.data_type().clone())),
            },
        };
        functions::stated(value, field).alias_qualified(qualifier.cloned(), own.name())
    });
    LogicalPlanBuilder::from(plan.clone()).project(exprs.collect::<Vec<_>>())?.build()
}

fn project(input: &LogicalPlan, targets: &[Option<PgType>]) -> Result<LogicalPlan> {
    let mut exprs = Vec::with_capacity(targets.len());
    for (column, ((qualifier, field), target)) in input.schema().iter().zip(targets).enumerate() {
        let own = Expr::Column(Column::from((qualifier, field)));
        let (Some(target), Some(cell)) = (target, Cell::of_output(input, column)) else {
            exprs.push(own);
            continue;
        };
        let value = output(input, column).filter(|_| cell.pg_type == PgType::UNKNOWN);
        let value = value.cloned().unwrap_or(own);
        let value = converted(value, &cell, (*target, Clause::Union))?;
        exprs.push(value.alias_qualified(qualifier.cloned(), field.name()));
    }
    LogicalPlanBuilder::from(input.clone()).project(exprs)?.build()
}

/// The literal or placeholder that an output is.
fn output(plan: &LogicalPlan, column: usize) -> Option<&Expr> {
    let LogicalPlan::Projection(Projection { expr, .. }) = plan else { return None };
    let mut value = expr.get(column)?;
    while let Expr::Alias(alias) = value {
        value = alias.expr.as_ref();
    }
    matches!(value, Expr::Literal(..) | Expr::Placeholder(_)).then_some(value)
}

/// What the values stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    /// DataFusion wants every row to state the same type.
    Values,
    Union,
}

impl Clause {
    fn name(self) -> &'static str {
        match self {
            Self::Values => "VALUES",
            Self::Union => "UNION",
        }
    }
}

/// A value of a column, as far as its type goes.
struct Cell {
    field: FieldRef,
    /// `unknown` for quoted literals, NULL, and parameters without a type.
    pg_type: PgType,
}

impl Cell {
    fn of(value: &Expr, schema: &DFSchema) -> Result<Self> {
        let open = matches!(value, Expr::Placeholder(one) if one.field.is_none());
        let pg_type = match open {
            true => PgType::UNKNOWN,
            false => functions::operand_type(value, schema)?,
        };
        Ok(Self { field: field_of(value, schema)?, pg_type })
    }

    /// Fractional digits of a number that is kept with one scale: where they differ, each value
    /// keeps its own.
    fn scale(&self) -> Option<i8> {
        match self.field.data_type() {
            DataType::Decimal128(_, scale) => Some(*scale),
            _ => None,
        }
    }

    fn of_output(plan: &LogicalPlan, column: usize) -> Option<Self> {
        if let Some(value) = output(plan, column) {
            return Self::of(value, &DFSchema::empty()).ok();
        }
        let field = plan.schema().fields().get(column)?;
        Some(Self { field: FieldRef::clone(field), pg_type: PgType::from_field(field) })
    }
}

/// The type that the values of a column take; `None`: they have one, or all are literals of text.
fn target(cells: &[Cell], clause: Clause) -> Result<Option<PgType>> {
    let Some(first) = cells.first() else { return Ok(None) };
    let like_first = |cell: &Cell| {
        let stated = clause == Clause::Union || cell.field.metadata() == first.field.metadata();
        stated && cell.pg_type.oid == first.pg_type.oid && cell.scale() == first.scale()
    };
    if cells.iter().all(like_first) {
        return Ok(None);
    }
    let mut common: Option<PgType> = None;
    for cell in cells.iter().filter(|cell| cell.pg_type != PgType::UNKNOWN) {
        common = Some(match common {
            None => cell.pg_type,
            Some(common) => of_two(common, cell.pg_type, clause)?,
        });
    }
    Ok(common)
}

fn of_two(one: PgType, next: PgType, clause: Clause) -> Result<PgType> {
    if one.oid == next.oid {
        return Ok(if one == next { one } else { PgType { modifier: -1, ..one } });
    }
    let (own, other) = (one.facts().category, next.facts().category);
    if own != other && "ABDNST".contains(own) && "ABDNST".contains(other) {
        let name = |one: PgType| PgType { modifier: -1, ..one }.sql_name();
        let (clause, one, next) = (clause.name(), name(one), name(next));
        let text = format!("{clause} types {one} and {next} cannot be matched");
        return Err(external(Error::new("42804", text)));
    }
    let wider = !is_preferred(one) && is_implicit(one, next) && !is_implicit(next, one);
    Ok(PgType { modifier: -1, ..if wider { next } else { one } })
}

/// `pg_type.typispreferred`.
fn is_preferred(pg_type: PgType) -> bool {
    matches!(pg_type.oid, 16 | 25 | 26 | 701 | 869 | 1184 | 1186 | 1562)
}

/// Casts that need not be asked for and cannot be undone so (`pg_cast.castcontext`), widest last.
const WIDENING: [&[u32]; 5] = [
    &[21, 23, 20, 1700, 700, 701],
    &[21, 23, 20, 26],
    &[1082, 1114, 1184],
    &[1083, 1266],
    &[19, 25],
];

fn is_implicit(from: PgType, to: PgType) -> bool {
    WIDENING.iter().any(|types| {
        let place = |one: PgType| types.iter().position(|oid| *oid == one.oid);
        place(from).zip(place(to)).is_some_and(|(from, to)| from < to)
    })
}

/// The value in the column's type; a literal without one is read as such.
fn converted(value: Expr, cell: &Cell, (to, clause): (PgType, Clause)) -> Result<Expr> {
    let fits = cell.field.data_type() == &to.arrow();
    let stated = clause == Clause::Union || cell.field.metadata() == &to.metadata();
    let metadata = || Some(FieldMetadata::from(to.metadata()));
    Ok(match value {
        value if fits && stated && cell.pg_type == to => value,
        Expr::Placeholder(one) if one.field.is_none() => {
            Expr::Placeholder(Placeholder { field: Some(to.field("", true)), ..one })
        }
        Expr::Literal(ScalarValue::Null, None) => {
            Expr::Literal(ScalarValue::try_from(&to.arrow())?, metadata())
        }
        Expr::Literal(ScalarValue::Utf8(text), None) if to.facts().category != 'S' => {
            cast::text_to(to, false).call(vec![Expr::Literal(ScalarValue::Utf8(text), None)])
        }
        Expr::Literal(value, None) if fits && cell.pg_type == to => {
            Expr::Literal(value, metadata())
        }
        value => match cast::cast(&cell.field, to, false) {
            Some(function) => function.call(vec![value]),
            None if fits || cell.field.data_type().is_numeric() => {
                Expr::Cast(Cast { expr: Box::new(value), field: to.field("", true) })
            }
            None => {
                let from = cell.pg_type.sql_name();
                let text = format!("cannot cast type {from} to {}", to.sql_name());
                return Err(external(Error::new("42846", text)));
            }
        },
    })
}
