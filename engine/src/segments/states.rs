//! `membership.states()`: the segments as they are defined and refreshed.

use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::features::oids;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, IntervalMonthDayNanoArray as Intervals, ListBuilder, StringViewBuilder,
};
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::scalar::ScalarValue;

use super::is_segment;
use crate::builtin::{texts, times};
use crate::error::{Error, Result};
use crate::functions::declared::Function;
use crate::planning::context::QueryContext;
use crate::refresh::{How, State};
use crate::statement::names_in;

/// `text[]`.
const TEXTS: PgType = PgType { oid: 1009, modifier: -1 };

pub(super) const FUNCTION: Function = Function {
    name: "membership.states",
    parameters: &[],
    variadic: false,
    columns: &[
        ("segment", PgType::TEXT),
        ("kind", PgType::TEXT),
        ("refresh", PgType::TEXT),
        ("state", PgType::TEXT),
        ("last_refreshed_at", PgType::TIMESTAMPTZ),
        ("next_refresh_at", PgType::TIMESTAMPTZ),
        ("last_duration", PgType::INTERVAL),
        ("last_mode", PgType::TEXT),
        ("last_reason", PgType::TEXT),
        ("last_error", PgType::TEXT),
        ("dependencies", TEXTS),
        ("definition", PgType::TEXT),
        ("owner", PgType::TEXT),
    ],
    comment: "the segments, how they are defined, and how they are refreshed: membership.segments shows it",
    kernel: rows,
};

fn rows(context: &QueryContext, _: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    may_read(context, FUNCTION.name)?;
    let catalog = context.catalog();
    let segments: Vec<&Arc<Relation>> = catalog.relations().filter(|one| is_segment(one)).collect();
    let refreshes = context.engine.workers.of(context.database.oid);
    let states: Vec<State> = segments.iter().map(|one| refreshes.state(one.oid)).collect();
    let owners: Vec<Option<String>> = segments
        .iter()
        .map(|one| context.engine.cluster.role(one.owner).map(|role| role.name))
        .collect();
    let mut dependencies = ListBuilder::new(StringViewBuilder::new());
    for segment in &segments {
        for name in names_in(query(segment)) {
            dependencies.values().append_value(name.join("."));
        }
        dependencies.append(true);
    }
    let both = || segments.iter().zip(&states);
    let micros = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.timestamp_micros());
    let how = |state: &State| state.how.clone();
    let modes: Vec<_> = states.iter().map(how).collect();
    Ok(vec![
        texts(segments.iter().map(|one| Some(one.name.as_str()))),
        texts(segments.iter().map(|one| Some(kind(one)))),
        texts(segments.iter().map(|one| refresh(one))),
        texts(both().map(|(one, state)| Some(state_of(one, state)))),
        times(states.iter().map(|state| micros(state.last_refreshed_at))),
        times(states.iter().map(|state| micros(state.next_at))),
        Arc::new(modes.iter().map(|how| how.as_ref().and_then(took)).collect::<Intervals>()),
        texts(modes.iter().map(|how| how.as_ref().map(|how| how.mode()))),
        texts(modes.iter().map(|how| how.as_ref().map(|how| how.reason.as_str()))),
        texts(states.iter().map(|state| state.error.as_deref())),
        Arc::new(dependencies.finish()),
        texts(segments.iter().map(|one| Some(query(one)))),
        texts(owners.iter().map(Option::as_deref)),
    ])
}

fn took(how: &How) -> Option<IntervalMonthDayNano> {
    let micros = i64::try_from(how.took?.as_micros()).ok()?;
    Some(IntervalMonthDayNano::new(0, 0, micros.checked_mul(1000)?))
}

fn query(segment: &Relation) -> &str {
    match &segment.kind {
        RelationKind::View { query } | RelationKind::MaterializedView { query, .. } => query,
        RelationKind::Table | RelationKind::Sequence(_) | RelationKind::ForeignTable(_) => "",
    }
}

fn kind(segment: &Relation) -> &'static str {
    match segment.kind {
        RelationKind::MaterializedView { .. } => "materialized view",
        _ => "view",
    }
}

fn refresh(segment: &Relation) -> Option<&str> {
    let option = segment.options.iter().find(|(name, _)| name == "refresh");
    match (&segment.kind, option) {
        (RelationKind::MaterializedView { .. }, Some((_, value))) => Some(value),
        (RelationKind::MaterializedView { .. }, None) => Some("manual"),
        _ => None,
    }
}

fn state_of(segment: &Relation, state: &State) -> &'static str {
    match &segment.kind {
        RelationKind::MaterializedView { populated: false, .. } => "unpopulated",
        RelationKind::MaterializedView { .. } if state.running => "refreshing",
        RelationKind::MaterializedView { .. } if state.error.is_some() => "failed",
        RelationKind::MaterializedView { .. } => "fresh",
        _ => "live",
    }
}

/// What tells of segments is for those who may read `membership.segments`.
///
/// # Errors
/// 42501.
pub(super) fn may_read(context: &QueryContext, name: &str) -> Result<()> {
    let segments = context.catalog().relation_by_oid(oids::SEGMENTS);
    match segments.is_some_and(|one| Access::relation(one).permits(&context.rights, 'r', false)) {
        true => Ok(()),
        false => Err(Error::new("42501", format!("permission denied for function {name}"))
            .with_detail("SELECT on membership.segments is needed.")),
    }
}
