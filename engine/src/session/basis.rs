//! What a plan depends on beside rows: definitions, role, settings. While it stays the same, plans
//! stay good.

use std::sync::Arc;

use clientele_catalog::definition::{Oid, Role, Schema};
use clientele_catalog::features::oids;
use clientele_catalog::privileges::{Access, Rights};
use clientele_catalog::storage::Snapshot;
use datafusion::execution::session_state::SessionState;

use super::settings::Settings;
use super::{Session, settings};

/// One state of all that; plans keep the one that they were made under.
pub(crate) struct Basis {
    /// Of the catalog.
    stamp: u64,
    roles_version: u64,
    /// Whether the data of some customer are restricted.
    restricted: bool,
    /// Version and number of the rules of retention, which `gdpr.acts` is made of.
    retention: (u64, u64),
    settings: Arc<Settings>,
    pub(super) role: Arc<Role>,
    pub(super) rights: Arc<Rights>,
    pub(super) search_path: Arc<[Oid]>,
    pub(super) state: Arc<SessionState>,
}

impl Session {
    /// The basis of a statement over this snapshot: the last one, unless something has changed.
    pub(super) fn basis(&mut self, snapshot: &Snapshot) -> Arc<Basis> {
        let roles_version = self.engine.cluster.roles_version();
        let restricted = snapshot.row_count(oids::RESTRICTIONS) > 0;
        let rules = snapshot.table(oids::RETENTION_RULES);
        let retention = (rules.written_in, rules.live_rows());
        let settings = self.shared.settings.lock();
        if let Some(basis) = &self.basis
            && basis.stamp == snapshot.catalog.stamp()
            && basis.roles_version == roles_version
            && basis.restricted == restricted
            && basis.retention == retention
            && basis.role.oid == self.role.oid
            && basis.settings.plan_alike(&settings)
        {
            return Arc::clone(basis);
        }
        let settings = Arc::new(settings.clone());
        let role = match self.engine.cluster.role(self.role.oid) {
            Some(role) => Arc::new(role),
            None => Arc::clone(&self.role),
        };
        let path = settings::search_path(settings.raw("search_path"), &role.name);
        let rights = self.engine.cluster.rights(role.oid, self.database.oid);
        let enters = |schema: &&Arc<Schema>| Access::schema(schema).permits(&rights, 'U', false);
        let found = path.iter().filter_map(|name| snapshot.catalog.schema(name)).filter(enters);
        let mut state = self.state.clone();
        let options = state.config_mut().options_mut();
        options.execution.time_zone = Some(settings.time_zone().name().to_owned());
        options.extensions.insert(settings.date_order());
        let basis = Arc::new(Basis {
            stamp: snapshot.catalog.stamp(),
            roles_version,
            restricted,
            retention,
            search_path: found.map(|schema| schema.oid).collect(),
            role,
            rights: Arc::new(rights),
            state: Arc::new(state),
            settings,
        });
        self.basis = Some(Arc::clone(&basis));
        basis
    }

    /// The settings as they are.
    pub(super) fn settings(&self, basis: &Basis) -> Arc<Settings> {
        let settings = self.shared.settings.lock();
        match basis.settings.same_values(&settings) {
            true => Arc::clone(&basis.settings),
            false => Arc::new(settings.clone()),
        }
    }
}
