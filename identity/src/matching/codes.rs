//! Codes within a text: model numbers, versions, sizes. `Sony PS-LX350H, 33 rpm` → `pslx350h 33`.
//!
//! Products are told apart by them, while the words around them are the same for a whole series.

use super::kernel::one_edit;
use super::prepared::Field;
use super::values::Values;

/// Letters and digits of a code from which on it may be one of a kind.
const TELLING: usize = 4;
/// The same without letters: shorter numbers are sizes and years.
const TELLING_DIGITS: usize = 6;

/// Cuts a text into its codes, one after another with spaces between, and the rest.
pub(crate) fn cut(value: &str, codes: &mut Vec<u8>) -> String {
    codes.clear();
    let mut rest = String::with_capacity(value.len());
    let part = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.');
    for word in value.split_inclusive(|letter| !part(letter)) {
        let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        if !bare.is_ascii() || !bare.bytes().any(|byte| byte.is_ascii_digit()) {
            rest.push_str(word);
            continue;
        }
        rest.push(' ');
        if !codes.is_empty() {
            codes.push(b' ');
        }
        codes.extend(bare.bytes().filter(|byte| *byte != b'-').map(|one| one.to_ascii_lowercase()));
    }
    rest
}

/// The level of two lists of codes that are not the same.
pub(crate) fn compare(values: &Values, field: &Field, (a, b): (u32, u32)) -> u8 {
    let Some(words) = &values.words else { return 1 };
    let (of_a, of_b) = (values.tokens(a), values.tokens(b));
    let common = || of_a.iter().filter(|token| of_b.binary_search(token).is_ok());
    let most = f64::from(field.present).powf(0.25).max(2.0);
    let rare = |token: &u32| f64::from(field.word_counts[*token as usize]) <= most;
    if common().any(|token| tells(words.bytes(*token)) && rare(token)) {
        return 5;
    }
    match common().count() {
        0 => {}
        count if count == of_a.len().min(of_b.len()) => return 4,
        _ => return 3,
    }
    let alike = |x: &[u8], y: &[u8]| {
        let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
        tells(short) && (long.starts_with(short) || long.ends_with(short) || one_edit(x, y))
    };
    let near = of_a.iter().any(|x| of_b.iter().any(|y| alike(words.bytes(*x), words.bytes(*y))));
    1 + u8::from(near)
}

/// Whether a code may be one of a kind: letters with digits, or many digits.
fn tells(code: &[u8]) -> bool {
    let letters = code.iter().any(u8::is_ascii_alphabetic);
    code.len() >= if letters { TELLING } else { TELLING_DIGITS }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn codes_are_cut_out_of_texts() {
        let cases = [
            ("Sony Turntable - PSLX350H", "pslx350h", "sony turntable"),
            ("Sony PS-LX350H, 33 rpm", "pslx350h 33", "sony rpm"),
            ("office 2007 (v.12.0)", "2007 v.12.0", "office"),
            ("no codes - here", "", "no codes here"),
            ("KX-TG6700B/Black", "kxtg6700b", "black"),
            ("", "", ""),
        ];
        for (value, codes, rest) in cases {
            let mut found = Vec::new();
            let words = cut(value, &mut found).to_lowercase();
            assert_eq!(String::from_utf8(found).unwrap(), codes, "{value}");
            let letters = |letter: char| !letter.is_alphanumeric();
            let words: Vec<&str> = words.split(letters).filter(|one| !one.is_empty()).collect();
            assert_eq!(words.join(" "), rest, "{value}");
        }
    }
}
