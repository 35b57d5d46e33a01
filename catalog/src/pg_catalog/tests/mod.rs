//! Every relation builds, for an empty database and a full one, and says the truth.

mod describe;
mod fixture;

use std::collections::{HashMap, HashSet};

use clientele_udfs::types::{PgType, TYPES};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::*;
use crate::domains::SEMANTIC_DOMAINS;
use fixture::{empty, rich};

/// Rows of a relation as maps from column to text; NULL is `-`.
fn rows(context: &Context, schema: &str, name: &str) -> Vec<HashMap<String, String>> {
    let batch = relation(schema, name, context).unwrap();
    let options = FormatOptions::new().with_null("-");
    let text = |row: usize| {
        let columns = batch.schema();
        let cell = |(place, field): (usize, &FieldRef)| {
            let formatter = ArrayFormatter::try_new(batch.column(place), &options).unwrap();
            (field.name().clone(), formatter.value(row).to_string())
        };
        columns.fields().iter().enumerate().map(cell).collect()
    };
    (0..batch.num_rows()).map(text).collect()
}

/// Rows of `name` where `column` is `value`, as `columns` joined by `|`.
fn check(name: &str, column: &str, value: &str, columns: &str, expected: &[&str]) {
    let (schema, name) = name.split_once('.').unwrap();
    let mut found: Vec<String> = rows(&rich(), schema, name)
        .iter()
        .filter(|row| row[column] == value)
        .map(|row| columns.split(' ').map(|one| row[one].as_str()).collect::<Vec<_>>().join("|"))
        .collect();
    found.sort();
    assert_eq!(found, expected, "{name} where {column} = {value}");
}

#[test]
fn every_relation_builds_and_nothing_misfits() {
    for context in [empty(), rich()] {
        for relation in relation_names() {
            let rows = relation.collect(&context);
            assert_eq!(rows.misfits(), 0, "{}", relation.name);
            let batch: RecordBatch = relation.rows(&context);
            assert_eq!(batch.schema(), schema_of(relation.schema_name, relation.name).unwrap());
        }
    }
}

#[test]
fn every_source_has_its_relation() {
    for (schema, name, _) in SOURCES.iter().copied().flatten() {
        assert!(system_relation(schema, name).is_some(), "{schema}.{name}");
    }
}

#[test]
fn names_and_oids_are_unique() {
    let names: HashSet<_> = relation_names().map(|one| (one.schema_name, one.name)).collect();
    let oids: HashSet<_> = relation_names().map(|one| one.oid).collect();
    assert_eq!((names.len(), oids.len()), (202, 202));
    let context = rich();
    for relation in relation_names().filter(|one| one.schema().index_of("oid").is_ok()) {
        let rows = rows(&context, relation.schema_name, relation.name);
        let oids: HashSet<_> = rows.iter().map(|row| &row["oid"]).collect();
        assert_eq!(oids.len(), rows.len(), "{}", relation.name);
    }
}

#[test]
fn not_null_columns_hold_no_null() {
    for context in [empty(), rich()] {
        for relation in relation_names() {
            let batch = relation.rows(&context);
            for ((name, _, not_null), column) in relation.columns().zip(batch.columns()) {
                let nulls = if not_null { column.null_count() } else { 0 };
                assert_eq!(nulls, 0, "{}.{name}", relation.name);
            }
        }
    }
}

#[test]
fn types_agree_with_the_one_table_of_types() {
    for facts in TYPES {
        let row = facts::types::find(facts.oid).unwrap();
        assert_eq!((row.name, row.length, row.array), (facts.name, facts.length, facts.array_oid));
        assert_eq!(row.category, facts.category, "{}", facts.name);
    }
    for row in facts::types::all() {
        assert_eq!(PgType::plain(row.oid).name(), row.name);
    }
}

#[test]
fn functions_of_types_exist() {
    let context = rich();
    let functions: HashSet<String> =
        rows(&context, "pg_catalog", "pg_proc").iter().map(|row| row["oid"].clone()).collect();
    for row in rows(&context, "pg_catalog", "pg_type") {
        for column in ["typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout"] {
            let function = &row[column];
            assert!(
                function == "0" || functions.contains(function),
                "{} {column} {function}",
                row["typname"]
            );
        }
    }
}

#[test]
fn pg_class_shows_tables_views_and_indexes() {
    check(
        "pg_catalog.pg_class",
        "relname",
        "customer",
        "oid relkind relnatts relchecks relhasindex reltuples relpages relacl",
        &["20001|r|6|1|true|50.0|2|[admin=arwdDxt/admin, analyst=r*w/admin, =r/admin]"],
    );
    check(
        "pg_catalog.pg_class",
        "relname",
        "customer_pkey",
        "relkind relam relnatts",
        &["i|403|1"],
    );
    check("pg_catalog.pg_class", "relname", "orders_placed", "relkind reltablespace", &["i|0"]);
    check("pg_catalog.pg_class", "relname", "daily", "relkind relispopulated", &["m|false"]);
    check("pg_catalog.pg_class", "oid", "1259", "relname relnamespace relkind", &["pg_class|11|r"]);
}

#[test]
fn pg_attribute_shows_columns() {
    check(
        "pg_catalog.pg_attribute",
        "attrelid",
        "20001",
        "attnum attname atttypid atttypmod attnotnull attidentity attisdropped",
        &[
            "1|id|20|-1|true|a|false",
            "2|email|20050|-1|true||false",
            "3|spend|1700|786438|false||false",
            "4|........pg.dropped.4........|0|-1|false||true",
            "5|tags|1009|-1|false||false",
            "6|born|12023|-1|false||false",
        ],
    );
    check(
        "pg_catalog.pg_attribute",
        "attrelid",
        "2615",
        "attnum attname atttypid attnotnull",
        &["1|oid|26|true", "2|nspname|19|true", "3|nspowner|26|true", "4|nspacl|1034|false"],
    );
}

#[test]
fn pg_constraint_shows_keys_and_checks() {
    check(
        "pg_catalog.pg_constraint",
        "conname",
        "orders_customer_id_fkey",
        "contype conrelid confrelid conkey confkey confdeltype conindid",
        &["f|20002|20001|[2]|[1]|c|20011"],
    );
    check(
        "pg_catalog.pg_constraint",
        "conname",
        "customer_spend_check",
        "contype conkey conbin",
        &["c|[3]|spend >= 0"],
    );
    check(
        "pg_catalog.pg_constraint",
        "conname",
        "email_check",
        "contypid conkey",
        &["12000|-", "20050|-"],
    );
    check(
        "pg_catalog.pg_index",
        "indrelid",
        "20002",
        "indexrelid indisunique indisprimary indkey indclass",
        &["20012|true|true|[1]|[1978]", "20013|false|false|[3, 4]|[3127, 3126]"],
    );
}

#[test]
fn dependencies_lead_from_views_to_tables() {
    check(
        "pg_catalog.pg_depend",
        "refobjid",
        "20001",
        "classid objid refobjsubid deptype",
        &[
            "1259|20005|1|i",
            "2604|1114703875|3|a",
            "2606|20011|1|a",
            "2606|20015|2|a",
            "2606|20016|3|a",
            "2606|20017|1|n",
            "2618|1114707968|0|n",
        ],
    );
    check(
        "information_schema.view_table_usage",
        "view_name",
        "big_spenders",
        "table_schema table_name",
        &["shop|customer"],
    );
}

#[test]
fn progress_shows_every_job_and_the_upkeep() {
    let columns = "datname relid phase bytes_done bytes_total rows_done";
    for command in ["VACUUM", "CREATE INDEX"] {
        let expected = ["acme|20001|x|8192|8193|7"];
        check("clientele.progress", "command", command, columns, &expected);
    }
    let expected = ["acme|-|merging files|1|2|0"];
    check("clientele.progress", "pid", "-", columns, &expected);
    let name = "pg_catalog.pg_stat_progress_create_index";
    check(name, "relid", "20001", "index_relid blocks_total blocks_done", &["20002|2|1"]);
}

#[test]
fn information_schema_describes_columns_and_keys() {
    check(
        "information_schema.columns",
        "table_name",
        "customer",
        "ordinal_position column_name data_type udt_name domain_name numeric_precision is_nullable column_default is_identity",
        &[
            "1|id|bigint|int8|-|64|NO|-|YES",
            "2|email|text|text|email|-|NO|-|NO",
            "3|spend|numeric|numeric|-|12|YES|0|NO",
            "5|tags|ARRAY|_text|-|-|YES|-|NO",
            "6|born|date|date|birth_date|-|YES|-|NO",
        ],
    );
    check(
        "information_schema.key_column_usage",
        "table_name",
        "orders",
        "constraint_name column_name ordinal_position position_in_unique_constraint",
        &["orders_customer_id_fkey|customer_id|1|1", "orders_pkey|id|1|-"],
    );
    check(
        "information_schema.referential_constraints",
        "constraint_name",
        "orders_customer_id_fkey",
        "unique_constraint_name delete_rule",
        &["customer_pkey|CASCADE"],
    );
    check(
        "information_schema.tables",
        "table_schema",
        "shop",
        "table_name table_type",
        &["big_spenders|VIEW", "customer|BASE TABLE", "orders|BASE TABLE"],
    );
    check(
        "information_schema.table_privileges",
        "grantee",
        "analyst",
        "table_name privilege_type is_grantable",
        &["customer|SELECT|YES", "customer|UPDATE|NO"],
    );
}

#[test]
fn a_role_without_rights_sees_nothing_of_a_table() {
    let context = Context { role: 20063, ..rich() };
    let tables = rows(&context, "information_schema", "tables");
    let shop: Vec<_> = tables
        .iter()
        .filter(|row| row["table_schema"] == "shop")
        .map(|row| &row["table_name"])
        .collect();
    assert_eq!(shop, ["customer"], "which PUBLIC may read");
    assert!(rows(&context, "pg_catalog", "pg_authid").iter().all(|row| row["rolpassword"] == "-"));
}

#[test]
fn operators_casts_and_classes_speak_of_types_that_exist() {
    let context = empty();
    for (name, columns) in [
        ("pg_operator", ["oprright", "oprresult"]),
        ("pg_cast", ["castsource", "casttarget"]),
        ("pg_opclass", ["opcintype", "opcintype"]),
    ] {
        let rows = rows(&context, "pg_catalog", name);
        assert!(!rows.is_empty());
        for (row, column) in rows.iter().flat_map(|row| columns.map(|column| (row, column))) {
            assert!(facts::types::find(row[column].parse().unwrap()).is_some(), "{name} {row:?}");
        }
    }
}

#[test]
fn the_semantic_domains_are_types_with_comments() {
    let context = empty();
    let types = rows(&context, "pg_catalog", "pg_type");
    let comments = rows(&context, "pg_catalog", "pg_description");
    for domain in &SEMANTIC_DOMAINS {
        let oid = domain.oid.to_string();
        assert!(types.iter().any(|row| row["oid"] == oid && row["typtype"] == "d"));
        assert!(
            comments.iter().any(|row| row["objoid"] == oid && row["description"] == domain.comment)
        );
    }
}

#[test]
fn a_thousand_tables_are_no_trouble() {
    let context = fixture::many(1000);
    let begun = std::time::Instant::now();
    for name in ["pg_class", "pg_attribute", "pg_type", "pg_constraint", "pg_index"] {
        assert!(relation("pg_catalog", name, &context).unwrap().num_rows() >= 1000);
    }
    // Loose: a test build without optimization on a busy machine. A quadratic loop takes minutes.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
