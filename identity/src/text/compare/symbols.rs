//! Two texts as symbols of one byte, so that the places of a symbol fit one machine word.

/// Symbols of the shorter text that fit a word.
pub(super) const WORD: usize = 64;
/// Stands for every symbol of the longer text that the shorter one has not.
const ABSENT: u8 = 127;

/// Runs `short` on texts of which one has at most [`WORD`] symbols, else `long`.
///
/// ASCII is its own code. Otherwise the symbols of the shorter text get codes below 64 in order of
/// appearance, and the symbols that only the longer one has share [`ABSENT`]: equality *between*
/// the texts is kept, which is all that the kernels ask.
pub(super) fn compare<T>(
    a: &str,
    b: &str,
    short: impl FnOnce(&[u8], &[u8]) -> T,
    long: impl FnOnce(&[char], &[char]) -> T,
) -> T {
    if a.is_ascii() && b.is_ascii() && a.len().min(b.len()) <= WORD {
        return short(a.as_bytes(), b.as_bytes());
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().min(b.len()) > WORD {
        return long(&a, &b);
    }
    let shorter = if a.len() <= b.len() { &a } else { &b };
    let mut known: Vec<char> = Vec::with_capacity(shorter.len());
    for symbol in shorter {
        if !known.contains(symbol) {
            known.push(*symbol);
        }
    }
    let code = |symbol: &char| {
        let place = known.iter().position(|one| one == symbol);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(ABSENT)
    };
    let codes = |text: &[char]| text.iter().map(code).collect::<Vec<u8>>();
    short(&codes(&a), &codes(&b))
}

/// The places of every symbol in a text of at most [`WORD`] symbols, as bits.
pub(super) struct Places([u64; 128]);

impl Places {
    /// Of the first [`WORD`] symbols.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut places = [0; 128];
        for (place, symbol) in text.iter().take(WORD).enumerate() {
            places[usize::from(symbol & 127)] |= 1 << place;
        }
        Self(places)
    }

    /// The places of one symbol.
    pub(super) fn get(&self, symbol: u8) -> u64 {
        self.0[usize::from(symbol & 127)]
    }
}

/// Both texts without what they have in common at their ends: it costs no edit.
pub(super) fn without_common_ends<'a, T: PartialEq>(a: &'a [T], b: &'a [T]) -> (&'a [T], &'a [T]) {
    let prefix = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (&a[..a.len() - suffix], &b[..b.len() - suffix])
}
