//! Names ↔ OIDs: `to_regclass`, `oid::regclass::text`, `pg_table_is_visible` and their families.

use clientele_udfs::types::PgType;

use super::super::context::{Context, FunctionFacts};
use super::super::facts::expressions::quote_identifier;
use super::super::facts::{columns, functions, indexes, oids, types};
use super::super::system_relation::{self, SystemRelation};
use crate::catalog::PG_CATALOG_OID;
use crate::definition::{Oid, Relation};

/// A relation or index, found by OID or name.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// Its OID.
    pub oid: Oid,
    /// OID of its schema.
    pub schema: Oid,
    /// Its name.
    pub name: &'a str,
}

impl Context {
    /// `shop.orders`, parts quoted where SQL needs it.
    pub fn qualified(&self, relation: &Relation) -> String {
        self.qualified_text(relation.schema, &relation.name)
    }

    /// The name as short as the search path allows.
    pub fn display_relation(&self, relation: &Relation) -> String {
        self.display(Named { oid: relation.oid, schema: relation.schema, name: &relation.name })
    }

    fn qualified_text(&self, schema: Oid, name: &str) -> String {
        format!("{}.{}", quote_identifier(self.schema_name(schema)), quote_identifier(name))
    }

    fn display(&self, named: Named<'_>) -> String {
        match self.is_visible(named) {
            true => quote_identifier(named.name),
            false => self.qualified_text(named.schema, named.name),
        }
    }

    fn is_visible(&self, named: Named<'_>) -> bool {
        let first = self.search_schemas().find_map(|schema| relation_in(self, schema, named.name));
        first.is_some_and(|first| first.oid == named.oid)
    }
}

/// The relation, index or system relation of that OID.
pub fn relation_by_oid(context: &Context, oid: Oid) -> Option<Named<'_>> {
    if let Some(one) = context.catalog.relation_by_oid(oid) {
        return Some(Named { oid, schema: one.schema, name: &one.name });
    }
    if let Some(one) = system_relation::find_by_oid(oid) {
        return Some(of_system(one));
    }
    let index = indexes::find(context, oid)?;
    Some(Named { oid, schema: index.relation.schema, name: index.name })
}

fn of_system(one: &'static SystemRelation) -> Named<'static> {
    Named { oid: one.oid, schema: one.schema_oid(), name: one.name }
}

fn relation_in<'a>(context: &'a Context, schema: Oid, name: &str) -> Option<Named<'a>> {
    if let Some(one) = context.catalog.relation(schema, name) {
        return Some(Named { oid: one.oid, schema, name: &one.name });
    }
    if let Some(one) = system_relation::find(context.schema_name(schema), name) {
        return Some(of_system(one));
    }
    let index = (schema != PG_CATALOG_OID).then(|| indexes::named(context, schema, name))??;
    Some(Named { oid: index.oid, schema, name: index.name })
}

/// Splits `"My schema".orders` into its parts, unquoted parts in lower case; `None` when the text
/// is no name.
pub fn split_name(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut letters = text.trim().chars().peekable();
    loop {
        let mut part = String::new();
        if letters.next_if_eq(&'"').is_some() {
            loop {
                match letters.next()? {
                    '"' if letters.next_if_eq(&'"').is_some() => part.push('"'),
                    '"' => break,
                    letter => part.push(letter),
                }
            }
        } else {
            while let Some(letter) =
                letters.next_if(|one| one.is_alphanumeric() || "_$".contains(*one))
            {
                part.extend(letter.to_lowercase());
            }
        }
        parts.push(Some(part).filter(|part| !part.is_empty())?);
        match letters.next() {
            None => return Some(parts),
            Some('.') => {}
            Some(_) => return None,
        }
    }
}

/// Finds by schema and name, or by name along the search path; a leading database name must be
/// the current one's.
fn resolve<T>(context: &Context, text: &str, find: impl Fn(Oid, &str) -> Option<T>) -> Option<T> {
    let parts = split_name(text)?;
    match parts.as_slice() {
        [name] => context.search_schemas().find_map(|schema| find(schema, name)),
        [schema, name] => find(context.catalog.schema(schema)?.oid, name),
        [database, schema, name] if *database == context.database.name => {
            find(context.catalog.schema(schema)?.oid, name)
        }
        _ => None,
    }
}

/// `to_regclass(text)`: also resolves digits, as the cast `'16384'::regclass` does.
pub fn to_regclass(context: &Context, text: &str) -> Option<Oid> {
    digits(text).or_else(|| {
        resolve(context, text, |schema, name| relation_in(context, schema, name)).map(|one| one.oid)
    })
}

/// `oid::regclass::text`: the number itself when there is no such relation, `-` for 0.
pub fn regclass_text(context: &Context, oid: Oid) -> String {
    relation_by_oid(context, oid).map_or_else(|| number_text(oid), |one| context.display(one))
}

fn digits(text: &str) -> Option<Oid> {
    text.trim().parse().ok()
}

fn number_text(oid: Oid) -> String {
    if oid == 0 { "-".to_owned() } else { oid.to_string() }
}

/// `to_regnamespace(text)`.
pub fn to_regnamespace(context: &Context, text: &str) -> Option<Oid> {
    digits(text).or_else(|| match split_name(text)?.as_slice() {
        [name] => context.catalog.schema(name).map(|schema| schema.oid),
        _ => None,
    })
}

/// `oid::regnamespace::text`.
pub fn regnamespace_text(context: &Context, oid: Oid) -> String {
    context
        .catalog
        .schema_by_oid(oid)
        .map_or_else(|| number_text(oid), |schema| quote_identifier(&schema.name))
}

/// `to_regrole(text)`.
pub fn to_regrole(context: &Context, text: &str) -> Option<Oid> {
    digits(text).or_else(|| match split_name(text)?.as_slice() {
        [name] => context.role_named(name).map(|role| role.oid),
        _ => None,
    })
}

/// `oid::regrole::text`.
pub fn regrole_text(context: &Context, oid: Oid) -> String {
    context.role(oid).map_or_else(|| number_text(oid), |role| quote_identifier(&role.name))
}

/// `to_regtype(text)`: base types by any name, arrays, domains, row types.
pub fn to_regtype(context: &Context, text: &str) -> Option<Oid> {
    let text = text.trim();
    let bare = text.strip_prefix("pg_catalog.").unwrap_or(text);
    let without_modifier = bare.split_once('(').map_or(bare, |(head, _)| head.trim_end());
    let lower = without_modifier.to_lowercase();
    let built_in = || match split_name(bare)?.as_slice() {
        [name] => PgType::by_name(name),
        [schema, name] if schema == "pg_catalog" => PgType::by_name(name),
        _ => None,
    };
    digits(text)
        .or_else(|| PgType::by_name(&lower).or_else(built_in).map(|one| one.oid))
        .or_else(|| resolve(context, bare, |schema, name| type_in(context, schema, name)))
}

fn type_in(context: &Context, schema: Oid, name: &str) -> Option<Oid> {
    let domain = context.catalog.domain(schema, name).map(|domain| domain.oid);
    domain.or_else(|| context.catalog.relation(schema, name).map(|one| oids::row_type(one.oid)))
}

/// `oid::regtype::text`.
pub fn regtype_text(context: &Context, oid: Oid) -> String {
    if oid == 0 {
        "-".to_owned()
    } else {
        known_type_text(context, oid, -1).unwrap_or_else(|| oid.to_string())
    }
}

pub(crate) fn type_text(context: &Context, oid: Oid, modifier: i32) -> String {
    match oid {
        0 => "-".to_owned(),
        _ => known_type_text(context, oid, modifier).unwrap_or_else(|| "???".to_owned()),
    }
}

fn known_type_text(context: &Context, oid: Oid, modifier: i32) -> Option<String> {
    if types::find(oid).is_some() {
        return Some(PgType { oid, modifier }.sql_name());
    }
    if let Some(domain) = context.catalog.domain_by_oid(oid) {
        return Some(columns::domain_name(context, domain));
    }
    let relation = context.catalog.relation_by_oid(oids::relation_of_row_type(oid)?)?;
    Some(context.display_relation(relation))
}

/// `to_regproc(text)`: `None` when there is none or more than one of that name.
pub fn to_regproc(context: &Context, text: &str) -> Option<Oid> {
    if let Some(oid) = digits(text) {
        return Some(oid);
    }
    let type_function = |schema: Oid, name: &str| {
        let all = functions::type_functions().iter();
        let mut found =
            all.filter(|one| schema == PG_CATALOG_OID && one.name == name).map(|one| one.oid);
        found.next()
    };
    resolve(context, text, |schema, name| {
        let all = context.functions.iter();
        let mut found = all.filter(|one| one.schema == schema && one.name == name);
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one.oid),
            (None, _) => type_function(schema, name),
            _ => None,
        }
    })
}

/// `oid::regproc::text`.
pub fn regproc_text(context: &Context, oid: Oid) -> String {
    if let Some(one) = functions::find_type_function(oid) {
        return quote_identifier(one.name);
    }
    match functions::find(context, oid) {
        Some(function) => function_name(context, function),
        None => number_text(oid),
    }
}

/// Name of a function, with its schema where the search path does not lead there.
pub(crate) fn function_name(context: &Context, function: &FunctionFacts) -> String {
    match context.search_schemas().any(|schema| schema == function.schema) {
        true => quote_identifier(&function.name),
        false => context.qualified_text(function.schema, &function.name),
    }
}

/// `to_regprocedure(text)`: `lower(text)`.
pub fn to_regprocedure(context: &Context, text: &str) -> Option<Oid> {
    if let Some(oid) = digits(text) {
        return Some(oid);
    }
    let (name, rest) = text.split_once('(')?;
    let arguments = rest.trim_end().strip_suffix(')')?;
    let wanted: Option<Vec<Oid>> = match arguments.trim() {
        "" => Some(Vec::new()),
        list => list.split(',').map(|one| to_regtype(context, one)).collect(),
    };
    let wanted = wanted?;
    resolve(context, name, |schema, name| {
        let fits = |function: &FunctionFacts| {
            let types: Vec<Oid> = function.inputs().map(|one| one.pg_type.oid).collect();
            function.schema == schema && function.name == name && types == wanted
        };
        let of_type = |one: &&functions::TypeFunction| {
            schema == PG_CATALOG_OID && one.name == name && one.arguments == wanted
        };
        let declared = context.functions.iter().find(|one| fits(one)).map(|one| one.oid);
        declared.or_else(|| functions::type_functions().iter().find(of_type).map(|one| one.oid))
    })
}

/// `oid::regprocedure::text`.
pub fn regprocedure_text(context: &Context, oid: Oid) -> String {
    if let Some(one) = functions::find_type_function(oid) {
        let types: Vec<String> =
            one.arguments.iter().map(|one| type_text(context, *one, -1)).collect();
        return format!("{}({})", quote_identifier(one.name), types.join(","));
    }
    functions::find(context, oid).map_or_else(
        || number_text(oid),
        |function| {
            let types: Vec<String> = function.inputs().map(|one| one.pg_type.sql_name()).collect();
            format!("{}({})", function_name(context, function), types.join(","))
        },
    )
}

/// `pg_get_userbyid(oid)`.
pub fn user_by_oid(context: &Context, oid: Oid) -> String {
    context.role_name(oid)
}

/// `pg_table_is_visible(oid)`; `None` (NULL) when there is no such relation.
pub fn table_is_visible(context: &Context, oid: Oid) -> Option<bool> {
    relation_by_oid(context, oid).map(|one| context.is_visible(one))
}

/// `pg_type_is_visible(oid)`.
pub fn type_is_visible(context: &Context, oid: Oid) -> Option<bool> {
    if types::find(oid).is_some() {
        return Some(true);
    }
    let named = match context.catalog.domain_by_oid(oid) {
        Some(domain) => (domain.schema, domain.name.as_str()),
        None => {
            let relation = context.catalog.relation_by_oid(oids::relation_of_row_type(oid)?)?;
            (relation.schema, relation.name.as_str())
        }
    };
    let first = context.search_schemas().find_map(|schema| type_in(context, schema, named.1));
    Some(first == Some(oid))
}

/// `pg_function_is_visible(oid)`.
pub fn function_is_visible(context: &Context, oid: Oid) -> Option<bool> {
    if functions::find_type_function(oid).is_some() {
        return Some(true);
    }
    let schema = functions::find(context, oid)?.schema;
    Some(context.search_schemas().any(|one| one == schema))
}

/// `pg_operator_is_visible`, `pg_opclass_is_visible`, `pg_collation_is_visible` … of objects that
/// live in `pg_catalog` only: always visible.
pub fn built_in_is_visible(_oid: Oid) -> bool {
    true
}

/// `pg_encoding_to_char(6)`: `UTF8`; other encodings have no data here, their names are true all
/// the same.
pub fn encoding_name(encoding: i32) -> &'static str {
    match encoding {
        0 => "SQL_ASCII",
        6 => "UTF8",
        8 => "LATIN1",
        16 => "LATIN9",
        24 => "WIN1252",
        _ => "",
    }
}

/// `pg_describe_object(catalog, object, column)`: `table shop.orders`, `column id of table t`.
pub fn describe_object(
    context: &Context,
    catalog: Oid,
    object: Oid,
    column: i32,
) -> Option<String> {
    match catalog {
        1259 => describe_relation(context, object, column),
        1247 => Some(format!("type {}", known_type_text(context, object, -1)?)),
        1255 => Some(format!("function {}", regprocedure_text(context, object))),
        1260 => Some(format!("role {}", context.role(object)?.name)),
        1262 => Some(format!(
            "database {}",
            context.databases.iter().find(|one| one.oid == object)?.name
        )),
        2615 => Some(format!("schema {}", context.catalog.schema_by_oid(object)?.name)),
        2606 => {
            let row = super::super::facts::constraints::find(context, object)?;
            let on = row
                .relation
                .map(|relation| format!(" on table {}", context.display_relation(relation)));
            Some(format!("constraint {}{}", row.name, on.unwrap_or_default()))
        }
        _ => None,
    }
}

fn describe_relation(context: &Context, object: Oid, column: i32) -> Option<String> {
    let text = regclass_text(context, relation_by_oid(context, object)?.oid);
    let relation = context.catalog.relation_by_oid(object);
    let kind = match relation.map(|relation| relation.kind_letter()) {
        Some('v') => "view",
        Some('m') => "materialized view",
        Some('S') => "sequence",
        None if system_relation::find_by_oid(object).is_none() => "index",
        None if system_relation::find_by_oid(object).is_some_and(|one| one.kind == 'v') => "view",
        _ => "table",
    };
    match i16::try_from(column).ok()? {
        0 => Some(format!("{kind} {text}")),
        number => {
            Some(format!("column {} of {kind} {text}", relation?.column_by_number(number)?.name))
        }
    }
}
