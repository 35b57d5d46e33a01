//! `VACUUM`, `CLUSTER`, `ANALYZE`, `CHECKPOINT` (manual: sql-vacuum, sql-cluster, sql-analyze,
//! sql-checkpoint).
//!
//! `VACUUM` and `CLUSTER` write rows in memory to files, and merge a table's files in its order
//! without deleted rows. `ANALYZE` finds nothing to do: the sizes that the planner and `pg_class`
//! see are counted with each commit.

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::pg_catalog::JobKind;

use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::session::Session;
use crate::session::job::Job;
use crate::sql::Maintenance;
use crate::sql::place::name_parts;

/// Runs the statement.
pub(super) async fn execute(session: &mut Session, statement: &Maintenance) -> Result<String> {
    match statement.tag {
        "VACUUM" => vacuum(session, statement).await?,
        "CLUSTER" => cluster(session, statement).await?,
        "ANALYZE" => drop(targets(session, statement, "analyze").await?),
        "CHECKPOINT" => checkpoint(session).await?,
        "LOCK TABLE" if !session.in_block() => {
            let text = "LOCK TABLE can only be used in transaction blocks";
            return Err(Error::new("25P01", text));
        }
        _ => {}
    }
    Ok(statement.tag.to_owned())
}

async fn vacuum(session: &mut Session, statement: &Maintenance) -> Result<()> {
    session.outside_block("VACUUM")?;
    let tables = targets(session, statement, "vacuum").await?;
    compact(session, &tables, JobKind::Vacuum).await
}

async fn cluster(session: &mut Session, statement: &Maintenance) -> Result<()> {
    session.writable("CLUSTER")?;
    let tables = if statement.tables.is_empty() {
        session.outside_block("CLUSTER")?;
        targets(session, statement, "cluster").await?
    } else {
        let context = session.context().await?;
        let mut tables = Vec::new();
        for name in &statement.tables {
            let relation = context.relation(name)?;
            if !relation.stores_rows() {
                let text = format!("\"{}\" is not a table or materialized view", relation.name);
                return Err(Error::new("42809", text));
            }
            context.must_own_relation(&relation)?;
            tables.push(relation);
        }
        tables
    };
    if let Some(index) = &statement.index {
        // The order of a table's files is that of its primary key or of the rows' arrival.
        return Err(Error::unsupported(format!("CLUSTER ... USING {index}")));
    }
    compact(session, &tables, JobKind::Cluster).await
}

async fn checkpoint(session: &Session) -> Result<()> {
    if !session.role.superuser {
        let text = "must be superuser or have privileges of pg_checkpoint";
        return Err(Error::new("42501", text));
    }
    let job = Job::new(&session.shared, JobKind::Checkpoint, 0);
    Ok(session.store.flush_watched(job.progress()).await?)
}

async fn compact(session: &Session, tables: &[Arc<Relation>], kind: JobKind) -> Result<()> {
    session.store.flush().await?;
    for table in tables.iter().filter(|table| !table.temporary) {
        let job = Job::new(&session.shared, kind, table.oid);
        session.store.compact(Some(table.oid), job.progress()).await?;
    }
    Ok(())
}

/// The tables that are meant. What the role may not touch is left out with a warning, as
/// PostgreSQL does, since a whole database is often named.
async fn targets(
    session: &mut Session,
    statement: &Maintenance,
    verb: &str,
) -> Result<Vec<Arc<Relation>>> {
    let context = session.context().await?;
    if statement.tables.is_empty() {
        let all = context.catalog().relations();
        let mine = all.filter(|relation| relation.stores_rows() && is_owner(&context, relation));
        return Ok(mine.map(Arc::clone).collect());
    }
    let mut tables = Vec::new();
    for name in &statement.tables {
        // Relations of the system are made when they are asked for.
        if matches!(context.find_relation(&name_parts(name))?, Some(Named::System(..))) {
            continue;
        }
        let relation = context.relation(name)?;
        let shown = &relation.name;
        if !is_owner(&context, &relation) {
            let text =
                format!("skipping \"{shown}\" --- only table or database owner can {verb} it");
            session.notice("WARNING", "01000", text);
        } else if !relation.stores_rows() {
            let text = format!(
                "skipping \"{shown}\" --- cannot {verb} non-tables or special system tables"
            );
            session.notice("WARNING", "01000", text);
        } else {
            tables.push(relation);
        }
    }
    Ok(tables)
}

fn is_owner(context: &QueryContext, relation: &Relation) -> bool {
    context.rights.owns(relation.owner) || context.rights.owns(context.database.owner)
}
