//! `pg_settings`: settings of the session. PostgreSQL manual: view-pg-settings.

use super::super::system_relation::relation;

relation! { (context) setting in &context.settings => {
    name: &setting.name,
    setting: &setting.setting,
    unit: setting.unit.as_deref(),
    category: &setting.category,
    short_desc: &setting.description,
    context: &setting.context,
    vartype: &setting.value_type,
    source: &setting.source,
    min_val: setting.minimum.as_deref(),
    max_val: setting.maximum.as_deref(),
    enumvals: setting.choices.clone(),
    boot_val: setting.boot_value.as_deref(),
    reset_val: setting.reset_value.as_deref(),
    pending_restart: false,
} }
