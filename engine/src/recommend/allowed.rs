//! Customers whom functions may show: the view leaves out those whose data are restricted (GDPR
//! art. 18) and those whom the purpose of the session does not cover, and so do its functions.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::definition::Relation;
use datafusion::physical_plan::collect;

use super::kept::Kept;
use crate::error::Result;
use crate::functions::calls::column;
use crate::planning::context::QueryContext;
use crate::privacy::filter;
use crate::session::physical;
use crate::{planning, sql};

/// Who may be shown.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Only who is in each of them.
    only: Vec<HashSet<i64>>,
    /// Nobody who is in any of them.
    hidden: Vec<HashSet<i64>>,
}

impl Allowed {
    /// Of a recommender, for a statement.
    ///
    /// # Errors
    /// None in practice: what the engine itself keeps of people can be read.
    pub(super) async fn of(
        context: &Arc<QueryContext>,
        relation: &Relation,
        kept: &Kept,
    ) -> Result<Self> {
        let mut allowed = Self::default();
        let filters = filter::filters(context, relation);
        if filters.is_empty() {
            return Ok(allowed);
        }
        // Whoever asks may not be allowed to read who is restricted.
        let context = context.as_role(BOOTSTRAP_ROLE_OID).seeing_clear();
        for filter in filters {
            let query = sql::parse::query(&filter.query)?;
            let planned = planning::plan_query(&context, query, &[])?;
            let plan = physical(&context, &planned.plan).await?;
            let batches = collect(plan, context.state.task_ctx()).await?;
            let customers = match column(&batches, 0)? {
                Some(customers) => kept.customers.find(&customers)?,
                None => Vec::new(),
            };
            let customers = customers.into_iter().flatten().collect();
            match filter.keeps() {
                true => allowed.only.push(customers),
                false => allowed.hidden.push(customers),
            }
        }
        Ok(allowed)
    }

    /// Whether a customer may be shown.
    pub(super) fn has(&self, customer: i64) -> bool {
        self.only.iter().all(|one| one.contains(&customer))
            && !self.hidden.iter().any(|one| one.contains(&customer))
    }
}
