//! Which relations the system schemas have, and with which columns.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use parking_lot::Mutex;

use super::SOURCES;
use super::clientele;
use super::context::Context;
use super::rows::Rows;
use super::value::Value;
use crate::catalog::{INFORMATION_SCHEMA_OID, PG_CATALOG_OID};
use crate::definition::Oid;
use crate::features::CLIENTELE_OID;

/// PostgreSQL 15's relations and ours: schema, name, OID, kind, columns with type and `!` for NOT
/// NULL.
const SYSTEM_RELATIONS: &str = include_str!("../../sql/system_relations.tsv");

/// Where rows come from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// A data file: a line of column names, then rows as COPY writes them.
    File(&'static str),
    /// The columns it names, and a function that adds the rows.
    Built(&'static [&'static str], fn(&Context, &mut Rows)),
}

/// One relation of the system schemas.
pub struct SystemRelation {
    /// `pg_catalog`, `information_schema` or `clientele`.
    pub schema_name: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its OID: PostgreSQL's own where that is fixed.
    pub oid: Oid,
    /// `pg_class.relkind`: `r` or `v`.
    pub kind: char,
    schema: SchemaRef,
    not_null: Vec<bool>,
    source: Option<Source>,
    /// The rows of a file.
    of_file: OnceLock<RecordBatch>,
    /// The rows that were last built, and from what.
    of_definitions: Mutex<Option<(Definitions, RecordBatch)>>,
}

/// The database, the stamp of its catalog, the names of the roles, and the version of the rows for
/// what counts them.
type Definitions = (Oid, u64, Vec<(Oid, String)>, Option<u64>);

/// Large relations that follow from definitions alone: tools read them in many queries between two
/// changes.
const OF_DEFINITIONS: &[&str] =
    &["pg_attribute", "pg_constraint", "pg_description", "pg_index", "pg_namespace", "pg_type"];
/// Those that tell how many rows there are, too.
const OF_ROWS: &[&str] = &["pg_class"];

impl SystemRelation {
    /// Its columns, exact types in the fields' metadata.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Name, type and NOT NULL of each column.
    pub fn columns(&self) -> impl Iterator<Item = (&str, PgType, bool)> {
        let fields = self.schema.fields().iter();
        fields
            .zip(&self.not_null)
            .map(|(field, not_null)| (field.name().as_str(), PgType::from_field(field), *not_null))
    }

    /// OID of its schema.
    pub fn schema_oid(&self) -> Oid {
        match self.schema_name {
            "pg_catalog" => PG_CATALOG_OID,
            "information_schema" => INFORMATION_SCHEMA_OID,
            _ => CLIENTELE_OID,
        }
    }

    /// `COMMENT ON VIEW`; PostgreSQL has none on its own.
    pub(crate) fn comment(&self) -> Option<&'static str> {
        clientele::comment(self.name).filter(|_| self.schema_oid() == CLIENTELE_OID)
    }

    /// Its rows now.
    pub fn rows(&self, context: &Context) -> RecordBatch {
        match self.source {
            Some(Source::File(text)) => {
                self.of_file.get_or_init(|| self.collect_file(text).finish()).clone()
            }
            _ if OF_DEFINITIONS.contains(&self.name) => self.kept(context, None),
            _ if OF_ROWS.contains(&self.name) && context.rows.is_some() => {
                self.kept(context, context.rows)
            }
            _ => self.collect(context).finish(),
        }
    }

    fn kept(&self, context: &Context, rows: Option<u64>) -> RecordBatch {
        let roles = context.roles.iter().map(|role| (role.oid, role.name.clone()));
        let definitions = (context.database.oid, context.catalog.stamp(), roles.collect(), rows);
        if let Some((known, rows)) = self.of_definitions.lock().as_ref()
            && *known == definitions
        {
            return rows.clone();
        }
        let rows = self.collect(context).finish();
        *self.of_definitions.lock() = Some((definitions, rows.clone()));
        rows
    }

    pub(crate) fn collect(&self, context: &Context) -> Rows {
        let rows = |names: &[&str]| Rows::new(self.schema(), &self.not_null, names.iter().copied());
        match self.source {
            None => rows(&[]),
            Some(Source::File(text)) => self.collect_file(text),
            Some(Source::Built(names, fill)) => {
                let mut rows = rows(names);
                fill(context, &mut rows);
                rows
            }
        }
    }

    fn collect_file(&self, text: &'static str) -> Rows {
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        let type_of = |name: &&str| {
            self.schema.field_with_name(name).map_or(PgType::TEXT, PgType::from_field)
        };
        let types: Vec<PgType> = names.iter().map(type_of).collect();
        let mut rows = Rows::new(self.schema(), &self.not_null, names.into_iter());
        for line in lines {
            rows.push(
                line.split('\t').zip(&types).map(|(text, pg_type)| Value::parse(text, *pg_type)),
            );
        }
        rows
    }
}

/// Every relation, by schema and name.
pub(crate) fn all() -> &'static [SystemRelation] {
    static ALL: OnceLock<Vec<SystemRelation>> = OnceLock::new();
    ALL.get_or_init(|| SYSTEM_RELATIONS.lines().skip(1).filter_map(parse).collect())
}

/// The relation of that name.
pub(crate) fn find(schema: &str, name: &str) -> Option<&'static SystemRelation> {
    type ByName = HashMap<(&'static str, &'static str), &'static SystemRelation>;
    static BY_NAME: OnceLock<ByName> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        all().iter().map(|relation| ((relation.schema_name, relation.name), relation)).collect()
    });
    by_name.get(&(schema, name)).copied()
}

/// The relation of that OID.
pub(crate) fn find_by_oid(oid: Oid) -> Option<&'static SystemRelation> {
    all().iter().find(|relation| relation.oid == oid)
}

fn parse(line: &'static str) -> Option<SystemRelation> {
    let mut fields = line.split('\t');
    let (schema_name, name) = (fields.next()?, fields.next()?);
    let (oid, kind) = (fields.next()?.parse().ok()?, fields.next()?.chars().next()?);
    let columns: Vec<(&str, &str)> =
        fields.next()?.split(", ").filter_map(|one| one.split_once(' ')).collect();
    let field = |(name, type_name): &(&str, &str)| {
        let pg_type = PgType::by_name(type_name.trim_end_matches('!')).unwrap_or(PgType::TEXT);
        pg_type.field(name, true)
    };
    Some(SystemRelation {
        schema_name,
        name,
        oid,
        kind,
        schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
        not_null: columns.iter().map(|(_, type_name)| type_name.ends_with('!')).collect(),
        source: SOURCES
            .iter()
            .copied()
            .flatten()
            .find(|one| (one.0, one.1) == (schema_name, name))
            .map(|one| one.2),
        of_file: OnceLock::new(),
        of_definitions: Mutex::default(),
    })
}

/// Declares a relation: what its rows are made from, and each column that has something to say.
///
/// ```ignore
/// relation! { (context) schema in context.catalog.schemas() => {
///     oid: schema.oid,
///     nspname: &schema.name,
/// } }
/// ```
macro_rules! relation {
    (($context:ident) $row:pat in $rows:expr => { $($column:ident : $value:expr),* $(,)? }) => {
        pub(crate) const SOURCE: $crate::pg_catalog::system_relation::Source =
            $crate::pg_catalog::system_relation::Source::Built(&[$(stringify!($column)),*], fill);

        fn fill($context: &$crate::pg_catalog::Context, rows: &mut $crate::pg_catalog::rows::Rows) {
            for $row in $rows {
                rows.push([$($crate::pg_catalog::value::Value::from($value)),*]);
            }
        }
    };
}
pub(crate) use relation;
