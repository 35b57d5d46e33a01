//! `CREATE SEQUENCE` (manual: sql-createsequence).

use clientele_catalog::definition::{Object, Oid, RelationKind, Sequence};
use clientele_udfs::types::PgType;
use sqlparser::ast::{DataType, Expr, ObjectName, SequenceOptions, Statement};

use super::create_index::name_taken;
use super::create_table::empty;
use super::grant::grants_of_new;
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::planning::types;
use crate::session::Session;
use crate::sql::place::name_parts;

/// Runs a CREATE SEQUENCE.
pub(super) async fn execute(session: &mut Session, statement: &Statement) -> Result<String> {
    const TAG: &str = "CREATE SEQUENCE";
    let Statement::CreateSequence {
        temporary,
        if_not_exists,
        name,
        data_type,
        sequence_options,
        owned_by,
    } = statement
    else {
        return Err(Error::internal("not a CREATE SEQUENCE"));
    };
    session.writable(TAG)?;
    let context = session.context().await?;
    let (schema, name) = match temporary {
        true => {
            context.must_have_on_database('T')?;
            (session.temporary.schema().oid, name_parts(name).pop().unwrap_or_default())
        }
        false => context.creation_target(name)?,
    };
    if name_taken(context.catalog(), schema, &name) {
        if *if_not_exists {
            session.notice(
                "NOTICE",
                "42P07",
                format!("relation \"{name}\" already exists, skipping"),
            );
            return Ok(TAG.to_owned());
        }
        return Err(Error::new("42P07", format!("relation \"{name}\" already exists")));
    }
    let mut sequence = sequence(pg_type(data_type.as_ref(), &context)?, sequence_options)?;
    sequence.owned_by = match owned_by {
        Some(owner) => owned_by_column(&context, schema, owner)?,
        None => None,
    };
    let mut relation = empty(session.store.allocate_oid(), schema, &name, context.role.oid);
    relation.kind = RelationKind::Sequence(sequence);
    relation.grants = grants_of_new(&context, &relation);
    relation.temporary = *temporary;
    let work = session.work().await?;
    work.lock().await.put(Object::Relation(relation));
    Ok(TAG.to_owned())
}

fn pg_type(data_type: Option<&DataType>, context: &QueryContext) -> Result<PgType> {
    let Some(data_type) = data_type else { return Ok(PgType::INT8) };
    match types::named_type(data_type, context)?.pg_type {
        pg_type @ (PgType::INT2 | PgType::INT4 | PgType::INT8) => Ok(pg_type),
        _ => Err(Error::new("22023", "sequence type must be smallint, integer, or bigint")),
    }
}

/// A sequence that has not begun, from its type and options.
///
/// # Errors
/// 22023 for options that contradict one another.
pub(super) fn sequence(pg_type: PgType, options: &[SequenceOptions]) -> Result<Sequence> {
    let (lowest, highest) = match pg_type {
        PgType::INT2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        PgType::INT4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (mut increment, mut minimum, mut maximum, mut start, mut cycle) =
        (1, None, None, None, false);
    for option in options {
        match option {
            SequenceOptions::IncrementBy(value, _) => increment = number(value)?,
            SequenceOptions::MinValue(value) => minimum = value.as_ref().map(number).transpose()?,
            SequenceOptions::MaxValue(value) => maximum = value.as_ref().map(number).transpose()?,
            SequenceOptions::StartWith(value, _) => start = Some(number(value)?),
            // The parser's flag says that NO stands before it.
            SequenceOptions::Cycle(no) => cycle = !no,
            SequenceOptions::Cache(value) if number(value)? < 1 => {
                return Err(Error::new(
                    "22023",
                    format!("CACHE ({value}) must be greater than zero"),
                ));
            }
            SequenceOptions::Cache(_) => {}
        }
    }
    if increment == 0 {
        return Err(Error::new("22023", "INCREMENT must not be zero"));
    }
    let minimum = minimum.unwrap_or(if increment > 0 { 1 } else { lowest });
    let maximum = maximum.unwrap_or(if increment > 0 { highest } else { -1 });
    for (word, value) in [("MINVALUE", minimum), ("MAXVALUE", maximum)] {
        if !(lowest..=highest).contains(&value) {
            let name = pg_type.sql_name();
            return Err(Error::new(
                "22023",
                format!("{word} ({value}) is out of range for sequence data type {name}"),
            ));
        }
    }
    if minimum >= maximum {
        let text = format!("MINVALUE ({minimum}) must be less than MAXVALUE ({maximum})");
        return Err(Error::new("22023", text));
    }
    let start = start.unwrap_or(if increment > 0 { minimum } else { maximum });
    if start < minimum {
        return Err(Error::new(
            "22023",
            format!("START value ({start}) cannot be less than MINVALUE ({minimum})"),
        ));
    }
    if start > maximum {
        return Err(Error::new(
            "22023",
            format!("START value ({start}) cannot be greater than MAXVALUE ({maximum})"),
        ));
    }
    Ok(Sequence {
        pg_type,
        start,
        increment,
        minimum,
        maximum,
        cycle,
        last_value: None,
        owned_by: None,
    })
}

/// An option's value; the parser gives numbers as expressions.
pub(super) fn number(expr: &Expr) -> Result<i64> {
    let text = expr.to_string().replace(' ', "");
    text.parse().map_err(|_| {
        Error::new("22003", format!("value \"{text}\" is out of range for type bigint"))
    })
}

/// `OWNED BY table.column`; `NONE` is nobody.
pub(super) fn owned_by_column(
    context: &QueryContext,
    schema: Oid,
    owner: &ObjectName,
) -> Result<Option<(Oid, i16)>> {
    let mut table = name_parts(owner);
    let column = table.pop().unwrap_or_default();
    if table.is_empty() {
        return match column.as_str() {
            "none" => Ok(None),
            _ => Err(Error::new("42601", "invalid OWNED BY option")
                .with_hint("Specify OWNED BY table.column or OWNED BY NONE.")),
        };
    }
    let Some(Named::Relation(relation)) = context.find_relation(&table)? else {
        return Err(undefined_table(&table));
    };
    if relation.schema != schema {
        return Err(Error::new(
            "55000",
            "sequence must be in same schema as table it is linked to",
        ));
    }
    if relation.owner != context.role.oid && !context.role.superuser {
        return Err(Error::new("55000", "sequence must have same owner as table it is linked to"));
    }
    match relation.column(&column) {
        Some(found) => Ok(Some((relation.oid, found.number))),
        None => {
            let text =
                format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
            Err(Error::new("42703", text))
        }
    }
}
