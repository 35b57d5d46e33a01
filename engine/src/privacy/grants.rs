//! `GRANT SELECT (column)` opens a closed column to the grantee, `REVOKE` closes it.
//!
//! `GRANT SELECT` on the table gives its rows with the treatment of each column.

use clientele_catalog::definition::{Column, Oid, Relation, RelationKind};
use clientele_catalog::domains::Masking;
use clientele_catalog::privacy::{Decision, treatment};

use super::decision;
use crate::error::Result;
use crate::planning::context::QueryContext;

/// Whether SELECT on the column shows less than it holds. What a view shows is treated where its
/// tables are read, so a view has nothing to open.
pub(crate) fn is_closed(context: &QueryContext, relation: &Relation, column: &Column) -> bool {
    let inlined = matches!(relation.kind, RelationKind::View { .. }) && column.privacy.is_none();
    !inlined && treatment(context.catalog(), relation, column).masking != Masking::Open
}

/// The decision to open a column; `None`: it is open to everyone already.
///
/// # Errors
/// 42501 when the current role may not decide it.
pub(crate) fn opening(
    context: &QueryContext,
    relation: &Relation,
    column: &Column,
) -> Result<Option<Decision>> {
    if !is_closed(context, relation, column) {
        return Ok(None);
    }
    if context.is_privacy_officer() {
        return Ok(Some(decision::now(context, None)));
    }
    let what = format!("open column \"{}\" of relation \"{}\"", column.name, relation.name);
    Err(decision::refused(&what)
        .with_hint("GRANT SELECT on the whole table gives its rows with personal values treated."))
}

/// Opens a column to roles.
pub(crate) fn open(column: &mut Column, roles: &[Oid], decision: &Decision) {
    let privacy = column.privacy.get_or_insert_default();
    for role in roles {
        privacy.open(*role, decision.clone());
    }
}

/// Closes it to them.
pub(crate) fn close(column: &mut Column, roles: &[Oid]) {
    let Some(privacy) = &mut column.privacy else { return };
    for role in roles {
        privacy.close(*role);
    }
}
