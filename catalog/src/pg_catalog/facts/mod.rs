//! What several relations need, each fact worked out in one place.

pub(crate) mod columns;
pub(crate) mod constraints;
pub(crate) mod dependencies;
pub(crate) mod expressions;
pub(crate) mod foreign;
pub(crate) mod functions;
pub(crate) mod grants;
pub(crate) mod indexes;
pub(crate) mod oids;
pub(crate) mod sql_types;
pub(crate) mod types;
