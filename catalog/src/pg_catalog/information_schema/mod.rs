//! One file per relation of `information_schema` that has rows (manual: information-schema). The
//! views show what the current role may do something with.

use super::context::Context;
use super::system_relation::Source;
use crate::definition::{Grant, Oid};
use crate::privileges::Rights;

mod applicable_roles;
mod character_sets;
mod check_constraints;
mod collations;
mod column_domain_usage;
mod column_privileges;
mod column_udt_usage;
mod columns;
mod constraint_column_usage;
mod constraint_table_usage;
mod domain_constraints;
mod domain_udt_usage;
mod domains;
mod element_types;
mod enabled_roles;
mod foreign_data_wrappers;
mod foreign_server_options;
mod foreign_servers;
mod foreign_table_options;
mod foreign_tables;
mod information_schema_catalog_name;
mod key_column_usage;
mod parameters;
mod referential_constraints;
mod routines;
mod schemata;
mod sequences;
mod table_constraints;
mod table_privileges;
mod tables;
mod usage_privileges;
mod view_table_usage;
mod views;

macro_rules! built {
    ($($relation:ident)*) => {
        &[$(("information_schema", stringify!($relation), $relation::SOURCE)),*]
    };
}

/// Relations that are worked out from the context.
pub(crate) const BUILT: &[(&str, &str, Source)] = built! {
    applicable_roles character_sets check_constraints collations column_domain_usage
    column_privileges column_udt_usage columns constraint_column_usage
    constraint_table_usage domain_constraints domain_udt_usage domains element_types
    enabled_roles foreign_data_wrappers foreign_server_options foreign_servers
    foreign_table_options foreign_tables information_schema_catalog_name key_column_usage parameters
    referential_constraints routines schemata sequences table_constraints table_privileges
    tables usage_privileges view_table_usage views
};

/// Relations with the rows of another.
pub(crate) const ALIASES: &[(&str, &str, Source)] = &[
    ("information_schema", "role_table_grants", table_privileges::SOURCE),
    ("information_schema", "role_column_grants", column_privileges::SOURCE),
    ("information_schema", "role_usage_grants", usage_privileges::SOURCE),
];

/// The standard's booleans.
fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}

/// Name of a grantee; 0 is PUBLIC.
fn grantee(context: &Context, role: Oid) -> String {
    if role == 0 { "PUBLIC".to_owned() } else { context.role_name(role) }
}

/// Whether a grant was given by or to a role that is enabled, or to everyone.
fn concerns(rights: &Rights, grant: &Grant) -> bool {
    grant.grantee == 0 || rights.owns(grant.grantee) || rights.owns(grant.grantor)
}
