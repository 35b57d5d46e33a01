//! `gender`: as the person gave it, in any language.

use super::{checks, fold};

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 50)
}

/// `f`, `m`, `x`, or what was given. Salutations of the common languages included; the digits are
/// those of ISO/IEC 5218.
pub fn normalize(value: &str) -> Option<String> {
    let word = fold::folded(value)?;
    let code = match word.as_str() {
        "f" | "female" | "woman" | "w" | "weiblich" | "femme" | "feminin" | "mme" | "mlle"
        | "mrs" | "ms" | "miss" | "frau" | "femenino" | "femminile" | "mujer" | "donna"
        | "vrouw" | "2" => "f",
        "m" | "male" | "man" | "mannlich" | "homme" | "masculin" | "h" | "mr" | "herr"
        | "masculino" | "maschile" | "hombre" | "uomo" | "1" => "m",
        "x" | "d" | "divers" | "diverse" | "other" | "autre" | "non binary" | "nonbinary" => "x",
        _ => return Some(word),
    };
    Some(code.to_owned())
}
