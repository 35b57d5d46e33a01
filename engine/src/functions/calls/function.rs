//! Table functions whose arguments may be queries: declared, called, planned.

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{Extension, LogicalPlan};
use futures::future::BoxFuture;
use sqlparser::ast;

use super::call::{Call, CallNode};
use super::exec::{Batches, Part};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::rights;
use crate::sql;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// A constant of a type.
    Value(PgType),
    /// A constant of the type of items or customers.
    Key,
    /// A query, or values.
    Query,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) given: Given,
    /// Whether it must be given.
    pub(crate) needed: bool,
}

/// A parameter that must be given.
pub(crate) const fn needed(name: &'static str, given: Given) -> Parameter {
    Parameter { name, given, needed: true }
}

/// A parameter that may be given.
pub(crate) const fn may(name: &'static str, given: Given) -> Parameter {
    Parameter { name, given, needed: false }
}

/// A result column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// The customer, named and typed as in the recommender.
    Customer,
    /// The item, named and typed as there.
    Item,
    /// Another item: its name, of the same type.
    Other(&'static str),
    /// A column of a query that is given: parameter and place.
    Of(usize, usize),
    /// Anything else.
    Plain(&'static str, PgType),
    /// The same, where this parameter is given.
    Where(&'static str, &'static str, PgType),
}

/// What makes the rows.
pub(crate) type Kernel = fn(Arc<Call>, Part) -> BoxFuture<'static, Result<Batches>>;

/// A table function.
pub(crate) struct Function {
    /// Schema and name.
    pub(crate) name: &'static str,
    /// Its parameters; `model` is the recommender.
    pub(crate) parameters: &'static [Parameter],
    /// Its columns.
    pub(crate) columns: &'static [Column],
    /// One sentence for `\df+`.
    pub(crate) comment: &'static str,
    /// Whether its rows are made in several parts at once.
    pub(crate) parallel: fn(&Call) -> bool,
    pub(crate) kernel: Kernel,
}

/// An argument as it was planned.
pub(crate) enum Argument {
    /// A constant.
    Value(ScalarValue),
    /// A query.
    Query(LogicalPlan),
}

impl Function {
    /// The parameter that an argument is for, from `next` on. A query in the place of a recommender
    /// stands for the next one that takes a query.
    ///
    /// # Errors
    /// 42883.
    pub(crate) fn parameter(
        &self,
        next: usize,
        label: Option<&str>,
        is_query: bool,
    ) -> Result<usize> {
        let fits = |place: &usize| !is_query || self.takes_query(*place);
        let found = match label {
            None => (next..self.parameters.len()).find(fits),
            Some(label) => self.parameters.iter().position(|one| one.name == label),
        };
        found.ok_or_else(|| match label {
            Some(label) => self.unfit_for(format!("It has no parameter \"{label}\".")),
            None => self.unfit(),
        })
    }

    /// The parameter whose values its rows begin with: rows of many fall apart again.
    pub(crate) fn whose(&self) -> Option<&'static str> {
        let is_first = matches!(self.columns.first(), Some(Column::Customer));
        let mut parameters = self.parameters.iter().map(|one| one.name);
        parameters.rfind(|name| is_first && *name == "customers")
    }

    /// Whether a parameter takes a query.
    pub(crate) fn takes_query(&self, parameter: usize) -> bool {
        self.parameters.get(parameter).is_some_and(|one| one.given == Given::Query)
    }

    /// The plan of a call.
    ///
    /// # Errors
    /// 42883 for arguments that do not fit, 42P01 for no such recommender, 42501.
    pub(crate) fn plan(
        &'static self,
        context: &Arc<QueryContext>,
        arguments: Vec<(usize, Argument)>,
    ) -> Result<LogicalPlan> {
        let mut values = vec![None; self.parameters.len()];
        let mut queries = vec![None; self.parameters.len()];
        let mut inputs = Vec::new();
        for (parameter, argument) in arguments {
            let Parameter { name, given, .. } = &self.parameters[parameter];
            if values[parameter].is_some() || queries[parameter].is_some() {
                return Err(self.unfit_for(format!("Parameter \"{name}\" is given twice.")));
            }
            let other = || {
                let wanted = self.parameters[parameter].type_name();
                self.unfit_for(format!("Parameter \"{name}\" takes {wanted}."))
            };
            match (argument, *given) {
                (Argument::Query(plan), Given::Query) => {
                    queries[parameter] = Some(inputs.len());
                    inputs.push(plan);
                }
                (Argument::Value(value), Given::Value(pg_type)) if !value.is_null() => {
                    let value = value.cast_to(&pg_type.arrow()).map_err(|_| other())?;
                    values[parameter] = Some(value);
                }
                (Argument::Value(value), Given::Key) if !value.is_null() => {
                    values[parameter] = Some(value);
                }
                (Argument::Value(_), Given::Value(_) | Given::Key) => {}
                _ => return Err(other()),
            }
        }
        let given = |at: usize| values[at].is_some() || queries[at].is_some();
        let mut parameters = self.parameters.iter().enumerate();
        if let Some((_, missing)) = parameters.find(|(at, one)| one.needed && !given(*at)) {
            let detail = format!("Parameter \"{}\" must be given.", missing.name);
            return Err(self.unfit_for(detail));
        }
        let relation = self.relation(context, (&values, &queries))?;
        let schema = self.schema(relation.as_deref(), &values, (&queries, &inputs))?;
        let call = Call { function: self, context: Arc::clone(context), relation, values, queries };
        let node = Arc::new(CallNode::new(call, inputs, Arc::new(schema)));
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn relation(
        &self,
        context: &QueryContext,
        (values, queries): (&[Option<ScalarValue>], &[Option<usize>]),
    ) -> Result<Option<Arc<Relation>>> {
        let place = |name: &str| self.parameters.iter().position(|one| one.name == name);
        let Some(model) = place("model") else { return Ok(None) };
        let purchases = place("purchases").is_some_and(|place| queries[place].is_some());
        let name = match values.get(model) {
            Some(Some(ScalarValue::Utf8View(Some(name)))) if !purchases => name,
            Some(None) if purchases => return Ok(None),
            Some(None) if place("purchases").is_none() => return self.only(context).map(Some),
            _ => return Err(self.unfit()),
        };
        let name = match sql::parse::expression(name)? {
            ast::Expr::Identifier(one) => ast::ObjectName::from(vec![one]),
            ast::Expr::CompoundIdentifier(parts) => ast::ObjectName::from(parts),
            _ => return Err(Error::new("42602", "invalid name syntax")),
        };
        let relation = context.relation(&name)?;
        self.permitted(context, relation).map(Some)
    }

    /// The relation, if it is a recommender that the role may read.
    fn permitted(&self, context: &QueryContext, relation: Arc<Relation>) -> Result<Arc<Relation>> {
        if !relation.is_recommender() {
            let text = format!("\"{}\" is not a recommender", relation.name);
            let hint = "CREATE MATERIALIZED VIEW … USING recommender makes one.";
            return Err(Error::new("42809", text).with_hint(hint));
        }
        if !Access::relation(&relation).permits(&context.rights, 'r', false) {
            return Err(rights::denied("materialized view", &relation.name));
        }
        // The view itself shows a role as much of closed columns as the role may see.
        if relation.live_columns().any(|column| !context.sees_column(&relation, column)) {
            let text = format!("permission denied for function {}", self.name);
            let detail = "Columns of this recommender are personal data and closed to this role.";
            let hint = "GRANT SELECT on the columns opens them; or name customers by customer_id.";
            return Err(Error::new("42501", text).with_detail(detail).with_hint(hint));
        }
        Ok(relation)
    }

    /// The only recommender that the role may read.
    fn only(&self, context: &QueryContext) -> Result<Arc<Relation>> {
        let all = context.catalog().relations().filter(|one| {
            one.is_recommender() && Access::relation(one).permits(&context.rights, 'r', false)
        });
        let all: Vec<&Arc<Relation>> = all.collect();
        match all.as_slice() {
            [one] => self.permitted(context, Arc::clone(one)),
            _ => Err(self.unfit().with_detail(format!(
                "There are {} recommenders that the role may read; model says which.",
                all.len()
            ))),
        }
    }

    fn schema(
        &self,
        relation: Option<&Relation>,
        values: &[Option<ScalarValue>],
        (queries, inputs): (&[Option<usize>], &[LogicalPlan]),
    ) -> Result<DFSchema> {
        let place = |name: &str| self.parameters.iter().position(|one| one.name == name);
        let given = |parameter: usize, column: usize| -> Option<FieldRef> {
            let input = queries.get(parameter).copied().flatten()?;
            let field = inputs.get(input)?.schema().fields().get(column)?;
            Some(PgType::from_field(field).field(field.name(), true))
        };
        // Customer and item are the first and the third column of a recommender, and the first two
        // of purchases.
        let key = |column: usize| match relation {
            Some(relation) => {
                let found = relation.live_columns().nth(2 * column);
                found.map(|one| one.pg_type.field(&one.name, true))
            }
            None => given(place("purchases")?, column),
        };
        let is_there = |column: &&Column| match column {
            Column::Where(parameter, ..) => place(parameter).is_some_and(|at| values[at].is_some()),
            _ => true,
        };
        let field = |column: &Column| -> Option<FieldRef> {
            match column {
                Column::Plain(name, pg_type) | Column::Where(_, name, pg_type) => {
                    Some(pg_type.field(name, true))
                }
                Column::Customer => key(0),
                Column::Item => key(1),
                Column::Other(name) => {
                    key(1).map(|field| PgType::from_field(&field).field(name, true))
                }
                Column::Of(parameter, place) => given(*parameter, *place),
            }
        };
        let fields = self.columns.iter().filter(is_there).map(field);
        let fields: Vec<FieldRef> = fields.collect::<Option<_>>().ok_or_else(|| self.unfit())?;
        Ok(DFSchema::try_from(Schema::new(fields))?)
    }

    /// The columns of a call whose arguments are not known yet, but for its recommender, perhaps.
    ///
    /// # Errors
    /// As [`Function::plan`]; 0A000 where columns are those of a query.
    pub(crate) fn shape(
        &self,
        context: &QueryContext,
        (model, given): (Option<ScalarValue>, &[&str]),
    ) -> Result<Vec<FieldRef>> {
        let is_model = |one: &&Parameter| one.name == "model";
        let is_given = |one: &Parameter| given.contains(&one.name).then_some(ScalarValue::Null);
        let values: Vec<Option<ScalarValue>> = self.parameters.iter().map(is_given).collect();
        let queries = vec![None; self.parameters.len()];
        let relation = match model {
            Some(model) => {
                let model = model.cast_to(&PgType::TEXT.arrow()).map_err(|_| self.unfit())?;
                let values = self.parameters.iter();
                let values = values.map(|one| is_model(&one).then(|| model.clone()));
                self.relation(context, (&values.collect::<Vec<_>>(), &queries))?
            }
            None => None,
        };
        if let Some(relation) = relation {
            let schema = self.schema(Some(&relation), &values, (&queries, &[]))?;
            return Ok(schema.fields().iter().cloned().collect());
        }
        // Keys of any type, as texts.
        let field = |column: &Column| match column {
            Column::Plain(name, pg_type) | Column::Where(_, name, pg_type) => {
                Ok(pg_type.field(name, true))
            }
            Column::Customer => Ok(PgType::INT8.field("customer_id", true)),
            Column::Item => Ok(PgType::TEXT.field("product_id", true)),
            Column::Other(name) => Ok(PgType::TEXT.field(name, true)),
            Column::Of(..) => Err(Error::unsupported("an argument that is not a constant")),
        };
        let is_there = |one: &&Column| match one {
            Column::Where(parameter, ..) => given.contains(parameter),
            _ => true,
        };
        self.columns.iter().filter(is_there).map(field).collect()
    }

    fn unfit_for(&self, detail: String) -> Error {
        self.unfit().with_detail(detail)
    }

    fn unfit(&self) -> Error {
        let parameter = |one: &Parameter| {
            let default = if one.needed { "" } else { " DEFAULT NULL" };
            format!("{} {}{default}", one.name, one.type_name())
        };
        let parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        Error::new("42883", format!("function {} does not take these arguments", self.name))
            .with_hint(format!("Its signature is {}({}).", self.name, parameters.join(", ")))
    }
}

impl Parameter {
    /// Its type as a signature says it.
    pub(crate) fn pg_type(&self) -> PgType {
        match self.given {
            Given::Value(pg_type) => pg_type,
            // anyelement, record.
            Given::Key => PgType::plain(2283),
            Given::Query => PgType::plain(2249),
        }
    }

    fn type_name(&self) -> String {
        match self.given {
            Given::Query => "query".to_owned(),
            _ => self.pg_type().sql_name(),
        }
    }
}
