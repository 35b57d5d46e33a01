//! Shared parts give what parts computed twice give; what must not be shared is not.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::SharingPlanner;

/// Queries, and how many of their operators read a shared part; one that does so alone is among them.
const QUERIES: &[(&str, usize)] = &[
    ("WITH s AS (SELECT who, sum(n) AS n FROM t GROUP BY who) SELECT a.who, b.n FROM s a JOIN s b ON a.n = b.n", 2),
    ("WITH s AS (SELECT who, sum(n) AS n FROM t GROUP BY who) SELECT who FROM s WHERE n > (SELECT avg(n) FROM s)", 0),
    ("WITH s AS (SELECT DISTINCT who FROM t) SELECT who FROM s UNION ALL SELECT who FROM s UNION ALL SELECT who FROM s", 4),
    ("SELECT a.who FROM (SELECT who, count(*) AS c FROM t GROUP BY 1) a, (SELECT who, count(*) AS c FROM t GROUP BY 1) b WHERE a.c < b.c", 2),
    // A part within a part is computed once, too.
    ("WITH s AS (SELECT who, sum(n) AS n FROM t GROUP BY who), u AS (SELECT n, count(*) AS c FROM s GROUP BY n)
      SELECT count(*) FROM u a JOIN u b ON a.n = b.n JOIN s ON s.n = a.c", 5),
    // Different rows or different every time.
    ("SELECT a.who FROM (SELECT who, count(*) AS c FROM t GROUP BY 1) a JOIN (SELECT who, count(*) AS c FROM t WHERE n > 3 GROUP BY 1) b ON a.c = b.c", 0),
    ("SELECT count(*) FROM (SELECT who, max(random()) AS c FROM t GROUP BY 1) a JOIN (SELECT who, max(random()) AS c FROM t GROUP BY 1) b ON a.who = b.who WHERE a.c <= 1 + b.c", 0),
    ("SELECT a.n FROM t a JOIN t b ON a.n = b.n WHERE a.who = 'person 1, whose name is long'", 0),
];

fn context(sharing: bool, memory_bytes: usize) -> SessionContext {
    let builder = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(2))
        .with_default_features()
        .with_runtime_env(
            RuntimeEnvBuilder::new()
                .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
                .build_arc()
                .unwrap(),
        );
    let builder = match sharing {
        true => builder.with_query_planner(Arc::new(SharingPlanner::default())),
        false => builder,
    };
    let context = SessionContext::new_with_state(builder.build());
    let numbers: Vec<i64> = (0..20_000).collect();
    let who = numbers.iter().map(|n| format!("person {}, whose name is long", n % 777));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("who", Arc::new(StringViewArray::from_iter_values(who))),
        ("n", Arc::new(Int64Array::from_iter_values(numbers.iter().map(|n| n % 13)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let parts = (0..4).map(|part| vec![batch.slice(part * 5000, 5000)]).collect();
    let table = MemTable::try_new(batch.schema(), parts).unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
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
    let (sharing, other) = (context(true, 1 << 30), context(false, 1 << 30));
    for (sql, readers) in QUERIES {
        let plan = answer(&sharing, &format!("EXPLAIN {sql}")).await;
        let found = plan.iter().map(|line| line.matches("SharedExec:").count()).sum::<usize>();
        assert_eq!(found, *readers, "{sql}\n{}", plan.join("\n"));
        assert_eq!(answer(&sharing, sql).await, answer(&other, sql).await, "{sql}");
    }
}

#[tokio::test]
async fn spills() {
    let sql = "WITH s AS (SELECT who, n, count(*) AS c FROM t GROUP BY who, n)
        SELECT count(*), sum(a.c + b.c) FROM s a JOIN s b ON a.who = b.who";
    let other = answer(&context(false, 1 << 30), sql).await;
    assert_eq!(answer(&context(true, 6 << 20), sql).await, other);
}
