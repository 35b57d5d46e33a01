//! A JSON value as a tree, for functions that change it.

use super::scan::{Kind, parts, quoted, unquoted};

/// A value; scalars as their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A number, string, boolean or null.
    Scalar(String),
    /// An array.
    Array(Vec<Node>),
    /// An object; keys are unique.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Reads a valid text. Its depth was limited when the text was checked.
    pub fn parse(text: &str) -> Self {
        match Kind::of(text) {
            Kind::Array => Self::Array(parts(text).map(|(_, value)| Self::parse(value)).collect()),
            Kind::Object => {
                let mut members = vec![];
                for (key, value) in parts(text) {
                    put(&mut members, unquoted(key).into_owned(), Self::parse(value));
                }
                Self::Object(members)
            }
            _ => Self::Scalar(text.trim().to_owned()),
        }
    }

    /// Whether it is the `null` of JSON.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(text) if text == "null")
    }

    /// The normal form of `jsonb`: keys by length, then bytes.
    pub fn print(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(values) => {
                format!("[{}]", values.iter().map(Self::print).collect::<Vec<_>>().join(", "))
            }
            Self::Object(_) => {
                let members = self.members().into_iter();
                let members =
                    members.map(|(key, value)| format!("{}: {}", quoted(key), value.print()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Members in the order of `jsonb`.
    pub fn members(&self) -> Vec<(&str, &Self)> {
        let Self::Object(members) = self else { return vec![] };
        let mut members: Vec<_> =
            members.iter().map(|(key, value)| (key.as_str(), value)).collect();
        members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        members
    }

    /// As `jsonb_pretty` prints it.
    pub fn pretty(&self, depth: usize, out: &mut String) {
        let indent = |depth: usize| format!("\n{}", "    ".repeat(depth));
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&indent(depth + 1));
                    value.pretty(depth + 1, out);
                }
                out.push_str(&indent(depth));
                out.push(']');
            }
            Self::Object(_) => {
                out.push('{');
                for (index, (key, value)) in self.members().into_iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&indent(depth + 1));
                    out.push_str(&quoted(key));
                    out.push_str(": ");
                    value.pretty(depth + 1, out);
                }
                out.push_str(&indent(depth));
                out.push('}');
            }
        }
    }
}

/// Sets a member; the last of equal keys counts.
pub fn put(members: &mut Vec<(String, Node)>, key: String, value: Node) {
    match members.iter_mut().find(|(known, _)| *known == key) {
        Some((_, place)) => *place = value,
        None => members.push((key, value)),
    }
}
