//! DataFusion's failures in PostgreSQL's words. DataFusion tells most of them by text only, so this
//! is the one file that knows those texts.

use clientele_udfs::ValueError;
use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use sqlparser::ast::Visit;
use sqlparser::tokenizer::Location;

use super::{Error, argument_types};
use crate::sql::place;

impl Error {
    /// The error that a client is told.
    pub fn from_datafusion(error: &DataFusionError) -> Self {
        let root = error.find_root();
        match root {
            DataFusionError::External(inner) => external(inner.as_ref()),
            DataFusionError::ArrowError(inner, _) => arrow(inner),
            DataFusionError::SchemaError(inner, _) => schema(inner),
            DataFusionError::ResourcesExhausted(reason) => {
                tracing::debug!(%reason, "a statement ran out of memory");
                Self::new("53200", "out of memory")
                    .with_detail("The statement needs more memory than the server may use.")
                    .with_hint("Raise the setting \"memory\", or make the statement smaller.")
            }
            DataFusionError::SQL(inner, _) => Self::new("42601", format!("syntax error: {inner}")),
            DataFusionError::NotImplemented(text) => Self::new("0A000", lower(text)),
            DataFusionError::Plan(text) => plan(text),
            DataFusionError::Execution(text) | DataFusionError::Internal(text) => execution(text),
            DataFusionError::ObjectStore(inner) => object_store(inner),
            DataFusionError::IoError(inner) => io(inner),
            DataFusionError::ParquetError(inner) => {
                Self::new("XX001", format!("could not read a table's file: {inner}"))
            }
            other => execution(&other.to_string()),
        }
    }

    /// Adds the position of the name that the error is about.
    #[must_use]
    pub fn in_tree(mut self, tree: &impl Visit) -> Self {
        if self.position.is_some() {
            return self;
        }
        let name = self.message.split('"').nth(1).unwrap_or_default();
        let last = name.rsplit('.').next().unwrap_or(name);
        let found: Option<Location> = match self.sqlstate {
            "42703" => {
                self.object.column.as_deref().and_then(|column| place::of_identifier(tree, column))
            }
            "42702" | "42803" => place::of_identifier(tree, last),
            "42P01" => place::of_relation(tree, last),
            "42883" => {
                let call = self.message.strip_prefix("function ").unwrap_or_default();
                let name = call.split('(').next().unwrap_or_default();
                place::of_function(tree, name.rsplit('.').next().unwrap_or_default().trim())
            }
            _ => None,
        };
        if self.sqlstate == "42703" {
            // It was there to be found; clients are told columns that exist.
            self.object.column = None;
        }
        match found {
            Some(location) => self.located(location),
            None => self,
        }
    }

    /// Keeps a line and column until the source text is known; see `Statement::locate`.
    fn located(mut self, location: Location) -> Self {
        self.object.location = Some((location.line, location.column));
        self
    }
}

fn external(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    if let Some(own) = error.downcast_ref::<Error>() {
        return own.clone();
    }
    if let Some(value) = error.downcast_ref::<ValueError>() {
        return Error::from(value.clone());
    }
    if let Some(catalog) = error.downcast_ref::<clientele_catalog::Error>() {
        return Error::from_catalog(catalog);
    }
    if let Some(inner) = error.downcast_ref::<DataFusionError>() {
        return Error::from_datafusion(inner);
    }
    execution(&error.to_string())
}

impl From<ValueError> for Error {
    fn from(value: ValueError) -> Self {
        let mut error = Self::new(value.sqlstate, value.message);
        error.detail = value.detail;
        error.hint = value.hint;
        error
    }
}

fn arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::DivideByZero => Error::new("22012", "division by zero"),
        ArrowError::ArithmeticOverflow(_) => Error::new("22003", "value out of range"),
        ArrowError::CastError(text) => Error::new("22P02", lower(text)),
        ArrowError::ParseError(text) => Error::new("22P02", lower(text)),
        ArrowError::ExternalError(inner) => external(inner.as_ref()),
        ArrowError::InvalidArgumentError(text) if text.contains("to store in a Decimal") => {
            Error::new("22003", "numeric field overflow")
        }
        other => execution(&other.to_string()),
    }
}

fn schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let name = field.name();
            let shown = match &field.relation {
                Some(relation) => format!("column {}.{name} does not exist", relation.table()),
                None => format!("column \"{name}\" does not exist"),
            };
            let mut error = Error::new("42703", shown);
            error.object.column = Some(name.to_owned());
            let near = valid_fields
                .iter()
                .map(|one| (distance(one.name(), name), one))
                .filter(|(distance, one)| *distance <= (name.len().max(one.name().len()) / 2))
                .min_by_key(|(distance, _)| *distance);
            if let Some((_, one)) = near {
                let table = one.relation.as_ref().map(|table| format!("{}.", table.table()));
                let text = format!("{}{}", table.unwrap_or_default(), one.name());
                error = error
                    .with_hint(format!("Perhaps you meant to reference the column \"{text}\"."));
            }
            error
        }
        SchemaError::AmbiguousReference { field } => {
            Error::new("42702", format!("column reference \"{}\" is ambiguous", field.name()))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            Error::new("42701", format!("column name \"{name}\" specified more than once"))
        }
    }
}

/// Levenshtein distance, for the HINT.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut previous = line + 1;
        for (slot, b) in row.iter_mut().skip(1).zip(&right) {
            let value = (diagonal + usize::from(a != *b)).min(previous + 1).min(*slot + 1);
            diagonal = std::mem::replace(slot, value);
            previous = value;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

fn plan(text: &str) -> Error {
    if let Some(rest) = text.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or_default();
        return undefined_function(name, "");
    }
    if text.contains("must be in GROUP BY")
        || text.contains("must be part of GROUP BY")
        || text.contains("must appear in the GROUP BY")
    {
        let full = text.split('"').nth(1).unwrap_or_default();
        let schema = full.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
        let column = full.get(schema..).unwrap_or_default();
        return Error::new(
            "42803",
            format!(
                "column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function"
            ),
        );
    }
    if text.contains("Cannot coerce arithmetic expression")
        || text.contains("Cannot infer common argument type")
        || text.contains("Cannot infer common string type")
        || text.contains("to valid types")
    {
        return operator(text);
    }
    if text.contains("No function matches the given name and argument types")
        || text.contains("Failed to coerce arguments")
        || text.contains("does not support") && text.contains("unction")
    {
        let name = text.split('\'').nth(1).unwrap_or_default();
        let name = name.split('(').next().unwrap_or_default();
        return undefined_function(name, &argument_types::of(text));
    }
    if text.contains("queries have different number of columns") {
        let word = text.split(' ').next().unwrap_or_default().to_uppercase();
        let text = format!("each {word} query must have the same number of columns");
        return Error::new("42601", text);
    }
    if text.starts_with("LIMIT must be >= 0") {
        return Error::new("2201W", "LIMIT must not be negative");
    }
    if text.starts_with("OFFSET must be >= 0") {
        return Error::new("2201X", "OFFSET must not be negative");
    }
    if text.contains("ggregate function calls cannot be nested") {
        return Error::new("42803", "aggregate function calls cannot be nested");
    }
    if text.contains("ggregate functions are not allowed in the WHERE") {
        return Error::new("42803", "aggregate functions are not allowed in WHERE");
    }
    if text.contains("Projections require unique expression names") {
        return Error::new("42701", "a column name is specified more than once");
    }
    if text.contains("Aggregate functions are not allowed")
        || text.contains("aggregate functions are not allowed")
    {
        return Error::new("42803", lower(text));
    }
    Error::new("42601", lower(text))
}

/// `operator does not exist: integer || date` (42883).
fn operator(text: &str) -> Error {
    Error::new("42883", format!("operator does not exist: {}", lower(text)))
        .with_hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}

fn undefined_function(name: &str, arguments: &str) -> Error {
    Error::new("42883", format!("function {name}({arguments}) does not exist")).with_hint(
        "No function matches the given name and argument types. You might need to add explicit type casts.",
    )
}

fn execution(text: &str) -> Error {
    if let Some((name, data_type)) =
        text.strip_prefix("[return_type] ").and_then(|rest| rest.split_once(" not supported for "))
    {
        let arguments = argument_types::named(data_type).unwrap_or_default();
        return undefined_function(&name.to_lowercase(), &arguments);
    }
    if text.contains("ivide by zero") || text.contains("ivision by zero") {
        return Error::new("22012", "division by zero");
    }
    if text.contains("verflow") {
        return Error::new("22003", "value out of range");
    }
    if text.contains("egative count not allowed") {
        return Error::new("22011", "negative substring length not allowed");
    }
    if text.contains("more than one row") {
        return Error::new(
            "21000",
            "more than one row returned by a subquery used as an expression",
        );
    }
    if text.contains("No space left on device") || text.contains("disk space") {
        return Error::new("53100", "no space left on device");
    }
    plan_like(text).unwrap_or_else(|| Error::new("XX000", lower(text)))
}

/// Texts that reach us as execution errors although they are the user's.
fn plan_like(text: &str) -> Option<Error> {
    let user =
        ["Cannot coerce", "No function matches", "Invalid function '", "must be in GROUP BY"];
    user.iter().any(|sign| text.contains(sign)).then(|| plan(text))
}

fn object_store(error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { path, .. } => {
            Error::new("58P01", format!("a table's file is missing: \"{path}\""))
        }
        other => Error::new("58030", format!("could not read a table's file: {other}")),
    }
}

fn io(error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Error::new("53100", "no space left on device"),
        _ => Error::new("58030", format!("input/output error: {error}")),
    }
}

/// PostgreSQL's messages begin in lower case and have no full stop and one line.
fn lower(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let mut characters = line.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
