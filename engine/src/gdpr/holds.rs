//! Legal holds: what the law keeps of those who are erased (GDPR art. 17(3)).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::definition::{Column, Oid, Relation};
use clientele_catalog::domains;
use clientele_catalog::features::oids::HOLDS;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringViewBuilder,
};
use datafusion::scalar::ScalarValue;

use super::ended;
use super::officer::must_be_officer;
use super::rows::{self, select};
use super::subject;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// A hold in force.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    /// Its number.
    pub(super) id: i64,
    /// The columns that it keeps.
    pub(super) columns: Vec<String>,
    /// `None`: all customers.
    pub(super) customer: Option<i64>,
    /// Until when, in microseconds since 1970; `None`: for ever.
    pub(super) until: Option<i64>,
    /// The law that demands it.
    pub(super) basis: Option<String>,
}

/// The holds in force, by table.
#[derive(Debug, Default)]
pub(super) struct Holds(BTreeMap<Oid, Vec<Hold>>);

impl Holds {
    /// Those of `gdpr.holds`.
    pub(super) async fn read(session: &Session, context: &Arc<QueryContext>) -> Result<Self> {
        let found = select(
            session,
            context,
            "SELECT hold_id, coalesce(relation, to_regclass(table_name)::oid)::bigint AS relation, columns, \
               customer_id, basis, held_until \
               FROM gdpr.holds WHERE held_until IS NULL OR held_until > now()",
        )
        .await?;
        let mut holds = Self::default();
        for row in 0..found.num_rows() {
            let relation =
                rows::number(&found, "relation", row).and_then(|one| Oid::try_from(one).ok());
            let columns = found.column_by_name("columns").and_then(|one| one.as_list_opt::<i32>());
            let (Some(relation), Some(columns)) = (relation, columns) else { continue };
            let columns = columns.value(row);
            let columns = columns.as_string_view_opt().into_iter().flatten().flatten();
            holds.0.entry(relation).or_default().push(Hold {
                id: rows::number(&found, "hold_id", row).unwrap_or(0),
                until: rows::instant(&found, "held_until", row),
                columns: columns.map(str::to_owned).collect(),
                customer: rows::number(&found, "customer_id", row),
                basis: rows::text(&found, "basis", row).map(str::to_owned),
            });
        }
        Ok(holds)
    }

    /// The holds that keep columns of a table's rows of some customers.
    pub(super) fn of(&self, relation: Oid, customers: &[i64]) -> Vec<Hold> {
        let concerns = |hold: &&Hold| hold.customer.is_none_or(|one| customers.contains(&one));
        self.0.get(&relation).into_iter().flatten().filter(concerns).cloned().collect()
    }
}

/// The names of the columns that some holds keep.
pub(super) fn columns_of(holds: &[Hold]) -> Vec<String> {
    let names: BTreeSet<&String> = holds.iter().flat_map(|hold| &hold.columns).collect();
    names.into_iter().cloned().collect()
}

/// Whether a column stays in a row that is kept: it is named, or cannot be NULL and says nothing
/// about the person.
pub(super) fn stays(column: &Column, kept: &[String]) -> bool {
    let is_bare = column.not_null && column.domain.is_none();
    column.subject.is_none() && (is_bare || kept.contains(&column.name))
}

/// Refuses a hold that would leave a NULL where there cannot be one.
///
/// # Errors
/// 23502.
pub(super) fn must_fit(relation: &Relation, kept: &[String]) -> Result<()> {
    let unfit = relation.live_columns().find(|one| one.not_null && !stays(one, kept));
    match unfit.filter(|one| one.subject.is_none()) {
        None => Ok(()),
        Some(column) => {
            let text = format!(
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                column.name, relation.name
            );
            Err(Error::new("23502", text)
                .with_detail("A legal hold keeps rows of this table without that column.")
                .with_hint("Name the column among those that are kept, or drop NOT NULL."))
        }
    }
}

/// Refuses to keep identifiers: what has one would be the person's again.
///
/// # Errors
/// 22023.
fn must_not_identify(context: &QueryContext, relation: &Relation, kept: &[String]) -> Result<()> {
    let identifies = |column: &&Column| {
        let meaning = column.domain.and_then(|one| domains::meaning(context.catalog(), one));
        kept.contains(&column.name) && meaning.is_some_and(|one| one.identifies())
    };
    match relation.live_columns().find(identifies) {
        None => Ok(()),
        Some(column) => {
            let text = format!("column \"{}\" has identifiers", column.name);
            Err(Error::new("22023", text)
                .with_detail("A row that keeps an identifier would be the person's again.")
                .with_hint("Keep what the law demands in a column of another type."))
        }
    }
}

/// `gdpr.hold(table_name, columns, basis, subject, held_until)`.
pub(super) async fn hold(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.hold")?;
    let context = session.context().await?;
    let needs = |name: &str| Error::new("22004", format!("{name} must not be null"));
    let table = text(&arguments, 0).ok_or_else(|| needs("table_name"))?;
    let relation = rows::table(&context, table)?;
    let columns = columns(&arguments);
    let unknown = columns.iter().find(|one| relation.column(one).is_none());
    if let Some(name) = unknown {
        let text = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
        return Err(Error::new("42703", text));
    }
    if columns.is_empty() {
        return Err(needs("columns"));
    }
    must_not_identify(&context, &relation, &columns)?;
    must_fit(&relation, &columns)?;
    let basis = text(&arguments, 2).ok_or_else(|| needs("basis"))?;
    let node = match text(&arguments, 3) {
        Some(handle) => Some(i64::from(subject::find(&context, handle)?.node)),
        None => None,
    };
    let until = rows::until(&arguments, 4, "held_until")?;
    let mut kept = ListBuilder::new(StringViewBuilder::new());
    columns.iter().for_each(|one| kept.values().append_value(one));
    kept.append(true);
    let kept: ArrayRef = Arc::new(kept.finish());
    let id = i64::from(session.store.allocate_oid());
    let name = context.catalog().qualified_name(&relation);
    let row = [
        numbers([Some(id)]),
        texts([Some(name.as_str())]),
        kept,
        numbers([node]),
        texts([Some(basis)]),
        times([until]),
        texts([Some(context.role.name.as_str())]),
        times([Some(Utc::now().timestamp_micros())]),
        numbers([Some(i64::from(relation.oid))]),
    ];
    builtin::insert(session, HOLDS, &row).await?;
    let reply = [("hold_id", numbers([Some(id)]))];
    Ok(Some(RecordBatch::try_from_iter(reply).map_err(Error::internal)?))
}

/// `gdpr.release(hold_id)`.
pub(super) async fn release(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.release")?;
    let Some(ScalarValue::Int64(Some(id))) = arguments.first() else {
        return Err(Error::new("22004", "hold_id must not be null"));
    };
    let context = session.context().await?;
    let found = rows::with_number(&context, HOLDS, "hold_id", &[*id])?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    // One of a person went with the person; what it keeps is known by the erasure.
    if found.is_empty() && !ended::release(&mut transaction, &context.store, *id)? {
        return Err(Error::new("P0002", format!("hold {id} does not exist")));
    }
    transaction.delete(HOLDS, &found)?;
    Ok(None)
}

fn columns(arguments: &[ScalarValue]) -> Vec<String> {
    let Some(ScalarValue::List(list)) = arguments.get(1) else { return Vec::new() };
    if list.is_empty() || list.is_null(0) {
        return Vec::new();
    }
    let values = list.value(0);
    values.as_string_view_opt().into_iter().flatten().flatten().map(str::to_owned).collect()
}
