//! DataFusion's view of names: relations, functions, types, resolved in our catalog.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clientele_catalog::customers::{ACCOUNT_MEMBERS, account_members};
use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::features::oids;
use clientele_catalog::privileges::Access;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::TableReference;
use datafusion::common::config::ConfigOptions;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::planner::{
    ContextProvider, ExprPlanner, RelationPlanner, TypePlanner,
};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};

use super::Changed;
use super::context::{Given, Named, QueryContext, undefined_table};
use super::needs::{self, Inner, Need, Scan};
use super::output_names;
use super::read_by_owner;
use super::types::Types;
use super::unpopulated::Unpopulated;
use super::{rights, row_security};
use crate::error::{Error, Result};
use crate::privacy::filter;
use crate::{customers, functions, gdpr, recommend, sql};

/// How many views may stand on one another (54001 beyond).
const VIEW_DEPTH_MAX: usize = 64;

/// Resolves names for one statement.
pub struct Names<'a> {
    context: &'a Arc<QueryContext>,
    types: Arc<Types>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    depth: Cell<usize>,
    /// Views whose queries are being planned, the outermost first.
    views: RefCell<Vec<Oid>>,
    /// Rows in memory under a name, which hides relations of that name.
    rows: Option<(String, RecordBatch, Option<u32>)>,
    /// These rows are shown: treated as those of their relation are.
    shown: bool,
    /// What an UPDATE, DELETE or MERGE changes: its scans carry row addresses.
    changed: Option<&'a Changed<'a>>,
    /// The role that is responsible for reads here; `None`: the current one.
    responsible: Cell<Option<Oid>>,
    /// Relations that the query being planned reads itself, and those that functions with rights
    /// of their own read, for which role.
    read: RefCell<Read>,
    /// What is needed, for what is under views too.
    needs: RefCell<Vec<Need>>,
}

#[derive(Default)]
struct Read {
    itself: BTreeSet<Oid>,
    by_definers: BTreeMap<Oid, BTreeSet<Oid>>,
}

/// Ours for elements comes first, for operators last.
fn planners(context: &QueryContext) -> Vec<Arc<dyn ExprPlanner>> {
    let elements: Arc<dyn ExprPlanner> = Arc::new(functions::Elements);
    [elements].into_iter().chain(context.state.expr_planners().iter().cloned()).collect()
}

/// The rows of an earlier part of the statement.
fn source_of(given: &Given) -> Result<Arc<dyn TableSource>> {
    let Some(rows) = &given.rows else {
        let text = format!("WITH query \"{}\" does not have a RETURNING clause", given.name);
        return Err(Error::new("0A000", text));
    };
    let table = MemTable::try_new(rows.schema(), vec![vec![rows.clone()]]);
    table
        .map(|table| provider_as_source(Arc::new(table)))
        .map_err(|error| Error::from_datafusion(&error))
}

impl<'a> Names<'a> {
    /// For one statement.
    pub fn new(context: &'a Arc<QueryContext>) -> Self {
        Self {
            context,
            types: Arc::new(Types::new(context)),
            relation_planners: vec![Arc::new(super::relations::Relations::new(Arc::clone(
                context,
            )))],
            expr_planners: planners(context),
            depth: Cell::new(0),
            views: RefCell::default(),
            rows: None,
            shown: false,
            changed: None,
            responsible: Cell::new(None),
            read: RefCell::default(),
            needs: RefCell::default(),
        }
    }

    /// What the statement may look at.
    pub fn context(&self) -> &'a Arc<QueryContext> {
        self.context
    }

    /// A bare name stands for these rows; `origin` is the relation whose columns they are.
    pub fn with_rows(mut self, name: &str, rows: RecordBatch, origin: Option<u32>) -> Self {
        self.rows = Some((name.to_owned(), rows, origin));
        self
    }

    /// The rows are shown, as RETURNING does; what a statement proposes are the values it gave.
    pub fn shown(mut self) -> Self {
        self.shown = true;
        self
    }

    fn rows_named(&self, parts: &[String]) -> Option<Result<Arc<dyn TableSource>>> {
        let given = self.context.given.iter().rev().filter(|_| self.depth.get() == 0);
        if let Some(given) = given.clone().find(|one| parts == [one.name.clone()]) {
            return Some(source_of(given));
        }
        let (name, rows, origin) = self.rows.as_ref()?;
        if parts != [name.clone()] || self.depth.get() > 0 {
            return None;
        }
        let relation = origin.and_then(|oid| self.context.catalog().relation_by_oid(oid));
        let fields = rows.schema();
        let fields = fields.fields().iter().map(|field| {
            let column = relation.and_then(|relation| {
                relation.column(field.name()).map(|one| (relation.oid, one.number))
            });
            let mut metadata = field.metadata().clone();
            if let Some((relation, number)) = column {
                metadata.insert(super::ORIGIN_KEY.to_owned(), format!("{relation}:{number}"));
            }
            Arc::new(field.as_ref().clone().with_metadata(metadata))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch = rows.clone().with_schema(Arc::clone(&schema));
        let table = batch
            .map_err(DataFusionError::from)
            .and_then(|batch| MemTable::try_new(schema, vec![vec![batch]]));
        let source = table
            .map(|table| provider_as_source(Arc::new(table)))
            .map_err(|error| Error::from_datafusion(&error));
        let Some(relation) = relation.filter(|_| self.shown) else { return Some(source) };
        Some(source.and_then(|source| {
            let mut scan = Scan::new(relation, Inner::Rows(source), None);
            // They are there, whether or not the table may be read.
            scan.target = true;
            Ok(Arc::new(scan.treating(self.context)?) as Arc<dyn TableSource>)
        }))
    }

    /// Scans of the changed relation get a last column `ctid`.
    pub fn changing(mut self, changed: &'a Changed<'a>) -> Self {
        self.changed = Some(changed);
        self
    }

    /// Whether rows of a relation are changed.
    pub fn changes(&self) -> bool {
        self.changed.is_some() && self.depth.get() == 0
    }

    /// Notes what a plan needs, before its scans are opened.
    ///
    /// # Errors
    /// None in practice.
    pub fn note_needs(&self, plan: &LogicalPlan) -> Result<()> {
        let changed = self.changed.filter(|_| self.depth.get() == 0);
        let own = |place: usize| changed.is_some_and(|changed| (changed.own)(place));
        let needs = needs::note(plan, self.responsible.get(), &own, self.context);
        let read = self.read.borrow();
        for need in needs.map_err(|error| Error::from_datafusion(&error))? {
            let relation = need.relation();
            let roles = read.by_definers.get(&relation).into_iter().flatten();
            self.needs.borrow_mut().extend(roles.clone().map(|role| need.of(*role)));
            if read.itself.contains(&relation) || roles.count() == 0 {
                self.needs.borrow_mut().push(need);
            }
        }
        Ok(())
    }

    /// What was noted.
    pub fn take_needs(&self) -> Vec<Need> {
        self.needs.take()
    }

    fn source(
        &self,
        relation: &Arc<Relation>,
        name: &TableReference,
    ) -> Result<Arc<dyn TableSource>> {
        let target = self.changed.is_some_and(|changed| changed.target == relation.oid)
            && self.depth.get() == 0;
        let inner = self.inner(relation, target)?;
        let mut scan = Scan::new(relation, inner, self.responsible.get());
        scan.target = target;
        let change = self.changed.filter(|_| target).map(|changed| changed.command);
        let schema = scan.schema();
        scan.condition = row_security::condition(
            self,
            relation,
            (self.responsible.get(), change),
            (name, schema.as_ref()),
        )?;
        scan.filters = self.filters(relation)?;
        Ok(Arc::new(scan.treating(self.context)?))
    }

    /// A relation that a function reads with the rights of a role.
    fn read_by(
        &self,
        role: Oid,
        parts: &[String],
        name: &TableReference,
    ) -> Result<Arc<dyn TableSource>> {
        let Some(Named::Relation(relation)) = self.context.resolve(parts)? else {
            return Err(undefined_table(parts));
        };
        self.read.borrow_mut().by_definers.entry(relation.oid).or_default().insert(role);
        let outside = self.responsible.replace(Some(role));
        let source = self.source(&relation, name);
        self.responsible.set(outside);
        source
    }

    /// The rows that the statement may use, as plans over what says so.
    fn filters(&self, relation: &Relation) -> Result<Vec<filter::Planned>> {
        let mut planned = Vec::new();
        for filter in filter::filters(self.context, relation) {
            let over = self.context.catalog().relation_by_oid(filter.over).map(Arc::clone);
            let over = over.ok_or_else(|| Error::internal("a built-in relation is missing"))?;
            if let Inner::View(plan) = self.view(&over, &filter.query)? {
                planned.push((filter, *plan));
            }
        }
        Ok(planned)
    }

    fn inner(&self, relation: &Arc<Relation>, target: bool) -> Result<Inner> {
        let context = self.context;
        if let Some(rows) = customers::provider(context, relation) {
            return Ok(Inner::Rows(provider_as_source(rows)));
        }
        if relation.is_populated()
            && let Some(rows) = recommend::provider(context, relation)
        {
            return Ok(Inner::Rows(provider_as_source(rows)));
        }
        match &relation.kind {
            RelationKind::View { .. } if relation.oid == ACCOUNT_MEMBERS => {
                self.view(relation, &account_members(context.catalog()))
            }
            RelationKind::View { .. } if relation.oid == oids::ACTS => {
                Ok(Inner::View(Box::new(gdpr::acts(context)?)))
            }
            RelationKind::View { query } => self.own_view(relation, query),
            RelationKind::MaterializedView { populated: false, .. } => {
                let rows = context.store.table_provider(&context.snapshot, relation, target);
                let rows = Unpopulated::new(&relation.name, rows);
                Ok(Inner::Rows(provider_as_source(Arc::new(rows))))
            }
            RelationKind::Table | RelationKind::MaterializedView { .. } => {
                let rows = context.store.table_provider(&context.snapshot, relation, target);
                Ok(Inner::Rows(provider_as_source(rows)))
            }
            RelationKind::ForeignTable(_) => {
                let rows = context.store.foreign_rows(relation, &context.listings);
                Ok(Inner::Rows(provider_as_source(rows)))
            }
            RelationKind::Sequence(sequence) => {
                let row = functions::SequenceRow::new(context, relation.oid, sequence);
                Ok(Inner::Rows(provider_as_source(Arc::new(row))))
            }
        }
    }

    /// A view that is not planned already: a WITH query of its own name hides it, and DataFusion asks
    /// for what is hidden, too.
    fn own_view(&self, view: &Relation, query: &str) -> Result<Inner> {
        if self.views.borrow().contains(&view.oid) {
            let text =
                format!("infinite recursion detected in rules for relation \"{}\"", view.name);
            return Err(Error::new("42P17", text));
        }
        self.views.borrow_mut().push(view.oid);
        let inner = self.view(view, query);
        self.views.borrow_mut().pop();
        inner
    }

    /// A view's query, whose reads are its owner's (manual: rules-privileges) or, with
    /// `security_invoker`, those of the role that asks.
    fn view(&self, view: &Relation, query: &str) -> Result<Inner> {
        if self.depth.get() >= VIEW_DEPTH_MAX {
            return Err(Error::new("54001", "views are nested too deeply"));
        }
        self.depth.set(self.depth.get() + 1);
        let outside = self.responsible.replace((!invokes(view)).then_some(view.owner));
        let read = self.read.take();
        let plan = sql::parse::query(query).and_then(|query| super::plan_with(self, query, &[]));
        self.read.replace(read);
        self.responsible.set(outside);
        self.depth.set(self.depth.get() - 1);
        Ok(Inner::View(Box::new(output_names::unmarked(plan?.0)?)))
    }

    fn system(&self, schema: &'static str, name: &str) -> Result<Arc<dyn TableSource>> {
        let access = Access::system(name);
        if self.depth.get() == 0 && !access.permits(&self.context.rights, 'r', false) {
            let view = clientele_catalog::pg_catalog::system_relation(schema, name);
            let word = if view.is_some_and(|one| one.kind == 'v') { "view" } else { "table" };
            return Err(rights::denied(word, name));
        }
        let facts = functions::catalog_context(self.context);
        let batch = clientele_catalog::pg_catalog::relation(schema, name, &facts)
            .ok_or_else(|| undefined_table(&[schema.to_owned(), name.to_owned()]))?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])
            .map_err(|error| Error::from_datafusion(&error))?;
        Ok(provider_as_source(Arc::new(table)))
    }
}

/// Whether a view is read with the rights of the role that asks (manual: sql-createview).
pub(crate) fn invokes(view: &Relation) -> bool {
    let on = |value: &str| matches!(value, "true" | "on" | "yes" | "1" | "");
    view.options.iter().any(|(name, value)| name == "security_invoker" && on(value))
}

/// The parts of a reference.
pub fn parts(reference: &TableReference) -> Vec<String> {
    [reference.catalog(), reference.schema(), Some(reference.table())]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl ContextProvider for Names<'_> {
    fn get_table_source(&self, name: TableReference) -> DataFusionResult<Arc<dyn TableSource>> {
        let parts = parts(&name);
        if let Some(rows) = self.rows_named(&parts) {
            return rows.map_err(external);
        }
        if let Some((role, parts)) = read_by_owner::unmarked(&parts) {
            return self.read_by(role, parts, &name).map_err(external);
        }
        // What a view names was looked up when it was made, with the rights of its maker.
        let named = match self.depth.get() {
            0 => self.context.find_relation(&parts),
            _ => self.context.resolve(&parts),
        };
        let source = match named.map_err(external)? {
            Some(Named::Relation(relation)) => {
                self.read.borrow_mut().itself.insert(relation.oid);
                self.source(&relation, &name)
            }
            Some(Named::System(schema, name)) => self.system(schema, &name),
            None => Err(undefined_table(&parts)),
        };
        source.map_err(external)
    }

    fn get_table_function_source(
        &self,
        name: &str,
        _args: Vec<Expr>,
    ) -> DataFusionResult<Arc<dyn TableSource>> {
        Err(external(Error::new("42883", format!("function {name} does not exist"))))
    }

    fn create_cte_work_table(
        &self,
        name: &str,
        schema: SchemaRef,
    ) -> DataFusionResult<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::clone(&self.types) as Arc<dyn TypePlanner>)
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let plain = name.strip_prefix("pg_catalog.").unwrap_or(name);
        let marker = match plain {
            "lower" => Some(functions::LOWER),
            "upper" => Some(functions::UPPER),
            _ => None,
        };
        if let Some(marker) = marker {
            return self.context.state.scalar_functions().get(marker).cloned();
        }
        functions::of_session(plain, self.context).or_else(|| {
            let name = functions::registered_name(name)?;
            self.context.state.scalar_functions().get(name).cloned()
        })
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let name = functions::registered_name(name)?;
        self.context.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        let name = functions::registered_name(name)?;
        self.context.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.context.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.context.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.context.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.context.state.window_functions().keys().cloned().collect()
    }
}
