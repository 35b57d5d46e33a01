//! `CREATE TABLE name (LIKE source INCLUDING …)` (manual: sql-createtable).

use std::collections::HashMap;

use clientele_catalog::definition::{Column, ConstraintKind, Index, Relation};
use sqlparser::ast::ObjectName;

use super::create_table::{Builder, empty, place_of, store};
use super::grant::grants_of_new;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql::definitions::Including;

/// A table that is made like another.
pub(super) struct Like<'a> {
    pub(super) name: &'a ObjectName,
    pub(super) temporary: bool,
    pub(super) if_not_exists: bool,
    pub(super) source: &'a ObjectName,
}

/// `CREATE TABLE name (LIKE source INCLUDING …)`.
pub(super) async fn execute(
    session: &mut Session,
    like: &Like<'_>,
    including: Including,
) -> Result<String> {
    const TAG: &str = "CREATE TABLE";
    session.writable(TAG)?;
    let context = session.context().await?;
    let (schema, name) = place_of(session, &context, like.name, like.temporary)?;
    if context.catalog().relation(schema, &name).is_some() {
        let text = format!("relation \"{name}\" already exists");
        if !like.if_not_exists {
            return Err(Error::new("42P07", text));
        }
        session.notice("NOTICE", "42P07", format!("{text}, skipping"));
        return Ok(TAG.to_owned());
    }
    let mut relation = empty(session.store.allocate_oid(), schema, &name, context.role.oid);
    relation.temporary = like.temporary;
    relation.grants = grants_of_new(&context, &relation);
    let mut builder =
        Builder { context: &context, store: &session.store, relation, sequences: Vec::new() };
    builder.like(like.source, including)?;
    let Builder { relation, sequences, .. } = builder;
    store(session, &context, (relation, sequences)).await?;
    Ok(TAG.to_owned())
}

impl Builder<'_> {
    /// Columns like those of another table, and what else is wanted of it.
    pub(super) fn like(&mut self, source: &ObjectName, including: Including) -> Result<()> {
        let other = self.context.relation(source)?;
        self.context.must_have(&other, 'r')?;
        let mut numbers = HashMap::new();
        for column in other.live_columns().filter(|column| column.subject.is_none()) {
            let number = self.next_number()?;
            numbers.insert(column.number, number);
            let mut own = Column::plain(number, &column.name, column.pg_type);
            own.domain = column.domain;
            own.not_null = column.not_null;
            own.comment = column.comment.clone().filter(|_| including.comments);
            own.generated = column.generated.clone().filter(|_| including.generated);
            if column.identity.is_none() && including.defaults {
                own.default.clone_from(&column.default);
            }
            let identity = column.identity.filter(|_| including.identity);
            own.identity = identity;
            self.relation.columns.push(own);
            if identity.is_some() {
                let default = self.sequence(&column.name, (None, column.pg_type), &[])?;
                self.column_mut(number)?.default = Some(default);
            }
        }
        if including.comments {
            self.relation.comment.clone_from(&other.comment);
        }
        let own = |columns: &[i16]| -> Option<Vec<i16>> {
            columns.iter().map(|number| numbers.get(number).copied()).collect()
        };
        for constraint in &other.constraints {
            match &constraint.kind {
                ConstraintKind::Check { expression } if including.constraints => {
                    let name = Some(constraint.name.clone());
                    let kind = ConstraintKind::Check { expression: expression.clone() };
                    self.add(name, "", kind)?;
                }
                ConstraintKind::PrimaryKey { columns } if including.indexes => {
                    if let Some(columns) = own(columns) {
                        self.key(None, columns, true)?;
                    }
                }
                ConstraintKind::Unique { columns } if including.indexes => {
                    if let Some(columns) = own(columns) {
                        self.key(None, columns, false)?;
                    }
                }
                _ => {}
            }
        }
        if including.indexes {
            self.indexes_like(&other, own);
        }
        Ok(())
    }

    fn indexes_like(&mut self, other: &Relation, own: impl Fn(&[i16]) -> Option<Vec<i16>>) {
        for index in &other.indexes {
            if !index.expressions.is_empty() || index.predicate.is_some() {
                continue;
            }
            let Some(columns) = own(&index.columns) else { continue };
            let names = columns.iter().filter_map(|number| self.relation.column_by_number(*number));
            let names: Vec<String> = names.map(|column| column.name.clone()).collect();
            let name = self.free_name(&format!("{}_{}_idx", self.relation.name, names.join("_")));
            let oid = self.store.allocate_oid();
            self.relation.indexes.push(Index {
                oid,
                name,
                columns,
                options: index.options.clone(),
                expressions: Vec::new(),
                predicate: None,
                method: index.method.clone(),
                comment: None,
            });
        }
    }
}
