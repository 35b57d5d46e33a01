//! Metaphone (Philips 1990, "Hanging on the Metaphone", Computer Language 7), with the answers of
//! PostgreSQL's fuzzystrmatch (manual, F.17). `X` stands for *sh*, `0` for *th*.

/// The code of a text, of at most `length` letters.
pub fn metaphone(text: &str, length: usize) -> String {
    let Some(start) = text.bytes().position(|byte| byte.is_ascii_alphabetic()) else {
        return String::new();
    };
    let word = Word(text.as_bytes());
    let (first, taken) = word.beginning(start);
    let mut code = first.to_owned();
    let mut at = start + taken;
    while at < text.len() && code.len() < length {
        let letter = word.at(at, 0);
        let repeated = letter == word.at(at, -1) && letter != b'C';
        if letter.is_ascii_alphabetic() && !repeated {
            let (sound, more) = word.sound(at);
            code.push_str(sound);
            at += more;
        }
        at += 1;
    }
    code.truncate(length);
    code
}

/// A sound, and how many letters after the first it takes.
type Sound = (&'static str, usize);

struct Word<'a>(&'a [u8]);

impl Word<'_> {
    /// The letter in upper case that many places from another; 0 outside of the word.
    fn at(&self, place: usize, offset: isize) -> u8 {
        let place = place.checked_add_signed(offset);
        place.and_then(|place| self.0.get(place)).map_or(0, u8::to_ascii_uppercase)
    }

    /// How a word may begin otherwise than it goes on; the number counts all letters.
    fn beginning(&self, start: usize) -> Sound {
        match (self.at(start, 0), self.at(start, 1)) {
            (b'A', b'E') => ("E", 2),
            (b'G' | b'K' | b'P', b'N') => ("N", 2),
            (b'W', b'R') => ("R", 2),
            (b'W', b'H') => ("H", 2),
            (b'W', next) if is_vowel(next) => ("W", 2),
            (b'X', _) => ("S", 1),
            (b'A', _) => ("A", 1),
            (b'E', _) => ("E", 1),
            (b'I', _) => ("I", 1),
            (b'O', _) => ("O", 1),
            (b'U', _) => ("U", 1),
            _ => ("", 0),
        }
    }

    fn sound(&self, at: usize) -> Sound {
        let (before, next, third) = (self.at(at, -1), self.at(at, 1), self.at(at, 2));
        match self.at(at, 0) {
            b'B' if before != b'M' => ("B", 0),
            b'C' => self.sound_of_c(at),
            b'D' if next == b'G' && softens(third) => ("J", 1),
            b'D' => ("T", 0),
            b'G' => self.sound_of_g(at),
            b'H' if is_vowel(next) && !matches!(before, b'C' | b'G' | b'P' | b'S' | b'T') => {
                ("H", 0)
            }
            b'K' if before != b'C' => ("K", 0),
            b'P' if next == b'H' => ("F", 0),
            b'P' => ("P", 0),
            b'Q' => ("K", 0),
            b'S' => self.sound_of_s(at),
            b'T' => self.sound_of_t(at),
            b'F' | b'V' => ("F", 0),
            b'W' if is_vowel(next) => ("W", 0),
            b'X' => ("KS", 0),
            b'Y' if is_vowel(next) => ("Y", 0),
            b'Z' => ("S", 0),
            b'J' => ("J", 0),
            b'L' => ("L", 0),
            b'M' => ("M", 0),
            b'N' => ("N", 0),
            b'R' => ("R", 0),
            _ => ("", 0),
        }
    }

    /// *ch* is *sh* but for Christ and school; soft before e, i, y, and silent in *sce*.
    fn sound_of_c(&self, at: usize) -> Sound {
        match (self.at(at, -1), self.at(at, 1), self.at(at, 2)) {
            (_, b'I', b'A') => ("X", 0),
            (b'S', next, _) if softens(next) => ("", 0),
            (_, next, _) if softens(next) => ("S", 0),
            (b'S', b'H', _) | (_, b'H', b'R') => ("K", 1),
            (_, b'H', _) => ("X", 1),
            _ => ("K", 0),
        }
    }

    /// *gh* is *f* but where the *g* is silent (bough, daughter); *gn* ends a word silently.
    fn sound_of_g(&self, at: usize) -> Sound {
        match (self.at(at, -1), self.at(at, 1), self.at(at, 2)) {
            (_, b'H', _) => {
                let silent = matches!(self.at(at, -3), b'B' | b'D' | b'H');
                if silent || self.at(at, -4) == b'H' { ("", 0) } else { ("F", 1) }
            }
            (_, b'N', third) if !third.is_ascii_alphabetic() => ("", 0),
            (_, b'N', b'E') if self.at(at, 3) == b'D' => ("", 0),
            (_, b'N', _) => ("K", 0),
            (before, next, _) if softens(next) && before != b'G' => ("J", 0),
            _ => ("K", 0),
        }
    }

    fn sound_of_s(&self, at: usize) -> Sound {
        match (self.at(at, 1), self.at(at, 2), self.at(at, 3)) {
            (b'I', b'O' | b'A', _) => ("X", 0),
            (b'H', ..) => ("X", 1),
            (b'C', b'H', b'W') => ("X", 2),
            _ => ("S", 0),
        }
    }

    fn sound_of_t(&self, at: usize) -> Sound {
        match (self.at(at, 1), self.at(at, 2)) {
            (b'I', b'O' | b'A') => ("X", 0),
            (b'H', _) => ("0", 1),
            _ => ("T", 0),
        }
    }
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'A' | b'E' | b'I' | b'O' | b'U')
}

/// Makes *c* and *g* soft.
fn softens(letter: u8) -> bool {
    matches!(letter, b'E' | b'I' | b'Y')
}
