//! An empty database, and one with one of each thing.

use std::sync::Arc;

use clientele_udfs::types::PgType;

use super::super::*;
use crate::catalog::Catalog;
use crate::definition::*;
use crate::storage::IndexTally;

const ADMIN: Oid = 10;
const ANALYST: Oid = 20062;

pub(crate) fn empty() -> Context {
    context(Catalog::new())
}

fn context(catalog: Catalog) -> Context {
    let database = |oid, name: &str, comment: Option<&str>| Database {
        oid,
        name: name.to_owned(),
        owner: ADMIN,
        comment: comment.map(str::to_owned),
        grants: None,
        settings: Vec::new(),
    };
    let acme = database(20060, "acme", Some("the brand"));
    Context {
        catalog: Arc::new(catalog),
        databases: vec![acme.clone(), database(20061, "postgres", None)],
        database: acme,
        roles: vec![
            role(ADMIN, "admin", true, &[]),
            role(ANALYST, "analyst", false, &[]),
            role(20063, "guest", false, &[]),
            role(20064, "trainee", false, &[ANALYST]),
        ],
        role: ADMIN,
        functions: Arc::new(Vec::new()),
        settings: Vec::new(),
        sessions: Vec::new(),
        upkeep: None,
        rows: None,
        row_counts: Arc::new(|_| RelationFacts { rows: 50, bytes: 10_000, ..Default::default() }),
        index_uses: Arc::new(|_| IndexTally::default()),
        prepared: Vec::new(),
        cursors: Vec::new(),
        search_path: vec![2200],
        indexes: IndexPlaces::default(),
    }
}

fn role(oid: Oid, name: &str, superuser: bool, member_of: &[Oid]) -> Role {
    Role {
        oid,
        name: name.to_owned(),
        password: Some("SCRAM-SHA-256$…".to_owned()),
        login: true,
        superuser,
        create_database: superuser,
        create_role: superuser,
        inherit: true,
        connection_limit: -1,
        member_of: member_of.to_vec(),
        comment: Some("a role".to_owned()),
        valid_until: None,
        settings: Vec::new(),
        bypasses_row_security: superuser,
    }
}

pub(crate) fn column(number: i16, name: &str, pg_type: PgType) -> Column {
    Column::plain(number, name, pg_type)
}

pub(crate) fn table(oid: Oid, schema: Oid, name: &str, columns: Vec<Column>) -> Relation {
    Relation {
        oid,
        schema,
        name: name.to_owned(),
        owner: ADMIN,
        kind: RelationKind::Table,
        columns,
        constraints: Vec::new(),
        indexes: Vec::new(),
        options: Vec::new(),
        comment: None,
        grants: None,
        temporary: false,
        sort_columns: Vec::new(),
        row_security: crate::definition::RowSecurity::default(),
    }
}

fn constraint(oid: Oid, name: &str, kind: ConstraintKind) -> Constraint {
    Constraint {
        oid,
        name: name.to_owned(),
        kind,
        comment: None,
        of_index: false,
        options: Vec::new(),
        deferrable: None,
        computed: Default::default(),
    }
}

fn customer() -> Relation {
    let grant = |grantee, privileges: &str, grantable: &str| Grant {
        grantee,
        grantor: ADMIN,
        privileges: privileges.to_owned(),
        grantable: grantable.to_owned(),
    };
    let columns = vec![
        Column { not_null: true, identity: Some('a'), ..column(1, "id", PgType::INT8) },
        Column {
            not_null: true,
            domain: Some(20050),
            comment: Some("login address".to_owned()),
            ..column(2, "email", PgType::TEXT)
        },
        Column {
            default: Some("0".to_owned()),
            grants: vec![grant(20063, "r", "")],
            ..column(3, "spend", PgType::numeric(12, 2))
        },
        Column { dropped: true, ..column(4, "old", PgType::TEXT) },
        Column { missing: Some("{}".to_owned()), ..column(5, "tags", PgType::TEXT_ARRAY) },
        Column { domain: Some(12023), ..column(6, "born", PgType::DATE) },
    ];
    Relation {
        constraints: vec![
            constraint(20011, "customer_pkey", ConstraintKind::PrimaryKey { columns: vec![1] }),
            constraint(20015, "customer_email_key", ConstraintKind::Unique { columns: vec![2] }),
            constraint(
                20016,
                "customer_spend_check",
                ConstraintKind::Check { expression: "spend >= 0".to_owned() },
            ),
        ],
        comment: Some("one row per customer".to_owned()),
        grants: Some(vec![grant(ANALYST, "wr", "r"), grant(0, "r", "")]),
        ..table(20001, 20000, "customer", columns)
    }
}

fn orders() -> Relation {
    let columns = vec![
        Column {
            not_null: true,
            default: Some("nextval('shop.orders_id_seq'::regclass)".to_owned()),
            ..column(1, "id", PgType::INT4)
        },
        column(2, "customer_id", PgType::INT8),
        column(3, "placed_at", PgType::TIMESTAMPTZ),
        Column { default: Some("'new'".to_owned()), ..column(4, "status", PgType::TEXT) },
    ];
    let foreign = ConstraintKind::ForeignKey {
        columns: vec![2],
        references: 20001,
        referenced: vec![1],
        on_delete: 'c',
        on_update: 'a',
    };
    Relation {
        constraints: vec![
            constraint(20012, "orders_pkey", ConstraintKind::PrimaryKey { columns: vec![1] }),
            constraint(20017, "orders_customer_id_fkey", foreign),
        ],
        indexes: vec![Index {
            oid: 20013,
            name: "orders_placed".to_owned(),
            columns: vec![3, 4],
            options: Vec::new(),
            expressions: Vec::new(),
            predicate: None,
            method: None,
            comment: None,
        }],
        options: vec![("sort".to_owned(), "time".to_owned())],
        ..table(20002, 20000, "orders", columns)
    }
}

fn sequence(oid: Oid, name: &str, owner: (Oid, i16)) -> Relation {
    let sequence = Sequence {
        pg_type: PgType::INT8,
        start: 1,
        increment: 1,
        minimum: 1,
        maximum: i64::MAX,
        cycle: false,
        last_value: None,
        owned_by: Some(owner),
    };
    Relation { kind: RelationKind::Sequence(sequence), ..table(oid, 20000, name, Vec::new()) }
}

pub(crate) fn rich() -> Context {
    let mut catalog = Catalog::new();
    catalog.put(Object::Schema(Schema {
        oid: 20000,
        name: "shop".to_owned(),
        owner: ADMIN,
        comment: Some("the shop".to_owned()),
        grants: None,
    }));
    catalog.put(Object::Domain(Domain {
        oid: 20050,
        schema: 20000,
        name: "email".to_owned(),
        owner: ADMIN,
        pg_type: PgType::TEXT,
        parent: Some(12000),
        not_null: false,
        default: Some("'none@example.com'".to_owned()),
        checks: vec![("email_check".to_owned(), "(VALUE ~ '@')".to_owned())],
        labels: Vec::new(),
        comment: None,
        grants: None,
    }));
    let view = "SELECT id, email, spend FROM shop.customer WHERE spend > 100".to_owned();
    let daily = "SELECT placed_at AS d FROM shop.orders;".to_owned();
    for relation in [
        customer(),
        orders(),
        Relation {
            kind: RelationKind::View { query: view },
            ..table(20003, 20000, "big_spenders", vec![column(1, "id", PgType::INT8)])
        },
        Relation {
            kind: RelationKind::MaterializedView { query: daily, populated: false },
            ..table(20004, 20000, "daily", vec![column(1, "d", PgType::TIMESTAMPTZ)])
        },
        sequence(20005, "customer_id_seq", (20001, 1)),
        sequence(20006, "orders_id_seq", (20002, 1)),
        table(20007, 2200, "T 1", vec![column(1, "select", PgType::TEXT)]),
    ] {
        catalog.put(Object::Relation(relation));
    }
    Context { functions: number_functions(functions()), ..sessions(context(catalog)) }
}

fn functions() -> Vec<FunctionFacts> {
    let argument = |name: &str, pg_type, mode, default: Option<&str>| Argument {
        name: name.to_owned(),
        pg_type,
        mode,
        default: default.map(str::to_owned),
    };
    let lower = FunctionFacts {
        oid: 0,
        schema: 11,
        name: "lower".to_owned(),
        kind: FunctionKind::Function,
        arguments: vec![argument("", PgType::TEXT, ArgumentMode::In, None)],
        returns: PgType::TEXT,
        returns_set: false,
        volatility: Volatility::Immutable,
        strict: true,
        comment: Some("lowercase".to_owned()),
        defined: None,
    };
    vec![
        FunctionFacts {
            name: "overlap".to_owned(),
            schema: 20000,
            returns_set: true,
            returns: PgType::RECORD,
            arguments: vec![
                argument("first", PgType::TEXT, ArgumentMode::In, None),
                argument("limit", PgType::INT4, ArgumentMode::In, Some("10")),
                argument("members", PgType::INT8, ArgumentMode::Table, None),
            ],
            strict: false,
            ..lower.clone()
        },
        FunctionFacts {
            name: "erase".to_owned(),
            schema: 20000,
            kind: FunctionKind::Procedure,
            returns: PgType::VOID,
            volatility: Volatility::Volatile,
            strict: false,
            ..lower.clone()
        },
        FunctionFacts {
            name: "concat".to_owned(),
            arguments: vec![argument("", PgType::TEXT_ARRAY, ArgumentMode::Variadic, None)],
            strict: false,
            ..lower.clone()
        },
        FunctionFacts {
            name: "sum".to_owned(),
            kind: FunctionKind::Aggregate,
            arguments: vec![argument("", PgType::INT8, ArgumentMode::In, None)],
            returns: PgType::NUMERIC,
            ..lower.clone()
        },
        lower,
    ]
}

fn sessions(context: Context) -> Context {
    let session = SessionFacts {
        pid: 7,
        database: 20060,
        role: ADMIN,
        application_name: "psql".to_owned(),
        state: "active".to_owned(),
        query: "SELECT 1".to_owned(),
        tls_version: Some("TLSv1.3".to_owned()),
        copy: Some(CopyProgress {
            relation: 20001,
            command: "COPY FROM".to_owned(),
            kind: "PIPE".to_owned(),
            ..CopyProgress::default()
        }),
        ..SessionFacts::default()
    };
    let working = |kind| SessionFacts {
        job: Some(JobFacts {
            kind,
            relation: 20001,
            index: 20002,
            done: Done { phase: "x", bytes: 8192, bytes_total: 8193, rows: 7 },
        }),
        ..session.clone()
    };
    let kinds = [JobKind::Vacuum, JobKind::Cluster, JobKind::Backup, JobKind::CreateIndex];
    let mut sessions: Vec<_> = kinds.map(working).into();
    sessions.push(session);
    Context {
        sessions,
        upkeep: Some(Done { phase: "merging files", bytes: 1, bytes_total: 2, rows: 0 }),
        settings: vec![SettingFacts {
            name: "work_mem".to_owned(),
            choices: Some(vec!["a".to_owned()]),
            ..SettingFacts::default()
        }],
        prepared: vec![PreparedFacts {
            name: "p".to_owned(),
            statement: "SELECT $1".to_owned(),
            prepared_at: 1,
            parameters: vec![PgType::INT4],
            from_sql: true,
        }],
        cursors: vec![CursorFacts {
            name: "c".to_owned(),
            statement: "SELECT 1".to_owned(),
            holdable: false,
            binary: false,
            scrollable: true,
            created_at: 1,
        }],
        ..context
    }
}

/// A database of many tables, each with ten columns, a key and a foreign key.
pub(crate) fn many(count: u32) -> Context {
    let mut catalog = Catalog::new();
    for place in 0..count {
        let oid = 30_000 + place * 10;
        let columns =
            (1..=10).map(|number| column(number, &format!("c{number}"), PgType::TEXT)).collect();
        let key = constraint(oid + 1, "key", ConstraintKind::PrimaryKey { columns: vec![1] });
        let foreign = ConstraintKind::ForeignKey {
            columns: vec![2],
            references: 30_000,
            referenced: vec![1],
            on_delete: 'a',
            on_update: 'a',
        };
        let constraints = vec![key, constraint(oid + 2, "reference", foreign)];
        catalog.put(Object::Relation(Relation {
            constraints,
            ..table(oid, 2200, &format!("t{place}"), columns)
        }));
    }
    context(catalog)
}
