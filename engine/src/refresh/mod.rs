//! Materialized views that are refreshed: when one is asked to, by schedule, after commits.
//!
//! ```sql
//! CREATE MATERIALIZED VIEW segments.vip WITH (refresh = '5 minutes') AS …;  -- or 'on commit', '0 3 * * *'
//! ALTER MATERIALIZED VIEW segments.vip SET (refresh = 'manual');
//! REFRESH MATERIALIZED VIEW segments.vip;
//! ```
//!
//! - `schedule`: what `refresh = …` means; `options`: `WITH (…)`, `SET (…)`, `RESET (…)`
//! - `run`: one refresh of one view in a transaction, and what the views of a run share
//! - `local`, `changed`, `elapsed`: whether some customers can be computed alone, and which must be
//! - `incremental`, `extracts`: computing these, from their rows; `located`: rows and where they are
//! - `states`: what is known of the last refreshes of a database; one run at a time
//! - `saved`: what is kept of that from a stop of the server to its next start
//! - `sources`: the stored relations that a view reads
//! - `worker`: the tasks that refresh what is due; the engine owns and ends them

mod changed;
mod elapsed;
mod extracts;
mod incremental;
mod local;
mod located;
pub(crate) mod options;
mod run;
pub(crate) mod saved;
mod schedule;
mod sources;
mod states;
mod worker;

pub(crate) use located::{Located, addresses};
pub(crate) use run::{Cause, How, Run, Together, empty, of_somebody, refresh};
pub(crate) use states::State;
pub(crate) use worker::Workers;
