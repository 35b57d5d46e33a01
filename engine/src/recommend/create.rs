//! `CREATE MATERIALIZED VIEW … USING recommender`, `REFRESH MATERIALIZED VIEW`.

use std::sync::Arc;

use clientele_catalog::definition::{Column, Relation};
use clientele_recommend::Bought;
use clientele_udfs::types::PgType;

use super::definition::Definition;
use super::kept::{How, Kept};
use super::rows;
use crate::api;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// Puts the columns that a recommender shows in place of those of its query.
///
/// # Errors
/// What is wrong with its options or columns.
pub(crate) fn columns(relation: &mut Relation) -> Result<()> {
    let shown = |column: &Column| api::Column {
        name: column.name.clone(),
        pg_type: column.pg_type,
        table: 0,
        number: column.number,
    };
    let query: Vec<api::Column> = relation.columns.iter().map(shown).collect();
    let roles = Definition::read(&relation.options, &query)?.roles;
    let taken = std::mem::take(&mut relation.columns);
    let (Some(customer), Some(item)) = (taken.get(roles.customer), taken.get(roles.item)) else {
        return Err(Error::internal("a recommender without columns"));
    };
    let (customer, item) = (customer.clone(), item.clone());
    if let Some(name) = ["rank", "score", "source"]
        .into_iter()
        .find(|name| *name == customer.name || *name == item.name)
    {
        return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
    }
    relation.columns = vec![
        Column { number: 1, ..customer },
        Column::plain(2, "rank", PgType::INT4),
        Column { number: 3, ..item },
        Column::plain(4, "score", PgType::FLOAT4),
        Column::plain(5, "source", PgType::TEXT),
    ];
    Ok(())
}

/// Refuses options that a recommender cannot have.
///
/// # Errors
/// 22023.
pub(crate) fn check(relation: &Relation) -> Result<()> {
    match relation.is_recommender() {
        true => Definition::check(&relation.options),
        false => Ok(()),
    }
}

/// Makes the model of a recommender as the statement sees purchases; returns how.
///
/// # Errors
/// What its query refuses; 53200 when the purchases need more memory than there is.
pub(crate) async fn refresh(context: Arc<QueryContext>, relation: Relation) -> Result<How> {
    Kept::refresh(&context, &relation).await.map(|kept| kept.how.clone())
}

/// Makes the model of a new recommender; returns how many rows the view has.
///
/// # Errors
/// As [`refresh`].
pub(crate) async fn fill(context: Arc<QueryContext>, relation: Relation) -> Result<u64> {
    let kept = Kept::refresh(&context, &relation).await?;
    let request = rows::request(&kept.definition, kept.model.histories.latest());
    let histories = &kept.model.histories;
    let items = kept.model.popular.len();
    let of_customer = |place: usize| {
        let history = histories.history(place);
        let bought = history.codes.len();
        let left = match request.bought {
            Bought::Exclude => items - bought,
            Bought::Allow => items,
            Bought::Only => bought,
            Bought::ExcludeSince(since) => {
                items - history.times.iter().filter(|time| **time >= since).count()
            }
        };
        left.min(request.k) as u64
    };
    Ok((0..histories.len()).map(of_customer).sum())
}
