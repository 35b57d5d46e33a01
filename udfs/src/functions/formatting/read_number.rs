//! `to_number` (manual, 9.8).

use super::number_template::{Piece, parse};
use crate::numeric::{Finite, Number};
use crate::{Result, ValueError};

/// Reads a number by a template.
///
/// # Errors
/// `invalid input syntax for type numeric: " "` (22P02), a template that contradicts itself.
pub fn read(text: &str, template: &str) -> Result<Number> {
    let (pieces, shape) = parse(template)?;
    if shape.roman || shape.exponent {
        let name = if shape.roman { "RN" } else { "EEEE" };
        return Err(ValueError::new("0A000", format!("\"{name}\" not supported for input")));
    }
    let mut rest = text.trim_start_matches(' ').chars().peekable();
    let (mut negative, mut digits) = (false, String::new());
    for piece in pieces {
        while matches!(piece, Piece::Nine | Piece::Zero)
            && matches!(rest.peek(), Some(' ' | '+' | '-' | '<'))
        {
            negative |= matches!(rest.next(), Some('-' | '<'));
        }
        match (piece, rest.peek()) {
            (Piece::Nine | Piece::Zero, Some(letter)) if letter.is_ascii_digit() => {
                digits.extend(rest.next())
            }
            (Piece::Point, Some('.')) => digits.extend(rest.next()),
            (Piece::Comma, Some(',')) => {
                rest.next();
            }
            (
                Piece::Minus | Piece::Plus | Piece::Sign | Piece::Silent,
                Some('+' | '-' | '<' | '>' | ' '),
            ) => {
                negative |= matches!(rest.next(), Some('-' | '<'));
            }
            (Piece::Currency, Some(letter)) if !letter.is_ascii_digit() => {
                rest.next();
            }
            (Piece::Literal(_) | Piece::Ordinal(_), Some(letter)) if !letter.is_ascii_digit() => {
                rest.next();
            }
            _ => {}
        }
    }
    negative |= rest.any(|letter| letter == '-');
    if let Some(shifted) = shape.shifted
        && let Ok(value) = digits.parse::<i128>()
    {
        let scale = i32::try_from(shifted).unwrap_or_default();
        return Ok(Finite::of(if negative { -value } else { value }, scale).into());
    }
    let digits = digits.trim_end_matches('.');
    let number = Number::parse(digits).map_err(|_| ValueError::invalid_text("numeric", " "))?;
    Ok(if negative { number.negated() } else { number })
}
