//! Indexes: those of key constraints, and those that the user declared.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::super::context::Context;
use super::expressions::quote_identifier;
use super::types;
use crate::definition::{ConstraintKind, Oid, Relation};

const OPERATOR_CLASSES: &str = include_str!("../../../sql/pg_catalog/pg_opclass.tsv");
/// The method of indexes that sort.
const BTREE: &str = "btree";
const VARCHAR: Oid = 1043;
const TEXT: Oid = 25;
/// Bits of `pg_index.indoption`.
pub const DESCENDING: i16 = 1;
/// Bits of `pg_index.indoption`.
pub const NULLS_FIRST: i16 = 2;

/// One index (`pg_index`). A constraint's index has the constraint's OID and name.
pub(crate) struct Index<'a> {
    pub(crate) oid: Oid,
    pub(crate) name: &'a str,
    pub(crate) relation: &'a Relation,
    pub(crate) columns: &'a [i16],
    options: &'a [i16],
    pub(crate) expressions: &'a [String],
    pub(crate) predicate: Option<&'a str>,
    pub(crate) unique: bool,
    pub(crate) primary: bool,
    pub(crate) comment: Option<&'a str>,
}

impl Index<'_> {
    /// Its keys as SQL: names of columns, and expressions.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut expressions = self.expressions.iter();
        let key = |number: &i16| match number {
            0 => expressions.next().cloned(),
            number => {
                self.relation.column_by_number(*number).map(|one| quote_identifier(&one.name))
            }
        };
        self.columns.iter().filter_map(key).collect()
    }

    /// Its access method (`pg_am.amname`).
    pub(crate) fn method(&self) -> &str {
        let declared = self.relation.indexes.iter().find(|one| one.oid == self.oid);
        declared.and_then(|one| one.method.as_deref()).unwrap_or(BTREE)
    }

    /// How each column is sorted: `pg_index.indoption`.
    pub(crate) fn options(&self) -> Vec<i16> {
        let option = |place| self.options.get(place).copied().unwrap_or(0);
        (0..self.columns.len()).map(option).collect()
    }

    /// Its keys with their order, as `CREATE INDEX` has them.
    pub(crate) fn sorted_keys(&self) -> Vec<String> {
        let order = |option: i16| match (option & DESCENDING != 0, option & NULLS_FIRST != 0) {
            (false, false) => "",
            (false, true) => " NULLS FIRST",
            (true, true) => " DESC",
            (true, false) => " DESC NULLS LAST",
        };
        self.keys().into_iter().zip(self.options()).map(|(key, one)| key + order(one)).collect()
    }

    /// Whether the table's files are sorted by it (`CLUSTER`).
    pub(crate) fn is_sort_order(&self) -> bool {
        !self.columns.is_empty() && self.relation.sort_columns == self.columns
    }

    /// Operator class and collation of each column, 0 where the type has none.
    pub(crate) fn classes_and_collations(&self) -> (Vec<Oid>, Vec<Oid>) {
        let column = |number: &i16| self.relation.column_by_number(*number);
        let facts = |number: &i16| column(number).and_then(|column| types::of(column.pg_type));
        let class = |number: &i16| facts(number).map_or(0, |row| operator_class(row.oid));
        let collation = |number: &i16| facts(number).map_or(0, |row| row.collation);
        (self.columns.iter().map(class).collect(), self.columns.iter().map(collation).collect())
    }
}

/// All indexes of the database.
pub(crate) fn all(context: &Context) -> impl Iterator<Item = Index<'_>> {
    context.relations().flat_map(|relation| of(relation))
}

/// Where the indexes of a database are; looked for when the first one is asked for.
#[derive(Debug, Default)]
pub struct IndexPlaces(OnceLock<Places>);

#[derive(Debug, Default)]
struct Places {
    /// The relation of each index.
    relations: HashMap<Oid, Oid>,
    by_name: HashMap<(Oid, String), Oid>,
}

fn places(context: &Context) -> &Places {
    context.indexes.0.get_or_init(|| {
        let mut places = Places::default();
        for index in all(context) {
            places.relations.insert(index.oid, index.relation.oid);
            places.by_name.insert((index.relation.schema, index.name.to_owned()), index.oid);
        }
        places
    })
}

/// The index of that OID.
pub(crate) fn find(context: &Context, oid: Oid) -> Option<Index<'_>> {
    let relation = context.catalog.relation_by_oid(*places(context).relations.get(&oid)?)?;
    of(relation).find(|one| one.oid == oid)
}

/// The index of that name in a schema.
pub(crate) fn named<'a>(context: &'a Context, schema: Oid, name: &str) -> Option<Index<'a>> {
    let oid = places(context).by_name.get(&(schema, name.to_owned()))?;
    find(context, *oid)
}

/// The indexes of one relation, keys first.
pub(crate) fn of(relation: &Relation) -> impl Iterator<Item = Index<'_>> {
    let primary = relation.primary_key().map(|key| key.oid);
    let keys = relation.unique_keys().map(move |(constraint, columns)| Index {
        oid: constraint.oid,
        name: &constraint.name,
        relation,
        columns,
        options: &constraint.options,
        expressions: &[],
        predicate: None,
        unique: true,
        primary: primary == Some(constraint.oid),
        comment: constraint.comment.as_deref().filter(|_| constraint.of_index),
    });
    let computed = relation.constraints.iter().filter_map(move |constraint| {
        let ConstraintKind::UniqueIndex { columns, expressions, predicate } = &constraint.kind
        else {
            return None;
        };
        Some(Index {
            oid: constraint.oid,
            name: &constraint.name,
            relation,
            columns,
            options: &constraint.options,
            expressions,
            predicate: predicate.as_deref(),
            unique: true,
            primary: false,
            comment: constraint.comment.as_deref(),
        })
    });
    let declared = relation.indexes.iter().map(move |index| Index {
        oid: index.oid,
        name: &index.name,
        relation,
        columns: &index.columns,
        options: &index.options,
        expressions: &index.expressions,
        predicate: index.predicate.as_deref(),
        unique: false,
        primary: false,
        comment: index.comment.as_deref(),
    });
    keys.chain(computed).chain(declared)
}

/// The default B-tree operator class of a type, 0 where it has none.
fn operator_class(type_oid: Oid) -> Oid {
    static CLASSES: OnceLock<HashMap<Oid, Oid>> = OnceLock::new();
    let classes =
        CLASSES.get_or_init(|| OPERATOR_CLASSES.lines().skip(1).filter_map(parse_class).collect());
    // varchar has no class of its own: PostgreSQL takes that of text.
    let type_oid = if type_oid == VARCHAR { TEXT } else { type_oid };
    classes.get(&type_oid).copied().unwrap_or(0)
}

/// Type and class of a line of `pg_opclass`, when it is the type's default.
fn parse_class(line: &str) -> Option<(Oid, Oid)> {
    let field: Vec<&str> = line.split('\t').collect();
    let class = (field.get(6)?.parse().ok()?, field.first()?.parse().ok()?);
    (*field.get(7)? == "t").then_some(class)
}
