//! DataFusion's view of names: relations, functions, types, resolved in our catalog.

use std::cell::Cell;
use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::TableReference;
use datafusion::common::config::ConfigOptions;
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::planner::{
    ContextProvider, ExprPlanner, RelationPlanner, TypePlanner,
};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF,
};

use super::context::{Named, QueryContext, undefined_table};
use super::types::Types;
use crate::error::{Error, Result};
use crate::{functions, sql};

/// How many views may stand on one another (54001 beyond).
const VIEW_DEPTH_MAX: usize = 64;

/// Resolves names for one statement.
pub struct Names<'a> {
    context: &'a Arc<QueryContext>,
    types: Arc<Types>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    depth: Cell<usize>,
    /// Rows in memory under a name, which hides relations of that name.
    rows: Option<(String, RecordBatch, Option<u32>)>,
    /// The relation whose scans carry row addresses: the target of an UPDATE, DELETE or MERGE.
    target: Option<u32>,
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
            expr_planners: context.state.expr_planners().to_vec(),
            depth: Cell::new(0),
            rows: None,
            target: None,
        }
    }

    /// A bare name stands for these rows; `origin` is the relation whose columns they are.
    pub fn with_rows(mut self, name: &str, rows: RecordBatch, origin: Option<u32>) -> Self {
        self.rows = Some((name.to_owned(), rows, origin));
        self
    }

    fn rows_named(&self, parts: &[String]) -> Option<Result<Arc<dyn TableSource>>> {
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
        Some(
            table
                .map(|table| provider_as_source(Arc::new(table)))
                .map_err(|error| Error::from_datafusion(&error)),
        )
    }

    /// Scans of this relation get a last column `ctid`.
    pub fn with_target(mut self, relation: u32) -> Self {
        self.target = Some(relation);
        self
    }

    fn source(&self, relation: &Arc<Relation>) -> Result<Arc<dyn TableSource>> {
        match &relation.kind {
            RelationKind::View { query } => self.view(query),
            RelationKind::MaterializedView { populated: false, .. } => Err(Error::new(
                "55000",
                format!("materialized view \"{}\" has not been populated", relation.name),
            )
            .with_hint("Use the REFRESH MATERIALIZED VIEW command.")),
            RelationKind::Table | RelationKind::MaterializedView { .. } => {
                let address = self.target == Some(relation.oid) && self.depth.get() == 0;
                let context = self.context;
                Ok(provider_as_source(context.store.table_provider(
                    &context.snapshot,
                    relation,
                    address,
                )))
            }
            RelationKind::Sequence(sequence) => functions::sequence_relation(sequence),
        }
    }

    fn view(&self, query: &str) -> Result<Arc<dyn TableSource>> {
        if self.depth.get() >= VIEW_DEPTH_MAX {
            return Err(Error::new("54001", "views are nested too deeply"));
        }
        self.depth.set(self.depth.get() + 1);
        let plan = sql::parse::query(query).and_then(|query| super::plan_with(self, query, &[]));
        self.depth.set(self.depth.get() - 1);
        Ok(provider_as_source(Arc::new(ViewTable::new(plan?.0, None))))
    }

    fn system(&self, schema: &'static str, name: &str) -> Result<Arc<dyn TableSource>> {
        let facts = functions::catalog_context(self.context);
        let batch = clientele_catalog::pg_catalog::relation(schema, name, &facts)
            .ok_or_else(|| undefined_table(&[schema.to_owned(), name.to_owned()]))?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])
            .map_err(|error| Error::from_datafusion(&error))?;
        Ok(provider_as_source(Arc::new(table)))
    }
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
        let source = match self.context.find_relation(&parts).map_err(external)? {
            Some(Named::Relation(relation)) => self.source(&relation),
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
        let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
        functions::of_session(name, self.context)
            .or_else(|| self.context.state.scalar_functions().get(name).cloned())
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.context.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
        self.context.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
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
