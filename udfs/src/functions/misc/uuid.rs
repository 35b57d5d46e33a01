//! `gen_random_uuid`, `random` (manual, 9.14, 9.3), `uuid_generate_v4` of uuid-ossp (F.51).

use rand::Rng;

use crate::functions::function::{Function, function};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("gen_random_uuid() -> uuid", "A random UUID, version 4.", |_| {
            Ok(::uuid::Uuid::new_v4().to_string().into())
        })
        .volatile(),
        function("uuid_generate_v4() -> uuid", "A random UUID, as uuid-ossp makes it.", |_| {
            Ok(::uuid::Uuid::new_v4().to_string().into())
        })
        .volatile(),
        function("uuid_nil() -> uuid", "The UUID of zeros.", |_| {
            Ok(::uuid::Uuid::nil().to_string().into())
        }),
        function("random() -> float8", "A random number from 0 to less than 1.", |_| {
            Ok(rand::rng().random::<f64>().into())
        })
        .volatile(),
    ]
}
