//! The jsonpath language, parsed (manual, 9.16.3). Left out: `.datetime()`, `is unknown`.

use crate::functions::json::node::Node;
use crate::functions::json::scan::quoted;
use crate::{Result, ValueError};

/// A path with its mode.
#[derive(Debug, Clone)]
pub struct Path {
    /// `lax` adapts to the data, `strict` refuses what does not fit.
    pub lax: bool,
    /// The expression.
    pub expression: Expression,
}

/// An expression that yields values, or a predicate.
#[derive(Debug, Clone)]
pub enum Expression {
    /// `$`.
    Root,
    /// `@`.
    Current,
    /// `last` within a subscript.
    Last,
    /// `$name`.
    Variable(String),
    /// A literal.
    Literal(Node),
    /// Steps behind an expression.
    Steps(Box<Expression>, Vec<Step>),
    /// `+ - * / %`.
    Arithmetic(char, Box<Expression>, Box<Expression>),
    /// A sign.
    Negative(Box<Expression>),
    /// `== != < <= > >=`.
    Compare(&'static str, Box<Expression>, Box<Expression>),
    /// `&&`.
    And(Box<Expression>, Box<Expression>),
    /// `||`.
    Or(Box<Expression>, Box<Expression>),
    /// `!`.
    Not(Box<Expression>),
    /// `exists (…)`.
    Exists(Box<Expression>),
    /// `like_regex "…" flag "…"`.
    LikeRegex(Box<Expression>, String, String),
    /// `starts with`.
    StartsWith(Box<Expression>, Box<Expression>),
}

/// A step of a path.
#[derive(Debug, Clone)]
pub enum Step {
    /// `.key`.
    Member(String),
    /// `.*`.
    AnyMember,
    /// `[1, 2 to last]`.
    Elements(Vec<(Expression, Option<Expression>)>),
    /// `[*]`.
    AnyElement,
    /// `.**`.
    AnyDepth,
    /// `? (…)`.
    Filter(Box<Expression>),
    /// `.size()` and its like.
    Method(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// Longest first.
const SIGNS: [&str; 25] = [
    "**", "==", "!=", "<>", "<=", ">=", "&&", "||", "$", "@", ".", "*", "[", "]", "(", ")", "?",
    ",", "<", ">", "!", "+", "-", "/", "%",
];

/// How deep expressions may nest.
const DEPTH_MAX: usize = 100;

/// Parses a path.
///
/// # Errors
/// `syntax error in jsonpath` (42601).
pub fn parse(text: &str) -> Result<Path> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let lax = !parser.word("strict");
    if lax {
        parser.word("lax");
    }
    let expression = parser.or()?;
    if parser.at < parser.tokens.len() {
        return Err(parser.error());
    }
    Ok(Path { lax, expression })
}

fn syntax(near: &str) -> ValueError {
    let place =
        if near.is_empty() { "at end".to_owned() } else { format!("at or near \"{near}\"") };
    ValueError::new("42601", format!("syntax error {place} of jsonpath input"))
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if first == '"' {
            string(rest)?
        } else if first.is_ascii_digit() {
            number(rest)
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), &rest[sign.len()..])
        } else if first == '_' || first.is_alphabetic() {
            let end = rest
                .find(|letter: char| letter != '_' && !letter.is_alphanumeric())
                .unwrap_or(rest.len());
            (Token::Word(rest[..end].to_owned()), &rest[end..])
        } else {
            return Err(syntax(&first.to_string()));
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn string(text: &str) -> Result<(Token, &str)> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, letter)| {
        let ends = *letter == '"' && !escaped;
        escaped = *letter == '\\' && !escaped;
        ends
    });
    let (end, _) = end.ok_or_else(|| syntax(""))?;
    let content = serde_json::from_str(&text[..=end]).map_err(|_| syntax(&text[..=end]))?;
    Ok((Token::Text(content), &text[end + 1..]))
}

fn number(text: &str) -> (Token, &str) {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if text[end..].starts_with('.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    (Token::Number(text[..end].to_owned()), &text[end..])
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn error(&self) -> ValueError {
        match self.tokens.get(self.at) {
            Some(Token::Word(text) | Token::Text(text) | Token::Number(text)) => syntax(text),
            Some(Token::Sign(sign)) => syntax(sign),
            None => syntax(""),
        }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(known)) if *known == sign);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(known)) if known == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.error()) }
    }

    fn text(&mut self) -> Result<String> {
        match self.tokens.get(self.at).cloned() {
            Some(Token::Text(text)) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.error()),
        }
    }

    fn or(&mut self) -> Result<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ValueError::new("54001", "jsonpath is nested too deeply"));
        }
        let mut left = self.and()?;
        while self.sign("||") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression> {
        let mut left = self.comparison()?;
        while self.sign("&&") {
            left = Expression::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression> {
        if self.sign("!") {
            return Ok(Expression::Not(Box::new(self.comparison()?)));
        }
        if self.word("exists") {
            self.expect("(")?;
            let inner = self.or()?;
            self.expect(")")?;
            return Ok(Expression::Exists(Box::new(inner)));
        }
        let left = self.sum()?;
        for operator in ["==", "!=", "<>", "<=", ">=", "<", ">"] {
            if self.sign(operator) {
                let operator = if operator == "<>" { "!=" } else { operator };
                return Ok(Expression::Compare(operator, Box::new(left), Box::new(self.sum()?)));
            }
        }
        if self.word("like_regex") {
            let pattern = self.text()?;
            let flags = if self.word("flag") { self.text()? } else { String::new() };
            return Ok(Expression::LikeRegex(Box::new(left), pattern, flags));
        }
        if self.word("starts") {
            if !self.word("with") {
                return Err(self.error());
            }
            return Ok(Expression::StartsWith(Box::new(left), Box::new(self.sum()?)));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression> {
        let mut left = self.product()?;
        loop {
            let operator = if self.sign("+") {
                '+'
            } else if self.sign("-") {
                '-'
            } else {
                return Ok(left);
            };
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expression> {
        let mut left = self.signed()?;
        loop {
            let signs = [("*", '*'), ("/", '/'), ("%", '%')];
            let Some((_, operator)) = signs.into_iter().find(|(sign, _)| self.sign(sign)) else {
                return Ok(left);
            };
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Result<Expression> {
        if self.sign("-") {
            return Ok(Expression::Negative(Box::new(self.signed()?)));
        }
        self.sign("+");
        let primary = self.primary()?;
        let steps = self.steps()?;
        Ok(if steps.is_empty() { primary } else { Expression::Steps(Box::new(primary), steps) })
    }

    fn primary(&mut self) -> Result<Expression> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| self.error())?;
        self.at += 1;
        match token {
            Token::Sign("$") => match self.tokens.get(self.at).cloned() {
                Some(Token::Word(name) | Token::Text(name))
                    if !matches!(name.as_str(), "like_regex" | "starts") =>
                {
                    self.at += 1;
                    Ok(Expression::Variable(name))
                }
                _ => Ok(Expression::Root),
            },
            Token::Sign("@") => Ok(Expression::Current),
            Token::Sign("(") => {
                let inner = self.or()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Text(text) => Ok(Expression::Literal(Node::Scalar(quoted(&text)))),
            Token::Number(text) => Ok(Expression::Literal(Node::Scalar(text))),
            Token::Word(word) if matches!(word.as_str(), "true" | "false" | "null") => {
                Ok(Expression::Literal(Node::Scalar(word)))
            }
            Token::Word(word) if word == "last" => Ok(Expression::Last),
            _ => {
                self.at -= 1;
                Err(self.error())
            }
        }
    }

    fn steps(&mut self) -> Result<Vec<Step>> {
        let mut steps = vec![];
        loop {
            if self.sign(".") {
                steps.push(self.member()?);
            } else if self.sign("[") {
                steps.push(self.elements()?);
            } else if self.sign("?") {
                self.expect("(")?;
                steps.push(Step::Filter(Box::new(self.or()?)));
                self.expect(")")?;
            } else {
                return Ok(steps);
            }
        }
    }

    fn member(&mut self) -> Result<Step> {
        if self.sign("**") {
            return Ok(Step::AnyDepth);
        }
        if self.sign("*") {
            return Ok(Step::AnyMember);
        }
        match self.tokens.get(self.at).cloned() {
            Some(Token::Word(name)) => {
                self.at += 1;
                if !self.sign("(") {
                    return Ok(Step::Member(name));
                }
                self.expect(")")?;
                Ok(Step::Method(name))
            }
            Some(Token::Text(name)) => {
                self.at += 1;
                Ok(Step::Member(name))
            }
            _ => Err(self.error()),
        }
    }

    fn elements(&mut self) -> Result<Step> {
        if self.sign("*") {
            self.expect("]")?;
            return Ok(Step::AnyElement);
        }
        let mut ranges = vec![];
        loop {
            let from = self.sum()?;
            let to = if self.word("to") { Some(self.sum()?) } else { None };
            ranges.push((from, to));
            if !self.sign(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Step::Elements(ranges))
    }
}
