//! `ALTER TABLE` (manual: sql-altertable), also on views and sequences where PostgreSQL lets it.
//!
//! A statement is a list of actions; each sees what the one before it did. Definitions change in
//! the catalog; rows are looked at where a rule is new ([`existing_rows`]) and rewritten only
//! where their values change ([`rewrite`]).

mod columns;
mod constraints;
pub(super) mod existing_rows;
pub(super) mod identity;
mod names;
mod rewrite;
mod subjects;

use std::sync::Arc;

use clientele_catalog::definition::{Object, Oid, Relation, RelationKind, RowSecurity};
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{AlterColumnOperation, AlterTable, AlterTableOperation, RenameTableNameKind};

use super::dependency;
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::planning::rights::kind_of;
use crate::session::Session;
use crate::sql::place::name_parts;

pub(super) use names::{change_owner, change_schema, rename, rename_column, with_sequence_renamed};

/// Runs an ALTER TABLE.
pub(super) async fn execute(session: &mut Session, alter: &AlterTable) -> Result<String> {
    const TAG: &str = "ALTER TABLE";
    session.writable(TAG)?;
    let parts = name_parts(&alter.name);
    let context = session.context_to_change(|context| dependency::touched(context, &parts)).await?;
    let relation = match context.find_relation(&parts)? {
        None if alter.if_exists => {
            let text = format!("relation \"{}\" does not exist, skipping", parts.join("."));
            session.notice("NOTICE", "00000", text);
            return Ok(TAG.to_owned());
        }
        None => return Err(undefined_table(&parts)),
        Some(Named::System(_, name)) => {
            let text = format!("permission denied: \"{name}\" is a system catalog");
            return Err(Error::new("42501", text));
        }
        Some(Named::Relation(relation)) => relation,
    };
    context.must_own_relation(&relation)?;
    for operation in &alter.operations {
        let target = Target::fresh(session, relation.oid).await?;
        Box::pin(step(session, &target, operation)).await?;
        subjects::settle(session, relation.oid).await?;
    }
    Ok(TAG.to_owned())
}

/// The relation as the actions so far have left it.
pub(super) struct Target {
    pub(super) context: Arc<QueryContext>,
    pub(super) relation: Arc<Relation>,
}

impl Target {
    pub(super) async fn fresh(session: &mut Session, oid: Oid) -> Result<Self> {
        let context = session.context().await?;
        let relation = context.catalog().relation_by_oid(oid).map(Arc::clone);
        let relation = relation.ok_or_else(|| Error::internal("the altered relation is gone"))?;
        Ok(Self { context, relation })
    }

    /// Refuses an action on relations that it makes no sense for. A foreign table changes as a
    /// table does.
    fn must_be_table(&self, action: &str) -> Result<()> {
        match self.relation.kind {
            RelationKind::ForeignTable(_) => Ok(()),
            _ => self.must_store_rows(action),
        }
    }

    /// Refuses an action on what is no stored table.
    fn must_store_rows(&self, action: &str) -> Result<()> {
        let of = match self.relation.kind {
            RelationKind::Table => return Ok(()),
            RelationKind::View { .. } => "views",
            RelationKind::MaterializedView { .. } => "materialized views",
            RelationKind::Sequence(_) => "sequences",
            RelationKind::ForeignTable(_) => "foreign tables",
        };
        let name = &self.relation.name;
        Err(Error::new(
            "42809",
            format!("ALTER action {action} cannot be performed on relation \"{name}\""),
        )
        .with_detail(format!("This operation is not supported for {of}.")))
    }

    /// `table t`, as messages name it.
    fn shown(&self) -> String {
        format!("{} {}", kind_of(&self.relation), self.relation.name)
    }
}

async fn step(
    session: &mut Session,
    target: &Target,
    operation: &AlterTableOperation,
) -> Result<()> {
    use AlterTableOperation as Op;
    match operation {
        Op::AddColumn { column_def, if_not_exists, .. } => {
            target.must_be_table("ADD COLUMN")?;
            columns::add(session, target, column_def, *if_not_exists).await
        }
        Op::DropColumn { column_names, if_exists, drop_behavior, .. } => {
            target.must_be_table("DROP COLUMN")?;
            columns::drop(session, target, column_names, (*if_exists, *drop_behavior)).await
        }
        Op::AlterColumn { column_name, op } => {
            alter_column(session, target, (column_name, op)).await
        }
        Op::AddConstraint { constraint, not_valid } => {
            target.must_be_table("ADD CONSTRAINT")?;
            constraints::add(session, target, constraint, *not_valid).await
        }
        Op::DropConstraint { name, if_exists, drop_behavior } => {
            target.must_be_table("DROP CONSTRAINT")?;
            constraints::drop(session, target, name, (*if_exists, *drop_behavior)).await
        }
        Op::ValidateConstraint { name } => constraints::validate(session, target, name).await,
        Op::RenameConstraint { old_name, new_name } => {
            constraints::rename(session, target, old_name, new_name).await
        }
        Op::RenameColumn { old_column_name, new_column_name } => {
            rename_column(session, target, old_column_name, new_column_name).await
        }
        Op::RenameTable {
            table_name: RenameTableNameKind::To(name) | RenameTableNameKind::As(name),
        } => rename(session, target, name_parts(name).pop().unwrap_or_default()).await,
        Op::OwnerTo { new_owner } => change_owner(session, target, new_owner).await,
        Op::EnableRowLevelSecurity => row_security(session, target, |one| one.enabled = true).await,
        Op::DisableRowLevelSecurity => {
            row_security(session, target, |one| one.enabled = false).await
        }
        Op::ForceRowLevelSecurity => row_security(session, target, |one| one.forced = true).await,
        Op::NoForceRowLevelSecurity => {
            row_security(session, target, |one| one.forced = false).await
        }
        other => Err(Error::unsupported(format!(
            "ALTER TABLE … {}",
            super::first_words(&other.to_string())
        ))),
    }
}

async fn alter_column(
    session: &mut Session,
    target: &Target,
    (name, operation): (&sqlparser::ast::Ident, &AlterColumnOperation),
) -> Result<()> {
    use AlterColumnOperation as Op;
    match operation {
        Op::SetDataType { data_type, using, .. } => {
            target.must_be_table("ALTER COLUMN ... SET DATA TYPE")?;
            rewrite::change_type(session, target, name, (data_type, using.as_ref())).await
        }
        Op::SetNotNull | Op::DropNotNull => {
            target.must_be_table("ALTER COLUMN ... SET NOT NULL")?;
            columns::set_not_null(session, target, name, *operation == Op::SetNotNull).await
        }
        Op::SetDefault { value } => {
            target.must_be_table("ALTER COLUMN ... SET DEFAULT")?;
            columns::set_default(session, target, name, Some(value)).await
        }
        Op::DropDefault => {
            target.must_be_table("ALTER COLUMN ... DROP DEFAULT")?;
            columns::set_default(session, target, name, None).await
        }
        Op::AddGenerated { .. } => Err(Error::unsupported("ADD GENERATED beside other actions")),
    }
}

/// Puts objects into the transaction's catalog.
pub(super) async fn put(
    session: &mut Session,
    objects: impl IntoIterator<Item = Object>,
) -> Result<()> {
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for object in objects {
        transaction.put(object);
    }
    Ok(())
}

/// The one value of a one-row result.
pub(super) fn first_value(batches: &[RecordBatch]) -> Result<ScalarValue> {
    let batch = batches.iter().find(|batch| batch.num_rows() > 0);
    let column = batch.and_then(|batch| batch.columns().first());
    let column = column.ok_or_else(|| Error::internal("an expression without value"))?;
    ScalarValue::try_from_array(column, 0).map_err(Error::from)
}

async fn row_security(
    session: &mut Session,
    target: &Target,
    change: impl FnOnce(&mut RowSecurity),
) -> Result<()> {
    if target.relation.foreign().is_some() {
        target.must_store_rows("ENABLE ROW SECURITY")?;
    }
    let mut relation = target.relation.as_ref().clone();
    change(&mut relation.row_security);
    put(session, [Object::Relation(relation)]).await
}
