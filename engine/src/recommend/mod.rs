//! Recommendations: `CREATE MATERIALIZED VIEW … USING recommender`.
//!
//! ```sql
//! CREATE MATERIALIZED VIEW shop.next_best USING recommender WITH (k = 10) AS
//!   SELECT customer_id, product_id, quantity, ordered_at FROM shop.orders JOIN shop.order_lines USING (order_id);
//! SELECT * FROM shop.next_best WHERE customer_id = 42;
//! SELECT * FROM recommend.products('shop.next_best', k => 5, candidates => (SELECT product_id FROM shop.products WHERE stock > 0));
//! ```
//!
//! The view stores no rows. What it is made of is a *model* in memory ([`kept`]), which is made when
//! it is created, refreshed, or first asked after a restart; so nothing of a person is on disk but
//! the purchases themselves. `clientele_recommend` computes; here purchases are read ([`read`])
//! and numbers turned into rows ([`rows`]).
//!
//! - `definition`: what a definition says; `create`: CREATE and REFRESH
//! - `again`: a model after a change; `delta`: what has changed; `linear`: whether that is enough
//! - `query`: the view's query; `table`: the view as DataFusion sees it; `seen`: what a model was made of; `news`: what has come since
//! - `functions`: the table functions; each has a file of its name, `rules` are what they share

mod again;
mod allowed;
mod basket;
mod create;
mod definition;
mod delta;
mod evaluation;
mod functions;
mod items;
mod kept;
mod linear;
mod lookalikes;
mod models;
mod news;
mod products;
mod query;
mod read;
mod rows;
mod rules;
mod seen;
mod table;
mod together;
mod why;

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use datafusion::catalog::TableProvider;

use crate::planning::context::QueryContext;

pub(crate) use create::{check, columns, fill, refresh};
pub(crate) use functions::FUNCTIONS;
pub(crate) use kept::Recommenders;
pub(crate) use table::rows_of;

/// What makes the rows of a recommender; `None`: the relation is none.
pub(crate) fn provider(
    context: &Arc<QueryContext>,
    relation: &Arc<Relation>,
) -> Option<Arc<dyn TableProvider>> {
    relation.is_recommender().then(|| {
        let table = table::Recommendations::new(Some(context), relation);
        Arc::new(table) as Arc<dyn TableProvider>
    })
}

/// The recommender whose rows a provider makes; `None`: it makes others.
pub(crate) fn relation(provider: &dyn TableProvider) -> Option<&Arc<Relation>> {
    provider.downcast_ref::<table::Recommendations>().map(table::Recommendations::relation)
}

/// The same relation in another statement, or in none.
pub(crate) fn moved_to(
    provider: &dyn TableProvider,
    context: Option<&Arc<QueryContext>>,
) -> Option<Arc<dyn TableProvider>> {
    let table = provider.downcast_ref::<table::Recommendations>()?;
    Some(Arc::new(table::Recommendations::new(context, table.relation())))
}
