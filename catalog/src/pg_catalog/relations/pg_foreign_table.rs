//! `pg_foreign_table`: where the rows of foreign tables are. PostgreSQL manual:
//! catalog-pg-foreign-table.

use super::super::facts::foreign;
use super::super::system_relation::relation;

relation! { (context) (_, relation, foreign_table) in foreign::tables(context) => {
    ftrelid: relation.oid,
    ftserver: foreign_table.server,
    ftoptions: foreign::options(&foreign_table.options),
} }
