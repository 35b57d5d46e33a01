//! SQL type names → Arrow fields that carry the exact PostgreSQL type.

use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Domain, Oid};
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::{ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};

use super::context::QueryContext;
use crate::error::{Error, Result};
use crate::sql::place::name_parts;

/// A type as SQL names it: the base type, and the domain it was named by.
#[derive(Debug, Clone)]
pub struct NamedType {
    /// Base type.
    pub pg_type: PgType,
    /// The domain, if it is one.
    pub domain: Option<Arc<Domain>>,
}

/// Finds the type that SQL names.
///
/// # Errors
/// 42704 `type "x" does not exist`, 22023 for impossible modifiers.
pub fn named_type(sql_type: &DataType, context: &QueryContext) -> Result<NamedType> {
    find(sql_type, |parts| context.domain(parts).map(Arc::clone))
}

fn find(
    sql_type: &DataType,
    domain: impl Fn(&[String]) -> Option<Arc<Domain>>,
) -> Result<NamedType> {
    if let Some(pg_type) = base_type(sql_type)? {
        return Ok(NamedType { pg_type, domain: None });
    }
    match sql_type {
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element),
        ) => Ok(NamedType { pg_type: find(element, domain)?.pg_type.array(), domain: None }),
        DataType::Custom(name, modifiers) => custom(&name_parts(name), modifiers, domain),
        other => Err(undefined(&other.to_string().to_lowercase())),
    }
}

/// What the domains of `information_schema` are over (manual, 37.2).
fn standard_domain(name: &str) -> Option<PgType> {
    Some(match name {
        "cardinal_number" => PgType::INT4,
        "character_data" | "yes_or_no" => PgType::VARCHAR,
        "sql_identifier" => PgType::NAME,
        "time_stamp" => PgType::TIMESTAMPTZ,
        _ => return None,
    })
}

fn custom(
    parts: &[String],
    modifiers: &[String],
    domain: impl Fn(&[String]) -> Option<Arc<Domain>>,
) -> Result<NamedType> {
    let plain = match parts {
        [name] => PgType::by_name(name),
        [schema, name] if schema == "pg_catalog" => PgType::by_name(name),
        [schema, name] if schema == "information_schema" => standard_domain(name),
        _ => None,
    };
    let serial = parts.last().and_then(|name| serial(name));
    if let Some(pg_type) = plain.or(serial) {
        let numbers: Vec<i32> =
            modifiers.iter().filter_map(|text| text.trim().parse().ok()).collect();
        let pg_type = match (pg_type.oid, numbers.as_slice()) {
            (1042 | 1043, [length]) => with_modifier(pg_type, length + 4),
            (1700, [precision]) => numeric(i64::from(*precision), 0)?,
            (1700, [precision, scale]) => numeric(i64::from(*precision), i64::from(*scale))?,
            (1083 | 1114 | 1184 | 1266, [digits]) => with_modifier(pg_type, *digits),
            _ => pg_type,
        };
        return Ok(NamedType { pg_type, domain: None });
    }
    match domain(parts) {
        Some(domain) => Ok(NamedType { pg_type: domain.pg_type, domain: Some(domain) }),
        None => Err(undefined(&parts.join("."))),
    }
}

/// `serial` and its kin are integers with a sequence (manual: datatype-numeric).
pub fn serial(name: &str) -> Option<PgType> {
    match name {
        "serial" | "serial4" => Some(PgType::INT4),
        "bigserial" | "serial8" => Some(PgType::INT8),
        "smallserial" | "serial2" => Some(PgType::INT2),
        _ => None,
    }
}

fn undefined(name: &str) -> Error {
    Error::new("42704", format!("type \"{name}\" does not exist"))
}

fn with_modifier(pg_type: PgType, modifier: i32) -> PgType {
    PgType { modifier, ..pg_type }
}

/// `numeric(p, s)`.
fn numeric(precision: i64, scale: i64) -> Result<PgType> {
    if !(1..=1000).contains(&precision) {
        return Err(Error::new(
            "22023",
            format!("NUMERIC precision {precision} must be between 1 and 1000"),
        ));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(Error::new(
            "22023",
            format!("NUMERIC scale {scale} must be between -1000 and 1000"),
        ));
    }
    Ok(PgType::numeric(precision as u16, scale as i16))
}

fn base_type(sql_type: &DataType) -> Result<Option<PgType>> {
    let time = |plain: PgType, zoned: PgType, digits: &Option<u64>, zone: &TimezoneInfo| {
        let pg_type = match zone {
            TimezoneInfo::Tz | TimezoneInfo::WithTimeZone => zoned,
            TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => plain,
        };
        digits.map_or(pg_type, |digits| with_modifier(pg_type, digits.min(6) as i32))
    };
    Ok(Some(match sql_type {
        DataType::Boolean | DataType::Bool => PgType::BOOL,
        DataType::SmallInt(_) | DataType::Int2(_) => PgType::INT2,
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => PgType::INT4,
        DataType::BigInt(_) | DataType::Int8(_) => PgType::INT8,
        DataType::Real | DataType::Float4 => PgType::FLOAT4,
        DataType::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => PgType::FLOAT4,
        DataType::Float(_) | DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 => {
            PgType::FLOAT8
        }
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => match info {
            ExactNumberInfo::None => PgType::NUMERIC,
            ExactNumberInfo::Precision(precision) => numeric(*precision as i64, 0)?,
            ExactNumberInfo::PrecisionAndScale(precision, scale) => {
                numeric(*precision as i64, *scale)?
            }
        },
        DataType::Text | DataType::String(_) => PgType::TEXT,
        DataType::Varchar(length)
        | DataType::CharVarying(length)
        | DataType::CharacterVarying(length) => {
            with_modifier(PgType::VARCHAR, characters(length).map_or(-1, |length| length + 4))
        }
        DataType::Char(length) | DataType::Character(length) => {
            with_modifier(PgType::BPCHAR, characters(length).unwrap_or(1) + 4)
        }
        DataType::Bytea => PgType::BYTEA,
        DataType::Date => PgType::DATE,
        DataType::Time(digits, zone) => time(PgType::TIME, PgType::TIMETZ, digits, zone),
        DataType::Timestamp(digits, zone) => {
            time(PgType::TIMESTAMP, PgType::TIMESTAMPTZ, digits, zone)
        }
        DataType::Interval { .. } => PgType::INTERVAL,
        DataType::Uuid => PgType::UUID,
        DataType::JSON => PgType::JSON,
        DataType::JSONB => PgType::JSONB,
        DataType::Regclass => PgType::REGCLASS,
        DataType::Bit(length) => with_modifier(PgType::plain(1560), length.unwrap_or(1) as i32),
        DataType::BitVarying(_) | DataType::VarBit(_) => PgType::plain(1562),
        _ => return Ok(None),
    }))
}

fn characters(length: &Option<CharacterLength>) -> Option<i32> {
    match length {
        Some(CharacterLength::IntegerLength { length, .. }) => i32::try_from(*length).ok(),
        _ => None,
    }
}

/// DataFusion's hook for type names; holds what it needs to find domains.
#[derive(Debug)]
pub struct Types {
    catalog: Arc<Catalog>,
    search_path: Vec<Oid>,
}

impl Types {
    /// For one statement.
    pub fn new(context: &QueryContext) -> Self {
        let mut search_path = vec![clientele_catalog::catalog::PG_CATALOG_OID];
        search_path.extend(context.search_path.iter());
        Self { catalog: Arc::clone(context.catalog()), search_path }
    }

    fn domain(&self, parts: &[String]) -> Option<Arc<Domain>> {
        match parts {
            [name] => self.search_path.iter().find_map(|schema| self.catalog.domain(*schema, name)),
            [.., schema, name] => {
                self.catalog.schema(schema).and_then(|schema| self.catalog.domain(schema.oid, name))
            }
            [] => None,
        }
        .map(Arc::clone)
    }
}

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &DataType) -> DataFusionResult<Option<FieldRef>> {
        let found = find(sql_type, |parts| self.domain(parts))
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut metadata = found.pg_type.metadata();
        if let Some(domain) = &found.domain {
            metadata.insert(DOMAIN_KEY.to_owned(), domain.oid.to_string());
        }
        let field = found.pg_type.field("", true).as_ref().clone().with_metadata(metadata);
        Ok(Some(Arc::new(field)))
    }
}

/// Field metadata key for the domain that a cast names, so that its checks run.
pub const DOMAIN_KEY: &str = "pg_domain";
