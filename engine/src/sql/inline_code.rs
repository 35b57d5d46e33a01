//! `DO`: a block of PL/pgSQL without variables (manual: sql-do, plpgsql-structure).
//!
//! ```sql
//! DO $$ BEGIN
//!   IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'mood') THEN
//!     CREATE TYPE mood AS ENUM ('sad', 'ok');
//!   END IF;
//! EXCEPTION WHEN duplicate_object THEN NULL;
//! END $$
//! ```
//!
//! Schema tools write migrations that may run twice this way. `DECLARE`, loops and `RAISE` with
//! values are refused (0A000).

use std::sync::Arc;

use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::own::{expect, name, take, unexpected};
use super::parse::{self, DIALECT};
use super::place::Source;
use super::{Body, Statement};
use crate::error::{Error, Result};

/// Deepest nesting of blocks and conditions.
const DEPTH_MAX: usize = 50;

/// `BEGIN … EXCEPTION WHEN … END`.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it does.
    pub steps: Vec<Step>,
    /// What it does where that fails.
    pub handlers: Vec<Handler>,
}

/// `WHEN condition OR … THEN steps`.
#[derive(Debug, Clone)]
pub struct Handler {
    /// Names of conditions, lower case, or SQLSTATEs.
    pub conditions: Vec<String>,
    /// What is done then.
    pub steps: Vec<Step>,
}

/// One thing that a block does.
#[derive(Debug, Clone)]
pub enum Step {
    /// `NULL`.
    Nothing,
    /// A statement; `PERFORM` is one whose rows nobody reads.
    Run(Statement),
    /// `IF`, `ELSIF`: queries of one Boolean, with what is done where they say true; then `ELSE`.
    If(Vec<(Statement, Vec<Step>)>, Vec<Step>),
    /// A block within.
    Block(Block),
    /// `RAISE level 'message'`.
    Raise(&'static str, String),
}

/// `DO [LANGUAGE plpgsql] 'code'`.
pub(super) fn parse(parser: &mut Parser<'_>) -> std::result::Result<Body, ParserError> {
    expect(parser, "do")?;
    let mut code = None;
    let mut language = "plpgsql".to_owned();
    loop {
        if take(parser, "language") {
            language = name(parser)?;
            continue;
        }
        match parser.peek_token().token {
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => {
                parser.next_token();
                code = Some(text);
            }
            _ => break,
        }
    }
    match code {
        Some(code) => Ok(Body::Do { language, code }),
        None => unexpected(parser),
    }
}

/// Reads the code of a block.
///
/// # Errors
/// 42601; 0A000 for what is not read here.
pub fn block(code: &str) -> Result<Block> {
    let source = Arc::new(Source { text: code.to_owned() });
    let tokens = Tokenizer::new(&DIALECT, code)
        .tokenize_with_location()
        .map_err(|error| Error::new("42601", error.to_string()))?;
    let tokens = tokens.into_iter().filter(|one| !matches!(one.token, Token::Whitespace(_)));
    let mut reader = Reader { tokens: tokens.collect(), at: 0, source, depth: 0 };
    reader.expect("begin")?;
    let block = reader.block()?;
    match reader.peek() {
        None | Some(Token::EOF) => Ok(block),
        _ => Err(reader.unexpected()),
    }
}

struct Reader {
    tokens: Vec<TokenWithSpan>,
    at: usize,
    source: Arc<Source>,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|one| &one.token)
    }

    fn word(&self, ahead: usize) -> String {
        match self.tokens.get(self.at + ahead).map(|one| &one.token) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        }
    }

    fn take(&mut self, expected: &str) -> bool {
        let comes = self.word(0) == expected;
        self.at += usize::from(comes);
        comes
    }

    fn expect(&mut self, expected: &str) -> Result<()> {
        if self.take(expected) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn semicolon(&mut self) -> Result<()> {
        if self.peek() != Some(&Token::SemiColon) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn unexpected(&self) -> Error {
        match self.peek() {
            None | Some(Token::EOF) => Error::new("42601", "syntax error at end of input"),
            Some(_) if matches!(self.word(0).as_str(), "declare" | "for" | "while" | "loop") => {
                Error::unsupported(format!("{} in DO", self.word(0).to_uppercase()))
            }
            Some(token) => Error::new("42601", format!("syntax error at or near \"{token}\"")),
        }
    }

    /// A block behind its BEGIN, with the semicolon behind its END where there is one.
    fn block(&mut self) -> Result<Block> {
        let steps = self.steps()?;
        let mut handlers = Vec::new();
        if self.take("exception") {
            while self.take("when") {
                handlers.push(self.handler()?);
            }
        }
        self.expect("end")?;
        self.at += usize::from(self.peek() == Some(&Token::SemiColon));
        Ok(Block { steps, handlers })
    }

    fn handler(&mut self) -> Result<Handler> {
        let mut conditions = Vec::new();
        loop {
            let stated = self.take("sqlstate");
            let condition = match self.peek() {
                Some(Token::SingleQuotedString(code)) if stated => code.to_uppercase(),
                Some(Token::Word(_)) if !stated => self.word(0),
                _ => return Err(self.unexpected()),
            };
            self.at += 1;
            conditions.push(condition);
            if !self.take("or") {
                break;
            }
        }
        self.expect("then")?;
        Ok(Handler { conditions, steps: self.steps()? })
    }

    /// Steps up to the word that ends them.
    fn steps(&mut self) -> Result<Vec<Step>> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::new("54001", "stack depth limit exceeded"));
        }
        let mut steps = Vec::new();
        while !matches!(
            self.word(0).as_str(),
            "end" | "exception" | "when" | "elsif" | "elseif" | "else"
        ) {
            steps.push(self.step()?);
        }
        self.depth -= 1;
        Ok(steps)
    }

    fn step(&mut self) -> Result<Step> {
        match self.word(0).as_str() {
            "null" => {
                self.at += 1;
                self.semicolon()?;
                Ok(Step::Nothing)
            }
            "begin" => {
                self.at += 1;
                self.block().map(Step::Block)
            }
            "if" => self.condition(),
            "raise" => self.raise(),
            "perform" => {
                self.at += 1;
                let text = format!("SELECT {}", self.text_until(";")?);
                self.semicolon()?;
                statement(&text).map(Step::Run)
            }
            "declare" | "for" | "while" | "loop" | "return" | "execute" | "" => {
                Err(self.unexpected())
            }
            _ => {
                let text = self.text_until(";")?;
                self.semicolon()?;
                let statement = statement(&text)?;
                match statement.body.as_ref() {
                    Body::Query(_) => Err(no_destination()),
                    _ => Ok(Step::Run(statement)),
                }
            }
        }
    }

    fn condition(&mut self) -> Result<Step> {
        let mut branches = Vec::new();
        while self.take("if") || self.take("elsif") || self.take("elseif") {
            let condition = statement(&format!("SELECT {}", self.text_until("then")?))?;
            self.expect("then")?;
            branches.push((condition, self.steps()?));
        }
        let otherwise = if self.take("else") { self.steps()? } else { Vec::new() };
        self.expect("end")?;
        self.expect("if")?;
        self.semicolon()?;
        Ok(Step::If(branches, otherwise))
    }

    fn raise(&mut self) -> Result<Step> {
        self.at += 1;
        let level = match self.word(0).as_str() {
            "debug" => "DEBUG",
            "log" => "LOG",
            "info" => "INFO",
            "notice" => "NOTICE",
            "warning" => "WARNING",
            _ => "ERROR",
        };
        self.at += usize::from(level != "ERROR" || self.word(0) == "exception");
        let Some(Token::SingleQuotedString(message)) = self.peek().cloned() else {
            return Err(self.unexpected());
        };
        self.at += 1;
        if self.peek() != Some(&Token::SemiColon) {
            return Err(Error::unsupported("RAISE with values"));
        }
        self.semicolon()?;
        Ok(Step::Raise(level, message.replace("%%", "%")))
    }

    /// The text up to a semicolon, or up to a word that no CASE has: `THEN`.
    fn text_until(&mut self, end: &str) -> Result<String> {
        let start = self.at;
        let mut cases = 0_usize;
        loop {
            match (self.peek(), self.word(0).as_str()) {
                (None | Some(Token::EOF), _) => return Err(self.unexpected()),
                (Some(Token::SemiColon), _) if end == ";" => break,
                (Some(Token::SemiColon), _) => return Err(self.unexpected()),
                (_, word) if word == end && cases == 0 => break,
                (_, "case") => cases += 1,
                (_, "end") => cases = cases.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        Ok(parse::text_of(&self.tokens[start..self.at], &self.source))
    }
}

fn no_destination() -> Error {
    Error::new("42601", "query has no destination for result data")
        .with_hint("If you want to discard the results of a SELECT, use PERFORM instead.")
}

fn statement(text: &str) -> Result<Statement> {
    let mut statements = parse::parse(text)?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        _ => Err(Error::new("42601", "syntax error at end of input")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read() {
        let code = "BEGIN IF CASE WHEN true THEN 1 END = 1 THEN PERFORM 1; ELSIF a THEN NULL; ELSE \
                    PERFORM f(); END IF; BEGIN NULL; END; RAISE NOTICE '5 %%'; \
                    EXCEPTION WHEN duplicate_object OR SQLSTATE '42p07' THEN NULL; END;";
        let block = block(code).expect("a block");
        assert!(matches!(&block.steps[0], Step::If(branches, rest)
            if branches.len() == 2 && rest.len() == 1
                && &*branches[0].0.text == "SELECT CASE WHEN true THEN 1 END = 1"));
        assert!(matches!(&block.steps[1], Step::Block(_)));
        assert!(matches!(&block.steps[2], Step::Raise("NOTICE", text) if text == "5 %"));
        assert_eq!(block.handlers[0].conditions, ["duplicate_object", "42P07"]);
    }

    #[test]
    fn what_is_not_read_is_refused() {
        for (code, sqlstate) in [
            ("DECLARE a int; BEGIN NULL; END", "0A000"),
            ("BEGIN FOR i IN 1..2 LOOP NULL; END LOOP; END", "0A000"),
            ("BEGIN RAISE NOTICE '%', 1; END", "0A000"),
            ("BEGIN SELECT 1; END", "42601"),
            ("BEGIN NULL", "42601"),
            ("BEGIN NULL; END; x", "42601"),
            ("BEGIN IF true THEN NULL; END; END", "42601"),
        ] {
            assert_eq!(block(code).expect_err(code).sqlstate, sqlstate, "{code}");
        }
    }
}
