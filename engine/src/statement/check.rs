//! Constraints of a row: NOT NULL, domains, CHECK (manual: ddl-constraints). Unique keys are
//! storage's.

use std::sync::Arc;

use clientele_catalog::definition::{Column, Constraint, ConstraintKind, Domain, Oid, Relation};
use clientele_catalog::domains;
use clientele_udfs::output;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};

use super::computed_key;
use crate::error::{Error, Result};
use crate::national_numbers;
use crate::planning::context::QueryContext;
use crate::planning::provider::Names;
use crate::planning::{self, row_security, values};
use crate::privacy::hide;
use crate::road::Conditions;
use crate::session::Kept;
use crate::sql;
use crate::sql::place::refuse_query;

/// Fills the generated columns of rows that are about to be written, and checks the rows; columns
/// are the live ones in order.
///
/// # Errors
/// 23502 and 23514 with the names of table, column and constraint.
pub(crate) fn rows(
    context: &Arc<QueryContext>,
    relation: &Relation,
    batch: RecordBatch,
) -> Result<RecordBatch> {
    kept_rows(context, &Conditions::default(), relation, batch)
}

/// The same with conditions that an earlier call may have compiled.
///
/// # Errors
/// As [`rows`].
pub(crate) fn kept_rows(
    context: &Arc<QueryContext>,
    conditions: &Conditions,
    relation: &Relation,
    batch: RecordBatch,
) -> Result<RecordBatch> {
    computed_key::compile(context, relation)?;
    let batch = national_numbers::with_country(context, relation, batch)?;
    let batch = generated(context, conditions, relation, batch)?;
    for (column, array) in relation.live_columns().zip(batch.columns()) {
        not_null(context, relation, column, array)?;
        if let Some(domain) = column.domain.and_then(|oid| context.catalog().domain_by_oid(oid)) {
            kept_of_domain(context, conditions, domain, array)?;
        }
    }
    for constraint in &relation.constraints {
        let ConstraintKind::Check { expression } = &constraint.kind else { continue };
        let holds = holds(context, (conditions, constraint.oid), expression, &batch)
            .map_err(|error| hide::of_row(context, (relation, expression), error))?;
        if !holds {
            return Err(check_violation(context, relation, constraint));
        }
    }
    Ok(batch)
}

/// Refuses new rows that the policies of a command (`a` INSERT, `w` UPDATE) do not let in.
///
/// # Errors
/// 42501.
pub(super) fn policies(
    context: &Arc<QueryContext>,
    relation: &Relation,
    command: char,
    batches: &[RecordBatch],
) -> Result<()> {
    let Some(text) = row_security::of_new_rows(context, relation, command) else { return Ok(()) };
    let conditions = Conditions::default();
    for batch in batches {
        let holds = holds(context, (&conditions, relation.oid), &text, batch)
            .map_err(|error| hide::of_row(context, (relation, &text), error))?;
        if !holds {
            let table = &relation.name;
            let text = format!("new row violates row-level security policy for table \"{table}\"");
            return Err(Error::new("42501", text));
        }
    }
    Ok(())
}

/// Refuses rows that the view through which they were written would not show.
///
/// # Errors
/// 44000.
pub(super) fn options(
    context: &Arc<QueryContext>,
    kept: &Kept,
    written: &[RecordBatch],
) -> Result<()> {
    let Some(through) = &kept.through else { return Ok(()) };
    let relation = kept.written_to()?;
    for (view, condition) in &through.checks {
        for batch in written.iter().filter(|batch| batch.num_rows() > 0) {
            let met = truth(context, (&kept.conditions, relation.oid), condition, batch)?;
            if !met.as_boolean().iter().all(|one| one == Some(true)) {
                let text = format!("new row violates check option for view \"{view}\"");
                return Err(Error::new("44000", text));
            }
        }
    }
    Ok(())
}

/// Puts the values of `GENERATED ALWAYS AS (…) STORED` in their places.
fn generated(
    context: &Arc<QueryContext>,
    conditions: &Conditions,
    relation: &Relation,
    batch: RecordBatch,
) -> Result<RecordBatch> {
    if batch.num_rows() == 0 || !relation.live_columns().any(is_computed) {
        return Ok(batch);
    }
    let mut columns = batch.columns().to_vec();
    for (column, array) in relation.live_columns().zip(&mut columns) {
        let Some(text) = column.generated.as_ref().filter(|_| is_computed(column)) else {
            continue;
        };
        let compile = || generation(context, column, &batch);
        *array = conditions
            .evaluate((relation.oid, text), context, &batch, compile)
            .map_err(|error| hide::of_row(context, (relation, text), error))?;
    }
    RecordBatch::try_new(batch.schema(), columns).map_err(Error::internal)
}

/// The expression of a generated column, as a value of its type.
fn generation(
    context: &Arc<QueryContext>,
    column: &Column,
    batch: &RecordBatch,
) -> Result<(datafusion::logical_expr::Expr, DFSchema)> {
    let text = column.generated.as_deref().unwrap_or_default();
    let (expr, schema) = condition(context, text, batch)?;
    let (_, field) = expr.to_field(&schema)?;
    let expr = planning::assign(expr, &field, column.pg_type, context, &column.name)?;
    Ok((expr, schema))
}

fn is_computed(column: &Column) -> bool {
    column.generated.is_some() && column.subject.is_none()
}

/// The plan of a DEFAULT of a column or domain, by its name and type.
///
/// # Errors
/// What is wrong with it; 0A000 for a query in it.
pub(super) fn default_value(
    context: &Arc<QueryContext>,
    (name, pg_type): (&str, PgType),
    expr: &sqlparser::ast::Expr,
) -> Result<LogicalPlan> {
    refuse_query(expr, "DEFAULT expression")?;
    let planned = planning::plan_scalar(context, expr)?;
    planning::project_for_assignment(planned.plan, &[(name.to_owned(), pg_type)], context)
}

/// Looks whether the generated columns of a new shape can be computed, and whether no CHECK asks a
/// query.
///
/// # Errors
/// What is wrong with an expression; 42P17 for one over another generated column or one that gives
/// another value each time; 0A000 for a query in one.
pub(super) fn kept_expressions(context: &Arc<QueryContext>, relation: &Relation) -> Result<()> {
    for constraint in &relation.constraints {
        if let ConstraintKind::Check { expression } = &constraint.kind {
            refuse_query(&sql::parse::expression(expression)?, "check constraint")?;
        }
    }
    let empty = RecordBatch::new_empty(super::rows::schema(relation));
    for column in relation.live_columns().filter(|column| is_computed(column)) {
        let text = column.generated.as_deref().unwrap_or_default();
        let tree = sql::parse::expression(text)?;
        refuse_query(&tree, "column generation expression")?;
        let mut others = relation.live_columns().filter(|one| one.generated.is_some());
        if let Some(other) =
            others.find(|one| sql::place::of_identifier(&tree, &one.name).is_some())
        {
            let text = format!(
                "cannot use generated column \"{}\" in column generation expression",
                other.name
            );
            return Err(Error::new("42P17", text)
                .with_detail("A generated column cannot reference another generated column."));
        }
        let (expr, _) = generation(context, column, &empty)?;
        if expr.is_volatile() {
            return Err(Error::new("42P17", "generation expression is not immutable"));
        }
    }
    Ok(())
}

fn not_null(
    context: &QueryContext,
    relation: &Relation,
    column: &Column,
    array: &ArrayRef,
) -> Result<()> {
    if !column.not_null || array.null_count() == 0 {
        return Ok(());
    }
    let mut error = Error::new(
        "23502",
        format!(
            "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
            column.name, relation.name
        ),
    );
    name_objects(context, relation, &mut error);
    error.object.column = Some(column.name.clone());
    Err(error)
}

fn check_violation(context: &QueryContext, relation: &Relation, constraint: &Constraint) -> Error {
    let mut error = Error::new(
        "23514",
        format!(
            "new row for relation \"{}\" violates check constraint \"{}\"",
            relation.name, constraint.name
        ),
    );
    name_objects(context, relation, &mut error);
    error.object.constraint = Some(constraint.name.clone());
    error
}

fn name_objects(context: &QueryContext, relation: &Relation, error: &mut Error) {
    error.object.schema =
        context.catalog().schema_by_oid(relation.schema).map(|one| one.name.clone());
    error.object.table = Some(relation.name.clone());
}

/// Checks the values of a column against its domain and the domains that it is over.
///
/// # Errors
/// 23502, 23514.
pub(crate) fn of_domain(
    context: &Arc<QueryContext>,
    domain: &Domain,
    array: &ArrayRef,
) -> Result<()> {
    kept_of_domain(context, &Conditions::default(), domain, array)
}

fn kept_of_domain(
    context: &Arc<QueryContext>,
    conditions: &Conditions,
    domain: &Domain,
    array: &ArrayRef,
) -> Result<()> {
    if domain.not_null && array.null_count() > 0 {
        return Err(Error::new(
            "23502",
            format!("domain {} does not allow null values", domain.name),
        ));
    }
    if !domain.labels.is_empty() {
        only_labels(context, domain, array)?;
    }
    for (name, expression) in &domain.checks {
        let field = domain.pg_type.field("value", true);
        let schema = Arc::new(datafusion::arrow::datatypes::Schema::new(vec![field]));
        let batch =
            RecordBatch::try_new(schema, vec![Arc::clone(array)]).map_err(Error::internal)?;
        if !holds(context, (conditions, domain.oid), expression, &batch)? {
            return Err(domain_violation(domain, name));
        }
    }
    if let Some(semantic) = domains::semantic(domain.oid) {
        let pg_type: PgType = domain.pg_type;
        let text = output::to_text_array(array, pg_type, &output::Style::default())?;
        let text = text.as_string_view();
        for value in text.iter().flatten() {
            if let Err(reason) = (semantic.validate)(value) {
                let error = domain_violation(domain, &format!("{}_check", domain.name));
                return Err(error.with_detail(sentence(&reason)));
            }
        }
    }
    match domain.parent.and_then(|oid| context.catalog().domain_by_oid(oid)) {
        Some(parent) => kept_of_domain(context, conditions, &Arc::clone(parent), array),
        None => Ok(()),
    }
}

/// An enumerated type has its values and no others.
fn only_labels(context: &QueryContext, domain: &Domain, array: &ArrayRef) -> Result<()> {
    let text = output::to_text_array(array, domain.pg_type, &output::Style::default())?;
    let text = text.as_string_view();
    let known = |value: &&str| domain.labels.iter().any(|label| label == value);
    match text.iter().flatten().find(|value| !known(value)) {
        None => Ok(()),
        Some(value) => {
            let schema = context.catalog().schema_by_oid(domain.schema);
            let name = match schema {
                Some(schema) if !context.search_path.contains(&schema.oid) => {
                    format!("{}.{}", schema.name, domain.name)
                }
                _ => domain.name.clone(),
            };
            Err(Error::new("22P02", format!("invalid input value for enum {name}: \"{value}\"")))
        }
    }
}

fn domain_violation(domain: &Domain, constraint: &str) -> Error {
    let mut error = Error::new(
        "23514",
        format!("value for domain {} violates check constraint \"{constraint}\"", domain.name),
    );
    error.object.data_type = Some(domain.name.clone());
    error.object.constraint = Some(constraint.to_owned());
    error
}

/// A DETAIL is a sentence.
fn sentence(reason: &str) -> String {
    let mut characters = reason.trim_end_matches('.').chars();
    let first =
        characters.next().map(|one| one.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

/// Whether a condition is true or unknown for every row, as CHECK demands. `owner` is the OID of
/// the constraint or domain.
fn holds(
    context: &Arc<QueryContext>,
    (conditions, owner): (&Conditions, Oid),
    expression: &str,
    batch: &RecordBatch,
) -> Result<bool> {
    if batch.num_rows() == 0 {
        return Ok(true);
    }
    let result = truth(context, (conditions, owner), expression, batch)?;
    Ok(result.as_boolean().iter().all(|one| one != Some(false)))
}

/// Whether a condition is true, for each row.
fn truth(
    context: &Arc<QueryContext>,
    (conditions, owner): (&Conditions, Oid),
    expression: &str,
    batch: &RecordBatch,
) -> Result<ArrayRef> {
    let compile = || condition(context, expression, batch);
    let result = conditions.evaluate((owner, expression), context, batch, compile)?;
    match result.data_type() {
        DataType::Boolean => Ok(result),
        _ => Err(Error::new("42804", "argument of CHECK must be type boolean")),
    }
}

/// A condition over the columns of a batch, or another expression.
pub(super) fn condition(
    context: &Arc<QueryContext>,
    expression: &str,
    batch: &RecordBatch,
) -> Result<(datafusion::logical_expr::Expr, DFSchema)> {
    let schema = DFSchema::try_from(batch.schema().as_ref().clone())?;
    let mut tree = sql::parse::expression(expression)?;
    sql::rewrite::rewrite_expression(&mut tree)?;
    let names = Names::new(context);
    let options = ParserOptions::new().with_parse_float_as_decimal(true);
    let expr = SqlToRel::new_with_options(&names, options)
        .sql_to_expr(tree, &schema, &mut PlannerContext::new())
        .and_then(|expr| values::rewrite_expression(expr, &schema, context))?;
    Ok((expr, schema))
}

/// Looks whether a condition makes sense over a relation's columns; `clause` is what it stands in.
///
/// # Errors
/// What is wrong with it; 42804 when it is no truth value.
pub(crate) fn condition_of(
    context: &Arc<QueryContext>,
    relation: &Relation,
    (clause, text): (&str, &str),
) -> Result<datafusion::logical_expr::Expr> {
    let empty = RecordBatch::new_empty(super::rows::schema(relation));
    let (expr, schema) = condition(context, text, &empty)?;
    match expr.get_type(&schema)? {
        DataType::Boolean | DataType::Null => Ok(expr),
        _ => Err(Error::new("42804", format!("argument of {clause} must be type boolean"))),
    }
}

/// Looks whether an expression makes sense over a relation's columns.
///
/// # Errors
/// What is wrong with it.
pub(super) fn over_row(
    context: &Arc<QueryContext>,
    relation: &Relation,
    expr: &sqlparser::ast::Expr,
) -> Result<()> {
    let empty = RecordBatch::new_empty(super::rows::schema(relation));
    let (expr, schema) = condition(context, &expr.to_string(), &empty)?;
    expr.get_type(&schema).map(drop).map_err(|error| Error::from_datafusion(&error))
}

/// `column "x" does not exist` (42703).
pub(crate) fn undefined_column(name: &str) -> Error {
    let mut error = Error::new("42703", format!("column \"{name}\" does not exist"));
    error.object.column = Some(name.to_owned());
    error
}
