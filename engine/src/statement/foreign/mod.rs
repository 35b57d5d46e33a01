//! Foreign servers and foreign tables (manual: ddl-foreign-data): Parquet files read in place.
//!
//! ```sql
//! CREATE SERVER lake FOREIGN DATA WRAPPER parquet_fdw;
//! CREATE FOREIGN TABLE lines (customer_id bigint) SERVER lake OPTIONS (filename '/lake/lines/*.parquet');
//! ```
//!
//! `server` and `table` keep the definitions, `options` says which options there are, `import` makes
//! tables of the files of a directory. Rows come from [`clientele_catalog::storage::Store::foreign_rows`].

mod import;
mod options;
mod server;
mod table;

pub(super) use server::named as server_named;
pub(super) use table::{enforced_elsewhere, supported};

use crate::error::Result;
use crate::session::Session;
use crate::sql::foreign::ForeignStatement;

/// Runs one of the statements. Returns the tag.
pub(super) async fn execute(session: &mut Session, statement: &ForeignStatement) -> Result<String> {
    use ForeignStatement as F;
    let tag = match statement {
        F::CreateServer(create) => server::create(session, create).await?,
        F::AlterServer { name, change } => server::alter(session, name, change).await?,
        F::DropServer(names) => server::drop(session, names).await?,
        F::CommentOnServer(name, text) => server::comment(session, name, text.clone()).await?,
        F::CreateTable(create) => table::create(session, create).await?,
        F::AlterOptions { name, if_exists, changes } => {
            table::alter_options(session, (name, *if_exists), changes).await?
        }
        F::AlterTable(alter) => table::alter(session, alter).await?,
        F::DropTable(names) => table::drop(session, names).await?,
        F::CommentOnTable(name, text) => table::comment(session, name, text.clone()).await?,
        F::Privileges(statement) => super::grant::on_servers(session, statement).await?,
        F::Import(one) => import::execute(session, one).await?,
    };
    Ok(tag.to_owned())
}
