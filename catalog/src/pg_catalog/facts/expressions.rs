//! SQL text of definitions, as PostgreSQL would print it as far as that needs no parser.

use clientele_udfs::types::PgType;

use super::super::context::Context;
use super::{columns, dependencies};
use crate::definition::Column;

/// A default: `'new'` on a text column prints as `'new'::text`. What an identity column draws its
/// values from is no default.
pub(crate) fn default(context: &Context, column: &Column) -> Option<String> {
    if column.identity.is_some() {
        return None;
    }
    let text = column.generated.as_ref().or(column.default.as_ref())?;
    if let Some(text) = of_sequence(context, text) {
        return Some(text);
    }
    let text = text.trim();
    if SPECIAL_VALUES.iter().any(|one| text.eq_ignore_ascii_case(one)) {
        return Some(text.to_uppercase()).filter(|text| text != "NULL");
    }
    // PostgreSQL prints literals without the modifiers of their types.
    let pg_type = PgType { modifier: -1, ..column.pg_type };
    let type_name = match (column.domain, pg_type) {
        (None, PgType::BPCHAR) => "bpchar".to_owned(),
        (domain, pg_type) => columns::type_name(context, pg_type, domain),
    };
    Some(with_type(&shown(text), &type_name))
}

/// Values that are key words; NULL is no default.
const SPECIAL_VALUES: &[&str] = &[
    "null",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// `nextval('"shop"."orders_id_seq"')` as `nextval('shop.orders_id_seq'::regclass)`, by which tools
/// know a column that counts; the name is as short as the search path allows.
fn of_sequence(context: &Context, text: &str) -> Option<String> {
    let inner = text.strip_prefix("nextval('")?;
    let name = inner.strip_suffix("'::REGCLASS)").or_else(|| inner.strip_suffix("')"))?;
    let sequence = dependencies::relation_of_text(context, &name.replace("''", "'"))?;
    let shown = context.display_relation(context.catalog.relation_by_oid(sequence)?);
    Some(format!("nextval({}::regclass)", quote_literal(&shown)))
}

/// An expression with the types of its casts in PostgreSQL's small letters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if quote.is_none()
            && let Some(behind) = rest.strip_prefix("::")
        {
            let length = length_of_type(behind);
            shown.push_str("::");
            shown.push_str(&behind[..length].to_lowercase());
            rest = &behind[length..];
            continue;
        }
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            _ => {}
        }
        shown.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    shown
}

/// How many bytes of a text are the name of a type in capital letters: the words that may follow
/// one another are few.
fn length_of_type(text: &str) -> usize {
    const FURTHER: &[&str] = &["VARYING", "PRECISION", "WITH", "WITHOUT", "TIME", "ZONE"];
    let word = |text: &str| {
        let is_part = |one: char| one.is_ascii_uppercase() || one.is_ascii_digit();
        text.find(|one| !is_part(one)).unwrap_or(text.len())
    };
    let mut length = word(text);
    while let Some(further) = text[length..].strip_prefix(' ') {
        let next = word(further);
        if !FURTHER.contains(&&further[..next]) {
            break;
        }
        length += 1 + next;
    }
    length
}

/// The default of a domain.
pub(crate) fn domain_default(text: &str, base: PgType) -> String {
    with_type(text, &base.sql_name())
}

fn with_type(text: &str, type_name: &str) -> String {
    let text = text.trim();
    if is_string_literal(text) { format!("{text}::{type_name}") } else { text.to_owned() }
}

/// Whether the text is one string literal and nothing else.
fn is_string_literal(text: &str) -> bool {
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.is_some_and(|inner| !inner.replace("''", "").contains('\''))
}

/// An expression without the parentheses that enclose all of it.
pub(crate) fn bare(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        if !balanced(inner) {
            break;
        }
        text = inner.trim();
    }
    text
}

/// Whether no parenthesis closes one that was not opened here.
fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && quote.is_none()
}

/// The words outside of string literals, unquoted: candidates for names.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => {
                quote = None;
                words.extend((open == '"').then(|| std::mem::take(&mut word)));
                word.clear();
            }
            (Some(_), _) => word.push(letter),
            (None, _) if letter.is_alphanumeric() || letter == '_' => {
                word.extend(letter.to_lowercase())
            }
            (None, _) => {
                words.push(std::mem::take(&mut word));
                quote = (letter == '\'' || letter == '"').then_some(letter);
            }
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// A name as SQL needs it: quoted unless it is a plain lower-case word that is not reserved.
pub fn quote_identifier(name: &str) -> String {
    let mut letters = name.chars();
    let plain = letters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && letters
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    match plain && RESERVED.binary_search(&name).is_err() {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// Text as an SQL string literal.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Every key word of PostgreSQL 15 that `quote_ident` quotes, sorted.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast",
    "char", "character", "check", "coalesce", "collate", "collation", "column", "concurrently",
    "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists",
    "extract", "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant",
    "greatest", "group", "grouping", "having", "ilike", "in", "initially", "inner", "inout",
    "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "lateral",
    "leading", "least", "left", "like", "limit", "localtime", "localtimestamp", "national",
    "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric",
    "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing",
    "position", "precision", "primary", "real", "references", "returning", "right", "row",
    "select", "session_user", "setof", "similar", "smallint", "some", "substring", "symmetric",
    "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat", "trim",
    "true", "union", "unique", "user", "using", "values", "varchar", "variadic", "verbose",
    "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists",
    "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
];
