//! After an action: the columns that say whose row it is.

use clientele_catalog::definition::Object;
use clientele_catalog::definition::Oid;
use sqlparser::ast::Expr;

use super::super::rows::{named, quoted};
use super::super::subject_columns;
use super::existing_rows::any;
use super::{Target, put, rewrite};
use crate::error::Result;
use crate::session::Session;
use crate::sql;

/// Gives the table the columns that its identifiers ask for now. Rows that are there are written
/// anew for a new one: storage finds out whose they are when they are written.
pub(super) async fn settle(session: &mut Session, oid: Oid) -> Result<()> {
    let target = Target::fresh(session, oid).await?;
    let mut after = target.relation.as_ref().clone();
    subject_columns::settle(&target.context, &mut after)?;
    if after == *target.relation {
        return Ok(());
    }
    let grows = after.live_columns().count() > target.relation.live_columns().count();
    if !grows || !any(session, &target.context, &target.relation).await? {
        return put(session, [Object::Relation(after)]).await;
    }
    let mut items = Vec::new();
    for column in after.live_columns() {
        let value = match target.relation.column(&column.name) {
            Some(known) => Expr::Identifier(quoted(&known.name)),
            None => sql::parse::expression("NULL")?,
        };
        items.push(named(value, &column.name));
    }
    rewrite::fill(session, &target, &after, items).await.map(drop)
}
