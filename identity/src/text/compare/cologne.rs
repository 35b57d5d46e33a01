//! Kölner Phonetik (Postel 1969): the code for German names, digits of any number.

use rphonetic::Encoder;

use crate::text::fold;

/// The code of a word; empty when it has no letter.
pub fn cologne(text: &str) -> String {
    // The rules know ä, ö, ü and ß as a, o, u and ss, which folding makes of them.
    rphonetic::Cologne.encode(&fold::ascii_letters(text))
}
