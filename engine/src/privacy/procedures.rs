//! What `CALL` runs.

use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::classify::{self, Said};
use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, text};
use crate::session::Session;
use crate::sql::place::folded;

const fn parameter(name: &'static str, default: Option<&'static str>) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default }
}

/// The procedures of this feature.
pub(crate) static PROCEDURES: &[Procedure] = &[Procedure {
    schema: "gdpr",
    name: "classify",
    parameters: &[
        parameter("table_name", None),
        parameter("column_name", None),
        parameter("treatment", Some("NULL")),
        parameter("category", Some("NULL")),
        parameter("reason", Some("NULL")),
    ],
    columns: &[],
    comment: "says how a column is treated (open, pseudonym, generalise, null), and which category of personal data it holds",
    kernel: |session, arguments| {
        Box::pin(async move {
            classified(session, &arguments).await?;
            Ok(None)
        })
    },
}];

async fn classified(session: &mut Session, arguments: &[ScalarValue]) -> Result<()> {
    session.writable("CALL")?;
    let (Some(table), Some(column)) = (text(arguments, 0), text(arguments, 1)) else {
        return Err(Error::new("22004", "gdpr.classify needs a table and a column"));
    };
    let table = classify::table_name(table)?;
    // A column is named as SQL names it.
    let column = match crate::sql::parse::expression(column)? {
        sqlparser::ast::Expr::Identifier(name) => folded(&name),
        _ => return Err(Error::new("42602", "invalid name syntax")),
    };
    let said = Said {
        treatment: text(arguments, 2),
        category: text(arguments, 3),
        forget: false,
        reason: text(arguments, 4),
    };
    if said.treatment.is_none() && said.category.is_none() {
        return Err(Error::new("22004", "gdpr.classify needs a treatment or a category"));
    }
    classify::classify(session, (&table, &column), said).await
}
