//! A table with indexes answers as the same table without: through changes, flushes, rewrites,
//! crashes, within transactions and in snapshots that are held open.

use anyhow::{Result, ensure};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::Client;
use crate::server::Server;

/// Steps of one run; `SEEDS` says how many runs.
const STEPS: usize = 20;
/// What is asked after each step, of each kind of question.
const QUESTIONS: usize = 2;
/// Definitions of both tables.
const COLUMNS: &str =
    "(id int, a int, b text, t timestamptz, m numeric(8,2), n numeric, d date, ok boolean)";

pub(super) fn answer_as_scans() -> Result<()> {
    let seeds = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    for seed in 0..seeds {
        run(seed)?;
    }
    Ok(())
}

fn run(seed: u64) -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(&format!(
        "CREATE TABLE scanned {COLUMNS}; CREATE TABLE indexed {COLUMNS}; \
         CREATE INDEX ON indexed (a); CREATE INDEX ON indexed (t); CREATE INDEX ON indexed (b, m); \
         CREATE INDEX ON indexed (a, t DESC); CREATE INDEX ON indexed (d, ok, n)"
    ))?;
    let mut next = 0;
    let mut held = None;
    for step in 0..STEPS {
        match random.random_range(0..12) {
            0 => {
                server.kill();
                server = Server::on(&data)?;
                client = Client::connect(server.port, "postgres")?;
                held = None;
            }
            1 | 2 => drop(client.simple("CALL clientele.flush()")?),
            3 => drop(client.simple("CALL clientele.compact()")?),
            4 => held = Some(hold(server.port, &mut random)?),
            5 => within(&mut client, &mut random, &mut next)?,
            _ => change(&mut client, &mut random, &mut next)?,
        }
        for _ in 0..QUESTIONS {
            for question in questions(&mut random) {
                same(&mut client, &question, (seed, step))?;
            }
        }
        if let Some((holder, question, rows)) = &mut held {
            let now = holder.simple(&question.replace("{}", "indexed"))?.rows;
            ensure!(now == *rows, "seed {seed}, step {step}: a snapshot changed: {question}");
        }
    }
    Ok(())
}

/// A transaction that keeps its snapshot, and what a question has in it.
fn hold(port: u16, random: &mut ChaCha8Rng) -> Result<(Client, String, Vec<Vec<Option<String>>>)> {
    let mut holder = Client::connect(port, "postgres")?;
    holder.simple("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    let all = questions(random);
    let question = all.choose(random).cloned().unwrap_or_default();
    let rows = holder.simple(&question.replace("{}", "scanned"))?.rows;
    Ok((holder, question, rows))
}

/// Changes that are seen by their transaction only, and perhaps by nobody later.
fn within(client: &mut Client, random: &mut ChaCha8Rng, next: &mut u64) -> Result<()> {
    client.simple("BEGIN")?;
    for _ in 0..random.random_range(1..4) {
        change(client, random, next)?;
        for question in questions(random) {
            same(client, &question, (0, 0))?;
        }
    }
    client.simple(if random.random_bool(0.5) { "COMMIT" } else { "ROLLBACK" })?;
    Ok(())
}

fn change(client: &mut Client, random: &mut ChaCha8Rng, next: &mut u64) -> Result<()> {
    let (a, day) = (random.random_range(0..40), random.random_range(0..60));
    let sql = match random.random_range(0..10) {
        0 | 1 => format!("DELETE FROM {{}} WHERE a = {a}"),
        2 => format!(
            "DELETE FROM {{}} WHERE t < timestamptz '2026-01-01' + {day} * interval '6 hours'"
        ),
        3 => format!("UPDATE {{}} SET a = a + 1, b = 'changed' WHERE a = {a} OR b IS NULL"),
        4 => format!("UPDATE {{}} SET t = t + interval '1 day' WHERE b = 'b{}'", a % 7),
        _ => {
            let count = [1, 3, 200, 3000][random.random_range(0..4)];
            let from = *next;
            *next += count;
            format!(
                "INSERT INTO {{}} SELECT g, nullif((g * 7919 % 40)::int, 13), \
                 CASE g % 7 WHEN 3 THEN NULL WHEN 4 THEN '' ELSE 'b' || g % 7 END, \
                 timestamptz '2026-01-01' + g % 1440 * interval '1 minute', g % 1000 / 8.0, \
                 g % 11 / 4.0, date '2026-01-01' + (g % 9)::int, nullif(g % 3, 0) = 1 \
                 FROM generate_series({from}, {}) g",
                from + count - 1
            )
        }
    };
    let tags = ["scanned", "indexed"].map(|table| client.simple(&sql.replace("{}", table)));
    let [scanned, indexed] = tags;
    let (scanned, indexed) = (scanned?.tag, indexed?.tag);
    ensure!(scanned == indexed, "{sql}: {scanned} and {indexed}");
    Ok(())
}

/// Questions, `{}` in the place of the table.
fn questions(random: &mut ChaCha8Rng) -> Vec<String> {
    let mut number = |below: u32| random.random_range(0..below);
    let (a, other, b, minute, count) = (number(41), number(41), number(8), number(1440), number(9));
    let from = format!("timestamptz '2026-01-01' + {minute} * interval '1 minute'");
    let to = format!("timestamptz '2026-01-01' + {} * interval '1 minute'", minute + number(90));
    let limit = format!("LIMIT {} OFFSET {}", count + 1, number(3));
    [
        format!("WHERE a = {a} ORDER BY id"),
        format!("WHERE a IN ({a}, {other}, -1, 13) AND b <> 'b1' ORDER BY id"),
        format!("WHERE a = ANY (ARRAY[{a}, {other}]) AND t < {to} ORDER BY id DESC"),
        format!("WHERE t >= {from} AND t < {to} ORDER BY id"),
        format!("WHERE t BETWEEN {from} AND {to} AND a > {a} ORDER BY id {limit}"),
        format!("WHERE b = 'b{b}' AND m >= {a} AND m < {} ORDER BY id", a + 2),
        format!("WHERE b IS NULL AND m = {a}.5 ORDER BY id"),
        format!("WHERE a = {a} AND t > {from} ORDER BY t DESC, id {limit}"),
        format!(
            "WHERE d = date '2026-01-01' + {count} AND ok AND n <= {b} / 4.0 ORDER BY id {limit}"
        ),
        format!("WHERE d = date '2026-01-0{}' AND NOT ok ORDER BY id", count + 1),
        format!("WHERE a > {a}::bigint AND a < {other} AND b = '' ORDER BY id"),
    ]
    .iter()
    .map(|rest| format!("SELECT * FROM {{}} {rest}"))
    .chain([
        // Rows with one value may come in any order.
        format!("SELECT t FROM {{}} ORDER BY t DESC {limit}"),
        format!("SELECT * FROM {{}} ORDER BY t DESC, id {limit}"),
        format!("SELECT * FROM {{}} WHERE m > 3 ORDER BY a, t DESC, id DESC {limit}"),
        format!("SELECT * FROM {{}} WHERE a = {a} ORDER BY t, b NULLS FIRST, id {limit}"),
        format!("SELECT t FROM {{}} WHERE a = {a} ORDER BY t {limit}"),
        format!("SELECT a FROM {{}} ORDER BY a {limit}"),
        format!("SELECT a FROM {{}} WHERE b = 'b{b}' ORDER BY a DESC {limit}"),
        format!("SELECT b, m FROM {{}} ORDER BY b DESC, m DESC {limit}"),
        format!("SELECT b, m FROM {{}} WHERE b >= 'b{b}' ORDER BY b, m {limit}"),
        format!(
            "SELECT n FROM {{}} WHERE d = date '2026-01-0{}' AND ok ORDER BY n {limit}",
            count + 1
        ),
        format!("SELECT count(*), sum(m), max(t) FROM {{}} WHERE a = {a} OR a = {other}"),
        format!(
            "SELECT b, count(*) FROM {{}} WHERE t >= {from} AND t < {to} GROUP BY b ORDER BY b"
        ),
        format!(
            "SELECT count(*), min(x.id) FROM {{}} x JOIN {{}} y ON x.a = y.a \
             WHERE y.b = 'b{b}' AND y.m = {a}.25"
        ),
    ])
    .collect()
}

fn same(client: &mut Client, question: &str, (seed, step): (u64, usize)) -> Result<()> {
    let scanned = client.simple(&question.replace("{}", "scanned"))?.rows;
    let indexed = client.simple(&question.replace("{}", "indexed"))?.rows;
    ensure!(
        scanned == indexed,
        "seed {seed}, step {step}: {question}\nscanned {scanned:?}\nindexed {indexed:?}"
    );
    Ok(())
}
