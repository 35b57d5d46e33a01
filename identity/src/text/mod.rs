//! Values of personal data as text: folding, validity, similarity.
//!
//! One file per domain, each with `validate`, which says why a value is none of the domain, and
//! `normalize`, the form under which two spellings are one value (`None` when nothing is left).
//! Normalising twice is normalising once, and no value makes either fail otherwise.

pub mod compare;
pub mod fold;

mod blocked;
pub use blocked::{Blocked, blocked_defaults};
