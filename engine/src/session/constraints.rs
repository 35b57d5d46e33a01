//! `SET CONSTRAINTS` (manual: sql-set-constraints): when foreign keys are looked at.

use clientele_catalog::definition::Oid;

use super::Session;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

impl Session {
    /// Defers foreign keys, or looks at them at once; `None`: all.
    pub(super) async fn set_constraints(
        &mut self,
        names: Option<&[Vec<String>]>,
        deferred: bool,
    ) -> Result<String> {
        if !self.in_block() {
            let text = "SET CONSTRAINTS can only be used in transaction blocks";
            self.notice("WARNING", "25P01", text);
        }
        let context = self.context().await?;
        let mut keys = Vec::new();
        for name in names.unwrap_or_default() {
            keys.extend(deferrable(&context, name)?);
        }
        let work = self.work().await?;
        let mut transaction = work.lock().await;
        transaction.defer(names.map(|_| keys.as_slice()), deferred);
        if !deferred {
            transaction.check_deferred(false)?;
        }
        Ok("SET CONSTRAINTS".to_owned())
    }
}

/// The constraints of that name, in the first schema that has one.
fn deferrable(context: &QueryContext, name: &[String]) -> Result<Vec<Oid>> {
    let catalog = context.catalog();
    let schemas = match name {
        [schema, _] => catalog.schema(schema).map(|one| one.oid).into_iter().collect(),
        _ => context.search_path.to_vec(),
    };
    let wanted = name.last().map(String::as_str).unwrap_or_default();
    for schema in schemas {
        let relations = catalog.relations().filter(|relation| relation.schema == schema);
        let found: Vec<_> = relations
            .flat_map(|relation| &relation.constraints)
            .filter(|one| one.name == wanted && !one.of_index)
            .collect();
        if found.iter().any(|one| one.deferrable.is_none()) {
            return Err(Error::new("42809", format!("constraint \"{wanted}\" is not deferrable")));
        }
        if !found.is_empty() {
            return Ok(found.iter().map(|one| one.oid).collect());
        }
    }
    Err(Error::new("42704", format!("constraint \"{}\" does not exist", name.join("."))))
}
