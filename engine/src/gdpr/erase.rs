//! `gdpr.erase`: the logical part. One transaction takes the people out of every table, out of the
//! graph of identifiers, and leaves tombstones; when it commits, no answer has them any more.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::domains::Subject as Kind;
use clientele_catalog::features::{self, oids};
use clientele_catalog::storage::{Scope, Tombstone, Transaction, Victims};
use datafusion::arrow::array::{ArrayRef, Int32Array, RecordBatch};
use datafusion::scalar::ScalarValue;

use super::effect::{self, Effect};
use super::holds::{self, Holds};
use super::officer::must_be_officer;
use super::places::PLACES;
use super::request::{self, Request};
use super::subject::{self, Subject};
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// `gdpr.erase(subject, customer_id, subjects, customers, reason, scope, dry_run)`.
pub(super) async fn erase(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.erase")?;
    session.writable("CALL")?;
    let dry_run = matches!(arguments.get(6), Some(ScalarValue::Boolean(Some(true))));
    let reason = text(&arguments, 4).map(str::to_owned);
    if reason.is_none() && !dry_run {
        return Err(Error::new("22004", "reason must not be null")
            .with_hint("Say which request it answers; the reason must not name the person."));
    }
    let scope = scope(text(&arguments, 5).unwrap_or("customer"))?;
    let context = session.context().await?;
    let people = subject::named(&context, &arguments, scope)?;
    let holds = Holds::read(session, &context).await?;
    let nodes: Vec<u32> = people.iter().map(|one| one.node).collect();
    let victims = context.store.victims(&context.snapshot, &nodes, scope)?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    let mark = transaction.savepoint();
    let id = i64::from(session.store.allocate_oid());
    let (holds, victims, people) = (&holds, &victims, people.as_slice());
    let erasure = Erasure { id, context: &context, holds, victims, people };
    let effects = match erasure.carry_out(&mut transaction) {
        Ok(effects) => effects,
        Err(error) => {
            transaction.rollback_to(mark);
            return Err(error);
        }
    };
    if dry_run {
        transaction.rollback_to(mark);
    } else {
        context.store.keep_needles(id, &victims.identifiers)?;
        erasure.record(&mut transaction, &effects, reason.as_deref())?;
        context.engine.matchers.forget(context.database.oid);
    }
    Ok(Some(reply(&effects)?))
}

fn scope(name: &str) -> Result<Scope> {
    match name {
        "customer" => Ok(Scope::Customer),
        "identifier" => Ok(Scope::Identifier),
        _ => Err(Error::new("22023", format!("unrecognized scope \"{name}\""))
            .with_hint("Scopes are customer and identifier.")),
    }
}

/// An erasure that is being carried out.
pub(super) struct Erasure<'a> {
    /// Its number.
    pub(super) id: i64,
    pub(super) context: &'a QueryContext,
    pub(super) holds: &'a Holds,
    pub(super) victims: &'a Victims,
    pub(super) people: &'a [Subject],
}

impl Erasure<'_> {
    /// Takes the people out of everything; says what that did to which table.
    pub(super) fn carry_out(&self, transaction: &mut Transaction) -> Result<Vec<Effect>> {
        for place in PLACES {
            place(self.context, transaction, self.victims)?;
        }
        let catalog = Arc::clone(&transaction.snapshot().catalog);
        let whose = |one: &&Arc<Relation>| {
            let mut columns = one.live_columns();
            let is_view = matches!(one.kind, RelationKind::MaterializedView { .. });
            one.stores_rows()
                && !one.temporary
                && columns.any(|column| {
                    column.subject == Some(Kind::Person) || (is_view && column.domain.is_some())
                })
        };
        let mut effects = Vec::new();
        for relation in catalog.relations().filter(whose) {
            let total = transaction.snapshot().row_count(relation.oid);
            let effect = Effect::of(&catalog, relation, total);
            let says_whose = relation.live_columns().any(|one| one.subject == Some(Kind::Person));
            effects.push(match features::relation(relation.oid) {
                Some(_) => self.out_of_feature(transaction, relation, effect)?,
                None if says_whose => self.out_of_table(transaction, relation, effect)?,
                None => self.out_of_view(transaction, relation, effect)?,
            });
        }
        let now = Utc::now().timestamp_micros();
        let identifiers = self.victims.identifiers.iter();
        let stones: Vec<Tombstone<'_>> =
            identifiers.map(|(space, value)| Tombstone::Identifier(*space, value)).collect();
        transaction.bury(self.id, &stones, now)?;
        effect::settle(transaction, self.id, &mut effects)?;
        transaction.check_references()?;
        transaction.forget(&self.victims.nodes());
        for effect in &mut effects {
            effect.left = transaction.snapshot().row_count(effect.relation);
        }
        effects.retain(|one| one.erased + one.kept + one.cleared > 0);
        effects.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(effects)
    }

    /// Rows that a feature keeps of them go.
    fn out_of_feature(
        &self,
        transaction: &mut Transaction,
        relation: &Arc<Relation>,
        effect: Effect,
    ) -> Result<Effect> {
        let snapshot = Arc::clone(transaction.snapshot());
        let nodes = self.victims.nodes();
        let rows = self.context.store.rows_of_nodes(&snapshot, relation, &nodes)?;
        Ok(Effect { erased: transaction.delete(relation.oid, &rows)?, ..effect })
    }

    /// Rows of a materialized view that name an identifier of theirs go.
    fn out_of_view(
        &self,
        transaction: &mut Transaction,
        relation: &Arc<Relation>,
        effect: Effect,
    ) -> Result<Effect> {
        let snapshot = Arc::clone(transaction.snapshot());
        let identifiers: HashSet<_> = self.victims.identifiers.iter().cloned().collect();
        let rows = self.context.store.rows_of_identifiers(&snapshot, relation, &identifiers)?;
        Ok(Effect { erased: transaction.delete(relation.oid, &rows)?, ..effect })
    }

    /// Their rows of a table go, but for what a hold keeps; rows of others lose their identifiers.
    fn out_of_table(
        &self,
        transaction: &mut Transaction,
        relation: &Arc<Relation>,
        effect: Effect,
    ) -> Result<Effect> {
        let store = &self.context.store;
        let snapshot = Arc::clone(transaction.snapshot());
        let own = store.rows_of_nodes(&snapshot, relation, &self.victims.own)?;
        let shared = store.rows_of_nodes(&snapshot, relation, &self.victims.shared)?;
        let mut effect = effect;
        let customers = &self.context.snapshot.customers.person;
        let customers: Vec<i64> =
            self.people.iter().map(|one| i64::from(customers.customer(one.node))).collect();
        let in_force = self.holds.of(relation.oid, &customers);
        if in_force.is_empty() || own.is_empty() {
            effect.erased = transaction.delete(relation.oid, &own)?;
        } else {
            let kept = holds::columns_of(&in_force);
            holds::must_fit(relation, &kept)?;
            let is_kept = |column: &_| holds::stays(column, &kept);
            let rows = (own.as_slice(), self.id);
            effect.kept = transaction.keep_columns(relation.oid, rows, &is_kept)?;
            effect.holds = in_force;
        }
        if !shared.is_empty() {
            must_be_nullable(relation)?;
            let identifiers: HashSet<_> = self.victims.identifiers.iter().cloned().collect();
            effect.cleared = transaction.clear_identifiers(relation.oid, &shared, &identifiers)?;
        }
        Ok(effect)
    }

    /// Writes down that it was done.
    pub(super) fn record(
        &self,
        transaction: &mut Transaction,
        effects: &[Effect],
        reason: Option<&str>,
    ) -> Result<()> {
        let now = Utc::now();
        let role = self.context.role.name.as_str();
        let requests: Vec<Request> = self
            .people
            .iter()
            .map(|one| Request {
                id: i64::from(self.context.store.allocate_oid()),
                kind: "erasure",
                subject: Some(one.name.clone()),
                customer: one.customer,
                received_at: now,
                state: "erased",
                decided_by: role.to_owned(),
                reason: reason.map(str::to_owned),
                receipt: Some(self.id),
                ..Request::default()
            })
            .collect();
        request::file(self.context, transaction, requests)?;
        let count = i32::try_from(self.people.len()).unwrap_or(i32::MAX);
        let people: ArrayRef = Arc::new(Int32Array::from(vec![count]));
        let row = builtin::batch(
            oids::ERASURES,
            &[
                numbers([Some(self.id)]),
                times([Some(now.timestamp_micros())]),
                texts([Some(role)]),
                people,
                texts([Some("erased")]),
                texts([Some(effect::json(effects, None).as_str())]),
            ],
        )?;
        transaction.insert(oids::ERASURES, row)?;
        Ok(())
    }
}

/// Refuses to take identifiers out of columns that cannot be NULL.
fn must_be_nullable(relation: &Relation) -> Result<()> {
    let fixed = relation.live_columns().find(|one| one.not_null && one.domain.is_some());
    let Some(column) = fixed else { return Ok(()) };
    let text = format!(
        "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
        column.name, relation.name
    );
    Err(Error::new("23502", text)
        .with_detail("A row of another customer names an identifier of the person.")
        .with_hint("Correct or delete that row first, or drop NOT NULL."))
}

fn reply(effects: &[Effect]) -> Result<RecordBatch> {
    let number =
        |of: fn(&Effect) -> u64| numbers(effects.iter().map(|one| i64::try_from(of(one)).ok()));
    let columns = [
        ("table_name", texts(effects.iter().map(|one| Some(one.name.as_str())))),
        ("rows_before", number(|one| one.total)),
        ("erased", number(|one| one.erased)),
        ("kept", number(|one| one.kept)),
        ("cleared", number(|one| one.cleared)),
        ("rows_after", number(|one| one.left)),
    ];
    RecordBatch::try_from_iter(columns).map_err(Error::internal)
}
