//! COPY through a session: transactions, defaults, constraints, files.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;

use crate::api::{Notice, Outcome, Startup, TransactionStatus};
use crate::error::{Error, Result};
use crate::{Engine, EngineOptions, Session};

struct Brand {
    engine: Arc<Engine>,
    directory: std::path::PathBuf,
}

impl Drop for Brand {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn brand() -> Brand {
    let directory = std::env::temp_dir().join(format!("copy-{}", uuid::Uuid::new_v4()));
    let data_dir = directory.join("data");
    Engine::create(&data_dir, "secret").unwrap();
    let engine = Engine::open(EngineOptions { data_dir, ..EngineOptions::default() }).unwrap();
    Brand { engine, directory }
}

fn connect(brand: &Brand) -> Session {
    let startup =
        Startup { role: "admin".into(), database: "postgres".into(), ..Startup::default() };
    brand.engine.connect(startup).unwrap()
}

/// Runs statements; returns the last one's tag, or its data.
async fn run(session: &mut Session, sql: &str, data: &[u8]) -> Result<String> {
    let result = run_open(session, sql, data).await;
    if result.is_err() && session.status() == TransactionStatus::Idle {
        session.fail();
    }
    let synced = session.sync().await;
    result.and_then(|tag| synced.map(|()| tag))
}

async fn run_open(session: &mut Session, sql: &str, data: &[u8]) -> Result<String> {
    let mut answer = String::new();
    for statement in session.parse(sql).await? {
        let prepared = session.prepare(statement, &[]).await?;
        answer = match session.execute(&prepared, Vec::new()).await? {
            Outcome::Done(tag) => tag,
            Outcome::CopyIn(mut copy) => {
                for piece in data.chunks(5) {
                    copy.write(Bytes::copy_from_slice(piece)).await?;
                }
                copy.finish().await?
            }
            Outcome::CopyOut { mut stream, .. } => {
                let mut all = Vec::new();
                while let Some(piece) = stream.next().await {
                    all.extend_from_slice(&piece?);
                }
                String::from_utf8_lossy(&all).into_owned()
            }
            Outcome::Empty | Outcome::Rows(_) => String::new(),
        };
    }
    Ok(answer)
}

async fn good(session: &mut Session, sql: &str, data: &str) -> String {
    run(session, sql, data.as_bytes()).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

async fn bad(session: &mut Session, sql: &str, data: &str) -> Error {
    match run(session, sql, data.as_bytes()).await {
        Ok(answer) => panic!("{sql}: {answer}"),
        Err(error) => error,
    }
}

async fn dump(session: &mut Session, table: &str) -> String {
    good(session, &format!("COPY (SELECT * FROM {table} ORDER BY 1) TO STDOUT"), "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_arrive_with_defaults_and_all_or_none() {
    let brand = brand();
    let mut session = connect(&brand);
    let create = "CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 'x' || 'y', c numeric(8,2) NOT NULL DEFAULT 1.5, \
                  d timestamptz DEFAULT now(), CHECK (a < 100))";
    good(&mut session, create, "").await;
    assert_eq!(good(&mut session, "COPY t (a, c) FROM STDIN", "1\t2\n2\t3.456\n").await, "COPY 2");
    let shown = "COPY (SELECT a, b, c, d = now() OR d < now() FROM t ORDER BY 1) TO STDOUT";
    assert_eq!(good(&mut session, shown, "").await, "1\txy\t2.00\tt\n2\txy\t3.46\tt\n");
    for (data, sqlstate, context) in [
        ("3\t4\n1\t5\n", "23505", None),
        ("3\t4\n4\t\\N\n", "23502", Some("COPY t, line 2")),
        ("3\t4\n100\t1\nx\t1\n", "23514", Some("COPY t, line 2")),
        ("3\t4\n5\tq\n", "22P02", Some("COPY t, line 2, column c: \"q\"")),
    ] {
        let error = bad(&mut session, "COPY t (a, c) FROM STDIN", data).await;
        assert_eq!(error.sqlstate, sqlstate, "{error:?}");
        assert_eq!(error.context.as_deref(), context, "{error:?}");
        assert_eq!(good(&mut session, "COPY (SELECT count(*) FROM t) TO STDOUT", "").await, "2\n");
    }
    assert_eq!(bad(&mut session, "COPY t (z) FROM STDIN", "").await.sqlstate, "42703");
    assert_eq!(bad(&mut session, "COPY t (a, a) FROM STDIN", "").await.sqlstate, "42701");
    assert_eq!(bad(&mut session, "COPY nothing FROM STDIN", "").await.sqlstate, "42P01");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_takes_back_what_was_copied() {
    let brand = brand();
    let mut session = connect(&brand);
    good(&mut session, "CREATE TABLE t (a int, b text)", "").await;
    good(&mut session, "BEGIN; COPY t FROM STDIN", "1\tx\n").await;
    assert_eq!(dump(&mut session, "t").await, "1\tx\n");
    good(&mut session, "SAVEPOINT s; COPY t FROM STDIN", "2\ty\n").await;
    good(&mut session, "ROLLBACK TO s", "").await;
    assert_eq!(dump(&mut session, "t").await, "1\tx\n");
    assert_eq!(bad(&mut session, "COPY t FROM STDIN", "2\n").await.sqlstate, "22P04");
    good(&mut session, "ROLLBACK TO s; COMMIT", "").await;
    assert_eq!(dump(&mut session, "t").await, "1\tx\n");
    let statement = session.parse("COPY t FROM STDIN").await.unwrap().remove(0);
    let prepared = session.prepare(statement, &[]).await.unwrap();
    let Outcome::CopyIn(mut copy) = session.execute(&prepared, Vec::new()).await.unwrap() else {
        panic!()
    };
    copy.write(Bytes::from_static(b"9\tz\n")).await.unwrap();
    drop(copy);
    session.sync().await.unwrap();
    assert_eq!(dump(&mut session, "t").await, "1\tx\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_overlap_and_stay_in_order_of_errors() {
    let brand = brand();
    let mut session = connect(&brand);
    good(&mut session, "CREATE TABLE t (a int, b text)", "").await;
    let mut data: String = (0..200_000).map(|row| format!("{row}\tvalue {row}\n")).collect();
    assert_eq!(good(&mut session, "COPY t FROM STDIN", &data).await, "COPY 200000");
    let sums = "COPY (SELECT count(*), sum(a), count(DISTINCT b) FROM t) TO STDOUT";
    assert_eq!(good(&mut session, sums, "").await, "200000\t19999900000\t200000\n");
    data.push_str("x\ty\n");
    let error = bad(&mut session, "COPY t FROM STDIN", &data).await;
    assert_eq!(error.context.as_deref(), Some("COPY t, line 200001, column a: \"x\""));
    assert_eq!(good(&mut session, sums, "").await, "200000\t19999900000\t200000\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_outside_a_domain_are_left_out_on_request() {
    let brand = brand();
    let mut session = connect(&brand);
    good(&mut session, "CREATE DOMAIN small AS int CHECK (VALUE < 10)", "").await;
    good(&mut session, "CREATE TABLE t (a small, e email)", "").await;
    let data = "1,a@x.de\n12,b@x.de\n3,nothing\n4,d@x.de\nx,e@x.de\n";
    let error = bad(&mut session, "COPY t FROM STDIN CSV", data).await;
    assert_eq!(error.sqlstate, "23514");
    assert_eq!(error.context.as_deref(), Some("COPY t, line 2, column a: \"12\""));
    let copy = "COPY t FROM STDIN (FORMAT csv, ON_ERROR ignore, LOG_VERBOSITY verbose)";
    assert_eq!(good(&mut session, copy, data).await, "COPY 2");
    let messages: Vec<String> = session
        .take_notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Message(error) => Some(error.message),
            _ => None,
        })
        .collect();
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert_eq!(messages[3], "3 rows were skipped due to data type incompatibility");
    // Without the generated customer_id, as it came.
    assert_eq!(good(&mut session, "COPY t TO STDOUT", "").await, "1\ta@x.de\n4\td@x.de\n");
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn server_files_of_every_format() {
    let brand = brand();
    let mut session = connect(&brand);
    good(
        &mut session,
        "CREATE TABLE t (a bigint, b text, c numeric(9,2), d timestamptz, e int[], f interval)",
        "",
    )
    .await;
    let data = "1\té\\t\t1.50\t2024-02-29 12:00:00+00\t{1,NULL}\t1 mon 02:00:00\n2\t\\N\t\\N\t\\N\t\\N\t\\N\n";
    good(&mut session, "COPY t FROM STDIN", data).await;
    for format in ["text", "csv", "binary", "parquet"] {
        let path = shown(&brand.directory.join(format));
        let to = format!("COPY t TO '{path}' (FORMAT {format})");
        assert_eq!(good(&mut session, &to, "").await, "COPY 2", "{format}");
        good(&mut session, "TRUNCATE t", "").await;
        let from = format!("COPY t FROM '{path}' (FORMAT {format})");
        assert_eq!(good(&mut session, &from, "").await, "COPY 2", "{format}");
        assert_eq!(dump(&mut session, "t").await, data, "{format}");
    }
    let path = shown(&brand.directory.join("parquet"));
    good(&mut session, "CREATE TABLE u (b varchar(3), a int, z int DEFAULT 7)", "").await;
    let error = bad(&mut session, &format!("COPY u FROM '{path}' (FORMAT parquet)"), "").await;
    assert_eq!(error.sqlstate, "42703");
    good(&mut session, &format!("COPY u (b, a) FROM '{path}' (FORMAT parquet)"), "").await;
    assert_eq!(dump(&mut session, "u").await, "é\\t\t1\t7\n\\N\t2\t7\n");
    let error = bad(&mut session, &format!("COPY u FROM '{path}.none'"), "").await;
    assert_eq!(error.sqlstate, "58P01");
    let error = bad(&mut session, &format!("COPY u (b) FROM '{path}' (FORMAT binary)"), "").await;
    assert_eq!(error.sqlstate, "22P04");
    good(&mut session, "CREATE ROLE anna LOGIN; GRANT ALL ON t TO anna; SET ROLE anna", "").await;
    for sql in [format!("COPY t FROM '{path}'"), format!("COPY t TO '{path}'")] {
        assert_eq!(bad(&mut session, &sql, "").await.sqlstate, "42501");
    }
}
