//! Who is who at one instant.

use std::sync::{Arc, OnceLock};

use clientele_identity::graph::{Assignment, Node};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::Int64Type;
use roaring::RoaringBitmap;

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
    /// The nodes that are the numbers of people, and of companies; found when they are first wanted.
    named: [OnceLock<RoaringBitmap>; 2],
}

impl std::fmt::Debug for Customers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Customers")
    }
}

impl Customers {
    /// These people and companies.
    pub(super) fn new(person: Assignment, company: Assignment) -> Self {
        Self { person, company, named: Default::default() }
    }

    /// The nodes among these that are the numbers of their customers, which are most: a node that
    /// was merged into no older one.
    pub fn named(&self, subject: Subject, nodes: &RoaringBitmap) -> RoaringBitmap {
        let [person, company] = &self.named;
        let named = if subject == Subject::Person { person } else { company };
        nodes & named.get_or_init(|| self.of(subject).customers().collect())
    }

    /// The customers of these nodes; 0 for nobody.
    pub fn of_nodes(&self, subject: Subject, nodes: &RoaringBitmap) -> RoaringBitmap {
        let mut customers = self.named(subject, nodes);
        let others = nodes - &customers;
        customers.extend(others.iter().map(|node| self.of(subject).customer(node)));
        customers
    }

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
