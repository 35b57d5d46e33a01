//! What the relations of `pg_catalog` are drawn from: the statement's context as plain facts.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use clientele_catalog::catalog::PG_CATALOG_OID;
use clientele_catalog::definition::{Function, Oid, Returns};
use clientele_catalog::features;
use clientele_catalog::pg_catalog::{
    Argument, ArgumentMode, Context, CursorFacts, Done, FunctionFacts, FunctionKind, IndexPlaces,
    PreparedFacts, RelationFacts, SessionFacts, SettingFacts, Volatility, number_functions,
};
use clientele_catalog::privileges::predefined::READ_ALL_STATS;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Signature, Volatility as PlanVolatility};

use super::procedures::{Parameter, Procedure};
use crate::planning::context::QueryContext;
use crate::session::job::Running;
use crate::session::settings::{self, Kind};
use crate::session::shared::SessionShared;
use crate::sql::normalised::normalised;

/// Pseudo-type `record`.
const RECORD: PgType = PgType::plain(2249);

/// What the relations of `pg_catalog` are drawn from; made once per statement.
pub fn catalog_context(context: &QueryContext) -> Arc<Context> {
    Arc::clone(context.facts.get_or_init(|| Arc::new(facts(context))))
}

fn facts(context: &QueryContext) -> Context {
    let (store, snapshot) = (Arc::clone(&context.store), Arc::clone(&context.snapshot));
    let row_counts = move |oid| RelationFacts {
        rows: store.live_rows(&snapshot, oid),
        dead_rows: snapshot.table(oid).dead_rows(),
        bytes: store.bytes_on_disk(oid),
        written: store.tally(oid),
    };
    let store = Arc::clone(&context.store);
    let index_uses = move |oid| store.index_tally(oid);
    let temporary =
        context.catalog().schema(&context.session.temporary_schema()).map(|one| one.oid);
    let path =
        temporary.into_iter().chain([PG_CATALOG_OID]).chain(context.search_path.iter().copied());
    Context {
        catalog: Arc::clone(context.catalog()),
        database: context.database.as_ref().clone(),
        databases: context.engine.cluster.databases(),
        roles: context.engine.cluster.roles(),
        role: context.role.oid,
        functions: functions(context),
        settings: setting_facts(context),
        sessions: context.engine.sessions().iter().map(|one| session(context, one)).collect(),
        upkeep: context.store.background_progress().as_deref().map(Done::from),
        rows: version_of_rows(context),
        row_counts: Arc::new(row_counts),
        index_uses: Arc::new(index_uses),
        prepared: prepared(context),
        cursors: cursors(context),
        search_path: path.collect(),
        indexes: IndexPlaces::default(),
    }
}

/// Files are counted as they are now, rows as the statement sees them: one version for both, or none.
fn version_of_rows(context: &QueryContext) -> Option<u64> {
    let (seen, now) = (&context.snapshot, context.store.snapshot());
    (seen.is_committed() && seen.version == now.version).then_some(now.version)
}

fn prepared(context: &QueryContext) -> Vec<PreparedFacts> {
    context.session.prepared.lock().clone()
}

fn cursors(context: &QueryContext) -> Vec<CursorFacts> {
    context.session.cursors.lock().clone()
}

fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A session; what it does is shown to itself and to superusers only (manual: monitoring-stats), to
/// those who may see statistics without the literals, in which people's data stand.
fn session(context: &QueryContext, shared: &Arc<SessionShared>) -> SessionFacts {
    let activity = shared.activity.lock().clone();
    let own = context.rights.owns(shared.role);
    let open = own || context.rights.has(READ_ALL_STATS);
    let tls = shared.tls.as_ref().filter(|_| open);
    let copy = shared.progress.lock().as_ref().map(|progress| progress.facts());
    SessionFacts {
        pid: shared.pid,
        database: shared.database,
        role: shared.role,
        application_name: shared.settings.lock().raw("application_name").to_owned(),
        client_address: shared.peer.map(|peer| peer.ip().to_string()),
        client_port: shared.peer.map(|peer| peer.port().into()),
        started_at: micros(shared.backend_start),
        transaction_started_at: activity.xact_start.map(micros),
        query_started_at: activity.query_start.map(micros),
        state_changed_at: activity.state_change.map(micros),
        state: activity.state.to_owned(),
        wait_event_type: (activity.state != "active").then(|| "Client".to_owned()),
        wait_event: (activity.state != "active").then(|| "ClientRead".to_owned()),
        query: match (own, open) {
            (true, _) => activity.query,
            (false, true) => normalised(&activity.query),
            (false, false) => "<insufficient privilege>".to_owned(),
        },
        tls_version: tls.map(|tls| tls.version.clone()),
        tls_cipher: tls.map(|tls| tls.cipher.clone()),
        copy: copy.filter(|_| open),
        job: shared.job.lock().as_ref().filter(|_| open).map(Running::facts),
    }
}

fn setting_facts(context: &QueryContext) -> Vec<SettingFacts> {
    let settings = context.session.settings.lock();
    let all = settings.all().into_iter();
    all.map(|(name, _, description)| {
        let facts = settings::facts(&name);
        let kind = facts.map_or(Kind::Text, |facts| facts.kind);
        let default = facts.map(|facts| facts.default.to_owned());
        let spelling = facts.and_then(|facts| facts.reported);
        SettingFacts {
            setting: settings.raw(&name).to_owned(),
            unit: match kind {
                Kind::Milliseconds => Some("ms".to_owned()),
                Kind::Kilobytes => Some("kB".to_owned()),
                _ => None,
            },
            category: "Client Connection Defaults".to_owned(),
            description: description.to_owned(),
            context: if kind == Kind::Fixed { "internal" } else { "user" }.to_owned(),
            value_type: match kind {
                Kind::Boolean => "bool",
                Kind::Integer | Kind::Milliseconds | Kind::Kilobytes => "integer",
                Kind::Real => "real",
                Kind::OneOf(_) => "enum",
                _ => "string",
            }
            .to_owned(),
            source: "default".to_owned(),
            choices: match kind {
                Kind::OneOf(values) => Some(values.iter().map(|one| (*one).to_owned()).collect()),
                _ => None,
            },
            boot_value: default.clone(),
            reset_value: default,
            name: spelling.map_or(name, str::to_owned),
            ..SettingFacts::default()
        }
    })
    .collect()
}

/// Every function that SQL can call: the built-in ones, the same for all sessions, and those that
/// users made.
fn functions(context: &QueryContext) -> Arc<Vec<FunctionFacts>> {
    static ALL: OnceLock<Arc<Vec<FunctionFacts>>> = OnceLock::new();
    let built_in = Arc::clone(ALL.get_or_init(|| number_functions(list(context))));
    if context.catalog().functions().next().is_none() {
        return built_in;
    }
    let mut all = built_in.as_ref().clone();
    all.extend(context.catalog().functions().map(defined));
    all.sort_by_key(|function| function.oid);
    Arc::new(all)
}

fn defined(function: &Arc<Function>) -> FunctionFacts {
    let given = function.arguments.iter().map(|one| Argument {
        default: one.default.clone(),
        ..argument(&one.name, one.pg_type, ArgumentMode::In)
    });
    let (returns, returns_set, columns) = match &function.returns {
        Returns::Value(pg_type) => (*pg_type, false, [].as_slice()),
        Returns::Set(pg_type) => (*pg_type, true, [].as_slice()),
        Returns::Row(columns) => match columns.as_slice() {
            [(_, pg_type)] => (*pg_type, false, columns.as_slice()),
            columns => (RECORD, false, columns),
        },
        Returns::Table(columns) => (RECORD, true, columns.as_slice()),
    };
    let mode = match &function.returns {
        Returns::Row(_) => ArgumentMode::Out,
        _ => ArgumentMode::Table,
    };
    let columns = columns.iter().map(|(name, pg_type)| argument(name, *pg_type, mode));
    FunctionFacts {
        oid: function.oid,
        schema: function.schema,
        name: function.name.clone(),
        kind: FunctionKind::Function,
        arguments: given.chain(columns).collect(),
        returns,
        returns_set,
        volatility: match function.volatility {
            'i' => Volatility::Immutable,
            's' => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        strict: function.strict,
        comment: function.comment.clone(),
        defined: Some(Arc::clone(function)),
    }
}

fn list(context: &QueryContext) -> Vec<FunctionFacts> {
    let mut all: Vec<FunctionFacts> =
        clientele_udfs::functions::docs().iter().map(documented).collect();
    all.extend(super::all_kernels().map(kernel));
    all.extend(super::procedures::all().map(procedure));
    all.extend(super::declared::all().map(table_function));
    all.extend(super::inlined::all().map(query_function));
    all.extend(super::calls::all().map(called_function));
    // Under their schemas' names, as they are registered.
    let documented_names =
        clientele_udfs::functions::docs().into_iter().map(|doc| doc.signature.name.to_owned());
    let declared: std::collections::HashSet<String> =
        all.iter().map(|one| one.name.clone()).chain(documented_names).collect();
    let foreign = |name: &str| !declared.contains(name) && super::is_offered(name);
    for (name, function) in context.state.scalar_functions() {
        if foreign(name) {
            let result = |types: &[DataType]| function.return_type(types).ok();
            all.extend(inferred(name, FunctionKind::Function, function.signature(), result));
        }
    }
    for (name, function) in context.state.aggregate_functions() {
        if foreign(name) {
            let result = |types: &[DataType]| function.return_type(types).ok();
            all.extend(inferred(name, FunctionKind::Aggregate, function.signature(), result));
        }
    }
    all
}

fn argument(name: &str, pg_type: PgType, mode: ArgumentMode) -> Argument {
    Argument { name: name.to_owned(), pg_type, mode, default: None }
}

fn documented(doc: &clientele_udfs::functions::Doc) -> FunctionFacts {
    let signature = &doc.signature;
    let count = signature.parameters.len();
    let inputs = signature.parameters.iter().enumerate().map(|(index, one)| {
        let last = signature.variadic && index + 1 == count;
        let mode = if last { ArgumentMode::Variadic } else { ArgumentMode::In };
        let pg_type = if last { one.pg_type.array() } else { one.pg_type };
        argument(one.name.unwrap_or_default(), pg_type, mode)
    });
    let columns = signature
        .columns
        .iter()
        .map(|one| argument(one.name.unwrap_or_default(), one.pg_type, ArgumentMode::Table));
    let (schema, name) = placed(signature.name);
    FunctionFacts {
        oid: 0,
        schema,
        name: name.to_owned(),
        kind: match doc.kind {
            'a' => FunctionKind::Aggregate,
            'w' => FunctionKind::Window,
            _ => FunctionKind::Function,
        },
        arguments: inputs.chain(columns).collect(),
        returns: signature.result,
        returns_set: signature.returns_set,
        volatility: volatility(doc.volatility),
        strict: doc.strict,
        comment: Some(doc.description.trim_end_matches('.').to_owned()),
        defined: None,
    }
}

fn volatility(volatility: PlanVolatility) -> Volatility {
    match volatility {
        PlanVolatility::Immutable => Volatility::Immutable,
        PlanVolatility::Stable => Volatility::Stable,
        PlanVolatility::Volatile => Volatility::Volatile,
    }
}

fn kernel(kernel: &super::Kernel) -> FunctionFacts {
    let types = kernel.arguments.split(", ").filter(|one| !one.is_empty());
    let arguments = types.map(|one| {
        argument("", PgType::by_name(one).unwrap_or(PgType::plain(2276)), ArgumentMode::In)
    });
    let (schema, name) = placed(kernel.name);
    FunctionFacts {
        oid: 0,
        schema,
        name: name.to_owned(),
        kind: FunctionKind::Function,
        arguments: arguments.collect(),
        returns: kernel.signature.result,
        returns_set: false,
        volatility: if kernel.signature.volatile {
            Volatility::Volatile
        } else {
            Volatility::Stable
        },
        strict: kernel.signature.strict,
        comment: Some(kernel.comment.to_owned()),
        defined: None,
    }
}

/// The schema that a qualified name is in, and the rest of it.
fn placed(name: &str) -> (Oid, &str) {
    match name.split_once('.') {
        Some((schema, name)) => (features::schema_oid(schema).unwrap_or(PG_CATALOG_OID), name),
        None => (PG_CATALOG_OID, name),
    }
}

fn given(parameters: &[Parameter]) -> Vec<Argument> {
    let given = parameters.iter().map(|one| Argument {
        default: one.default.map(str::to_owned),
        ..argument(one.name, one.pg_type, ArgumentMode::In)
    });
    given.collect()
}

fn procedure(procedure: &Procedure) -> FunctionFacts {
    FunctionFacts {
        oid: 0,
        schema: features::schema_oid(procedure.schema).unwrap_or(PG_CATALOG_OID),
        name: procedure.name.to_owned(),
        kind: FunctionKind::Procedure,
        arguments: given(procedure.parameters),
        returns: PgType::VOID,
        returns_set: false,
        volatility: Volatility::Volatile,
        strict: false,
        comment: Some(procedure.comment.to_owned()),
        defined: None,
    }
}

fn table_function(function: &super::declared::Function) -> FunctionFacts {
    let (schema, name) = placed(function.name);
    let columns = function
        .columns
        .iter()
        .map(|(name, pg_type)| argument(name, *pg_type, ArgumentMode::Table));
    let mut parameters = given(function.parameters);
    if let Some(last) = parameters.last_mut().filter(|_| function.variadic) {
        (last.mode, last.pg_type) = (ArgumentMode::Variadic, last.pg_type.array());
    }
    FunctionFacts {
        oid: 0,
        schema,
        name: name.to_owned(),
        kind: FunctionKind::Function,
        arguments: parameters.into_iter().chain(columns).collect(),
        returns: RECORD,
        returns_set: true,
        volatility: Volatility::Stable,
        strict: false,
        comment: Some(function.comment.to_owned()),
        defined: None,
    }
}

/// A table function whose arguments may be queries.
fn called_function(function: &super::calls::Function) -> FunctionFacts {
    use super::calls::Column;
    let (schema, name) = placed(function.name);
    let given = function.parameters.iter().map(|one| Argument {
        default: (!one.needed).then(|| "NULL".to_owned()),
        ..argument(one.name, one.pg_type(), ArgumentMode::In)
    });
    let any = PgType::plain(2283);
    let columns = function.columns.iter().map(|column| match column {
        Column::Plain(name, pg_type) | Column::Where(_, name, pg_type) => {
            argument(name, *pg_type, ArgumentMode::Table)
        }
        Column::Customer => argument("customer_id", any, ArgumentMode::Table),
        Column::Item => argument("product_id", any, ArgumentMode::Table),
        Column::Other(name) => argument(name, any, ArgumentMode::Table),
        Column::Of(..) => argument("customer_id", any, ArgumentMode::Table),
    });
    FunctionFacts {
        oid: 0,
        schema,
        name: name.to_owned(),
        kind: FunctionKind::Function,
        arguments: given.chain(columns).collect(),
        returns: PgType::plain(2249),
        returns_set: true,
        volatility: Volatility::Stable,
        strict: false,
        defined: None,
        comment: Some(function.comment.to_owned()),
    }
}

fn query_function(function: &super::QueryFunction) -> FunctionFacts {
    let (schema, name) = placed(function.name);
    let column = |(name, pg_type): &(&str, PgType)| argument(name, *pg_type, ArgumentMode::Table);
    let columns = function.columns.iter().map(column);
    FunctionFacts {
        oid: 0,
        schema,
        name: name.to_owned(),
        kind: FunctionKind::Function,
        arguments: given(function.parameters).into_iter().chain(columns).collect(),
        returns: PgType::plain(2249),
        returns_set: true,
        volatility: Volatility::Stable,
        strict: false,
        defined: None,
        comment: Some(function.comment.to_owned()),
    }
}

/// A function of DataFusion's: one overload for each list of types that its signature names.
fn inferred(
    name: &str,
    kind: FunctionKind,
    signature: &Signature,
    result: impl Fn(&[DataType]) -> Option<DataType>,
) -> Option<FunctionFacts> {
    // What takes arrays of anything says no types ahead.
    if [
        "array",
        "list",
        "map",
        "make_",
        "struct",
        "named_",
        "greatest",
        "least",
        "nullif",
        "nth_value",
        "min",
        "max",
    ]
    .iter()
    .any(|one| name.starts_with(one))
    {
        return None;
    }
    let types = signature.type_signature.get_example_types().into_iter().next().unwrap_or_default();
    // Some functions panic on types that their own signature gives as examples.
    let returns =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| result(&types))).ok()??;
    Some(FunctionFacts {
        oid: 0,
        schema: PG_CATALOG_OID,
        name: name.to_owned(),
        kind,
        arguments: types
            .iter()
            .map(|one| argument("", PgType::from_arrow(one), ArgumentMode::In))
            .collect(),
        returns: PgType::from_arrow(&returns),
        returns_set: false,
        volatility: volatility(signature.volatility),
        strict: true,
        comment: None,
        defined: None,
    })
}
