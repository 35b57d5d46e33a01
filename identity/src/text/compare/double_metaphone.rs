//! Double Metaphone (Philips 2000): an English name's code, and a second one after its other
//! possible origin. The library is a port of Apache commons-codec.

use rphonetic::Encoder;

use crate::text::fold;

/// Two codes of at most four letters; equal where there is one pronunciation only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleMetaphone {
    /// The usual pronunciation.
    pub primary: String,
    /// The other one.
    pub alternate: String,
}

/// The codes of a word. Accents are dropped first: the algorithm knows ASCII letters. Other signs
/// stay, since they separate sounds.
pub fn double_metaphone(text: &str) -> DoubleMetaphone {
    let encoder = rphonetic::DoubleMetaphone::default();
    let letters = fold::ascii(text);
    DoubleMetaphone {
        primary: encoder.encode(&letters).trim_end().to_owned(),
        alternate: encoder.encode_alternate(&letters).trim_end().to_owned(),
    }
}
