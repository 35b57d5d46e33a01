//! What is asked of partitions (manual, 9.27.7): there are no partitioned tables.

use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "pg_partition_ancestors(regclass, OUT relid regclass) -> SETOF regclass; pg_partition_ancestors(oid, OUT relid regclass) -> SETOF regclass",
            "The partitioned tables above a partition, itself included.",
            |_| Ok(Value::List(vec![])),
        )
        .stable(),
        function(
            "pg_partition_tree(regclass, OUT relid regclass, OUT parentrelid regclass, OUT isleaf bool, OUT level int4) -> SETOF record; pg_partition_tree(oid, OUT relid regclass, OUT parentrelid regclass, OUT isleaf bool, OUT level int4) -> SETOF record",
            "The partitions below a partitioned table or index, itself included.",
            |_| Ok(Value::List(vec![])),
        )
        .stable(),
    ]
}
