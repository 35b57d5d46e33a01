//! Soundex as PostgreSQL's fuzzystrmatch has it (manual, F.17): `H` and `W` separate letters of one
//! code as vowels do, other than in the archives' rules.

/// Codes of the letters A to Z; 0 is not written.
const CODES: &[u8; 26] = b"01230120022455012623010202";
const LENGTH: usize = 4;

/// The first letter and three digits; empty without an ASCII letter. Other letters are skipped.
pub fn soundex(text: &str) -> String {
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(u8::is_ascii_alphabetic) else {
        return String::new();
    };
    let mut result = String::with_capacity(LENGTH);
    result.push(char::from(bytes[first].to_ascii_uppercase()));
    for pair in bytes[first..].windows(2) {
        let code = code(pair[1]);
        if pair[1].is_ascii_alphabetic() && code != self::code(pair[0]) && code != b'0' {
            result.push(char::from(code));
        }
        if result.len() == LENGTH {
            return result;
        }
    }
    while result.len() < LENGTH {
        result.push('0');
    }
    result
}

/// The code of a letter; other bytes stand for themselves.
fn code(byte: u8) -> u8 {
    match byte.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => CODES[usize::from(letter - b'A')],
        other => other,
    }
}

/// How many of the four places of two Soundex codes agree.
pub fn soundex_difference(a: &str, b: &str) -> usize {
    soundex(a).bytes().zip(soundex(b).bytes()).filter(|(a, b)| a == b).count()
}
