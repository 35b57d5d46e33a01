//! The words of a line: bare ones, and quoted ones with `\n`, `\t`, `\"`, `\\` and `\xFF`.

use anyhow::{Context, Result, bail};

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Its text; bytes beyond ASCII as Latin-1 characters.
    pub(super) text: String,
    /// It stood in quotes.
    pub(super) quoted: bool,
}

impl Word {
    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.text.chars().map(|one| u8::try_from(u32::from(one)).unwrap_or(b'?')).collect()
    }
}

/// Splits a line.
pub(super) fn split(line: &str) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    let mut letters = line.trim().chars().peekable();
    while letters.peek().is_some() {
        let quoted = letters.next_if_eq(&'"').is_some();
        let mut text = String::new();
        if quoted {
            loop {
                match letters.next().context("a quote that does not end")? {
                    '"' => break,
                    '\\' => text.push(match letters.next().context("a lone backslash")? {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'x' => hexadecimal(&mut letters)?,
                        plain @ ('"' | '\\' | '\'') => plain,
                        other => bail!("unknown escape \\{other}"),
                    }),
                    letter => text.push(letter),
                }
            }
        } else {
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                text.push(letter);
            }
        }
        words.push(Word { text, quoted });
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    }
    Ok(words)
}

fn hexadecimal(letters: &mut impl Iterator<Item = char>) -> Result<char> {
    let digits: String = letters.take(2).collect();
    Ok(char::from(u8::from_str_radix(&digits, 16)?))
}
