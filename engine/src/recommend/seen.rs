//! What a model was made of, and what is known of a customer since.
//!
//! Where the rows of a table are purchases as they are, new ones are added to what the model knows.
//! Otherwise the query is read anew for those of whom the table that says whose the rows are has new
//! rows ([`News`]), and for all once other rows were changed or deleted.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::storage::{
    Customers, MemoryPart, PartId, SeenFiles, Snapshot, TableData, Tally, foreign_relation,
    stored_relation,
};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use roaring::RoaringBitmap;

use super::news::{Keys, News, Since};
use crate::error::Result;
use crate::planning::context::QueryContext;

/// What a model was made of. It must not keep files that others have replaced.
pub(super) struct Seen {
    /// `None`: rows came from elsewhere and may be others at any time.
    pub(super) tables: Option<Vec<Table>>,
    /// The files of foreign tables.
    pub(super) files: Vec<(Arc<Relation>, SeenFiles)>,
    pub(super) customers: Arc<Customers>,
    origin: Option<Origin>,
    /// Of whom rows have come since; nobody has asked yet if it is not there.
    news: tokio::sync::Mutex<Option<News>>,
}

/// Where it stands whose a row is, where the query takes that unchanged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) table: Oid,
    /// Number of the column.
    pub(super) customer: i16,
    /// The other columns, where the rows of the table are purchases as they are.
    pub(super) bought: Option<Bought>,
}

/// Numbers of the columns that say what was bought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bought {
    pub(super) item: i16,
    pub(super) quantity: Option<i16>,
    pub(super) time: Option<i16>,
}

/// A table as it was.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) oid: Oid,
    data: Weak<TableData>,
    /// Version in which its rows last changed.
    written_in: u64,
    live_rows: u64,
    written: Tally,
    pub(super) parts: HashMap<PartId, SeenPart>,
}

/// A part as it was.
#[derive(Clone)]
pub(super) struct SeenPart {
    pub(super) deleted: Option<Arc<RoaringBitmap>>,
    /// The rows themselves, where they were in memory: when they go to files, they go among others.
    pub(super) memory: Option<Arc<MemoryPart>>,
}

impl Table {
    /// As a statement sees it.
    pub(super) fn of(context: &QueryContext, oid: Oid) -> Self {
        let data = context.snapshot.table(oid);
        let memory = data.memory.iter().map(|part| {
            let deleted = part.deleted.clone();
            (part.id, SeenPart { deleted, memory: Some(Arc::clone(part)) })
        });
        let files = data.files.iter().map(|part| {
            let deleted = part.deleted.clone();
            (part.entry.facts.part, SeenPart { deleted, memory: None })
        });
        Self {
            oid,
            written_in: data.written_in,
            live_rows: data.live_rows(),
            written: context.store.tally(oid),
            parts: memory.chain(files).collect(),
            data: Arc::downgrade(&data),
        }
    }

    /// Whether it has the same rows, wherever they lie.
    pub(super) fn is_still(&self, snapshot: &Snapshot) -> bool {
        let now = snapshot.table(self.oid);
        self.lies_in(&now) || snapshot.is_committed() && self.written_in == now.written_in
    }

    fn lies_in(&self, now: &Arc<TableData>) -> bool {
        self.data.as_ptr() == Arc::as_ptr(now)
    }

    /// The same rows where they lie now, if they are still the same.
    pub(super) fn follow(&mut self, context: &QueryContext) {
        let now = context.snapshot.table(self.oid);
        if !self.lies_in(&now) && self.is_still(&context.snapshot) {
            *self = Self { written: self.written, ..Self::of(context, self.oid) };
        }
    }

    /// Whether every row is where it was.
    pub(super) fn is_within(&self, now: &TableData) -> bool {
        self.parts.iter().all(|(id, part)| match &part.memory {
            Some(was) => now.memory_part(*id).is_some_and(|one| one.rows >= was.rows),
            None => now.file_part(*id).is_some(),
        })
    }

    /// Whether rows that were there are others now, or gone.
    fn has_changed(&self, context: &QueryContext, is_origin: bool) -> bool {
        let now = context.store.tally(self.oid);
        let fewer = context.snapshot.row_count(self.oid) < self.live_rows;
        // A changed row is a new one where it says whose it is.
        fewer
            || now.deleted != self.written.deleted
            || !is_origin && now.updated != self.written.updated
    }
}

impl Seen {
    /// What a plan reads in the snapshot of a statement.
    pub(super) fn of(context: &QueryContext, plan: &LogicalPlan, origin: Option<Origin>) -> Self {
        let (mut tables, mut files) = (Some(Vec::new()), Vec::new());
        let _ = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let provider = source_as_provider(&scan.source)?;
                let foreign = foreign_relation(provider.as_ref());
                if let Some(relation) = foreign
                    && let Some(seen) = context.listings.seen(relation.oid)
                {
                    files.push((Arc::clone(relation), seen));
                    return Ok(TreeNodeRecursion::Continue);
                }
                match (stored_relation(provider.as_ref()), &mut tables) {
                    (Some((relation, _)), Some(tables)) => {
                        tables.push(Table::of(context, relation.oid));
                    }
                    (None, _) => tables = None,
                    (_, None) => {}
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
        let customers = Arc::clone(&context.snapshot.customers);
        Self { tables, files, customers, origin, news: tokio::sync::Mutex::default() }
    }

    /// What is known of some customers beyond what the model knows.
    ///
    /// # Errors
    /// None in practice: rows that cannot be read.
    pub(super) async fn since(
        &self,
        context: &Arc<QueryContext>,
        customers: &[i64],
        keys: Keys<'_>,
    ) -> Result<Since> {
        let Some(tables) = &self.tables else { return Ok(Since::Anything) };
        for (relation, seen) in &self.files {
            let now = context.store.foreign_files(relation, &context.listings).await?;
            if now != *seen {
                return Ok(Since::Anything);
            }
        }
        let snapshot = &context.snapshot;
        let same_customers = Arc::ptr_eq(&self.customers, &snapshot.customers);
        if same_customers && tables.iter().all(|table| table.is_still(snapshot)) {
            return Ok(Since::Nothing);
        }
        let origin = self.origin.and_then(|origin| {
            let table = tables.iter().find(|table| table.oid == origin.table)?;
            Some((table, origin))
        });
        let Some((table, origin)) = origin.filter(|_| snapshot.is_committed()) else {
            return Ok(Since::Anything);
        };
        // Of several tables, a changed row is a new one where it says whose it is.
        let is_new = |one: &Table| one.oid == table.oid && tables.len() > 1;
        if tables.iter().any(|one| one.has_changed(context, is_new(one))) {
            return Ok(Since::Anything);
        }
        let mut news = self.news.lock().await;
        let news = news.get_or_insert_with(|| News::new(table, &self.customers));
        match news.look(context, origin, keys).await? {
            true => Ok(news.of(customers)),
            false => Ok(Since::Anything),
        }
    }
}
