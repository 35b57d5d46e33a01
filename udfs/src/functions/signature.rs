//! Signatures as PostgreSQL's `\df` prints them, and the choice among overloads.
//!
//! Grammar of one: `name(argument, …) -> [SETOF] type`, an argument being
//! `[VARIADIC | OUT] [name] type [DEFAULT value]` with one-word type names (`int4`, `text[]`).

use datafusion::arrow::datatypes::{DataType, Field};

use crate::types::PgType;

/// `anyelement`, `anyarray`, `"any"`: types that follow the arguments.
pub const ANY_ELEMENT: PgType = PgType::plain(2283);
/// See [`ANY_ELEMENT`].
pub const ANY_ARRAY: PgType = PgType::plain(2277);
/// See [`ANY_ELEMENT`].
pub const ANY: PgType = PgType::plain(2276);

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for `name => value`.
    pub name: Option<&'static str>,
    /// Its type; of a variadic parameter the array type, or `"any"`.
    pub pg_type: PgType,
    /// The default as SQL, when it may be left out.
    pub default: Option<&'static str>,
}

/// One overload of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Name.
    pub name: &'static str,
    /// Input parameters.
    pub parameters: Vec<Parameter>,
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// Columns of a set of rows (`OUT` parameters).
    pub columns: Vec<Parameter>,
    /// Result type; `record` with [`Signature::columns`].
    pub result: PgType,
    /// Whether it returns a set.
    pub returns_set: bool,
}

/// How unlike an argument is to a parameter; `None`: it does not go.
type Cost = Option<u32>;

impl Signature {
    /// Parses `name(text, int4) -> text`; `None` when malformed.
    pub fn parse(text: &'static str) -> Option<Self> {
        let (call, result) = text.split_once(" -> ")?;
        let (name, arguments) = call.trim().strip_suffix(')')?.split_once('(')?;
        let (returns_set, result) = match result.trim().strip_prefix("SETOF ") {
            Some(result) => (true, result),
            None => (false, result.trim()),
        };
        let result = type_named(result)?;
        let mut signature = Self {
            name,
            parameters: vec![],
            variadic: false,
            columns: vec![],
            result,
            returns_set,
        };
        for argument in arguments.split(", ").filter(|argument| !argument.trim().is_empty()) {
            let argument = argument.trim();
            if let Some(column) = argument.strip_prefix("OUT ") {
                signature.columns.push(parameter(column)?);
                continue;
            }
            let (variadic, argument) = match argument.strip_prefix("VARIADIC ") {
                Some(argument) => (true, argument),
                None => (false, argument),
            };
            signature.variadic |= variadic;
            signature.parameters.push(parameter(argument)?);
        }
        Some(signature)
    }

    /// The arguments as `\df` prints them: `text, VARIADIC "any"`.
    pub fn arguments(&self) -> String {
        let last = self.parameters.len().saturating_sub(1);
        let inputs = self.parameters.iter().enumerate().map(|(index, parameter)| {
            let prefix = if self.variadic && index == last { "VARIADIC " } else { "" };
            format!("{prefix}{}", parameter.print())
        });
        let outputs = self.columns.iter().map(|column| format!("OUT {}", column.print()));
        inputs.chain(outputs).collect::<Vec<_>>().join(", ")
    }

    /// The result as `\df` prints it.
    pub fn result_name(&self) -> String {
        let set = if self.returns_set { "SETOF " } else { "" };
        format!("{set}{}", self.result.sql_name())
    }

    /// The parameter type that an argument at this place is converted to.
    pub fn parameter_type(&self, index: usize, arguments: &[PgType]) -> Option<PgType> {
        let last = self.parameters.len().checked_sub(1)?;
        if index < last || !self.variadic {
            return Some(self.parameters.get(index)?.pg_type);
        }
        let variadic = self.parameters.get(last)?.pg_type;
        let is_array = index == last
            && arguments.len() == last + 1
            && arguments.get(index).is_some_and(|given| given.element().is_some());
        match variadic.element() {
            Some(element) if !is_array => Some(element),
            _ => Some(variadic),
        }
    }

    /// Sum of the costs of the arguments, `None` when the call does not fit.
    pub fn cost(&self, arguments: &[PgType]) -> Cost {
        let required =
            self.parameters.iter().filter(|parameter| parameter.default.is_none()).count();
        let required = if self.variadic { required.saturating_sub(1) } else { required };
        if arguments.len() < required || !self.variadic && arguments.len() > self.parameters.len() {
            return None;
        }
        let costs = arguments
            .iter()
            .enumerate()
            .map(|(index, given)| cost(*given, self.parameter_type(index, arguments)?));
        costs.sum()
    }
}

impl Parameter {
    fn print(&self) -> String {
        let name = self.name.map(|name| format!("{name} ")).unwrap_or_default();
        let default = self.default.map(|value| format!(" DEFAULT {value}")).unwrap_or_default();
        format!("{name}{}{default}", self.pg_type.sql_name())
    }
}

/// The type of an argument; a bare NULL is `unknown`.
pub fn type_of(field: &Field) -> PgType {
    match field.data_type() {
        DataType::Null => PgType::UNKNOWN,
        _ => PgType::from_field(field),
    }
}

fn type_named(name: &str) -> Option<PgType> {
    PgType::by_name(name.trim().trim_matches('"'))
}

fn parameter(text: &'static str) -> Option<Parameter> {
    let (declared, default) = match text.split_once(" DEFAULT ") {
        Some((declared, default)) => (declared, Some(default)),
        None => (text, None),
    };
    let (name, type_name) = match declared.split_once(' ') {
        Some((name, type_name)) => (Some(name), type_name),
        None => (None, declared),
    };
    Some(Parameter { name, pg_type: type_named(type_name)?, default })
}

/// What an implicit conversion costs, the cheapest first, after the manual's "Function Type Resolution". A text
/// may become anything as the last resort: it can be a literal of unknown type.
pub fn cost(given: PgType, wanted: PgType) -> Option<u32> {
    if given.oid == wanted.oid {
        return Some(0);
    }
    match wanted {
        ANY => return Some(12),
        ANY_ELEMENT => return Some(if given.element().is_some() { 20 } else { 10 }),
        ANY_ARRAY if given.element().is_some() => return Some(5),
        _ => {}
    }
    if given == PgType::UNKNOWN {
        return Some(if is_text(wanted) { 1 } else { 2 });
    }
    if let (Some(given), Some(wanted)) = (given.element(), wanted.element()) {
        return cost(given, wanted);
    }
    if given.element().is_some() || wanted.element().is_some() {
        return is_text(given).then_some(40);
    }
    if is_text(given) {
        return Some(if is_text(wanted) {
            1
        } else if is_json(wanted) {
            30
        } else {
            40
        });
    }
    scalar_cost(given.oid, wanted.oid)
}

fn scalar_cost(given: u32, wanted: u32) -> Cost {
    const NUMBERS: [u32; 6] = [21, 23, 20, 1700, 700, 701];
    let rank = |oid| NUMBERS.iter().position(|number| *number == oid);
    match (rank(given), rank(wanted)) {
        (Some(given), Some(wanted)) if wanted == 5 && given != 4 => Some(3),
        // Only a `real` stays one: of all others beside it the preferred type is made.
        (Some(given), Some(4)) if given < 4 => Some(9),
        (Some(given), Some(wanted)) if wanted > given => Some((wanted - given) as u32 * 2),
        // A wider integer than PostgreSQL would have here: DataFusion's own functions return them.
        (Some(given), Some(wanted)) if given <= 2 && wanted < given => Some(30),
        _ => match (given, wanted) {
            (1082, 1114) | (1114, 1184) => Some(3),
            (1082, 1184) | (1083, 1186) => Some(2),
            (114, 3802) | (3802, 114) => Some(6),
            (20 | 21 | 23, 26 | 2205 | 2206) | (26 | 2205 | 2206, 20) => Some(4),
            (26 | 2205 | 2206, 26 | 2205 | 2206) => Some(1),
            (2950 | 114 | 3802 | 1266, 25) => Some(35),
            _ => None,
        },
    }
}

/// Whether values of the type are plain text.
pub fn is_text(pg_type: PgType) -> bool {
    matches!(pg_type.oid, 18 | 19 | 25 | 705 | 1042 | 1043 | 2275 | 4072)
}

/// Whether values of the type are JSON.
pub fn is_json(pg_type: PgType) -> bool {
    matches!(pg_type.oid, 114 | 3802)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_prints_as_df_does() {
        let signature =
            Signature::parse("jsonb_each(jsonb, OUT key text, OUT value jsonb) -> SETOF record")
                .unwrap();
        assert_eq!(signature.arguments(), "jsonb, OUT key text, OUT value jsonb");
        assert_eq!(signature.result_name(), "SETOF record");
        let signature = Signature::parse(
            "make_interval(years int4 DEFAULT 0, secs float8 DEFAULT 0.0) -> interval",
        )
        .unwrap();
        assert_eq!(
            signature.arguments(),
            "years integer DEFAULT 0, secs double precision DEFAULT 0.0"
        );
        let signature = Signature::parse("concat_ws(text, VARIADIC \"any\") -> text").unwrap();
        assert_eq!(signature.arguments(), "text, VARIADIC \"any\"");
        assert_eq!(signature.parameter_type(4, &[]), Some(ANY));
    }
}
