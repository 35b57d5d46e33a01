//! Stateless functions over Arrow arrays, and the facts about PostgreSQL's types that they need.
//!
//! Nothing here knows a session, a catalog or a file. Values enter and leave as Arrow arrays:
//!
//! | part | what it is |
//! |---|---|
//! | [`types`] | the one table of PostgreSQL types: OID, name, length, Arrow representation |
//! | [`input`] | text → value, with PostgreSQL's errors (`'abc'::int`, COPY, text parameters) |
//! | [`output`] | value → text as PostgreSQL prints it (`x::text`, COPY, text results) |
//! | [`binary`] | values in PostgreSQL's binary format, both ways |
//! | [`cast`] | PostgreSQL's casts, where DataFusion's own differ |
//! | [`numeric`] | `numeric` at full precision |
//! | [`range`] | ranges: their text, their order, what they have in common |
//! | [`functions`] | the SQL functions, one file each |

pub mod binary;
mod calendar;
pub mod cast;
pub mod error;
pub mod functions;
pub mod input;
mod layout;
pub mod numeric;
pub mod output;
pub mod range;
pub mod types;

pub use error::{Result, ValueError};
