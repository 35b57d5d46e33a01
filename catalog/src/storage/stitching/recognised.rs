//! Whose the rows of an open transaction are.
//!
//! Nobody else sees what a transaction wrote, and the graph has it only once it is committed. Until
//! then what was gathered is tried: the answer is what a commit at this instant would give. One
//! that comes between may still merge the customer with an older one. `RETURNING` tries what its
//! rows hang together with; a statement that reads tries everything, once until more is gathered.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_identity::graph::{Evidence, Graph, Node, Record};
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;

use super::customers::Customers;
use super::gathered::{Gathered, New};
use super::identity::Identity;
use crate::definition::Oid;
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::arrays;
use crate::storage::transaction::Transaction;

impl Transaction {
    /// Has its snapshot know the customers that a commit at this instant would give.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub async fn recognise(&mut self) -> Result<()> {
        let mark = self.gathered.mark();
        if mark != self.recognised {
            self.write_gathered().await?;
            let customers = self.store.shared.identity.with_all(&self.gathered);
            Arc::make_mut(&mut self.snapshot).customers = customers;
            self.recognised = mark;
        }
        Ok(())
    }

    /// Rows that the transaction wrote, in the relation's live columns, with the customers that they
    /// would have if it were committed now. Rows of people who were erased have none.
    ///
    /// # Errors
    /// A column is not of its domain's type.
    pub fn recognised(&self, relation: Oid, rows: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        let relation = self.stored(relation)?;
        let Some(stitcher) = self.stitcher(&relation) else { return Ok(rows.to_vec()) };
        let mut shown = Vec::with_capacity(rows.len());
        for batch in rows {
            let mut arrays = arrays::own_arrays(&relation, batch.columns())?;
            // What is new in them was gathered when they were written.
            if stitcher.stitch(&mut arrays, &mut Gathered::default())?.is_some() {
                shown.push(batch.clone());
                continue;
            }
            let mut columns = batch.columns().to_vec();
            for (place, subject) in stitcher.targets() {
                if let (Some(nodes), Some(slot)) = (arrays.get(*place), columns.get_mut(*place)) {
                    *slot = self.customers_of(*subject, nodes);
                }
            }
            shown.push(RecordBatch::try_new(batch.schema(), columns)?);
        }
        Ok(shown)
    }

    fn customers_of(&self, subject: Subject, nodes: &ArrayRef) -> ArrayRef {
        let Some(nodes) = nodes.as_primitive_opt::<Int64Type>() else { return Arc::clone(nodes) };
        let node = |number: Option<i64>| number.and_then(|one| Node::try_from(one).ok());
        let nodes: Vec<Node> = nodes.iter().map(|one| node(one).unwrap_or(0)).collect();
        let identity = &self.store.shared.identity;
        let customers = identity.tentative(subject, self.gathered.found(subject), &nodes);
        let shown = customers.into_iter().map(|one| (one != 0).then_some(i64::from(one)));
        Arc::new(shown.collect::<Int64Array>())
    }
}

impl Identity {
    /// The customers if all that was gathered were committed.
    fn with_all(&self, gathered: &Gathered) -> Arc<Customers> {
        let [person, company] = Subject::ALL.map(|subject| {
            let new = gathered.found(subject);
            let unlinked: Vec<_> = new.unlinked().collect();
            self.change(subject, |graph| {
                graph.tentatively(&new.standing(), &unlinked, Graph::assignment)
            })
        });
        Arc::new(Customers::new(person, company))
    }

    /// The customers of nodes if what was gathered were committed.
    fn tentative(&self, subject: Subject, new: &New, nodes: &[Node]) -> Vec<Node> {
        self.change(subject, |graph| {
            let evidence = new.near(nodes, |node| match graph.customer(node) {
                0 => node,
                customer => customer,
            });
            graph.tentatively(&evidence, &[], |graph| {
                nodes.iter().map(|node| graph.customer(*node)).collect()
            })
        })
    }
}

impl New {
    /// The evidence that nodes hang together with, directly or through customers that there are:
    /// what else a long transaction gathered does not matter.
    fn near(&self, nodes: &[Node], place: impl Fn(Node) -> Node) -> Evidence {
        let mut reached: HashSet<Node> = nodes.iter().map(|node| place(*node)).collect();
        let mut taken = vec![false; self.evidence.records.len()];
        let mut grows = true;
        while grows {
            grows = false;
            for (record, taken) in self.evidence.records.iter().zip(&mut taken) {
                let named = || self.named(record).map(&place);
                if !*taken && named().any(|one| reached.contains(&one)) {
                    (*taken, grows) = (true, true);
                    reached.extend(named());
                }
            }
        }
        let identifiers = self.evidence.identifiers.iter();
        let records = self.evidence.records.iter().zip(taken).filter(|(_, taken)| *taken);
        Evidence {
            identifiers: identifiers
                .filter(|one| reached.contains(&place(one.node)))
                .copied()
                .collect(),
            records: records.map(|(record, _)| record.clone()).collect(),
            members: self.evidence.members.clone(),
            links: Vec::new(),
        }
    }

    /// A record and its identifiers.
    fn named(&self, record: &Record) -> impl Iterator<Item = Node> {
        let range = record.members.start as usize..record.members.end as usize;
        let members = self.evidence.members.get(range).unwrap_or_default();
        members.iter().copied().chain([record.node])
    }
}
