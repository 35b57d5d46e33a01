//! The roles that every cluster has (manual: predefined-roles), with PostgreSQL's own OIDs.

use crate::definition::{Oid, Role};

/// Reads all tables, views and sequences.
pub const READ_ALL_DATA: Oid = 6181;
/// Writes all tables and views.
pub const WRITE_ALL_DATA: Oid = 6182;
/// Reads all settings.
pub const READ_ALL_SETTINGS: Oid = 3374;
/// Reads all of what `pg_stat_…` shows.
pub const READ_ALL_STATS: Oid = 3375;
/// Looks at tables for statistics.
pub const STAT_SCAN_TABLES: Oid = 3377;
/// The three before together.
pub const MONITOR: Oid = 3373;
/// The owner of the database that one is connected to.
pub const DATABASE_OWNER: Oid = 6171;
/// Stops other sessions.
pub const SIGNAL_BACKEND: Oid = 4200;
/// Reads files of the server.
pub const READ_SERVER_FILES: Oid = 4569;
/// Opens columns, and says what they hold. PostgreSQL has no such role.
pub const PRIVACY_OFFICER: Oid = 14090;
/// Writes files of the server.
pub const WRITE_SERVER_FILES: Oid = 4570;

const ALL: &[(Oid, &str)] = &[
    (READ_ALL_DATA, "pg_read_all_data"),
    (WRITE_ALL_DATA, "pg_write_all_data"),
    (READ_ALL_SETTINGS, "pg_read_all_settings"),
    (READ_ALL_STATS, "pg_read_all_stats"),
    (STAT_SCAN_TABLES, "pg_stat_scan_tables"),
    (MONITOR, "pg_monitor"),
    (DATABASE_OWNER, "pg_database_owner"),
    (SIGNAL_BACKEND, "pg_signal_backend"),
    (READ_SERVER_FILES, "pg_read_server_files"),
    (WRITE_SERVER_FILES, "pg_write_server_files"),
    (PRIVACY_OFFICER, "privacy_officer"),
];

/// Their definitions.
pub fn roles() -> impl Iterator<Item = Role> {
    ALL.iter().map(|(oid, name)| Role {
        oid: *oid,
        name: (*name).to_owned(),
        password: None,
        login: false,
        superuser: false,
        create_database: false,
        create_role: false,
        inherit: true,
        connection_limit: -1,
        member_of: match *oid {
            MONITOR => vec![READ_ALL_SETTINGS, READ_ALL_STATS, STAT_SCAN_TABLES],
            _ => Vec::new(),
        },
        comment: (*oid == PRIVACY_OFFICER).then(|| {
            "opens personal columns to roles, and says how columns are treated".to_owned()
        }),
        valid_until: None,
        settings: Vec::new(),
        bypasses_row_security: false,
    })
}
