//! `ALTER VIEW | SEQUENCE | INDEX | DOMAIN | DATABASE`, and what goes with them.

use clientele_catalog::definition::{Domain, FIRST_USER_OID, Object, Relation, RelationKind};
use sqlparser::ast::{ObjectName, SequenceOptions};

use super::alter_table::{self, Target};
use super::create_index::name_taken;
use super::owner::new_owner;
use super::{
    check, comment, create_domain, create_sequence, create_table_like, create_type, database,
    dependency, function,
};
use crate::error::{Error, Result};
use crate::functions;
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::planning::types;
use crate::refresh::options;
use crate::session::Session;
use crate::sql::definitions::{Change, Definition};
use crate::sql::place::name_parts;
use crate::sql::sequences::SequenceChange;
use crate::sql::storage::StorageChange;

/// Runs one of them.
pub(super) async fn execute(session: &mut Session, definition: &Definition) -> Result<String> {
    match definition {
        Definition::Relation { kind: "INDEX", name, if_exists, change } => {
            index(session, (name, *if_exists), change).await
        }
        Definition::Relation { kind, name, if_exists, change } => {
            relation(session, kind, (name, *if_exists), change).await
        }
        Definition::CreateDomain { create, not_null } => {
            create_domain::define(session, create, *not_null).await
        }
        Definition::Domain { name, change } => domain(session, name, change).await,
        Definition::CreateDatabase { name, owner } => {
            database::create(session, name, false, owner.as_ref()).await
        }
        Definition::DropDatabase { name, if_exists, force } => {
            database::drop(session, name, *if_exists, *force).await
        }
        Definition::Database { name, change: Change::Rename(to) } => {
            database::rename(session, name, to).await
        }
        Definition::Database { name, change: Change::Owner(owner) } => {
            database::give(session, name, owner).await
        }
        Definition::Database { name, change: Change::Setting(change) } => {
            database::set(session, name, change).await
        }
        Definition::Database { .. } => Err(Error::unsupported("this ALTER DATABASE")),
        Definition::CommentOnConstraint { name, table, comment } => {
            session.writable("COMMENT")?;
            let context = session.context().await?;
            let text = comment.clone().filter(|text| !text.is_empty());
            let object = comment::of_constraint(&context, (name, table), text)?;
            alter_table::put(session, [object]).await?;
            Ok("COMMENT".to_owned())
        }
        Definition::CreateTableLike { name, temporary, if_not_exists, source, including } => {
            let target = create_table_like::Like {
                name,
                temporary: *temporary,
                if_not_exists: *if_not_exists,
                source,
            };
            create_table_like::execute(session, &target, *including).await
        }
        Definition::Function { function: described, change } => {
            function::alter(session, described, change).await
        }
        Definition::CommentOnFunction { function: described, comment } => {
            session.writable("COMMENT")?;
            let context = session.context().await?;
            let mut found = function::named(&context, described)?.as_ref().clone();
            context.must_own("function", &found.name, found.owner)?;
            found.comment = comment.clone().filter(|text| !text.is_empty());
            alter_table::put(session, [Object::Function(found)]).await?;
            Ok("COMMENT".to_owned())
        }
    }
}

fn is(kind: &str, relation: &Relation) -> bool {
    match kind {
        "VIEW" => matches!(relation.kind, RelationKind::View { .. }),
        "MATERIALIZED VIEW" => matches!(relation.kind, RelationKind::MaterializedView { .. }),
        "SEQUENCE" => matches!(relation.kind, RelationKind::Sequence(_)),
        _ => true,
    }
}

async fn relation(
    session: &mut Session,
    kind: &str,
    (name, if_exists): (&ObjectName, bool),
    change: &Change,
) -> Result<String> {
    let tag = format!("ALTER {kind}");
    session.writable(&tag)?;
    let parts = name_parts(name);
    let context = session.context_to_change(|context| dependency::touched(context, &parts)).await?;
    let found = match context.find_relation(&parts)? {
        Some(Named::Relation(found)) => found,
        None if if_exists => {
            let text = format!("relation \"{}\" does not exist, skipping", parts.join("."));
            session.notice("NOTICE", "00000", text);
            return Ok(tag);
        }
        Some(Named::System(_, name)) => {
            let text = format!("permission denied: \"{name}\" is a system catalog");
            return Err(Error::new("42501", text));
        }
        None => return Err(undefined_table(&parts)),
    };
    if !is(kind, &found) {
        return Err(Error::new(
            "42809",
            format!("\"{}\" is not a {}", found.name, kind.to_lowercase()),
        ));
    }
    context.must_own_relation(&found)?;
    let target = Target { context, relation: found };
    match change {
        Change::Rename(to) => alter_table::rename(session, &target, to.clone()).await?,
        Change::RenameColumn(from, to) => {
            alter_table::rename_column(session, &target, from, to).await?
        }
        Change::Owner(owner) => alter_table::change_owner(session, &target, owner).await?,
        Change::Schema(schema) => alter_table::change_schema(session, &target, schema).await?,
        Change::Options(changes) => options::change(session, &target.relation, changes).await?,
        Change::Sequence(change) => sequence(session, &target, change).await?,
        Change::Identity(change) => alter_table::identity::change(session, &target, change).await?,
        Change::Storage(change) => storage(&target, change)?,
        Change::Default(_)
        | Change::NotNull(_)
        | Change::DropConstraint(..)
        | Change::Label(_)
        | Change::RenameLabel(..)
        | Change::AddCheck(..)
        | Change::Setting(_) => {
            return Err(Error::unsupported(tag));
        }
    }
    Ok(tag)
}

/// Storage parameters of tables (manual: sql-createtable).
const STORAGE_PARAMETERS: &[&str] = &[
    "fillfactor",
    "log_autovacuum_min_duration",
    "parallel_workers",
    "toast_tuple_target",
    "user_catalog_table",
    "vacuum_index_cleanup",
    "vacuum_truncate",
];

/// Looks for what actions on storage name.
fn storage(target: &Target, change: &StorageChange) -> Result<()> {
    let relation = &target.relation;
    for name in &change.parameters {
        let known = name.strip_prefix("toast.").unwrap_or(name);
        if !known.starts_with("autovacuum_") && !STORAGE_PARAMETERS.contains(&known) {
            return Err(Error::new("22023", format!("unrecognized parameter \"{name}\"")));
        }
    }
    if let Some(name) = change.columns.iter().find(|name| relation.column(name).is_none()) {
        let text = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
        return Err(Error::new("42703", text));
    }
    if let Some(name) = change.triggers.first() {
        let text = format!("trigger \"{name}\" for table \"{}\" does not exist", relation.name);
        return Err(Error::new("42704", text));
    }
    let is_index = |name: &&String| {
        relation.indexes.iter().any(|one| one.name == **name)
            || relation.unique_keys().any(|(one, _)| one.name == **name)
    };
    match change.indexes.iter().find(|name| !is_index(name)) {
        Some(name) => {
            let text = format!("index \"{name}\" for table \"{}\" does not exist", relation.name);
            Err(Error::new("42704", text))
        }
        None => Ok(()),
    }
}

async fn sequence(session: &mut Session, target: &Target, change: &SequenceChange) -> Result<()> {
    let RelationKind::Sequence(before) = &target.relation.kind else {
        return Err(Error::internal("not a sequence"));
    };
    let pg_type = match &change.data_type {
        Some(data_type) => types::named_type(data_type, &target.context)?.pg_type,
        None => before.pg_type,
    };
    // What is not mentioned stays: it goes before what is, which then wins.
    let number = |value: i64| crate::sql::parse::expression(&value.to_string());
    let mut options = vec![
        SequenceOptions::IncrementBy(number(before.increment)?, true),
        SequenceOptions::StartWith(number(before.start)?, true),
        SequenceOptions::Cycle(!before.cycle),
    ];
    if change.data_type.is_none() {
        options.push(SequenceOptions::MinValue(Some(number(before.minimum)?)));
        options.push(SequenceOptions::MaxValue(Some(number(before.maximum)?)));
    }
    options.extend(change.options.iter().cloned());
    let mut after = create_sequence::sequence(pg_type, &options)?;
    let reserved = functions::forget_sequence(&target.context, target.relation.oid);
    after.last_value = match reserved {
        // The definition says what was reserved, not what was handed out.
        Some(next) => next.checked_sub(before.increment),
        None => before.last_value,
    };
    after.owned_by = match &change.owned_by {
        Some(owner) => {
            create_sequence::owned_by_column(&target.context, target.relation.schema, owner)?
        }
        None => before.owned_by,
    };
    if let Some(start) = &change.restart {
        let start = match start {
            Some(value) => create_sequence::number(value)?,
            None => after.start,
        };
        if !(after.minimum..=after.maximum).contains(&start) {
            let text = format!(
                "RESTART value ({start}) is out of bounds for sequence \"{}\"",
                target.relation.name
            );
            return Err(Error::new("22023", text));
        }
        after.last_value =
            if start == after.start { None } else { start.checked_sub(after.increment) };
    }
    let relation =
        Relation { kind: RelationKind::Sequence(after), ..target.relation.as_ref().clone() };
    functions::forget_sequence(&target.context, relation.oid);
    alter_table::put(session, [Object::Relation(relation)]).await
}

async fn index(
    session: &mut Session,
    (name, if_exists): (&ObjectName, bool),
    change: &Change,
) -> Result<String> {
    const TAG: &str = "ALTER INDEX";
    session.writable(TAG)?;
    let context = session.context().await?;
    let (found, own_name) = match comment::find_index(&context, name) {
        Ok(found) => found,
        Err(error) if if_exists => {
            session.notice("NOTICE", "00000", format!("{}, skipping", error.message));
            return Ok(TAG.to_owned());
        }
        Err(error) => return Err(error),
    };
    context.must_own("index", &own_name, found.owner)?;
    let Change::Rename(to) = change else { return Err(Error::unsupported("this ALTER INDEX")) };
    if name_taken(context.catalog(), found.schema, to) {
        return Err(Error::new("42P07", format!("relation \"{to}\" already exists")));
    }
    let mut relation = found.as_ref().clone();
    let indexes = relation.indexes.iter_mut().map(|one| &mut one.name);
    let keys = relation.constraints.iter_mut().map(|one| &mut one.name);
    if let Some(place) = indexes.chain(keys).find(|one| **one == own_name) {
        place.clone_from(to);
    }
    alter_table::put(session, [Object::Relation(relation)]).await?;
    Ok(TAG.to_owned())
}

async fn domain(session: &mut Session, name: &ObjectName, change: &Change) -> Result<String> {
    const TAG: &str = "ALTER DOMAIN";
    session.writable(TAG)?;
    let context = session.context().await?;
    let parts = name_parts(name);
    let found = context.domain(&parts);
    let found = found.ok_or_else(|| {
        Error::new("42704", format!("type \"{}\" does not exist", parts.join(".")))
    })?;
    if found.oid < FIRST_USER_OID {
        return Err(Error::new("42501", format!("must be owner of type {}", found.name)));
    }
    context.must_own("type", &found.name, found.owner)?;
    let mut changed = found.as_ref().clone();
    match change {
        Change::Rename(to) => rename_domain(&context, &mut changed, to)?,
        Change::Owner(owner) => changed.owner = new_owner(&context, owner)?.oid,
        Change::Schema(schema) => {
            changed.schema = context.schema(schema)?;
            context.must_create_in(changed.schema)?;
            free_type_name(&context, &changed)?;
        }
        Change::Default(None) => changed.default = None,
        Change::Default(Some(value)) => {
            check::default_value(&context, (&changed.name, changed.pg_type), value)?;
            changed.default = Some(value.to_string());
        }
        Change::NotNull(false) => changed.not_null = false,
        Change::Label(new) => create_type::add_label(session, &mut changed, new)?,
        Change::RenameLabel(from, to) => {
            create_type::rename_label(session, &context, &mut changed, (from, to)).await?;
        }
        Change::AddCheck(name, condition) => {
            let check = (name.as_ref(), condition);
            create_domain::add(session, &context, &mut changed, check).await?;
        }
        Change::DropConstraint(constraint, if_exists) => {
            let before = changed.checks.len();
            changed.checks.retain(|(name, _)| name != constraint);
            if changed.checks.len() == before {
                let text = format!(
                    "constraint \"{constraint}\" of domain \"{}\" does not exist",
                    changed.name
                );
                if !if_exists {
                    return Err(Error::new("42704", text));
                }
                session.notice("NOTICE", "00000", format!("{text}, skipping"));
            }
        }
        Change::NotNull(true)
        | Change::RenameColumn(..)
        | Change::Options(_)
        | Change::Sequence(_)
        | Change::Identity(_)
        | Change::Storage(_)
        | Change::Setting(_) => {
            return Err(Error::unsupported("this ALTER DOMAIN"));
        }
    }
    let tag = if changed.labels.is_empty() { TAG } else { "ALTER TYPE" };
    alter_table::put(session, [Object::Domain(changed)]).await?;
    Ok(tag.to_owned())
}

/// Columns hold a domain by its OID; only views name it, in their casts.
fn rename_domain(context: &QueryContext, domain: &mut Domain, to: &str) -> Result<()> {
    to.clone_into(&mut domain.name);
    free_type_name(context, domain)
}

fn free_type_name(context: &QueryContext, domain: &Domain) -> Result<()> {
    match context.catalog().domain(domain.schema, &domain.name) {
        Some(other) if other.oid != domain.oid => {
            Err(Error::new("42710", format!("type \"{}\" already exists", domain.name)))
        }
        _ => Ok(()),
    }
}
