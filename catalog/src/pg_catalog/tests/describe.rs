//! The describing functions against what PostgreSQL prints.

use super::fixture::rich;
use crate::features::is_feature_schema;
use crate::pg_catalog::Context;
use crate::pg_catalog::describe::{comments, definitions, functions, names, privileges, sizes};

#[test]
fn definitions_read_as_postgresql_prints_them() {
    let context = rich();
    let constraint =
        |oid, pretty| definitions::constraint_definition(&context, oid, pretty).unwrap();
    assert_eq!(constraint(20011, false), "PRIMARY KEY (id)");
    assert_eq!(constraint(20015, true), "UNIQUE (email)");
    assert_eq!(constraint(20016, true), "CHECK (spend >= 0)");
    assert_eq!(constraint(20016, false), "CHECK ((spend >= 0))");
    assert_eq!(
        constraint(20017, true),
        "FOREIGN KEY (customer_id) REFERENCES shop.customer(id) ON DELETE CASCADE"
    );
    assert_eq!(definitions::constraint_definition(&context, 1, true), None);
    let index = definitions::index_definition(&context, 20013).unwrap();
    assert_eq!(index, "CREATE INDEX orders_placed ON shop.orders USING btree (placed_at, status)");
    let key = definitions::index_definition(&context, 20011).unwrap();
    assert_eq!(key, "CREATE UNIQUE INDEX customer_pkey ON shop.customer USING btree (id)");
    assert_eq!(definitions::index_column(&context, 20013, 2, true).as_deref(), Some("status"));
    assert_eq!(definitions::index_column(&context, 20013, 3, true), None);
    assert_eq!(
        definitions::view_definition(&context, 20004).as_deref(),
        Some(" SELECT placed_at AS d FROM shop.orders;")
    );
    assert_eq!(definitions::view_definition(&context, 20001), None);
    let orders = context.catalog.relation_by_oid(20002).unwrap();
    assert_eq!(
        definitions::serial_sequence(&context, orders, "id").as_deref(),
        Some("shop.orders_id_seq")
    );
    assert_eq!(definitions::serial_sequence(&context, orders, "status"), None);
    for (oid, modifier, expected) in [
        (1700, Some(786_438), "numeric(12,2)"),
        (23, None, "integer"),
        (1009, None, "text[]"),
        (20050, None, "shop.email"),
        (12023, None, "birth_date"),
        (0, None, "-"),
        (999, None, "???"),
    ] {
        assert_eq!(definitions::format_type(&context, oid, modifier), expected);
    }
}

#[test]
fn names_resolve_both_ways() {
    let context = rich();
    for (text, oid) in [
        ("shop.customer", Some(20001)),
        ("acme.shop.customer", Some(20001)),
        ("other.shop.customer", None),
        ("customer", None),
        ("\"T 1\"", Some(20007)),
        ("public.\"T 1\"", Some(20007)),
        ("T 1", None),
        ("SHOP.Customer", Some(20001)),
        ("pg_class", Some(1259)),
        ("pg_catalog.pg_class", Some(1259)),
        ("information_schema.tables", context_oid("tables")),
        ("shop.orders_pkey", Some(20012)),
        ("20001", Some(20001)),
        ("", None),
        ("a..b", None),
        ("\"", None),
        ("shop.", None),
    ] {
        assert_eq!(names::to_regclass(&context, text), oid, "{text}");
    }
    assert_eq!(names::regclass_text(&context, 20001), "shop.customer");
    assert_eq!(names::regclass_text(&context, 20007), "\"T 1\"");
    assert_eq!(names::regclass_text(&context, 1259), "pg_class");
    assert_eq!(names::regclass_text(&context, 0), "-");
    assert_eq!(names::regclass_text(&context, 5), "5");
    for (text, oid) in [
        ("integer", Some(23)),
        ("pg_catalog.int4", Some(23)),
        ("numeric(10,2)", Some(1700)),
        ("text[]", Some(1009)),
        ("email", Some(12000)),
        ("shop.email", Some(20050)),
        ("nosuch", None),
        ("TIMESTAMP WITH TIME ZONE", Some(1184)),
    ] {
        assert_eq!(names::to_regtype(&context, text), oid, "{text}");
    }
    assert_eq!(names::regtype_text(&context, 20050), "shop.email");
    assert_eq!(names::to_regproc(&context, "lower"), Some(870));
    assert_eq!(names::to_regproc(&context, "array_in"), Some(750));
    assert_eq!(names::to_regprocedure(&context, "array_in(cstring,oid,integer)"), Some(750));
    assert_eq!(names::regproc_text(&context, 750), "array_in");
    assert_eq!(names::to_regprocedure(&context, "lower(text)"), Some(870));
    assert_eq!(names::regprocedure_text(&context, 870), "lower(text)");
    assert_eq!(names::to_regnamespace(&context, "shop"), Some(20000));
    assert_eq!(names::regrole_text(&context, 10), "admin");
    assert_eq!(names::table_is_visible(&context, 20001), Some(false));
    assert_eq!(names::table_is_visible(&context, 20007), Some(true));
    assert_eq!(names::table_is_visible(&context, 1259), Some(true));
    assert_eq!(names::table_is_visible(&context, 5), None);
    assert_eq!(names::type_is_visible(&context, 12000), Some(true));
    assert_eq!(names::type_is_visible(&context, 20050), Some(false));
}

fn context_oid(name: &str) -> Option<u32> {
    crate::pg_catalog::relation_oid("information_schema", name)
}

#[test]
fn privileges_follow_grants_membership_and_ownership() {
    let context = rich();
    let table = |role, text| privileges::table(&context, role, 20001, text);
    assert_eq!(table(10, "SELECT, DELETE"), Ok(Some(true)));
    assert_eq!(table(20062, "UPDATE"), Ok(Some(true)));
    assert_eq!(table(20062, "UPDATE WITH GRANT OPTION"), Ok(Some(false)));
    assert_eq!(table(20062, "SELECT WITH GRANT OPTION"), Ok(Some(true)));
    assert_eq!(table(20064, "update"), Ok(Some(true)), "a member of analyst");
    assert_eq!(table(20063, "SELECT"), Ok(Some(true)), "PUBLIC");
    assert_eq!(table(20063, "INSERT"), Ok(Some(false)));
    assert_eq!(table(20063, "FLY"), Err("unrecognized privilege type: \"FLY\"".to_owned()));
    assert_eq!(privileges::table(&context, 10, 5, "SELECT"), Ok(None));
    assert_eq!(privileges::table(&context, 20063, 1259, "SELECT"), Ok(Some(true)));
    assert_eq!(privileges::column(&context, 20063, 20001, 3, "SELECT"), Ok(Some(true)));
    assert_eq!(privileges::column(&context, 20063, 20001, 4, "SELECT"), Ok(None), "dropped");
    assert_eq!(privileges::schema(&context, 20063, 20000, "USAGE"), Ok(Some(false)));
    assert_eq!(privileges::schema(&context, 20063, 2200, "USAGE"), Ok(Some(true)));
    assert_eq!(privileges::schema(&context, 20063, 2200, "CREATE"), Ok(Some(false)));
    assert_eq!(privileges::database(&context, 20063, 20060, "CONNECT"), Ok(Some(true)));
    assert_eq!(privileges::database(&context, 20063, 20060, "CREATE"), Ok(Some(false)));
    assert_eq!(privileges::has_role(&context, 20064, 20062, "MEMBER"), Ok(Some(true)));
    assert_eq!(privileges::has_role(&context, 20063, 20062, "USAGE"), Ok(Some(false)));
    assert_eq!(privileges::column_number(&context, 1259, "relname"), Some(2));
}

#[test]
fn functions_and_comments_and_sizes_are_described() {
    let context: Context = rich();
    let overlap = names::to_regproc(&context, "shop.overlap").unwrap();
    assert_eq!(
        functions::function_arguments(&context, overlap).unwrap(),
        "first text, \"limit\" integer DEFAULT 10"
    );
    assert_eq!(
        functions::function_identity_arguments(&context, overlap).unwrap(),
        "first text, \"limit\" integer"
    );
    assert_eq!(functions::function_result(&context, overlap).unwrap(), "TABLE(members bigint)");
    let erase = names::to_regproc(&context, "shop.erase").unwrap();
    assert_eq!(functions::function_result(&context, erase), None);
    assert!(
        functions::function_definition(&context, 870)
            .unwrap()
            .starts_with("CREATE OR REPLACE FUNCTION pg_catalog.lower(text)\n RETURNS text\n")
    );
    assert_eq!(
        comments::object_comment(&context, 20001, "pg_class").as_deref(),
        Some("one row per customer")
    );
    assert_eq!(comments::column_comment(&context, 20001, 2).as_deref(), Some("login address"));
    assert_eq!(comments::object_comment(&context, 870, "pg_proc").as_deref(), Some("lowercase"));
    assert_eq!(
        comments::shared_comment(&context, 20060, "pg_database").as_deref(),
        Some("the brand")
    );
    assert_eq!(sizes::relation_size(&context, 20001), Some(10_000));
    assert_eq!(sizes::relation_size(&context, 20003), Some(0));
    assert_eq!(sizes::relation_size(&context, 5), None);
}

#[test]
fn describing_a_thousand_tables_is_no_trouble() {
    let context = super::fixture::many(1000);
    let begun = std::time::Instant::now();
    let own = context.catalog.relations().filter(|one| !is_feature_schema(one.schema));
    for relation in own {
        assert_eq!(names::table_is_visible(&context, relation.oid), Some(true));
        for constraint in &relation.constraints {
            assert!(definitions::constraint_definition(&context, constraint.oid, true).is_some());
        }
    }
    // Loose, as the build is unoptimized; what costs a scan of all tables each time takes minutes.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
