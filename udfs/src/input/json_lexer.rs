//! Tokens of JSON, with PostgreSQL's errors (src/common/jsonapi.c, `json_lex`).

use crate::{Result, ValueError};

/// One token; where it stands is known to the lexer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Comma,
    Colon,
    /// Unescaped, where escapes are wanted.
    String(String),
    Number,
    /// `true`, `false`, `null`.
    Word,
    End,
}

/// Reads tokens from the front of a text.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    /// Byte range of the last token.
    start: usize,
    end: usize,
    keep: bool,
}

impl<'t> Lexer<'t> {
    /// `keep` asks for the contents of strings.
    pub(crate) fn new(text: &'t str, keep: bool) -> Self {
        Self { text, start: 0, end: 0, keep }
    }

    /// The last token as it stands in the text.
    pub(crate) fn text_of_token(&self) -> &'t str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads the next token.
    pub(crate) fn next(&mut self) -> Result<Token> {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(self.end..).unwrap_or_default();
        let blanks =
            rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.start = self.end + blanks;
        let Some(first) = bytes.get(self.start) else {
            self.end = self.start;
            return Ok(Token::End);
        };
        let single = match first {
            b'{' => Token::ObjectStart,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayStart,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => return self.number(),
            _ => return self.word(),
        };
        self.end = self.start + 1;
        Ok(single)
    }

    fn invalid(&self, end: usize) -> ValueError {
        let token = self.text.get(self.start..end).unwrap_or_default();
        syntax(format!("Token \"{token}\" is invalid."))
    }

    fn word(&mut self) -> Result<Token> {
        let rest = self.text.get(self.start..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| is_word(*byte)).count();
        // A character that can be in no token stands for itself.
        let length = length.max(rest.chars().next().map_or(0, char::len_utf8));
        self.end = self.start + length;
        match self.text_of_token() {
            "true" | "false" | "null" => Ok(Token::Word),
            _ => Err(self.invalid(self.end)),
        }
    }

    fn number(&mut self) -> Result<Token> {
        let rest = self.text.as_bytes().get(self.start..).unwrap_or_default();
        let digits =
            |at: usize| rest.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = usize::from(rest.first() == Some(&b'-'));
        let whole = digits(at);
        if whole > 1 && rest.get(at) == Some(&b'0') {
            let token = rest.iter().skip(at).take_while(|byte| is_word(**byte)).count();
            return Err(self.invalid(self.start + at + token));
        }
        let mut valid = whole > 0;
        at += whole;
        if rest.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            valid &= fraction > 0;
            at += 1 + fraction;
        }
        if matches!(rest.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at);
            valid &= exponent > 0;
            at += exponent;
        }
        let tail = rest.iter().skip(at).take_while(|byte| is_word(**byte)).count();
        self.end = self.start + at + tail;
        if valid && tail == 0 { Ok(Token::Number) } else { Err(self.invalid(self.end)) }
    }

    fn string(&mut self) -> Result<Token> {
        let mut kept = String::new();
        let mut at = self.start + 1;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let plain =
                rest.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            if self.keep {
                kept.push_str(rest.get(..plain).unwrap_or_default());
            }
            at += plain;
            match rest.as_bytes().get(plain) {
                Some(b'"') => {
                    self.end = at + 1;
                    return Ok(Token::String(kept));
                }
                Some(b'\\') => at = self.escape(at, &mut kept)?,
                Some(control) => {
                    return Err(syntax(format!(
                        "Character with value 0x{control:02x} must be escaped."
                    )));
                }
                None => return Err(self.invalid(self.text.len())),
            }
        }
    }

    /// Reads the escape at `at`; returns where it ends.
    fn escape(&self, at: usize, kept: &mut String) -> Result<usize> {
        let escaped = self.text.get(at + 1..).and_then(|rest| rest.chars().next());
        let plain = match escaped {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode(at, kept),
            Some(other) => {
                return Err(syntax(format!("Escape sequence \"\\{other}\" is invalid.")));
            }
            None => return Err(self.invalid(self.text.len())),
        };
        kept.push(plain);
        Ok(at + 2)
    }

    /// Reads `\uXXXX`, or two of them that make one character.
    fn unicode(&self, at: usize, kept: &mut String) -> Result<usize> {
        let unit = self.hex(at)?;
        if !self.keep {
            return Ok(at + 6);
        }
        if unit == 0 {
            let error = ValueError::new("22P05", "unsupported Unicode escape sequence");
            return Err(error.with_detail("\\u0000 cannot be converted to text."));
        }
        if !(0xd800..0xe000).contains(&unit) {
            kept.extend(char::from_u32(unit));
            return Ok(at + 6);
        }
        let lonely = || syntax("Unicode low surrogate must follow a high surrogate.".to_owned());
        let is_pair = unit < 0xdc00 && self.text.get(at + 6..at + 8) == Some("\\u");
        let low = if is_pair { self.hex(at + 6)? } else { 0 };
        if !(0xdc00..0xe000).contains(&low) {
            return Err(lonely());
        }
        kept.extend(char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)));
        Ok(at + 12)
    }

    fn hex(&self, at: usize) -> Result<u32> {
        let digits = self.text.get(at + 2..at + 6).unwrap_or_default();
        let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unit = u32::from_str_radix(digits, 16).ok().filter(|_| valid);
        unit.ok_or_else(|| {
            syntax("\"\\u\" must be followed by four hexadecimal digits.".to_owned())
        })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn syntax(detail: String) -> ValueError {
    ValueError::new("22P02", "invalid input syntax for type json").with_detail(detail)
}
