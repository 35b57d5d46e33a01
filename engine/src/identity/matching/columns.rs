//! Which columns are compared, and as what.

use std::sync::Arc;

use clientele_catalog::definition::{Column, Relation, RelationKind};
use clientele_catalog::domains::{self, Subject};
use clientele_identity::matching::Meaning;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql;

/// A table whose rows are records to match.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) relation: Arc<Relation>,
    /// Number of a column, and the place of its comparison.
    pub(super) columns: Vec<(i16, usize)>,
}

/// What is compared: the tables, and the comparisons by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) sources: Vec<Source>,
    pub(super) comparisons: Vec<(String, Meaning)>,
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Names of tables, with commas between; empty: every table that says something about people.
    pub(super) tables: String,
    /// `title text, price number`: columns to compare beside those with domains.
    pub(super) columns: String,
}

/// How a built-in domain's values are compared; `None`: not at all.
fn meaning_of(domain: &str) -> Option<Meaning> {
    Some(match domain {
        "given_name" => Meaning::GivenName,
        "family_name" => Meaning::FamilyName,
        "full_name" => Meaning::FullName,
        "birth_date" => Meaning::Date,
        "email" => Meaning::Email,
        "phone" => Meaning::Phone,
        "street_address" => Meaning::Address,
        "postcode" => Meaning::Postcode,
        "city" => Meaning::City,
        "country" | "gender" => Meaning::Category,
        _ => return None,
    })
}

/// Finds the tables and their comparisons.
///
/// # Errors
/// 42P01, 42704, 42703, 42P17 when nothing can be compared.
pub(super) fn plan(context: &QueryContext, asked: &Asked) -> Result<Plan> {
    let given = given(&asked.columns)?;
    let relations = match asked.tables.is_empty() {
        true => context.catalog().relations().filter(|one| is_source(one)).cloned().collect(),
        false => named(context, &asked.tables)?,
    };
    let mut plan = Plan::default();
    for relation in relations {
        let mut counts = std::collections::HashMap::new();
        let mut columns = Vec::new();
        for column in relation.live_columns() {
            let Some((name, meaning)) = comparison(context, column, &given) else { continue };
            // The second column of a domain is another comparison.
            let count = counts.entry(name.clone()).or_insert(0);
            *count += 1;
            let name = if *count == 1 { name } else { format!("{name} {count}") };
            let known = plan.comparisons.iter().position(|one| one.0 == name);
            let place = known.unwrap_or_else(|| {
                plan.comparisons.push((name, meaning));
                plan.comparisons.len() - 1
            });
            columns.push((column.number, place));
        }
        // An e-mail address alone stitches, and is nothing to compare.
        let says = |(number, _): &(i16, usize)| {
            relation.column_by_number(*number).is_some_and(|column| !identifies(context, column))
        };
        if columns.iter().any(says) {
            plan.sources.push(Source { relation, columns });
        }
    }
    match plan.sources.is_empty() {
        false => Ok(plan),
        true => Err(Error::new("42P17", "no table has columns to match records by")
            .with_hint("Give columns a domain such as given_name or birth_date, or name them in columns => 'title text'.")),
    }
}

fn is_source(relation: &Relation) -> bool {
    let has_node = relation.live_columns().any(|one| one.subject == Some(Subject::Person));
    relation.kind == RelationKind::Table
        && has_node
        && !clientele_catalog::features::is_feature_schema(relation.schema)
}

fn identifies(context: &QueryContext, column: &Column) -> bool {
    let meaning = column.domain.and_then(|oid| domains::meaning(context.catalog(), oid));
    meaning.is_some_and(|one| one.identifies())
}

fn comparison(
    context: &QueryContext,
    column: &Column,
    given: &[(String, Meaning)],
) -> Option<(String, Meaning)> {
    if let Some((name, meaning)) = given.iter().find(|(name, _)| *name == column.name) {
        return Some((name.clone(), *meaning));
    }
    let domain = domains::meaning(context.catalog(), column.domain?)?;
    Some((domain.name.to_owned(), meaning_of(domain.name)?))
}

/// `title text, price number`.
fn given(text: &str) -> Result<Vec<(String, Meaning)>> {
    let wrong = |one: &str| {
        Error::new("22023", format!("invalid comparison \"{one}\""))
            .with_hint("Write a column and how it is compared, as in title text: given_name, family_name, full_name, company, date, email, phone, address, postcode, city, category, number, text or key.")
    };
    let parts = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    parts
        .map(|one| {
            let (name, meaning) = one.rsplit_once(' ').ok_or_else(|| wrong(one))?;
            let meaning = Meaning::named(meaning.trim()).ok_or_else(|| wrong(one))?;
            Ok((name.trim().trim_matches('"').to_owned(), meaning))
        })
        .collect()
}

fn named(context: &QueryContext, tables: &str) -> Result<Vec<Arc<Relation>>> {
    let mut found = Vec::new();
    for name in tables.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        let name = match sql::parse::expression(name)? {
            ast::Expr::Identifier(one) => ast::ObjectName::from(vec![one]),
            ast::Expr::CompoundIdentifier(parts) => ast::ObjectName::from(parts),
            _ => return Err(Error::new("42602", "invalid name syntax")),
        };
        let relation = context.relation(&name)?;
        if !is_source(&relation) {
            let text = format!("rows of \"{}\" cannot be matched", relation.name);
            return Err(Error::new("42809", text)
                .with_detail("They have no customer_id: the table has no identifiers."));
        }
        found.push(relation);
    }
    Ok(found)
}
