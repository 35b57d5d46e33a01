//! `pg_type`: base types, domains, row types of relations. PostgreSQL manual: catalog-pg-type.

use std::borrow::Cow;

use super::super::context::Context;
use super::super::facts::expressions;
use super::super::facts::grants;
use super::super::facts::oids;
use super::super::facts::types::{self, TypeRow};
use super::super::system_relation::relation;
use crate::catalog::{BOOTSTRAP_ROLE_OID, PG_CATALOG_OID};
use crate::definition::{Domain, Oid, Relation, RelationKind};
use crate::privileges::Access;

/// `domain_in`, `domain_recv`, `record_in`, `record_out`, `record_recv`, `record_send`.
const DOMAIN_IO: (Oid, Oid) = (2597, 2598);
const RECORD_IO: (Oid, Oid, Oid, Oid) = (2290, 2291, 2402, 2403);

relation! { (context) row in rows(context) => {
    oid: row.oid,
    typname: row.name.as_ref(),
    typnamespace: row.schema,
    typowner: row.owner,
    typlen: row.length,
    typbyval: row.by_value,
    typtype: row.kind,
    typcategory: row.category,
    typispreferred: row.preferred,
    typisdefined: true,
    typdelim: ',',
    typrelid: row.relation,
    typelem: row.element,
    typarray: row.array,
    typinput: row.input,
    typoutput: row.output,
    typreceive: row.receive,
    typsend: row.send,
    typmodin: row.modifier_input,
    typmodout: row.modifier_output,
    typalign: row.align,
    typstorage: row.storage,
    typnotnull: row.not_null,
    typbasetype: row.base,
    typtypmod: row.modifier,
    typcollation: row.collation,
    typdefaultbin: row.default.as_deref(),
    typdefault: row.default.as_deref(),
    typacl: row.acl,
} }

struct Row<'a> {
    oid: Oid,
    name: Cow<'a, str>,
    schema: Oid,
    owner: Oid,
    length: i16,
    by_value: bool,
    kind: char,
    category: char,
    preferred: bool,
    relation: Oid,
    element: Oid,
    array: Oid,
    input: Oid,
    output: Oid,
    receive: Oid,
    send: Oid,
    modifier_input: Oid,
    modifier_output: Oid,
    align: char,
    storage: char,
    not_null: bool,
    base: Oid,
    modifier: i32,
    collation: Oid,
    default: Option<String>,
    acl: Option<Vec<String>>,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let has_row_type =
        |relation: &&std::sync::Arc<Relation>| !matches!(relation.kind, RelationKind::Sequence(_));
    let domains = context.catalog.domains().filter_map(|domain| of_domain(context, domain));
    let composites = context.relations().filter(has_row_type).map(|relation| of_relation(relation));
    types::all().iter().map(base).chain(domains).chain(composites).collect()
}

fn base<'a>(facts: &'static TypeRow) -> Row<'a> {
    Row {
        oid: facts.oid,
        name: Cow::Borrowed(facts.name),
        schema: PG_CATALOG_OID,
        owner: BOOTSTRAP_ROLE_OID,
        length: facts.length,
        by_value: facts.by_value,
        kind: facts.kind,
        category: facts.category,
        preferred: facts.preferred,
        relation: 0,
        element: facts.element,
        array: facts.array,
        input: facts.input,
        output: facts.output,
        receive: facts.receive,
        send: facts.send,
        modifier_input: facts.modifier_input,
        modifier_output: facts.modifier_output,
        align: facts.align,
        storage: facts.storage,
        not_null: false,
        base: 0,
        modifier: -1,
        collation: facts.collation,
        default: None,
        acl: None,
    }
}

/// A domain has the representation of its base type.
fn of_domain<'a>(context: &Context, domain: &'a Domain) -> Option<Row<'a>> {
    let facts = types::of(domain.pg_type)?;
    Some(Row {
        oid: domain.oid,
        name: Cow::Borrowed(&domain.name),
        schema: domain.schema,
        owner: domain.owner,
        kind: if domain.labels.is_empty() { 'd' } else { 'e' },
        category: if domain.labels.is_empty() { base(facts).category } else { 'E' },
        preferred: false,
        element: 0,
        array: 0,
        input: DOMAIN_IO.0,
        receive: DOMAIN_IO.1,
        modifier_input: 0,
        modifier_output: 0,
        not_null: domain.not_null,
        base: match domain.labels.is_empty() {
            true => domain.parent.unwrap_or(domain.pg_type.oid),
            false => 0,
        },
        modifier: domain.pg_type.modifier,
        default: domain
            .default
            .as_ref()
            .map(|text| expressions::domain_default(text, domain.pg_type)),
        acl: grants::acl(&Access::domain(domain), context),
        ..base(facts)
    })
}

fn of_relation(relation: &Relation) -> Row<'_> {
    Row {
        oid: oids::row_type(relation.oid),
        name: Cow::Borrowed(&relation.name),
        schema: relation.schema,
        owner: relation.owner,
        length: -1,
        by_value: false,
        kind: 'c',
        category: 'C',
        preferred: false,
        relation: relation.oid,
        element: 0,
        array: 0,
        input: RECORD_IO.0,
        output: RECORD_IO.1,
        receive: RECORD_IO.2,
        send: RECORD_IO.3,
        modifier_input: 0,
        modifier_output: 0,
        align: 'd',
        storage: 'x',
        not_null: false,
        base: 0,
        modifier: -1,
        collation: 0,
        default: None,
        acl: None,
    }
}
