//! `pg_depend`: what would go or stand in the way when an object is dropped, and in which order
//! `pg_dump` writes. PostgreSQL manual: catalog-pg-depend.

use super::super::context::Context;
use super::super::facts::dependencies::{self, PG_CLASS, PG_PROC, PG_TYPE};
use super::super::facts::{constraints, expressions, foreign, indexes, oids};
use super::super::system_relation::relation;
use super::pg_sequence::sequences;
use crate::definition::{Domain, FIRST_USER_OID, Oid, Relation};
use crate::features;
use crate::foreign::PARQUET_WRAPPER_OID;

const PG_ATTRDEF: Oid = 2604;
const PG_CONSTRAINT: Oid = 2606;
const PG_EXTENSION: Oid = 3079;
const PG_FOREIGN_DATA_WRAPPER: Oid = 2328;
const PG_FOREIGN_SERVER: Oid = 1417;
const PG_NAMESPACE: Oid = 2615;
const PG_POLICY: Oid = 3256;
const PG_REWRITE: Oid = 2618;
/// Extension `clientele` (`sql/pg_catalog/pg_extension.tsv`): what every database has of the
/// features is a part of it, and no part of a dump.
const EXTENSION: Oid = 13999;
/// Extension `parquet_fdw`, in the same file.
const PARQUET_EXTENSION: Oid = 13998;

relation! { (context) row in rows(context) => {
    classid: row.object.catalog,
    objid: row.object.oid,
    objsubid: row.object.column,
    refclassid: row.needed.catalog,
    refobjid: row.needed.oid,
    refobjsubid: row.needed.column,
    deptype: row.kind,
} }

/// An object of a catalog, or a column of it.
#[derive(Clone, Copy)]
struct Object {
    catalog: Oid,
    oid: Oid,
    column: i32,
}

impl Object {
    fn new(catalog: Oid, oid: Oid) -> Self {
        Self { catalog, oid, column: 0 }
    }

    fn column(relation: &Relation, number: i16) -> Self {
        Self { catalog: PG_CLASS, oid: relation.oid, column: number.into() }
    }
}

struct Row {
    object: Object,
    needed: Object,
    /// `n` normal, `a` automatic, `i` internal, `e` extension.
    kind: char,
}

#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn add(&mut self, object: Object, needed: Object, kind: char) {
        self.0.push(Row { object, needed, kind });
    }

    /// What a text uses, each thing once.
    fn uses(&mut self, object: Object, used: impl IntoIterator<Item = (Oid, Oid)>) {
        for (catalog, oid) in used {
            self.add(object, Object::new(catalog, oid), 'n');
        }
    }

    /// Of its schema, or of the extension where the engine has made it.
    fn placed(&mut self, object: Object, schema: Oid) {
        match features::is_feature_schema(schema) && object.oid < FIRST_USER_OID {
            true => self.add(object, Object::new(PG_EXTENSION, EXTENSION), 'e'),
            false => self.add(object, Object::new(PG_NAMESPACE, schema), 'n'),
        }
    }
}

fn rows(context: &Context) -> Vec<Row> {
    let mut rows = Rows::default();
    for schema in context.catalog.schemas().filter(|one| features::is_feature_schema(one.oid)) {
        let schema = Object::new(PG_NAMESPACE, schema.oid);
        rows.add(schema, Object::new(PG_EXTENSION, EXTENSION), 'e');
    }
    of_functions(context, &mut rows);
    context.catalog.domains().for_each(|domain| of_domain(context, domain, &mut rows));
    for relation in context.relations() {
        rows.placed(Object::new(PG_CLASS, relation.oid), relation.schema);
        of_columns(context, relation, &mut rows);
        of_indexes(context, relation, &mut rows);
        of_policies(context, relation, &mut rows);
        if let Some(query) = relation.query() {
            let rule = Object::new(PG_REWRITE, oids::part(relation.oid, 0));
            rows.add(rule, Object::new(PG_CLASS, relation.oid), 'i');
            rows.uses(rule, dependencies::of_query(context, query));
        }
        for constraint in constraints::of_relation(relation) {
            of_constraint(context, &constraint, &mut rows);
        }
    }
    for relation in super::super::system_relation::all() {
        if relation.schema_oid() == features::CLIENTELE_OID {
            rows.placed(Object::new(PG_CLASS, relation.oid), relation.schema_oid());
        }
    }
    of_sequences(context, &mut rows);
    of_foreign(context, &mut rows);
    rows.0
}

fn of_functions(context: &Context, rows: &mut Rows) {
    for function in context.functions.iter() {
        let object = Object::new(PG_PROC, function.oid);
        match (&function.defined, features::is_feature_schema(function.schema)) {
            (Some(_), _) => rows.placed(object, function.schema),
            (None, true) => rows.add(object, Object::new(PG_EXTENSION, EXTENSION), 'e'),
            (None, false) => {}
        }
    }
}

fn of_domain(context: &Context, domain: &Domain, rows: &mut Rows) {
    if domain.oid < FIRST_USER_OID {
        return;
    }
    let object = Object::new(PG_TYPE, domain.oid);
    rows.placed(object, domain.schema);
    rows.uses(object, domain.parent.map(|parent| (PG_TYPE, parent)));
    for check in constraints::of_domain(domain) {
        let check_object = Object::new(PG_CONSTRAINT, check.oid);
        rows.add(check_object, object, 'a');
        let text = check.expression.unwrap_or_default();
        rows.uses(check_object, dependencies::of_expression(context, &text));
    }
}

fn of_columns(context: &Context, relation: &Relation, rows: &mut Rows) {
    for column in relation.live_columns() {
        let object = Object::column(relation, column.number);
        rows.uses(object, column.domain.map(|domain| (PG_TYPE, domain)));
        if let Some(text) = expressions::default(context, column) {
            let number = column.number.unsigned_abs().into();
            let default = Object::new(PG_ATTRDEF, oids::part(relation.oid, number));
            rows.add(default, object, 'a');
            rows.uses(default, dependencies::of_expression(context, &text));
        }
    }
}

fn of_indexes(context: &Context, relation: &Relation, rows: &mut Rows) {
    let keys = constraints::of_relation(relation).map(|one| one.oid).collect::<Vec<_>>();
    for index in indexes::of(relation).filter(|index| !keys.contains(&index.oid)) {
        let object = Object::new(PG_CLASS, index.oid);
        rows.placed(object, relation.schema);
        if index.columns.iter().all(|number| *number == 0) {
            rows.add(object, Object::new(PG_CLASS, relation.oid), 'a');
        }
        for number in index.columns.iter().filter(|number| **number != 0) {
            rows.add(object, Object::column(relation, *number), 'a');
        }
        for text in index.expressions.iter().map(String::as_str).chain(index.predicate) {
            rows.uses(object, dependencies::of_expression(context, text));
        }
    }
}

fn of_policies(context: &Context, relation: &Relation, rows: &mut Rows) {
    for policy in &relation.row_security.policies {
        let object = Object::new(PG_POLICY, policy.oid);
        rows.add(object, Object::new(PG_CLASS, relation.oid), 'a');
        for text in policy.using.iter().chain(&policy.with_check) {
            rows.uses(object, dependencies::of_expression(context, text));
        }
    }
}

fn of_foreign(context: &Context, rows: &mut Rows) {
    let wrapper = Object::new(PG_FOREIGN_DATA_WRAPPER, PARQUET_WRAPPER_OID);
    rows.add(wrapper, Object::new(PG_EXTENSION, PARQUET_EXTENSION), 'e');
    for server in context.catalog.servers() {
        rows.add(Object::new(PG_FOREIGN_SERVER, server.oid), wrapper, 'n');
    }
    for (_, relation, table) in foreign::tables(context) {
        let server = Object::new(PG_FOREIGN_SERVER, table.server);
        rows.add(Object::new(PG_CLASS, relation.oid), server, 'n');
    }
}

fn of_sequences(context: &Context, rows: &mut Rows) {
    for (relation, sequence) in sequences(context) {
        let Some((owner, number)) = sequence.owned_by else { continue };
        let Some(owner) = context.catalog.relation_by_oid(owner) else { continue };
        let Some(column) = owner.column_by_number(number) else { continue };
        let kind = if column.identity.is_some() { 'i' } else { 'a' };
        rows.add(Object::new(PG_CLASS, relation.oid), Object::column(owner, number), kind);
    }
}

fn of_constraint(context: &Context, constraint: &constraints::ConstraintRow<'_>, rows: &mut Rows) {
    let Some(relation) = constraint.relation else { return };
    let object = Object::new(PG_CONSTRAINT, constraint.oid);
    for number in &constraint.columns {
        rows.add(object, Object::column(relation, *number), 'a');
    }
    if let Some(foreign) = &constraint.foreign {
        for number in foreign.columns {
            let catalog = PG_CLASS;
            let needed = Object { catalog, oid: foreign.relation, column: (*number).into() };
            rows.add(object, needed, 'n');
        }
        let key = constraints::referenced_key(context, foreign);
        rows.uses(object, key.map(|key| (PG_CLASS, key.oid)));
    }
    if let Some(text) = &constraint.expression {
        rows.uses(object, dependencies::of_expression(context, text));
    }
    if "pu".contains(constraint.kind) {
        let index = Object::new(PG_CLASS, constraint.oid);
        rows.placed(index, relation.schema);
        rows.add(index, object, 'i');
    }
}
