//! `DROP TABLE | VIEW | SCHEMA | …` (manual: sql-droptable).

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Function, Object, Oid, Relation, RelationKind};
use sqlparser::ast::{ObjectName, ObjectType, Statement};

use super::dependency;
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::planning::rights::{FOREIGN_TABLE, kind_of};
use crate::session::Session;
use crate::sql::place::name_parts;

/// Runs a DROP.
pub(super) async fn execute(session: &mut Session, statement: &Statement) -> Result<String> {
    let (kind, names, if_exists, cascade) = match statement {
        Statement::Drop { object_type, names, if_exists, cascade, .. } => {
            (*object_type, names.clone(), *if_exists, *cascade)
        }
        Statement::DropDomain(drop) => {
            let cascade = matches!(drop.drop_behavior, Some(sqlparser::ast::DropBehavior::Cascade));
            return domain(session, &drop.name, drop.if_exists, cascade).await;
        }
        other => return Err(Error::internal(format!("not a DROP: {other}"))),
    };
    let tag = format!("DROP {kind}");
    session.writable(&tag)?;
    if let Some(word) = word(kind) {
        relations(session, (word, &names), if_exists, cascade).await?;
        return Ok(tag);
    }
    for name in &names {
        match kind {
            ObjectType::Schema => schema(session, name, if_exists, cascade).await?,
            ObjectType::Type => drop(domain(session, name, if_exists, cascade).await?),
            ObjectType::Index => index(session, name, if_exists).await?,
            other => return Err(Error::unsupported(format!("DROP {other}"))),
        }
    }
    Ok(tag)
}

/// What PostgreSQL calls several objects that are dropped at once.
const SEVERAL: &str = "desired object(s)";

/// What messages call relations of a kind; `None`: it is none of relations.
fn word(kind: ObjectType) -> Option<&'static str> {
    match kind {
        ObjectType::Table => Some("table"),
        ObjectType::View => Some("view"),
        ObjectType::MaterializedView => Some("materialized view"),
        ObjectType::Sequence => Some("sequence"),
        _ => None,
    }
}

/// Drops all that are named at once: they may depend on one another.
pub(super) async fn relations(
    session: &mut Session,
    (word, names): (&'static str, &[ObjectName]),
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let all: Vec<Vec<String>> = names.iter().map(name_parts).collect();
    let touched = |context: &QueryContext| {
        let touched = all.iter().map(|parts| dependency::touched(context, parts));
        Ok(touched.collect::<Result<Vec<_>>>()?.concat())
    };
    let context = session.context_to_change(touched).await?;
    let mut doomed = BTreeSet::new();
    let mut called = Vec::with_capacity(all.len());
    for parts in &all {
        if let Some(found) = found(session, &context, (word, parts), if_exists)? {
            doomed.insert(found.oid);
            called.push(format!("{word} {}", found.name));
        }
    }
    match called.as_slice() {
        [] => Ok(()),
        [what] => drop_all(session, &context, doomed, (what, cascade)).await,
        _ => drop_all(session, &context, doomed, (SEVERAL, cascade)).await,
    }
}

/// The relation of that name, or `None` where it need not exist.
fn found(
    session: &Session,
    context: &QueryContext,
    (word, parts): (&str, &[String]),
    if_exists: bool,
) -> Result<Option<Arc<Relation>>> {
    let shown = parts.join(".");
    let missing_schema = match parts {
        [schema, _] => context.catalog().schema(schema).is_none(),
        _ => false,
    };
    if missing_schema && if_exists {
        let schema = parts.first().cloned().unwrap_or_default();
        session.notice("NOTICE", "00000", format!("schema \"{schema}\" does not exist, skipping"));
        return Ok(None);
    }
    let found = match context.find_relation(parts)? {
        Some(Named::Relation(found)) => found,
        Some(Named::System(_, name)) => {
            let text = format!("permission denied: \"{name}\" is a system catalog");
            return Err(Error::new("42501", text));
        }
        None if if_exists => {
            let text = format!("{word} \"{shown}\" does not exist, skipping");
            session.notice("NOTICE", "00000", text);
            return Ok(None);
        }
        None => {
            let sqlstate = if word == FOREIGN_TABLE { "42704" } else { "42P01" };
            return Err(Error::new(sqlstate, format!("{word} \"{shown}\" does not exist")));
        }
    };
    let kind = kind_of(&found);
    if kind != word {
        let hint = format!("Use DROP {} to remove a {kind}.", kind.to_uppercase());
        let text = format!("\"{}\" is not a {word}", found.name);
        return Err(Error::new("42809", text).with_hint(hint));
    }
    context.must_own_or_schema(word, &found.name, (found.owner, found.schema))?;
    Ok(Some(found))
}

/// Drops relations and what depends on them, or refuses.
pub(super) async fn drop_all(
    session: &mut Session,
    context: &QueryContext,
    named: BTreeSet<Oid>,
    (what, cascade): (&str, bool),
) -> Result<()> {
    let catalog = context.catalog();
    let mut doomed = named.clone();
    // What depends, and on what.
    let mut dependents: Vec<(String, Oid)> = Vec::new();
    let mut waiting: Vec<Oid> = named.iter().copied().collect();
    while let Some(oid) = waiting.pop() {
        for sequence in owned_sequences(catalog, oid) {
            doomed.insert(sequence);
        }
        for view in dependency::dependents(catalog, oid) {
            if doomed.insert(view.oid) {
                dependents.push((described(&view), oid));
                waiting.push(view.oid);
            }
        }
    }
    let keys = foreign_keys(catalog, &doomed);
    dependents.extend(keys.iter().map(|(table, key, references)| {
        (format!("constraint {key} on table {}", table.name), *references)
    }));
    if !dependents.is_empty() && !cascade {
        return Err(blocked(catalog, &dependents, what));
    }
    let dependents: Vec<String> = dependents.into_iter().map(|(one, _)| one).collect();
    notice_cascade(session, &dependents);
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for (table, key, _) in keys {
        let mut table = transaction
            .snapshot()
            .catalog
            .relation_by_oid(table.oid)
            .map_or(table, |one| one.as_ref().clone());
        table.constraints.retain(|constraint| constraint.name != key);
        transaction.put(Object::Relation(table));
    }
    for oid in doomed {
        transaction.drop_object(oid);
    }
    Ok(())
}

/// `view v`, as messages name a relation.
fn described(relation: &Relation) -> String {
    format!("{} {}", kind_of(relation), relation.name)
}

fn blocked(catalog: &Catalog, dependents: &[(String, Oid)], what: &str) -> Error {
    let line = |(one, on): &(String, Oid)| {
        let on = catalog.relation_by_oid(*on).map(|relation| described(relation));
        format!("{one} depends on {}", on.as_deref().unwrap_or(what))
    };
    let lines: Vec<String> = dependents.iter().map(line).collect();
    let it = if what == SEVERAL { "them" } else { "it" };
    Error::new("2BP01", format!("cannot drop {what} because other objects depend on {it}"))
        .with_detail(lines.join("\n"))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

pub(super) fn notice_cascade(session: &Session, dependents: &[String]) {
    match dependents {
        [] => {}
        [one] => session.notice("NOTICE", "00000", format!("drop cascades to {one}")),
        many => {
            let lines: Vec<String> =
                many.iter().map(|one| format!("drop cascades to {one}")).collect();
            let text = format!("drop cascades to {} other objects", many.len());
            let notice = Error { severity: "NOTICE", ..Error::new("00000", text) };
            let notice = notice.with_detail(lines.join("\n"));
            session.shared.notices.lock().push(crate::api::Notice::Message(notice));
        }
    }
}

fn owned_sequences(catalog: &Catalog, table: Oid) -> Vec<Oid> {
    let owned = |relation: &Relation| match &relation.kind {
        RelationKind::Sequence(sequence) => sequence.owned_by.is_some_and(|(oid, _)| oid == table),
        _ => false,
    };
    catalog.relations().filter(|relation| owned(relation)).map(|relation| relation.oid).collect()
}

/// Foreign keys of other tables that refer to doomed ones.
fn foreign_keys(catalog: &Catalog, doomed: &BTreeSet<Oid>) -> Vec<(Relation, String, Oid)> {
    let mut keys = Vec::new();
    for relation in catalog.relations().filter(|relation| !doomed.contains(&relation.oid)) {
        for constraint in &relation.constraints {
            if let clientele_catalog::definition::ConstraintKind::ForeignKey { references, .. } =
                &constraint.kind
                && doomed.contains(references)
            {
                keys.push((relation.as_ref().clone(), constraint.name.clone(), *references));
            }
        }
    }
    keys
}

async fn schema(
    session: &mut Session,
    name: &ObjectName,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let context = session.context().await?;
    let name = name_parts(name).pop().unwrap_or_default();
    let catalog = context.catalog();
    let Some(schema) = catalog.schema(&name) else {
        if if_exists {
            session.notice(
                "NOTICE",
                "00000",
                format!("schema \"{name}\" does not exist, skipping"),
            );
            return Ok(());
        }
        return Err(Error::new("3F000", format!("schema \"{name}\" does not exist")));
    };
    context.schema(&name)?;
    context.must_own("schema", &name, schema.owner)?;
    let relations: Vec<_> =
        catalog.relations().filter(|relation| relation.schema == schema.oid).collect();
    let domains: Vec<_> = catalog.domains().filter(|domain| domain.schema == schema.oid).collect();
    let mut inside: Vec<String> = Vec::new();
    for relation in &relations {
        let word = match relation.kind_letter() {
            'v' => "view",
            'm' => "materialized view",
            'S' => continue,
            _ => "table",
        };
        inside.push(format!("{word} {name}.{}", relation.name));
    }
    inside.extend(domains.iter().map(|domain| format!("type {name}.{}", domain.name)));
    let functions: Vec<_> = catalog.functions().filter(|one| one.schema == schema.oid).collect();
    inside.extend(functions.iter().map(|one| format!("function {name}.{}", signature(one))));
    if !inside.is_empty() && !cascade {
        let lines: Vec<String> =
            inside.iter().map(|one| format!("{one} depends on schema {name}")).collect();
        return Err(Error::new(
            "2BP01",
            format!("cannot drop schema {name} because other objects depend on it"),
        )
        .with_detail(lines.join("\n"))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too."));
    }
    notice_cascade(session, &inside);
    let doomed = relations.iter().map(|relation| relation.oid).collect();
    drop_all(session, &context, doomed, (&format!("schema {name}"), true)).await?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    let defaults = catalog.default_privileges().filter(|one| one.schema == schema.oid);
    let others = domains.iter().map(|one| one.oid).chain(functions.iter().map(|one| one.oid));
    for oid in others.chain(defaults.map(|one| one.oid)) {
        transaction.drop_object(oid);
    }
    transaction.drop_object(schema.oid);
    Ok(())
}

/// `twice(integer)`, as messages name a function.
fn signature(function: &Function) -> String {
    let types: Vec<String> = function.arguments.iter().map(|one| one.pg_type.sql_name()).collect();
    format!("{}({})", function.name, types.join(","))
}

async fn domain(
    session: &mut Session,
    name: &ObjectName,
    if_exists: bool,
    cascade: bool,
) -> Result<String> {
    const TAG: &str = "DROP DOMAIN";
    session.writable(TAG)?;
    let context = session.context().await?;
    let parts = name_parts(name);
    let shown = parts.join(".");
    let Some(domain) = context.domain(&parts) else {
        if if_exists {
            session.notice("NOTICE", "00000", format!("type \"{shown}\" does not exist, skipping"));
            return Ok(TAG.to_owned());
        }
        return Err(Error::new("42704", format!("type \"{shown}\" does not exist")));
    };
    if domain.oid < clientele_catalog::definition::FIRST_USER_OID {
        return Err(Error::new(
            "2BP01",
            format!("cannot drop type {shown} because it is required by the database system"),
        ));
    }
    context.must_own_or_schema("type", &domain.name, (domain.owner, domain.schema))?;
    let users: Vec<String> = context
        .catalog()
        .relations()
        .flat_map(|relation| {
            let columns =
                relation.live_columns().filter(|column| column.domain == Some(domain.oid));
            columns
                .map(|column| format!("column {} of table {}", column.name, relation.name))
                .collect::<Vec<_>>()
        })
        .collect();
    if !users.is_empty() {
        let lines: Vec<String> =
            users.iter().map(|one| format!("{one} depends on type {shown}")).collect();
        let hint = match cascade {
            true => "Change the type of these columns first.",
            false => "Use DROP ... CASCADE to drop the dependent objects too.",
        };
        return Err(Error::new(
            "2BP01",
            format!("cannot drop type {shown} because other objects depend on it"),
        )
        .with_detail(lines.join("\n"))
        .with_hint(hint));
    }
    let oid = domain.oid;
    let work = session.work().await?;
    work.lock().await.drop_object(oid);
    Ok(TAG.to_owned())
}

/// Refuses to drop the index that foreign keys rely on.
fn refuse_if_referred_to(catalog: &Catalog, relation: &Relation, index: &str) -> Result<()> {
    let Some((_, columns)) = relation.unique_keys().find(|(one, _)| one.name == index) else {
        return Ok(());
    };
    let refers = |table: &&Arc<Relation>| {
        let mut keys = table.foreign_keys();
        keys.any(|key| key.references == relation.oid && key.referenced == columns)
    };
    let lines: Vec<String> = catalog
        .relations()
        .filter(refers)
        .flat_map(|table| table.foreign_keys().map(move |key| (key.name, &table.name)))
        .map(|(key, table)| format!("constraint {key} on table {table} depends on index {index}"))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let text = format!("cannot drop index {index} because other objects depend on it");
    Err(Error::new("2BP01", text)
        .with_detail(lines.join("\n"))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too."))
}

async fn index(session: &mut Session, name: &ObjectName, if_exists: bool) -> Result<()> {
    let context = session.context().await?;
    let name = name_parts(name).pop().unwrap_or_default();
    let found = context.catalog().relations().find(|relation| {
        relation.indexes.iter().any(|index| index.name == name)
            || relation.constraints.iter().any(|constraint| constraint.name == name)
    });
    let Some(relation) = found else {
        if if_exists {
            session.notice("NOTICE", "00000", format!("index \"{name}\" does not exist, skipping"));
            return Ok(());
        }
        return Err(Error::new("42704", format!("index \"{name}\" does not exist")));
    };
    context.must_own_or_schema("index", &name, (relation.owner, relation.schema))?;
    if relation.constraints.iter().any(|one| one.name == name && !one.of_index) {
        let text = format!(
            "cannot drop index {name} because constraint {name} on table {} requires it",
            relation.name
        );
        return Err(Error::new("2BP01", text).with_hint(format!(
            "You can drop constraint {name} on table {} instead.",
            relation.name
        )));
    }
    refuse_if_referred_to(context.catalog(), relation, &name)?;
    let mut relation = relation.as_ref().clone();
    relation.indexes.retain(|index| index.name != name);
    relation.constraints.retain(|one| one.name != name);
    let work = session.work().await?;
    work.lock().await.put(Object::Relation(relation));
    Ok(())
}
