//! The table functions of schema `recommend`.

use clientele_udfs::types::PgType;

use super::{basket, evaluation, items, lookalikes, models, products, together, why};
use crate::functions::calls::{Column, Function, Given, may, needed};

const TEXT: Given = Given::Value(PgType::TEXT);
const NUMBER: Given = Given::Value(PgType::INT8);
const SHARE: Given = Given::Value(PgType::FLOAT8);

/// Items with rank, score and source.
const SCORED: &[Column] = &[
    Column::Plain("rank", PgType::INT4),
    Column::Item,
    Column::Plain("score", PgType::FLOAT4),
    Column::Plain("source", PgType::TEXT),
];

/// Every table function.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "recommend.products",
        parameters: &[
            needed("model", TEXT),
            may("k", NUMBER),
            may("customers", Given::Query),
            may("candidates", Given::Query),
            may("exclude", Given::Query),
            may("bought", TEXT),
            may("rebuy", SHARE),
            may("max_per", NUMBER),
            may("max_per_by", Given::Query),
            may("fallback", TEXT),
            may("explain", NUMBER),
        ],
        columns: &[
            Column::Customer,
            Column::Plain("rank", PgType::INT4),
            Column::Item,
            Column::Plain("score", PgType::FLOAT4),
            Column::Plain("source", PgType::TEXT),
            Column::Where("explain", "because", PgType::JSONB),
        ],
        comment: "the best items of every customer, or of some, under rules that come before the choice",
        parallel: |call| !call.has_query("customers"),
        kernel: |call, part| Box::pin(products::rows(call, part)),
    },
    Function {
        name: "recommend.basket",
        parameters: &[
            needed("model", TEXT),
            needed("items", Given::Query),
            may("k", NUMBER),
            may("candidates", Given::Query),
            may("exclude", Given::Query),
            may("fallback", TEXT),
        ],
        columns: SCORED,
        comment: "the best items for a basket of somebody unknown",
        parallel: |_| false,
        kernel: |call, part| Box::pin(basket::rows(call, part)),
    },
    Function {
        name: "recommend.similar_items",
        parameters: &[needed("model", TEXT), needed("item", Given::Key), may("k", NUMBER)],
        columns: &[
            Column::Plain("rank", PgType::INT4),
            Column::Item,
            Column::Plain("score", PgType::FLOAT4),
        ],
        comment: "the items nearest to an item",
        parallel: |_| false,
        kernel: |call, part| Box::pin(items::similar(call, part)),
    },
    Function {
        name: "recommend.neighbours",
        parameters: &[needed("model", TEXT)],
        columns: &[
            Column::Item,
            Column::Plain("rank", PgType::INT4),
            Column::Other("neighbour"),
            Column::Plain("weight", PgType::FLOAT4),
        ],
        comment: "what a model has learnt: the nearest items of every item",
        parallel: |_| false,
        kernel: |call, part| Box::pin(items::neighbours(call, part)),
    },
    Function {
        name: "recommend.bought_together",
        parameters: &[
            may("model", TEXT),
            may("item", Given::Key),
            may("k", NUMBER),
            may("min_support", NUMBER),
            may("purchases", Given::Query),
        ],
        columns: &[
            Column::Item,
            Column::Other("together_with"),
            Column::Plain("customers", PgType::INT8),
            Column::Plain("support", PgType::FLOAT8),
            Column::Plain("confidence", PgType::FLOAT8),
            Column::Plain("lift", PgType::FLOAT8),
            Column::Plain("conviction", PgType::FLOAT8),
        ],
        comment: "what customers of an item have bought too, with the measures of association rules; of a recommender, or of a query of customers and items",
        parallel: |_| false,
        kernel: |call, part| Box::pin(together::rows(call, part)),
    },
    Function {
        name: "recommend.why",
        parameters: &[
            needed("model", TEXT),
            needed("customer", Given::Key),
            needed("item", Given::Key),
        ],
        columns: &[
            Column::Other("because"),
            Column::Plain("part", PgType::FLOAT4),
            Column::Plain("source", PgType::TEXT),
            Column::Plain("bought_at", PgType::TIMESTAMPTZ),
        ],
        comment: "what a score is made of: a row for each purchase that adds to it; they sum to the score",
        parallel: |_| false,
        kernel: |call, part| Box::pin(why::rows(call, part)),
    },
    Function {
        name: "recommend.lookalikes",
        parameters: &[may("model", TEXT), needed("members", Given::Query), may("k", NUMBER)],
        columns: &[
            Column::Customer,
            Column::Plain("rank", PgType::INT4),
            Column::Plain("score", PgType::FLOAT4),
        ],
        comment: "the customers who buy most like the members of a segment and are not in it",
        parallel: |_| false,
        kernel: |call, part| Box::pin(lookalikes::rows(call, part)),
    },
    Function {
        name: "recommend.evaluate",
        parameters: &[
            needed("model", TEXT),
            may("k", NUMBER),
            may("bought", TEXT),
            may("rebuy", SHARE),
            may("by", Given::Query),
            may("split", TEXT),
        ],
        columns: &[
            Column::Plain("segment", PgType::TEXT),
            Column::Plain("method", PgType::TEXT),
            Column::Plain("customers", PgType::INT8),
            Column::Plain("recall", PgType::FLOAT8),
            Column::Plain("ndcg", PgType::FLOAT8),
            Column::Plain("hit_rate", PgType::FLOAT8),
            Column::Plain("coverage", PgType::FLOAT8),
            Column::Plain("novelty", PgType::FLOAT8),
        ],
        comment: "how much of each customer's last basket is recommended from what was bought before",
        parallel: |_| false,
        kernel: |call, part| Box::pin(evaluation::rows(call, part)),
    },
    Function {
        name: "recommend.trials",
        parameters: &[needed("model", TEXT)],
        columns: &[
            Column::Plain("method", PgType::TEXT),
            Column::Plain("recall", PgType::FLOAT8),
            Column::Plain("ndcg", PgType::FLOAT8),
        ],
        comment: "what each method reached when method auto chose the best",
        parallel: |_| false,
        kernel: |call, part| Box::pin(models::trials(call, part)),
    },
    Function {
        name: "recommend.card",
        parameters: &[needed("model", TEXT)],
        columns: &[Column::Plain("property", PgType::TEXT), Column::Plain("value", PgType::TEXT)],
        comment: "a model's card: method, sizes, settings, when it was made",
        parallel: |_| false,
        kernel: |call, part| Box::pin(models::card(call, part)),
    },
];
