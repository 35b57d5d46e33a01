//! The rule: above each scan the columns that are closed to the role are treated.

use clientele_catalog::definition::{Column as Definition, Relation};
use clientele_catalog::domains::Masking;
use clientele_catalog::features::PRIVACY_SCHEMAS;
use clientele_catalog::privacy::{shown_as, treatment};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, TableReference};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF};

use super::{stored, treat};
use crate::error::Result;
use crate::planning::context::QueryContext;

/// A column of a scan, by place, and the function that treats it.
pub(crate) type Treated = (usize, ScalarUDF);

/// The columns of a relation's rows that the current role sees treated.
///
/// # Errors
/// None in practice.
pub(crate) fn treated(
    context: &QueryContext,
    relation: &Relation,
    schema: &Schema,
) -> Result<Vec<Treated>> {
    let purpose = context.purpose();
    if context.clear || context.rights.superuser && purpose.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        let Some(column) = relation.column(field.name()) else { continue };
        let mut treatment = shown_as(context.catalog(), &context.rights, relation, column);
        if purpose.is_some_and(|purpose| !is_declared(context, (relation, column), purpose)) {
            treatment.masking = Masking::Null;
        }
        if treatment.masking == Masking::Pseudonym && !is_text(field.data_type()) {
            treatment.masking = Masking::Null;
        }
        if treatment.masking != Masking::Open {
            found.push((place, treat::function(context, &treatment, relation.temporary)?));
        }
    }
    Ok(found)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8)
}

/// Whether a column may be used for a purpose: personal data only where that was declared.
fn is_declared(
    context: &QueryContext,
    (relation, column): (&Relation, &Definition),
    purpose: &str,
) -> bool {
    let personal = treatment(context.catalog(), relation, column).category.is_some();
    let declared = column.privacy.iter().flat_map(|one| &one.purposes).any(|one| one == purpose);
    !personal || declared || PRIVACY_SCHEMAS.contains(&relation.schema)
}

/// The scan with its treated columns; of the target of a change also with the values as they are
/// stored, under names that no statement can say.
///
/// # Errors
/// A plan that cannot be built.
pub(crate) fn cover(
    scan: LogicalPlan,
    name: &TableReference,
    treated: &[Treated],
    target: bool,
) -> DataFusionResult<LogicalPlan> {
    if treated.is_empty() {
        return Ok(scan);
    }
    let schema = std::sync::Arc::clone(scan.schema());
    let column = |field: &str| Expr::Column(Column::new(Some(name.clone()), field));
    let names: Vec<&str> = schema.fields().iter().map(|one| one.name().as_str()).collect();
    let mut exprs: Vec<Expr> = Vec::with_capacity(names.len());
    for (place, field) in names.iter().enumerate() {
        exprs.push(match treated.iter().find(|(one, _)| *one == place) {
            Some((_, function)) => {
                function.call(vec![column(field)]).alias_qualified(Some(name.clone()), *field)
            }
            None => column(field),
        });
    }
    if target {
        let kept = treated.iter().filter_map(|(place, _)| names.get(*place));
        exprs.extend(kept.map(|field| {
            column(field).alias_qualified(Some(name.clone()), stored::name_of(field))
        }));
    }
    LogicalPlanBuilder::from(scan).project(exprs)?.build()
}

impl QueryContext {
    /// Whether the statement sees every value: a superuser's, or what the engine does with rows
    /// that it shows nobody.
    pub(crate) fn sees_clear(&self) -> bool {
        self.rights.superuser || self.clear
    }

    /// The same, seeing every value: for what the engine does with rows that it shows nobody.
    pub(crate) fn seeing_clear(&self) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self { clear: true, ..self.clone() })
    }

    /// Whether the role sees the values of a column as they are.
    pub(crate) fn sees_column(&self, relation: &Relation, column: &Definition) -> bool {
        let shown = || shown_as(self.catalog(), &self.rights, relation, column);
        self.sees_clear() || shown().masking == Masking::Open
    }
}
