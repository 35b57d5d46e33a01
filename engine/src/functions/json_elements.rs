//! A JSON array as the text of an array of PostgreSQL's: `json_to_record('{"a": [1, 2]}') AS t(a int[])`.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Its name; the argument is the JSON text.
pub const JSON_ELEMENTS: &str = "elements of";

/// The function.
pub(super) fn function() -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(Elements { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Elements {
    signature: Signature,
}

impl ScalarUDFImpl for Elements {
    fn name(&self) -> &str {
        JSON_ELEMENTS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [argument] = args.args.as_slice() else {
            return datafusion::common::internal_err!("one argument expected");
        };
        let texts = cast(&argument.to_array(args.number_rows)?, &DataType::Utf8View)?;
        let arrays: StringViewArray =
            texts.as_string_view().iter().map(|text| text.map(array)).collect();
        Ok(ColumnarValue::Array(Arc::new(arrays)))
    }
}

/// `[1, null, "a"]` is `{1,NULL,"a"}`; what is no array stays.
fn array(text: &str) -> String {
    if !text.trim_start().starts_with('[') {
        return text.to_owned();
    }
    let mut array = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' => string(rest),
            '{' => object(rest),
            '[' | ']' | ',' => 1,
            next if next.is_whitespace() => next.len_utf8(),
            _ => rest.find([',', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(length);
        match next {
            '"' => quote(&serde_json::from_str::<String>(part).unwrap_or_default(), &mut array),
            '{' => quote(part, &mut array),
            '[' => array.push('{'),
            ']' => array.push('}'),
            next if next.is_whitespace() => {}
            _ if part == "null" => array.push_str("NULL"),
            _ => array.push_str(part),
        }
        rest = after;
    }
    array
}

/// Bytes of the string that the text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// Bytes of the object that the text begins with.
fn object(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(next) = text[at..].chars().next() {
        at += match next {
            '"' => string(&text[at..]),
            next => next.len_utf8(),
        };
        match next {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quote(element: &str, into: &mut String) {
    into.push('"');
    for character in element.chars() {
        if matches!(character, '"' | '\\') {
            into.push('\\');
        }
        into.push(character);
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::array;

    #[test]
    fn json_arrays_become_arrays() {
        let cases = [
            ("[1, null, 2.50]", "{1,NULL,2.50}"),
            ("[\"a\\\"b\", \"\"]", "{\"a\\\"b\",\"\"}"),
            ("[[1], [2]]", "{{1},{2}}"),
            ("[{\"a\": \"}\"}]", "{\"{\\\"a\\\": \\\"}\\\"}\"}"),
            ("{1,2}", "{1,2}"),
        ];
        for (json, expected) in cases {
            assert_eq!(array(json), expected);
        }
    }
}
