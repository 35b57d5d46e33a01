//! `IMPORT FOREIGN SCHEMA "/directory" FROM SERVER s INTO schema` (manual: sql-importforeignschema): a
//! table for each Parquet file of a directory, and for each directory of such files in it.

use clientele_catalog::foreign::FILENAME;
use clientele_catalog::storage::{FileColumn, columns_of, importable};
use sqlparser::ast::{ColumnDef, Ident};

use super::options::{self, OF_SERVER};
use super::server;
use super::table::{Place, define};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql;
use crate::sql::foreign::ImportSchema;
use crate::statement::rows::quoted;

/// Runs an IMPORT FOREIGN SCHEMA.
pub(super) async fn execute(session: &mut Session, import: &ImportSchema) -> Result<&'static str> {
    const TAG: &str = "IMPORT FOREIGN SCHEMA";
    session.writable(TAG)?;
    let context = session.context().await?;
    let server = server::usable(&context, &import.server)?.oid;
    let schema = context.schema(&import.schema)?;
    context.must_create_in(schema)?;
    options::check(&import.options, OF_SERVER)?;
    options::may_name_files(&context, &import.remote)?;
    let wanted = |name: &String| match &import.only {
        None => true,
        Some((limit, names)) => names.contains(name) == *limit,
    };
    for table in importable(&import.remote)?.into_iter().filter(|one| wanted(&one.name)) {
        let context = session.context().await?;
        if context.catalog().relation(schema, &table.name).is_some() {
            let text = format!("relation \"{}\" already exists", table.name);
            return Err(Error::new("42P07", text));
        }
        let columns = columns(session, &table.filename)?;
        let options = [(FILENAME.to_owned(), table.filename)];
        let place = Place { schema, name: &table.name, server, options: &options };
        define(session, &context, place, (&columns, &[])).await?;
    }
    Ok(TAG)
}

/// The columns that the files have, by their types; those without a type here are left out with a
/// warning.
fn columns(session: &Session, filename: &str) -> Result<Vec<ColumnDef>> {
    let (columns, others) = columns_of(filename)?;
    for name in others {
        let text = format!("column \"{name}\" of file \"{filename}\" is left out");
        session.notice("WARNING", "01000", text);
    }
    columns.iter().map(column).collect()
}

fn column(column: &FileColumn) -> Result<ColumnDef> {
    let name: Ident = quoted(&column.name.to_lowercase());
    let data_type = sql::parse::data_type(&column.pg_type.cast_name())?;
    Ok(ColumnDef { name, data_type, options: Vec::new() })
}
