//! `pg_description`: comments. PostgreSQL manual: catalog-pg-description.

use std::borrow::Cow;

use super::super::context::Context;
use super::super::facts::{constraints, functions, indexes};
use super::super::system_relation::{self, relation};
use crate::definition::Oid;

/// OIDs of `pg_class`, `pg_namespace`, `pg_type`, `pg_constraint`, `pg_proc`,
/// `pg_foreign_server`: what is commented on.
const PG_CLASS: Oid = 1259;
const PG_NAMESPACE: Oid = 2615;
const PG_TYPE: Oid = 1247;
const PG_CONSTRAINT: Oid = 2606;
const PG_PROC: Oid = 1255;
const PG_FOREIGN_SERVER: Oid = 1417;

relation! { (context) (object, catalog, number, comment) in rows(context) => {
    objoid: object,
    classoid: catalog,
    objsubid: number,
    description: comment.as_ref(),
} }

/// Object, its catalog, its column or 0, the comment.
pub(crate) type Row<'a> = (Oid, Oid, i32, Cow<'a, str>);

/// Every comment of the database.
pub(crate) fn rows(context: &Context) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut add = |oid, catalog, number, comment: Option<&'_ str>| {
        rows.extend(comment.map(|comment| (oid, catalog, number, Cow::Owned(comment.to_owned()))));
    };
    for schema in context.catalog.schemas() {
        add(schema.oid, PG_NAMESPACE, 0, schema.comment.as_deref());
    }
    for relation in context.relations() {
        add(relation.oid, PG_CLASS, 0, relation.comment.as_deref());
        for column in relation.live_columns() {
            add(relation.oid, PG_CLASS, i32::from(column.number), column.comment.as_deref());
        }
        indexes::of(relation).for_each(|index| add(index.oid, PG_CLASS, 0, index.comment));
        constraints::of_relation(relation)
            .for_each(|one| add(one.oid, PG_CONSTRAINT, 0, one.comment));
    }
    for relation in system_relation::all() {
        add(relation.oid, PG_CLASS, 0, relation.comment());
    }
    for domain in context.catalog.domains() {
        add(domain.oid, PG_TYPE, 0, domain.comment.as_deref());
    }
    for function in context.functions.iter() {
        add(function.oid, PG_PROC, 0, function.comment.as_deref());
    }
    for server in context.catalog.servers() {
        add(server.oid, PG_FOREIGN_SERVER, 0, server.comment.as_deref());
    }
    rows
}

/// The comment on an object of a catalog, or on column `number` of it.
pub(crate) fn comment(context: &Context, object: Oid, catalog: Oid, number: i32) -> Option<String> {
    let definitions = &context.catalog;
    match catalog {
        PG_CLASS => of_relation(context, object, number),
        PG_NAMESPACE => definitions.schema_by_oid(object)?.comment.clone(),
        PG_TYPE => definitions.domain_by_oid(object)?.comment.clone(),
        PG_FOREIGN_SERVER => definitions.server_by_oid(object)?.comment.clone(),
        PG_PROC => functions::find(context, object)?.comment.clone(),
        PG_CONSTRAINT => constraints::find(context, object)?.comment.map(str::to_owned),
        _ => None,
    }
}

fn of_relation(context: &Context, object: Oid, number: i32) -> Option<String> {
    let Some(relation) = context.catalog.relation_by_oid(object) else {
        if let Some(relation) = system_relation::find_by_oid(object) {
            return relation.comment().filter(|_| number == 0).map(str::to_owned);
        }
        let index = indexes::find(context, object).filter(|_| number == 0)?;
        return index.comment.map(str::to_owned);
    };
    match i16::try_from(number).ok()? {
        0 => relation.comment.clone(),
        number => relation.column_by_number(number)?.comment.clone(),
    }
}
