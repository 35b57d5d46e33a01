//! Rules go to SQL and come back.

use std::sync::Arc;

use clientele_catalog::customers::{PROFILES, Touchpoint};
use clientele_catalog::definition::{Column, Relation, RelationKind};
use clientele_catalog::features;
use clientele_udfs::types::PgType;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::builder;
use super::compile;
use super::fields::Fields;
use super::read;
use crate::sql;

fn relation(name: &str, columns: &[(&str, PgType)]) -> Relation {
    let built_in = features::relation(PROFILES).map(|one| one.as_ref().clone());
    let columns = (1..).zip(columns);
    Relation {
        name: name.to_owned(),
        kind: RelationKind::Table,
        columns: columns
            .map(|(number, (name, pg_type))| Column::plain(number, name, *pg_type))
            .collect(),
        ..built_in.unwrap()
    }
}

fn fields() -> Fields {
    let customer = ("customer_id", PgType::INT8);
    let profiles = relation(
        "profiles",
        &[
            customer,
            ("city", PgType::TEXT),
            ("given_name", PgType::TEXT),
            ("birth_date", PgType::DATE),
            ("row_count", PgType::INT8),
            ("last_seen_at", PgType::TIMESTAMPTZ),
        ],
    );
    let orders = relation(
        "orders",
        &[
            customer,
            ("store", PgType::TEXT),
            ("total", PgType::NUMERIC),
            ("paid", PgType::BOOL),
            ("ordered_at", PgType::TIMESTAMPTZ),
        ],
    );
    let orders = Touchpoint {
        relation: Arc::new(orders),
        source: "shop.orders".to_owned(),
        time: Some(5),
        feeds: vec![],
    };
    Fields { profiles: Arc::new(profiles), tables: vec![orders] }
}

fn to_sql(rules: &Value) -> crate::Result<String> {
    Ok(compile::query(&fields(), &builder::read(rules)?)?.to_string())
}

fn to_rules(text: &str) -> crate::Result<Value> {
    Ok(builder::write(&read::group(&fields(), &sql::parse::query(text)?)?))
}

#[track_caller]
fn check(rules: Value, condition: &str) {
    let expected = format!("SELECT customer_id FROM customers.profiles WHERE {condition}");
    assert_eq!(to_sql(&rules).unwrap(), expected);
}

#[test]
fn every_operator() {
    let rule = |operator: &str, value: Value| json!({"field": "city", "operator": operator, "value": value});
    let number = |operator: &str, value: Value| json!({"field": "row_count", "operator": operator, "value": value});
    check(rule("=", json!("O'Brien")), "city = 'O''Brien'");
    check(rule("!=", json!("Lyon")), "city <> 'Lyon'");
    check(number("<", json!(5)), "row_count < 5");
    check(number(">=", json!("-5")), "row_count >= -5");
    check(rule("contains", json!("50%_\\")), r"city LIKE '%50\%\_\\%'");
    check(rule("beginsWith", json!("St")), "city LIKE 'St%'");
    check(rule("doesNotEndWith", json!("burg")), "city NOT LIKE '%burg'");
    check(rule("null", json!(null)), "city IS NULL");
    check(rule("notNull", json!(null)), "city IS NOT NULL");
    check(rule("in", json!(["Lyon", "Nice"])), "city IN ('Lyon', 'Nice')");
    check(rule("notIn", json!("Lyon, Nice")), "city NOT IN ('Lyon', 'Nice')");
    check(number("between", json!([1, "2"])), "row_count BETWEEN 1 AND 2");
    check(number("notBetween", json!([1, 2])), "row_count NOT BETWEEN 1 AND 2");
    check(
        json!({"field": "birth_date", "operator": ">", "value": "2000-01-01"}),
        "birth_date > CAST('2000-01-01' AS DATE)",
    );
    check(
        json!({"field": "city", "operator": "=", "value": "given_name", "valueSource": "field"}),
        "city = given_name",
    );
    check(
        json!({"field": "city", "operator": "contains", "value": "given_name", "valueSource": "field"}),
        "strpos(city, given_name) > 0",
    );
}

#[test]
fn groups() {
    let (a, b) = (
        json!({"field": "city", "operator": "=", "value": "a"}),
        json!({"field": "city", "operator": "=", "value": "b"}),
    );
    check(json!({"combinator": "or", "rules": [a, b]}), "city = 'a' OR city = 'b'");
    check(json!({"combinator": "and", "not": true, "rules": [a]}), "NOT (city = 'a')");
    check(
        json!({"combinator": "and", "rules": [a, {"combinator": "or", "rules": [a, b]}]}),
        "city = 'a' AND (city = 'a' OR city = 'b')",
    );
    check(json!({"rules": [a, "and", b, "or", a]}), "(city = 'a' AND city = 'b') OR city = 'a'");
    check(json!({"combinator": "and", "rules": []}), "true");
}

#[test]
fn quantifiers() {
    let online = json!({"combinator": "and", "rules": [{"field": "store", "operator": "=", "value": "online"}]});
    let rows = "SELECT customer_id FROM shop.orders WHERE customer_id IS NOT NULL";
    let matched = |mode: Value| json!({"field": "shop.orders", "match": mode, "value": online});
    check(
        matched(json!({"mode": "some"})),
        &format!("customer_id IN ({rows} AND (store = 'online'))"),
    );
    check(
        matched(json!({"mode": "none"})),
        &format!("customer_id NOT IN ({rows} AND (store = 'online'))"),
    );
    check(
        matched(json!({"mode": "all"})),
        &format!("customer_id NOT IN ({rows} AND (store = 'online') IS NOT TRUE)"),
    );
    check(
        json!({"field": "shop.orders", "match": {"mode": "atLeast", "threshold": 3}, "within": "90 days"}),
        &format!(
            "customer_id IN ({rows} AND ordered_at >= now() - INTERVAL '90 days' \
             GROUP BY customer_id HAVING count(*) >= 3)"
        ),
    );
    check(
        json!({"field": "shop.orders", "aggregate": {"function": "sum", "field": "total"},
               "operator": ">", "value": 99.5}),
        &format!("customer_id IN ({rows} GROUP BY customer_id HAVING sum(total) > 99.5)"),
    );
    check(
        json!({"field": "shop.orders", "within": "7 days", "sequence": [online, online]}),
        &format!(
            "customer_id IN ({rows} GROUP BY customer_id HAVING \
             funnel(INTERVAL '7 days', ordered_at, (store = 'online'), (store = 'online')) = 2)"
        ),
    );
    check(
        json!({"field": "shop.orders.paid", "operator": "=", "value": true}),
        &format!("customer_id IN ({rows} AND (paid = true))"),
    );
}

#[test]
fn json_logic() {
    let city = json!({"var": "city"});
    check(json!({"==": [city, "Lyon"]}), "city = 'Lyon'");
    check(json!({"!=": [city, null]}), "city IS NOT NULL");
    check(json!({"<": [5, {"var": "row_count"}]}), "row_count > 5");
    check(json!({"<=": [1, {"var": "row_count"}, 9]}), "row_count BETWEEN 1 AND 9");
    check(json!({"in": [city, ["Lyon", "Nice"]]}), "city IN ('Lyon', 'Nice')");
    check(json!({"!": {"in": ["yo", city]}}), "city NOT LIKE '%yo%'");
    check(json!({"startsWith": [city, "L"]}), "city LIKE 'L%'");
    check(
        json!({"and": [{"==": [city, "a"]}, {"or": [{"==": [city, "b"]}, {"==": [city, "c"]}]}]}),
        "city = 'a' AND (city = 'b' OR city = 'c')",
    );
    check(
        json!({"none": [{"var": "shop.orders"}, {">": [{"var": "total"}, 10]}]}),
        "customer_id NOT IN (SELECT customer_id FROM shop.orders \
         WHERE customer_id IS NOT NULL AND (total > 10))",
    );
}

#[test]
fn what_is_wrong_and_where() {
    let one = |rule: Value| json!({"combinator": "and", "rules": [rule]});
    let cases = [
        (json!([]), "an object is expected", "$"),
        (json!({"rules": "x"}), "an array is expected", "$.rules"),
        (json!({"combinator": "xor", "rules": []}), "unknown combinator \"xor\"", "$.combinator"),
        (
            one(json!({"field": "town", "operator": "=", "value": "x"})),
            "unknown field \"town\"",
            "$.rules[0].field",
        ),
        (
            one(json!({"field": "city", "operator": "~", "value": "x"})),
            "unknown operator \"~\"",
            "$.rules[0].operator",
        ),
        (
            one(json!({"field": "row_count", "operator": "=", "value": "1); DROP TABLE x"})),
            "a value of type bigint is expected",
            "$.rules[0].value",
        ),
        (
            one(
                json!({"field": "birth_date", "operator": "in", "value": ["2000-01-01", "2000-02-30"]}),
            ),
            "a value of type date is expected",
            "$.rules[0].value[1]",
        ),
        (
            one(json!({"field": "row_count", "operator": "contains", "value": "1"})),
            "operator \"contains\" does not go with type bigint",
            "$.rules[0].operator",
        ),
        (
            one(json!({"field": "shop.carts", "match": {"mode": "some"}})),
            "there is no table \"shop.carts\" with a column customer_id",
            "$.rules[0].field",
        ),
        (
            one(json!({"field": "shop.orders", "match": {"mode": "some"}, "within": "soon"})),
            "\"soon\" is not an interval",
            "$.rules[0].within",
        ),
        (json!({"between": [1]}), "unknown operation \"between\"", "$"),
    ];
    for (rules, message, place) in cases {
        let error = to_sql(&rules).expect_err(&rules.to_string());
        assert_eq!(error.sqlstate, "22023", "{rules}");
        assert_eq!(error.message, format!("invalid rules: {message}"), "{rules}");
        assert_eq!(error.detail, Some(format!("The place in the JSON is {place}.")), "{rules}");
    }
}

#[test]
fn what_rules_cannot_say() {
    for query in [
        "SELECT o.customer_id FROM shop.orders AS o",
        "SELECT customer_id FROM shop.orders GROUP BY store HAVING sum(total) > 5",
        "SELECT customer_id FROM shop.orders EXCEPT SELECT customer_id FROM customers.profiles",
        "SELECT customer_id FROM customers.profiles WHERE lower(city) = 'x'",
        "SELECT customer_id FROM customers.profiles WHERE city LIKE 'a%b'",
        "SELECT customer_id FROM customers.profiles LIMIT 5",
    ] {
        assert_eq!(to_rules(query).unwrap_err().sqlstate, "0A000", "{query}");
    }
}

/// Rules of all kinds, in the form in which they are written.
fn some_rule(random: &mut StdRng, depth: usize, over_rows: bool) -> Value {
    let pick = random.random_range(0..if over_rows { 6 } else { 10 });
    let text = if over_rows { "store" } else { "city" };
    let number = if over_rows { "total" } else { "row_count" };
    match pick {
        0 if depth > 0 => some_group(random, depth - 1, over_rows),
        0 | 1 => {
            let operators = [
                "=",
                "!=",
                "contains",
                "beginsWith",
                "endsWith",
                "doesNotContain",
                "doesNotBeginWith",
                "doesNotEndWith",
                "<",
                ">=",
            ];
            let values = ["x", "a'b", "%", "50%_\\", "é \"q\""];
            let operator = operators[random.random_range(0..operators.len())];
            json!({"field": text, "operator": operator, "value": values[random.random_range(0..5)]})
        }
        2 => json!({"field": number, "operator": ">", "value": random.random_range(-9..9)}),
        3 => {
            json!({"field": number, "operator": "notBetween", "value": [-1, random.random_range(0..9)]})
        }
        4 => json!({"field": text, "operator": "notIn", "value": ["a", "b c"]}),
        5 => json!({"field": text, "operator": "notNull"}),
        6 => {
            let modes = [
                json!({"mode": "some"}),
                json!({"mode": "none"}),
                json!({"mode": "atLeast", "threshold": 2}),
                json!({"mode": "atMost", "threshold": 2}),
                json!({"mode": "exactly", "threshold": 4}),
                json!({"mode": "all"}),
            ];
            let mode = &modes[random.random_range(0..modes.len())];
            json!({"field": "shop.orders", "operator": "=", "match": mode, "within": "3 days",
                   "value": some_group(random, 1, true)})
        }
        7 => json!({"field": "shop.orders", "aggregate": {"function": "max", "field": "total"},
                    "operator": "between", "value": [1, 2], "where": some_group(random, 1, true)}),
        8 => json!({"field": "shop.orders", "sequence": [some_group(random, 1, true),
                    some_group(random, 0, true)]}),
        _ => json!({"field": "city", "operator": "doesNotBeginWith", "value": "given_name",
                    "valueSource": "field"}),
    }
}

fn some_group(random: &mut StdRng, depth: usize, over_rows: bool) -> Value {
    // A single rule is neither all nor any.
    let count = random.random_range(1..4);
    let rules: Vec<Value> = (0..count).map(|_| some_rule(random, depth, over_rows)).collect();
    let combinator = if count > 1 && random.random_bool(0.5) { "or" } else { "and" };
    match random.random_bool(0.2) {
        true => json!({"combinator": combinator, "not": true, "rules": rules}),
        false => json!({"combinator": combinator, "rules": rules}),
    }
}

#[test]
fn rules_come_back() {
    let mut random = StdRng::seed_from_u64(4);
    for _ in 0..3000 {
        let rules = some_group(&mut random, 3, false);
        let text = to_sql(&rules).unwrap();
        assert_eq!(to_rules(&text).unwrap(), rules, "{text}");
        assert_eq!(to_sql(&to_rules(&text).unwrap()).unwrap(), text);
    }
}
