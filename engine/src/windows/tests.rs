//! The operator gives what DataFusion's own window operators give, row for row.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::GroupedWindows;

const FUNCTIONS: &[&str] = &[
    "row_number() OVER (PARTITION BY who ORDER BY at, id)",
    "rank() OVER (PARTITION BY who ORDER BY at)",
    "dense_rank() OVER (PARTITION BY who ORDER BY at DESC)",
    "lag(amount) OVER (PARTITION BY who ORDER BY at, id)",
    "lead(who, 2) OVER (PARTITION BY who ORDER BY id DESC)",
    "first_value(id) OVER (PARTITION BY who ORDER BY at, id)",
    "last_value(amount) OVER (PARTITION BY who ORDER BY maybe NULLS FIRST, id)",
    "count(*) OVER (PARTITION BY who)",
    "count(maybe) OVER (PARTITION BY who ORDER BY at)",
    "count(*) OVER (PARTITION BY who ORDER BY at RANGE BETWEEN INTERVAL '7 seconds' PRECEDING AND CURRENT ROW)",
    "count(maybe) OVER (PARTITION BY who ORDER BY at DESC RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW)",
    "sum(id) OVER (PARTITION BY who ORDER BY at, id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
    "sum(price) OVER (PARTITION BY who, amount ORDER BY at)",
    "sum(maybe) OVER (PARTITION BY who ORDER BY at)",
    "min(maybe) OVER (PARTITION BY who ORDER BY at, id ROWS UNBOUNDED PRECEDING)",
    "max(at) OVER (PARTITION BY who)",
    "max(maybe) OVER (PARTITION BY amount ORDER BY at DESC)",
    "count(*) OVER (PARTITION BY who ORDER BY CASE WHEN maybe > 9 THEN at END RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW)",
    "sessionize(at, INTERVAL '5 seconds') OVER (PARTITION BY who ORDER BY at, id)",
    "sessionize(CASE WHEN maybe > 9 THEN at END, INTERVAL '3 seconds') OVER (PARTITION BY who ORDER BY at DESC, id)",
    // Not recognised: they go DataFusion's way.
    "count(*) OVER (PARTITION BY who ORDER BY CAST(at AS date) RANGE BETWEEN INTERVAL '5 days' PRECEDING AND CURRENT ROW)",
    "count(*) FILTER (WHERE id > 3) OVER (PARTITION BY who ORDER BY at)",
    "avg(id) OVER (PARTITION BY who ORDER BY at, id)",
    "count(*) OVER (PARTITION BY who ORDER BY at, id ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)",
];

fn batches(random: &mut StdRng, rows: usize) -> Vec<RecordBatch> {
    let mut id = 0_i64;
    let mut batches = Vec::new();
    while (id as usize) < rows {
        let count = random.random_range(1..200.min(rows + 1));
        let ids: Vec<i64> = (id..).take(count).collect();
        id += count as i64;
        let people = random.random_range(1..40);
        let mut some = |odds: f64, top: i64| {
            let values =
                ids.iter().map(|_| random.random_bool(odds).then(|| random.random_range(0..top)));
            values.collect::<Vec<Option<i64>>>()
        };
        let who = some(0.95, people);
        let who = who.iter().map(|one| one.map(|one| format!("person number {one} of all")));
        let at = some(1.0, 60).into_iter().map(|at| at.map(|at| at * 1_000_000));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("who", Arc::new(who.collect::<StringViewArray>())),
            ("at", Arc::new(at.collect::<TimestampMicrosecondArray>())),
            (
                "amount",
                Arc::new(some(1.0, 5).iter().map(|v| v.map(|v| v as i32)).collect::<Int32Array>()),
            ),
            ("maybe", Arc::new(Int64Array::from(some(0.6, 50)))),
            (
                "price",
                Arc::new(
                    some(0.9, 5000)
                        .iter()
                        .map(|v| v.map(i128::from))
                        .collect::<Decimal128Array>()
                        .with_precision_and_scale(12, 2)
                        .unwrap(),
                ),
            ),
            ("id", Arc::new(Int64Array::from(ids.clone()))),
        ];
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        batches.push(RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    }
    batches
}

fn context(own: bool, memory_bytes: usize, batches: &[RecordBatch]) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    if own {
        rules.insert(0, Arc::new(GroupedWindows));
    }
    let pool = Arc::new(FairSpillPool::new(memory_bytes));
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(2))
        .with_default_features()
        .with_runtime_env(RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap())
        .with_physical_optimizer_rules(rules)
        .build();
    let context = SessionContext::new_with_state(state);
    for function in clientele_udfs::functions::behaviour::windows() {
        context.register_udwf(function.as_ref().clone());
    }
    let half = batches.len() / 2;
    let parts = vec![batches[..half].to_vec(), batches[half..].to_vec()];
    let table = MemTable::try_new(batches[0].schema(), parts).unwrap();
    context.register_table("steps", Arc::new(table)).unwrap();
    context
}

#[expect(clippy::disallowed_methods, reason = "DataFusion alone is the judge here")]
async fn answer(context: &SessionContext, sql: &str) -> Vec<String> {
    let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
    let text = pretty_format_batches(&rows).unwrap().to_string();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn same_answers() {
    for seed in 0..6 {
        let mut random = StdRng::seed_from_u64(seed);
        let batches = batches(&mut random, 50 << seed);
        let (own, other) = (context(true, 1 << 30, &batches), context(false, 1 << 30, &batches));
        for function in FUNCTIONS {
            let sql = format!("SELECT id, {function} AS answer FROM steps");
            assert_eq!(answer(&own, &sql).await, answer(&other, &sql).await, "{function}");
        }
    }
}

#[tokio::test]
async fn recognised() {
    let batches = batches(&mut StdRng::seed_from_u64(1), 100);
    let own = context(true, 1 << 30, &batches);
    for (at, function) in FUNCTIONS.iter().enumerate() {
        let plan = answer(&own, &format!("EXPLAIN SELECT id, {function} AS a FROM steps")).await;
        let grouped = plan.iter().any(|line| line.contains("GroupedWindowExec"));
        assert_eq!(grouped, at < FUNCTIONS.len() - 4, "{function}");
    }
}

#[tokio::test]
async fn spills() {
    let batches = batches(&mut StdRng::seed_from_u64(2), 60_000);
    let (own, other) = (context(true, 6 << 20, &batches), context(false, 1 << 30, &batches));
    let sql = "SELECT sum(answer), count(*) FROM (SELECT id, count(*) OVER (PARTITION BY who ORDER BY id) AS answer FROM steps) AS s";
    assert_eq!(answer(&own, sql).await, answer(&other, sql).await);
}
