//! Foreign tables over Parquet files: what `foreign_tables.slt` cannot show with one role and one life
//! of a server.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

use crate::client::{Client, ServerError};
use crate::server::Server;

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, run: fn() -> Result<()>| {
        Trial::test(format!("foreign_tables::{name}"), move || {
            run().map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    vec![
        trial("outlive_a_kill", outlive_a_kill),
        trial("see_files_as_they_are", see_files_as_they_are),
        trial("are_for_who_may", are_for_who_may),
        trial("do_not_show_the_erased", do_not_show_the_erased),
        trial("teach_recommenders", teach_recommenders),
        trial("are_dumped", are_dumped),
    ]
}

/// A server, a directory for files, and a client as `admin`.
struct Lake {
    server: Server,
    files: TempDir,
    admin: Client,
}

impl Lake {
    fn new() -> Result<Self> {
        let server = Server::start()?;
        let mut admin = Client::connect(server.port, "postgres")?;
        admin.simple("CREATE SERVER lake FOREIGN DATA WRAPPER parquet_fdw")?;
        Ok(Self { server, files: TempDir::new()?, admin })
    }

    fn path(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// Writes the rows of a query to a file.
    fn write(&mut self, name: &str, query: &str) -> Result<()> {
        let path = self.path(name);
        self.admin.simple(&format!("COPY ({query}) TO '{path}' (FORMAT parquet)"))?;
        Ok(())
    }

    /// Makes a foreign table of files.
    fn table(&mut self, name: &str, columns: &str, files: &str) -> Result<()> {
        let path = self.path(files);
        let options = format!("SERVER lake OPTIONS (filename '{path}')");
        self.admin.simple(&format!("CREATE FOREIGN TABLE {name} ({columns}) {options}"))?;
        Ok(())
    }
}

/// The first value of a query's answer.
fn one(client: &mut Client, query: &str) -> Result<String> {
    let answer = client.simple(query)?;
    let value = answer.rows.into_iter().next().and_then(|row| row.into_iter().next());
    Ok(value.context("no row")?.unwrap_or_else(|| "NULL".to_owned()))
}

/// What a statement is refused with; `ok`: it is not.
fn refusal(client: &mut Client, statement: &str) -> Result<String> {
    match client.simple(statement) {
        Ok(_) => Ok("ok".to_owned()),
        Err(error) => Ok(error.downcast::<ServerError>()?.to_string()),
    }
}

fn outlive_a_kill() -> Result<()> {
    let mut lake = Lake::new()?;
    lake.write("a.parquet", "SELECT g AS id, 'v' || g AS v FROM generate_series(1, 100) g")?;
    lake.table("a", "id int, v text", "*.parquet")?;
    lake.admin.simple("COMMENT ON SERVER lake IS 'the lake'; GRANT SELECT ON a TO public")?;
    lake.server.kill();
    let again = Server::on(&lake.server.data)?;
    let mut admin = Client::connect(again.port, "postgres")?;
    ensure!(one(&mut admin, "SELECT sum(id) FROM a")? == "5050");
    let comment = "SELECT obj_description(oid, 'pg_foreign_server') FROM pg_foreign_server";
    ensure!(one(&mut admin, comment)? == "the lake");
    ensure!(one(&mut admin, "SELECT has_table_privilege('a', 'SELECT')")? == "t");
    Ok(())
}

/// A statement sees one list of files; the next one, also of a prepared statement, the files as they
/// are then.
fn see_files_as_they_are() -> Result<()> {
    let mut lake = Lake::new()?;
    lake.write("a1.parquet", "SELECT g AS id FROM generate_series(1, 10) g")?;
    lake.table("a", "id bigint", "a*.parquet")?;
    lake.admin.simple("PREPARE total AS SELECT sum(id) FROM a WHERE id > 0")?;
    ensure!(one(&mut lake.admin, "EXECUTE total")? == "55");
    lake.write("a2.parquet", "SELECT 45 AS id")?;
    ensure!(one(&mut lake.admin, "EXECUTE total")? == "100");
    // Another file in the place of one, with other row groups.
    lake.write("next", "SELECT g AS id FROM generate_series(1, 1000) g")?;
    std::fs::rename(lake.path("next"), lake.path("a1.parquet"))?;
    ensure!(one(&mut lake.admin, "EXECUTE total")? == "500545");
    // A cursor goes on with the files that it began with, or says that they have changed.
    lake.admin.simple("BEGIN; DECLARE c CURSOR FOR SELECT count(*) FROM a a1, a a2")?;
    ensure!(one(&mut lake.admin, "FETCH c")? == (1001 * 1001).to_string());
    lake.admin.simple("COMMIT")?;
    std::fs::remove_file(lake.path("a1.parquet"))?;
    ensure!(one(&mut lake.admin, "EXECUTE total")? == "45");
    std::fs::write(lake.path("a2.parquet"), b"PAR1 no more")?;
    let refused = refusal(&mut lake.admin, "EXECUTE total")?;
    ensure!(refused.starts_with("HV000: file \""), "{refused}");
    Ok(())
}

/// Statements of a role, and what they are refused with.
const RIGHTS: &[(&str, &str)] = &[
    (
        "CREATE SERVER own FOREIGN DATA WRAPPER parquet_fdw",
        "42501: permission denied for foreign-data wrapper parquet_fdw",
    ),
    ("DROP SERVER lake", "42501: must be owner of foreign server lake"),
    ("ALTER SERVER lake VERSION '3'", "42501: must be owner of foreign server lake"),
    (
        "CREATE FOREIGN TABLE b (id int) SERVER lake OPTIONS (filename '/tmp/b.parquet')",
        "42501: permission denied for foreign server lake",
    ),
    ("SELECT * FROM a", "42501: permission denied for foreign table a"),
    ("ALTER FOREIGN TABLE a RENAME TO b", "42501: must be owner of foreign table a"),
    ("DROP FOREIGN TABLE a", "42501: must be owner of foreign table a"),
];

fn are_for_who_may() -> Result<()> {
    let mut lake = Lake::new()?;
    let rows = "SELECT 1 AS id, 'jane@example.com' AS email, 'Paris' AS city";
    lake.write("a.parquet", rows)?;
    lake.table("a", "id int, email email, city text", "a.parquet")?;
    lake.admin.simple(
        "CREATE ROLE analyst LOGIN PASSWORD 'test'; GRANT CREATE ON SCHEMA public TO analyst",
    )?;
    let mut analyst = Client::connect_as(lake.server.port, "postgres", ("analyst", "test"))?;
    for (statement, expected) in RIGHTS {
        let refused = refusal(&mut analyst, statement)?;
        ensure!(refused == *expected, "{statement}: {refused}");
    }
    // Using the server is not reading files of the machine.
    lake.admin
        .simple("GRANT USAGE ON FOREIGN SERVER lake TO analyst; GRANT SELECT ON a TO analyst")?;
    let path = lake.path("a.parquet");
    let own = format!("CREATE FOREIGN TABLE b (id int) SERVER lake OPTIONS (filename '{path}')");
    let refused = refusal(&mut analyst, &own)?;
    ensure!(refused.starts_with("42501: only superuser or a role with privileges of"), "{refused}");
    let import =
        format!("IMPORT FOREIGN SCHEMA \"{}\" FROM SERVER lake INTO public", lake.path(""));
    let refused = refusal(&mut analyst, &import)?;
    ensure!(refused.starts_with("42501: only superuser"), "{refused}");
    lake.admin.simple("GRANT pg_read_server_files TO analyst")?;
    ensure!(refusal(&mut analyst, &own)? == "ok");
    ensure!(one(&mut analyst, "SELECT id FROM b")? == "1");
    // Columns of semantic domains are closed, as those of any table, and so is text beside them.
    ensure!(one(&mut analyst, "SELECT city FROM a")? == "NULL");
    let email = one(&mut analyst, "SELECT email FROM a")?;
    ensure!(!email.contains("jane"), "{email}");
    lake.admin.simple("ALTER FOREIGN TABLE a OWNER TO analyst")?;
    ensure!(refusal(&mut analyst, "ALTER FOREIGN TABLE a RENAME TO own")? == "ok");
    lake.admin.simple("REVOKE USAGE ON FOREIGN SERVER lake FROM analyst")?;
    let refused = refusal(&mut analyst, &own.replace(" b ", " c "))?;
    ensure!(refused == "42501: permission denied for foreign server lake", "{refused}");
    Ok(())
}

/// Who was erased is in the files, and in no answer; the receipt says so.
fn do_not_show_the_erased() -> Result<()> {
    let mut lake = Lake::new()?;
    let rows = "SELECT g AS id, CASE g % 2 WHEN 0 THEN 'Jane@Example.com' ELSE 'p' || g || '@example.com' END AS email, \
                g * 10 AS total FROM generate_series(1, 100) g";
    lake.write("orders.parquet", rows)?;
    lake.table("old_orders", "id int, email email, total int", "orders.parquet")?;
    lake.admin.simple(
        "CREATE TABLE contacts (email email, name text); \
         INSERT INTO contacts VALUES ('jane@example.com', 'Jane'), ('p1@example.com', 'Paul')",
    )?;
    let access = "CALL gdpr.access('email:jane@example.com', reason => 'art. 15')";
    let shown = lake.admin.simple(access)?.rows;
    let of_files = shown.iter().filter(|row| row[0].as_deref() == Some("public.old_orders"));
    ensure!(of_files.count() == 50, "{shown:?}");
    lake.admin.simple("CALL gdpr.erase('email:jane@example.com', reason => 'art. 17')")?;
    for (query, expected) in [
        ("SELECT count(*) FROM old_orders", "50"),
        ("SELECT count(*) FROM old_orders WHERE lower(email) = 'jane@example.com'", "0"),
        ("SELECT sum(total) FROM old_orders", "25000"),
        ("SELECT count(*) FROM (SELECT id FROM old_orders LIMIT 60) q", "50"),
        ("SELECT id FROM old_orders WHERE id IN (2, 3)", "3"),
    ] {
        let found = one(&mut lake.admin, query)?;
        ensure!(found == expected, "{query}: {found}");
    }
    lake.admin.simple("CALL gdpr.purge()")?;
    let receipt = one(&mut lake.admin, "SELECT document FROM gdpr.receipts")?;
    ensure!(receipt.contains("public.old_orders reads them in place"), "{receipt}");
    Ok(())
}

/// From Parquet to Parquet through SQL.
fn teach_recommenders() -> Result<()> {
    let mut lake = Lake::new()?;
    let bought = "SELECT (g / 3)::bigint AS customer_id, ((g / 3) % 2) * 10 + g % 3 AS item_id FROM generate_series(0, 599) g";
    lake.write("bought.parquet", bought)?;
    lake.table("bought", "customer_id bigint, item_id bigint", "bought.parquet")?;
    lake.admin.simple(
        "CREATE MATERIALIZED VIEW next USING recommender AS SELECT customer_id, item_id FROM bought",
    )?;
    // Even customers buy 0 to 2, odd ones 10 to 12.
    lake.write("new.parquet", "SELECT 1000::bigint AS customer_id, 10::bigint AS item_id")?;
    std::fs::copy(lake.path("new.parquet"), lake.path("bought_2.parquet"))?;
    let names = format!("{} {}", lake.path("bought.parquet"), lake.path("bought_2.parquet"));
    lake.admin.simple(&format!("ALTER FOREIGN TABLE bought OPTIONS (SET filename '{names}')"))?;
    lake.admin.simple("REFRESH MATERIALIZED VIEW next")?;
    let out = lake.path("out.parquet");
    lake.admin.simple(&format!(
        "COPY (SELECT * FROM next WHERE customer_id = 1000) TO '{out}' (FORMAT parquet)"
    ))?;
    ensure!(Path::new(&out).exists());
    lake.table("out", "customer_id bigint, item_id bigint, rank int", "out.parquet")?;
    let items = lake.admin.simple("SELECT item_id FROM out ORDER BY rank LIMIT 2")?.rows;
    let mut items: Vec<_> = items.into_iter().flatten().flatten().collect();
    items.sort();
    ensure!(items == ["11", "12"], "{items:?}");
    Ok(())
}

/// `pg_dump` writes them, and `psql` brings them back.
fn are_dumped() -> Result<()> {
    let mut lake = Lake::new()?;
    lake.write("a.parquet", "SELECT 1 AS id")?;
    lake.table("a", "id int NOT NULL", "a.parquet")?;
    lake.admin.simple(
        "CREATE ROLE reader; GRANT USAGE ON FOREIGN SERVER lake TO reader; GRANT SELECT ON a TO reader; \
         CREATE VIEW v AS SELECT id + 1 AS next FROM a; COMMENT ON FOREIGN TABLE a IS 'rows'",
    )?;
    let run = |program: &str, arguments: &[&str]| -> Result<String> {
        let mut command = std::process::Command::new(program);
        let done = command.args(arguments).envs(lake.server.environment()).output();
        let done = done.with_context(|| format!("running {program}"))?;
        if !done.status.success() || !done.stderr.is_empty() {
            bail!("{program}: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(String::from_utf8(done.stdout)?)
    };
    let dump = run("pg_dump", &["postgres"])?;
    for part in [
        "CREATE SERVER lake FOREIGN DATA WRAPPER parquet_fdw;",
        "CREATE FOREIGN TABLE public.a (\n    id integer NOT NULL\n)\nSERVER lake\nOPTIONS (\n    filename '",
        "GRANT ALL ON FOREIGN SERVER lake TO reader;",
        "COMMENT ON FOREIGN TABLE public.a IS 'rows';",
    ] {
        ensure!(dump.contains(part), "{part} is missing: {dump}");
    }
    let file = lake.path("dump.sql");
    std::fs::write(&file, dump)?;
    lake.admin.simple("CREATE DATABASE copy")?;
    run(
        "psql",
        &["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "copy", "-o", "/dev/null", "-f", &file],
    )?;
    let mut copy = Client::connect(lake.server.port, "copy")?;
    ensure!(one(&mut copy, "SELECT next FROM v")? == "2");
    let described = run("psql", &["-X", "-d", "copy", "-c", "\\d a"])?;
    for part in ["Foreign table \"public.a\"", "Server: lake", "FDW options: (filename '"] {
        ensure!(described.contains(part), "{part} is missing: {described}");
    }
    Ok(())
}
