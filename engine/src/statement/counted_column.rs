//! Columns that count: identity columns and `serial`, each with a sequence of its own.

use clientele_catalog::definition::{RelationKind, Sequence};
use clientele_udfs::types::PgType;
use sqlparser::ast;

use super::create_sequence;
use super::create_table::{Builder, empty};
use super::rows;
use crate::error::{Error, Result};

impl Builder<'_> {
    /// Makes a column count by a sequence of its own, whose name may be given.
    ///
    /// # Errors
    /// 22023 for a type that does not count, and for options that contradict one another.
    pub(super) fn identity(
        &mut self,
        number: i16,
        kind: char,
        (name, options): (Option<String>, &[ast::SequenceOptions]),
    ) -> Result<()> {
        let column = self.column_mut(number)?;
        let (column, pg_type) = (column.name.clone(), column.pg_type);
        if ![PgType::INT2, PgType::INT4, PgType::INT8].contains(&pg_type) {
            let text = "identity column type must be smallint, integer, or bigint";
            return Err(Error::new("22023", text));
        }
        let default = self.sequence(&column, (name, pg_type), options)?;
        let column = self.column_mut(number)?;
        column.identity = Some(kind);
        column.default = Some(default);
        Ok(())
    }

    /// Makes the sequence of a column; returns the default that draws from it.
    pub(super) fn sequence(
        &mut self,
        column: &str,
        (name, pg_type): (Option<String>, PgType),
        options: &[ast::SequenceOptions],
    ) -> Result<String> {
        let name = match name {
            Some(name) => name,
            None => self.free_name(&format!("{}_{column}_seq", self.relation.name)),
        };
        let mut relation =
            empty(self.store.allocate_oid(), self.relation.schema, &name, self.relation.owner);
        let number = match self.relation.column(column) {
            Some(found) => found.number,
            None => self.next_number()?,
        };
        relation.temporary = self.relation.temporary;
        relation.kind = RelationKind::Sequence(Sequence {
            owned_by: Some((self.relation.oid, number)),
            ..create_sequence::sequence(pg_type, options)?
        });
        let schema = self.context.catalog().schema_by_oid(self.relation.schema);
        let schema = match relation.temporary {
            true => self.context.session.temporary_schema(),
            false => schema.map_or("public", |schema| schema.name.as_str()).to_owned(),
        };
        let text = format!("nextval('{}.{}')", rows::quoted(&schema), rows::quoted(&name))
            .replace("''", "'");
        self.sequences.push(relation);
        Ok(text)
    }
}
