//! What was decided about a column.

use serde::{Deserialize, Serialize};

use crate::definition::Oid;
use crate::domains::{Category, Masking};

/// Who decided something, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The role.
    pub by: Oid,
    /// When: microseconds since 1970.
    pub at: i64,
    /// What the setting `clientele.reason`, or the argument `reason`, said.
    pub reason: Option<String>,
}

/// The column shows its values to a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The role; `0` is PUBLIC.
    pub role: Oid,
    /// Who opened it.
    pub decision: Decision,
}

/// What was decided about a column; what is not said follows from its domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnPrivacy {
    /// Its treatment.
    pub masking: Option<Masking>,
    /// The domain whose pseudonyms it has, where the column itself has another or none.
    pub namespace: Option<Oid>,
    /// Its kind of personal data.
    pub category: Option<Category>,
    /// Who said so; `None`: it follows from the columns that it was made of.
    pub decision: Option<Decision>,
    /// The roles that it is open to.
    pub openings: Vec<Opening>,
    /// The purposes that it was declared for.
    #[serde(default)]
    pub purposes: Vec<String>,
}

impl ColumnPrivacy {
    /// Of a column whose treatment follows from others.
    pub fn derived(masking: Masking, namespace: Option<Oid>, category: Option<Category>) -> Self {
        Self { masking: Some(masking), namespace, category, ..Self::default() }
    }

    /// What stays when what is said of the column's treatment changes.
    #[must_use]
    pub fn with_rest_of(self, before: Option<&Self>) -> Self {
        let before = before.cloned().unwrap_or_default();
        Self { openings: before.openings, purposes: before.purposes, ..self }
    }

    /// Opens the column to a role; an older opening stays as it was.
    pub fn open(&mut self, role: Oid, decision: Decision) {
        if !self.openings.iter().any(|one| one.role == role) {
            self.openings.push(Opening { role, decision });
        }
    }

    /// Closes it again.
    pub fn close(&mut self, role: Oid) {
        self.openings.retain(|one| one.role != role);
    }
}
