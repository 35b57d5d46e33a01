//! `numeric`: base-10000 digits with the weight of the first (src/backend/utils/adt/numeric.c,
//! `numeric_send`).

use super::Reader;
use crate::{Result, ValueError};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Sends the number that `text` prints: a sign, digits, perhaps a point and more digits; or a name.
pub(crate) fn send(text: &[u8], out: &mut Vec<u8>) {
    let named = match text {
        b"NaN" => Some(NAN),
        b"Infinity" => Some(INFINITY),
        b"-Infinity" => Some(NEGATIVE_INFINITY),
        _ => None,
    };
    if let Some(sign) = named {
        out.extend([0u16, 0, sign, 0].iter().flat_map(|word| word.to_be_bytes()));
        return;
    }
    let (sign, digits) = match text.split_first() {
        Some((b'-', digits)) => (NEGATIVE, digits),
        _ => (0, text),
    };
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let whole = digits.get(..point).unwrap_or_default();
    let fraction = digits.get(point + 1..).unwrap_or_default();
    let mut groups = Vec::with_capacity(12);
    groups.extend(whole.rchunks(4).rev().map(|chunk| group(chunk, 0)));
    groups.extend(fraction.chunks(4).map(|chunk| group(chunk, 4 - chunk.len())));
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let used = groups.len() - groups.iter().rev().take_while(|group| **group == 0).count();
    let kept = groups.get(leading..used).unwrap_or_default();
    let weight =
        if kept.is_empty() { 0 } else { whole.len().div_ceil(4) as i64 - 1 - leading as i64 };
    out.extend_from_slice(&(kept.len() as u16).to_be_bytes());
    out.extend_from_slice(&(weight as i16).to_be_bytes());
    out.extend_from_slice(&if kept.is_empty() { 0 } else { sign }.to_be_bytes());
    out.extend_from_slice(&(fraction.len() as u16).to_be_bytes());
    for group in kept {
        out.extend_from_slice(&group.to_be_bytes());
    }
}

/// The number of up to four digits, followed by `zeros` zeros.
fn group(digits: &[u8], zeros: usize) -> u16 {
    let value =
        digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit.wrapping_sub(b'0')));
    (0..zeros).fold(value, |value, _| value * 10)
}

/// Receives a number as decimal text, with the digits after the point that it says it has.
pub(crate) fn receive(bytes: &[u8]) -> Result<String> {
    let mut reader = Reader(bytes);
    let count = reader.i16()?;
    let weight = i64::from(reader.i16()?);
    let sign = u16::from_be_bytes(reader.array()?);
    let scale = u16::from_be_bytes(reader.array()?);
    match sign {
        0 | NEGATIVE => {}
        NAN => return Ok("NaN".to_owned()),
        INFINITY => return Ok("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Ok("-Infinity".to_owned()),
        _ => return Err(ValueError::new("22P03", "invalid sign in external \"numeric\" value")),
    }
    if count < 0 || scale > 0x3FFF {
        return Err(ValueError::new("22P03", "invalid scale in external \"numeric\" value"));
    }
    let mut text = String::from(if sign == NEGATIVE { "-0" } else { "0" });
    if weight < 0 && count > 0 {
        text.push('.');
        text.extend((weight..-1).map(|_| "0000"));
    }
    for position in 0..i64::from(count) {
        let digit = reader.i16()?;
        if !(0..10_000).contains(&digit) {
            return Err(ValueError::new("22P03", "invalid digit in external \"numeric\" value"));
        }
        if position == weight + 1 && weight >= 0 {
            text.push('.');
        }
        text.push_str(&format!("{digit:04}"));
    }
    let missing = weight + 1 - i64::from(count);
    if count > 0 {
        text.extend((0..missing).map(|_| "0000"));
    }
    reader.end()?;
    Ok(cut(text, usize::from(scale)))
}

/// The number with exactly `scale` digits after the point.
fn cut(mut text: String, scale: usize) -> String {
    if scale == 0 {
        text.truncate(text.find('.').unwrap_or(text.len()));
        return text;
    }
    let point = text.find('.').unwrap_or_else(|| {
        text.push('.');
        text.len() - 1
    });
    let length = point + 1 + scale;
    text.truncate(length);
    text.extend(std::iter::repeat_n('0', length - text.len()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_weights() {
        for (text, words) in [
            ("0", vec![0, 0, 0, 0]),
            ("0.00", vec![0, 0, 0, 2]),
            ("1", vec![1, 0, 0, 0, 1]),
            ("-12.34", vec![2, 0, 0x4000, 2, 12, 3400]),
            ("10000", vec![1, 1, 0, 0, 1]),
            ("12345.6", vec![3, 1, 0, 1, 1, 2345, 6000]),
            ("0.0001", vec![1, 0xffff, 0, 4, 1]),
            ("0.00000012", vec![1, 0xfffe, 0, 8, 12]),
            ("100000000.5", vec![4, 2, 0, 1, 1, 0, 0, 5000]),
            ("Infinity", vec![0, 0, 0xd000, 0]),
            ("-Infinity", vec![0, 0, 0xf000, 0]),
        ] {
            let mut out = Vec::new();
            send(text.as_bytes(), &mut out);
            let sent: Vec<u16> =
                out.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            assert_eq!(sent, words, "{text}");
            let read: f64 = receive(&out).unwrap().parse().unwrap();
            assert_eq!(read, text.parse::<f64>().unwrap(), "{text}");
        }
    }
}
