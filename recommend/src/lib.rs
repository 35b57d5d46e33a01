//! Who might buy what, and who will come back: computation over purchases, without SQL, files or
//! clocks.
//!
//! ```text
//! lines (customer, item, quantity, time) ─▶ Gatherer ─▶ Histories ─▶ Neighbours ─▶ Scorer
//! ```
//!
//! - [`purchases`] gathers lines by customer; [`histories`] are what each customer has bought, and
//!   [`changes`] what becomes of them; items have [`codes`].
//! - [`methods`] are the ways to weigh what is bought together; [`neighbours`] the items nearest to
//!   each item, from [`counts`] of common customers; [`ease`] learns them by ridge regression on the items bought most.
//! - [`model`] is all that together; [`scorer`] gives customers their best items.
//! - [`evaluate`] tells how good a model is on the last basket of each customer, which is hidden
//!   from it, [`choose`] which is best.
//! - [`btyd`] are the "buy till you die" models of when customers buy and leave.
//!
//! Results do not depend on the number of threads: counts are integers, sums are made in a fixed
//! order, and of equal scores the smaller item comes first.

mod basis;
mod blend;
mod block;
pub mod btyd;
pub mod changes;
pub mod choose;
pub mod codes;
pub mod counts;
pub mod ease;
pub mod error;
pub mod evaluate;
mod hidden;
pub mod histories;
pub mod lookalikes;
pub mod many;
pub mod methods;
pub mod model;
pub mod neighbours;
pub mod numbering;
mod others;
mod parallel;
mod partition;
pub mod purchases;
pub mod reasons;
pub mod request;
pub mod scorer;
mod sums;
pub mod together;
mod top;
mod weights;

pub use changes::Changes;
pub use codes::Gathered;
pub use counts::Counts;
pub use error::{Error, Result};
pub use hidden::Hidden;
pub use histories::{Histories, History};
pub use many::Many;
pub use methods::Method;
pub use model::{Model, Settings};
pub use numbering::Numbering;
pub use purchases::{Gatherer, Purchase};
pub use reasons::{Reason, reasons};
pub use request::{Bought, Recommendation, Request, Source};
pub use scorer::Scorer;

#[cfg(test)]
mod tests;
