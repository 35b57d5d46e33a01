//! `segments.diff(segment, definition)`: who would come and who would leave, and why.

use clientele_udfs::types::PgType;
use sqlparser::ast::Query;

use super::conditions::Condition;
use super::{conditions, definition};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql::template::{Part, filled, number, text, union_all};

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] =
    &[("change", PgType::TEXT), ("customer_id", PgType::INT8), ("why", PgType::TEXT)];

/// The query.
pub(super) fn query(context: &QueryContext, arguments: &[Option<String>]) -> Result<Query> {
    let [Some(segment), Some(after)] = arguments else {
        return Err(Error::new("22004", "segment and definition must not be null"));
    };
    let (before, after) = (definition::of_segment(context, segment)?, definition::of_text(after)?);
    let (old, new) = (definition::subject(&before), definition::subject(&after));
    let template = format!(
        "SELECT CASE WHEN old.{old} IS NULL THEN 'enters' ELSE 'leaves' END AS change, \
           coalesce(old.{old}, new.{new}) AS customer_id \
         FROM (SELECT {old} FROM \"<before>\" AS before GROUP BY {old}) AS old \
         FULL JOIN (SELECT {new} FROM \"<after>\" AS after GROUP BY {new}) AS new \
           ON old.{old} = new.{new} \
         WHERE old.{old} IS NULL OR new.{new} IS NULL"
    );
    let parts = [("before", Part::Query(&before)), ("after", Part::Query(&after))];
    let changed = filled(&template, &parts)?;
    // Who enters did not fulfil the old definition, who leaves does not fulfil the new one.
    let mut reasons = vec![no_reason()?];
    for (change, definition, subject) in [("enters", &before, old), ("leaves", &after, new)] {
        let all = conditions::of(definition, subject)?;
        for (place, one) in all.iter().filter(|one| one.whole).enumerate() {
            reasons.push(failed(&changed, one, (change, place, subject))?);
        }
    }
    let reasons = union_all(reasons)?;
    filled(
        "SELECT changed.change, changed.customer_id, \
           string_agg(reasons.reason, '; ' ORDER BY reasons.place) AS why \
         FROM \"<changed>\" AS changed LEFT JOIN \"<reasons>\" AS reasons \
           ON reasons.customer_id = changed.customer_id \
         GROUP BY changed.change, changed.customer_id",
        &[("changed", Part::Query(&changed)), ("reasons", Part::Query(&reasons))],
    )
}

/// Columns of reasons without any.
fn no_reason() -> Result<Query> {
    let none =
        "SELECT 0::bigint AS customer_id, 0::bigint AS place, ''::text AS reason WHERE false";
    filled(none, &[])
}

/// For whom a condition does not hold, with the value that was seen.
fn failed(
    changed: &Query,
    one: &Condition,
    (change, place, subject): (&str, usize, &str),
) -> Result<Query> {
    let template = format!(
        "SELECT changed.customer_id, \"<place>\"::bigint AS place, \
           'not ' || \"<condition>\"::text || coalesce(' (' || seen.value || ')', '') AS reason \
         FROM \"<changed>\" AS changed LEFT JOIN \"<seen>\" AS seen \
           ON seen.{subject} = changed.customer_id \
         WHERE changed.change = \"<change>\" AND NOT coalesce(seen.holds, false)"
    );
    filled(
        &template,
        &[
            ("place", number(place)),
            ("condition", text(one.text.as_str())),
            ("change", text(change)),
            ("changed", Part::Query(changed)),
            ("seen", Part::Query(&one.query)),
        ],
    )
}
