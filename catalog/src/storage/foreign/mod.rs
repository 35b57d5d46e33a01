//! Rows in Parquet files of others, read in place: what a foreign table shows.
//!
//! ```text
//! filename '/lake/lines/*.parquet' ─▶ files (one list for a statement) ─▶ footers (kept while a file
//!   stays as it is) ─▶ a Parquet source that prunes ─▶ columns, each file's own cast to the table's
//!   ─▶ without the rows of those who were erased
//! ```
//!
//! Nothing of a file is kept but its footer. A file that is replaced while a statement reads it fails
//! the statement: half of one file and half of another are no rows of anybody.

mod columns;
mod erased;
mod files;
mod footers;
mod infer;
mod reader;
mod rows;
mod uuid;

use std::sync::Arc;

use datafusion::catalog::TableProvider;

pub use files::{Listings, SeenFiles};
pub(super) use footers::Footers;
pub use infer::{FileColumn, Importable, columns_of, importable};

use self::rows::ForeignRows;
use super::store::Store;
use crate::definition::Relation;

impl Store {
    /// The rows of a foreign table, for DataFusion, in the files that `listings` says.
    pub fn foreign_rows(
        self: &Arc<Self>,
        relation: &Arc<Relation>,
        listings: &Arc<Listings>,
    ) -> Arc<dyn TableProvider> {
        let schema = self.schema(relation, false);
        Arc::new(ForeignRows::new(self, relation, schema, Some(Arc::clone(listings))))
    }
}

/// The same foreign table in another statement, or in none. `None` for a provider that is not of
/// [`Store::foreign_rows`].
pub fn foreign_moved_to(
    provider: &dyn TableProvider,
    listings: Option<&Arc<Listings>>,
) -> Option<Arc<dyn TableProvider>> {
    let rows = provider.downcast_ref::<ForeignRows>()?;
    Some(Arc::new(rows.moved_to(listings)))
}

/// The foreign table that a provider of [`Store::foreign_rows`] shows.
pub fn foreign_relation(provider: &dyn TableProvider) -> Option<&Arc<Relation>> {
    provider.downcast_ref::<ForeignRows>().map(ForeignRows::relation)
}

/// Whether two providers show the same rows of a foreign table in the same columns.
pub(super) fn same_rows(one: &dyn TableProvider, other: &dyn TableProvider) -> bool {
    let (one, other) = (one.downcast_ref::<ForeignRows>(), other.downcast_ref::<ForeignRows>());
    one.zip(other).is_some_and(|(one, other)| one.shows_what(other))
}
