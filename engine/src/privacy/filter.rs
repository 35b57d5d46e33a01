//! Rows that may not be used: those of customers whose data are restricted (GDPR art. 18), and of
//! customers that the purpose of the session does not cover.
//!
//! They are left out where columns are treated, directly above the scan. Missing consent is no
//! consent; a restriction holds for superusers, too.

use clientele_catalog::customers::{ATTRIBUTES, PROFILES};
use clientele_catalog::definition::{FIRST_USER_OID, Oid, Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids;
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};

use crate::planning::context::QueryContext;

/// `consent.coverage`.
const COVERAGE: Oid = 14354;

/// Schema `membership`.
const MEMBERSHIP: Oid = 14004;

/// Purposes for which restricted data may be used (GDPR art. 18(2)).
const EXEMPT: [&str; 2] = ["legal_claims", "storage"];

/// Which rows of a relation a statement may use: those whose customer is, or is not, in the rows of
/// a query over another relation.
pub(crate) struct Filter {
    /// The relation that the query stands for; its owner's rights are asked for.
    pub(crate) over: Oid,
    /// The query: a column `customer_id`.
    pub(crate) query: String,
    kept: bool,
}

impl Filter {
    /// Whether the rows of the query are those that may be used; else they are those that may not.
    pub(crate) fn keeps(&self) -> bool {
        self.kept
    }
}

/// A filter with its plan.
pub(crate) type Planned = (Filter, LogicalPlan);

/// The filters of a relation for a statement.
pub(crate) fn filters(context: &QueryContext, relation: &Relation) -> Vec<Filter> {
    let mut filters = Vec::new();
    if context.clear || customer_column(relation).is_none() {
        return filters;
    }
    let purpose = context.purpose();
    let exempt = purpose.is_some_and(|one| EXEMPT.contains(&one)) && context.is_privacy_officer();
    if !exempt && context.has_restrictions() {
        let query = "SELECT customer_id FROM gdpr.restrictions WHERE customer_id IS NOT NULL \
                     AND (restricted_until IS NULL OR restricted_until > now())";
        filters.push(Filter { over: oids::RESTRICTIONS, query: query.to_owned(), kept: false });
    }
    if let Some(purpose) = purpose.filter(|_| !exempt) {
        let purpose = purpose.replace('\'', "''");
        let query = format!("SELECT customer_id FROM consent.coverage WHERE purpose = '{purpose}'");
        filters.push(Filter { over: COVERAGE, query, kept: true });
    }
    filters
}

/// The column that says whose a row is; `None`: nobody's, or the engine's own records of people.
fn customer_column(relation: &Relation) -> Option<&str> {
    let of_people = [PROFILES, ATTRIBUTES].contains(&relation.oid);
    if relation.oid < FIRST_USER_OID && !of_people && relation.schema != MEMBERSHIP {
        return None;
    }
    let subject = relation.live_columns().find(|one| one.subject == Some(Subject::Person));
    let derived = of_people || matches!(relation.kind, RelationKind::MaterializedView { .. });
    let named = || relation.column("customer_id").filter(|_| derived);
    subject.or_else(named).map(|column| column.name.as_str())
}

/// The scan without the rows that may not be used.
///
/// # Errors
/// A plan that cannot be built.
pub(crate) fn apply(
    scan: LogicalPlan,
    (relation, name): (&Relation, &TableReference),
    filters: &[Planned],
) -> DataFusionResult<LogicalPlan> {
    let Some(column) = customer_column(relation) else { return Ok(scan) };
    let mut plan = scan;
    for (place, (filter, query)) in filters.iter().enumerate() {
        let label = TableReference::bare(format!("\0customers {place}"));
        let customers = LogicalPlanBuilder::from(query.clone()).alias(label.clone())?.build()?;
        let join = if filter.kept { JoinType::LeftSemi } else { JoinType::LeftAnti };
        let left = vec![Column::new(Some(name.clone()), column)];
        let right = vec![Column::new(Some(label), "customer_id")];
        plan =
            LogicalPlanBuilder::from(plan).join(customers, join, (left, right), None)?.build()?;
    }
    Ok(plan)
}

impl QueryContext {
    /// The purpose that the session states.
    pub(crate) fn purpose(&self) -> Option<&str> {
        let purpose = self.settings.raw("clientele.purpose");
        (!purpose.is_empty()).then_some(purpose)
    }

    /// Whether any customer's data are restricted.
    fn has_restrictions(&self) -> bool {
        self.snapshot.row_count(oids::RESTRICTIONS) > 0
    }
}
