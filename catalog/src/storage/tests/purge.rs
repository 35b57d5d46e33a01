//! Purge: files without their deleted rows.

use std::sync::Arc;
use std::time::Duration;

use datafusion::prelude::{col, lit};

use super::files::many;
use super::{begin, commit, open, rows, rows_at, scan, with_table};
use crate::error::Error;

#[tokio::test]
async fn row_groups_without_deleted_rows_are_copied() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    // Four row groups.
    commit(&store, |one| one.insert(20_000, many(0..2000)).unwrap()).await.unwrap();
    store.flush().await.unwrap();
    let before = rows_at(&store, &store.snapshot(), 20_000).await;
    // One group loses some rows, another all of them.
    let gone: Vec<_> = [3, 4, 499].into_iter().chain(1500..2000).map(|id| before[&id].0).collect();
    commit(&store, |one| assert_eq!(one.delete(20_000, &gone).unwrap(), 503)).await.unwrap();
    // Who writes meanwhile follows the rows to where they are then.
    let mut late = begin(&store);
    late.delete(20_000, &[before[&700].0]).unwrap();
    store.purge(Duration::ZERO, Arc::default()).await.unwrap();
    store.commit(late).await.unwrap();
    let expected = |id: &i64| ![3, 4, 499, 700].contains(id) && *id < 1500;
    let now = rows(&store, &store.snapshot(), 20_000).await;
    assert_eq!(now.len(), 1496);
    let kept = before.iter().filter(|(id, _)| expected(id));
    assert!(kept.into_iter().all(|(id, row)| now[id] == (row.1.clone(), row.2)));
    for (id, count) in [(3, 0), (5, 1), (700, 0), (1499, 1), (1600, 0)] {
        let found = scan(&store, &store.snapshot(), 20_000, Some(col("id").eq(lit(id)))).await;
        assert_eq!(found.iter().map(|one| one.num_rows()).sum::<usize>(), count, "{id}");
    }
    // Keys of rows that are gone are free, those of others are taken.
    commit(&store, |one| one.insert(20_000, many(1600..1601)).unwrap()).await.unwrap();
    let mut taken = begin(&store);
    assert!(matches!(taken.insert(20_000, many(5..6)), Err(Error::UniqueViolation { .. })));
    drop(taken);
    let facts = {
        let table = store.snapshot().table(20_000);
        let facts = &table.files[0].entry.facts;
        assert_eq!(
            facts.ranges.iter().map(|one| (one.minimum, one.maximum)).next(),
            Some((0, 1499))
        );
        directory.path().join(facts.path())
    };
    let bytes = std::fs::read(facts).unwrap();
    let gone = b"the name of row number 1600";
    assert!(!bytes.windows(gone.len()).any(|part| part == gone));
    drop(store);
    let store = open(directory.path());
    assert_eq!(rows(&store, &store.snapshot(), 20_000).await.len(), 1497);
}
