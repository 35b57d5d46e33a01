//! Transactions: isolation, conflicts, keys, savepoints, temporary relations.

use std::sync::Arc;

use datafusion::common::ScalarValue;

use super::{batch, begin, commit, no_temporary, open, rows, rows_at, table, with_table};
use crate::definition::Object;
use crate::error::Error;
use crate::storage::Lookup;

#[tokio::test]
async fn a_transaction_sees_its_writes_and_others_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let mut writer = begin(&store);
    writer.insert(20_000, batch(&[(1, "a", None), (2, "b", Some(2))])).unwrap();
    let point = writer.savepoint();
    writer.insert(20_000, batch(&[(3, "c", None)])).unwrap();
    assert_eq!(writer.snapshot().row_count(20_000), 3);
    writer.rollback_to(point);
    writer.insert(20_000, batch(&[(3, "again", None)])).unwrap();
    let own = rows_at(&store, writer.snapshot(), 20_000).await;
    assert_eq!(writer.delete(20_000, &[own[&1].0, own[&1].0]).unwrap(), 1);
    assert_eq!(store.snapshot().row_count(20_000), 0);
    let committed = store.commit(writer).await.unwrap();
    let found = rows(&store, &committed.snapshot, 20_000).await;
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), vec![2, 3]);
    assert_eq!(found[&3].0, "again");
}

#[tokio::test]
async fn the_first_committer_wins() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let snapshot =
        commit(&store, |one| one.insert(20_000, batch(&[(1, "a", None)])).unwrap()).await.unwrap();
    let address = rows_at(&store, &snapshot, 20_000).await[&1].0;
    let (mut first, mut second, mut third) = (begin(&store), begin(&store), begin(&store));
    first.delete(20_000, &[address]).unwrap();
    second.delete(20_000, &[address]).unwrap();
    third.insert(20_000, batch(&[(7, "x", None)])).unwrap();
    let mut fourth = begin(&store);
    fourth.insert(20_000, batch(&[(7, "y", None)])).unwrap();
    store.commit(first).await.unwrap();
    assert!(matches!(store.commit(second).await, Err(Error::Conflict)));
    store.commit(third).await.unwrap();
    match store.commit(fourth).await {
        Err(Error::UniqueViolation { schema, table, constraint, key }) => {
            assert_eq!((schema.as_str(), table.as_str()), ("public", "t"));
            assert_eq!((constraint.as_str(), key.as_deref()), ("t_pkey", Some("(id)=(7)")));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn definitions_conflict_like_rows() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let (mut altering, mut writing, mut making, mut other) =
        (begin(&store), begin(&store), begin(&store), begin(&store));
    let mut changed = table(20_000, "t", true);
    changed.columns.remove(2);
    altering.put(Object::Relation(changed));
    writing.insert(20_000, batch(&[(1, "a", None)])).unwrap();
    making.put(Object::Relation(table(20_010, "u", false)));
    other.put(Object::Relation(table(20_020, "u", false)));
    store.commit(altering).await.unwrap();
    assert!(matches!(store.commit(writing).await, Err(Error::Conflict)));
    store.commit(making).await.unwrap();
    let error = store.commit(other).await;
    assert!(matches!(error, Err(Error::Duplicate { kind: "relation", .. })), "{error:?}");
}

#[tokio::test]
async fn keys_are_unique_wherever_their_rows_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let refused = |id: i64| {
        let mut transaction = begin(&store);
        let result = transaction.insert(20_000, batch(&[(id, "x", None)]));
        matches!(result, Err(Error::UniqueViolation { .. }))
    };
    commit(&store, |one| one.insert(20_000, batch(&[(1, "a", None), (2, "b", None)])).unwrap())
        .await
        .unwrap();
    assert!(refused(1));
    store.flush().await.unwrap();
    assert!(refused(2) && !refused(3));
    let mut twice = begin(&store);
    assert!(twice.insert(20_000, batch(&[(5, "a", None), (5, "b", None)])).is_err());
    let relation = Arc::clone(twice.snapshot().catalog.relation_by_oid(20_000).unwrap());
    let found = twice.find_key(&relation, 20_001, &batch(&[(2, "", None), (9, "", None)])).unwrap();
    assert!(found[0].0.is_some() && found[1].0.is_none());
    // An update: the key goes and comes again.
    twice.delete(20_000, &[found[0].0.unwrap()]).unwrap();
    twice.insert(20_000, batch(&[(2, "new", None)])).unwrap();
    store.commit(twice).await.unwrap();
    drop(store);
    let store = open(directory.path());
    let snapshot = store.snapshot();
    let relation = Arc::clone(snapshot.catalog.relation_by_oid(20_000).unwrap());
    for (id, expected) in [(1, Some("a")), (2, Some("new")), (3, None)] {
        let key = [ScalarValue::Int64(Some(id))];
        match store.lookup(&snapshot, &relation, 20_001, &key).await.unwrap() {
            Lookup::Found(row, address) => {
                assert_eq!(row.schema(), store.schema(&relation, false));
                assert_eq!(
                    Some(row.column(1).to_data()),
                    expected.map(|text| batch(&[(0, text, None)]).column(1).to_data())
                );
                assert_eq!(rows_at(&store, &snapshot, 20_000).await[&id].0, address);
            }
            Lookup::Absent => assert_eq!(expected, None),
            Lookup::Unknown => panic!("no index"),
        }
    }
}

#[tokio::test]
async fn temporary_relations_stay_with_their_session() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let mut transaction = store.begin(no_temporary());
    let mut relation = table(20_030, "mine", true);
    relation.temporary = true;
    relation.schema = 99_999;
    transaction.put(Object::Relation(relation));
    transaction.insert(20_030, batch(&[(1, "a", None)])).unwrap();
    assert!(transaction.is_read_only());
    let committed = store.commit(transaction).await.unwrap();
    assert!(committed.snapshot.catalog.relation_by_oid(20_030).is_none());
    let mut transaction = store.begin(committed.temporary);
    assert!(transaction.snapshot().catalog.schema("pg_temp_1").is_some());
    assert!(transaction.insert(20_030, batch(&[(1, "b", None)])).is_err());
    let found = rows_at(&store, transaction.snapshot(), 20_030).await;
    assert_eq!(transaction.delete(20_030, &[found[&1].0]).unwrap(), 1);
    transaction.insert(20_030, batch(&[(1, "b", None)])).unwrap();
    assert_eq!(rows(&store, transaction.snapshot(), 20_030).await[&1].0, "b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_committers_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let tasks = (0..8_i64).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for row in 0..40_i64 {
                let rows = batch(&[(task * 1000 + row, "x", None)]);
                commit(&store, |one| one.insert(20_000, rows).unwrap()).await.unwrap();
                if row == 20 && task == 0 {
                    store.flush().await.unwrap();
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(rows(&store, &store.snapshot(), 20_000).await.len(), 320);
    drop(store);
    let store = open(directory.path());
    assert_eq!(rows(&store, &store.snapshot(), 20_000).await.len(), 320);
}
