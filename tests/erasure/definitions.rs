//! Definitions that name somebody who was erased: the purge tells where, and signs once they are
//! corrected. What the engine itself has written of them, nobody needs to correct.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{people, search};
use crate::client::{Client, value};
use crate::server::Server;

/// What is made, the place that the purge tells, how it is corrected. `{mail}` is the person's.
const CASES: &[(&str, &str, &str)] = &[
    (
        "CREATE VIEW named AS SELECT total FROM orders WHERE email = '{mail}'",
        "definition of public.named",
        "DROP VIEW named",
    ),
    (
        "CREATE TABLE defaulted (note text DEFAULT 'of {mail}')",
        "definition of public.defaulted",
        "ALTER TABLE defaulted ALTER note DROP DEFAULT",
    ),
    (
        "ALTER TABLE orders ADD CONSTRAINT others CHECK (email <> '{mail}') NOT VALID",
        "definition of public.orders",
        "ALTER TABLE orders DROP CONSTRAINT others",
    ),
    (
        "CREATE INDEX few ON order_lines (order_id) WHERE product <> '{mail}'",
        "definition of public.order_lines",
        "DROP INDEX few",
    ),
    (
        "COMMENT ON COLUMN events.properties IS 'such as of {mail}'",
        "definition of public.events",
        "COMMENT ON COLUMN events.properties IS NULL",
    ),
    (
        "CREATE POLICY hers ON contacts USING (email <> '{mail}')",
        "definition of public.contacts",
        "DROP POLICY hers ON contacts",
    ),
    (
        "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM orders WHERE email <> '{mail}'",
        "definition of public.counted",
        "DROP MATERIALIZED VIEW counted",
    ),
    (
        "CREATE TABLE \"of {mail}\" (x int)",
        "definition of public.of {mail}",
        "DROP TABLE \"of {mail}\"",
    ),
    (
        "CREATE FUNCTION hers() RETURNS text LANGUAGE sql AS $$ SELECT '{mail}' $$",
        "definition of function public.hers",
        "DROP FUNCTION hers",
    ),
    (
        "CREATE DOMAIN other AS text CHECK (VALUE <> '{mail}')",
        "definition of type public.other",
        "DROP DOMAIN other",
    ),
    (
        "CREATE TYPE pages AS ENUM ('home', '{mail}')",
        "definition of type public.pages",
        "DROP TYPE pages",
    ),
    (
        "CREATE SCHEMA aside; COMMENT ON SCHEMA aside IS 'for {mail}'",
        "definition of schema aside",
        "COMMENT ON SCHEMA aside IS NULL",
    ),
    ("CREATE ROLE \"{mail}\"", "definition of role {mail}", "DROP ROLE \"{mail}\""),
    (
        "CREATE ROLE clerk; ALTER ROLE clerk SET application_name = 'of {mail}'",
        "definition of role clerk",
        "ALTER ROLE clerk RESET application_name",
    ),
    (
        "COMMENT ON DATABASE postgres IS 'of {mail}'",
        "definition of database postgres",
        "COMMENT ON DATABASE postgres IS NULL",
    ),
];

/// What the engine keeps of these statements, and clears by itself; or what is never on the disk.
const OWN: &[&str] = &[
    "CREATE MATERIALIZED VIEW segments.hers AS SELECT customer_id FROM orders WHERE email = '{mail}'; \
     DROP MATERIALIZED VIEW segments.hers",
    "CALL gdpr.set_retention('few', interval '3 years', 'ask', \
       anchors => ARRAY['orders (ordered_at) WHERE (email <> ''{mail}'')'])",
    "CALL gdpr.declare('orders', ARRAY['shop'], 'contract', origin => 'as {mail} was told')",
    "CALL gdpr.hold('events', ARRAY['at'], 'as {mail} asked'); \
     CALL gdpr.release((SELECT max(hold_id) FROM gdpr.holds))",
    "SET clientele.reason = 'asked by {mail}'; CALL gdpr.classify('orders', 'total', 'null'); \
     GRANT SELECT (card) ON orders TO pg_monitor; RESET clientele.reason",
    "CALL consent.declare_purpose('parcels', columns => ARRAY['orders.card'], reason => 'for {mail}')",
    "LISTEN parcels; NOTIFY parcels, 'of {mail}'",
    "PREPARE hers AS SELECT count(*) FROM orders WHERE email = '{mail}'; EXECUTE hers",
    "CREATE TEMP TABLE mine AS SELECT * FROM contacts WHERE email = '{mail}'; DROP TABLE mine",
    "BEGIN; INSERT INTO contacts VALUES ('rolled back', '{mail}'); ROLLBACK",
    "EXPLAIN ANALYZE SELECT * FROM orders WHERE email = '{mail}'",
];

pub(super) fn are_told() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    people::prepare(&mut client)?;
    let (erased, others) = (people::people(0, 1), people::people(100_000, 2));
    people::plant(&mut client, &erased)?;
    people::plant(&mut client, &others)?;
    let mail = erased.first().map(people::Person::email).context("nobody")?;
    let of = |text: &str| text.replace("{mail}", &mail);
    for statement in CASES.iter().map(|(make, ..)| make).chain(OWN) {
        client.simple(&of(statement)).with_context(|| of(statement))?;
    }
    client.simple(&of("CALL gdpr.erase('email:{mail}', reason => 'letter of {mail}')"))?;
    let told = notices(&mut client, "CALL gdpr.purge()")?;
    for (make, place, _) in CASES {
        let is_told = told.iter().any(|one| one.contains(&format!("found in {} (", of(place))));
        ensure!(is_told, "{make}: no notice of \"{place}\" among {told:#?}");
    }
    let own = told.iter().filter(|one| !one.contains("definition of") && !one.contains(".redb"));
    ensure!(own.clone().count() == 0, "nobody can correct {:#?}", own.collect::<Vec<_>>());
    let state = "SELECT string_agg(state, ' ') FROM gdpr.erasures";
    ensure!(value(&mut client, state)? == "residue", "a receipt in spite of what was found");
    for (_, _, correct) in CASES {
        client.simple(&of(correct)).with_context(|| of(correct))?;
    }
    let told = notices(&mut client, "CALL gdpr.purge()")?;
    ensure!(told.is_empty(), "still found: {told:#?}");
    ensure!(value(&mut client, state)? == "completed", "there is no receipt");
    let valid = "SELECT bool_and(gdpr.verify_receipt(receipt_id)) AND \
                 (SELECT valid FROM gdpr.verify_audit()) FROM gdpr.receipts";
    ensure!(value(&mut client, valid)? == "t", "the receipt or the log of reads is not valid");
    let left = search::search(&data, &erased)?;
    ensure!(left.is_empty(), "left: {left:?}");
    server.kill();
    let server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    ensure!(value(&mut client, valid)? == "t", "not valid after a crash");
    let back = "SELECT (SELECT count(*) FROM pg_proc WHERE proname = 'hers') + \
                (SELECT count(*) FROM pg_type WHERE typname IN ('other', 'pages'))";
    ensure!(value(&mut client, back)? == "0", "what was dropped is there again");
    let reason = "SELECT reason FROM gdpr.requests WHERE kind = 'erasure'";
    ensure!(value(&mut client, reason)? == "letter of [erased]", "the reason is gone");
    Ok(())
}

/// The warnings that come with an answer.
fn notices(client: &mut Client, statement: &str) -> Result<Vec<String>> {
    let mut message = vec![b'Q'];
    message.extend((u32::try_from(statement.len())? + 5).to_be_bytes());
    message.extend(statement.as_bytes());
    message.push(0);
    client.send(&message)?;
    let mut found = Vec::new();
    loop {
        let frame = client.frame(Duration::from_secs(60))?;
        let (letter, bytes) = frame.with_context(|| format!("no answer: {statement}"))?;
        let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
        match letter {
            b'Z' => return Ok(found),
            b'E' => anyhow::bail!("{statement}: {text}"),
            b'N' if text.contains("WARNING") => found.push(text),
            _ => {}
        }
    }
}
