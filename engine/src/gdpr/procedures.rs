//! What `CALL` does about personal data.

use clientele_udfs::types::PgType;

use super::{
    access, copies, due, erase, holds, lift, receipts, replay, report, request, retention, rights,
};
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
    Procedure {
        schema: "gdpr",
        name: "receive",
        parameters: &[
            text("kind", None),
            text("subject", None),
            optional("received_at", PgType::TIMESTAMPTZ),
        ],
        columns: &[("request_id", PgType::INT8)],
        comment: "notes a request of a person, to be answered within a month (GDPR art. 12(3))",
        kernel: |session, arguments| Box::pin(request::receive(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "refuse",
        parameters: &[
            Parameter { name: "request_id", pg_type: PgType::INT8, default: None },
            text("reason", None),
        ],
        columns: &[],
        comment: "refuses a request that was received, for a reason that the person is told (GDPR art. 12(4))",
        kernel: |session, arguments| Box::pin(request::refuse(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "extend",
        parameters: &[
            Parameter { name: "request_id", pg_type: PgType::INT8, default: None },
            text("reason", None),
        ],
        columns: &[],
        comment: "gives a complex request two months more, told within the first (GDPR art. 12(3))",
        kernel: |session, arguments| Box::pin(request::extend(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "access",
        parameters: &[text("subject", None), text("reason", Some("NULL"))],
        columns: CONTENT,
        comment: "everything that is kept of a person (GDPR art. 15): one JSON document, then the rows",
        kernel: |session, arguments| Box::pin(access::access(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "portability",
        parameters: &[
            text("subject", None),
            text("format", Some("'json'")),
            text("directory", Some("NULL")),
            text("reason", Some("NULL")),
        ],
        columns: &[
            ("table_name", PgType::TEXT),
            ("row_count", PgType::INT8),
            ("content", PgType::TEXT),
        ],
        comment: "what tables have of a person (GDPR art. 20) as json, csv or parquet",
        kernel: |session, arguments| Box::pin(access::portability(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "rectify",
        parameters: &[
            text("subject", None),
            text("attribute", None),
            text("value", None),
            text("reason", Some("NULL")),
        ],
        columns: &[],
        comment: "a value that no import takes back (GDPR art. 16)",
        kernel: |session, arguments| Box::pin(rights::rectify(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "restrict",
        parameters: &[
            text("subject", None),
            text("ground", None),
            optional("restricted_until", PgType::TIMESTAMPTZ),
        ],
        columns: &[],
        comment: "keeps what is stored of a person and uses it no more (GDPR art. 18)",
        kernel: |session, arguments| Box::pin(rights::restrict(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "unrestrict",
        parameters: &[text("subject", None), text("reason", Some("NULL"))],
        columns: &[],
        comment: "takes back gdpr.restrict",
        kernel: |session, arguments| Box::pin(rights::unrestrict(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "object",
        parameters: &[
            text("subject", None),
            text("purpose", Some("'direct_marketing'")),
            text("reason", Some("NULL")),
        ],
        columns: &[],
        comment: "notes that a person objects to a purpose (GDPR art. 21)",
        kernel: |session, arguments| Box::pin(rights::object(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "declare",
        parameters: &[
            text("table_name", None),
            Parameter { name: "purposes", pg_type: TEXTS, default: None },
            text("legal_basis", None),
            text("origin", Some("NULL")),
            optional("recipients", TEXTS),
            text("transfers", Some("NULL")),
            optional("keep_for", PgType::INTERVAL),
            optional("persons", TEXTS),
        ],
        columns: &[],
        comment: "says what a table is used for: gdpr.register shows it (GDPR art. 30)",
        kernel: |session, arguments| Box::pin(rights::declare(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "set_retention",
        parameters: &[
            text("purpose", None),
            Parameter { name: "keep_for", pg_type: PgType::INTERVAL, default: None },
            text("action", Some("'ask'")),
            optional("anchors", TEXTS),
            optional("archive_for", PgType::INTERVAL),
        ],
        columns: &[],
        comment: "for how long after their last act people are kept, and what then: gdpr.due shows who is due",
        kernel: |session, arguments| Box::pin(retention::set_retention(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "apply_retention",
        parameters: &[
            text("purpose", None),
            Parameter { name: "dry_run", pg_type: PgType::BOOL, default: Some("false") },
        ],
        columns: &[("action", PgType::TEXT), ("customers", PgType::INT8)],
        comment: "erases, archives (restricts) or notes to be asked whom a rule of retention says: those of gdpr.due",
        kernel: |session, arguments| Box::pin(due::apply_retention(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "renew",
        parameters: &[text("subject", None), text("purpose", None)],
        columns: &[],
        comment: "notes that a person who was asked by a rule of retention wants to stay",
        kernel: |session, arguments| Box::pin(due::renew(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "report",
        parameters: &[text("directory", None)],
        columns: &[("file", PgType::TEXT), ("row_count", PgType::INT8)],
        comment: "writes register, requests, receipts, retention and holds as dated CSV and HTML files",
        kernel: |session, arguments| Box::pin(report::report(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "forget_copy",
        parameters: &[text("directory", None)],
        columns: &[],
        comment: "says that a published table or a backup of gdpr.copies is not there any more",
        kernel: |session, arguments| Box::pin(copies::forget(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "export_tombstones",
        parameters: &[text("path", None)],
        columns: &[],
        comment: "writes the keyed hashes of those who were erased to a file, to be kept beside backups",
        kernel: |session, arguments| Box::pin(replay::export(session, arguments)),
    },
    Procedure {
        schema: "gdpr",
        name: "replay",
        parameters: &[text("path", None)],
        columns: &[("identifiers", PgType::INT8), ("tombstones", PgType::INT8)],
        comment: "erases again whom an exported list names: after a restore",
        kernel: |session, arguments| Box::pin(replay::replay(session, arguments)),
    },
];

/// Rows as text.
const CONTENT: &[(&str, PgType)] = &[("table_name", PgType::TEXT), ("content", PgType::TEXT)];
