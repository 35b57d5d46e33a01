//! How alike two values are: one of a few levels per meaning.

use std::sync::LazyLock;

use super::codes;
use super::kernel::{Kernel, least_edits, most_jaro, one_edit};
use super::nicknames;
use super::prepared::{Field, Prepared};
use super::records::{Meaning, NULL};
use super::values::Values;

/// A level that a comparison can come to, lowest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub(crate) label: &'static str,
    /// How often two records of one entity come to it, where nothing better is known.
    pub(crate) prior: f32,
}

const fn level(label: &'static str, prior: f32) -> Level {
    Level { label, prior }
}

const NAME: [Level; 8] = [
    level("different", 0.04),
    level("a little similar (Jaro-Winkler ≥ 0.80)", 0.02),
    level("similar (Jaro-Winkler ≥ 0.90)", 0.04),
    level("one begins with the other", 0.04),
    level("nickname", 0.03),
    level("one edit", 0.08),
    level("given and family name swapped", 0.03),
    level("same", 0.72),
];
const DATE: [Level; 7] = [
    level("different", 0.03),
    level("same year", 0.02),
    level("within a year", 0.02),
    level("two of year, month and day", 0.07),
    level("one digit", 0.08),
    level("day and month swapped", 0.02),
    level("same", 0.76),
];
const EMAIL: [Level; 5] = [
    level("different", 0.12),
    level("similar (Jaro-Winkler ≥ 0.90) with the same digits", 0.06),
    level("same before the @", 0.04),
    level("two edits with the same digits", 0.08),
    level("same", 0.70),
];
const DIGITS: [Level; 4] = [
    level("different", 0.14),
    level("two edits, or the same last seven digits", 0.04),
    level("one edit", 0.08),
    level("same", 0.74),
];
const ADDRESS: [Level; 6] = [
    level("different", 0.12),
    level("some words (≥ 0.3)", 0.06),
    level("half of the words (≥ 0.6)", 0.06),
    level("most words (≥ 0.8)", 0.08),
    level("one edit", 0.10),
    level("same", 0.58),
];
const POSTCODE: [Level; 4] = [
    level("different", 0.12),
    level("same district", 0.06),
    level("one edit", 0.10),
    level("same", 0.72),
];
const CITY: [Level; 5] = [
    level("different", 0.10),
    level("a word in common", 0.04),
    level("similar (Jaro-Winkler ≥ 0.88)", 0.06),
    level("one edit", 0.08),
    level("same", 0.72),
];
const CATEGORY: [Level; 3] =
    [level("different", 0.08), level("one edit", 0.05), level("same", 0.87)];
const NUMBER: [Level; 5] = [
    level("different", 0.14),
    level("within a fifth", 0.06),
    level("within a twentieth", 0.06),
    level("within a hundredth, or one digit of a whole number", 0.08),
    level("same", 0.66),
];
const CODES: [Level; 6] = [
    level("different", 0.12),
    level("similar codes", 0.08),
    level("some codes in common", 0.10),
    level("all codes of one in the other", 0.15),
    level("a rare code in common", 0.30),
    level("same", 0.25),
];
const WORDS: [Level; 8] = [
    level("different", 0.05),
    level("words ≥ 0.15", 0.04),
    level("words ≥ 0.30", 0.08),
    level("words ≥ 0.45", 0.12),
    level("words ≥ 0.60", 0.15),
    level("words ≥ 0.75", 0.18),
    level("words ≥ 0.90", 0.13),
    level("same", 0.25),
];

/// The levels of a meaning. In a packed vector they count from 1; 0 is a missing value.
pub(crate) fn levels(meaning: Meaning) -> &'static [Level] {
    match meaning {
        Meaning::GivenName | Meaning::FamilyName | Meaning::FullName => &NAME,
        Meaning::Date => &DATE,
        Meaning::Email => &EMAIL,
        Meaning::Phone | Meaning::Key => &DIGITS,
        Meaning::Address => &ADDRESS,
        Meaning::Postcode => &POSTCODE,
        Meaning::City => &CITY,
        Meaning::Category => &CATEGORY,
        Meaning::Number => &NUMBER,
        Meaning::Codes => &CODES,
        Meaning::Text | Meaning::Company | Meaning::OtherNames => &WORDS,
    }
}

/// The level of swapped names.
pub(crate) const SWAPPED: u8 = 7;

/// Compares two values of one field that are there and not the same.
pub(crate) fn compare(
    prepared: &Prepared,
    field: usize,
    (a, b): (u32, u32),
    kernel: &mut Kernel,
) -> u8 {
    let field = &prepared.fields[field];
    let values = &prepared.values[field.values];
    match field.meaning {
        Meaning::GivenName | Meaning::FamilyName | Meaning::FullName => name(values, a, b, kernel),
        Meaning::Date => date(values, a, b),
        Meaning::Email => email(values, a, b, kernel),
        Meaning::Phone | Meaning::Key => digits(values, a, b, kernel),
        Meaning::Address => address(values, field, (a, b), kernel),
        Meaning::Postcode => postcode(values, a, b),
        Meaning::City => city(values, a, b, kernel),
        Meaning::Category => 1 + u8::from(close(values, a, b)),
        Meaning::Number => number(values, a, b),
        Meaning::Codes => codes::compare(values, field, (a, b)),
        Meaning::Text | Meaning::Company | Meaning::OtherNames => {
            words(values, field, (a, b), kernel)
        }
    }
}

/// One edit apart, in values long enough for that to mean something.
fn close(values: &Values, a: u32, b: u32) -> bool {
    let (x, y) = (values.bytes(a), values.bytes(b));
    x.len().max(y.len()) >= 4
        && least_edits(values.item(a).signature, values.item(b).signature) <= 1
        && one_edit(x, y)
}

/// Jaro–Winkler similarity, or 0 when it cannot reach `least`.
fn similar(values: &Values, (a, b): (u32, u32), least: f32, kernel: &mut Kernel) -> f32 {
    let (x, y) = (values.bytes(a), values.bytes(b));
    let (of_a, of_b) = (values.item(a).signature, values.item(b).signature);
    let most = most_jaro((x.len(), of_a), (y.len(), of_b));
    let prefix = x.iter().zip(y).take(4).take_while(|(x, y)| x == y).count();
    if most + 0.1 * prefix as f32 * (1.0 - most) < least {
        return 0.0;
    }
    kernel.jaro_winkler(x, y)
}

fn name(values: &Values, a: u32, b: u32, kernel: &mut Kernel) -> u8 {
    let (x, y) = (values.bytes(a), values.bytes(b));
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    let (of_a, of_b) = (&values.item(a).facts, &values.item(b).facts);
    if short.len() >= 3 && close(values, a, b) {
        return 6;
    }
    if of_a[1] != 0 && of_b[1] != 0 && nicknames::related(of_a[1], of_b[1]) {
        return 5;
    }
    let part = long.ends_with(short) && long[long.len() - short.len() - 1] == b' ';
    if long.starts_with(short) || part {
        return 4;
    }
    match similar(values, (a, b), 0.80, kernel) {
        0.90.. => 3,
        0.80.. => 2,
        _ => 1,
    }
}

fn date(values: &Values, a: u32, b: u32) -> u8 {
    let (x, y) = (values.item(a).facts, values.item(b).facts);
    if x[0] == 0 || y[0] == 0 {
        return 1 + 4 * u8::from(close(values, a, b));
    }
    let ((month_x, day_x), (month_y, day_y)) = ((x[1] / 100, x[1] % 100), (y[1] / 100, y[1] % 100));
    if x[0] == y[0] && month_x == day_y && day_x == month_y {
        return 6;
    }
    if one_edit(values.bytes(a), values.bytes(b)) {
        return 5;
    }
    let same = [x[0] == y[0], month_x == month_y, day_x == day_y];
    if same.iter().filter(|same| **same).count() == 2 {
        return 4;
    }
    match x[2].abs_diff(y[2]) {
        _ if same[0] => 2,
        0..=372 => 3,
        _ => 1,
    }
}

fn email(values: &Values, a: u32, b: u32, kernel: &mut Kernel) -> u8 {
    let (of_a, of_b) = (values.item(a), values.item(b));
    let (x, y) = (values.bytes(a), values.bytes(b));
    let edits = least_edits(of_a.signature, of_b.signature);
    // Addresses of namesakes differ in their number only.
    let digits = |value: &[u8]| {
        let digits = value.iter().filter(|byte| byte.is_ascii_digit());
        digits.fold(1u64, |number, digit| number.wrapping_mul(11).wrapping_add(u64::from(*digit)))
    };
    let same_number = digits(x) == digits(y);
    if same_number && edits <= 2 && x.len().abs_diff(y.len()) <= 2 && kernel.edits(x, y) <= 2 {
        return 4;
    }
    if of_a.facts[0] == of_b.facts[0] && of_a.facts[1] >= 3 {
        return 3;
    }
    1 + u8::from(same_number && edits <= 6 && similar(values, (a, b), 0.90, kernel) >= 0.90)
}

fn digits(values: &Values, a: u32, b: u32, kernel: &mut Kernel) -> u8 {
    let (of_a, of_b) = (values.item(a), values.item(b));
    let (x, y) = (values.bytes(a), values.bytes(b));
    if close(values, a, b) {
        return 3;
    }
    let edits = least_edits(of_a.signature, of_b.signature);
    let near = edits <= 2 && x.len().abs_diff(y.len()) <= 2 && x.len().min(y.len()) >= 6;
    let tail = x.len().min(y.len()) >= 7 && of_a.facts[0] == of_b.facts[0];
    1 + u8::from(tail || (near && kernel.edits(x, y) <= 2))
}

fn postcode(values: &Values, a: u32, b: u32) -> u8 {
    if close(values, a, b) {
        return 3;
    }
    1 + u8::from(values.item(a).facts[0] == values.item(b).facts[0])
}

fn city(values: &Values, a: u32, b: u32, kernel: &mut Kernel) -> u8 {
    if close(values, a, b) {
        return 4;
    }
    if similar(values, (a, b), 0.88, kernel) >= 0.88 {
        return 3;
    }
    let (x, y) = (values.bytes(a), values.bytes(b));
    let long = |word: &&[u8]| word.len() >= 4;
    let mut words = x.split(|byte| *byte == b' ').filter(long);
    let common = words.any(|word| y.split(|byte| *byte == b' ').any(|other| other == word));
    1 + u8::from(common)
}

fn number(values: &Values, a: u32, b: u32) -> u8 {
    let read = |code| {
        let facts = values.item(code).facts;
        let bits = u64::from(facts[0]) << 32 | u64::from(facts[1]);
        (facts[2] == 1).then(|| f64::from_bits(bits))
    };
    let (Some(x), Some(y)) = (read(a), read(b)) else {
        return 1 + 3 * u8::from(close(values, a, b));
    };
    // A digit of a price is no slip: 49.95 and 69.95 are two prices.
    let whole = x.fract() == 0.0 && y.fract() == 0.0;
    match (x - y).abs() / x.abs().max(y.abs()) {
        ..=0.01 => 4,
        _ if whole && close(values, a, b) => 4,
        ..=0.05 => 3,
        ..=0.20 => 2,
        _ => 1,
    }
}

fn address(values: &Values, field: &Field, pair: (u32, u32), kernel: &mut Kernel) -> u8 {
    if close(values, pair.0, pair.1) {
        return 5;
    }
    match shared(values, field, pair, kernel) {
        0.8.. => 4,
        0.6.. => 3,
        0.3.. => 2,
        _ => 1,
    }
}

fn words(values: &Values, field: &Field, pair: (u32, u32), kernel: &mut Kernel) -> u8 {
    let similarity = shared(values, field, pair, kernel);
    1 + (((similarity + 0.15) / 0.15) as u8 - 1).min(6)
}

/// Words of a value up to which those that differ are looked at letter by letter.
const FEW_WORDS: usize = 10;

/// Soft TF-IDF (Cohen, Ravikumar, Fienberg 2003): the cosine of two bags of words, rare words
/// heavy, where a word that is nearly the same counts nine tenths.
fn shared(values: &Values, field: &Field, (a, b): (u32, u32), kernel: &mut Kernel) -> f32 {
    let (Some(words), of_a, of_b) = (&values.words, values.tokens(a), values.tokens(b)) else {
        return 0.0;
    };
    let most = (field.present as f32 + 1.0).ln();
    let weight = |token: u32| (most - ln(field.word_counts[token as usize].max(1))).max(0.1);
    let square = |token: &u32| weight(*token).powi(2);
    let norm = |tokens: &[u32]| tokens.iter().map(square).sum::<f32>().sqrt();
    let soft = of_a.len() <= FEW_WORDS && of_b.len() <= FEW_WORDS;
    let mut product = 0.0;
    let mut place = 0;
    for token in of_a {
        while of_b.get(place).is_some_and(|other| other < token) {
            place += 1;
        }
        if of_b.get(place) == Some(token) {
            product += square(token);
        } else if soft {
            let close = of_b
                .iter()
                .filter(|other| alike(words, *token, **other, kernel))
                .filter(|other| of_a.binary_search(other).is_err())
                .map(|other| weight(*token).min(weight(*other)).powi(2));
            product += close.fold(0.0, f32::max) * 0.9;
        }
    }
    if product == 0.0 {
        return 0.0;
    }
    product / (norm(of_a) * norm(of_b)).max(f32::MIN_POSITIVE)
}

/// The natural logarithm of a count, from a table where it is small.
fn ln(count: u32) -> f32 {
    static SMALL: LazyLock<[f32; 1024]> =
        LazyLock::new(|| std::array::from_fn(|count| (count as f32).ln()));
    SMALL.get(count as usize).copied().unwrap_or_else(|| (count as f32).ln())
}

/// Words that are spelled nearly the same; numbers never are.
fn alike(words: &Values, a: u32, b: u32, kernel: &mut Kernel) -> bool {
    let (x, y) = (words.bytes(a), words.bytes(b));
    let number = |word: &[u8]| word.iter().any(u8::is_ascii_digit);
    x.len() >= 4 && y.len() >= 4 && !number(x) && !number(y) && {
        close(words, a, b) || similar(words, (a, b), 0.92, kernel) >= 0.92
    }
}

/// The packed levels of a pair: four bits per field, the first field lowest.
pub(crate) fn vector(prepared: &Prepared, a: u32, b: u32, kernel: &mut Kernel) -> u64 {
    let (x, y) = (prepared.row(a), prepared.row(b));
    let mut packed = 0u64;
    for (field, (code_a, code_b)) in x.iter().zip(y).enumerate() {
        packed |= u64::from(level_of(prepared, field, (*code_a, *code_b), kernel)) << (4 * field);
    }
    with_swap(prepared, (x, y), packed)
}

/// The level of one field, 0 when a value is missing.
pub(crate) fn level_of(
    prepared: &Prepared,
    field: usize,
    (a, b): (u32, u32),
    kernel: &mut Kernel,
) -> u8 {
    if a == NULL || b == NULL {
        0
    } else if a == b {
        levels(prepared.fields[field].meaning).len() as u8
    } else {
        compare(prepared, field, (a, b), kernel)
    }
}

/// Puts the level of swapped names where each name is, or nearly is, the other record's other one.
pub(crate) fn with_swap(prepared: &Prepared, (x, y): (&[u32], &[u32]), packed: u64) -> u64 {
    let Some((given, family)) = prepared.swappable else { return packed };
    let (ga, fa, gb, fb) = (x[given], x[family], y[given], y[family]);
    if ga == gb || fa == fb || (ga != fb && fa != gb) {
        return packed;
    }
    let values = prepared.values_of(given);
    let same = |a: u32, b: u32| a == b || (a != NULL && b != NULL && close(values, a, b));
    let missing = |a: u32, b: u32| a == NULL || b == NULL;
    let (one, two) = (same(ga, fb) && ga != NULL, same(fa, gb) && fa != NULL);
    let level = u64::from(SWAPPED);
    if one && two {
        let clear = !(15u64 << (4 * given) | 15u64 << (4 * family));
        return (packed & clear) | level << (4 * given) | level << (4 * family);
    }
    // One name crosses over and the other one is not known: one name speaks, the other is silent.
    if (one && missing(fa, gb)) || (two && missing(ga, fb)) {
        let speaks = if missing(ga, gb) { family } else { given };
        let clear = !(15u64 << (4 * given) | 15u64 << (4 * family));
        return (packed & clear) | level << (4 * speaks);
    }
    packed
}
