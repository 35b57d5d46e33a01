//! One file per relation of `pg_catalog`; those that never change are data files.

use super::system_relation::Source;

pub(crate) mod pg_aggregate;
pub(crate) mod pg_attrdef;
pub(crate) mod pg_attribute;
pub(crate) mod pg_auth_members;
pub(crate) mod pg_authid;
pub(crate) mod pg_class;
pub(crate) mod pg_constraint;
pub(crate) mod pg_cursors;
pub(crate) mod pg_database;
pub(crate) mod pg_db_role_setting;
pub(crate) mod pg_default_acl;
pub(crate) mod pg_depend;
pub(crate) mod pg_description;
pub(crate) mod pg_enum;
pub(crate) mod pg_foreign_data_wrapper;
pub(crate) mod pg_foreign_server;
pub(crate) mod pg_foreign_table;
pub(crate) mod pg_group;
pub(crate) mod pg_index;
pub(crate) mod pg_indexes;
pub(crate) mod pg_init_privs;
pub(crate) mod pg_matviews;
pub(crate) mod pg_namespace;
pub(crate) mod pg_policies;
pub(crate) mod pg_policy;
pub(crate) mod pg_prepared_statements;
pub(crate) mod pg_proc;
pub(crate) mod pg_rewrite;
pub(crate) mod pg_roles;
pub(crate) mod pg_sequence;
pub(crate) mod pg_sequences;
pub(crate) mod pg_settings;
pub(crate) mod pg_shadow;
pub(crate) mod pg_shdescription;
pub(crate) mod pg_stat_activity;
pub(crate) mod pg_stat_database;
pub(crate) mod pg_stat_progress_basebackup;
pub(crate) mod pg_stat_progress_cluster;
pub(crate) mod pg_stat_progress_copy;
pub(crate) mod pg_stat_progress_create_index;
pub(crate) mod pg_stat_progress_vacuum;
pub(crate) mod pg_stat_ssl;
pub(crate) mod pg_stat_user_indexes;
pub(crate) mod pg_stat_user_tables;
pub(crate) mod pg_statio_user_indexes;
pub(crate) mod pg_statio_user_tables;
pub(crate) mod pg_tables;
pub(crate) mod pg_timezone_names;
pub(crate) mod pg_type;
pub(crate) mod pg_user;
pub(crate) mod pg_views;

macro_rules! built {
    ($($relation:ident)*) => {
        &[$(("pg_catalog", stringify!($relation), $relation::SOURCE)),*]
    };
}

macro_rules! files {
    ($($relation:literal)*) => {
        &[$((
            "pg_catalog",
            $relation,
            Source::File(include_str!(concat!("../../../sql/pg_catalog/", $relation, ".tsv"))),
        )),*]
    };
}

/// Relations that are worked out from the context.
pub(crate) const BUILT: &[(&str, &str, Source)] = built! {
    pg_aggregate pg_attrdef pg_attribute pg_auth_members pg_authid pg_class pg_constraint
    pg_cursors pg_database pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum pg_foreign_data_wrapper
    pg_foreign_server pg_foreign_table pg_group pg_index pg_indexes pg_init_privs
    pg_matviews pg_namespace pg_policies pg_policy pg_prepared_statements pg_proc pg_rewrite pg_roles
    pg_sequence pg_sequences pg_settings pg_shadow pg_shdescription pg_stat_activity
    pg_stat_database pg_stat_progress_basebackup pg_stat_progress_cluster
    pg_stat_progress_copy pg_stat_progress_create_index pg_stat_progress_vacuum
    pg_stat_ssl pg_stat_user_indexes pg_stat_user_tables pg_statio_user_indexes
    pg_statio_user_tables pg_tables pg_timezone_names pg_type pg_user pg_views
};

/// Relations that are the same in every database.
pub(crate) const FILES: &[(&str, &str, Source)] = files! {
    "pg_am" "pg_amop" "pg_available_extensions" "pg_cast" "pg_collation" "pg_extension"
    "pg_language" "pg_opclass" "pg_operator" "pg_opfamily" "pg_range" "pg_tablespace"
};

/// Relations with the rows of another.
pub(crate) const ALIASES: &[(&str, &str, Source)] = &[
    ("pg_catalog", "pg_stat_all_tables", pg_stat_user_tables::SOURCE),
    ("pg_catalog", "pg_stat_all_indexes", pg_stat_user_indexes::SOURCE),
    ("pg_catalog", "pg_statio_all_tables", pg_statio_user_tables::SOURCE),
    ("pg_catalog", "pg_statio_all_indexes", pg_statio_user_indexes::SOURCE),
];
