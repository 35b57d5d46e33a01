//! Statements: one file each. `describe` says what one needs and returns, `execute` runs it.

mod alter_table;
mod call;
mod check;
mod comment;
mod computed_key;
mod copy_from;
mod copy_to;
mod counted_column;
mod create_domain;
mod create_index;
mod create_materialized_view;
mod create_schema;
mod create_sequence;
mod create_table;
mod create_table_like;
mod create_type;
mod create_view;
mod database;
mod default_settings;
mod definition;
mod delete;
mod dependency;
mod drop;
mod explain;
mod foreign;
mod function;
mod grant;
mod inline_code;
mod insert;
mod maintenance;
mod merge;
mod owner;
mod policy;
mod prepare;
mod referential;
mod returning;
mod roles;
pub(crate) mod rows;
mod security_label;
mod setting;
mod subject_columns;
mod truncate;
mod update;
mod view_target;
mod with;

pub(crate) use create_table::fill;
pub(crate) use dependency::names_in;
pub(crate) use view_target::Through;

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;
use sqlparser::ast;

use crate::api::{Column, Outcome};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::{self, Planned};
use crate::session::notify::Notification;
use crate::session::{Prepared, Session, cursors};
use crate::sql::{Body, SettingStatement};

pub(crate) use check::{condition_of, of_domain as check_domain};

/// What a statement needs and returns.
#[derive(Default)]
pub(crate) struct Described {
    /// Its columns; `None`: it returns no rows.
    pub(crate) columns: Option<Vec<Column>>,
    /// The plan of its rows, with the parameters.
    pub(crate) planned: Option<Planned>,
    /// The table that it writes to.
    pub(crate) target: Option<Arc<Relation>>,
    /// RETURNING, as a query over the written rows.
    pub(crate) returning: Option<Planned>,
    /// The statement over the table of the view that it names.
    pub(crate) through: Option<Arc<Through>>,
}

/// Columns of statements whose shape does not depend on a plan; `None`: it does, or there are none.
pub(crate) fn fixed_columns(body: &Body, session: &Session) -> Result<Option<Vec<Column>>> {
    Ok(match body {
        Body::Setting(SettingStatement::Show(name)) => Some(setting::columns(name)),
        Body::Explain(explain) => Some(vec![explain::column(explain)]),
        Body::Fetch { name, moves: false, .. } => Some(cursors::columns(session, name)?),
        Body::Execute { name, .. } => prepare::columns(session, name)?,
        Body::Call(function) => call::columns(function),
        _ => None,
    })
}

/// Whether [`describe`] has something to say.
pub(crate) fn is_planned(body: &Body) -> bool {
    match body {
        Body::Query(_) | Body::With(_) => true,
        Body::Other(other) => matches!(
            other.as_ref(),
            ast::Statement::Insert(_)
                | ast::Statement::Update(_)
                | ast::Statement::Delete(_)
                | ast::Statement::Merge(_)
        ),
        _ => false,
    }
}

/// Plans a statement for its parameters and columns.
pub(crate) fn describe(
    context: &Arc<QueryContext>,
    body: &Body,
    declared: &[Option<PgType>],
) -> Result<Described> {
    match body {
        Body::Query(query) => {
            let planned = planning::describe_query(context, query.as_ref().clone(), declared)?;
            let columns = Some(planned.columns.clone());
            Ok(Described { columns, planned: Some(planned), ..Described::default() })
        }
        Body::With(with) => with::describe(context, with, declared),
        Body::Other(other) => {
            let through = view_target::through(context, other)?;
            let statement = through.as_ref().map_or(other.as_ref(), |one| &one.statement);
            let mut described = describe_write(context, statement, declared)?;
            if let (Some(through), Some(planned)) = (&through, &mut described.planned) {
                planned.needs = through.needs(context, std::mem::take(&mut planned.needs));
            }
            described.through = through.map(Arc::new);
            Ok(described)
        }
        _ => Ok(Described::default()),
    }
}

fn describe_write(
    context: &Arc<QueryContext>,
    statement: &ast::Statement,
    declared: &[Option<PgType>],
) -> Result<Described> {
    match statement {
        ast::Statement::Insert(one) => insert::describe(context, one, declared),
        ast::Statement::Update(one) => update::describe(context, one, declared),
        ast::Statement::Delete(one) => delete::describe(context, one, declared),
        ast::Statement::Merge(one) => merge::describe(context, one, declared),
        _ => Ok(Described::default()),
    }
}

/// Runs any statement but a query.
pub(crate) async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    parameters: Vec<ScalarValue>,
) -> Result<Outcome> {
    let done = |tag: String| Ok(Outcome::Done(tag));
    match prepared.statement.body.as_ref() {
        Body::Empty => Ok(Outcome::Empty),
        Body::Query(_) => Err(Error::internal("a query in the wrong place")),
        Body::With(with) => Box::pin(with::execute(session, with, (prepared, parameters))).await,
        Body::Explain(one) => explain::execute(session, one, (prepared, parameters)).await,
        Body::CopyFrom(one) => copy_from::execute(session, one).await,
        Body::CopyTo(one) => copy_to::execute(session, one).await,
        Body::Setting(one) => setting::execute(session, one).await,
        Body::Transaction(one) => done(session.run_transaction(one).await?),
        Body::Refresh { name, no_data } => {
            done(create_materialized_view::refresh(session, name, *no_data).await?)
        }
        Body::Role(one) => done(roles::execute(session, one)?),
        Body::DefaultPrivileges(one) => done(grant::default_privileges(session, one).await?),
        Body::SecurityLabel(one) => done(security_label::execute(session, one).await?),
        Body::Foreign(one) => done(foreign::execute(session, one).await?),
        Body::Definition(one) => done(definition::execute(session, one).await?),
        Body::Declare { name, kind, query } => {
            session.declare(name, *kind, (query, &prepared.statement.text)).await
        }
        Body::Fetch { name, step, moves } => session.fetch(name, *step, *moves).await,
        Body::Close(name) => session.close(name.as_deref()),
        Body::Prepare { name, types, statement } => {
            prepare::prepare(session, name, types, statement).await
        }
        Body::Execute { name, arguments } => prepare::execute(session, name, arguments).await,
        Body::Deallocate(name) => done(prepare::deallocate(session, name.as_deref())?),
        Body::Call(function) => call::execute(session, function, parameters).await,
        Body::Do { language, code } => {
            done(Box::pin(inline_code::execute(session, language, code)).await?)
        }
        Body::Notification(one) => {
            session.shared.channels.add(one.clone())?;
            done(notification_tag(one).to_owned())
        }
        Body::Maintenance(one) => done(maintenance::execute(session, one).await?),
        Body::Other(other) => Box::pin(execute_other(session, other, prepared, parameters)).await,
    }
}

async fn execute_other(
    session: &mut Session,
    statement: &ast::Statement,
    prepared: &Prepared,
    parameters: Vec<ScalarValue>,
) -> Result<Outcome> {
    use ast::Statement as S;
    let tag = match statement {
        S::Insert(one) => return insert::execute(session, one, (prepared, parameters)).await,
        S::Update(one) => return update::execute(session, one, (prepared, parameters)).await,
        S::Delete(one) => return delete::execute(session, one, (prepared, parameters)).await,
        S::Merge(one) => return merge::execute(session, one, (prepared, parameters)).await,
        S::Truncate(one) => truncate::execute(session, one).await?,
        S::CreateTable(one) => {
            create_table::execute(session, one, &prepared.statement.text).await?
        }
        S::CreateView(one) if one.materialized => {
            create_materialized_view::create(session, one, &prepared.statement.text).await?
        }
        S::CreateView(one) => create_view::execute(session, one).await?,
        S::CreateSchema { schema_name, if_not_exists, .. } => {
            create_schema::execute(session, schema_name, *if_not_exists).await?
        }
        S::CreateDomain(one) => create_domain::execute(session, one).await?,
        S::CreateIndex(one) => create_index::execute(session, one).await?,
        S::CreateSequence { .. } => create_sequence::execute(session, statement).await?,
        S::CreateDatabase { .. } | S::AlterSchema(_) => {
            database::execute(session, statement).await?
        }
        S::CreateType { name, representation } => {
            create_type::create(session, name, representation.as_ref()).await?
        }
        S::CreatePolicy(one) => policy::create(session, one).await?,
        S::AlterPolicy(one) => policy::alter(session, one).await?,
        S::DropPolicy(one) => policy::drop_policy(session, one).await?,
        S::CreateFunction(one) => function::create(session, one).await?,
        S::DropFunction(one) => function::drop_functions(session, one).await?,
        S::AlterTable(one) => alter_table::execute(session, one).await?,
        S::AlterView { name, .. } => {
            return Err(Error::unsupported(format!("ALTER VIEW {name} AS")));
        }
        S::Drop { .. } | S::DropDomain(_) => drop::execute(session, statement).await?,
        S::Comment { .. } => comment::execute(session, statement).await?,
        S::Grant(one) => grant::grant(session, one).await?,
        S::Revoke(one) => grant::revoke(session, one).await?,
        S::CreateExtension(one) => {
            session.notice(
                "NOTICE",
                "42710",
                format!("extension \"{}\" is not needed, skipping", one.name),
            );
            "CREATE EXTENSION".to_owned()
        }
        other => return Err(Error::unsupported(first_words(&other.to_string()))),
    };
    Ok(Outcome::Done(tag))
}

fn notification_tag(notification: &Notification) -> &'static str {
    match notification {
        Notification::Listen(_) => "LISTEN",
        Notification::Unlisten(_) => "UNLISTEN",
        Notification::Notify(..) => "NOTIFY",
    }
}

/// The statement's verb, for a message that must not repeat what the user wrote.
fn first_words(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_uppercase()
}
