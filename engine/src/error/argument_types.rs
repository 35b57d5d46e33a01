//! The types of a call's arguments, read from what DataFusion says of a call that fits no function.

/// `integer, text`, as PostgreSQL names them; nothing where one of them is not known.
pub(super) fn of(text: &str) -> String {
    let called = text.split('\'').nth(1).and_then(|call| call.split_once('('));
    let called = called.and_then(|(_, rest)| rest.strip_suffix(')'));
    let coerced = text.split_once("coercion from ").map(|(_, rest)| rest);
    let coerced = coerced.and_then(|rest| rest.split_once(" to the signature"));
    let Some(types) = called.or(coerced.map(|(types, _)| types)) else { return String::new() };
    let names = split(types).into_iter().map(named).collect::<Option<Vec<_>>>();
    names.unwrap_or_default().join(", ")
}

/// At the commas outside of parentheses.
fn split(types: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
    for (at, letter) in types.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(types.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(types.get(from..).unwrap_or_default().trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// PostgreSQL's name of an Arrow type.
pub(super) fn named(data_type: &str) -> Option<String> {
    if let Some(element) = data_type.strip_prefix("List(").and_then(|rest| rest.strip_suffix(')')) {
        let element = element.split(',').next().unwrap_or_default();
        return named(element.rsplit(' ').next().unwrap_or_default()).map(|name| name + "[]");
    }
    let name = match data_type.split('(').next().unwrap_or_default() {
        "Int16" => "smallint",
        "Int32" => "integer",
        "Int64" => "bigint",
        "Float32" => "real",
        "Float64" => "double precision",
        "Utf8" | "Utf8View" | "LargeUtf8" => "text",
        "Boolean" => "boolean",
        "Date32" => "date",
        "Time64" => "time without time zone",
        "Timestamp" if data_type.contains("None") || !data_type.contains(',') => {
            "timestamp without time zone"
        }
        "Timestamp" => "timestamp with time zone",
        "Interval" => "interval",
        "Decimal128" | "LargeBinary" => "numeric",
        "Binary" | "BinaryView" => "bytea",
        "Null" => "unknown",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn types_of_calls() {
        let text =
            "No function matches the given name and argument types 'upper(Int32, Utf8View)'.";
        assert_eq!(of(text), "integer, text");
        let text = "Failed to coerce arguments to satisfy a call to 'f' function: coercion from \
                    Decimal128(10, 2), Boolean to the signature Any failed";
        assert_eq!(of(text), "numeric, boolean");
        assert_eq!(of("'f(Struct(a))'"), "");
    }
}
