//! The table functions of schema `score`.

use clientele_udfs::types::PgType;

use super::{customers, explain, models, rfm};
use crate::functions::calls::{Column, Function, Given, Parameter, may, needed};

const AS_OF: Parameter = may("as_of", Given::Value(PgType::TIMESTAMPTZ));
const UNIT: Parameter = may("unit", Given::Value(PgType::INTERVAL));
const MODEL: Parameter = may("model_name", Given::Value(PgType::TEXT));
const PURCHASES: Parameter = needed("purchases", Given::Query);

/// Every table function.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "score.rfm",
        parameters: &[PURCHASES, AS_OF, may("bins", Given::Value(PgType::INT8))],
        columns: &[
            Column::Of(0, 0),
            Column::Plain("recency_days", PgType::INT4),
            Column::Plain("frequency", PgType::INT8),
            Column::Plain("monetary", PgType::FLOAT8),
            Column::Plain("r", PgType::INT4),
            Column::Plain("f", PgType::INT4),
            Column::Plain("m", PgType::INT4),
            Column::Plain("rfm", PgType::TEXT),
        ],
        comment: "days since the last order, number of orders, money spent, and in which fifth of the customers each is",
        parallel: |_| false,
        kernel: |call, part| Box::pin(rfm::rows(call, part)),
    },
    Function {
        name: "score.customers",
        parameters: &[
            PURCHASES,
            AS_OF,
            UNIT,
            MODEL,
            may("periods", Given::Value(PgType::FLOAT8)),
            may("discount", Given::Value(PgType::FLOAT8)),
        ],
        columns: &[
            Column::Of(0, 0),
            Column::Plain("frequency", PgType::FLOAT8),
            Column::Plain("recency", PgType::FLOAT8),
            Column::Plain("age", PgType::FLOAT8),
            Column::Plain("monetary", PgType::FLOAT8),
            Column::Plain("p_alive", PgType::FLOAT8),
            Column::Plain("expected_purchases", PgType::FLOAT8),
            Column::Plain("expected_value", PgType::FLOAT8),
            Column::Plain("clv", PgType::FLOAT8),
        ],
        comment: "whether each customer will come back, how often, and what that is worth",
        parallel: |_| false,
        kernel: |call, part| Box::pin(customers::rows(call, part)),
    },
    Function {
        name: "score.explain",
        parameters: &[
            PURCHASES,
            needed("customer", Given::Key),
            AS_OF,
            UNIT,
            MODEL,
            may("periods", Given::Value(PgType::FLOAT8)),
            may("discount", Given::Value(PgType::FLOAT8)),
        ],
        columns: &[
            Column::Plain("factor", PgType::TEXT),
            Column::Plain("value", PgType::FLOAT8),
            Column::Plain("meaning", PgType::TEXT),
        ],
        comment: "what the lifetime value of one customer is made of",
        parallel: |_| false,
        kernel: |call, part| Box::pin(explain::rows(call, part)),
    },
    Function {
        name: "score.models",
        parameters: &[PURCHASES, AS_OF, UNIT],
        columns: &[
            Column::Plain("model_name", PgType::TEXT),
            Column::Plain("parameter", PgType::TEXT),
            Column::Plain("value", PgType::FLOAT8),
        ],
        comment: "the parameters of every model fitted to these purchases, with their likelihood",
        parallel: |_| false,
        kernel: |call, part| Box::pin(models::rows(call, part)),
    },
];
