//! How alike two values are.
//!
//! Plain functions over two values that are present; the caller decides what a missing one means.
//! All are symmetric and right for any Unicode: a symbol is a `char`, never a byte. Pairs in which
//! the shorter value has at most 64 symbols are compared 64 symbols at a time (one machine word);
//! longer ones by tables.
//!
//! ```
//! use clientele_identity::text::compare;
//!
//! assert_eq!(compare::levenshtein("jonathan", "johnathan"), 1);
//! assert!(compare::jaro_winkler("martha", "marhta") > 0.96);
//! assert_eq!(compare::soundex("Robert"), compare::soundex("Rupert"));
//! ```
//!
//! | file | function | answer |
//! |---|---|---|
//! | `jaro` | [`jaro`], [`jaro_winkler`] | 0.0 nothing alike … 1.0 equal |
//! | `levenshtein` | [`levenshtein`], [`levenshtein_within`], [`levenshtein_weighted`] | edits |
//! | `damerau` | [`damerau`] | edits, adjacent letters swapped being one |
//! | `jaccard` | [`jaccard_words`], [`jaccard_grams`] | common part of the words or q-grams |
//! | `trigrams` | [`trigram_similarity`] | what pg_trgm's `similarity` says |
//! | `soundex`, `metaphone`, `double_metaphone`, `cologne` | the same | phonetic codes |
//! | `date` | [`date_closeness`], [`date_similarity`] | kind of slip, 0.0 … 1.0 |
//! | `number` | [`number_similarity`] | 0.0 … 1.0 |

mod cologne;
mod damerau;
mod date;
mod double_metaphone;
mod jaccard;
mod jaro;
mod levenshtein;
mod metaphone;
mod number;
mod soundex;
mod symbols;
#[cfg(test)]
mod tests;
mod trigrams;

pub use cologne::cologne;
pub use damerau::damerau;
pub use date::{DateCloseness, date_closeness, date_similarity};
pub use double_metaphone::{DoubleMetaphone, double_metaphone};
pub use jaccard::{jaccard_grams, jaccard_words};
pub use jaro::{jaro, jaro_winkler};
pub use levenshtein::{Costs, levenshtein, levenshtein_weighted, levenshtein_within};
pub use metaphone::metaphone;
pub use number::number_similarity;
pub use soundex::{soundex, soundex_difference};
pub use trigrams::{trigram_similarity, trigrams};
