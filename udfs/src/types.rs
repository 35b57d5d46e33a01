//! The one table of PostgreSQL types: OID, names, length, category, Arrow representation.
//!
//! `pg_type`, `pg_attribute`, parameter inference, casts, COPY and the wire all derive from
//! [`TYPES`]. A value's exact PostgreSQL type travels in Arrow field metadata under
//! [`PG_TYPE_KEY`] as `oid:modifier` wherever the Arrow type alone does not say it (`jsonb` is
//! Arrow text); see [`PgType::from_field`].

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};

/// Field metadata key for the exact PostgreSQL type, `oid:modifier`.
pub const PG_TYPE_KEY: &str = "pg_type";

/// OIDs that are made of another object's are above this one: those that are handed out stay below.
pub const DERIVED: u32 = 0x4000_0000;

/// Facts about one PostgreSQL base type (manual: catalog-pg-type).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeFacts {
    /// `pg_type.oid`.
    pub oid: u32,
    /// `pg_type.typname`.
    pub name: &'static str,
    /// Name in SQL and in messages, as `format_type` prints it.
    pub sql_name: &'static str,
    /// OID of the array type over it, 0 where there is none.
    pub array_oid: u32,
    /// `pg_type.typlen`: bytes, −1 for varlena, −2 for C string.
    pub length: i16,
    /// `pg_type.typcategory`.
    pub category: char,
    /// How a column of it is kept in Arrow.
    pub kept_as: Kept,
}

/// Arrow representation of a base type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// `Boolean`.
    Boolean,
    /// `Int16`.
    Int16,
    /// `Int32`.
    Int32,
    /// `Int64`; also `oid` and the `reg*` types, which are unsigned 32 bits in PostgreSQL.
    Int64,
    /// `Float32`.
    Float32,
    /// `Float64`.
    Float64,
    /// `Decimal128` where the modifier gives it a precision that this holds, else `LargeBinary`:
    /// the bytes of [`crate::numeric::stored`].
    Decimal,
    /// `Utf8View`; also `json`, `jsonb` (normalised text), `uuid` (lower case text).
    Text,
    /// `Binary`.
    Binary,
    /// `Date32`.
    Date,
    /// `Time64(Microsecond)`.
    Time,
    /// `Timestamp(Microsecond, None)`.
    Timestamp,
    /// `Timestamp(Microsecond, "UTC")`.
    TimestampTz,
    /// `Interval(MonthDayNano)`.
    Interval,
    /// `Null`, a pseudo-type.
    Pseudo,
}

macro_rules! types {
    ($($oid:literal $name:literal $sql:literal $array:literal $len:literal $cat:literal $kept:ident;)*) => {
        /// Every base type, by OID. Numbers are PostgreSQL's own (src/include/catalog/pg_type.dat).
        pub const TYPES: &[TypeFacts] = &[$(TypeFacts {
            oid: $oid, name: $name, sql_name: $sql, array_oid: $array, length: $len,
            category: $cat, kept_as: Kept::$kept,
        }),*];
    };
}

types! {
    16 "bool" "boolean" 1000 1 'B' Boolean;
    17 "bytea" "bytea" 1001 -1 'U' Binary;
    18 "char" "\"char\"" 1002 1 'Z' Text;
    19 "name" "name" 1003 64 'S' Text;
    20 "int8" "bigint" 1016 8 'N' Int64;
    21 "int2" "smallint" 1005 2 'N' Int16;
    22 "int2vector" "int2vector" 1006 -1 'A' Pseudo;
    23 "int4" "integer" 1007 4 'N' Int32;
    24 "regproc" "regproc" 1008 4 'N' Int64;
    25 "text" "text" 1009 -1 'S' Text;
    26 "oid" "oid" 1028 4 'N' Int64;
    27 "tid" "tid" 1010 6 'U' Int64;
    28 "xid" "xid" 1011 4 'U' Int64;
    29 "cid" "cid" 1012 4 'U' Int64;
    30 "oidvector" "oidvector" 1013 -1 'A' Pseudo;
    114 "json" "json" 199 -1 'U' Text;
    142 "xml" "xml" 143 -1 'U' Text;
    194 "pg_node_tree" "pg_node_tree" 0 -1 'Z' Text;
    700 "float4" "real" 1021 4 'N' Float32;
    701 "float8" "double precision" 1022 8 'N' Float64;
    705 "unknown" "unknown" 0 -2 'X' Text;
    869 "inet" "inet" 1041 -1 'I' Text;
    1033 "aclitem" "aclitem" 1034 12 'U' Text;
    1042 "bpchar" "character" 1014 -1 'S' Text;
    1043 "varchar" "character varying" 1015 -1 'S' Text;
    1082 "date" "date" 1182 4 'D' Date;
    1083 "time" "time without time zone" 1183 8 'D' Time;
    1114 "timestamp" "timestamp without time zone" 1115 8 'D' Timestamp;
    1184 "timestamptz" "timestamp with time zone" 1185 8 'D' TimestampTz;
    1186 "interval" "interval" 1187 16 'T' Interval;
    1266 "timetz" "time with time zone" 1270 12 'D' Text;
    1560 "bit" "bit" 1561 -1 'V' Text;
    1562 "varbit" "bit varying" 1563 -1 'V' Text;
    1700 "numeric" "numeric" 1231 -1 'N' Decimal;
    2202 "regprocedure" "regprocedure" 2207 4 'N' Int64;
    2203 "regoper" "regoper" 2208 4 'N' Int64;
    2204 "regoperator" "regoperator" 2209 4 'N' Int64;
    2205 "regclass" "regclass" 2210 4 'N' Int64;
    2206 "regtype" "regtype" 2211 4 'N' Int64;
    2249 "record" "record" 2287 -1 'P' Text;
    2275 "cstring" "cstring" 1263 -2 'P' Text;
    2279 "trigger" "trigger" 0 4 'P' Text;
    2278 "void" "void" 0 4 'P' Text;
    2283 "anyelement" "anyelement" 0 4 'P' Pseudo;
    2277 "anyarray" "anyarray" 0 -1 'P' Pseudo;
    2276 "any" "\"any\"" 0 4 'P' Pseudo;
    2281 "internal" "internal" 0 8 'P' Pseudo;
    2950 "uuid" "uuid" 2951 16 'U' Text;
    3220 "pg_lsn" "pg_lsn" 3221 8 'U' Text;
    3802 "jsonb" "jsonb" 3807 -1 'U' Text;
    3904 "int4range" "int4range" 3905 -1 'R' Text;
    3906 "numrange" "numrange" 3907 -1 'R' Text;
    3908 "tsrange" "tsrange" 3909 -1 'R' Text;
    3910 "tstzrange" "tstzrange" 3911 -1 'R' Text;
    3912 "daterange" "daterange" 3913 -1 'R' Text;
    3926 "int8range" "int8range" 3927 -1 'R' Text;
    4072 "jsonpath" "jsonpath" 4073 -1 'U' Text;
    4089 "regnamespace" "regnamespace" 4090 4 'N' Int64;
    4096 "regrole" "regrole" 4097 4 'N' Int64;
}

/// Other spellings that SQL accepts for a type name.
const ALIASES: &[(&str, u32)] = &[
    ("boolean", 16),
    ("smallint", 21),
    ("int", 23),
    ("integer", 23),
    ("bigint", 20),
    ("real", 700),
    ("float", 701),
    ("double precision", 701),
    ("decimal", 1700),
    ("dec", 1700),
    ("character varying", 1043),
    ("character", 1042),
    ("string", 25),
    ("timestamp without time zone", 1114),
    ("timestamp with time zone", 1184),
    ("time without time zone", 1083),
    ("time with time zone", 1266),
    ("bit varying", 1562),
];

/// A PostgreSQL type with its modifier (`numeric(12,2)`), base or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PgType {
    /// `pg_type.oid`; an array type has its own.
    pub oid: u32,
    /// `pg_attribute.atttypmod`: −1 for none, `((p << 16) | s) + 4` for numeric, `n + 4` for varchar.
    pub modifier: i32,
}

macro_rules! named {
    ($($constant:ident $oid:literal)*) => {
        impl PgType { $(#[doc = concat!("The type of OID ", $oid, ".")]
            pub const $constant: Self = Self::plain($oid);)* }
    };
}
named! {
    BOOL 16 BYTEA 17 CHAR 18 NAME 19 INT8 20 INT2 21 INT2VECTOR 22 INT4 23 REGPROC 24 TEXT 25 OID 26
    TID 27 XID 28 OIDVECTOR 30 JSON 114 FLOAT4 700 FLOAT8 701 UNKNOWN 705 INET 869 ACLITEM 1033
    BPCHAR 1042 VARCHAR 1043 DATE 1082 TIME 1083 TIMESTAMP 1114 TIMESTAMPTZ 1184 INTERVAL 1186
    TIMETZ 1266 NUMERIC 1700 REGCLASS 2205 REGTYPE 2206 RECORD 2249 VOID 2278 UUID 2950 JSONB 3802
    REGNAMESPACE 4089 REGROLE 4096 TEXT_ARRAY 1009 INT4_ARRAY 1007 INT8_ARRAY 1016 NAME_ARRAY 1003
}

impl PgType {
    /// A type without modifier.
    pub const fn plain(oid: u32) -> Self {
        Self { oid, modifier: -1 }
    }

    /// `numeric(precision, scale)`.
    pub const fn numeric(precision: u16, scale: i16) -> Self {
        Self { oid: 1700, modifier: ((precision as i32) << 16 | (scale as i32 & 0x7ff)) + 4 }
    }

    /// A whole row of a relation: a `record` whose modifier says which, as in PostgreSQL itself.
    pub const fn row_of(relation: u32) -> Self {
        Self { oid: Self::RECORD.oid, modifier: (relation % DERIVED) as i32 }
    }

    /// The type as clients are told it: of a whole row the row type of its relation.
    pub fn told(self) -> Self {
        match (self.facts().oid == Self::RECORD.oid, u32::try_from(self.modifier)) {
            (true, Ok(relation)) if self == Self::row_of(relation) => {
                Self::plain(DERIVED + relation)
            }
            (true, _) => Self::plain(self.oid),
            (false, _) => self,
        }
    }

    /// `numeric` without precision where other systems want one: most digits, ten of them fractional.
    pub const NUMERIC_ELSEWHERE: Self = Self::numeric(38, 10);

    /// Facts of the base type, or of the element type when this is an array.
    pub fn facts(self) -> &'static TypeFacts {
        self.base_facts().or_else(|| facts_by(|facts| facts.array_oid == self.oid)).unwrap_or(&TEXT)
    }

    fn base_facts(self) -> Option<&'static TypeFacts> {
        facts_by(|facts| facts.oid == self.oid)
    }

    /// Element type, when this is an array type (`int2vector` and `oidvector` included).
    pub fn element(self) -> Option<Self> {
        match self.oid {
            0 => None,
            22 => Some(Self::INT2),
            30 => Some(Self::OID),
            oid => facts_by(|facts| facts.array_oid == oid)
                .map(|facts| Self { oid: facts.oid, modifier: self.modifier }),
        }
    }

    /// The array type over this type, or this type when it is an array already (PostgreSQL has
    /// one array type for all dimensions).
    pub fn array(self) -> Self {
        match self.element() {
            Some(_) => self,
            None => Self { oid: self.facts().array_oid, modifier: self.modifier },
        }
    }

    /// `pg_type.typname`: `int4`, `_int4`.
    pub fn name(self) -> String {
        match self.base_facts() {
            Some(facts) => facts.name.to_owned(),
            None => format!("_{}", self.facts().name),
        }
    }

    /// Name as SQL and `format_type` print it, with modifier: `numeric(12,2)`, `integer[]`.
    pub fn sql_name(self) -> String {
        if let (None, Some(element)) = (self.base_facts(), self.element()) {
            return format!("{}[]", element.sql_name());
        }
        let name = self.facts().sql_name;
        match (self.oid, self.numeric_parts(), self.modifier) {
            (1700, Some((precision, scale)), _) => format!("{name}({precision},{scale})"),
            (1042 | 1043, _, modifier) if modifier >= 4 => format!("{name}({})", modifier - 4),
            (1560 | 1562, _, modifier) if modifier >= 0 => format!("{name}({modifier})"),
            (1083 | 1114 | 1184 | 1266, _, modifier) if modifier >= 0 => match name.split_once(' ')
            {
                Some((head, tail)) => format!("{head}({modifier}) {tail}"),
                None => name.to_owned(),
            },
            _ => name.to_owned(),
        }
    }

    /// The name as a cast needs it: `character` alone is of one character there.
    pub fn cast_name(self) -> String {
        match self.element() {
            _ if self.oid == Self::BPCHAR.oid && self.modifier < 4 => "bpchar".to_owned(),
            Some(element) if self.base_facts().is_none() => format!("{}[]", element.cast_name()),
            _ => self.sql_name(),
        }
    }

    /// Precision and scale of a `numeric` with modifier; the scale may be negative.
    pub fn numeric_parts(self) -> Option<(u16, i16)> {
        if self.facts().oid != 1700 || self.modifier < 4 {
            return None;
        }
        let packed = self.modifier - 4;
        Some(((packed >> 16) as u16, ((packed & 0x7ff) as i16 ^ 1024) - 1024))
    }

    /// The same where Arrow's decimals hold them.
    pub fn decimal_parts(self) -> Option<(u8, i8)> {
        let (precision, scale) = self.numeric_parts()?;
        let (precision, scale) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
        let fits = precision <= 38 && u8::try_from(scale).is_ok_and(|scale| scale <= precision);
        fits.then_some((precision, scale))
    }

    /// Largest number of characters of `varchar(n)` and `char(n)`.
    pub fn length_max(self) -> Option<usize> {
        matches!(self.facts().oid, 1042 | 1043)
            .then(|| usize::try_from(self.modifier - 4).ok())
            .flatten()
            .filter(|length| *length > 0)
    }

    /// `pg_type.typlen`.
    pub fn length(self) -> i16 {
        self.base_facts().map_or(-1, |facts| facts.length)
    }

    /// Finds a type by any SQL or catalog name, without modifier; `x[]` and `_x` give arrays.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Some(element) = name.strip_suffix("[]") {
            return Self::by_name(element).map(Self::array);
        }
        if let Some(facts) = facts_by(|facts| facts.name == name || facts.sql_name == name) {
            return Some(Self::plain(facts.oid));
        }
        if let Some((_, oid)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
            return Some(Self::plain(*oid));
        }
        let element = name.strip_prefix('_')?;
        facts_by(|facts| facts.name == element && facts.array_oid != 0)
            .map(|facts| Self::plain(facts.array_oid))
    }

    /// How a column of this type is kept in Arrow.
    pub fn arrow(self) -> DataType {
        if let Some(element) = self.element() {
            return DataType::List(element.field("item", true));
        }
        match self.facts().kept_as {
            Kept::Boolean => DataType::Boolean,
            Kept::Int16 => DataType::Int16,
            Kept::Int32 => DataType::Int32,
            Kept::Int64 => DataType::Int64,
            Kept::Float32 => DataType::Float32,
            Kept::Float64 => DataType::Float64,
            Kept::Decimal => match self.decimal_parts() {
                Some((precision, scale)) => DataType::Decimal128(precision, scale),
                None => DataType::LargeBinary,
            },
            Kept::Text => DataType::Utf8View,
            Kept::Binary => DataType::Binary,
            Kept::Date => DataType::Date32,
            Kept::Time => DataType::Time64(TimeUnit::Microsecond),
            Kept::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kept::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kept::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Kept::Pseudo => DataType::Null,
        }
    }

    /// An Arrow field of this type, with the exact type in its metadata.
    pub fn field(self, name: &str, nullable: bool) -> FieldRef {
        Arc::new(Field::new(name, self.arrow(), nullable).with_metadata(self.metadata()))
    }

    /// Field metadata that states this type.
    pub fn metadata(self) -> HashMap<String, String> {
        HashMap::from([(PG_TYPE_KEY.to_owned(), format!("{}:{}", self.oid, self.modifier))])
    }

    /// The type of a field: what its metadata says where that fits the Arrow type, else what the
    /// Arrow type means by itself.
    pub fn from_field(field: &Field) -> Self {
        let stated = field.metadata().get(PG_TYPE_KEY).and_then(|text| {
            let (oid, modifier) = text.split_once(':')?;
            Some(Self { oid: oid.parse().ok()?, modifier: modifier.parse().ok()? })
        });
        let plain = Self::from_arrow(field.data_type());
        match stated {
            Some(stated) if stated.fits(plain) => stated,
            _ => plain,
        }
    }

    /// Whether a value kept as `plain` says can be of this type (metadata can outlive a cast).
    fn fits(self, plain: Self) -> bool {
        match (self.element(), plain.element()) {
            (None, None) => {
                let plain = plain.facts().kept_as;
                self.facts().kept_as == plain
                    || self.facts().kept_as == Kept::Int64 && plain == Kept::Text
            }
            (Some(own), Some(plain)) => own.fits(plain),
            _ => false,
        }
    }

    /// The type that an Arrow type means when nothing else is known.
    pub fn from_arrow(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::BOOL,
            DataType::Int8 | DataType::UInt8 | DataType::Int16 => Self::INT2,
            DataType::UInt16 | DataType::Int32 => Self::INT4,
            DataType::UInt32 | DataType::Int64 | DataType::UInt64 => Self::INT8,
            DataType::Float16 | DataType::Float32 => Self::FLOAT4,
            DataType::Float64 => Self::FLOAT8,
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
            | DataType::LargeBinary => Self::NUMERIC,
            DataType::Binary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Self::BYTEA,
            DataType::Date32 | DataType::Date64 => Self::DATE,
            DataType::Time32(_) | DataType::Time64(_) => Self::TIME,
            DataType::Timestamp(_, None) => Self::TIMESTAMP,
            DataType::Timestamp(_, Some(_)) => Self::TIMESTAMPTZ,
            DataType::Interval(_) | DataType::Duration(_) => Self::INTERVAL,
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::FixedSizeList(field, _)
            | DataType::ListView(field)
            | DataType::LargeListView(field) => Self::from_field(field).array(),
            DataType::Struct(_) => Self::RECORD,
            DataType::Dictionary(_, value) => Self::from_arrow(value),
            DataType::RunEndEncoded(_, values) => Self::from_field(values),
            _ => Self::TEXT,
        }
    }
}

const TEXT: TypeFacts = TypeFacts {
    oid: 25,
    name: "text",
    sql_name: "text",
    array_oid: 1009,
    length: -1,
    category: 'S',
    kept_as: Kept::Text,
};

fn facts_by(matches: impl Fn(&TypeFacts) -> bool) -> Option<&'static TypeFacts> {
    TYPES.iter().find(|facts| matches(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_modifiers_are_postgresql_s() {
        assert_eq!(PgType::numeric(12, 2).sql_name(), "numeric(12,2)");
        assert_eq!(PgType::numeric(12, 2).arrow(), DataType::Decimal128(12, 2));
        assert_eq!(PgType::numeric(5, -1).sql_name(), "numeric(5,-1)");
        assert_eq!(PgType::numeric(50, 20).arrow(), PgType::NUMERIC.arrow());
        assert_eq!(PgType::by_name("int4[]"), Some(PgType::INT4_ARRAY));
        assert_eq!(PgType::by_name("_text"), Some(PgType::TEXT_ARRAY));
        assert_eq!(PgType::INT4_ARRAY.name(), "_int4");
        assert_eq!(PgType::INT4_ARRAY.sql_name(), "integer[]");
        assert_eq!(PgType { oid: 1184, modifier: 3 }.sql_name(), "timestamp(3) with time zone");
    }

    #[test]
    fn a_field_says_its_exact_type() {
        for facts in TYPES.iter().filter(|facts| facts.kept_as != Kept::Pseudo) {
            let plain = PgType::plain(facts.oid);
            assert_eq!(PgType::from_field(&plain.field("c", true)), plain, "{}", facts.name);
            if facts.array_oid != 0 {
                assert_eq!(PgType::from_field(&plain.array().field("c", true)), plain.array());
            }
        }
    }
}
