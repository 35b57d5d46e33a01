//! `gdpr.column_treatments()`: what is known about each column with personal data; the view
//! `gdpr.columns` is over it.

use std::sync::Arc;

use clientele_catalog::definition::{Column, Oid, Relation};
use clientele_catalog::privacy::{Decision, Opening, Treatment, treatment};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, ListBuilder, StringViewArray, StringViewBuilder, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::scalar::ScalarValue;

use crate::error::Result;
use crate::functions::declared::Function;
use crate::planning::context::QueryContext;

/// The table functions of this feature.
pub(crate) static FUNCTIONS: &[Function] = &[Function {
    name: "gdpr.column_treatments",
    parameters: &[],
    variadic: false,
    columns: COLUMNS,
    comment: "every column with personal data: category, treatment, and to whom it is open",
    kernel: rows,
}];

/// `text[]`.
const TEXTS: PgType = PgType::plain(1009);

const COLUMNS: &[(&str, PgType)] = &[
    ("table_name", PgType::TEXT),
    ("column_name", PgType::TEXT),
    ("data_type", PgType::TEXT),
    ("category", PgType::TEXT),
    ("treatment", PgType::TEXT),
    ("origin", PgType::TEXT),
    ("decided_by", PgType::TEXT),
    ("decided_at", PgType::TIMESTAMPTZ),
    ("reason", PgType::TEXT),
    ("opened_to", TEXTS),
    ("opened_by", TEXTS),
    ("opened_at", PgType::plain(1185)),
    ("opened_for", TEXTS),
];

/// A column that holds personal data, or that somebody said something about.
struct Row<'a> {
    relation: &'a Relation,
    column: &'a Column,
    treatment: Treatment,
}

impl Row<'_> {
    fn decision(&self) -> Option<&Decision> {
        self.column.privacy.as_ref()?.decision.as_ref()
    }

    fn openings(&self) -> &[Opening] {
        self.column.privacy.as_ref().map_or(&[], |privacy| &privacy.openings)
    }

    fn origin(&self) -> &'static str {
        let said = self.column.privacy.as_ref().filter(|privacy| privacy.masking.is_some());
        match said {
            Some(privacy) if privacy.decision.is_some() => "decision",
            Some(_) => "derived",
            None if self.column.domain.is_some() => "domain",
            None => "unclassified text",
        }
    }
}

fn rows(context: &QueryContext, _: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let catalog = context.catalog();
    let mut rows = Vec::new();
    let all = context.is_privacy_officer();
    for relation in catalog.relations().filter(|one| all || context.rights.sees(one)) {
        for column in relation.live_columns() {
            let treatment = treatment(catalog, relation, column);
            if treatment.category.is_some() || column.privacy.is_some() {
                rows.push(Row { relation, column, treatment });
            }
        }
    }
    rows.sort_by_cached_key(|row| (catalog.qualified_name(row.relation), row.column.number));
    let role = |oid: Oid| match oid {
        0 => "public".to_owned(),
        oid => context.engine.cluster.role(oid).map_or_else(|| oid.to_string(), |role| role.name),
    };
    let text = |of: &dyn Fn(&Row<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringViewArray>())
    };
    let texts = |of: &dyn Fn(&Opening) -> Option<String>| lists(&rows, of);
    let decided_at = rows.iter().map(|row| Some(row.decision()?.at));
    let decided_at = decided_at.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    Ok(vec![
        text(&|row| Some(catalog.qualified_name(row.relation))),
        text(&|row| Some(row.column.name.clone())),
        text(&|row| Some(data_type(context, row.column))),
        text(&|row| row.treatment.category.map(|one| one.name().to_owned())),
        text(&|row| Some(row.treatment.masking.name().to_owned())),
        text(&|row| Some(row.origin().to_owned())),
        text(&|row| Some(role(row.decision()?.by))),
        Arc::new(decided_at),
        text(&|row| row.decision()?.reason.clone()),
        texts(&|opening| Some(role(opening.role))),
        texts(&|opening| Some(role(opening.decision.by))),
        instants(&rows),
        texts(&|opening| opening.decision.reason.clone()),
    ])
}

fn data_type(context: &QueryContext, column: &Column) -> String {
    let domain = column.domain.and_then(|oid| context.catalog().domain_by_oid(oid));
    domain.map_or_else(|| column.pg_type.sql_name(), |domain| domain.name.clone())
}

/// The elements of a list of that type, as columns have them.
fn element(pg_type: PgType) -> FieldRef {
    match pg_type.array().arrow() {
        DataType::List(field) => field,
        other => Arc::new(Field::new("item", other, true)),
    }
}

fn lists(rows: &[Row<'_>], of: &dyn Fn(&Opening) -> Option<String>) -> ArrayRef {
    let builder = StringViewBuilder::new();
    let mut builder = ListBuilder::new(builder).with_field(element(PgType::TEXT));
    for row in rows {
        for opening in row.openings() {
            builder.values().append_option(of(opening));
        }
        builder.append(!row.openings().is_empty());
    }
    Arc::new(builder.finish())
}

fn instants(rows: &[Row<'_>]) -> ArrayRef {
    let builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let mut builder = ListBuilder::new(builder).with_field(element(PgType::TIMESTAMPTZ));
    for row in rows {
        for opening in row.openings() {
            builder.values().append_value(opening.decision.at);
        }
        builder.append(!row.openings().is_empty());
    }
    Arc::new(builder.finish())
}
