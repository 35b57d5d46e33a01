//! Content keys: what an identifier or record is known by before and after it has a number.

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Stored keys depend on the seeds: they never change.
const IDENTIFIER_SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const RECORD_SEED: u64 = 0xc2b2_ae3d_27d4_eb4f;

/// Values up to these lengths are hashed from the stack.
const SHORT: usize = 256;
const SHORTER: usize = 64;

/// Identifiers of a record up to which its key is made on the stack.
const FEW: usize = 8;

/// The XXH3 hash (128 bits) of an identifier or of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u128);

impl Key {
    /// The key of a normalised value: number 17 of one namespace is not number 17 of another.
    pub fn of_identifier(namespace: u32, value: &str) -> Key {
        hash(namespace, value.as_bytes(), IDENTIFIER_SEED)
    }

    /// The key of the set of identifiers that one row of `source` names, in whatever order.
    pub fn of_record(source: u32, members: &[Key]) -> Key {
        if let [one, other] = members
            && one != other
        {
            let mut bytes = [0; 32];
            let (low, high) = (one.min(other), one.max(other));
            bytes[..16].copy_from_slice(&low.0.to_le_bytes());
            bytes[16..].copy_from_slice(&high.0.to_le_bytes());
            return hash(source, &bytes, RECORD_SEED);
        }
        if members.len() <= FEW {
            let (mut keys, mut bytes) = ([Key(0); FEW], [0; FEW * 16]);
            let keys = &mut keys[..members.len()];
            keys.copy_from_slice(members);
            let count = distinct(keys);
            for (key, bytes) in keys[..count].iter().zip(bytes.chunks_exact_mut(16)) {
                bytes.copy_from_slice(&key.0.to_le_bytes());
            }
            return hash(source, &bytes[..count * 16], RECORD_SEED);
        }
        let mut members = members.to_vec();
        let count = distinct(&mut members);
        let bytes = members[..count].iter().flat_map(|key| key.0.to_le_bytes());
        hash(source, &bytes.collect::<Vec<_>>(), RECORD_SEED)
    }
}

/// Sorts keys, puts the different ones first and says how many they are.
fn distinct(keys: &mut [Key]) -> usize {
    keys.sort_unstable();
    let mut count = 0;
    for at in 0..keys.len() {
        if at == 0 || keys[at] != keys[count - 1] {
            keys[count] = keys[at];
            count += 1;
        }
    }
    count
}

/// The prefix is hashed as bytes: as a seed it would let short values of two namespaces collide.
fn hash(prefix: u32, value: &[u8], seed: u64) -> Key {
    let length = 4 + value.len();
    if length <= SHORTER {
        return hash_on::<SHORTER>(prefix, value, seed);
    }
    if length <= SHORT {
        return hash_on::<SHORT>(prefix, value, seed);
    }
    let bytes = [&prefix.to_le_bytes()[..], value].concat();
    Key(xxh3_128_with_seed(&bytes, seed))
}

/// The same from a buffer on the stack.
fn hash_on<const SIZE: usize>(prefix: u32, value: &[u8], seed: u64) -> Key {
    let mut bytes = [0; SIZE];
    let length = 4 + value.len();
    bytes[..4].copy_from_slice(&prefix.to_le_bytes());
    bytes[4..length].copy_from_slice(value);
    Key(xxh3_128_with_seed(&bytes[..length], seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_stable() {
        let mail = Key::of_identifier(1, "jane@example.com");
        assert_eq!(mail, Key(337_759_295_742_203_891_333_609_519_659_047_264_817));
        let record = Key::of_record(7, &[mail, Key(1)]);
        assert_eq!(record, Key(114_482_536_089_548_050_034_220_680_330_782_617_114));
    }

    #[test]
    fn namespaces_and_sources_separate() {
        assert_ne!(Key::of_identifier(1, "17"), Key::of_identifier(2, "17"));
        let keys = [Key(1), Key(2)];
        assert_ne!(Key::of_record(1, &keys), Key::of_record(2, &keys));
        assert_ne!(Key::of_record(1, &keys), Key::of_record(1, &keys[..1]));
    }

    #[test]
    fn order_and_repeats_of_members_do_not_matter() {
        let key = Key::of_record(1, &[Key(3), Key(1), Key(2)]);
        assert_eq!(key, Key::of_record(1, &[Key(2), Key(3), Key(1), Key(3)]));
        let pair = Key::of_record(1, &[Key(1), Key(2)]);
        assert_eq!(pair, Key::of_record(1, &[Key(2), Key(1)]));
        assert_eq!(pair, Key::of_record(1, &[Key(2), Key(1), Key(2)]));
        assert_eq!(Key::of_record(1, &[Key(1)]), Key::of_record(1, &[Key(1), Key(1)]));
    }

    /// However many identifiers, and from whatever buffer: the same bytes are hashed.
    #[test]
    fn keys_do_not_depend_on_the_buffer() {
        for count in 3..20_u128 {
            let keys = (0..count).map(|one| Key(one % 17 * 7)).collect::<Vec<_>>();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let bytes = sorted.iter().flat_map(|key| key.0.to_le_bytes()).collect::<Vec<_>>();
            let all = [&7_u32.to_le_bytes()[..], &bytes].concat();
            let expected = Key(xxh3_128_with_seed(&all, RECORD_SEED));
            assert_eq!(Key::of_record(7, &keys), expected, "{count}");
        }
    }

    #[test]
    fn long_values_have_keys() {
        let long = "x".repeat(300);
        assert_ne!(Key::of_identifier(1, &long), Key::of_identifier(1, &long[1..]));
        assert_ne!(Key::of_identifier(1, &long), Key::of_identifier(2, &long));
    }
}
