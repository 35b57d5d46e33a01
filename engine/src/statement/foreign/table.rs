//! `CREATE`, `ALTER`, `DROP`, `COMMENT ON FOREIGN TABLE` (manual: sql-createforeigntable).

use std::sync::Arc;

use clientele_catalog::definition::{ForeignTable, Object, Oid, Relation, RelationKind};
use clientele_catalog::foreign::ForeignOption;
use sqlparser::ast::{AlterTable, ColumnDef, ColumnOption, ObjectName, TableConstraint};

use super::{options, server};
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::planning::rights::FOREIGN_TABLE;
use crate::session::Session;
use crate::sql::foreign::{CreateForeignTable, Names, OptionChange};
use crate::sql::place::name_parts;
use crate::statement::create_table::{Builder, empty, store};
use crate::statement::grant::grants_of_new;
use crate::statement::{alter_table, comment as comments, dependency, drop as drop_statement};

/// `CREATE FOREIGN TABLE`.
pub(super) async fn create(
    session: &mut Session,
    create: &CreateForeignTable,
) -> Result<&'static str> {
    const TAG: &str = "CREATE FOREIGN TABLE";
    session.writable(TAG)?;
    let context = session.context().await?;
    let (schema, name) = context.creation_target(&create.name)?;
    if context.catalog().relation(schema, &name).is_some() {
        let text = format!("relation \"{name}\" already exists");
        if !create.if_not_exists {
            return Err(Error::new("42P07", text));
        }
        session.notice("NOTICE", "42P07", format!("{text}, skipping"));
        return Ok(TAG);
    }
    let server = server::usable(&context, &create.server)?.oid;
    let place = Place { schema, name: &name, server, options: &create.options };
    define(session, &context, place, (&create.columns, &create.constraints)).await?;
    Ok(TAG)
}

/// Where a new table is, and where its rows are.
pub(super) struct Place<'a> {
    pub(super) schema: Oid,
    pub(super) name: &'a str,
    pub(super) server: Oid,
    pub(super) options: &'a [ForeignOption],
}

/// Makes a foreign table.
pub(super) async fn define(
    session: &mut Session,
    context: &Arc<QueryContext>,
    place: Place<'_>,
    (columns, constraints): (&[ColumnDef], &[TableConstraint]),
) -> Result<()> {
    let foreign = ForeignTable { server: place.server, options: place.options.to_vec() };
    options::check_table(context, &foreign)?;
    let oid = session.store.allocate_oid();
    let mut relation = empty(oid, place.schema, place.name, context.role.oid);
    relation.kind = RelationKind::ForeignTable(foreign);
    relation.grants = grants_of_new(context, &relation);
    let mut builder = Builder { context, store: &session.store, relation, sequences: Vec::new() };
    for column in columns {
        column.options.iter().try_for_each(|one| supported(&one.option))?;
        builder.column(column)?;
    }
    for constraint in constraints {
        enforced_elsewhere(constraint)?;
        builder.constraint(constraint)?;
    }
    let Builder { relation, sequences, .. } = builder;
    store(session, context, (relation, sequences)).await
}

/// Refuses constraints that nobody could keep (manual: sql-createforeigntable).
pub(in crate::statement) fn supported(option: &ColumnOption) -> Result<()> {
    let kind = match option {
        ColumnOption::PrimaryKey(_) => "primary key constraints",
        ColumnOption::Unique(_) => "unique constraints",
        ColumnOption::ForeignKey(_) => "foreign key constraints",
        // Values come from files: none is ever made.
        ColumnOption::Generated { .. } => "generated columns",
        _ => return Ok(()),
    };
    Err(unsupported(kind))
}

/// The same of a table's constraint.
pub(in crate::statement) fn enforced_elsewhere(constraint: &TableConstraint) -> Result<()> {
    match constraint {
        TableConstraint::PrimaryKey(_) => Err(unsupported("primary key constraints")),
        TableConstraint::Unique(_) => Err(unsupported("unique constraints")),
        TableConstraint::ForeignKey(_) => Err(unsupported("foreign key constraints")),
        _ => Ok(()),
    }
}

fn unsupported(kind: &str) -> Error {
    Error::new("0A000", format!("{kind} are not supported on foreign tables"))
}

/// The foreign table of that name; `None` where it need not exist.
async fn found(
    session: &mut Session,
    (name, if_exists): (&ObjectName, bool),
) -> Result<Option<(Arc<QueryContext>, Arc<Relation>)>> {
    let parts = name_parts(name);
    let context = session.context_to_change(|context| dependency::touched(context, &parts)).await?;
    match context.find_relation(&parts)? {
        Some(Named::Relation(relation)) if relation.foreign().is_some() => {
            context.must_own_relation(&relation)?;
            Ok(Some((context, relation)))
        }
        None if if_exists => {
            let text = format!("relation \"{}\" does not exist, skipping", parts.join("."));
            session.notice("NOTICE", "00000", text);
            Ok(None)
        }
        None => Err(undefined_table(&parts)),
        Some(Named::Relation(other)) => {
            Err(Error::new("42809", format!("\"{}\" is not a foreign table", other.name)))
        }
        Some(Named::System(_, name)) => {
            Err(Error::new("42809", format!("\"{name}\" is not a foreign table")))
        }
    }
}

/// `ALTER FOREIGN TABLE … OPTIONS`.
pub(super) async fn alter_options(
    session: &mut Session,
    name: (&ObjectName, bool),
    changes: &[OptionChange],
) -> Result<&'static str> {
    const TAG: &str = "ALTER FOREIGN TABLE";
    session.writable(TAG)?;
    let Some((context, relation)) = found(session, name).await? else { return Ok(TAG) };
    let mut relation = relation.as_ref().clone();
    if let RelationKind::ForeignTable(foreign) = &mut relation.kind {
        foreign.options = options::changed(&foreign.options, changes)?;
        options::check_table(&context, foreign)?;
    }
    alter_table::put(session, [Object::Relation(relation)]).await?;
    Ok(TAG)
}

/// Any other `ALTER FOREIGN TABLE`.
pub(super) async fn alter(session: &mut Session, alter: &AlterTable) -> Result<&'static str> {
    const TAG: &str = "ALTER FOREIGN TABLE";
    session.writable(TAG)?;
    if found(session, (&alter.name, alter.if_exists)).await?.is_some() {
        alter_table::execute(session, alter).await?;
    }
    Ok(TAG)
}

/// `DROP FOREIGN TABLE`.
pub(super) async fn drop(session: &mut Session, names: &Names<ObjectName>) -> Result<&'static str> {
    const TAG: &str = "DROP FOREIGN TABLE";
    session.writable(TAG)?;
    let what = (FOREIGN_TABLE, names.names.as_slice());
    drop_statement::relations(session, what, names.if_exists, names.cascade).await?;
    Ok(TAG)
}

/// `COMMENT ON FOREIGN TABLE`.
pub(super) async fn comment(
    session: &mut Session,
    name: &ObjectName,
    comment: Option<String>,
) -> Result<&'static str> {
    const TAG: &str = "COMMENT";
    session.writable(TAG)?;
    let context = session.context().await?;
    let object = comments::of_relation(&context, FOREIGN_TABLE, name, comment)?;
    alter_table::put(session, [object]).await?;
    Ok(TAG)
}
