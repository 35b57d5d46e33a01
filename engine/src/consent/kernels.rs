//! Scalar functions: consent strings of the IAB.

use clientele_udfs::input;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;
use serde_json::Value;

use super::tcf;
use crate::error::{Error, Result};
use crate::functions::row_kernel::{Kernel, stable, text};

/// Every one.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel {
        name: "consent.decode_tcf",
        arguments: "text",
        signature: stable(1, 1, PgType::JSONB),
        comment: "what a TCF v2 string of the IAB says: purposes, vendors, who asked and when",
        call: |_, values| decoded("TCF", tcf::decode_tcf(text(values, 0)?)),
    },
    Kernel {
        name: "consent.decode_gpp",
        arguments: "text",
        signature: stable(1, 1, PgType::JSONB),
        comment: "what a GPP string of the IAB says: its sections, that of the European TCF decoded",
        call: |_, values| decoded("GPP", tcf::decode_gpp(text(values, 0)?)),
    },
];

fn decoded(kind: &str, found: std::result::Result<Value, String>) -> Result<ScalarValue> {
    match found {
        // As jsonb is kept: with its blanks.
        Ok(value) => {
            Ok(input::parse(PgType::JSONB, Some(&value.to_string()), &input::Context::default())?)
        }
        Err(reason) => Err(Error::new("22023", format!("invalid {kind} string: {reason}"))),
    }
}
