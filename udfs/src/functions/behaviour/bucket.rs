//! `bucket(customer_id, salt, buckets)`: a split that anybody can compute again.
//!
//! The number is a hash of customer and salt alone: the same on every machine and in every version.
//! A merge of customers keeps the oldest number, so whoever that number stands for stays in its
//! bucket; the other one's rows move over to it.
//!
//! The hash is FNV-1a (64 bits) over the salt's bytes, exclusive-or the customer, through the
//! finalizer of SplitMix64; the bucket is `hash * buckets / 2^64`, from 0.

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![function(
        "bucket(customer_id int8, salt text, buckets int4) -> int4",
        "One of that many equal parts of all customers, from 0, the same each time.",
        bucket,
    )]
}

fn bucket(row: &Row<'_>) -> Result<Value> {
    let buckets = u64::try_from(row.int(2)).ok().filter(|buckets| *buckets > 0);
    let buckets = buckets
        .ok_or_else(|| ValueError::new("22023", "number of buckets must be greater than zero"))?;
    let hash = finalized(fnv(row.text(1)) ^ row.int(0).cast_unsigned());
    let place = (u128::from(hash) * u128::from(buckets)) >> 64;
    Ok(Value::Int(i64::try_from(place).unwrap_or(i64::MAX)))
}

fn fnv(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn finalized(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{check, check_errors};

    /// What is written down once must never change: control groups hang on it.
    #[test]
    fn is_the_same_for_ever() {
        check(&[
            ("bucket(1, 'spring', 10)", "2"),
            ("bucket(2, 'spring', 10)", "3"),
            ("bucket(1, 'autumn', 10)", "8"),
            ("bucket(1, 'spring', 1)", "0"),
            ("bucket(NULL, 'spring', 10)", "NULL"),
        ]);
        check_errors(&[(
            "bucket(1, 's', 0)",
            "22023",
            "number of buckets must be greater than zero",
        )]);
    }

    /// Published values of both hashes.
    #[test]
    fn hashes() {
        assert_eq!(fnv("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(finalized(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn parts_are_equal_and_salts_independent() {
        let of =
            |customer: u64, salt: &str| (u128::from(finalized(fnv(salt) ^ customer)) * 10) >> 64;
        let mut both = [[0_u32; 10]; 10];
        for customer in 0..100_000 {
            both[of(customer, "a") as usize][of(customer, "b") as usize] += 1;
        }
        for one in both.iter().flatten() {
            assert!((850..1150).contains(one), "{one}");
        }
    }
}
