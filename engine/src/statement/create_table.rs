//! `CREATE TABLE` (manual: sql-createtable), `CREATE TABLE AS`, `(LIKE …)`.

use std::sync::Arc;

use clientele_catalog::definition::{
    Column, Constraint, ConstraintKind, ON_COMMIT, Object, Oid, Relation, RelationKind, RowSecurity,
};
use clientele_catalog::pg_catalog::JobKind;
use clientele_catalog::storage::Store;
use clientele_udfs::types::PgType;
use futures::StreamExt;
use sqlparser::ast::{
    self, ColumnDef, ColumnOption, CreateTable, CreateTableLikeKind, GeneratedAs, Ident,
    ObjectName, OnCommit, ReferentialAction, TableConstraint,
};

use super::check::undefined_column;
use super::grant::grants_of_new;
use super::{referential, rows, subject_columns};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::{self, types};
use crate::privacy::lineage;
use crate::session::Session;
use crate::session::job::Job;
use crate::sql::definitions::Including;
use crate::sql::place::{folded, name_parts};

/// Largest number of columns (PostgreSQL's limit).
const COLUMNS_MAX: usize = 1600;

/// Runs a CREATE TABLE. Returns the tag.
pub(super) async fn execute(
    session: &mut Session,
    create: &CreateTable,
    text: &str,
) -> Result<String> {
    let tag = if create.query.is_some() { "CREATE TABLE AS" } else { "CREATE TABLE" };
    session.writable(tag)?;
    let context = session.context().await?;
    let temporary = create.temporary || name_parts(&create.name).starts_with(&["pg_temp".into()]);
    let (schema, name) = place_of(session, &context, &create.name, temporary)?;
    if context.catalog().relation(schema, &name).is_some() {
        let text = format!("relation \"{name}\" already exists");
        if !create.if_not_exists {
            return Err(Error::new("42P07", text));
        }
        session.notice("NOTICE", "42P07", format!("{text}, skipping"));
        return Ok(tag.to_owned());
    }
    let mut relation = empty(session.store.allocate_oid(), schema, &name, context.role.oid);
    relation.temporary = temporary;
    on_commit(&mut relation, create.on_commit.as_ref())?;
    relation.grants = grants_of_new(&context, &relation);
    if let Some(query) = &create.query {
        let filled = !text.trim_end().to_lowercase().ends_with("with no data");
        return create_as(session, &context, relation, (create, query, filled)).await;
    }
    let mut builder =
        Builder { context: &context, store: &session.store, relation, sequences: Vec::new() };
    if let Some(CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) =
        &create.like
    {
        let defaults = like.defaults == Some(ast::CreateTableLikeDefaults::Including);
        builder.like(&like.name, Including { defaults, ..Including::default() })?;
    }
    for column in &create.columns {
        builder.column(column)?;
    }
    for constraint in &create.constraints {
        builder.constraint(constraint)?;
    }
    let Builder { relation, sequences, .. } = builder;
    store(session, &context, (relation, sequences)).await?;
    Ok(tag.to_owned())
}

/// `ON COMMIT DROP | DELETE ROWS`: the session does so when a transaction ends.
fn on_commit(relation: &mut Relation, given: Option<&OnCommit>) -> Result<()> {
    let what = match given {
        None => return Ok(()),
        Some(_) if !relation.temporary => {
            return Err(Error::new("42P16", "ON COMMIT can only be used on temporary tables"));
        }
        Some(OnCommit::PreserveRows) => return Ok(()),
        Some(OnCommit::DeleteRows) => "delete rows",
        Some(OnCommit::Drop) => "drop",
    };
    relation.options.push((ON_COMMIT.to_owned(), what.to_owned()));
    Ok(())
}

/// Puts a finished table and its sequences into the catalog.
pub(super) async fn store(
    session: &mut Session,
    context: &Arc<QueryContext>,
    (mut relation, sequences): (Relation, Vec<Relation>),
) -> Result<()> {
    subject_columns::settle(context, &mut relation)?;
    super::check::kept_expressions(context, &relation)?;
    lineage::generated(context, &mut relation)?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for sequence in sequences {
        transaction.put(Object::Relation(sequence));
    }
    transaction.put(Object::Relation(relation));
    Ok(())
}

/// The schema that a new table goes into, and its name there.
pub(super) fn place_of(
    session: &Session,
    context: &QueryContext,
    name: &ObjectName,
    temporary: bool,
) -> Result<(Oid, String)> {
    if !temporary {
        return context.creation_target(name);
    }
    context.must_have_on_database('T')?;
    Ok((session.temporary.schema().oid, name_parts(name).pop().unwrap_or_default()))
}

/// A table without columns.
pub(super) fn empty(oid: Oid, schema: Oid, name: &str, owner: Oid) -> Relation {
    Relation {
        oid,
        schema,
        name: name.to_owned(),
        owner,
        kind: RelationKind::Table,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        options: Vec::new(),
        comment: None,
        grants: None,
        temporary: false,
        sort_columns: Vec::new(),
        row_security: RowSecurity::default(),
    }
}

async fn create_as(
    session: &mut Session,
    context: &Arc<QueryContext>,
    mut relation: Relation,
    (create, query, filled): (&CreateTable, &ast::Query, bool),
) -> Result<String> {
    let names: Vec<String> = create.columns.iter().map(|column| folded(&column.name)).collect();
    let planned = plan_rows(session, context, query, &names, &mut relation).await?;
    subject_columns::adopt(&mut relation);
    subject_columns::settle(context, &mut relation)?;
    {
        let work = session.work().await?;
        work.lock().await.put(Object::Relation(relation.clone()));
    }
    if !filled {
        return Ok("CREATE TABLE AS".to_owned());
    }
    let job = Job::new(&session.shared, JobKind::CreateTableAs, relation.oid);
    let count = fill(session, context, (&relation, planned), &job).await?;
    Ok(format!("SELECT {count}"))
}

/// Plans the query that fills a new relation, and gives the relation the query's columns.
pub(super) async fn plan_rows(
    session: &Session,
    context: &Arc<QueryContext>,
    query: &ast::Query,
    names: &[String],
    relation: &mut Relation,
) -> Result<datafusion::logical_expr::LogicalPlan> {
    let planning = Arc::clone(context);
    let query = query.clone();
    let planned =
        session.compute(async move { planning::plan_query(&planning, query, &[]) }).await?;
    take_columns(context, &planned.columns, names, relation)?;
    lineage::derive(context, &planned.plan, relation)?;
    Ok(planned.plan)
}

/// Gives a new relation the columns of a query.
pub(super) fn take_columns(
    context: &QueryContext,
    columns: &[crate::api::Column],
    names: &[String],
    relation: &mut Relation,
) -> Result<()> {
    if names.len() > columns.len() {
        return Err(Error::new("42601", "too many column names were specified"));
    }
    for (index, column) in columns.iter().enumerate() {
        let name = names.get(index).unwrap_or(&column.name);
        if relation.column(name).is_some() {
            return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
        }
        let number = i16::try_from(index + 1).map_err(Error::internal)?;
        let mut own = Column::plain(number, name, storable(column.pg_type));
        own.domain = origin_domain(context, column);
        relation.columns.push(own);
    }
    Ok(())
}

/// What a value of a pseudo-type is kept as.
fn storable(pg_type: PgType) -> PgType {
    match pg_type.facts().category {
        'X' | 'P' => PgType::TEXT,
        _ => pg_type,
    }
}

/// A column copied unchanged keeps its domain, so that its meaning and treatment go with it.
fn origin_domain(context: &QueryContext, column: &crate::api::Column) -> Option<Oid> {
    context.catalog().relation_by_oid(column.table)?.column_by_number(column.number)?.domain
}

/// Runs the plan into the relation, many rows straight to files; returns their number.
pub(crate) async fn fill(
    session: &mut Session,
    context: &Arc<QueryContext>,
    (relation, plan): (&Relation, datafusion::logical_expr::LogicalPlan),
    job: &Job,
) -> Result<u64> {
    let plan = planning::project_for_assignment(plan, &rows::assignment(relation), context)?;
    let schema = rows::schema(relation);
    let progress = job.progress();
    progress.enter("executing query");
    let work = session.work().await?;
    let batches = session.stream(context, plan).await?.map(|batch| {
        let batch = rows::padded(&batch?, &schema)?;
        if progress.rows() == 0 {
            progress.enter("writing rows");
        }
        progress.advance_rows(batch.num_rows() as u64);
        Ok::<_, Error>(batch)
    });
    work.lock().await.insert_bulk(relation.oid, batches).await
}

/// Builds a table's definition from its parts.
pub(super) struct Builder<'a> {
    pub(super) context: &'a Arc<QueryContext>,
    pub(super) store: &'a Arc<Store>,
    pub(super) relation: Relation,
    /// Sequences of `serial` and identity columns.
    pub(super) sequences: Vec<Relation>,
}

impl Builder<'_> {
    pub(super) fn next_number(&self) -> Result<i16> {
        let last = self.relation.columns.iter().map(|column| column.number).max().unwrap_or(0);
        if self.relation.columns.len() >= COLUMNS_MAX {
            return Err(Error::new(
                "54011",
                format!("tables can have at most {COLUMNS_MAX} columns"),
            ));
        }
        Ok(last + 1)
    }

    /// Adds a column with its constraints.
    pub(super) fn column(&mut self, definition: &ColumnDef) -> Result<()> {
        let name = folded(&definition.name);
        if self.relation.column(&name).is_some() {
            return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
        }
        let named = types::named_type(&definition.data_type, self.context)?;
        let mut column = Column::plain(self.next_number()?, &name, named.pg_type);
        column.stored_name = self.stored_name(&name);
        if let Some(domain) = &named.domain {
            self.context.must_use(domain)?;
            column.domain = Some(domain.oid);
            column.default.clone_from(&domain.default);
        }
        if types::serial(&definition.data_type.to_string().to_lowercase()).is_some() {
            column.not_null = true;
            column.default = Some(self.sequence(&name, (None, named.pg_type), &[])?);
        }
        let number = column.number;
        self.relation.columns.push(column);
        for option in &definition.options {
            self.option(number, option.name.as_ref(), &option.option)?;
        }
        Ok(())
    }

    /// Parquet names are for ever: a name that a dropped column had gets a suffix.
    fn stored_name(&self, name: &str) -> String {
        let taken =
            |name: &str| self.relation.columns.iter().any(|column| column.stored_name == name);
        let mut candidate = name.to_owned();
        let mut suffix = 1;
        while taken(&candidate) {
            suffix += 1;
            candidate = format!("{name}_{suffix}");
        }
        candidate
    }

    pub(super) fn column_mut(&mut self, number: i16) -> Result<&mut Column> {
        let found = self.relation.columns.iter_mut().find(|column| column.number == number);
        found.ok_or_else(|| Error::internal("a column that was just added is missing"))
    }

    fn option(&mut self, number: i16, name: Option<&Ident>, option: &ColumnOption) -> Result<()> {
        let name = name.map(folded);
        match option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => self.column_mut(number)?.not_null = true,
            ColumnOption::Default(expr) => {
                self.check_default(number, expr)?;
                self.column_mut(number)?.default = Some(expr.to_string());
            }
            ColumnOption::PrimaryKey(_) => self.key(name, vec![number], true)?,
            ColumnOption::Unique(_) => self.key(name, vec![number], false)?,
            ColumnOption::Check(check) => self.check(name, &check.expr)?,
            ColumnOption::ForeignKey(key) => {
                let name = name.or(key.name.as_ref().map(folded));
                self.foreign_key(name, vec![number], key)?;
            }
            ColumnOption::Generated {
                generated_as,
                sequence_options,
                generation_expr: None,
                ..
            } => {
                self.column_mut(number)?.not_null = true;
                let kind = if *generated_as == GeneratedAs::Always { 'a' } else { 'd' };
                let options = sequence_options.as_deref().unwrap_or_default();
                self.identity(number, kind, (None, options))?;
            }
            ColumnOption::Generated { generation_expr: Some(expr), .. } => {
                self.column_mut(number)?.generated = Some(expr.to_string());
            }
            ColumnOption::Collation(_) | ColumnOption::Comment(_) => {}
            other => return Err(Error::unsupported(format!("column option {other}"))),
        }
        Ok(())
    }

    /// A default must make sense before a row needs it.
    fn check_default(&self, number: i16, expr: &ast::Expr) -> Result<()> {
        let column = self.relation.column_by_number(number);
        let Some(column) = column else { return Ok(()) };
        let target = (column.name.as_str(), column.pg_type);
        super::check::default_value(self.context, target, expr).map(drop)
    }

    pub(super) fn free_name(&self, wanted: &str) -> String {
        let taken = |name: &str| {
            self.context.catalog().relation(self.relation.schema, name).is_some()
                || self.sequences.iter().any(|one| one.name == name)
                || self.relation.constraints.iter().any(|one| one.name == name)
        };
        let mut name = wanted.to_owned();
        let mut suffix = 0;
        while taken(&name) {
            suffix += 1;
            name = format!("{wanted}{suffix}");
        }
        name
    }

    /// Adds a table constraint.
    pub(super) fn constraint(&mut self, constraint: &TableConstraint) -> Result<()> {
        match constraint {
            TableConstraint::PrimaryKey(key) => {
                let columns = self.index_columns(&key.columns)?;
                self.key(key.name.as_ref().map(folded), columns, true)
            }
            TableConstraint::Unique(key) => {
                let columns = self.index_columns(&key.columns)?;
                self.key(key.name.as_ref().map(folded), columns, false)
            }
            TableConstraint::Check(check) => {
                self.check(check.name.as_ref().map(folded), &check.expr)
            }
            TableConstraint::ForeignKey(key) => {
                let columns = key.columns.iter().map(|name| self.number(&folded(name)));
                let columns = columns.collect::<Result<Vec<_>>>()?;
                self.foreign_key(key.name.as_ref().map(folded), columns, key)
            }
            other => Err(Error::unsupported(format!("table constraint {other}"))),
        }
    }

    fn number(&self, name: &str) -> Result<i16> {
        match self.relation.column(name) {
            Some(column) => Ok(column.number),
            None => {
                let mut error = undefined_column(name);
                error.message = format!("column \"{name}\" named in key does not exist");
                Err(error)
            }
        }
    }

    fn index_columns(&self, columns: &[ast::IndexColumn]) -> Result<Vec<i16>> {
        columns
            .iter()
            .map(|column| match &column.column.expr {
                ast::Expr::Identifier(ident) => self.number(&folded(ident)),
                other => Err(Error::unsupported(format!("a key over the expression {other}"))),
            })
            .collect()
    }

    pub(super) fn key(
        &mut self,
        name: Option<String>,
        columns: Vec<i16>,
        primary: bool,
    ) -> Result<()> {
        if primary && self.relation.primary_key().is_some() {
            let text = format!(
                "multiple primary keys for table \"{}\" are not allowed",
                self.relation.name
            );
            return Err(Error::new("42P16", text));
        }
        let default = match primary {
            true => format!("{}_pkey", self.relation.name),
            false => format!("{}_{}_key", self.relation.name, self.joined(&columns)),
        };
        if primary {
            for number in &columns {
                self.column_mut(*number)?.not_null = true;
            }
        }
        let kind = match primary {
            true => ConstraintKind::PrimaryKey { columns },
            false => ConstraintKind::Unique { columns },
        };
        self.add(name, &default, kind)
    }

    fn joined(&self, columns: &[i16]) -> String {
        let names = columns.iter().filter_map(|number| self.relation.column_by_number(*number));
        names.map(|column| column.name.as_str()).collect::<Vec<_>>().join("_")
    }

    pub(super) fn add(
        &mut self,
        name: Option<String>,
        default: &str,
        kind: ConstraintKind,
    ) -> Result<()> {
        let name = match name {
            Some(name) if self.relation.constraints.iter().any(|one| one.name == name) => {
                let text = format!(
                    "constraint \"{name}\" for relation \"{}\" already exists",
                    self.relation.name
                );
                return Err(Error::new("42710", text));
            }
            Some(name) => name,
            None => self.free_name(default),
        };
        let oid = self.store.allocate_oid();
        self.relation.constraints.push(Constraint::new(oid, name, kind));
        Ok(())
    }

    fn check(&mut self, name: Option<String>, expr: &ast::Expr) -> Result<()> {
        let used: Vec<String> = self
            .relation
            .live_columns()
            .filter(|column| crate::sql::place::of_identifier(expr, &column.name).is_some())
            .map(|column| column.name.clone())
            .collect();
        let default = match used.as_slice() {
            [one] => format!("{}_{one}_check", self.relation.name),
            _ => format!("{}_check", self.relation.name),
        };
        self.add(name, &default, ConstraintKind::Check { expression: expr.to_string() })
    }

    fn foreign_key(
        &mut self,
        name: Option<String>,
        columns: Vec<i16>,
        key: &ast::ForeignKeyConstraint,
    ) -> Result<()> {
        let own_name =
            name_parts(&key.foreign_table).pop().unwrap_or_default() == self.relation.name;
        let other = match self.context.relation(&key.foreign_table) {
            Ok(other) => other,
            Err(_) if own_name => Arc::new(self.relation.clone()),
            Err(error) => return Err(error),
        };
        if other.foreign().is_some() {
            let text = format!("referenced relation \"{}\" is not a table", other.name);
            return Err(Error::new("42809", text));
        }
        let referenced = match key.referred_columns.as_slice() {
            [] => match other.primary_key().map(|constraint| &constraint.kind) {
                Some(ConstraintKind::PrimaryKey { columns }) => columns.clone(),
                _ => {
                    let text =
                        format!("there is no primary key for referenced table \"{}\"", other.name);
                    return Err(Error::new("42704", text));
                }
            },
            names => names
                .iter()
                .map(|name| match other.column(&folded(name)) {
                    Some(column) => Ok(column.number),
                    None => Err(undefined_column(&folded(name))),
                })
                .collect::<Result<_>>()?,
        };
        if other.oid != self.relation.oid {
            let columns = referenced.iter().filter_map(|number| other.column_by_number(*number));
            let columns: Vec<_> = columns.map(|column| column.name.as_str()).collect();
            self.context.must_reach(&other, 'x', columns)?;
        }
        let name = match name {
            Some(name) => name,
            None => {
                self.free_name(&format!("{}_{}_fkey", self.relation.name, self.joined(&columns)))
            }
        };
        let (columns, referenced) = self.matched((&name, columns), (&other, referenced))?;
        let kind = ConstraintKind::ForeignKey {
            columns,
            references: other.oid,
            referenced,
            on_delete: action(key.on_delete),
            on_update: action(key.on_update),
        };
        self.add(Some(name), "", kind)?;
        if let Some(added) = self.relation.constraints.last_mut() {
            added.deferrable = referential::deferrable(key.characteristics.as_ref())?;
        }
        Ok(())
    }

    /// The columns of a foreign key in the order of the unique key that they refer to.
    fn matched(
        &self,
        (name, columns): (&str, Vec<i16>),
        (other, referenced): (&Relation, Vec<i16>),
    ) -> Result<(Vec<i16>, Vec<i16>)> {
        if columns.len() != referenced.len() {
            let text = "number of referencing and referenced columns for foreign key disagree";
            return Err(Error::new("42830", text));
        }
        for (own, theirs) in columns.iter().zip(&referenced) {
            let (own, theirs) =
                (self.relation.column_by_number(*own), other.column_by_number(*theirs));
            let (Some(own), Some(theirs)) = (own, theirs) else { continue };
            let (left, right) = (own.pg_type.arrow(), theirs.pg_type.arrow());
            if left != right && !(left.is_integer() && right.is_integer()) {
                let text = format!("foreign key constraint \"{name}\" cannot be implemented");
                return Err(Error::new("42804", text).with_detail(format!(
                    "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                    own.name,
                    theirs.name,
                    own.pg_type.sql_name(),
                    theirs.pg_type.sql_name()
                )));
            }
        }
        let in_order = |key: &[i16]| {
            let place = |number: &i16| referenced.iter().position(|one| one == number);
            let places = key.iter().map(place).collect::<Option<Vec<_>>>()?;
            (places.len() == referenced.len()).then_some(places)
        };
        let places = other.unique_keys().find_map(|(_, key)| in_order(key));
        let places = places.ok_or_else(|| {
            let text = "there is no unique constraint matching given keys for referenced table";
            Error::new("42830", format!("{text} \"{}\"", other.name))
        })?;
        let pick =
            |from: &[i16]| places.iter().filter_map(|place| from.get(*place)).copied().collect();
        Ok((pick(&columns), pick(&referenced)))
    }
}

fn action(action: Option<ReferentialAction>) -> char {
    match action {
        None | Some(ReferentialAction::NoAction) => 'a',
        Some(ReferentialAction::Restrict) => 'r',
        Some(ReferentialAction::Cascade) => 'c',
        Some(ReferentialAction::SetNull) => 'n',
        Some(ReferentialAction::SetDefault) => 'd',
    }
}
