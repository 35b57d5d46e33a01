//! Random transactions against a model that is two maps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Rows, batch, begin, copy_directory, open, rows, rows_at, table};
use crate::definition::{Index, Object, Oid};
use crate::error::Error;
use crate::storage::{
    Answer, Condition, IndexOrder, Question, Snapshot, Store, Test, Transaction, provider_schema,
};

const TABLES: [Oid; 2] = [20_000, 20_010];

type Model = BTreeMap<Oid, Rows>;

struct World {
    directory: tempfile::TempDir,
    generation: u32,
    store: Arc<Store>,
    model: Model,
    random: StdRng,
}

impl World {
    fn path(&self) -> PathBuf {
        self.directory.path().join(self.generation.to_string())
    }

    async fn compare(&self) {
        let snapshot = self.store.snapshot();
        for oid in TABLES {
            match self.model.get(&oid) {
                None => assert!(snapshot.catalog.relation_by_oid(oid).is_none()),
                Some(expected) => {
                    let found = rows(&self.store, &snapshot, oid).await;
                    let (count, wanted) = (found.len(), expected.len());
                    assert!(&found == expected, "relation {oid}: {count} rows, {wanted} expected");
                    self.compare_index(&snapshot, oid, expected).await;
                }
            }
        }
    }

    /// The index over number and id has the rows of the model, and in their order.
    async fn compare_index(&self, snapshot: &Arc<Snapshot>, oid: Oid, expected: &Rows) {
        let relation = Arc::clone(snapshot.catalog.relation_by_oid(oid).unwrap());
        let from = i64::try_from(expected.len() * 37 % 5000).unwrap();
        let schema = provider_schema(&relation, false);
        let condition = |column, test| Condition { column, test };
        let mut question = Question {
            conditions: vec![
                condition(3, Test::OneOf(vec![ScalarValue::Int32(Some(1))])),
                condition(1, Test::From(ScalarValue::Int64(Some(from)))),
            ],
            order: None,
            columns: (0..schema.fields().len()).collect(),
            schema,
        };
        let wanted = expected.range(from..).filter(|(_, row)| row.1 == Some(1));
        let wanted: Vec<i64> = wanted.map(|(id, _)| *id).collect();
        let ids = |rows: &RecordBatch| rows.column(0).as_primitive::<Int64Type>().values().to_vec();
        let asked = Arc::new(question.clone());
        match self.store.index_rows(snapshot, &relation, &asked, 1).await.unwrap() {
            Answer::All(rows) => {
                let mut found = ids(&rows);
                found.sort_unstable();
                assert_eq!(found, wanted);
            }
            // Dead rows count: so many that a scan is as good.
            Answer::Declined => assert!(snapshot.table(oid).dead_rows() > 2000),
            other => panic!("{other:?}"),
        }
        question.order = Some(IndexOrder { columns: vec![1], descending: true, further: false });
        match self.store.index_rows(snapshot, &relation, &Arc::new(question), 7).await.unwrap() {
            Answer::First(rows) => {
                let last: Vec<i64> = wanted.iter().rev().take(7).copied().collect();
                assert_eq!(ids(&rows), last);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Takes the directory as it is on disk, and goes on from there.
    fn crash(&mut self) {
        let from = self.path();
        self.generation += 1;
        copy_directory(&from, &self.path());
        self.store = open(&self.path());
    }

    async fn upkeep(&mut self) {
        match self.random.random_range(0..12) {
            0 | 1 => self.store.flush().await.unwrap(),
            2 => self.store.compact(None, Arc::default()).await.unwrap(),
            3 => self.crash(),
            _ => {}
        }
    }

    async fn transaction(&mut self) {
        let mut transaction = begin(&self.store);
        let mut model = self.model.clone();
        let mut points = Vec::new();
        for _ in 0..self.random.random_range(1..6) {
            match self.random.random_range(0..20) {
                0 => points.push((transaction.savepoint(), model.clone())),
                1 if !points.is_empty() => {
                    let at = self.random.random_range(0..points.len());
                    points.truncate(at + 1);
                    if let Some((point, state)) = points.pop() {
                        transaction.rollback_to(point);
                        model = state;
                    }
                }
                _ => self.change(&mut transaction, &mut model).await,
            }
        }
        // Upkeep between the base and the commit: addresses have to be followed.
        if self.random.random_range(0..4) == 0 {
            self.store.flush().await.unwrap();
            self.store.compact(None, Arc::default()).await.unwrap();
        }
        if self.random.random_range(0..5) > 0 {
            self.store.commit(transaction).await.unwrap();
            self.model = model;
        }
    }

    async fn change(&mut self, transaction: &mut Transaction, model: &mut Model) {
        let oid = TABLES[self.random.random_range(0..TABLES.len())];
        let Some(known) = model.get_mut(&oid) else {
            let mut relation = table(oid, &format!("t{oid}"), oid == TABLES[0]);
            relation.indexes.push(Index {
                oid: oid + 2,
                name: format!("t{oid}_number"),
                method: None,
                columns: vec![3, 1],
                options: Vec::new(),
                expressions: Vec::new(),
                predicate: None,
                comment: None,
            });
            transaction.put(Object::Relation(relation));
            model.insert(oid, Rows::new());
            return;
        };
        match self.random.random_range(0..24) {
            0 => {
                transaction.truncate(oid);
                known.clear();
            }
            1 => {
                transaction.drop_object(oid);
                model.remove(&oid);
            }
            2..=8 => {
                let found = rows_at(&self.store, transaction.snapshot(), oid).await;
                assert_eq!(found.len(), known.len());
                let share = self.random.random_range(1..10);
                let chosen: Vec<_> =
                    found.into_iter().filter(|_| self.random.random_range(0..share) == 0).collect();
                let addresses: Vec<_> = chosen.iter().map(|(_, row)| row.0).collect();
                assert_eq!(transaction.delete(oid, &addresses).unwrap(), addresses.len() as u64);
                chosen.iter().for_each(|(id, _)| drop(known.remove(id)));
            }
            _ => self.insert(transaction, known, oid).await,
        }
    }

    async fn insert(&mut self, transaction: &mut Transaction, known: &mut Rows, oid: Oid) {
        let count = [1, 1, 2, 30, 1200][self.random.random_range(0..5)];
        let first = self.random.random_range(0..5000_i64);
        let name = format!("{first} and some more text than fits a view");
        let new: Vec<(i64, &str, Option<i32>)> = (first..first + count)
            .map(|id| (id, name.as_str(), i32::try_from(id % 3).ok().filter(|one| *one > 0)))
            .collect();
        let clash = new.iter().any(|row| known.contains_key(&row.0));
        if clash && oid != TABLES[0] {
            return;
        }
        let result = if count > 1000 && !clash {
            let mut writer = transaction.bulk_writer(oid).unwrap();
            writer.write(batch(&new)).await.unwrap();
            writer.finish().await.map(|_| ())
        } else {
            transaction.insert(oid, batch(&new))
        };
        match result {
            Ok(()) => {
                assert!(!clash);
                known.extend(new.iter().map(|row| (row.0, (row.1.to_owned(), row.2))));
            }
            Err(Error::UniqueViolation { .. }) => assert!(clash),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn run(seed: u64, steps: usize) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("0"));
    let random = StdRng::seed_from_u64(seed);
    let mut world = World { directory, generation: 0, store, model: Model::new(), random };
    for _ in 0..steps {
        world.transaction().await;
        world.upkeep().await;
        world.compare().await;
    }
    let path = world.path();
    drop(world.store);
    let report = Store::check(&path).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}

#[tokio::test]
async fn random_transactions_do_what_two_maps_do() {
    let seeds =
        std::env::var("CLIENTELE_TEST_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    for seed in 0..seeds {
        eprintln!("seed {seed}");
        run(seed, 25).await;
    }
}
