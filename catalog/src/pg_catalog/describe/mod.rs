//! The functions of `pg_catalog` that describe objects, as plain functions over a [`Context`].
//! The engine gives them their SQL names. PostgreSQL manual: functions-info.
//!
//! [`Context`]: super::Context

pub mod comments;
pub mod definitions;
pub mod functions;
pub mod index_properties;
pub mod names;
pub mod privileges;
pub mod sizes;
