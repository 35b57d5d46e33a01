//! The relations as DataFusion sees them.

use std::sync::Arc;

use async_trait::async_trait;
use clientele_catalog::customers::Touchpoints;
use clientele_catalog::definition::Relation;
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{Snapshot, Store, provider_schema};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::attribute_rows::ValueColumn;
use super::exec::{self, Golden as Task};
use super::profile_rows::ProfileColumn;
use super::resolve::{self, Asked};
use super::source::{Source, Wanted};
use super::survivorship::Rules;
use super::{pins, rows};
use crate::planning::context::QueryContext;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A customer.
    Profile,
    /// A value of a customer in a source.
    Values,
}

/// The columns that are asked for.
#[derive(Debug, Clone)]
pub(super) enum Columns {
    /// Of customers.
    Profile(Vec<ProfileColumn>),
    /// Of values.
    Values(Vec<ValueColumn>),
}

/// A relation of customers in a snapshot.
#[derive(Debug)]
pub(super) struct Golden {
    store: Arc<Store>,
    /// `None`: no rows; a plan that is kept for later.
    snapshot: Option<Arc<Snapshot>>,
    touchpoints: Arc<Touchpoints>,
    shape: Shape,
    schema: SchemaRef,
}

impl Golden {
    pub(super) fn new(
        context: &QueryContext,
        relation: &Relation,
        (subject, shape): (Subject, Shape),
    ) -> Self {
        Self {
            store: Arc::clone(&context.store),
            snapshot: Some(Arc::clone(&context.snapshot)),
            touchpoints: Arc::new(Touchpoints::of(context.catalog(), subject)),
            shape,
            schema: provider_schema(relation, false),
        }
    }

    pub(super) fn subject(&self) -> Subject {
        self.touchpoints.subject
    }

    pub(super) fn moved_to(&self, snapshot: Option<&Arc<Snapshot>>) -> Self {
        Self {
            store: Arc::clone(&self.store),
            snapshot: snapshot.map(Arc::clone),
            touchpoints: Arc::clone(&self.touchpoints),
            shape: self.shape,
            schema: Arc::clone(&self.schema),
        }
    }

    fn columns(&self, schema: &SchemaRef) -> Columns {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        match self.shape {
            Shape::Profile => {
                let column = |name| ProfileColumn::named(name, &self.touchpoints);
                Columns::Profile(names.filter_map(column).collect())
            }
            Shape::Values => Columns::Values(names.filter_map(ValueColumn::named).collect()),
        }
    }

    /// What must be read of the tables.
    fn wanted(&self, columns: &Columns, filters: &[Expr]) -> Wanted {
        let attributes = &self.touchpoints.attributes;
        match columns {
            Columns::Profile(columns) => {
                let counts = columns.contains(&ProfileColumn::IdentifierCount);
                let wants = |at: usize| {
                    let identifies = attributes.get(at).is_some_and(|one| one.identifies);
                    columns.contains(&ProfileColumn::Attribute(at)) || counts && identifies
                };
                let times = [ProfileColumn::FirstSeen, ProfileColumn::LastSeen];
                Wanted {
                    attributes: (0..attributes.len()).map(wants).collect(),
                    times: columns.iter().any(|column| times.contains(column)),
                    rows: true,
                }
            }
            Columns::Values(_) => {
                let named = resolve::attributes(filters);
                let wants = |name: &String| named.as_ref().is_none_or(|named| named.contains(name));
                Wanted {
                    attributes: attributes.iter().map(|one| wants(&one.name)).collect(),
                    times: false,
                    rows: false,
                }
            }
        }
    }
}

#[async_trait]
impl TableProvider for Golden {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = datafusion::physical_plan::project_schema(&self.schema, projection)?;
        let Some(snapshot) = &self.snapshot else { return Ok(Arc::new(EmptyExec::new(schema))) };
        let columns = self.columns(&schema);
        let wanted = self.wanted(&columns, filters);
        let from = rows::From { store: &self.store, snapshot, state };
        let rules = Rules::read(&from, &self.touchpoints).await?;
        let pins = match self.touchpoints.subject {
            Subject::Person => pins::read(&from, &self.touchpoints).await?,
            Subject::Company => Vec::new(),
        };
        let asked = Asked { touchpoints: &self.touchpoints, shape: self.shape, pins: &pins };
        let only = resolve::customers(&from, &asked, filters);
        let (mut inputs, mut sources) = (Vec::new(), Vec::new());
        for (number, table) in (0_u16..).zip(&self.touchpoints.tables) {
            let of = (&wanted, self.touchpoints.as_ref());
            if let Some(source) = Source::of((number, table), of, &snapshot.catalog) {
                inputs.push(source.scan(&from, (self.touchpoints.subject, only.as_deref())).await?);
                sources.push(source);
            }
        }
        let task = Task {
            touchpoints: Arc::clone(&self.touchpoints),
            sources,
            columns,
            wanted,
            rules,
            placeholders: self.store.placeholders(snapshot),
            pins,
            only,
        };
        Ok(exec::plan(inputs, Arc::new(task), schema))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // The operator computes more customers than asked for where conditions are not its own.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
