//! `json`, which is checked and kept as it is, and `jsonb`, which is kept as PostgreSQL prints it.

use super::json_lexer::{Lexer, Token};
use super::json_number;
use crate::{Result, ValueError};

/// Nesting beyond this is refused; PostgreSQL stops at its own stack limit.
const DEPTH_MAX: usize = 1_000;

/// A JSON value; strings are unescaped, numbers are printed as `numeric`.
#[derive(Debug)]
enum Node {
    /// Nothing is kept when a text is only checked.
    Ignored,
    /// `null`, `true`, `false`, a number.
    Literal(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Checks a `json` text.
pub(crate) fn validate(text: &str) -> Result<()> {
    Parser::new(text, false)?.document().map(|_| ())
}

/// Checks a text and prints it as `jsonb_out` does: keys by length, then bytes, the last of equal
/// ones; one blank after `:` and `,` (manual §8.14).
pub(crate) fn normalise(text: &str) -> Result<String> {
    let node = Parser::new(text, true)?.document()?;
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    print(&node, &mut out);
    Ok(out)
}

/// An array or object whose end has not come yet.
enum Open {
    Array(Vec<Node>),
    /// With the key of the value that comes next.
    Object(Vec<(String, Node)>, String),
}

/// One token of look-ahead, as in src/common/jsonapi.c, but with the open containers on a stack of
/// its own: data must not decide how deep the thread's stack goes.
struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    keep: bool,
    open: Vec<Open>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, keep: bool) -> Result<Self> {
        let mut lexer = Lexer::new(text, keep);
        let token = lexer.next()?;
        Ok(Self { lexer, token, keep, open: Vec::new() })
    }

    fn advance(&mut self) -> Result<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let detail = match self.token {
            Token::End => "The input string ended unexpectedly.".to_owned(),
            _ => format!("Expected {what}, but found \"{}\".", self.lexer.text_of_token()),
        };
        Err(ValueError::new("22P02", "invalid input syntax for type json").with_detail(detail))
    }

    fn document(&mut self) -> Result<Node> {
        loop {
            let Some(value) = self.value()? else { continue };
            let Some(node) = self.attach(value)? else { continue };
            return match self.token {
                Token::End => Ok(node),
                _ => self.expected("end of input"),
            };
        }
    }

    /// Reads a scalar or an empty container; `None` when a container was opened.
    fn value(&mut self) -> Result<Option<Node>> {
        if self.open.len() > DEPTH_MAX {
            return Err(ValueError::new("54001", "stack depth limit exceeded"));
        }
        match self.token {
            Token::ObjectStart => self.open_object(),
            Token::ArrayStart => self.open_array(),
            Token::String(_) | Token::Number | Token::Word => self.scalar().map(Some),
            _ => self.expected("JSON value"),
        }
    }

    fn scalar(&mut self) -> Result<Node> {
        let literal = if self.keep { self.lexer.text_of_token() } else { "" };
        Ok(match self.advance()? {
            _ if !self.keep => Node::Ignored,
            Token::String(text) => Node::String(text),
            Token::Number => {
                let mut number = String::with_capacity(literal.len());
                json_number::normalise(literal, &mut number)?;
                Node::Literal(number)
            }
            _ => Node::Literal(literal.to_owned()),
        })
    }

    fn open_array(&mut self) -> Result<Option<Node>> {
        self.advance()?;
        if self.token == Token::ArrayEnd {
            self.advance()?;
            return Ok(Some(Node::Array(Vec::new())));
        }
        self.open.push(Open::Array(Vec::new()));
        Ok(None)
    }

    fn open_object(&mut self) -> Result<Option<Node>> {
        self.advance()?;
        match self.token {
            Token::ObjectEnd => {
                self.advance()?;
                return Ok(Some(Node::Object(Vec::new())));
            }
            Token::String(_) => {}
            _ => return self.expected("string or \"}\""),
        }
        let key = self.key()?;
        self.open.push(Open::Object(Vec::new(), key));
        Ok(None)
    }

    fn key(&mut self) -> Result<String> {
        if !matches!(self.token, Token::String(_)) {
            return self.expected("string");
        }
        let key = match self.advance()? {
            Token::String(key) => key,
            _ => String::new(),
        };
        if self.token != Token::Colon {
            return self.expected("\":\"");
        }
        self.advance()?;
        Ok(key)
    }

    /// Puts a value where it belongs, and closes what it completes; `None` while something is open.
    fn attach(&mut self, mut value: Node) -> Result<Option<Node>> {
        while let Some(open) = self.open.pop() {
            let (open, end, expected) = match open {
                Open::Array(mut elements) => {
                    self.keep.then(|| elements.push(value));
                    (Open::Array(elements), Token::ArrayEnd, "\",\" or \"]\"")
                }
                Open::Object(mut fields, key) => {
                    self.keep.then(|| fields.push((key, value)));
                    (Open::Object(fields, String::new()), Token::ObjectEnd, "\",\" or \"}\"")
                }
            };
            if self.token == Token::Comma {
                self.advance()?;
                let open = match open {
                    Open::Object(fields, _) => Open::Object(fields, self.key()?),
                    array => array,
                };
                self.open.push(open);
                return Ok(None);
            }
            if self.token != end {
                return self.expected(expected);
            }
            self.advance()?;
            value = match open {
                Open::Array(elements) => Node::Array(elements),
                Open::Object(fields, _) => Node::Object(unique(fields)),
            };
        }
        Ok(Some(value))
    }
}

/// Sorted by length, then bytes; of equal keys the last (jsonb_util.c, `uniqueifyJsonbObject`).
fn unique(mut fields: Vec<(String, Node)>) -> Vec<(String, Node)> {
    fields.reverse();
    fields.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
    fields.dedup_by(|(later, _), (kept, _)| later == kept);
    fields
}

fn print(node: &Node, out: &mut String) {
    match node {
        Node::Ignored => {}
        Node::Literal(text) => out.push_str(text),
        Node::String(text) => print_string(text, out),
        Node::Array(elements) => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                print(element, out);
            }
            out.push(']');
        }
        Node::Object(fields) => {
            out.push('{');
            for (position, (key, value)) in fields.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                print_string(key, out);
                out.push_str(": ");
                print(value, out);
            }
            out.push('}');
        }
    }
}

/// Prints a JSON string; only what must be is escaped (json.c, `escape_json`).
pub(crate) fn print_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jsonb_is_normalised() {
        for (text, expected) in [
            (
                "{\"bb\":1,\"a\":[1,2,{}], \"c\" : null}",
                "{\"a\": [1, 2, {}], \"c\": null, \"bb\": 1}",
            ),
            ("{\"a\":1,\"a\":2}", "{\"a\": 2}"),
            (" [ ] ", "[]"),
            ("[1e2,1.50,-0]", "[100, 1.50, 0]"),
            ("\"\\u00e9\\n\\/\\ud83d\\ude00\\u0001\"", "\"é\\n/😀\\u0001\""),
            ("true", "true"),
        ] {
            assert_eq!(normalise(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refusals() {
        for (text, detail) in [
            ("", "The input string ended unexpectedly."),
            ("{\"a\":1,}", "Expected string, but found \"}\"."),
            ("{a:1}", "Token \"a\" is invalid."),
            ("[1,2", "The input string ended unexpectedly."),
            ("\"abc", "Token \"\"abc\" is invalid."),
            ("\"\\u00zz\"", "\"\\u\" must be followed by four hexadecimal digits."),
            ("\"\\x\"", "Escape sequence \"\\x\" is invalid."),
            ("1 2", "Expected end of input, but found \"2\"."),
            ("[1 2]", "Expected \",\" or \"]\", but found \"2\"."),
            ("{\"a\" 1}", "Expected \":\", but found \"1\"."),
            ("{\"a\":1 \"b\"}", "Expected \",\" or \"}\", but found \"\"b\"\"."),
            ("01", "Token \"01\" is invalid."),
            ("tru", "Token \"tru\" is invalid."),
            ("-", "Token \"-\" is invalid."),
            ("1.", "Token \"1.\" is invalid."),
            ("{1:2}", "Expected string or \"}\", but found \"1\"."),
            ("[1,]", "Expected JSON value, but found \"]\"."),
            ("\"a\nb\"", "Character with value 0x0a must be escaped."),
        ] {
            let error = validate(text).unwrap_err();
            assert_eq!(error.detail.as_deref(), Some(detail), "{text}");
            assert_eq!(error.message, "invalid input syntax for type json");
        }
        assert!(validate("\"\\ud800 \\u0000\"").is_ok());
        assert_eq!(normalise("\"\\u0000\"").unwrap_err().sqlstate, "22P05");
        let lonely = normalise("\"\\ud800\"").unwrap_err();
        assert_eq!(
            lonely.detail.as_deref(),
            Some("Unicode low surrogate must follow a high surrogate.")
        );
        assert_eq!(validate(&"[".repeat(5_000)).unwrap_err().sqlstate, "54001");
        assert!(validate(&format!("{}{}", "[".repeat(900), "]".repeat(900))).is_ok());
    }
}
