//! String distances on folded bytes, with cheap bounds first.
//!
//! A folded value has one byte per character (see [`super::fold`]), so all kernels are bit-parallel
//! over bytes. Values longer than 64 bytes are compared by their first 64.

/// Tables that the bit-parallel kernels reuse, so that no call clears 2 KiB.
#[derive(Debug)]
pub(crate) struct Kernel {
    masks: Box<[u64; 256]>,
}

impl Default for Kernel {
    fn default() -> Self {
        Self { masks: Box::new([0; 256]) }
    }
}

/// The characters of a value as bits: 26 letters, 10 digits, 26 second letters, the rest.
pub(crate) fn signature(value: &[u8]) -> u64 {
    let mut seen = 0u64;
    for &byte in value {
        let bit = match byte {
            b'a'..=b'z' => u32::from(byte - b'a'),
            b'0'..=b'9' => 26 + u32::from(byte - b'0'),
            _ => 62 + u32::from(byte & 1),
        };
        let twice = if bit < 26 && seen >> bit & 1 == 1 { bit + 36 } else { bit };
        seen |= 1 << twice;
    }
    seen
}

/// A lower bound of the edit distance, from two signatures.
pub(crate) fn least_edits(a: u64, b: u64) -> u32 {
    (a & !b).count_ones().max((b & !a).count_ones())
}

/// An upper bound of Jaro's similarity, from lengths and signatures.
pub(crate) fn most_jaro(a: (usize, u64), b: (usize, u64)) -> f32 {
    let common_a = a.0.saturating_sub((a.1 & !b.1).count_ones() as usize);
    let common_b = b.0.saturating_sub((b.1 & !a.1).count_ones() as usize);
    let common = common_a.min(common_b) as f32;
    if common == 0.0 {
        return 0.0;
    }
    (common / a.0 as f32 + common / b.0 as f32 + 1.0) / 3.0
}

/// True when two values differ by at most one insertion, deletion, substitution or transposition.
pub(crate) fn one_edit(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if b.len() - a.len() > 1 {
        return false;
    }
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[head..], &b[head..]);
    if a.len() < b.len() {
        return a == &b[1..];
    }
    match a.len() {
        0 | 1 => true,
        _ => a[1..] == b[1..] || (a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..]),
    }
}

fn clip(value: &[u8]) -> &[u8] {
    &value[..value.len().min(64)]
}

impl Kernel {
    /// Jaro–Winkler similarity (prefix scale 0.1, at most four characters), in 0 ..= 1.
    pub(crate) fn jaro_winkler(&mut self, a: &[u8], b: &[u8]) -> f32 {
        let (a, b) = (clip(a), clip(b));
        let jaro = self.jaro(a, b);
        if jaro <= 0.7 {
            return jaro;
        }
        let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
        jaro + prefix as f32 * 0.1 * (1.0 - jaro)
    }

    fn jaro(&mut self, a: &[u8], b: &[u8]) -> f32 {
        if a.is_empty() || b.is_empty() {
            return if a.len() == b.len() { 1.0 } else { 0.0 };
        }
        self.load(b);
        let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
        let (mut in_a, mut in_b) = (0u64, 0u64);
        for (place, &byte) in a.iter().enumerate() {
            let low = place.saturating_sub(reach);
            let window = ones(place + reach + 1) & !ones(low);
            let free = self.masks[usize::from(byte)] & window & !in_b;
            if free != 0 {
                in_b |= free & free.wrapping_neg();
                in_a |= 1 << place;
            }
        }
        self.clear(b);
        let common = in_a.count_ones();
        if common == 0 {
            return 0.0;
        }
        let mut crossed = 0;
        let (mut rest_a, mut rest_b) = (in_a, in_b);
        while rest_a != 0 {
            let (x, y) = (rest_a.trailing_zeros() as usize, rest_b.trailing_zeros() as usize);
            crossed += u32::from(a[x] != b[y]);
            rest_a &= rest_a - 1;
            rest_b &= rest_b - 1;
        }
        let m = common as f32;
        (m / a.len() as f32 + m / b.len() as f32 + (m - (crossed / 2) as f32) / m) / 3.0
    }

    /// The edit distance with adjacent transpositions (optimal string alignment; Hyyrö 2003).
    pub(crate) fn edits(&mut self, a: &[u8], b: &[u8]) -> u32 {
        let (a, b) = (clip(a), clip(b));
        if a.is_empty() || b.is_empty() {
            return a.len().max(b.len()) as u32;
        }
        self.load(a);
        let last = 1u64 << (a.len() - 1);
        let (mut up, mut down) = (u64::MAX, 0u64);
        let (mut diagonal, mut before) = (0u64, 0u64);
        let mut distance = a.len() as u32;
        for &byte in b {
            let mask = self.masks[usize::from(byte)];
            let transposed = ((!diagonal & mask) << 1) & before;
            diagonal = ((((mask & up).wrapping_add(up)) ^ up) | mask | down) | transposed;
            let plus = down | !(diagonal | up);
            let minus = diagonal & up;
            distance += u32::from(plus & last != 0);
            distance -= u32::from(minus & last != 0);
            let plus = plus << 1 | 1;
            up = (minus << 1) | !(diagonal | plus);
            down = plus & diagonal;
            before = mask;
        }
        self.clear(a);
        distance
    }

    fn load(&mut self, value: &[u8]) {
        for (place, &byte) in value.iter().enumerate() {
            self.masks[usize::from(byte)] |= 1 << place;
        }
    }

    fn clear(&mut self, value: &[u8]) {
        for &byte in value {
            self.masks[usize::from(byte)] = 0;
        }
    }
}

/// The lowest `count` bits.
fn ones(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

#[cfg(test)]
mod tests {
    use super::{Kernel, least_edits, most_jaro, one_edit, signature};

    fn words() -> Vec<String> {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        (0..3000)
            .map(|_| {
                let length = next(12) + u64::from(next(9) == 0) * 45;
                (0..length).map(|_| char::from(b'a' + next(5) as u8)).collect()
            })
            .collect()
    }

    #[test]
    fn kernels_agree_with_strsim_and_bounds_hold() {
        let mut kernel = Kernel::default();
        let words = words();
        for (a, b) in words.iter().zip(words.iter().skip(1)) {
            let (x, y) = (a.as_bytes(), b.as_bytes());
            let jaro = strsim::jaro_winkler(a, b) as f32;
            let ours = kernel.jaro_winkler(x, y);
            let edits = strsim::osa_distance(a, b) as u32;
            if strsim::jaro(a, b) > 0.701 {
                assert!((jaro - ours).abs() < 1e-5, "{a} {b}: {jaro} {ours}");
            }
            assert_eq!(kernel.edits(x, y), edits, "{a} {b}");
            assert_eq!(one_edit(x, y), edits <= 1, "{a} {b}");
            assert!(least_edits(signature(x), signature(y)) <= edits);
            let most = most_jaro((x.len(), signature(x)), (y.len(), signature(y)));
            assert!(most + 1e-5 >= strsim::jaro(a, b) as f32 || x.is_empty(), "{a} {b}");
        }
    }
}
