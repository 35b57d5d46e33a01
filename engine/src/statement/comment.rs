//! `COMMENT ON … IS …` (manual: sql-comment).

use std::sync::Arc;

use clientele_catalog::definition::{FIRST_USER_OID, Object, Relation};
use sqlparser::ast::{CommentObject, ObjectName, Statement};

use super::owner::{self};
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::planning::rights::kind_of;
use crate::session::Session;
use crate::sql::place::name_parts;

/// Runs a COMMENT.
pub(super) async fn execute(session: &mut Session, statement: &Statement) -> Result<String> {
    const TAG: &str = "COMMENT";
    let Statement::Comment { object_type, object_name, comment, .. } = statement else {
        return Err(Error::internal("not a COMMENT"));
    };
    session.writable(TAG)?;
    let context = session.context().await?;
    // PostgreSQL takes an empty comment for none.
    let comment = comment.clone().filter(|text| !text.is_empty());
    let object = match object_type {
        CommentObject::Role | CommentObject::User => {
            of_role(&context, object_name, comment)?;
            return Ok(TAG.to_owned());
        }
        CommentObject::Database => {
            of_database(&context, object_name, comment)?;
            return Ok(TAG.to_owned());
        }
        CommentObject::Column => of_column(&context, object_name, comment)?,
        CommentObject::Schema => of_schema(&context, object_name, comment)?,
        CommentObject::Domain | CommentObject::Type => of_domain(&context, object_name, comment)?,
        CommentObject::Index => of_index(&context, object_name, comment)?,
        CommentObject::Table => of_relation(&context, "table", object_name, comment)?,
        CommentObject::View => of_relation(&context, "view", object_name, comment)?,
        CommentObject::MaterializedView => {
            of_relation(&context, "materialized view", object_name, comment)?
        }
        CommentObject::Sequence => of_relation(&context, "sequence", object_name, comment)?,
        other => return Err(Error::unsupported(format!("COMMENT ON {other}"))),
    };
    let work = session.work().await?;
    work.lock().await.put(object);
    Ok(TAG.to_owned())
}

/// `COMMENT ON CONSTRAINT name ON table`.
pub(super) fn of_constraint(
    context: &QueryContext,
    (name, table): (&str, &ObjectName),
    comment: Option<String>,
) -> Result<Object> {
    let mut relation = context.relation(table)?.as_ref().clone();
    context.must_own_relation(&relation)?;
    let shown = relation.name.clone();
    let constraint = relation.constraints.iter_mut().find(|one| one.name == name);
    let constraint = constraint.ok_or_else(|| {
        Error::new("42704", format!("constraint \"{name}\" for table \"{shown}\" does not exist"))
    })?;
    constraint.comment = comment;
    Ok(Object::Relation(relation))
}

/// The relation with a comment; it must be of the kind.
///
/// # Errors
/// 42P01, 42809, 42501.
pub(super) fn of_relation(
    context: &QueryContext,
    word: &str,
    name: &ObjectName,
    comment: Option<String>,
) -> Result<Object> {
    let mut relation = context.relation(name)?.as_ref().clone();
    if kind_of(&relation) != word {
        return Err(Error::new("42809", format!("\"{}\" is not a {word}", relation.name)));
    }
    context.must_own_relation(&relation)?;
    relation.comment = comment;
    Ok(Object::Relation(relation))
}

fn of_column(context: &QueryContext, name: &ObjectName, comment: Option<String>) -> Result<Object> {
    let mut table = name_parts(name);
    let column = table.pop().unwrap_or_default();
    if table.is_empty() {
        return Err(Error::new("42601", "column name must be qualified"));
    }
    let mut relation = match context.find_relation(&table)? {
        Some(Named::Relation(relation)) => relation.as_ref().clone(),
        Some(Named::System(_, name)) => {
            return Err(Error::new("42501", format!("must be owner of table {name}")));
        }
        None => return Err(undefined_table(&table)),
    };
    context.must_own_relation(&relation)?;
    let shown = relation.name.clone();
    let found = relation.columns.iter_mut().find(|one| !one.dropped && one.name == column);
    let found = found.ok_or_else(|| {
        Error::new("42703", format!("column \"{column}\" of relation \"{shown}\" does not exist"))
    })?;
    found.comment = comment;
    Ok(Object::Relation(relation))
}

fn of_schema(context: &QueryContext, name: &ObjectName, comment: Option<String>) -> Result<Object> {
    let name = name_parts(name).join(".");
    let schema = context.catalog().schema_by_oid(context.schema(&name)?);
    let mut schema = schema.ok_or_else(|| Error::internal("a schema is gone"))?.as_ref().clone();
    context.must_own("schema", &name, schema.owner)?;
    schema.comment = comment;
    Ok(Object::Schema(schema))
}

fn of_domain(context: &QueryContext, name: &ObjectName, comment: Option<String>) -> Result<Object> {
    let parts = name_parts(name);
    let domain = context.domain(&parts);
    let domain = domain.ok_or_else(|| {
        Error::new("42704", format!("type \"{}\" does not exist", parts.join(".")))
    })?;
    if domain.oid < FIRST_USER_OID {
        return Err(Error::new("42501", format!("must be owner of type {}", domain.name))
            .with_detail("It is built in.")
            .with_hint("Make a domain of your own over it: CREATE DOMAIN … AS it."));
    }
    context.must_own("type", &domain.name, domain.owner)?;
    let mut domain = domain.as_ref().clone();
    domain.comment = comment;
    Ok(Object::Domain(domain))
}

fn of_index(context: &QueryContext, name: &ObjectName, comment: Option<String>) -> Result<Object> {
    let found = find_index(context, name)?;
    let mut relation = found.0.as_ref().clone();
    context.must_own("index", &found.1, relation.owner)?;
    let indexes = relation.indexes.iter_mut().map(|one| (&one.name, &mut one.comment));
    let keys = relation.constraints.iter_mut().map(|one| (&one.name, &mut one.comment));
    if let Some((_, place)) = indexes.chain(keys).find(|(name, _)| **name == found.1) {
        *place = comment;
    }
    Ok(Object::Relation(relation))
}

/// The relation that has an index of that name, declared or of a key, and the index's own name.
///
/// # Errors
/// 42P01 `relation "i" does not exist`, as PostgreSQL says it of an index.
pub(super) fn find_index(
    context: &QueryContext,
    name: &ObjectName,
) -> Result<(Arc<Relation>, String)> {
    let parts = name_parts(name);
    let schemas = match parts.as_slice() {
        [.., schema, _] => vec![context.schema(schema)?],
        _ => context.search_path.to_vec(),
    };
    let index = parts.last().cloned().unwrap_or_default();
    let has = |relation: &&Arc<Relation>| {
        relation.indexes.iter().any(|one| one.name == index)
            || relation.unique_constraints().any(|one| one.name == index)
    };
    let found = schemas.iter().find_map(|schema| {
        context.catalog().relations().filter(|one| one.schema == *schema).find(has)
    });
    found.map(|relation| (Arc::clone(relation), index)).ok_or_else(|| undefined_table(&parts))
}

fn of_role(context: &QueryContext, name: &ObjectName, comment: Option<String>) -> Result<()> {
    let mut role = owner::role_named(context, &name_parts(name).join("."))?;
    super::roles::may_alter(context, &role, "comment on")?;
    role.comment = comment;
    context.engine.cluster.put_role(role)?;
    Ok(())
}

fn of_database(context: &QueryContext, name: &ObjectName, comment: Option<String>) -> Result<()> {
    let name = name_parts(name).join(".");
    let mut database = super::database::named(context, &name)?;
    context.must_own("database", &name, database.owner)?;
    database.comment = comment;
    context.engine.cluster.put_database(database)?;
    Ok(())
}
