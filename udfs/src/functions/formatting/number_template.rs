//! Number templates (manual, table 9.29): what the pieces are, and the shape they describe.

use crate::{Result, ValueError};

/// A piece of a number template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// `9`.
    Nine,
    /// `0`.
    Zero,
    /// `.` or `D`.
    Point,
    /// `,` or `G`.
    Comma,
    /// `L`.
    Currency,
    /// `RN`, upper case or not.
    Roman(bool),
    /// `TH`, upper case or not.
    Ordinal(bool),
    /// `MI`.
    Minus,
    /// `PL`.
    Plus,
    /// `SG`.
    Sign,
    /// Changes the shape only: `FM`, `S`, `PR`, `V`, `B`, `EEEE`.
    Silent,
    /// A character that stands for itself.
    Literal(char),
}

/// Where `S` puts the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignPlace {
    /// Before the number.
    Before,
    /// Behind it.
    After,
}

/// The number that a template describes (`NUMDesc` of formatting.c).
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Digits before the point.
    pub before: usize,
    /// Digits behind it.
    pub after: usize,
    /// Digits behind `V`.
    pub shifted: Option<usize>,
    /// `FM`.
    pub bare: bool,
    /// A `0` occurs, the first of them at this place.
    pub zero_start: Option<usize>,
    /// Place behind the last `0`.
    pub zero_end: usize,
    /// A point occurs.
    pub point: bool,
    /// `S`.
    pub sign: Option<SignPlace>,
    /// Digits before the `S`.
    pub before_sign: usize,
    /// `MI` or `SG`.
    pub minus: bool,
    /// `PL` or `SG`.
    pub plus: bool,
    /// `PR`.
    pub bracket: bool,
    /// `RN`.
    pub roman: bool,
    /// `EEEE`.
    pub exponent: bool,
}

const KEYWORDS: &[(&str, Piece)] = &[
    (",", Piece::Comma),
    (".", Piece::Point),
    ("0", Piece::Zero),
    ("9", Piece::Nine),
    ("B", Piece::Silent),
    ("D", Piece::Point),
    ("EEEE", Piece::Silent),
    ("FM", Piece::Silent),
    ("G", Piece::Comma),
    ("L", Piece::Currency),
    ("MI", Piece::Minus),
    ("PL", Piece::Plus),
    ("PR", Piece::Silent),
    ("RN", Piece::Roman(true)),
    ("SG", Piece::Sign),
    ("SP", Piece::Silent),
    ("S", Piece::Silent),
    ("TH", Piece::Ordinal(true)),
    ("V", Piece::Silent),
];

/// Takes a template apart.
///
/// # Errors
/// A template that contradicts itself (42601).
pub fn parse(template: &str) -> Result<(Vec<Piece>, Shape)> {
    let (mut pieces, mut shape) = (vec![], Shape::default());
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            rest = quoted(rest, &mut pieces);
            continue;
        }
        if let Some(escaped) = rest.strip_prefix("\\\"") {
            pieces.push(Piece::Literal('"'));
            rest = escaped;
            continue;
        }
        let found = KEYWORDS.iter().find_map(|(keyword, piece)| {
            let head = rest.get(..keyword.len())?;
            let lower = head == keyword.to_ascii_lowercase() && head != *keyword;
            (head == *keyword || lower).then_some((*keyword, *piece, lower))
        });
        let Some((keyword, piece, lower)) = found else {
            pieces.push(Piece::Literal(first));
            rest = &rest[first.len_utf8()..];
            continue;
        };
        shape.add(keyword, piece)?;
        pieces.push(match piece {
            Piece::Roman(_) => Piece::Roman(!lower),
            Piece::Ordinal(_) => Piece::Ordinal(!lower),
            piece => piece,
        });
        rest = &rest[keyword.len()..];
    }
    Ok((pieces, shape))
}

fn quoted<'a>(rest: &'a str, pieces: &mut Vec<Piece>) -> &'a str {
    let mut characters = rest.chars();
    characters.next();
    while let Some(letter) = characters.next() {
        match letter {
            '"' => break,
            '\\' => pieces.extend(characters.next().map(Piece::Literal)),
            letter => pieces.push(Piece::Literal(letter)),
        }
    }
    characters.as_str()
}

impl Shape {
    fn add(&mut self, keyword: &str, piece: Piece) -> Result<()> {
        let syntax = |message: &str| Err(ValueError::new("42601", message));
        match (keyword, piece) {
            (_, Piece::Nine | Piece::Zero) if self.bracket => {
                return syntax("\"9\" must be ahead of \"PR\"");
            }
            (_, Piece::Nine) => self.digit(),
            (_, Piece::Zero) => {
                if self.zero_start.is_none() && !self.point {
                    self.zero_start = Some(self.before);
                }
                self.digit();
                self.zero_end = self.before + self.after;
            }
            (_, Piece::Point) if self.point => return syntax("multiple decimal points"),
            (_, Piece::Point) if self.shifted.is_some() => {
                return syntax("cannot use \"V\" and decimal point together");
            }
            (_, Piece::Point) => self.point = true,
            ("FM", _) => self.bare = true,
            ("S", _) if self.sign.is_some() => return syntax("cannot use \"S\" twice"),
            ("S", _) if self.plus || self.minus || self.bracket => {
                return syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
            }
            ("S", _) if self.point => self.sign = Some(SignPlace::After),
            ("S", _) => (self.sign, self.before_sign) = (Some(SignPlace::Before), self.before),
            ("MI" | "PL" | "SG", _) if self.sign.is_some() => {
                return syntax(&format!("cannot use \"S\" and \"{keyword}\" together"));
            }
            ("MI", _) => self.minus = true,
            ("PL", _) => self.plus = true,
            ("SG", _) => (self.minus, self.plus) = (true, true),
            ("PR", _) => self.bracket = true,
            ("V", _) if self.point => return syntax("cannot use \"V\" and decimal point together"),
            ("V", _) => self.shifted = Some(0),
            ("RN", _) => self.roman = true,
            ("EEEE", _) => self.exponent = true,
            _ => {}
        }
        Ok(())
    }

    fn digit(&mut self) {
        match (&mut self.shifted, self.point) {
            (Some(shifted), _) => *shifted += 1,
            (None, true) => self.after += 1,
            (None, false) => self.before += 1,
        }
    }
}
