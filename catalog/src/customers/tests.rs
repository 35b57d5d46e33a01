use super::*;
use crate::catalog::{Catalog, PUBLIC_OID};
use crate::definition::{Domain, FIRST_USER_OID, Grant, Object, Relation, RelationKind};
use crate::domains::Subject;
use clientele_udfs::types::PgType;

const CRM_ID: Oid = FIRST_USER_OID + 100;

fn domain(catalog: &Catalog, name: &str) -> Oid {
    let domain = catalog.domains().find(|one| one.name == name);
    domain.map_or_else(|| panic!("no domain {name}"), |one| one.oid)
}

/// A table of `public`; a column is `name domain`, `name type`, or `customer_id` and `account_id`.
fn table(catalog: &Catalog, (oid, name): (Oid, &str), columns: &[(&str, &str)]) -> Relation {
    let built_in = crate::features::relation(PROFILES).map(|one| one.as_ref().clone());
    let mut relation = built_in.unwrap_or_else(|| panic!("customers.profiles is built in"));
    let template = relation.columns.remove(0);
    let column = |(number, (name, kind)): (i16, &(&str, &str))| {
        let mut column = template.clone();
        (column.number, column.name) = (number, (*name).to_owned());
        match PgType::by_name(kind) {
            Some(pg_type) => column.pg_type = pg_type,
            None => {
                column.domain = Some(domain(catalog, kind));
                column.pg_type = PgType::TEXT;
            }
        }
        column.subject = Subject::ALL.into_iter().find(|one| one.column() == *name);
        column
    };
    Relation {
        oid,
        schema: PUBLIC_OID,
        name: name.to_owned(),
        kind: RelationKind::Table,
        columns: (1..).zip(columns).map(column).collect(),
        ..relation
    }
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    catalog.put(Object::Domain(Domain {
        oid: CRM_ID,
        schema: PUBLIC_OID,
        name: "crm_id".to_owned(),
        owner: 10,
        pg_type: PgType::TEXT,
        parent: Some(domain(&catalog, "customer_key")),
        not_null: false,
        default: None,
        checks: Vec::new(),
        labels: Vec::new(),
        comment: None,
        grants: None,
    }));
    let contacts = table(
        &catalog,
        (FIRST_USER_OID, "contacts"),
        &[
            ("id", "crm_id"),
            ("mail", "email"),
            ("town", "city"),
            ("made", "timestamptz"),
            ("customer_id", "int8"),
        ],
    );
    let firms = table(
        &catalog,
        (FIRST_USER_OID + 1, "firms"),
        &[("number", "siret"), ("town", "city"), ("account_id", "int8")],
    );
    catalog.put(Object::Relation(contacts));
    catalog.put(Object::Relation(firms));
    catalog
}

fn columns(catalog: &Catalog, oid: Oid) -> Vec<String> {
    let relation = catalog.relation_by_oid(oid);
    let columns = relation.into_iter().flat_map(|one| one.live_columns());
    columns.map(|column| column.name.clone()).collect()
}

#[test]
fn profiles_have_what_tables_say() {
    let mut catalog = catalog();
    let facts = [
        "first_seen_at",
        "last_seen_at",
        "row_count",
        "identifier_count",
        "sources",
        "rows_by_source",
    ];
    let with = |names: &[&str]| -> Vec<String> {
        names.iter().chain(&facts).map(|one| (*one).to_owned()).collect()
    };
    assert_eq!(columns(&catalog, PROFILES), with(&["customer_id", "email", "crm_id", "city"]));
    assert_eq!(columns(&catalog, ACCOUNTS), with(&["account_id", "siren", "siret", "city"]));
    catalog.remove(FIRST_USER_OID);
    assert_eq!(columns(&catalog, PROFILES), with(&["customer_id"]));
}

#[test]
fn what_was_granted_stays_when_columns_come_and_go() {
    let mut catalog = catalog();
    let grant =
        Grant { grantee: 5000, grantor: 10, privileges: "r".to_owned(), grantable: String::new() };
    let mut profiles = catalog.relation_by_oid(PROFILES).map(|one| one.as_ref().clone());
    let Some(mut profiles) = profiles.take() else { panic!("customers.profiles is built in") };
    for column in profiles.columns.iter_mut().filter(|one| one.name == "city") {
        column.grants.push(grant.clone());
    }
    catalog.put(Object::Relation(profiles));
    catalog.remove(FIRST_USER_OID + 1);
    let more = table(
        &catalog,
        (FIRST_USER_OID + 2, "more"),
        &[("phone", "phone"), ("customer_id", "int8")],
    );
    catalog.put(Object::Relation(more));
    let Some(profiles) = catalog.relation_by_oid(PROFILES) else { panic!("it is built in") };
    let granted: Vec<&str> = profiles
        .live_columns()
        .filter(|column| !column.grants.is_empty())
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(granted, ["city"]);
    assert!(profiles.column("phone").is_some());
}

#[test]
fn members_are_asked_of_tables_with_people_and_companies() {
    let mut catalog = catalog();
    assert!(!account_members(&catalog).contains("UNION"));
    let both = table(
        &catalog,
        (FIRST_USER_OID + 3, "Staff"),
        &[
            ("mail", "email"),
            ("firm", "siren"),
            ("role", "text"),
            ("customer_id", "int8"),
            ("account_id", "int8"),
        ],
    );
    catalog.put(Object::Relation(both));
    let query = account_members(&catalog);
    assert!(query.contains("FROM public.\"Staff\""), "{query}");
    assert!(query.contains("role::text"), "{query}");
}
