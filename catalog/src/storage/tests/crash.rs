//! Crashes: what was committed is there, what was not is not, damage is told.

use super::{batch, commit, copy_directory, open, options, rows, with_table};
use crate::error::Error;
use crate::storage::Store;

fn log_files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(directory.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn a_torn_tail_ends_the_log_and_nothing_behind_it_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    for id in 0..10 {
        commit(&store, |one| one.insert(20_000, batch(&[(id, "row", None)])).unwrap())
            .await
            .unwrap();
    }
    let torn = tempfile::tempdir().unwrap();
    copy_directory(directory.path(), torn.path());
    drop(store);
    let path = log_files(torn.path()).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    // The beginning of the ninth row's record: all records of one row are of one size.
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let starts: Vec<usize> = bytes
        .windows(11)
        .enumerate()
        .filter(|(_, piece)| *piece == b"{\"tables\":[")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(starts.len(), 10);
    assert!(starts[9] < end);
    bytes[starts[8] + 20] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    // The tenth was written when the ninth was durable: it is damaged, not torn.
    let error = Store::open(torn.path(), options()).map(|_| ());
    assert!(matches!(error, Err(Error::Damaged { .. })), "{error:?}");
    // Nor was the ninth ever acknowledged when both were one group: the tenth's length, 21 bytes
    // before its JSON, does not say that it begins one.
    bytes[starts[9] - 18] &= 0x7f;
    std::fs::write(&path, bytes).unwrap();
    let store = open(torn.path());
    assert_eq!(rows(&store, &store.snapshot(), 20_000).await.len(), 8);
    commit(&store, |one| one.insert(20_000, batch(&[(8, "new", None)])).unwrap()).await.unwrap();
    drop(store);
    let store = open(torn.path());
    let found = rows(&store, &store.snapshot(), 20_000).await;
    assert_eq!(found.len(), 9);
    assert_eq!(found[&8].0, "new");
}

#[tokio::test]
async fn damage_in_the_middle_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let long = "x".repeat(10_000);
    for id in 0..20 {
        commit(&store, |one| one.insert(20_000, batch(&[(id, &long, None)])).unwrap())
            .await
            .unwrap();
    }
    drop(store);
    let paths = log_files(directory.path());
    assert!(paths.len() >= 3);
    let store = open(directory.path());
    assert_eq!(rows(&store, &store.snapshot(), 20_000).await.len(), 20);
    drop(store);
    let mut bytes = std::fs::read(&paths[0]).unwrap();
    bytes[30_000] ^= 1;
    std::fs::write(&paths[0], bytes).unwrap();
    let error = Store::open(directory.path(), options()).map(|_| ());
    assert!(matches!(error, Err(Error::Damaged { .. })), "{error:?}");
    let report = Store::check(directory.path()).unwrap();
    assert_eq!(report.problems.len(), 1);
}

#[tokio::test]
async fn object_identifiers_are_never_handed_out_twice() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    let first: Vec<u32> = (0..3).map(|_| store.allocate_oid()).collect();
    assert!(first.windows(2).all(|pair| pair[0] < pair[1]));
    let crashed = tempfile::tempdir().unwrap();
    copy_directory(directory.path(), crashed.path());
    drop(store);
    // After a restart also behind what was put with an OID of its own.
    assert!(open(crashed.path()).allocate_oid() > first[2].max(20_000));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_fails_the_commit_and_leaves_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_table(directory.path()).await;
    commit(&store, |one| one.insert(20_000, batch(&[(1, "a", None)])).unwrap()).await.unwrap();
    // The next segment cannot be made: its place is taken by a directory.
    for number in 2..4 {
        std::fs::create_dir(directory.path().join(format!("log/{number:012}.tmp"))).unwrap();
    }
    let long = "x".repeat(100_000);
    let failed =
        commit(&store, |one| one.insert(20_000, batch(&[(2, &long, None)])).unwrap()).await;
    assert!(matches!(failed, Err(Error::Io { .. })), "{failed:?}");
    assert_eq!(store.snapshot().row_count(20_000), 1);
    commit(&store, |one| one.insert(20_000, batch(&[(3, "c", None)])).unwrap()).await.unwrap();
    let crashed = tempfile::tempdir().unwrap();
    copy_directory(directory.path(), crashed.path());
    drop(store);
    for number in 2..4 {
        std::fs::remove_dir(crashed.path().join(format!("log/{number:012}.tmp"))).unwrap();
    }
    let store = open(crashed.path());
    let found = rows(&store, &store.snapshot(), 20_000).await;
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), vec![1, 3]);
}
