//! Values of personal data: their normal forms, validity, likeness.
//!
//! The kernels are those of `clientele_identity::text`, which storage and record matching use too.
//! What PostgreSQL's fuzzystrmatch and pg_trgm have keeps their names, results and limits.
//!
//! ```sql
//! SELECT normalize_email('J.Doe+news@GoogleMail.com');        -- jdoe@gmail.com
//! SELECT normalize_phone('06 12 34 56 78', 'FR');             -- +33612345678
//! SELECT is_valid_vat_number('DE136695976');                  -- t
//! SELECT jaro_winkler('martha', 'marhta');                    -- 0.9611111111111111
//! SELECT levenshtein('GUMBO', 'GAMBOL');                      -- 2
//! ```

use super::function::Function;

mod by_distinct;
pub mod codes;
pub mod distances;
pub mod normalize;
pub mod similarities;
pub mod valid;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        normalize::functions(),
        valid::functions(),
        distances::functions(),
        similarities::functions(),
        codes::functions(),
    ]
    .concat()
}
