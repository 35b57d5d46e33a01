//! `pg_class`: everything that has columns. PostgreSQL manual: catalog-pg-class.

use std::collections::HashSet;

use super::super::context::{Context, RelationFacts};
use super::super::facts::grants;
use super::super::facts::indexes::{self, Index};
use super::super::facts::oids;
use super::super::system_relation::{self, SystemRelation, relation};
use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::definition::{ACCESS_METHOD, ConstraintKind, ON_COMMIT, Oid, Relation, RelationKind};
use crate::privileges::Access;

/// Access methods `heap`, `btree` and `recommender` (`pg_am`).
const HEAP: Oid = 2;
const RECOMMENDER_METHOD: Oid = 14009;
/// PostgreSQL's page size, in which tools count.
const PAGE_BYTES: u64 = 8192;

relation! { (context) row in rows(context) => {
    oid: row.oid,
    relname: row.name,
    relnamespace: row.schema,
    reltype: row.row_type,
    relowner: row.owner,
    relam: row.access_method,
    relfilenode: row.file_node,
    relpages: i32::try_from(row.facts.bytes.div_ceil(PAGE_BYTES)).unwrap_or(i32::MAX),
    reltuples: row.facts.rows as f64,
    relhasindex: row.has_index,
    relpersistence: row.persistence,
    relkind: row.kind,
    relnatts: row.columns as i64,
    relchecks: row.checks as i64,
    relhasrules: row.has_rules,
    relhastriggers: row.has_foreign_keys,
    relrowsecurity: row.row_security.0,
    relforcerowsecurity: row.row_security.1,
    relispopulated: row.populated,
    relreplident: row.replica_identity,
    relacl: row.acl,
    reloptions: row.options,
} }

struct Row<'a> {
    oid: Oid,
    name: &'a str,
    schema: Oid,
    row_type: Oid,
    owner: Oid,
    access_method: Oid,
    file_node: Oid,
    facts: RelationFacts,
    has_index: bool,
    persistence: char,
    kind: char,
    columns: usize,
    checks: usize,
    has_rules: bool,
    /// PostgreSQL keeps foreign keys by triggers, on both sides; psql shows them only then.
    has_foreign_keys: bool,
    populated: bool,
    /// Enabled, forced.
    row_security: (bool, bool),
    replica_identity: char,
    acl: Option<Vec<String>>,
    options: Option<Vec<String>>,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let linked = linked(context);
    let user = context.relations().map(|relation| user(context, relation, &linked));
    let indexes = indexes::all(context).map(|index| of_index(&index));
    user.chain(indexes).chain(system_relation::all().iter().map(system)).collect()
}

/// Tables on either side of a foreign key.
fn linked(context: &Context) -> HashSet<Oid> {
    let mut linked = HashSet::new();
    for relation in context.relations() {
        for constraint in &relation.constraints {
            if let ConstraintKind::ForeignKey { references, .. } = constraint.kind {
                linked.extend([relation.oid, references]);
            }
        }
    }
    linked
}

fn user<'a>(context: &Context, relation: &'a Relation, linked: &HashSet<Oid>) -> Row<'a> {
    let stored = relation.stores_rows();
    let is_sequence = matches!(relation.kind, RelationKind::Sequence(_));
    let is_view = matches!(relation.kind, RelationKind::View { .. });
    let hidden = [ACCESS_METHOD, ON_COMMIT];
    let shown = || relation.options.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    let options = || shown().map(|(name, value)| format!("{name}={value}")).collect();
    let has_file = stored || is_sequence;
    Row {
        oid: relation.oid,
        name: &relation.name,
        schema: relation.schema,
        row_type: if is_sequence { 0 } else { oids::row_type(relation.oid) },
        owner: relation.owner,
        access_method: match stored {
            true if relation.is_recommender() => RECOMMENDER_METHOD,
            true => HEAP,
            false => 0,
        },
        file_node: if has_file { relation.oid } else { 0 },
        facts: if stored { (context.row_counts)(relation.oid) } else { RelationFacts::default() },
        has_index: indexes::of(relation).next().is_some(),
        persistence: if relation.temporary { 't' } else { 'p' },
        kind: relation.kind_letter(),
        columns: relation.columns.len(),
        checks: relation.constraints.iter().filter(|one| is_check(one)).count(),
        has_rules: is_view || matches!(relation.kind, RelationKind::MaterializedView { .. }),
        has_foreign_keys: linked.contains(&relation.oid),
        populated: !matches!(
            relation.kind,
            RelationKind::MaterializedView { populated: false, .. }
        ),
        replica_identity: if stored { 'd' } else { 'n' },
        acl: grants::acl(&Access::relation(relation), context),
        row_security: (relation.row_security.enabled, relation.row_security.forced),
        options: shown().next().is_some().then(options),
    }
}

fn is_check(constraint: &crate::definition::Constraint) -> bool {
    matches!(constraint.kind, ConstraintKind::Check { .. })
}

/// The OID of an index's access method (`pg_am`).
fn method(name: &str) -> Oid {
    match name {
        "hash" => 405,
        "gist" => 783,
        "gin" => 2742,
        "brin" => 3580,
        "spgist" => 4000,
        _ => 403,
    }
}

fn of_index<'a>(index: &Index<'a>) -> Row<'a> {
    Row {
        oid: index.oid,
        name: index.name,
        schema: index.relation.schema,
        row_type: 0,
        owner: index.relation.owner,
        access_method: method(index.method()),
        file_node: index.oid,
        facts: RelationFacts::default(),
        has_index: false,
        persistence: if index.relation.temporary { 't' } else { 'p' },
        kind: 'i',
        columns: index.columns.len(),
        checks: 0,
        has_rules: false,
        has_foreign_keys: false,
        populated: true,
        replica_identity: 'n',
        acl: None,
        row_security: (false, false),
        options: None,
    }
}

fn system<'a>(relation: &'static SystemRelation) -> Row<'a> {
    Row {
        oid: relation.oid,
        name: relation.name,
        schema: relation.schema_oid(),
        row_type: 0,
        owner: BOOTSTRAP_ROLE_OID,
        access_method: if relation.kind == 'r' { HEAP } else { 0 },
        file_node: 0,
        facts: RelationFacts::default(),
        has_index: false,
        persistence: 'p',
        kind: relation.kind,
        columns: relation.columns().count(),
        checks: 0,
        has_rules: relation.kind == 'v',
        has_foreign_keys: false,
        populated: true,
        replica_identity: 'n',
        acl: None,
        row_security: (false, false),
        options: None,
    }
}
