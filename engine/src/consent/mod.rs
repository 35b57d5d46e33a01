//! What people agreed to, as rows that are never changed, and what it lets a session see.
//!
//! ```sql
//! CALL consent.declare_purpose('newsletter', columns => ARRAY['crm.contacts.email']);
//! CALL consent.record('email:jane@example.com', 'newsletter', channel => 'web form');
//! CALL consent.record_all($$ SELECT 'email:' || email AS subject, purpose, decided_at AS occurred_at FROM crm.ticks $$);
//! SELECT * FROM consent.current;
//! SELECT * FROM consent.as_of('2026-01-01');
//! SET clientele.purpose = 'newsletter';      -- rows of customers who agreed, declared columns
//! ```
//!
//! - `record`, `record_all`: events; `purposes`: declarations; `as_of`: the state at an instant;
//!   `kernels`, `tcf`: consent strings of the IAB
//!
//! What a purpose lets a statement see is applied with the treatment of columns, directly above the
//! scan.

mod as_of;
mod kernels;
mod purposes;
mod record;
mod record_all;
mod tcf;

pub(crate) use kernels::KERNELS;

use crate::functions::declared::Function;
use crate::functions::procedures::Procedure;

/// The procedures of this feature.
pub(crate) static PROCEDURES: &[Procedure] =
    &[record::PROCEDURE, record_all::PROCEDURE, purposes::PROCEDURE];

/// Its table functions.
pub(crate) static FUNCTIONS: &[Function] = &[as_of::FUNCTION];

/// `consent.events`.
const EVENTS: u32 = 14350;
/// `consent.purpose_declarations`.
const DECLARATIONS: u32 = 14352;
