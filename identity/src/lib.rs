//! Who is who: computation over identifiers and records, without SQL, files or clocks.
//!
//! - [`text`] folds and compares values: normalisers, validity, string distances, phonetic codes.
//! - [`graph`] stitches: identifiers seen together become customers, under rules.
//! - [`matching`] finds records of one person that share no identifier (Fellegi–Sunter).
//!
//! The catalog keeps what these modules are told and gives it back to them when it opens a
//! database; the engine shows their answers as relations.

pub mod graph;
pub mod matching;
pub mod text;
