//! Who is who at one instant.

use std::sync::Arc;

use clientele_identity::graph::{Assignment, Node};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::Int64Type;

use crate::definition::Column;
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::arrays;
use crate::storage::part::MemoryBatch;

/// The customers (and accounts) of a snapshot: which one each node belongs to. Immutable.
#[derive(Clone, Default)]
pub struct Customers {
    /// People.
    pub person: Assignment,
    /// Companies.
    pub company: Assignment,
}

impl std::fmt::Debug for Customers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Customers")
    }
}

impl Customers {
    /// Those of that kind.
    pub fn of(&self, subject: Subject) -> &Assignment {
        match subject {
            Subject::Person => &self.person,
            Subject::Company => &self.company,
        }
    }

    /// The customers of nodes: bigint to bigint, NULL for nobody's.
    pub fn show(&self, subject: Subject, nodes: &ArrayRef) -> ArrayRef {
        let Some(nodes) = nodes.as_primitive_opt::<Int64Type>() else { return Arc::clone(nodes) };
        let mut customers = Vec::with_capacity(nodes.len());
        // What stands under a NULL is 0, which is no node.
        self.of(subject).gather(nodes.values(), &mut customers);
        let known = BooleanBuffer::collect_bool(customers.len(), |at| {
            nodes.is_valid(at) && customers.get(at).is_some_and(|customer| *customer != 0)
        });
        let nulls = (known.count_set_bits() < customers.len()).then(|| NullBuffer::new(known));
        Arc::new(Int64Array::new(ScalarBuffer::from(customers), nulls))
    }

    /// A column of a batch as queries see it.
    ///
    /// # Errors
    /// A value does not fit the column's type.
    pub(in crate::storage) fn column_of(
        &self,
        batch: &MemoryBatch,
        column: &Column,
    ) -> Result<ArrayRef> {
        let stored = arrays::column_of(batch, column)?;
        Ok(match column.subject {
            Some(subject) => self.show(subject, &stored),
            None => stored,
        })
    }

    /// The nodes of a customer, as the column keeps them.
    pub fn nodes(&self, subject: Subject, customer: i64) -> Vec<Node> {
        Node::try_from(customer).map_or_else(|_| Vec::new(), |one| self.of(subject).members(one))
    }
}
