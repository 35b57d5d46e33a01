//! `customers`: one row per customer, and where each of its values comes from.
//!
//! `customers.profiles`, `customers.attributes` and the same of companies, `customers.accounts` and
//! `customers.account_attributes`, are views whose rows an operator makes: one scan of each touchpoint table, of the columns that are asked for alone.
//! What is said of a customer in which table, how often and when is tallied ([`tally`]); then one
//! value survives ([`survivorship`]). A condition on the customer or on an identifier is turned
//! into customers first ([`resolve`]), so that the scans are asked for their rows only.
//!
//! ```text
//! filters ─▶ resolve ─▶ customers ─▶ scans of touchpoint tables ─▶ Golden: tally ─▶ choose ─▶ rows
//! ```
//!
//! The result depends on rows and rules alone, not on the order in which rows came.

mod attribute_rows;
mod exec;
mod pins;
mod procedures;
mod profile_rows;
mod resolve;
mod rows;
mod source;
mod survivorship;
mod table;
mod tally;

use std::sync::Arc;

use clientele_catalog::customers::{ACCOUNT_ATTRIBUTES, ACCOUNTS, ATTRIBUTES, PROFILES};
use clientele_catalog::definition::Relation;
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::Snapshot;
use datafusion::catalog::TableProvider;

use crate::planning::context::QueryContext;
pub(crate) use procedures::PROCEDURES;
use table::{Golden, Shape};

/// What makes the rows of a relation; `None`: it is none of those above.
pub(crate) fn provider(
    context: &QueryContext,
    relation: &Arc<Relation>,
) -> Option<Arc<dyn TableProvider>> {
    let (subject, shape) = match relation.oid {
        PROFILES => (Subject::Person, Shape::Profile),
        ACCOUNTS => (Subject::Company, Shape::Profile),
        ATTRIBUTES => (Subject::Person, Shape::Values),
        ACCOUNT_ATTRIBUTES => (Subject::Company, Shape::Values),
        _ => return None,
    };
    Some(Arc::new(Golden::new(context, relation, (subject, shape))))
}

/// Whose rows a provider of [`provider`] has, each made of the rows of one; `None`: it is none.
pub(crate) fn subject(provider: &dyn TableProvider) -> Option<Subject> {
    provider.downcast_ref::<Golden>().map(Golden::subject)
}

/// The same relation in another snapshot, or in none.
pub(crate) fn moved_to(
    provider: &dyn TableProvider,
    snapshot: Option<&Arc<Snapshot>>,
) -> Option<Arc<dyn TableProvider>> {
    let golden = provider.downcast_ref::<Golden>()?;
    Some(Arc::new(golden.moved_to(snapshot)))
}
