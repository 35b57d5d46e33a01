//! Links that people and matching make, in a transaction.

use std::sync::Arc;

use chrono::Utc;
use clientele_identity::graph::{Link, LinkKind, Node};
use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringViewArray};

use super::rows::{batch, times, whose};
use crate::domains::Subject;
use crate::error::Result;
use crate::features::oids;
use crate::storage::transaction::Transaction;

/// What is said of two nodes.
#[derive(Debug, Clone)]
pub struct Said {
    /// The two.
    pub ends: (Node, Node),
    /// `None`: what was said before is taken back.
    pub kind: Option<LinkKind>,
    /// Probability of a match.
    pub probability: Option<f64>,
    /// JSON: the level of each comparison of a match.
    pub comparison: Option<String>,
}

impl Transaction {
    /// Says something of pairs of nodes: that both are one customer, or must not be.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub fn link(
        &mut self,
        subject: Subject,
        said: &[Said],
        (role, reason): (&str, Option<&str>),
    ) -> Result<()> {
        if said.is_empty() {
            return Ok(());
        }
        let rows = rows(subject, said, (role, reason))?;
        self.insert(oids::LINKS, rows)?;
        let new = self.gathered.of(subject);
        for one in said {
            let (a, b) = one.ends;
            match one.kind {
                Some(kind) => new.link(Link { a, b, kind }),
                None => new.unlink(one.ends),
            }
        }
        Ok(())
    }
}

fn rows(
    subject: Subject,
    said: &[Said],
    (role, reason): (&str, Option<&str>),
) -> Result<RecordBatch> {
    let side = |of: fn(&Said) -> Node| -> [ArrayRef; 2] {
        let nodes: Vec<Node> = said.iter().map(of).collect();
        match subject {
            Subject::Person => whose(&nodes, &[]),
            Subject::Company => whose(&[], &nodes),
        }
    };
    let [a, a_company] = side(|one| one.ends.0);
    let [b, b_company] = side(|one| one.ends.1);
    let kinds = said.iter().map(|one| match one.kind {
        Some(LinkKind::Matched { .. }) => "match",
        Some(LinkKind::Merged) => "merge",
        Some(LinkKind::Split) => "split",
        None => "withdrawal",
    });
    let weights = said.iter().map(|one| match one.kind {
        Some(LinkKind::Matched { weight }) => Some(f64::from(weight)),
        _ => None,
    });
    let comparisons: StringViewArray = said.iter().map(|one| one.comparison.as_deref()).collect();
    let reasons: StringViewArray = said.iter().map(|_| reason).collect();
    let roles: StringViewArray = said.iter().map(|_| Some(role)).collect();
    batch(
        oids::LINKS,
        vec![
            a,
            a_company,
            b,
            b_company,
            Arc::new(StringViewArray::from_iter_values(kinds)),
            Arc::new(weights.collect::<Float64Array>()),
            Arc::new(said.iter().map(|one| one.probability).collect::<Float64Array>()),
            Arc::new(comparisons),
            Arc::new(reasons),
            Arc::new(roles),
            times(Utc::now().timestamp_micros(), said.len()),
        ],
    )
}
