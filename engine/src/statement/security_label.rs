//! `SECURITY LABEL` (manual: sql-security-label): how a column is treated. The provider is
//! `privacy`; `anon` says the same, so that scripts for PostgreSQL Anonymizer go on.

use sqlparser::ast::ObjectName;

use crate::error::{Error, Result};
use crate::privacy::classify::{Said, classify};
use crate::session::Session;
use crate::sql::place::name_parts;
use crate::sql::security_label::SecurityLabel;

const PROVIDERS: [&str; 2] = ["privacy", "anon"];

/// Runs a SECURITY LABEL.
pub(super) async fn execute(session: &mut Session, label: &SecurityLabel) -> Result<String> {
    const TAG: &str = "SECURITY LABEL";
    session.writable(TAG)?;
    if let Some(provider) = &label.provider
        && !PROVIDERS.contains(&provider.as_str())
    {
        let text = format!("security label provider \"{provider}\" is not loaded");
        return Err(Error::new("22023", text).with_hint("The provider is privacy."));
    }
    if label.kind != "column" {
        return Err(Error::unsupported(format!("a security label on a {}", label.kind))
            .with_hint("Columns have labels; every role but superusers is masked."));
    }
    let parts = &label.object.0;
    let Some((_, table)) = parts.split_last().filter(|(_, table)| !table.is_empty()) else {
        return Err(Error::new("42601", "column name must be qualified"));
    };
    let column = name_parts(&label.object).pop().unwrap_or_default();
    let said = match &label.label {
        Some(text) => Said { treatment: Some(text), ..Said::default() },
        None => Said { forget: true, ..Said::default() },
    };
    classify(session, (&ObjectName(table.to_vec()), &column), said).await?;
    Ok(TAG.to_owned())
}
