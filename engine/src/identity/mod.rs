//! Who is who, in SQL. Storage stitches ([`clientele_catalog::storage`]); here is what people ask
//! of it and tell it.
//!
//! ```sql
//! SELECT * FROM identity.identifiers WHERE value = 'jane@example.com';
//! SELECT * FROM identity.why('email:jane@example.com', 'loyalty_card:9204');
//! SELECT * FROM identity.preview('email', max_fan_out => 50);   -- who would merge, who would split
//! CALL identity.set_rule('email', max_fan_out => 50);
//! CALL identity.split('email:jane@example.com', 'loyalty_card:9204', reason => 'two sisters');
//! ```
//!
//! - `events`, `preview`, `why`: table functions
//! - `kernels`: scalar functions; `procedures`: what `CALL` runs
//! - `matching`: records of one person that share no identifier

mod events;
mod functions;
mod kernels;
mod matching;
mod preview;
mod preview_segments;
mod procedures;
mod why;

pub(crate) use functions::FUNCTIONS;
pub(crate) use kernels::KERNELS;
pub(crate) use matching::{Matchers, PROCEDURES as MATCHING};
pub(crate) use procedures::PROCEDURES;
