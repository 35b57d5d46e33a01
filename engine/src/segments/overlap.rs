//! `segments.overlap(a, b, …)` and `segments.overlap_matrix()`: what segments have in common.
//!
//! ```sql
//! SELECT * FROM segments.overlap('lapsed', 'vip');        -- a row for each combination, as UpSet draws it
//! SELECT * FROM segments.overlap_matrix() ORDER BY lift DESC;
//! ```
//!
//! Lift is how many times more customers are in all of them than if each was a coin of its own.

use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::features::SEGMENTS_OID;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, Float64Array, ListBuilder, StringViewBuilder};
use datafusion::scalar::ScalarValue;
use roaring::RoaringBitmap;

use super::{definition, is_segment, members};
use crate::builtin::{numbers, texts};
use crate::error::{Error, Result};
use crate::functions::declared::Function;
use crate::functions::procedures::{self, Parameter};
use crate::planning::context::QueryContext;
use crate::planning::rights::{denied, kind_of};

/// Segments in one call: there is a row for each combination.
const SEGMENTS_MAX: usize = 12;

/// `text[]`.
const TEXTS: PgType = PgType { oid: 1009, modifier: -1 };

pub(super) const OVERLAP: Function = Function {
    name: "segments.overlap",
    parameters: &[Parameter { name: "segment", pg_type: PgType::TEXT, default: None }],
    variadic: true,
    columns: &[
        ("segments", TEXTS),
        ("in_all", PgType::INT8),
        ("in_only_these", PgType::INT8),
        ("in_any", PgType::INT8),
        ("jaccard", PgType::FLOAT8),
        ("lift", PgType::FLOAT8),
    ],
    comment: "for each combination of segments how many customers are in all of them, in these and no other, in any",
    kernel: overlap,
};

pub(super) const MATRIX: Function = Function {
    name: "segments.overlap_matrix",
    parameters: &[Parameter {
        name: "materialized_only",
        pg_type: PgType::BOOL,
        default: Some("false"),
    }],
    variadic: false,
    columns: &[
        ("segment", PgType::TEXT),
        ("other_segment", PgType::TEXT),
        ("member_count", PgType::INT8),
        ("other_member_count", PgType::INT8),
        ("in_both", PgType::INT8),
        ("in_either", PgType::INT8),
        ("jaccard", PgType::FLOAT8),
        ("lift", PgType::FLOAT8),
    ],
    comment: "for each two segments that one may read how many customers are in both, in either; plain views are computed unless materialized_only",
    kernel: matrix,
};

struct Named {
    view: Arc<Relation>,
    subject: Subject,
    members: Arc<RoaringBitmap>,
}

fn overlap(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    if arguments.len() > SEGMENTS_MAX {
        let text = format!("cannot overlap more than {SEGMENTS_MAX} segments");
        return Err(Error::new("54023", text).with_hint("segments.overlap_matrix() takes all."));
    }
    let mut named: Vec<Named> = Vec::with_capacity(arguments.len());
    for at in 0..arguments.len() {
        let name = procedures::text(arguments, at)
            .ok_or_else(|| Error::new("22004", "segment must not be null"))?;
        let one = find(context, name)?;
        if named.first().is_some_and(|first| first.subject != one.subject) {
            let text = "segments of customers and of accounts have nothing in common";
            return Err(Error::new("42809", text));
        }
        named.push(one);
    }
    let subject = named.first().map_or(Subject::Person, |one| one.subject);
    Ok(combinations(&named, population(context, subject)))
}

fn find(context: &QueryContext, name: &str) -> Result<Named> {
    let view = context.catalog().relation(SEGMENTS_OID, name).filter(|one| is_segment(one));
    let view = view.ok_or_else(|| {
        Error::new("42P01", format!("segment \"{name}\" does not exist"))
            .with_hint("SELECT segment FROM membership.segments lists them.")
    })?;
    if !may_read(context, view) {
        return Err(denied(kind_of(view), name));
    }
    let subject = definition::subject(view);
    let members = members::members(context, (view, subject))?;
    Ok(Named { view: Arc::clone(view), subject, members })
}

fn may_read(context: &QueryContext, view: &Relation) -> bool {
    Access::relation(view).permits(&context.rights, 'r', false)
}

/// How many customers there are.
fn population(context: &QueryContext, subject: Subject) -> u64 {
    context.snapshot.customers.of(subject).customers().count() as u64
}

/// A row for each combination; bit `n` of its number says that segment `n` is in it.
fn combinations(named: &[Named], population: u64) -> Vec<ArrayRef> {
    let count = 1_usize << named.len();
    let mut all: Vec<Arc<RoaringBitmap>> = vec![Arc::default(); count];
    for set in 1..count {
        let last = set.ilog2() as usize;
        let (rest, own) = (set ^ (1 << last), &named[last].members);
        all[set] = match rest {
            0 => Arc::clone(own),
            rest => Arc::new(all[rest].as_ref() & own.as_ref()),
        };
    }
    let in_all: Vec<i64> = all.iter().map(|one| signed(one.len())).collect();
    let sign = |bits: u32| if bits.is_multiple_of(2) { 1 } else { -1 };
    let only = |set: usize| -> i64 {
        let more = (0..count).filter(|more| more & set == set);
        more.map(|more| sign((more ^ set).count_ones()) * in_all[more]).sum()
    };
    let any = |set: usize| -> i64 {
        let parts = (1..count).filter(|part| part & set == *part);
        parts.map(|part| sign(part.count_ones() + 1) * in_all[part]).sum()
    };
    let sets = || 1..count;
    let mut names = ListBuilder::new(StringViewBuilder::new());
    for set in sets() {
        for (at, one) in named.iter().enumerate() {
            if set >> at & 1 == 1 {
                names.values().append_value(&one.view.name);
            }
        }
        names.append(true);
    }
    let lifted = |set: usize| {
        let sizes = (0..named.len()).filter(|at| set >> at & 1 == 1).map(|at| in_all[1 << at]);
        lift(in_all[set], sizes, population)
    };
    vec![
        Arc::new(names.finish()),
        numbers(sets().map(|set| Some(in_all[set]))),
        numbers(sets().map(|set| Some(only(set)))),
        numbers(sets().map(|set| Some(any(set)))),
        Arc::new(sets().map(|set| share(in_all[set], any(set))).collect::<Float64Array>()),
        Arc::new(sets().map(lifted).collect::<Float64Array>()),
    ]
}

fn matrix(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let kept_only = matches!(arguments.first(), Some(ScalarValue::Boolean(Some(true))));
    let mut named = Vec::new();
    for view in context.catalog().relations().filter(|one| is_segment(one)) {
        let takes_part = match view.kind {
            RelationKind::MaterializedView { populated, .. } => populated,
            _ => !kept_only,
        };
        if takes_part && may_read(context, view) {
            let subject = definition::subject(view);
            let members = members::members(context, (view, subject))?;
            named.push(Named { view: Arc::clone(view), subject, members });
        }
    }
    let of = |subject| population(context, subject);
    let (people, companies) = (of(Subject::Person), of(Subject::Company));
    let mut pairs: Vec<(&Named, &Named, i64)> = Vec::new();
    for (at, one) in named.iter().enumerate() {
        for other in named.iter().skip(at + 1).filter(|other| other.subject == one.subject) {
            let both = signed(one.members.intersection_len(&other.members));
            pairs.extend([(one, other, both), (other, one, both)]);
        }
    }
    let size = |one: &Named| signed(one.members.len());
    let either = |(one, other, both): &(&Named, &Named, i64)| size(one) + size(other) - both;
    let lifted = |(one, other, both): &(&Named, &Named, i64)| {
        let population = if one.subject == Subject::Person { people } else { companies };
        lift(*both, [size(one), size(other)].into_iter(), population)
    };
    let share_of = |pair: &(&Named, &Named, i64)| share(pair.2, either(pair));
    Ok(vec![
        texts(pairs.iter().map(|(one, ..)| Some(one.view.name.as_str()))),
        texts(pairs.iter().map(|(_, other, _)| Some(other.view.name.as_str()))),
        numbers(pairs.iter().map(|(one, ..)| Some(size(one)))),
        numbers(pairs.iter().map(|(_, other, _)| Some(size(other)))),
        numbers(pairs.iter().map(|(.., both)| Some(*both))),
        numbers(pairs.iter().map(|pair| Some(either(pair)))),
        Arc::new(pairs.iter().map(share_of).collect::<Float64Array>()),
        Arc::new(pairs.iter().map(lifted).collect::<Float64Array>()),
    ])
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Jaccard's index; NULL for two empty sets.
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn lift(all: i64, sizes: impl Iterator<Item = i64>, population: u64) -> Option<f64> {
    let population = population as f64;
    let expected = sizes.map(|size| size as f64 / population).product::<f64>() * population;
    (expected > 0.0).then(|| all as f64 / expected)
}
