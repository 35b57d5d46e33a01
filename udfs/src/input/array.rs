//! Arrays: `{1,NULL,"a b"}`, and the blank-separated vectors of the catalog.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, ListArray, NullBufferBuilder};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::Field;
use datafusion::common::ScalarValue;

use super::text::trim;
use super::{Builder, Context};
use crate::types::PgType;
use crate::{Result, ValueError};

/// Collects lists of one element type.
#[derive(Debug)]
pub(crate) struct ListBuilder {
    element: PgType,
    /// `int2vector` and `oidvector`.
    vector: bool,
    pub(crate) elements: Builder,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl ListBuilder {
    pub(crate) fn new(pg_type: PgType, capacity: usize) -> Result<Self> {
        let element = pg_type.element().unwrap_or(PgType::TEXT);
        Ok(Self {
            element,
            vector: matches!(pg_type, PgType::INT2VECTOR | PgType::OIDVECTOR),
            elements: Builder::new(element, capacity)?,
            offsets: vec![0],
            nulls: NullBufferBuilder::new(capacity),
        })
    }

    pub(crate) fn append_null(&mut self) {
        self.offsets.push(self.offset());
        self.nulls.append_null();
    }

    pub(crate) fn append(&mut self, text: &str, ctx: &Context) -> Result<()> {
        let elements = if self.vector { vector(text) } else { split(text)? };
        self.append_all(&elements, |builder, element| builder.append(element.as_deref(), ctx))
    }

    /// Appends one list; when an element is refused, none of them stays.
    pub(crate) fn append_all<T>(
        &mut self,
        elements: &[T],
        append: impl Fn(&mut Builder, &T) -> Result<()>,
    ) -> Result<()> {
        let before = self.elements.len();
        if let Err(error) =
            elements.iter().try_for_each(|element| append(&mut self.elements, element))
        {
            self.elements.truncate(before);
            return Err(error);
        }
        if i32::try_from(self.elements.len()).is_err() {
            self.elements.truncate(before);
            return Err(ValueError::new("54000", "array size exceeds the maximum allowed"));
        }
        self.offsets.push(self.offset());
        self.nulls.append_non_null();
        Ok(())
    }

    fn offset(&self) -> i32 {
        i32::try_from(self.elements.len()).unwrap_or(i32::MAX)
    }

    pub(crate) fn finish(&mut self) -> ListArray {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let elements = self.elements.finish();
        let nulls = self.nulls.finish();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        ListArray::new(self.element.field("item", true), offsets, Arc::clone(&elements), nulls)
    }
}

fn vector(text: &str) -> Vec<Option<String>> {
    text.split_ascii_whitespace().map(|element| Some(element.to_owned())).collect()
}

fn malformed(text: &str, detail: &str) -> ValueError {
    ValueError::new("22P02", format!("malformed array literal: \"{text}\"")).with_detail(detail)
}

/// The elements of an array literal of one dimension, unquoted; `None` is NULL (manual §8.15.2).
pub(crate) fn split(text: &str) -> Result<Vec<Option<String>>> {
    let mut rest = opened(text)?;
    let mut elements = Vec::new();
    if let Some(after) = rest.trim_start_matches(is_blank).strip_prefix('}') {
        return closed(text, after).map(|()| elements);
    }
    loop {
        let (element, end, after) = element(text, rest)?;
        elements.push(element);
        match end {
            ',' => rest = after,
            _ => return closed(text, after).map(|()| elements),
        }
    }
}

/// The value of a literal with several dimensions or with bounds; `None`: it is a plain one.
///
/// # Errors
/// Sub-arrays of different lengths (22P02), bounds that do not begin with 1 (0A000).
pub fn nested(text: &str, pg_type: PgType, ctx: &Context) -> Result<Option<ScalarValue>> {
    let body = without_bounds(text)?;
    let deep =
        |text: &str| trim(text).strip_prefix('{').is_some_and(|rest| trim(rest).starts_with('{'));
    if !deep(body) && body.len() == trim(text).len() {
        return Ok(None);
    }
    let list = dimension(text, body, (pg_type, ctx))?;
    Ok(Some(ScalarValue::List(Arc::new(list))))
}

fn dimension(text: &str, body: &str, how: (PgType, &Context)) -> Result<ListArray> {
    let parts = parts(body);
    if !parts.first().is_some_and(|part| part.starts_with('{')) {
        let mut builder = ListBuilder::new(how.0, 1)?;
        builder.append(body, how.1)?;
        return Ok(builder.finish());
    }
    let mut lists = Vec::with_capacity(parts.len());
    for part in parts {
        lists.push(dimension(text, part, how)?);
    }
    let alike = |one: &ListArray| lists.first().map(shape) == Some(shape(one));
    if !lists.iter().all(alike) {
        let detail = "Multidimensional arrays must have sub-arrays with matching dimensions.";
        return Err(malformed(text, detail));
    }
    let lists: Vec<&dyn Array> = lists.iter().map(|one| one as &dyn Array).collect();
    let items = concat(&lists).map_err(crate::functions::value::internal)?;
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    Ok(ListArray::new(field, OffsetBuffer::from_lengths([items.len()]), items, None))
}

/// How many elements each dimension has.
fn shape(list: &ListArray) -> Vec<usize> {
    let mut lengths = vec![list.value_length(0) as usize];
    if let Some(inner) = list.values().as_list_opt::<i32>().filter(|inner| !inner.is_empty()) {
        lengths.extend(shape(inner));
    }
    lengths
}

/// The literal without `[1:2][1:3]=` before it.
fn without_bounds(text: &str) -> Result<&str> {
    let trimmed = trim(text);
    let Some((bounds, body)) = trimmed.split_once('=').filter(|_| trimmed.starts_with('[')) else {
        return Ok(trimmed);
    };
    let first = |bound: &str| bound.split_once(':').is_none_or(|(lower, _)| trim(lower) == "1");
    match bounds.split(['[', ']']).filter(|bound| !trim(bound).is_empty()).all(first) {
        true => Ok(trim(body)),
        false => Err(ValueError::new("0A000", "arrays that do not begin with 1 are not supported")),
    }
}

/// The texts between the commas of the outermost braces.
fn parts(body: &str) -> Vec<&str> {
    let inside = trim(body).strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let Some(inside) = inside else { return vec![body] };
    let (mut parts, mut start, mut depth, mut quoted, mut escaped) = (vec![], 0, 0, false, false);
    for (place, character) in inside.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(trim(&inside[start..place]));
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(trim(&inside[start..]));
    parts
}

/// What follows the opening brace.
fn opened(text: &str) -> Result<&str> {
    let trimmed = trim(text);
    if trimmed.starts_with('[') {
        return Err(ValueError::new(
            "0A000",
            "array literals with explicit bounds are not supported",
        ));
    }
    trimmed.strip_prefix('{').ok_or_else(|| {
        malformed(text, "Array value must start with \"{\" or dimension information.")
    })
}

fn closed(text: &str, after: &str) -> Result<()> {
    match trim(after) {
        "" => Ok(()),
        _ => Err(malformed(text, "Junk after closing right brace.")),
    }
}

/// Reads one element; returns it with the character that ends it and what follows that.
fn element<'t>(text: &str, rest: &'t str) -> Result<(Option<String>, char, &'t str)> {
    let rest = rest.trim_start_matches(is_blank);
    let mut value = String::new();
    // How much of the value is certain to stay when trailing blanks are cut.
    let (mut kept, mut quoted, mut inside) = (0, false, false);
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                value.extend(characters.next());
                kept = value.len();
            }
            '"' if inside => (inside, kept) = (false, value.len()),
            _ if inside => value.push(character),
            '"' if quoted || !value.is_empty() => {
                return Err(malformed(text, "Unexpected array element."));
            }
            '"' => (inside, quoted) = (true, true),
            '{' if value.is_empty() && !quoted => {
                return Err(ValueError::new(
                    "0A000",
                    "arrays of more than one dimension are not supported",
                ));
            }
            '{' => return Err(malformed(text, "Unexpected \"{\" character.")),
            ',' | '}' => {
                let value = finished(text, value, kept, quoted, character)?;
                return Ok((value, character, characters.as_str()));
            }
            _ if quoted && !is_blank(character) => {
                return Err(malformed(text, "Unexpected array element."));
            }
            _ => value.push(character),
        }
    }
    Err(malformed(text, "Unexpected end of input."))
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn finished(
    text: &str,
    mut value: String,
    kept: usize,
    quoted: bool,
    end: char,
) -> Result<Option<String>> {
    let length = value.trim_end_matches(is_blank).len().max(kept);
    value.truncate(if quoted { kept } else { length });
    if value.is_empty() && !quoted {
        return Err(malformed(text, &format!("Unexpected \"{end}\" character.")));
    }
    let null = !quoted && kept == 0 && value.eq_ignore_ascii_case("null");
    Ok((!null).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Vec<String> {
        let elements = split(text).unwrap();
        elements.into_iter().map(|element| element.unwrap_or_else(|| "∅".to_owned())).collect()
    }

    #[test]
    fn quoting() {
        for (text, expected) in [
            ("{}", vec![]),
            (" { } ", vec![]),
            ("{1, 2 ,3}", vec!["1", "2", "3"]),
            ("{a,\"b c\",NULL}", vec!["a", "b c", "∅"]),
            ("{\"NULL\",null,nulls}", vec!["NULL", "∅", "nulls"]),
            ("{\"\",\"a\\\"b\",\\,}", vec!["", "a\"b", ","]),
            ("{a b , \" c \" }", vec!["a b", " c "]),
            ("{\"{}\",\"é,ü\"}", vec!["{}", "é,ü"]),
        ] {
            assert_eq!(elements(text), expected, "{text}");
        }
    }

    #[test]
    fn dimensions() {
        let read = |text| nested(text, PgType::INT4_ARRAY, &Context::default());
        assert_eq!(read("{1,2}").unwrap(), None);
        let Some(ScalarValue::List(list)) = read("[1:2][1:2]={{1,2}, {3,NULL}}").unwrap() else {
            panic!("no list")
        };
        assert_eq!(shape(&list), [2, 2]);
        assert_eq!(read("{{1,2},{3}}").unwrap_err().sqlstate, "22P02");
        assert_eq!(read("[0:1]={1,2}").unwrap_err().sqlstate, "0A000");
    }

    #[test]
    fn refusals() {
        for text in
            ["", "1,2", "{1,2", "{1,,2}", "{a\"b\"}", "{\"a\"b}", "{1}}", "{\"a}", "{,}", "{1,}"]
        {
            let error = split(text).unwrap_err();
            assert_eq!(error.message, format!("malformed array literal: \"{text}\""));
            assert_eq!(error.sqlstate, "22P02");
        }
        assert_eq!(split("{{1},{2}}").unwrap_err().sqlstate, "0A000");
    }
}
