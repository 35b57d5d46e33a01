//! Who might buy what, and who will come back: computation over purchases, without SQL, files or
//! clocks.
//!
//! ```text
//! lines (customer, item, quantity, time) ─▶ Gatherer ─▶ Histories ─▶ Neighbours ─▶ Scorer
//! ```
//!
//! - [`purchases`] gathers lines by customer; [`histories`] are what each customer has bought.
//! - [`methods`] are the ways to weigh what is bought together; [`neighbours`] the items nearest to
//!   each item; [`ease`] learns them by ridge regression on the items bought most.
//! - [`model`] is all that together; [`scorer`] gives customers their best items.
//! - [`evaluate`] tells how good a model is on the last basket of each customer, [`choose`] which is
//!   best.
//! - [`btyd`] are the "buy till you die" models of when customers buy and leave.
//!
//! Results do not depend on the number of threads: counts are integers, sums are made in a fixed
//! order, and of equal scores the smaller item comes first.

pub mod btyd;
pub mod choose;
pub mod ease;
pub mod error;
pub mod evaluate;
pub mod histories;
pub mod lookalikes;
pub mod methods;
pub mod model;
pub mod neighbours;
pub mod numbering;
mod parallel;
pub mod purchases;
pub mod scorer;
pub mod together;
mod top;

pub use error::{Error, Result};
pub use histories::{Histories, History};
pub use methods::Method;
pub use model::{Model, Settings};
pub use numbering::Numbering;
pub use purchases::{Gatherer, Purchase};
pub use scorer::{Bought, Recommendation, Request, Scorer, Source};

#[cfg(test)]
mod tests;
