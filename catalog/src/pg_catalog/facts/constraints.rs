//! Every constraint, of tables and of domains, as `pg_constraint` has it.

use super::super::context::Context;
use super::expressions::{bare, quote_identifier, shown, words};
use super::oids;
use crate::catalog::PG_CATALOG_OID;
use crate::definition::{Constraint, ConstraintKind, Domain, Oid, Relation};
use crate::domains;

/// One constraint.
pub(crate) struct ConstraintRow<'a> {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) schema: Oid,
    /// `contype`: `p`, `u`, `c`, `f`.
    pub(crate) kind: char,
    pub(crate) relation: Option<&'a Relation>,
    pub(crate) domain: Option<&'a Domain>,
    /// Its columns, by number.
    pub(crate) columns: Vec<i16>,
    pub(crate) foreign: Option<Foreign<'a>>,
    /// The condition of a check.
    pub(crate) expression: Option<String>,
    /// `DEFERRABLE`: whether `INITIALLY DEFERRED`.
    pub(crate) deferrable: Option<bool>,
    pub(crate) comment: Option<&'a str>,
}

/// What a foreign key refers to.
pub(crate) struct Foreign<'a> {
    pub(crate) relation: Oid,
    pub(crate) columns: &'a [i16],
    pub(crate) on_update: char,
    pub(crate) on_delete: char,
}

impl ConstraintRow<'_> {
    /// The index that enforces it; for a foreign key the one over the columns it refers to.
    pub(crate) fn index(&self, context: &Context) -> Oid {
        match (self.kind, &self.foreign) {
            ('p' | 'u', _) => self.oid,
            (_, Some(foreign)) => referenced_key(context, foreign).map_or(0, |key| key.oid),
            _ => 0,
        }
    }

    /// `PRIMARY KEY (id)`, as `pg_get_constraintdef` prints it.
    pub(crate) fn definition(&self, context: &Context, pretty: bool) -> String {
        let columns = || column_list(self.relation, &self.columns);
        match (&self.expression, &self.foreign) {
            (Some(expression), _) if pretty => format!("CHECK ({})", bare(expression)),
            (Some(expression), _) => format!("CHECK (({}))", bare(expression)),
            (None, Some(foreign)) => self.foreign_definition(context, foreign),
            (None, None) if self.kind == 'p' => format!("PRIMARY KEY ({})", columns()),
            (None, None) => format!("UNIQUE ({})", columns()),
        }
    }

    fn foreign_definition(&self, context: &Context, foreign: &Foreign<'_>) -> String {
        let target = context.catalog.relation_by_oid(foreign.relation);
        let mut text = format!(
            "FOREIGN KEY ({}) REFERENCES {}({})",
            column_list(self.relation, &self.columns),
            target.map_or_else(|| "???".to_owned(), |target| context.display_relation(target)),
            column_list(target.map(AsRef::as_ref), foreign.columns),
        );
        for (event, action) in [("UPDATE", foreign.on_update), ("DELETE", foreign.on_delete)] {
            if action != 'a' {
                text.push_str(&format!(" ON {event} {}", action_name(action)));
            }
        }
        text.push_str(match self.deferrable {
            None => "",
            Some(false) => " DEFERRABLE",
            Some(true) => " DEFERRABLE INITIALLY DEFERRED",
        });
        text
    }
}

/// The SQL name of a foreign key action letter.
pub(crate) fn action_name(action: char) -> &'static str {
    match action {
        'r' => "RESTRICT",
        'c' => "CASCADE",
        'n' => "SET NULL",
        'd' => "SET DEFAULT",
        _ => "NO ACTION",
    }
}

/// The key of the referred table that covers just those columns.
pub(crate) fn referenced_key<'a>(
    context: &'a Context,
    foreign: &Foreign<'_>,
) -> Option<&'a Constraint> {
    let target = context.catalog.relation_by_oid(foreign.relation)?;
    let covers = |columns: &[i16]| {
        columns.len() == foreign.columns.len()
            && columns.iter().all(|one| foreign.columns.contains(one))
    };
    target.unique_keys().find(|(_, columns)| covers(columns)).map(|(key, _)| key)
}

fn column_list(relation: Option<&Relation>, columns: &[i16]) -> String {
    let name =
        |number: &i16| relation?.column_by_number(*number).map(|one| quote_identifier(&one.name));
    columns.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

/// Every constraint of the database.
pub(crate) fn all(context: &Context) -> Vec<ConstraintRow<'_>> {
    let tables = context.relations().flat_map(|relation| of_relation(relation));
    tables.chain(context.catalog.domains().flat_map(|domain| of_domain(domain))).collect()
}

/// The constraint of that OID.
pub(crate) fn find(context: &Context, oid: Oid) -> Option<ConstraintRow<'_>> {
    let relation = context.relations().find(|one| one.constraints.iter().any(|own| own.oid == oid));
    match relation {
        Some(relation) => of_relation(relation).find(|row| row.oid == oid),
        None => context
            .catalog
            .domains()
            .flat_map(|domain| of_domain(domain))
            .find(|row| row.oid == oid),
    }
}

/// The constraints of a relation.
pub(crate) fn of_relation(relation: &Relation) -> impl Iterator<Item = ConstraintRow<'_>> {
    relation.constraints.iter().filter(|one| !one.of_index).map(|constraint| {
        let (kind, columns) = match &constraint.kind {
            ConstraintKind::PrimaryKey { columns } => ('p', columns.clone()),
            ConstraintKind::Unique { columns } | ConstraintKind::UniqueIndex { columns, .. } => {
                ('u', columns.clone())
            }
            ConstraintKind::ForeignKey { columns, .. } => ('f', columns.clone()),
            ConstraintKind::Check { expression } => ('c', columns_named_in(relation, expression)),
        };
        ConstraintRow {
            oid: constraint.oid,
            name: constraint.name.clone(),
            schema: relation.schema,
            kind,
            relation: Some(relation),
            domain: None,
            columns,
            foreign: foreign(&constraint.kind),
            expression: check(&constraint.kind),
            deferrable: constraint.deferrable,
            comment: constraint.comment.as_deref(),
        }
    })
}

fn foreign(kind: &ConstraintKind) -> Option<Foreign<'_>> {
    let ConstraintKind::ForeignKey { references, referenced, on_delete, on_update, .. } = kind
    else {
        return None;
    };
    Some(Foreign {
        relation: *references,
        columns: referenced,
        on_update: *on_update,
        on_delete: *on_delete,
    })
}

fn check(kind: &ConstraintKind) -> Option<String> {
    if let ConstraintKind::Check { expression } = kind { Some(shown(expression)) } else { None }
}

/// The columns that a condition speaks of: those whose names are words of it.
fn columns_named_in(relation: &Relation, expression: &str) -> Vec<i16> {
    let words = words(expression);
    relation
        .live_columns()
        .filter(|column| words.contains(&column.name))
        .map(|column| column.number)
        .collect()
}

/// The checks of a domain; a built-in one has the check that the engine makes in code.
pub(crate) fn of_domain(domain: &Domain) -> impl Iterator<Item = ConstraintRow<'_>> {
    let semantic = domains::semantic(domain.oid).filter(|_| domain.schema == PG_CATALOG_OID);
    let built_in = semantic.map(|one| (one.check_name(), one.check_expression()));
    built_in.into_iter().chain(domain.checks.iter().cloned()).enumerate().map(
        move |(place, (name, expression))| ConstraintRow {
            oid: oids::part(domain.oid, place),
            name,
            schema: domain.schema,
            kind: 'c',
            relation: None,
            domain: Some(domain),
            columns: Vec::new(),
            foreign: None,
            expression: Some(expression),
            deferrable: None,
            comment: None,
        },
    )
}
