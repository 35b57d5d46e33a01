//! `gen_random_uuid` and `random` (manual, 9.14, 9.3).

use rand::Rng;

use crate::functions::function::{Function, function};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("gen_random_uuid() -> uuid", "A random UUID, version 4.", |_| {
            Ok(::uuid::Uuid::new_v4().to_string().into())
        })
        .volatile(),
        function("random() -> float8", "A random number from 0 to less than 1.", |_| {
            Ok(rand::rng().random::<f64>().into())
        })
        .volatile(),
    ]
}
