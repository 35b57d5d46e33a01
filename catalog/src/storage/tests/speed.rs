//! Figures, not assertions:
//! `cargo test --release -p clientele-catalog speed -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringViewArray};
use datafusion::common::ScalarValue;

use super::{batch, begin, commit, scan, table};
use crate::definition::Object;
use crate::storage::{Lookup, Store, StoreOptions};

fn told(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    eprintln!("{what}: p50 {:?}, p90 {:?}, p99 {:?}", at(50), at(90), at(99));
}

async fn store(directory: &std::path::Path) -> Arc<Store> {
    let options = StoreOptions { database: 5, ..StoreOptions::default() };
    let store = Store::open(directory, options).unwrap();
    commit(&store, |one| one.put(Object::Relation(table(20_000, "t", true)))).await.unwrap();
    store
}

fn many(range: std::ops::Range<i64>) -> RecordBatch {
    let schema = batch(&[]).schema();
    let names = range.clone().map(|id| Some(format!("the name of customer {id}")));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(range.clone().collect::<Int64Array>()),
        Arc::new(names.collect::<StringViewArray>()),
        Arc::new(range.map(|id| i32::try_from(id % 1000).ok()).collect::<Int32Array>()),
    ];
    RecordBatch::try_new(schema, columns).unwrap()
}

#[ignore = "prints figures"]
#[tokio::test(flavor = "multi_thread")]
async fn speed_of_small_commits() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let mut times = Vec::new();
    for id in 0..2000 {
        let begun = Instant::now();
        commit(&store, |one| one.insert(20_000, batch(&[(id, "one row", None)])).unwrap())
            .await
            .unwrap();
        times.push(begun.elapsed());
    }
    told("1 client, 1 row", &mut times);
    let begun = Instant::now();
    let tasks = (1..33_i64).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for row in 0..1000 {
                let rows = batch(&[(task * 1_000_000 + row, "one row", None)]);
                commit(&store, |one| one.insert(20_000, rows).unwrap()).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    eprintln!("32 clients: {:.0} commits/s", 32_000.0 / begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    store.flush().await.unwrap();
    eprintln!("flush of 34 000 rows: {:?}", begun.elapsed());
}

#[ignore = "prints figures"]
#[tokio::test(flavor = "multi_thread")]
async fn speed_of_bulk_and_lookups() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let begun = Instant::now();
    let mut transaction = begin(&store);
    let mut writer = transaction.bulk_writer(20_000).unwrap();
    for start in (0..3_000_000).step_by(100_000) {
        writer.write(many(start..start + 100_000)).await.unwrap();
    }
    writer.finish().await.unwrap();
    store.commit(transaction).await.unwrap();
    eprintln!("bulk: {:.0} rows/s", 3e6 / begun.elapsed().as_secs_f64());
    let snapshot = store.snapshot();
    let begun = Instant::now();
    let rows: usize =
        scan(&store, &snapshot, 20_000, None).await.iter().map(|one| one.num_rows()).sum();
    eprintln!("scan with row addresses: {rows} rows in {:?}", begun.elapsed());
    let relation = Arc::clone(snapshot.catalog.relation_by_oid(20_000).unwrap());
    let begun = Instant::now();
    let mut answered = false;
    while !answered {
        let key = [ScalarValue::Int64(Some(77))];
        answered = !matches!(
            store.lookup(&snapshot, &relation, 20_001, &key).await.unwrap(),
            Lookup::Unknown
        );
    }
    eprintln!("key index of 3 000 000 rows: {:?}", begun.elapsed());
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for id in (0..3_000_000_i64).step_by(15_013) {
        let key = [ScalarValue::Int64(Some(id))];
        for times in [&mut cold, &mut warm] {
            let begun = Instant::now();
            let found = store.lookup(&snapshot, &relation, 20_001, &key).await.unwrap();
            times.push(begun.elapsed());
            assert!(matches!(found, Lookup::Found(..)));
        }
    }
    told("lookup, block not decoded", &mut cold);
    told("lookup, block decoded", &mut warm);
}
