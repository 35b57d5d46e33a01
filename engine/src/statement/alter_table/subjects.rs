//! After an action: the columns that say whose row it is.

use clientele_catalog::definition::{Object, Oid, Relation};
use clientele_catalog::domains::Subject;
use sqlparser::ast::Expr;

use super::super::rows::{named, quoted};
use super::super::subject_columns;
use super::existing_rows::any;
use super::{Target, put, rewrite};
use crate::error::{Error, Result};
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
    let has_people =
        |one: &Relation| one.live_columns().any(|one| one.subject == Some(Subject::Person));
    if has_people(&target.relation) && !has_people(&after) {
        must_keep_nothing(session, &target.relation).await?;
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

/// Refuses to lose the marks of rows that a legal hold keeps.
///
/// # Errors
/// 55000.
async fn must_keep_nothing(session: &mut Session, relation: &Relation) -> Result<()> {
    let work = session.work().await?;
    let transaction = work.lock().await;
    if transaction.marks(relation)?.is_empty() {
        return Ok(());
    }
    let text = format!("cannot drop the last identifier of table \"{}\"", relation.name);
    Err(Error::new("55000", text)
        .with_detail("A legal hold keeps rows of people who were erased. They could not be found when it ends.")
        .with_hint("CALL gdpr.release(…) and CALL gdpr.purge() erase these rows."))
}
