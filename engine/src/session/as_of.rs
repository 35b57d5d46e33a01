//! `SET clientele.as_of = '…'`: rows of now, customers of then.

use std::sync::Arc;

use clientele_catalog::storage::{Customers, Snapshot};

use super::Session;
use crate::error::Result;

/// The customers of an instant, as a snapshot knows them.
pub(super) struct AsOf {
    instant: i64,
    version: u64,
    customers: Arc<Customers>,
}

impl Session {
    /// The snapshot with the customers of the instant that is set, if one is.
    pub(super) fn as_of(&mut self, snapshot: Arc<Snapshot>) -> Result<Arc<Snapshot>> {
        let instant = self.shared.settings.lock().raw("clientele.as_of").parse::<i64>();
        let Ok(instant) = instant else { return Ok(snapshot) };
        let known = self
            .as_of
            .as_ref()
            .filter(|known| known.instant == instant && known.version == snapshot.version);
        let customers = match known {
            Some(known) => Arc::clone(&known.customers),
            None => {
                let customers = self.store.customers_as_of(&snapshot, instant)?;
                let (version, customers) = (snapshot.version, customers);
                self.as_of = Some(AsOf { instant, version, customers: Arc::clone(&customers) });
                customers
            }
        };
        Ok(Arc::new(snapshot.with_customers(customers)))
    }
}
