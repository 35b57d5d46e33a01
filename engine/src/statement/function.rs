//! `CREATE [OR REPLACE] FUNCTION … LANGUAGE SQL`, `DROP FUNCTION` (manual: sql-createfunction).

use std::sync::Arc;

use clientele_catalog::definition::{Function, FunctionArgument, Object, Oid, Returns};
use clientele_catalog::privileges::Kind;
use clientele_udfs::types::PgType;
use sqlparser::ast::{
    ArgMode, ColumnDef, CreateFunction, CreateFunctionBody, DataType, DropBehavior, DropFunction,
    Expr, FunctionBehavior, FunctionCalledOnNull, FunctionDesc, FunctionReturnType,
    FunctionSecurity, Ident, ObjectName, OperateFunctionArg, Value,
};

use super::owner::new_owner;
use super::{dependency, grant};
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::planning::inline::{candidates, data_type, parse_body};
use crate::planning::{self, types};
use crate::session::Session;
use crate::sql::definitions::Change;
use crate::sql::parse;
use crate::sql::place::{folded, name_parts};
use crate::sql::rewrite::{call, cast};

/// Runs a CREATE FUNCTION.
pub(super) async fn create(session: &mut Session, create: &CreateFunction) -> Result<String> {
    const TAG: &str = "CREATE FUNCTION";
    session.writable(TAG)?;
    let context = session.context().await?;
    refuse_foreign(create)?;
    let (schema, name) = context.creation_target(&create.name)?;
    let (arguments, out) = arguments(&context, create.args.as_deref().unwrap_or_default())?;
    let alike = context.catalog().functions_named(schema, &name);
    let same = |one: &&Arc<Function>| types_of(&one.arguments) == types_of(&arguments);
    let old = alike.filter(same).map(Arc::clone).next();
    if let Some(old) = &old {
        may_replace(&context, old, create.or_replace)?;
    }
    let function = Function {
        oid: old.as_ref().map_or_else(|| session.store.allocate_oid(), |old| old.oid),
        schema,
        name,
        owner: old.as_ref().map_or(context.role.oid, |old| old.owner),
        arguments,
        returns: match out.is_empty() {
            true => returns(&context, create.return_type.as_ref())?,
            false => of_out(&context, create.return_type.as_ref(), out)?,
        },
        body: body(create)?,
        volatility: match create.behavior {
            Some(FunctionBehavior::Immutable) => 'i',
            Some(FunctionBehavior::Stable) => 's',
            _ => 'v',
        },
        strict: matches!(
            create.called_on_null,
            Some(FunctionCalledOnNull::Strict | FunctionCalledOnNull::ReturnsNullOnNullInput)
        ),
        definer: matches!(create.security, Some(FunctionSecurity::Definer)),
        comment: old.as_ref().and_then(|old| old.comment.clone()),
        grants: match &old {
            Some(old) => old.grants.clone(),
            None => context.catalog().grants_of_new(
                (context.role.oid, schema, 'f'),
                grant::built_in(Kind::Function, context.role.oid),
            ),
        },
    };
    parse_body(&function.body)?;
    let work = session.work().await?;
    work.lock().await.put(Object::Function(function.clone()));
    // What does not plan fails here, and the transaction with it.
    let context = session.context().await?;
    if context.settings.raw("check_function_bodies") == "on" {
        session.compute(async move { check(&context, &function) }).await?;
    }
    Ok(TAG.to_owned())
}

fn refuse_foreign(create: &CreateFunction) -> Result<()> {
    let language = create.language.as_ref().map_or_else(|| "sql".to_owned(), folded);
    if language != "sql" {
        return Err(Error::new("42704", format!("language \"{language}\" does not exist"))
            .with_hint("Functions are written in SQL."));
    }
    if !create.set_params.is_empty() {
        return Err(Error::unsupported("SET in a function"));
    }
    Ok(())
}

fn types_of(arguments: &[FunctionArgument]) -> Vec<Oid> {
    arguments.iter().map(|one| one.pg_type.oid).collect()
}

fn may_replace(context: &QueryContext, old: &Function, or_replace: bool) -> Result<()> {
    if !or_replace {
        let text = format!("function \"{}\" already exists with same argument types", old.name);
        return Err(Error::new("42723", text));
    }
    context.must_own("function", &old.name, old.owner)
}

/// Names and types of what a function gives back.
type Columns = Vec<(String, PgType)>;

/// What a caller gives, and the OUT arguments.
fn arguments(
    context: &QueryContext,
    given: &[OperateFunctionArg],
) -> Result<(Vec<FunctionArgument>, Columns)> {
    let mut arguments: Vec<FunctionArgument> = Vec::with_capacity(given.len());
    let mut out = Columns::new();
    for one in given {
        let name = one.name.as_ref().map(argument_name).unwrap_or_default();
        let pg_type = types::named_type(&one.data_type, context)?.pg_type;
        if matches!(one.mode, Some(ArgMode::Out | ArgMode::InOut)) {
            let unnamed = || format!("column{}", out.len() + 1);
            out.push((if name.is_empty() { unnamed() } else { name.clone() }, pg_type));
        }
        if one.mode == Some(ArgMode::Out) {
            continue;
        }
        let default = one.default_expr.as_ref().map(ToString::to_string);
        if default.is_none() && arguments.last().is_some_and(|before| before.default.is_some()) {
            let text = "input parameters after one with a default value must also have defaults";
            return Err(Error::new("42P13", text));
        }
        arguments.push(FunctionArgument { name, pg_type, default });
    }
    Ok((arguments, out))
}

/// The parser keeps the quotes of an argument's name.
fn argument_name(name: &Ident) -> String {
    match name.value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => folded(name),
    }
}

/// What OUT arguments come to; RETURNS may be left out, or must say the same.
fn of_out(
    context: &QueryContext,
    given: Option<&FunctionReturnType>,
    out: Columns,
) -> Result<Returns> {
    let own = match out.as_slice() {
        [(_, pg_type)] => *pg_type,
        _ => PgType::RECORD,
    };
    let is_record = |of: &DataType| of.to_string().eq_ignore_ascii_case("record");
    let set = match given {
        None => false,
        Some(FunctionReturnType::SetOf(of)) if is_record(of) && out.len() > 1 => true,
        Some(FunctionReturnType::DataType(of)) if is_record(of) && out.len() > 1 => false,
        Some(given) => match returns(context, Some(given))? {
            Returns::Value(pg_type) if pg_type.oid == own.oid => false,
            Returns::Set(pg_type) if pg_type.oid == own.oid => true,
            _ => {
                let name = own.sql_name();
                let text = format!("function result type must be {name} because of OUT parameters");
                return Err(Error::new("42P13", text));
            }
        },
    };
    Ok(if set { Returns::Table(out) } else { Returns::Row(out) })
}

fn returns(context: &QueryContext, given: Option<&FunctionReturnType>) -> Result<Returns> {
    match given {
        None => Err(Error::new("42P13", "function result type must be specified")),
        Some(FunctionReturnType::DataType(DataType::Table(columns))) => {
            let columns = columns.iter().flatten();
            let column = |one: &ColumnDef| {
                let named = types::named_type(&one.data_type, context)?;
                Ok((folded(&one.name), named.pg_type))
            };
            columns.map(column).collect::<Result<_>>().map(Returns::Table)
        }
        Some(FunctionReturnType::SetOf(DataType::Custom(name, modifiers)))
            if modifiers.is_empty() && is_relation(context, &name_parts(name)) =>
        {
            let relation = context.relation(name)?;
            let columns = relation.live_columns();
            Ok(Returns::Table(columns.map(|one| (one.name.clone(), one.pg_type)).collect()))
        }
        Some(FunctionReturnType::SetOf(of)) => {
            types::named_type(of, context).map(|named| Returns::Set(named.pg_type))
        }
        Some(FunctionReturnType::DataType(of)) => {
            if of.to_string().eq_ignore_ascii_case("void") {
                return Err(Error::unsupported("functions that return nothing")
                    .with_hint("A function reads; what changes data is a statement of its own."));
            }
            types::named_type(of, context).map(|named| Returns::Value(named.pg_type))
        }
    }
}

fn is_relation(context: &QueryContext, parts: &[String]) -> bool {
    matches!(context.find_relation(parts), Ok(Some(Named::Relation(_))))
}

fn body(create: &CreateFunction) -> Result<String> {
    let text = match &create.function_body {
        Some(CreateFunctionBody::Return(expr)) => return Ok(format!("RETURN {expr}")),
        Some(
            CreateFunctionBody::AsBeforeOptions { body, .. }
            | CreateFunctionBody::AsAfterOptions(body),
        ) => body,
        Some(_) => return Err(Error::unsupported("BEGIN ATOMIC").with_hint("Use AS $$ … $$.")),
        None => return Err(Error::new("42P13", "no function body specified")),
    };
    match text {
        Expr::Value(value) => match &value.value {
            Value::DollarQuotedString(text) => Ok(text.value.clone()),
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Ok(text.clone()),
            other => Err(Error::new("42601", format!("syntax error at or near \"{other}\""))),
        },
        other => Err(Error::new("42601", format!("syntax error at or near \"{other}\""))),
    }
}

/// Plans a call with NULLs, as PostgreSQL's `check_function_bodies` does.
fn check(context: &Arc<QueryContext>, function: &Function) -> Result<()> {
    let schema = context.catalog().schema_by_oid(function.schema);
    let schema = schema.map_or_else(String::new, |schema| schema.name.clone());
    let mut nulls = Vec::with_capacity(function.arguments.len());
    for argument in &function.arguments {
        nulls.push(cast(parse::expression("NULL")?, data_type(argument.pg_type)?));
    }
    let Expr::Function(mut called) = call(&function.name, nulls) else { return Ok(()) };
    let quoted = |name: &str| Ident::with_quote('"', name);
    called.name = vec![quoted(&schema), quoted(&function.name)].into();
    let text = match function.returns {
        Returns::Value(_) => format!("SELECT {called}"),
        Returns::Set(_) | Returns::Row(_) | Returns::Table(_) => {
            format!("SELECT * FROM {called}")
        }
    };
    planning::describe_query(context, parse::query(&text)?, &[]).map(drop)
}

/// Runs an ALTER FUNCTION (manual: sql-alterfunction).
pub(super) async fn alter(
    session: &mut Session,
    described: &FunctionDesc,
    change: &Change,
) -> Result<String> {
    const TAG: &str = "ALTER FUNCTION";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut function = named(&context, described)?.as_ref().clone();
    context.must_own("function", &function.name, function.owner)?;
    match change {
        Change::Rename(to) => function.name.clone_from(to),
        Change::Schema(to) => {
            function.schema = context.schema(to)?;
            context.must_create_in(function.schema)?;
        }
        Change::Owner(owner) => function.owner = new_owner(&context, owner)?.oid,
        _ => return Err(Error::unsupported("this ALTER FUNCTION")),
    }
    let types = types_of(&function.arguments);
    let same = |one: &&Arc<Function>| one.oid != function.oid && types_of(&one.arguments) == types;
    if context.catalog().functions_named(function.schema, &function.name).any(|one| same(&one)) {
        let name = &function.name;
        let text = format!("function \"{name}\" already exists with same argument types");
        return Err(Error::new("42723", text));
    }
    let work = session.work().await?;
    work.lock().await.put(Object::Function(function));
    Ok(TAG.to_owned())
}

/// Runs a DROP FUNCTION.
pub(super) async fn drop_functions(session: &mut Session, drop: &DropFunction) -> Result<String> {
    const TAG: &str = "DROP FUNCTION";
    session.writable(TAG)?;
    let cascade = drop.drop_behavior == Some(DropBehavior::Cascade);
    for described in &drop.func_desc {
        let context = session.context().await?;
        let function = match named(&context, described) {
            Ok(function) => function,
            Err(error) if drop.if_exists && error.sqlstate == "42883" => {
                session.notice("NOTICE", "00000", format!("{}, skipping", error.message));
                continue;
            }
            Err(error) => return Err(error),
        };
        context.must_own_or_schema(
            "function",
            &function.name,
            (function.owner, function.schema),
        )?;
        let users = dependency::users_of_function(&context, &function);
        if !users.is_empty() {
            let hint = match cascade {
                true => "Drop these objects first.",
                false => "Drop the dependent objects first.",
            };
            let text = format!(
                "cannot drop function {} because other objects depend on it",
                function.name
            );
            return Err(Error::new("2BP01", text).with_detail(users.join("\n")).with_hint(hint));
        }
        let work = session.work().await?;
        work.lock().await.drop_object(function.oid);
    }
    Ok(TAG.to_owned())
}

/// The function that GRANT names by its argument types.
pub(super) fn described(
    context: &QueryContext,
    name: &ObjectName,
    types: &[DataType],
) -> Result<Arc<Function>> {
    let args = Some(types.iter().cloned().map(OperateFunctionArg::unnamed).collect());
    let found = named(context, &FunctionDesc { name: name.clone(), args });
    // Without a list any number of arguments is meant, when it is the only function.
    let alone = || named(context, &FunctionDesc { name: name.clone(), args: None });
    found.or_else(|error| if types.is_empty() { alone() } else { Err(error) })
}

/// The function that `name (types)` or, when it is the only one, `name` means.
pub(super) fn named(context: &QueryContext, described: &FunctionDesc) -> Result<Arc<Function>> {
    let parts = name_parts(&described.name);
    let missing = || {
        let types = described.args.iter().flatten().map(|one| one.data_type.to_string());
        let types = types.collect::<Vec<_>>().join(", ").to_lowercase();
        Error::new("42883", format!("function {}({types}) does not exist", parts.join(".")))
    };
    if let Some(given) = &described.args {
        let (wanted, _) = arguments(context, given)?;
        let mut found = candidates(context, &parts, wanted.len()).into_iter();
        let found = found.find(|one| types_of(&one.arguments) == types_of(&wanted));
        return found.ok_or_else(missing);
    }
    let meant = |one: &&Arc<Function>| {
        let found = candidates(context, &parts, one.arguments.len());
        found.iter().any(|found| found.oid == one.oid)
    };
    let mut all = context.catalog().functions().filter(meant);
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(Arc::clone(one)),
        (Some(_), Some(_)) => {
            Err(Error::new("42725", format!("function name \"{}\" is not unique", parts.join(".")))
                .with_hint("Specify the argument list to select the function unambiguously."))
        }
        (None, _) => Err(missing()),
    }
}
