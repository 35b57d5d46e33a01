//! Files: flush, compaction, bulk inserts, columns that came and went, check, backup.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::prelude::{col, lit};

use super::{batch, begin, column, commit, open, rows, rows_at, scan, with_table};
use crate::definition::{Object, Relation};
use crate::error::Error;
use crate::storage::Store;

pub(super) fn many(range: std::ops::Range<i64>) -> arrow::array::RecordBatch {
    let names: Vec<String> =
        range.clone().map(|id| format!("the name of row number {id}")).collect();
    let rows: Vec<(i64, &str, Option<i32>)> = range
        .zip(&names)
        .map(|(id, name)| (id, name.as_str(), i32::try_from(id % 7).ok()))
        .collect();
    batch(&rows)
}

#[tokio::test]
async fn readers_keep_their_snapshot_and_writers_follow_their_rows() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    for start in [300, 0, 600] {
        commit(&store, |one| one.insert(20_000, many(start..start + 300)).unwrap()).await.unwrap();
        store.flush().await.unwrap();
    }
    let old = store.snapshot();
    assert_eq!(old.table(20_000).files.len(), 3);
    let before = rows_at(&store, &old, 20_000).await;
    // It began before the files are merged, and commits after.
    let mut late = begin(&store);
    late.delete(20_000, &[before[&5].0, before[&650].0]).unwrap();
    let mut conflicting = begin(&store);
    conflicting.delete(20_000, &[before[&10].0]).unwrap();
    commit(&store, |one| assert_eq!(one.delete(20_000, &[before[&10].0]).unwrap(), 1))
        .await
        .unwrap();
    store.compact(None, Arc::default()).await.unwrap();
    assert_eq!(store.snapshot().table(20_000).files.len(), 1);
    store.commit(late).await.unwrap();
    assert!(matches!(store.commit(conflicting).await, Err(Error::Conflict)));
    let now = rows(&store, &store.snapshot(), 20_000).await;
    assert_eq!(now.len(), 897);
    assert!([5, 10, 650].iter().all(|id| !now.contains_key(id)));
    assert_eq!(rows_at(&store, &old, 20_000).await, before);
    let on_disk = || std::fs::read_dir(directory.path().join("files/20000")).unwrap().count();
    assert_eq!(on_disk(), 4);
    drop(old);
    store.compact(Some(20_000), Arc::default()).await.unwrap();
    assert_eq!(on_disk(), 1);
    let found = scan(&store, &store.snapshot(), 20_000, Some(col("id").eq(lit(651_i64)))).await;
    assert_eq!(found.iter().map(|one| one.num_rows()).sum::<usize>(), 1);
}

#[tokio::test]
async fn bulk_rows_go_to_files_or_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let mut transaction = begin(&store);
    let mut writer = transaction.bulk_writer(20_000).unwrap();
    for start in (0..5000).step_by(500) {
        writer.write(many(start..start + 500)).await.unwrap();
    }
    assert_eq!(writer.finish().await.unwrap(), 5000);
    assert!(transaction.insert(20_000, many(4999..5001)).is_err());
    let own = rows_at(&store, transaction.snapshot(), 20_000).await;
    transaction.delete(20_000, &[own[&17].0]).unwrap();
    store.commit(transaction).await.unwrap();
    let log = std::fs::read_dir(directory.path().join("log")).unwrap().count();
    assert_eq!(log, 1);
    let mut dropped = begin(&store);
    let mut writer = dropped.bulk_writer(20_000).unwrap();
    writer.write(many(6000..8000)).await.unwrap();
    writer.finish().await.unwrap();
    drop(dropped);
    let mut refused = begin(&store);
    let mut writer = refused.bulk_writer(20_000).unwrap();
    writer.write(many(9000..10_500)).await.unwrap();
    writer.write(many(4000..4500)).await.unwrap();
    match writer.finish().await {
        Err(Error::UniqueViolation { key, .. }) => assert_eq!(key.as_deref(), Some("(id)=(4000)")),
        other => panic!("{other:?}"),
    }
    drop(refused);
    drop(store);
    let store = open(directory.path());
    let found = rows(&store, &store.snapshot(), 20_000).await;
    assert_eq!(found.len(), 4999);
    assert_eq!(std::fs::read_dir(directory.path().join("files/20000")).unwrap().count(), 3);
}

fn altered(relation: &Relation) -> Relation {
    let mut relation = relation.clone();
    let mut added = column(4, "added", PgType::TEXT);
    added.missing = Some("before".to_owned());
    relation.columns.push(added);
    relation.columns.push(column(5, "waited", PgType::INTERVAL));
    relation.columns[1].name = "title".to_owned();
    relation.columns[2].dropped = true;
    relation
}

#[tokio::test]
async fn columns_come_go_and_change_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    commit(&store, |one| one.insert(20_000, many(0..10)).unwrap()).await.unwrap();
    store.flush().await.unwrap();
    commit(&store, |one| one.insert(20_000, many(10..20)).unwrap()).await.unwrap();
    let relation = Arc::clone(store.snapshot().catalog.relation_by_oid(20_000).unwrap());
    commit(&store, |one| one.put(Object::Relation(altered(&relation)))).await.unwrap();
    let row = {
        use datafusion::arrow::array::types::IntervalMonthDayNano;
        use datafusion::arrow::array::{
            Int64Array, IntervalMonthDayNanoArray, RecordBatch, StringViewArray,
        };
        let relation = Arc::clone(store.snapshot().catalog.relation_by_oid(20_000).unwrap());
        let waited = IntervalMonthDayNano::new(1, 2, 3_000);
        RecordBatch::try_new(
            store.schema(&relation, false),
            vec![
                Arc::new(Int64Array::from(vec![30])),
                Arc::new(StringViewArray::from(vec!["title"])),
                Arc::new(StringViewArray::from(vec!["after"])),
                Arc::new(IntervalMonthDayNanoArray::from(vec![waited])),
            ],
        )
        .unwrap()
    };
    commit(&store, |one| one.insert(20_000, row).unwrap()).await.unwrap();
    let shown = |batches: Vec<arrow::array::RecordBatch>| {
        let text = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
        let lines = text.lines().map(|line| line.split('|').take(5).collect::<Vec<_>>().join("|"));
        let mut lines: Vec<String> = lines.filter(|line| line.contains('|')).collect();
        lines.sort();
        lines.dedup();
        lines
    };
    let in_memory = shown(scan(&store, &store.snapshot(), 20_000, None).await);
    assert_eq!(in_memory.len(), 22, "{in_memory:?}");
    assert_eq!(in_memory.iter().filter(|line| line.contains("before")).count(), 20);
    store.flush().await.unwrap();
    assert_eq!(shown(scan(&store, &store.snapshot(), 20_000, None).await), in_memory);
    store.compact(None, Arc::default()).await.unwrap();
    assert_eq!(shown(scan(&store, &store.snapshot(), 20_000, None).await), in_memory);
    let filter = col("added").eq(lit("after")).and(col("title").eq(lit("title")));
    let found = scan(&store, &store.snapshot(), 20_000, Some(filter)).await;
    assert_eq!(found.iter().map(|one| one.num_rows()).sum::<usize>(), 1);
}

#[tokio::test]
async fn check_and_backup_tell_and_keep_the_truth() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("5");
    let store = with_table(&path).await;
    commit(&store, |one| one.insert(20_000, many(0..100)).unwrap()).await.unwrap();
    store.flush().await.unwrap();
    commit(&store, |one| one.insert(20_000, many(100..150)).unwrap()).await.unwrap();
    let snapshot = store.snapshot();
    let addresses = rows_at(&store, &snapshot, 20_000).await;
    commit(&store, |one| assert_eq!(one.delete(20_000, &[addresses[&7].0]).unwrap(), 1))
        .await
        .unwrap();
    let target = directory.path().join("backup");
    store.backup(&target).await.unwrap();
    assert!(store.backup(&target).await.is_err());
    let expected = rows(&store, &store.snapshot(), 20_000).await;
    drop(snapshot);
    drop(store);
    let report = Store::check(&path).unwrap();
    assert_eq!((report.files, report.rows, report.problems.len()), (1, 149, 0), "{report:?}");
    assert_eq!(report.warnings, Vec::<String>::new());
    let report = Store::check(&target).unwrap();
    assert_eq!((report.rows, report.problems.len()), (149, 0), "{report:?}");
    let restored = open(&target);
    assert_eq!(rows(&restored, &restored.snapshot(), 20_000).await, expected);
    drop(restored);
    let file = std::fs::read_dir(path.join("files/20000")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    std::fs::write(path.join("files/20000/stray.parquet"), "x").unwrap();
    let report = Store::check(&path).unwrap();
    assert_eq!((report.problems.len(), report.warnings.len()), (1, 1), "{report:?}");
}
