//! Tests of the store as a whole.

mod crash;
mod files;
mod model;
mod purge;
mod speed;
mod transactions;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringViewArray,
};
use datafusion::arrow::datatypes::{Int32Type, Int64Type, Schema};
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;

use super::{RowAddress, Snapshot, Store, StoreOptions, TemporarySpace, Transaction};
use crate::catalog::PUBLIC_OID;
use crate::definition::{
    Column, Constraint, ConstraintKind, Object, Oid, Relation, RelationKind, RowSecurity,
    Schema as SchemaObject,
};
use crate::error::Result;

/// Rows by their first column.
pub(super) type Rows = BTreeMap<i64, (String, Option<i32>)>;

/// Options without background work and with small files.
pub(super) fn options() -> StoreOptions {
    StoreOptions {
        database: 5,
        segment_bytes: 64 << 10,
        bulk_rows: 1000,
        row_group_rows: 500,
        file_rows: 2000,
        background: false,
        seeds: false,
        ..StoreOptions::default()
    }
}

pub(super) fn open(directory: &Path) -> Arc<Store> {
    Store::open(directory, options()).unwrap()
}

pub(super) fn no_temporary() -> Arc<TemporarySpace> {
    Arc::new(TemporarySpace::new(SchemaObject {
        oid: 99_999,
        name: "pg_temp_1".to_owned(),
        owner: 10,
        comment: None,
        grants: None,
    }))
}

pub(super) fn begin(store: &Arc<Store>) -> Transaction {
    store.begin(no_temporary())
}

pub(super) fn column(number: i16, name: &str, pg_type: PgType) -> Column {
    Column::plain(number, name, pg_type)
}

/// `CREATE TABLE <name> (id bigint PRIMARY KEY, name text, number integer)`, or without the key.
pub(super) fn table(oid: Oid, name: &str, keyed: bool) -> Relation {
    let key = Constraint {
        oid: oid + 1,
        name: format!("{name}_pkey"),
        kind: ConstraintKind::PrimaryKey { columns: vec![1] },
        comment: None,
        of_index: false,
        options: Vec::new(),
        deferrable: None,
        computed: Default::default(),
    };
    Relation {
        oid,
        schema: PUBLIC_OID,
        name: name.to_owned(),
        owner: 10,
        kind: RelationKind::Table,
        columns: vec![
            column(1, "id", PgType::INT8),
            column(2, "name", PgType::TEXT),
            column(3, "number", PgType::INT4),
        ],
        constraints: if keyed { vec![key] } else { Vec::new() },
        indexes: Vec::new(),
        options: Vec::new(),
        comment: None,
        grants: None,
        temporary: false,
        sort_columns: Vec::new(),
        row_security: RowSecurity::default(),
    }
}

/// A batch of the columns of [`table`].
pub(super) fn batch(rows: &[(i64, &str, Option<i32>)]) -> RecordBatch {
    let fields = [
        PgType::INT8.field("id", true),
        PgType::TEXT.field("name", true),
        PgType::INT4.field("number", true),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringViewArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>()),
    ];
    RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), columns).unwrap()
}

/// Commits one change.
pub(super) async fn commit(
    store: &Arc<Store>,
    change: impl FnOnce(&mut Transaction),
) -> Result<Arc<Snapshot>> {
    let mut transaction = begin(store);
    change(&mut transaction);
    Ok(store.commit(transaction).await?.snapshot)
}

/// What a scan gives, batches as they come.
pub(super) async fn scan(
    store: &Arc<Store>,
    snapshot: &Arc<Snapshot>,
    oid: Oid,
    filter: Option<Expr>,
) -> Vec<RecordBatch> {
    let relation = Arc::clone(snapshot.catalog.relation_by_oid(oid).unwrap());
    let context = SessionContext::new();
    store.register(&context.runtime_env()).unwrap();
    let provider = store.table_provider(snapshot, &relation, true);
    let frame = context.read_table(provider).unwrap();
    let frame = match filter {
        Some(filter) => frame.filter(filter).unwrap(),
        None => frame,
    };
    frame.collect().await.unwrap()
}

/// The rows of a relation with their addresses; a repeated first column is a failure.
pub(super) async fn rows_at(
    store: &Arc<Store>,
    snapshot: &Arc<Snapshot>,
    oid: Oid,
) -> BTreeMap<i64, (RowAddress, String, Option<i32>)> {
    let mut found = BTreeMap::new();
    for batch in scan(store, snapshot, oid, None).await {
        let at = |name: &str| batch.column_by_name(name).unwrap();
        let ids = at("id").as_primitive::<Int64Type>().clone();
        let addresses = at("ctid").as_primitive::<Int64Type>();
        let (names, numbers) =
            (at("name").as_string_view(), at("number").as_primitive::<Int32Type>());
        for row in 0..batch.num_rows() {
            let number = numbers.is_valid(row).then(|| numbers.value(row));
            let name = if names.is_null(row) { String::new() } else { names.value(row).to_owned() };
            let value = (RowAddress::from_i64(addresses.value(row)), name, number);
            assert!(found.insert(ids.value(row), value).is_none(), "row {} twice", ids.value(row));
        }
    }
    found
}

pub(super) async fn rows(store: &Arc<Store>, snapshot: &Arc<Snapshot>, oid: Oid) -> Rows {
    let found = rows_at(store, snapshot, oid).await;
    assert_eq!(found.len() as u64, snapshot.row_count(oid));
    found.into_iter().map(|(id, (_, name, number))| (id, (name, number))).collect()
}

/// Makes table `t` (OID 20000) with its key.
pub(super) async fn with_table(directory: &Path) -> Arc<Store> {
    let store = open(directory);
    commit(&store, |transaction| transaction.put(Object::Relation(table(20_000, "t", true))))
        .await
        .unwrap();
    store
}

/// Copies a directory as it is on disk now, as a crash would leave it.
pub(super) fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
