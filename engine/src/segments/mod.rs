//! Segments: the views of schema `segments`, and who is and was in them.
//!
//! ```sql
//! CREATE MATERIALIZED VIEW segments.vip WITH (refresh = '5 minutes') AS
//!   SELECT customer_id FROM shop.orders GROUP BY 1 HAVING sum(total) > 1000;
//! SELECT * FROM membership.segments;
//! SELECT * FROM membership.changes WHERE segment = 'vip' AND changed_at > now() - interval '1 day';
//! ```
//!
//! A materialized segment keeps the numbers of customers as nodes ([`clientele_catalog::storage`]),
//! so that after a merge its members show under the customer that stays. Whenever it is refreshed
//! ([`crate::refresh`]), who came and who left goes into `membership.intervals`, in the same commit.
//!
//! - `definition`: what a view must have to be a segment; versions of definitions
//! - `intervals`: who came and who left; `runs`: what `membership.runs` tells
//! - `members`: who is in a segment, as a bitmap; `overlap`: what segments have in common
//! - `sets`: set operations between segments in plans, as operations on bitmaps; `set_exec`: their
//!   operator
//! - `states`: the table function behind `membership.segments`

mod definition;
mod intervals;
mod members;
mod overlap;
mod runs;
mod set_exec;
mod sets;
mod states;

use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::features::SEGMENTS_OID;

use crate::functions::declared::Function;

pub(crate) use definition::define;
pub(crate) use intervals::{Change, record};
pub(crate) use members::Memberships;
pub(crate) use runs::failed;
pub(crate) use set_exec::MembersPlanner;
pub(crate) use sets::as_sets;

/// Every table function.
pub(crate) static FUNCTIONS: &[Function] = &[states::FUNCTION, overlap::OVERLAP, overlap::MATRIX];

/// Whether a relation is a segment: a view of schema `segments`.
pub(crate) fn is_segment(relation: &Relation) -> bool {
    relation.schema == SEGMENTS_OID
        && matches!(
            relation.kind,
            RelationKind::View { .. } | RelationKind::MaterializedView { .. }
        )
}
