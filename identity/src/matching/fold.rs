//! Folding: what is the same to a reader becomes the same bytes.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that Unicode does not decompose, written as their usual replacement.
const SPELLED: [(char, &str); 14] = [
    ('ß', "ss"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('ø', "o"),
    ('ł', "l"),
    ('đ', "d"),
    ('ð', "d"),
    ('þ', "th"),
    ('ħ', "h"),
    ('ı', "i"),
    ('ŋ', "n"),
    ('’', "'"),
    ('‘', "'"),
    ('–', "-"),
];

/// Lower case without diacritics, runs of anything but letters and digits as one space.
///
/// Letters outside of ASCII become one byte each (128 … 255, a hash), so that every kernel may
/// take a byte for a character. `keep` names punctuation that stays.
pub(crate) fn fold(value: &str, keep: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if value.is_ascii() {
        value.bytes().for_each(|byte| push(byte, keep, out));
    } else {
        for character in value.nfkd().filter(|c| !is_combining_mark(*c)) {
            character.to_lowercase().for_each(|c| push_char(c, keep, out));
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
}

fn push(byte: u8, keep: &[u8], out: &mut Vec<u8>) {
    if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
        out.push(byte.to_ascii_lowercase());
    } else if byte != b'\'' && out.last().is_some_and(|last| *last != b' ') {
        out.push(b' ');
    }
}

fn push_char(character: char, keep: &[u8], out: &mut Vec<u8>) {
    if let Some((_, spelled)) = SPELLED.iter().find(|(c, _)| *c == character) {
        spelled.bytes().for_each(|byte| push(byte, keep, out));
    } else if let Ok(byte) = u8::try_from(character)
        && byte.is_ascii()
    {
        push(byte, keep, out);
    } else if character.is_alphanumeric() {
        out.push(128 | (u32::from(character).wrapping_mul(0x9E37_79B1) >> 25) as u8);
    } else {
        push(b' ', keep, out);
    }
}

/// Soundex of the letters of one word: the first letter and three classes of consonants.
pub(crate) fn soundex(word: &[u8]) -> u32 {
    const CLASS: &[u8; 26] = b"01230120022455012623010202";
    let mut letters = word.iter().filter(|byte| byte.is_ascii_lowercase());
    let Some(first) = letters.next() else { return 0 };
    let mut code = u32::from(*first);
    let mut last = CLASS[usize::from(first - b'a')];
    let mut count = 0;
    for byte in letters {
        let class = CLASS[usize::from(byte - b'a')];
        if class != b'0' && class != last && count < 3 {
            code = code << 4 | u32::from(class - b'0');
            count += 1;
        }
        if !matches!(byte, b'h' | b'w') {
            last = class;
        }
    }
    code << (4 * (3 - count))
}

#[cfg(test)]
mod tests {
    use super::{fold, soundex};

    #[test]
    fn values_fold() {
        let cases = [
            ("José-María  O'Neill", "jose maria oneill"),
            ("STRAßE", "strasse"),
            (" Łódź. ", "lodz"),
            ("12/b", "12 b"),
            ("ＡＢＣ", "abc"),
        ];
        let mut out = Vec::new();
        for (value, folded) in cases {
            fold(value, b"", &mut out);
            assert_eq!(String::from_utf8_lossy(&out), folded);
        }
        fold("Д", b"", &mut out);
        assert!(out.len() == 1 && out[0] >= 128);
    }

    #[test]
    fn names_that_sound_alike_share_a_code() {
        assert_eq!(soundex(b"robert"), soundex(b"rupert"));
        assert_eq!(soundex(b"ashcraft"), soundex(b"ashcroft"));
        assert_ne!(soundex(b"smith"), soundex(b"smythers"));
        assert_eq!(soundex(b"123"), 0);
    }
}
