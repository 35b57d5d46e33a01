//! Segments: what is computed for some customers is what the definition says of all, whatever
//! happens to rows and to who is who.

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Failed, Trial};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::{Client, value};
use crate::server::Server;

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, run: fn() -> Result<()>| {
        Trial::test(format!("segments::{name}"), move || {
            run().map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    vec![
        trial("incremental_is_full", incremental),
        trial("sets_are_what_they_say", sets),
        trial("survive_a_crash", crash),
        trial("go_on_after_a_stop", stop),
        trial("miss_nothing_after_a_failure", failure),
        trial("are_made_by_analysts", rights),
    ]
}

const TABLES: &str = "CREATE TABLE contacts (id customer_key PRIMARY KEY, email email); \
    CREATE TABLE products (product int PRIMARY KEY, category text); \
    CREATE TABLE orders (order_id int PRIMARY KEY, email email, total int, product int, ordered_at timestamptz); \
    INSERT INTO products SELECT g, CASE g % 3 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(0, 9) g";

/// Definitions, and whether some customers can be computed alone.
const DEFINITIONS: &[(&str, bool)] = &[
    ("SELECT customer_id FROM orders GROUP BY 1 HAVING sum(total) > 150", true),
    ("SELECT DISTINCT customer_id FROM orders WHERE total > 50", true),
    (
        "SELECT o.customer_id, count(*) AS n FROM orders o JOIN contacts c USING (customer_id) GROUP BY 1",
        true,
    ),
    ("SELECT customer_id FROM contacts EXCEPT SELECT customer_id FROM orders", true),
    ("SELECT customer_id FROM orders INTERSECT SELECT customer_id FROM contacts", true),
    (
        "SELECT customer_id FROM contacts c WHERE NOT EXISTS \
      (SELECT 1 FROM orders o WHERE o.customer_id = c.customer_id AND o.total > 20)",
        true,
    ),
    (
        "SELECT customer_id FROM contacts WHERE customer_id IN (SELECT customer_id FROM orders WHERE total < 10)",
        true,
    ),
    (
        "SELECT customer_id FROM (SELECT customer_id, row_number() OVER \
      (PARTITION BY customer_id ORDER BY order_id) AS n FROM orders) AS t WHERE n = 3",
        true,
    ),
    (
        "SELECT customer_id FROM orders WHERE ordered_at > now() - interval '2 seconds' GROUP BY 1",
        true,
    ),
    (
        "SELECT customer_id FROM orders GROUP BY 1 HAVING max(ordered_at) < now() - interval '1 second'",
        true,
    ),
    (
        "SELECT customer_id FROM orders JOIN products USING (product) WHERE category = 'a' GROUP BY 1 HAVING count(*) >= 2",
        true,
    ),
    (
        "SELECT c.customer_id, coalesce(sum(o.total), 0) AS total FROM contacts c \
      LEFT JOIN orders o ON o.customer_id = c.customer_id GROUP BY 1",
        true,
    ),
    (
        "SELECT customer_id FROM orders WHERE total > 90 UNION SELECT customer_id FROM contacts WHERE id LIKE '%7'",
        true,
    ),
    ("SELECT customer_id FROM customers.profiles WHERE identifier_count > 2", true),
    ("SELECT customer_id FROM orders GROUP BY 1 ORDER BY sum(total) DESC, 1 LIMIT 5", false),
    (
        "SELECT customer_id FROM orders GROUP BY 1 HAVING sum(total) > (SELECT avg(total) FROM orders)",
        false,
    ),
    ("SELECT customer_id, now() AS at FROM orders", false),
];

/// A random change of rows, or of who is who.
fn change(random: &mut ChaCha8Rng, next: &mut u32) -> String {
    let person = |random: &mut ChaCha8Rng| random.random_range(0..60);
    match random.random_range(0..12) {
        0..=5 => {
            let rows: Vec<String> = (0..random.random_range(1..6))
                .map(|_| {
                    *next += 1;
                    let email = match random.random_range(0..12) {
                        0 => "NULL".to_owned(),
                        _ => format!("'p{}@shop.example'", person(random)),
                    };
                    let (total, product) =
                        (random.random_range(0..100), random.random_range(0..10));
                    format!("({next}, {email}, {total}, {product}, now())")
                })
                .collect();
            format!("INSERT INTO orders VALUES {}", rows.join(", "))
        }
        6 => format!("DELETE FROM orders WHERE order_id % 23 = {}", random.random_range(0..23)),
        7 => format!(
            "UPDATE orders SET total = {}, email = 'p{}@shop.example' WHERE order_id % 29 = {}",
            random.random_range(0..100),
            person(random),
            random.random_range(0..29)
        ),
        8 | 9 => {
            *next += 1;
            format!("INSERT INTO contacts VALUES ('{next}', 'p{}@shop.example')", person(random))
        }
        10 => format!(
            "CALL identity.merge('email:p{}@shop.example', 'email:p{}@shop.example', reason => 'one')",
            person(random),
            person(random)
        ),
        _ => match random.random_range(0..4) {
            0 => format!(
                "UPDATE products SET category = 'a' WHERE product = {}",
                random.random_range(0..10)
            ),
            1 => "CALL clientele.flush()".to_owned(),
            2 => format!(
                "CALL identity.split('email:p{}@shop.example', 'email:p{}@shop.example', reason => 'two')",
                person(random),
                person(random)
            ),
            _ => "CALL clientele.compact()".to_owned(),
        },
    }
}

fn incremental() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLES)?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut next = 0;
    for (number, (definition, _)) in DEFINITIONS.iter().enumerate() {
        client.simple(&format!("CREATE MATERIALIZED VIEW segments.s{number} AS {definition}"))?;
    }
    for round in 0..25 {
        for _ in 0..random.random_range(1..8) {
            let sql = change(&mut random, &mut next);
            // Not every pair of identifiers can be merged or split.
            if let Err(error) = client.simple(&sql) {
                ensure!(sql.starts_with("CALL identity"), "{sql}: {error}");
            }
        }
        for (number, (definition, _)) in DEFINITIONS.iter().enumerate() {
            client.simple("BEGIN")?;
            client.simple(&format!("REFRESH MATERIALIZED VIEW segments.s{number}"))?;
            // now() is the same in the whole transaction.
            let known = format!("SELECT * FROM ({definition}) AS d WHERE customer_id IS NOT NULL");
            let stored = format!("SELECT * FROM segments.s{number}");
            for (one, other) in [(&known, &stored), (&stored, &known)] {
                let missing = value(
                    &mut client,
                    &format!("SELECT count(*) FROM ({one} EXCEPT ALL {other}) AS missing"),
                )?;
                ensure!(
                    missing == "0",
                    "round {round}: {missing} rows of {one} are not in {other}"
                );
            }
            client.simple("COMMIT")?;
        }
        let differ = "SELECT count(*) FROM (SELECT DISTINCT customer_id FROM segments.s{} \
            EXCEPT SELECT customer_id FROM membership.current WHERE segment = 's{}') AS a";
        for number in 0..DEFINITIONS.len() {
            let differ = differ.replace("{}", &number.to_string());
            let count = value(&mut client, &differ)?;
            ensure!(count == "0", "round {round}: {count} members of s{number} are not current");
        }
    }
    for (number, (definition, local)) in DEFINITIONS.iter().enumerate() {
        let modes = format!(
            "SELECT count(*) FILTER (WHERE mode = 'incremental') || '/' || count(*) FROM membership.runs \
             WHERE segment = 's{number}'"
        );
        let modes = value(&mut client, &modes)?;
        let none = modes.starts_with("0/");
        let reason = format!("SELECT max(reason) FROM membership.runs WHERE segment = 's{number}'");
        let reason = value(&mut client, &reason)?;
        ensure!(none != *local, "{definition}: {modes} were incremental ({reason})");
    }
    Ok(())
}

/// A random query over segments, each written `{number}`.
fn set(random: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 {
        return format!("SELECT customer_id FROM {{{}}} AS s0", random.random_range(0..SETS.len()));
    }
    let left = set(random, depth - 1);
    let within = random.random_range(0..depth);
    let right = set(random, within);
    let (a, b) = (format!("a{depth}"), format!("b{depth}"));
    match random.random_range(0..14) {
        0 | 1 => format!("({left}) INTERSECT ({right})"),
        2 | 3 => format!("({left}) UNION ({right})"),
        4 | 5 => format!("({left}) EXCEPT ({right})"),
        6 => format!("({left}) UNION ALL ({right})"),
        7 => format!("({left}) INTERSECT ALL ({right})"),
        8 => format!("SELECT DISTINCT customer_id FROM ({left}) AS {a}"),
        9 => format!("SELECT customer_id FROM ({left}) AS {a} WHERE customer_id IN ({right})"),
        10 => format!("SELECT customer_id FROM ({left}) AS {a} WHERE customer_id NOT IN ({right})"),
        11 => format!(
            "SELECT {a}.customer_id FROM ({left}) AS {a} JOIN ({right}) AS {b} USING (customer_id)"
        ),
        which => {
            let not = if which == 12 { "NOT " } else { "" };
            format!(
                "SELECT {a}.customer_id FROM ({left}) AS {a} WHERE {not}EXISTS \
                 (SELECT 1 FROM ({right}) AS {b} WHERE {b}.customer_id = {a}.customer_id)"
            )
        }
    }
}

/// Segments with customers that come twice, with nobody in them, and ordinary ones.
const SETS: &[&str] = &[
    "SELECT customer_id FROM orders WHERE total > 40",
    "SELECT DISTINCT customer_id FROM orders WHERE total < 70",
    "SELECT DISTINCT customer_id FROM contacts",
    "SELECT customer_id, max(total) AS most FROM orders GROUP BY 1 HAVING count(*) > 1",
    "SELECT DISTINCT customer_id FROM orders WHERE total > 1000",
];

/// Set operations over bitmaps give what they give over rows: whoever merges, splits or is erased,
/// as of any day.
fn sets() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLES)?;
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let (mut next, mut as_bitmaps, mut whole) = (0, 0, 0);
    for (number, definition) in SETS.iter().enumerate() {
        client.simple(&format!("CREATE MATERIALIZED VIEW segments.s{number} AS {definition}"))?;
    }
    for round in 0..20 {
        let merged = format!(
            "CALL identity.merge('email:p{}@shop.example', 'email:p{}@shop.example', reason => 'one')",
            random.random_range(0..60),
            random.random_range(0..60)
        );
        for sql in [change(&mut random, &mut next), change(&mut random, &mut next), merged] {
            let _ = client.simple(&sql);
        }
        let again = random.random_range(0..SETS.len());
        client.simple(&format!("REFRESH MATERIALIZED VIEW segments.s{again}"))?;
        client.simple("RESET clientele.as_of")?;
        if round % 4 == 3 {
            let then = value(&mut client, "SELECT clock_timestamp() - interval '0.3 seconds'")?;
            client.simple(&format!("SET clientele.as_of = '{then}'"))?;
        }
        for _ in 0..12 {
            let depth = random.random_range(1..5);
            let query = set(&mut random, depth);
            let (mut bitmaps, mut rows) = (query.clone(), query);
            for number in 0..SETS.len() {
                let place = format!("{{{number}}}");
                bitmaps = bitmaps.replace(&place, &format!("segments.s{number}"));
                // Such a condition is none that operations on bitmaps know.
                let plain = format!(
                    "(SELECT customer_id FROM segments.s{number} WHERE coalesce(customer_id, 0) >= 0)"
                );
                rows = rows.replace(&place, &plain);
            }
            for what in ["customer_id", "count(*)", "count(DISTINCT customer_id)"] {
                let of = |query: &str| format!("SELECT {what} FROM ({query}) AS q ORDER BY 1");
                let (one, other) =
                    (client.simple(&of(&bitmaps))?.rows, client.simple(&of(&rows))?.rows);
                ensure!(one == other, "round {round}: {bitmaps}: {one:?}, not {other:?}");
            }
            let plan = |client: &mut Client, query: &str| -> Result<String> {
                let rows = client.simple(&format!("EXPLAIN {query}"))?.rows;
                Ok(rows.into_iter().flatten().flatten().collect::<Vec<String>>().join("\n"))
            };
            let (one, other) = (plan(&mut client, &bitmaps)?, plan(&mut client, &rows)?);
            as_bitmaps += usize::from(one.contains("MembersExec"));
            whole += usize::from(!one.contains("DataSourceExec"));
            ensure!(!other.contains("MembersExec"), "{other}");
        }
    }
    ensure!(as_bitmaps > 200 && whole > 80, "of 240 plans {as_bitmaps} had bitmaps, {whole} only");
    Ok(())
}

/// A refresh that was acknowledged is there after `kill -9`, rows, members and all.
fn crash() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLES)?;
    client.simple(
        "INSERT INTO orders SELECT g, 'p' || g || '@shop.example', g, 1, now() FROM generate_series(1, 100) g",
    )?;
    client.simple(
        "CREATE MATERIALIZED VIEW segments.vip WITH (refresh = 'on commit') AS \
         SELECT customer_id FROM orders WHERE total > 50",
    )?;
    client.simple("UPDATE orders SET total = 10 WHERE order_id > 90")?;
    client.simple("REFRESH MATERIALIZED VIEW segments.vip")?;
    let figures = "SELECT (SELECT count(*) FROM segments.vip) || ' ' || (SELECT count(*) FROM membership.current) \
        || ' ' || (SELECT count(*) FROM membership.changes WHERE change = 'left')";
    let before = value(&mut client, figures)?;
    ensure!(before == "40 40 10", "before the crash: {before}");
    server.kill();
    let server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    let after = value(&mut client, figures)?;
    ensure!(after == before, "after the crash: {after}, before: {before}");
    client.simple("INSERT INTO orders VALUES (500, 'p1@shop.example', 99, 1, now())")?;
    for _ in 0..100 {
        if value(&mut client, "SELECT count(*) FROM segments.vip")? == "41" {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let state =
        value(&mut client, "SELECT state || coalesce(last_error, '') FROM membership.segments");
    Err(anyhow::anyhow!("who came is no member")).context(state.unwrap_or_default())
}

/// A server that was stopped goes on with the customers for whom something had changed.
fn stop() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLES)?;
    client.simple(
        "INSERT INTO orders SELECT g, 'p' || g || '@shop.example', g, 1, now() FROM generate_series(1, 100) g; \
         INSERT INTO contacts VALUES ('c1', 'p1@shop.example'), ('c2', 'p2@shop.example')",
    )?;
    client.simple(
        "CREATE MATERIALIZED VIEW segments.big AS SELECT customer_id FROM orders WHERE total > 50",
    )?;
    client.simple("CREATE MATERIALIZED VIEW segments.known AS SELECT customer_id FROM contacts")?;
    // The tables are watched from the first look of the task on.
    std::thread::sleep(std::time::Duration::from_millis(700));
    client.simple(
        "REFRESH MATERIALIZED VIEW segments.big; REFRESH MATERIALIZED VIEW segments.known",
    )?;
    client.simple("UPDATE orders SET total = 10 WHERE order_id > 98; INSERT INTO orders VALUES (500, 'p1@shop.example', 99, 1, now())")?;
    drop(client);
    server.terminate()?;
    let server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    std::thread::sleep(std::time::Duration::from_millis(700));
    client.simple("INSERT INTO orders VALUES (501, 'p2@shop.example', 99, 1, now()); CALL identity.merge('email:p3@shop.example', 'email:p4@shop.example', reason => 'one')")?;
    client.simple(
        "REFRESH MATERIALIZED VIEW segments.big; REFRESH MATERIALIZED VIEW segments.known",
    )?;
    let runs = value(
        &mut client,
        "SELECT string_agg(segment || ' ' || mode || ' ' || coalesce(entered_count, 0) || ' ' || coalesce(left_count, 0), ', ' ORDER BY segment) \
         FROM (SELECT DISTINCT ON (segment) * FROM membership.runs ORDER BY segment, run DESC) AS r",
    )?;
    ensure!(runs == "big incremental 2 2, known incremental 0 0", "{runs}");
    let wrong = "SELECT count(*) FROM ((SELECT customer_id FROM orders WHERE total > 50 EXCEPT SELECT customer_id FROM segments.big) \
         UNION ALL (SELECT customer_id FROM segments.big EXCEPT SELECT customer_id FROM orders WHERE total > 50)) AS d";
    let wrong = value(&mut client, wrong)?;
    ensure!(wrong == "0", "{wrong} members are wrong");
    Ok(())
}

/// What was committed before a refresh that failed is not lost on the next one.
fn failure() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLES)?;
    client.simple(
        "INSERT INTO orders SELECT g, 'p' || g || '@shop.example', g, 1, now() FROM generate_series(1, 9) g; \
         CREATE MATERIALIZED VIEW segments.f WITH (refresh = 'on commit') AS \
         SELECT customer_id FROM orders GROUP BY 1 HAVING sum(1000 / total) > 0",
    )?;
    let mut until = |sql: &str, wanted: &str| -> Result<()> {
        let mut found = String::new();
        for _ in 0..200 {
            found = value(&mut client, sql)?;
            if found == wanted {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        Err(anyhow::anyhow!("{sql} is {found}, not {wanted}"))
    };
    let change = |sql: &str| Client::connect(server.port, "postgres")?.simple(sql).map(drop);
    let (state, count) =
        ("SELECT state FROM membership.segments", "SELECT count(*) FROM segments.f");
    change("INSERT INTO orders VALUES (20, 'p20@shop.example', 5, 1, now())")?;
    until(count, "10")?;
    change(
        "INSERT INTO orders VALUES (21, 'p21@shop.example', 5, 1, now()), (22, 'p22@shop.example', 0, 1, now())",
    )?;
    until(state, "failed")?;
    change("DELETE FROM orders WHERE order_id = 22")?;
    until(state, "fresh")?;
    until(count, "11")
}

/// Analysts make segments; who may see members is for the owner of these relations to say.
fn rights() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLES)?;
    client.simple(
        "INSERT INTO orders SELECT g, 'p' || g || '@shop.example', g, 1, now() FROM generate_series(1, 9) g; \
         CREATE ROLE analyst; GRANT USAGE, CREATE ON SCHEMA segments TO analyst; \
         GRANT USAGE ON SCHEMA membership TO analyst; GRANT SELECT ON orders TO analyst; SET ROLE analyst",
    )?;
    client.simple(
        "CREATE MATERIALIZED VIEW segments.own AS SELECT customer_id FROM orders WHERE total > 4",
    )?;
    let members = "SELECT count(*) || ' ' || min(owner) FROM membership.current \
                   JOIN membership.segments USING (segment)";
    let refused = client.simple(members).err().context("members are shown to anyone")?;
    ensure!(refused.to_string().contains("permission denied"), "{refused}");
    client.simple(
        "RESET ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA membership TO analyst; SET ROLE analyst",
    )?;
    let shown = value(&mut client, members)?;
    ensure!(shown == "5 analyst", "{shown}");
    Ok(())
}
