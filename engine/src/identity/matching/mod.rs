//! Record matching in SQL: `identity.train` learns a model from the rows of the tables that say
//! something about people, `identity.match` links the records that it takes for one person and
//! puts the doubtful pairs into the review queue.
//!
//! ```sql
//! CALL identity.train();                                    -- comparisons by the columns' domains
//! CALL identity.train(tables => 'shop.offers', columns => 'title text, price number');
//! SELECT comparison, label, m, u, weight FROM identity.model_levels;
//! CALL identity.match(link => 0.9, review => 0.5);
//! SELECT * FROM identity.candidates WHERE state = 'review' ORDER BY probability DESC;
//! CALL identity.accept(17);
//! ```
//!
//! - `columns`: which columns of which tables are compared, and how; `records`: their rows
//! - `models`: models as rows; `train`, `run`, `decide`: the procedures

mod columns;
mod decide;
mod models;
mod procedures;
mod records;
mod run;
mod train;

pub(crate) use procedures::PROCEDURES;
pub(crate) use run::Matchers;
