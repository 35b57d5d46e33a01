//! What a table has that a model does not know. Whoever asks looks at what has come since somebody
//! asked last, and at nothing else: purchases may come all the time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{Customers, TableData};
use clientele_recommend::Purchase;
use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::collect;

use super::definition::Roles;
use super::read;
use super::seen::{Bought, Origin, Table};
use crate::error::Result;
use crate::functions::calls;
use crate::planning::context::QueryContext;

/// Rows that are looked at and kept at most: where more have come, it is time for a refresh, or
/// files were rewritten.
const ROWS_MAX: u64 = 1 << 20;

/// What numbers stand for, of items and customers.
pub(super) type Keys<'a> = (&'a calls::Keys, &'a read::Customers);

/// What is known of some customers beyond what a model knows.
pub(super) enum Since {
    /// Nothing.
    Nothing,
    /// These lines have come, by customer.
    Lines(HashMap<i64, Vec<Purchase>>),
    /// Their purchases may be any.
    Anything,
}

/// What has come.
pub(super) struct News {
    /// The table as the model knows it.
    was: Table,
    /// The table as it was when somebody looked last, and who was who.
    table: Table,
    customers: Arc<Customers>,
    /// Lines that came, where the rows of the table are these.
    lines: HashMap<i64, Vec<Purchase>>,
    count: u64,
    /// Customers of whom other things came.
    concerned: HashSet<i64>,
}

impl News {
    /// Of nobody since a table was so.
    pub(super) fn new(table: &Table, customers: &Arc<Customers>) -> Self {
        Self {
            was: table.clone(),
            table: table.clone(),
            customers: Arc::clone(customers),
            lines: HashMap::new(),
            count: 0,
            concerned: HashSet::new(),
        }
    }

    /// What has come of some customers.
    pub(super) fn of(&self, customers: &[i64]) -> Since {
        if customers.iter().any(|one| self.concerned.contains(one)) {
            return Since::Anything;
        }
        let lines = customers.iter().filter_map(|one| Some((*one, self.lines.get(one)?.clone())));
        let lines: HashMap<i64, Vec<Purchase>> = lines.collect();
        if lines.is_empty() { Since::Nothing } else { Since::Lines(lines) }
    }

    /// Looks at what has come since; whether it is known now what has come.
    ///
    /// # Errors
    /// None in practice: rows that cannot be read.
    pub(super) async fn look(
        &mut self,
        context: &Arc<QueryContext>,
        origin: Origin,
        keys: Keys<'_>,
    ) -> Result<bool> {
        let snapshot = &context.snapshot;
        self.was.follow(context);
        self.table.follow(context);
        if self.table.is_still(snapshot) && Arc::ptr_eq(&self.customers, &snapshot.customers) {
            return Ok(true);
        }
        let now = snapshot.table(origin.table);
        let is_later = self.table.is_within(&now);
        let mut came = if is_later { self.table.came(&now) } else { TableData::default() };
        let mut went = TableData::default();
        if !is_later || !came.files.is_empty() {
            // Rows have moved from memory to files, and would count twice, or the statement sees
            // rows as they were before somebody else looked: from the beginning.
            (self.table, self.count) = (self.was.clone(), 0);
            self.lines.clear();
            (came, went) = (self.was.came(&now), self.was.went(&now));
        }
        if came.live_rows() + self.count > ROWS_MAX {
            return Ok(false);
        }
        let (came, went) = (read(context, origin, came).await?, read(context, origin, went).await?);
        match origin.bought {
            Some(_) => {
                let lines = |rows: Rows| match rows {
                    Some((roles, batches)) => read::lines(&batches, roles, keys),
                    None => Ok(Vec::new()),
                };
                let (came, went) = (lines(came)?, lines(went)?);
                self.take_lines(came, went);
            }
            None => {
                // No other column was read.
                for batch in came.iter().flat_map(|(_, batches)| batches) {
                    let customers = keys.1.number(batch.column(0))?;
                    self.concerned.extend(customers.iter().flatten());
                }
            }
        }
        self.take_merged(&snapshot.customers);
        self.table = Table::of(context, origin.table);
        self.customers = Arc::clone(&snapshot.customers);
        Ok(true)
    }

    fn take_lines(&mut self, came: Vec<Purchase>, went: Vec<Purchase>) {
        self.count += came.len() as u64;
        for line in came {
            self.lines.entry(line.customer).or_default().push(line);
        }
        for line in went {
            let own = self.lines.entry(line.customer).or_default();
            if let Some(place) = own.iter().position(|one| *one == line) {
                own.swap_remove(place);
            }
        }
    }

    /// Whoever became somebody else takes rows along that did not change.
    fn take_merged(&mut self, now: &Customers) {
        for subject in Subject::ALL {
            for (_, was, is) in now.of(subject).changes_since(self.customers.of(subject)) {
                let somebody = [was, is].into_iter().filter(|customer| *customer != 0);
                self.concerned.extend(somebody.map(i64::from));
            }
        }
    }
}

/// Some rows of a table, with which column is what; `None`: there are none.
type Rows = Option<(Roles, Vec<RecordBatch>)>;

async fn read(context: &Arc<QueryContext>, origin: Origin, rows: TableData) -> Result<Rows> {
    let relation = context.catalog().relation_by_oid(origin.table);
    let Some(relation) = relation.filter(|_| rows.live_rows() > 0) else { return Ok(None) };
    let place =
        |number: i16| relation.live_columns().take_while(|column| column.number != number).count();
    let Bought { item, quantity, time } =
        origin.bought.unwrap_or(Bought { item: origin.customer, quantity: None, time: None });
    let numbers = [Some(origin.customer), Some(item), quantity, time];
    let mut places: Vec<usize> = numbers.into_iter().flatten().map(place).collect();
    places.sort_unstable();
    places.dedup();
    let at = |number: i16| places.partition_point(|one| *one < place(number));
    let roles = Roles {
        customer: at(origin.customer),
        item: at(item),
        quantity: quantity.map(at),
        time: time.map(at),
    };
    let snapshot = Arc::new(context.snapshot.with_rows(origin.table, rows));
    let provider = context.store.table_provider(&snapshot, relation, false);
    let plan = provider.scan(context.state.as_ref(), Some(&places), &[], None).await?;
    Ok(Some((roles, collect(plan, context.state.task_ctx()).await?)))
}
