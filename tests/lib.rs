//! The integration tests are the one binary `all.rs`; this library is empty on purpose.
