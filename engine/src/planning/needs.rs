//! What a statement needs to be allowed: which columns of which relations, and with whose rights.
//!
//! Names resolve to a [`Scan`]: a relation together with the role that is responsible for reading
//! it. That is the current role at the top and the owner of a view under it (manual:
//! rules-privileges). Once the tree is planned, [`note`] collects the columns that its expressions
//! refer to, and [`open`] puts the stored relation or the view's own plan in place of each scan.
//!
//! ```text
//! SELECT a FROM v WHERE b > 0      reads v(a, b) as the current role
//!   v: SELECT a, b FROM t          reads t(a, b) as the owner of v
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::storage::ROW_ADDRESS;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Constraints};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableScanBuilder, TableSource,
};

use super::ORIGIN_KEY;
use super::context::QueryContext;
use super::output_names::MARK;
use super::rights;
use crate::error::Result;
use crate::privacy::{self, filter, scan::Treated};

/// A relation under a query, until its columns are noted.
pub struct Scan {
    /// The relation.
    pub relation: Arc<Relation>,
    /// The role that is responsible; `None`: the current one.
    pub responsible: Option<Oid>,
    /// The target of an UPDATE, DELETE or MERGE: not read unless a column is named.
    pub target: bool,
    /// What the policies of the relation let through.
    pub condition: Option<Expr>,
    /// Its columns that the current role sees treated.
    treated: Vec<Treated>,
    /// Rows that the statement may not use.
    pub(crate) filters: Vec<filter::Planned>,
    schema: SchemaRef,
    inner: Inner,
}

/// What a scan stands for.
pub enum Inner {
    /// Rows that are stored, or of the catalog.
    Rows(Arc<dyn TableSource>),
    /// A view's query.
    View(Box<LogicalPlan>),
}

impl Scan {
    /// Of a relation whose rows come from `inner`.
    pub fn new(relation: &Arc<Relation>, inner: Inner, responsible: Option<Oid>) -> Self {
        let schema = match &inner {
            Inner::Rows(source) => source.schema(),
            Inner::View(plan) => Arc::new(plan.schema().as_arrow().clone()),
        };
        let schema = with_origins(relation, &schema);
        let (relation, treated) = (Arc::clone(relation), Vec::new());
        Self {
            relation,
            responsible,
            target: false,
            condition: None,
            treated,
            filters: Vec::new(),
            schema,
            inner,
        }
    }

    /// With what the role that `context` is of may see.
    ///
    /// # Errors
    /// None in practice.
    pub fn treating(mut self, context: &QueryContext) -> Result<Self> {
        if matches!(self.inner, Inner::View(_)) {
            return Ok(self);
        }
        self.treated = privacy::scan::treated(context, &self.relation, &self.schema)?;
        if self.treated.is_empty() {
            return Ok(self);
        }
        let fields = self.schema.fields().iter().enumerate().map(|(place, field)| {
            match self.treated.iter().any(|(one, _)| *one == place) {
                true => Arc::new(Field::clone(field).with_nullable(true)),
                false => Arc::clone(field),
            }
        });
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(self)
    }
}

/// Its fields come from this relation, whatever the view is over. A field that is no column of the
/// relation gets number 0, which only a privilege on the whole relation covers.
fn with_origins(relation: &Relation, schema: &Schema) -> SchemaRef {
    let live: Vec<_> = relation.live_columns().collect();
    let in_order = live.len() == schema.fields().len();
    let fields = schema.fields().iter().enumerate().map(|(index, field)| {
        // An address, or a column of another table that RETURNING shows.
        if field.name() == ROW_ADDRESS || field.name().contains(MARK) {
            return Arc::clone(field);
        }
        let column = match in_order {
            true => live.get(index).copied(),
            false => relation.column(field.name()),
        };
        let number = column.map_or(0, |column| column.number);
        let mut metadata = field.metadata().clone();
        metadata.insert(ORIGIN_KEY.to_owned(), format!("{}:{number}", relation.oid));
        Arc::new(Field::clone(field).with_metadata(metadata))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl TableSource for Scan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        match &self.inner {
            Inner::Rows(source) => source.constraints(),
            Inner::View(_) => None,
        }
    }
}

/// One privilege that is needed on a relation, or on these columns of it.
#[derive(Debug, Clone)]
pub struct Need {
    relation: Arc<Relation>,
    letter: char,
    /// The role that needs it; `None`: the current one.
    responsible: Option<Oid>,
    /// Numbers of the columns that are concerned; none: any column will do.
    columns: BTreeSet<i16>,
    /// Closed columns among them that the role reads as they are, once asked for. Who may see them
    /// is part of what a kept plan depends on.
    open_reads: OnceLock<Vec<Arc<str>>>,
}

impl Need {
    /// Of the current role, on the columns of these names.
    pub fn on<'n>(
        relation: &Arc<Relation>,
        letter: char,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let columns = columns.into_iter().filter_map(|name| relation.column(name));
        let columns = columns.map(|column| column.number).collect();
        let (relation, open_reads) = (Arc::clone(relation), OnceLock::new());
        Self { relation, letter, responsible: None, columns, open_reads }
    }

    /// OID of the relation.
    pub(crate) fn relation(&self) -> Oid {
        self.relation.oid
    }

    /// The same on a view, of its columns of these names.
    pub(crate) fn over(&self, view: &Arc<Relation>) -> Self {
        let name = |number: &i16| Some(self.relation.column_by_number(*number)?.name.as_str());
        let need = Self::on(view, self.letter, self.columns.iter().filter_map(name));
        Self { responsible: self.responsible, ..need }
    }

    /// The same of a role.
    pub(crate) fn of(&self, role: Oid) -> Self {
        Self { responsible: Some(role), open_reads: OnceLock::new(), ..self.clone() }
    }
}

/// Refuses the statement when a responsible role lacks what it needs.
///
/// # Errors
/// 42501 `permission denied for table t`.
pub fn check(context: &QueryContext, needs: &[Need]) -> Result<()> {
    for need in needs {
        let (relation, letter, columns) = (&need.relation, need.letter, &need.columns);
        match need.responsible {
            None => rights::reach(&context.rights, relation, letter, columns)?,
            Some(role) => {
                let of_role = context.engine.cluster.rights(role, context.database.oid);
                rights::reach(&of_role, relation, letter, columns)?;
            }
        }
        if letter == 'r' && !context.clear {
            let open = || privacy::audit::open_reads(context, relation, columns);
            let open = need.open_reads.get_or_init(open);
            if !open.is_empty() {
                context.session.noted.lock().reads.extend(open.iter().cloned());
            }
        }
    }
    Ok(())
}

/// Collects what a plan over [`Scan`]s reads. `own` says which outputs of its top projection the
/// engine added for itself: they keep values as they are and are not the user's to ask for.
pub fn note(
    plan: &LogicalPlan,
    responsible: Option<Oid>,
    own: &dyn Fn(usize) -> bool,
    context: &QueryContext,
) -> DataFusionResult<Vec<Need>> {
    let mut columns: BTreeMap<Oid, BTreeSet<i16>> = BTreeMap::new();
    let mut scanned: BTreeMap<Oid, Arc<Relation>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let Some(scan) = scan_of(node) {
            scanned.insert(scan.relation.oid, Arc::clone(&scan.relation));
            if !scan.target {
                columns.entry(scan.relation.oid).or_default();
            }
        }
        let top = std::ptr::eq(node, plan);
        let mut place = 0;
        node.apply_expressions(|expr| {
            place += 1;
            if !(top && own(place - 1)) {
                note_expression(expr, node, &mut columns)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    let needs = columns.into_iter().filter_map(|(oid, columns)| {
        let relation = scanned.get(&oid).or_else(|| context.catalog().relation_by_oid(oid))?;
        let (relation, open_reads) = (Arc::clone(relation), OnceLock::new());
        Some(Need { relation, letter: 'r', responsible, columns, open_reads })
    });
    Ok(needs.collect())
}

fn note_expression(
    expr: &Expr,
    node: &LogicalPlan,
    columns: &mut BTreeMap<Oid, BTreeSet<i16>>,
) -> DataFusionResult<TreeNodeRecursion> {
    expr.apply(|part| {
        let field = match part {
            Expr::Column(column) => input_field(node, column),
            Expr::OuterReferenceColumn(field, _) => Some(field),
            _ => None,
        };
        if let Some((relation, number)) = field.and_then(|field| origin(field)) {
            columns.entry(relation).or_default().insert(number);
        }
        Ok(TreeNodeRecursion::Continue)
    })
}

fn input_field<'a>(node: &'a LogicalPlan, column: &Column) -> Option<&'a FieldRef> {
    node.inputs().into_iter().find_map(|input| {
        let index = input.schema().maybe_index_of_column(column)?;
        input.schema().fields().get(index)
    })
}

/// The relation and the column number that a field says it comes from.
pub fn origin(field: &Field) -> Option<(Oid, i16)> {
    let (relation, number) = field.metadata().get(ORIGIN_KEY)?.split_once(':')?;
    Some((relation.parse().ok()?, number.parse().ok()?))
}

fn scan_of(node: &LogicalPlan) -> Option<&Scan> {
    match node {
        LogicalPlan::TableScan(table) => table.source.downcast_ref::<Scan>(),
        _ => None,
    }
}

/// Puts what they stand for in place of the scans: directly above the rows, what the role that asks
/// may see of them.
pub fn open(plan: LogicalPlan) -> DataFusionResult<LogicalPlan> {
    let opened = plan.transform_down_with_subqueries(|node| {
        let Some(scan) = scan_of(&node) else { return Ok(Transformed::no(node)) };
        let LogicalPlan::TableScan(table) = &node else { return Ok(Transformed::no(node)) };
        let condition = scan.condition.clone();
        match &scan.inner {
            Inner::Rows(source) => {
                let rows = TableScanBuilder::new(table.table_name.clone(), Arc::clone(source));
                let rows = LogicalPlan::TableScan(rows.build()?);
                let (name, treated) = (&table.table_name, &scan.treated);
                let rows = filter::apply(rows, (scan.relation.as_ref(), name), &scan.filters)?;
                // A policy is met by what the role sees, as the conditions of its statement are.
                let rows = privacy::scan::cover(rows, name, treated, scan.target)?;
                match condition {
                    Some(condition) => LogicalPlanBuilder::from(rows)
                        .filter(condition)?
                        .build()
                        .map(Transformed::yes),
                    None => Ok(Transformed::yes(rows)),
                }
            }
            Inner::View(view) => {
                // The view's plan is open already.
                let plan = LogicalPlanBuilder::from(view.as_ref().clone());
                let plan = plan.alias(table.table_name.clone())?.build()?;
                Ok(Transformed::new(plan, true, TreeNodeRecursion::Jump))
            }
        }
    })?;
    Ok(opened.data)
}
