//! The procedures of matching: names, arguments, results.

use clientele_udfs::types::PgType;

use super::{decide, run, train};
use crate::functions::procedures::{Parameter, Procedure};

/// What `identity.train` returns.
pub(super) const TRAINED: &[(&str, PgType)] = &[
    ("model_id", PgType::INT8),
    ("records", PgType::INT8),
    ("blocking_rules", PgType::INT8),
    ("lambda", PgType::FLOAT8),
];

/// What `identity.match` returns.
pub(super) const MATCHED: &[(&str, PgType)] = &[
    ("records", PgType::INT8),
    ("compared", PgType::INT8),
    ("linked", PgType::INT8),
    ("review", PgType::INT8),
];

const fn parameter(name: &'static str, pg_type: PgType, default: &'static str) -> Parameter {
    Parameter { name, pg_type, default: Some(default) }
}

const CANDIDATE: &[Parameter] = &[
    Parameter { name: "candidate_id", pg_type: PgType::INT8, default: None },
    parameter("reason", PgType::TEXT, "NULL"),
];

/// Every procedure.
pub(crate) static PROCEDURES: &[Procedure] = &[
    Procedure {
        schema: "identity",
        name: "train",
        parameters: &[
            parameter("tables", PgType::TEXT, "''"),
            parameter("columns", PgType::TEXT, "''"),
            parameter("across_tables", PgType::BOOL, "false"),
        ],
        columns: TRAINED,
        comment: "learns, without labels, how records of one person look alike (Fellegi-Sunter, EM); comparisons follow the columns' domains, columns => 'title text' adds others",
        kernel: |session, arguments| Box::pin(train::run(session, arguments)),
    },
    Procedure {
        schema: "identity",
        name: "match",
        parameters: &[
            parameter("link", PgType::FLOAT8, "0.9"),
            parameter("review", PgType::FLOAT8, "0.5"),
            parameter("model_id", PgType::INT8, "NULL"),
            parameter("all_records", PgType::BOOL, "false"),
        ],
        columns: MATCHED,
        comment: "links records of one person by a model, the newest unless another is named; pairs between review and link wait in identity.candidates; after a first run only new records are matched",
        kernel: |session, arguments| Box::pin(run::run(session, arguments)),
    },
    Procedure {
        schema: "identity",
        name: "accept",
        parameters: CANDIDATE,
        columns: &[],
        comment: "says that a candidate pair is one person",
        kernel: |session, arguments| Box::pin(decide::run(session, arguments, true)),
    },
    Procedure {
        schema: "identity",
        name: "reject",
        parameters: CANDIDATE,
        columns: &[],
        comment: "says that a candidate pair is two people: they are never linked by matching",
        kernel: |session, arguments| Box::pin(decide::run(session, arguments, false)),
    },
];
