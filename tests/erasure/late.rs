//! Transactions that began before an erasure: who writes the person is refused, others are not.

use anyhow::{Result, ensure};

use super::people;
use crate::client::{Client, value};
use crate::server::Server;

/// Rows of a statement that go to a file at once.
const MANY: usize = 140_000;

pub(super) fn writers_are_refused() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    people::prepare(&mut client)?;
    let erased = people::people(0, 3);
    people::plant(&mut client, &erased)?;
    let order =
        |email: &str| format!("INSERT INTO orders VALUES ('late', '{email}', NULL, 1, now())");
    let bulk = |email: &str| {
        format!(
            "INSERT INTO orders SELECT 'bulk' || g, CASE g WHEN 7 THEN '{email}' END, NULL, g, now() \
               FROM generate_series(1, {MANY}) g"
        )
    };
    let device = format!("INSERT INTO events VALUES ('new', '{}', '{{}}', now())", erased[2].key());
    let cases = [
        ("a row", order(&erased[0].email()), true),
        ("a file", bulk(&erased[1].email()), true),
        ("another identifier", device, true),
        ("another person", order("somebody@writers.example"), false),
    ];
    for (at, (name, statement, is_refused)) in cases.iter().enumerate() {
        let mut writer = Client::connect(server.port, "postgres")?;
        writer.simple("BEGIN")?;
        writer.simple(statement)?;
        match erased.get(at) {
            Some(one) => client.simple(&format!(
                "CALL gdpr.erase('email:{}', reason => 'art. 17')",
                one.email()
            ))?,
            None => client.simple("CALL gdpr.purge(wait => interval '0 seconds')")?,
        };
        let committed = writer.simple("COMMIT");
        let error = committed.as_ref().err().map(ToString::to_string).unwrap_or_default();
        ensure!(error.starts_with("40001") == *is_refused, "{name}: {error}");
    }
    let rows = value(&mut client, "SELECT count(*) FROM orders")?;
    ensure!(rows == "1", "there are {rows} orders");
    Ok(())
}
