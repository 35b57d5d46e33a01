//! What `CALL` does about personal data.

use clientele_udfs::types::PgType;

use super::{erase, holds, lift, receipts};
use crate::functions::procedures::{Parameter, Procedure};

/// `text[]` and `bigint[]`.
const TEXTS: PgType = PgType { oid: 1009, modifier: -1 };
const NUMBERS: PgType = PgType { oid: 1016, modifier: -1 };

const fn text(name: &'static str, default: Option<&'static str>) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default }
}

const fn optional(name: &'static str, pg_type: PgType) -> Parameter {
    Parameter { name, pg_type, default: Some("NULL") }
}

/// Every procedure.
pub(crate) static PROCEDURES: &[Procedure] = &[
    Procedure {
        schema: "gdpr",
        name: "erase",
        parameters: &[
            text("subject", Some("NULL")),
            optional("customer_id", PgType::INT8),
            optional("subjects", TEXTS),
            optional("customers", NUMBERS),
            text("reason", Some("NULL")),
            text("scope", Some("'customer'")),
            Parameter { name: "dry_run", pg_type: PgType::BOOL, default: Some("false") },
        ],
        columns: &[
            ("table_name", PgType::TEXT),
            ("rows_before", PgType::INT8),
            ("erased", PgType::INT8),
            ("kept", PgType::INT8),
            ("cleared", PgType::INT8),
            ("rows_after", PgType::INT8),
        ],
        comment: "takes people out of every table (GDPR art. 17); files follow at gdpr.purge",
        kernel: |session, arguments| Box::pin(erase::erase(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "purge",
        parameters: &[Parameter {
            name: "wait",
            pg_type: PgType::INTERVAL,
            default: Some("interval '30 seconds'"),
        }],
        columns: &[
            ("receipt_id", PgType::INT8),
            ("files_rewritten", PgType::INT8),
            ("files_taken_from_readers", PgType::INT8),
            ("rewriting_ms", PgType::INT8),
            ("searching_ms", PgType::INT8),
        ],
        comment: "removes erased people from the disk, searches for them, and signs receipts",
        kernel: |session, arguments| Box::pin(receipts::purge(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "lift",
        parameters: &[text("subject", None), text("reason", None)],
        columns: &[],
        comment: "lets an identifier come back whose person was erased",
        kernel: |session, arguments| Box::pin(lift::lift(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "hold",
        parameters: &[
            text("table_name", None),
            Parameter { name: "columns", pg_type: TEXTS, default: None },
            text("basis", None),
            text("subject", Some("NULL")),
            optional("held_until", PgType::TIMESTAMPTZ),
        ],
        columns: &[("hold_id", PgType::INT8)],
        comment: "keeps columns of a table from erasures (GDPR art. 17(3)), of one person or of all",
        kernel: |session, arguments| Box::pin(holds::hold(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "release",
        parameters: &[Parameter { name: "hold_id", pg_type: PgType::INT8, default: None }],
        columns: &[],
        comment: "takes back a legal hold",
        kernel: |session, arguments| Box::pin(holds::release(session, arguments)),
    },
];
