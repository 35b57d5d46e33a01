//! `CREATE [UNIQUE] INDEX` (manual: sql-createindex).
//!
//! A unique index is kept among the constraints, with the index's name. Any other index is a list of columns:
//! rows are sorted by them when somebody first asks (the catalog's `storage::index`).

use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{
    Constraint, ConstraintKind, Index, Object, Oid, Relation, RelationKind,
};
use clientele_catalog::pg_catalog::{DESCENDING, NULLS_FIRST};
use sqlparser::ast::{CreateIndex, Expr, IndexColumn, IndexType, OrderByOptions};

use super::alter_table::existing_rows;
use super::check::{self, undefined_column};
use super::computed_key;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::output_names::column_name;
use crate::privacy::hide;
use crate::session::Session;
use crate::sql::place::{folded, name_parts};

/// Longest name of an object in bytes (PostgreSQL's NAMEDATALEN − 1).
const NAME_BYTES_MAX: usize = 63;

/// Runs a CREATE INDEX.
pub(super) async fn execute(session: &mut Session, create: &CreateIndex) -> Result<String> {
    const TAG: &str = "CREATE INDEX";
    session.writable(TAG)?;
    let context = session.context().await?;
    let relation = context.relation(&create.table_name)?;
    context.must_own_relation(&relation)?;
    indexable(&relation)?;
    supported(create)?;
    let Keys { columns, expressions, options, names } = keys(&context, &relation, &create.columns)?;
    let predicate = create.predicate.as_ref().map(|one| checked(&context, &relation, one));
    let predicate = predicate.transpose()?;
    let computed = !expressions.is_empty() || predicate.is_some();
    if create.unique && computed && relation.kind != RelationKind::Table {
        let text = "a unique index that is partial or on an expression, of a materialized view";
        return Err(Error::unsupported(text));
    }
    if create.unique && computed && existing_rows::any(session, &context, &relation).await? {
        // What it says of the rows would tell what they hold.
        let keys = create.columns.iter().map(|one| &one.column.expr).chain(&create.predicate);
        for expr in keys.filter(|one| !matches!(one, Expr::Identifier(_))) {
            hide::refuse_hidden(&context, &relation, expr, None)?;
        }
    }
    let given = create.name.as_ref().map(name_parts).and_then(|mut parts| parts.pop());
    let name = match given {
        Some(name) if !name_taken(context.catalog(), relation.schema, &name) => name,
        Some(name) if create.if_not_exists => {
            session.notice(
                "NOTICE",
                "42P07",
                format!("relation \"{name}\" already exists, skipping"),
            );
            return Ok(TAG.to_owned());
        }
        Some(name) => {
            return Err(Error::new("42P07", format!("relation \"{name}\" already exists")));
        }
        None => default_name(context.catalog(), &relation, &names),
    };
    let oid = session.store.allocate_oid();
    let mut changed = relation.as_ref().clone();
    if create.unique {
        let kind = match computed {
            true => ConstraintKind::UniqueIndex { columns, expressions, predicate },
            false => ConstraintKind::Unique { columns },
        };
        changed.constraints.push(Constraint {
            of_index: true,
            options,
            ..Constraint::new(oid, name, kind)
        });
    } else {
        let using = create.using.as_ref().filter(|using| **using != IndexType::BTree);
        let method = using.map(method);
        let comment = None;
        let index = Index { oid, name, columns, options, expressions, predicate, method, comment };
        changed.indexes.push(index);
    }
    computed_key::compile(&context, &changed)?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    transaction.put(Object::Relation(changed.clone()));
    drop(transaction);
    drop(work);
    if create.unique {
        existing_rows::are_unique(session, &changed, oid).await?;
    }
    Ok(TAG.to_owned())
}

fn indexable(relation: &Relation) -> Result<()> {
    let of = match relation.kind {
        RelationKind::Table | RelationKind::MaterializedView { .. } => return Ok(()),
        RelationKind::View { .. } => "views",
        RelationKind::Sequence(_) => "sequences",
        RelationKind::ForeignTable(_) => "foreign tables",
    };
    Err(Error::new("42809", format!("cannot create index on relation \"{}\"", relation.name))
        .with_detail(format!("This operation is not supported for {of}.")))
}

fn supported(create: &CreateIndex) -> Result<()> {
    if create.nulls_distinct == Some(false) {
        return Err(Error::unsupported("NULLS NOT DISTINCT"));
    }
    match &create.using {
        Some(IndexType::Custom(name)) => {
            Err(Error::new("42704", format!("access method \"{}\" does not exist", folded(name))))
        }
        Some(IndexType::Bloom) => {
            Err(Error::new("42704", "access method \"bloom\" does not exist"))
        }
        Some(other) if create.unique && *other != IndexType::BTree => {
            let text =
                format!("access method \"{}\" does not support unique indexes", method(other));
            Err(Error::new("0A000", text))
        }
        _ => Ok(()),
    }
}

fn method(using: &IndexType) -> String {
    using.to_string().to_lowercase()
}

/// Columns, 0 for expressions, those as SQL, and how each is sorted.
#[derive(Default)]
struct Keys {
    columns: Vec<i16>,
    expressions: Vec<String>,
    options: Vec<i16>,
    /// What each is called in the name of the index.
    names: Vec<String>,
}

fn keys(context: &Arc<QueryContext>, relation: &Relation, keys: &[IndexColumn]) -> Result<Keys> {
    let mut found = Keys::default();
    for key in keys {
        found.options.push(option(&key.column.options));
        let mut expr = &key.column.expr;
        while let Expr::Nested(inner) = expr {
            expr = inner;
        }
        if let Expr::Identifier(name) = expr {
            let name = folded(name);
            let column = relation.column(&name).ok_or_else(|| undefined_column(&name))?;
            found.columns.push(column.number);
            found.names.push(name);
            continue;
        }
        let text = checked(context, relation, expr)?;
        // Calls stand for themselves, other expressions in parentheses (manual: sql-createindex).
        let call = matches!(expr, Expr::Function(_));
        found.expressions.push(if call { text } else { format!("({text})") });
        found.columns.push(0);
        found.names.push(match column_name(expr).as_str() {
            "?column?" => "expr".to_owned(),
            name => name.to_owned(),
        });
    }
    Ok(found)
}

/// `pg_index.indoption` of a key: NULLs come first where it descends, unless said otherwise.
fn option(order: &OrderByOptions) -> i16 {
    let descending = order.asc == Some(false);
    let nulls_first = order.nulls_first.unwrap_or(descending);
    i16::from(descending) * DESCENDING + i16::from(nulls_first) * NULLS_FIRST
}

/// An expression over a table's row, as SQL.
fn checked(context: &Arc<QueryContext>, relation: &Relation, expr: &Expr) -> Result<String> {
    check::over_row(context, relation, expr)?;
    Ok(expr.to_string())
}

/// `t_a_b_idx`, with a number behind it where that is taken.
fn default_name(catalog: &Catalog, relation: &Arc<Relation>, names: &[String]) -> String {
    let mut wanted = relation.name.clone();
    for name in names {
        wanted.push('_');
        wanted.push_str(name);
    }
    let name = |suffix: &str| {
        let mut stem = wanted.as_str();
        while stem.len() + "_idx".len() + suffix.len() > NAME_BYTES_MAX {
            let mut characters = stem.chars();
            characters.next_back();
            stem = characters.as_str();
        }
        format!("{stem}_idx{suffix}")
    };
    let mut found = name("");
    let mut suffix = 0;
    while name_taken(catalog, relation.schema, &found) {
        suffix += 1;
        found = name(&suffix.to_string());
    }
    found
}

/// Whether a relation or an index of a schema has that name: they share one name space.
pub(super) fn name_taken(catalog: &Catalog, schema: Oid, name: &str) -> bool {
    let index = |relation: &Arc<Relation>| {
        relation.schema == schema
            && (relation.indexes.iter().any(|one| one.name == name)
                || relation.unique_constraints().any(|one| one.name == name))
    };
    catalog.relation(schema, name).is_some() || catalog.relations().any(index)
}
