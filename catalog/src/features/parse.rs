//! A file of `sql/features` → a definition.

use std::sync::Arc;

use clientele_udfs::types::PgType;

use super::schema_oid;
use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::definition::{Column, Index, Oid, Relation, RelationKind, RowSecurity};
use crate::domains::{Category, Masking, Subject};
use crate::privacy::ColumnPrivacy;

/// The relation that a file describes; `None` when its head is malformed.
pub(super) fn relation(text: &str) -> Option<Arc<Relation>> {
    let mut head = text.lines().map_while(|line| line.strip_prefix("-- "));
    let mut words = head.next()?.split(' ');
    let (kind, name, oid) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
    let (schema, name) = name.split_once('.')?;
    let comment = head.next()?.to_owned();
    let columns: Vec<Column> =
        (1..).zip(head).map(|(number, line)| column(number, line)).collect::<Option<_>>()?;
    let query = text.lines().skip_while(|line| line.starts_with("-- ")).collect::<Vec<_>>();
    let words: Vec<&str> = words.collect();
    let named = |option: &str| words.iter().find_map(|word| word.strip_prefix(option));
    let sorted = named("sort=").unwrap_or_default();
    let sorted = sorted.split(',').filter_map(|name| columns.iter().find(|one| one.name == name));
    let sort_columns = sorted.map(|column| column.number).collect();
    let index = named("index=");
    let index = index.map(|names| index_over(oid, name, names, &columns));
    Some(Arc::new(Relation {
        oid,
        schema: schema_oid(schema)?,
        name: name.to_owned(),
        owner: BOOTSTRAP_ROLE_OID,
        kind: match kind {
            "view" => RelationKind::View { query: query.join("\n").trim().to_owned() },
            _ => RelationKind::Table,
        },
        columns,
        constraints: Vec::new(),
        indexes: index.into_iter().collect(),
        options: Vec::new(),
        comment: Some(comment),
        grants: None,
        temporary: false,
        sort_columns,
        row_security: RowSecurity::default(),
    }))
}

/// `node bigint!: what it is`; `value text!~` holds values of people, which only those see that it
/// was opened to.
fn column(number: i16, line: &str) -> Option<Column> {
    let (definition, comment) = line.split_once(": ")?;
    let (name, type_name) = definition.split_once(' ')?;
    let (type_name, privacy) = match type_name.strip_suffix('~') {
        Some(type_name) => (type_name, Some(Box::new(personal()))),
        None => (type_name, None),
    };
    let (type_name, not_null) = match type_name.strip_suffix('!') {
        Some(type_name) => (type_name, true),
        None => (type_name, false),
    };
    // Rows keep nodes in such a column, and scans show whose they are.
    let subject = match type_name {
        "person" => Some(Subject::Person),
        "company" => Some(Subject::Company),
        _ => None,
    };
    let pg_type = if subject.is_some() { PgType::INT8 } else { PgType::by_name(type_name)? };
    let comment = Some(comment.to_owned());
    Some(Column { not_null, subject, comment, privacy, ..Column::plain(number, name, pg_type) })
}

/// Values of any domain: which one, another column says.
fn personal() -> ColumnPrivacy {
    ColumnPrivacy::derived(Masking::Null, None, Some(Category::FreeText))
}

/// An index over the columns named. Its OID is the relation's, far behind those of relations.
fn index_over(oid: Oid, table: &str, names: &str, columns: &[Column]) -> Index {
    let number = |name: &str| columns.iter().find(|one| one.name == name).map(|one| one.number);
    Index {
        oid: oid + 1000,
        name: format!("{table}_{}_idx", names.replace(',', "_")),
        columns: names.split(',').filter_map(number).collect(),
        options: Vec::new(),
        expressions: Vec::new(),
        predicate: None,
        method: None,
        comment: None,
    }
}
