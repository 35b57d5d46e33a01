//! `character_sets`: UTF8, the one there is. PostgreSQL manual: infoschema-character-sets.

use super::super::system_relation::relation;

relation! { (context) name in ["UTF8"] => {
    character_set_name: name,
    character_repertoire: "UCS",
    form_of_use: name,
    default_collate_catalog: &context.database.name,
    default_collate_schema: "pg_catalog",
    default_collate_name: "C.UTF-8",
} }
