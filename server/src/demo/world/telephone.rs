//! Telephone numbers, and the ways in which people and systems write them.

use super::World;
use super::person::Person;
use super::random::{Dice, scattered};

/// How a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// `+33612345678`.
    #[default]
    International,
    /// `+33 612 34 56 78`.
    InternationalSpaced,
    /// `0033612345678`.
    DoubleZero,
    /// `06 12 34 56 78`.
    National,
    /// `0612345678`.
    NationalPlain,
    /// `06.12.34.56.78`.
    Dotted,
    /// `+33 (0)612 34 56 78`.
    Bracketed,
}

/// All styles, the usual ones more than once.
const STYLES: &[Style] = &[
    Style::International,
    Style::International,
    Style::InternationalSpaced,
    Style::DoubleZero,
    Style::National,
    Style::National,
    Style::NationalPlain,
    Style::NationalPlain,
    Style::Dotted,
    Style::Bracketed,
];

impl World {
    /// The mobile number that somebody gives, in one of the styles.
    pub(crate) fn mobile(&self, person: &Person<'_>, dice: &mut Dice) -> String {
        let borrowed = person.number & 1 == 1 && self.household(person.number).one_telephone;
        let owner = if borrowed { person.number & !1 } else { person.number };
        let country = person.home.country;
        let number = scattered(owner + 1, 100_000_000);
        let start =
            country.mobile.get(owner as usize % country.mobile.len()).copied().unwrap_or("6");
        let number = format!("{start}{number:08}");
        let style = dice.one_of(STYLES);
        // Italians and Spaniards have no leading zero to drop.
        let zero = if matches!(country.code, "ES" | "IT") { "" } else { "0" };
        written(country.dial, zero, &number, style)
    }
}

fn written(dial: &str, zero: &str, number: &str, style: Style) -> String {
    match style {
        Style::International => format!("+{dial}{number}"),
        Style::InternationalSpaced => format!("+{dial} {}", grouped(number, ' ')),
        Style::DoubleZero => format!("00{dial}{number}"),
        Style::National => grouped(&format!("{zero}{number}"), ' '),
        Style::NationalPlain => format!("{zero}{number}"),
        Style::Dotted => grouped(&format!("{zero}{number}"), '.'),
        Style::Bracketed if zero.is_empty() => format!("(+{dial}) {}", grouped(number, ' ')),
        Style::Bracketed => format!("+{dial} ({zero}){}", grouped(number, ' ')),
    }
}

/// Groups of two digits, the first one of three where the digits are odd in number.
fn grouped(number: &str, separator: char) -> String {
    let mut out = String::with_capacity(number.len() * 3 / 2);
    for (place, digit) in number.chars().enumerate() {
        if place > 1 && (number.len() - place).is_multiple_of(2) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_written_in_many_ways() {
        let written = |style| written("33", "0", "612345678", style);
        assert_eq!(written(Style::National), "06 12 34 56 78");
        assert_eq!(written(Style::InternationalSpaced), "+33 612 34 56 78");
        assert_eq!(written(Style::DoubleZero), "0033612345678");
        assert_eq!(written(Style::Dotted), "06.12.34.56.78");
        assert_eq!(written(Style::Bracketed), "+33 (0)612 34 56 78");
    }
}
