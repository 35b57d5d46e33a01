//! Who may do what (manual: ddl-priv, predefined-roles): the one place that decides it.
//!
//! The engine asks before it reads, writes or changes a definition; `has_table_privilege` and its
//! family, `relacl`, `information_schema` and `\dp` ask the same functions.
//!
//! ```text
//! Access::relation(table).permits(&rights, 'r', false)    may these rights SELECT from it?
//! ```

mod access;
mod kind;
pub mod predefined;
mod rights;

pub use access::Access;
pub use kind::{Kind, letter, name};
pub use rights::{Rights, is_member};
