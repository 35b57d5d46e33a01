//! Foreign keys against others who commit meanwhile: what `foreign_keys.slt` cannot show with one
//! connection.

use anyhow::{Context, Result, bail};
use libtest_mimic::{Failed, Trial};

use crate::client::{Client, ServerError};
use crate::server;

/// What the first session does, what the second commits meanwhile, and how the first ends.
const RACES: &[(&str, &str, &str, &str)] = &[
    ("parent_deleted", "INSERT INTO c VALUES (1)", "DELETE FROM p WHERE id = 1", "40001"),
    ("child_inserted", "DELETE FROM p WHERE id = 1", "INSERT INTO c VALUES (1)", "40001"),
    ("parent_updated", "INSERT INTO c VALUES (1)", "UPDATE p SET v = 2 WHERE id = 1", "ok"),
    ("other_child", "DELETE FROM p WHERE id = 1", "INSERT INTO c VALUES (2)", "ok"),
    ("other_parent", "INSERT INTO c VALUES (1)", "DELETE FROM p WHERE id = 2", "ok"),
];

/// One trial for each race.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |race: &'static (&str, &str, &str, &str)| {
        Trial::test(format!("foreign_keys::{}", race.0), move || check(race))
    };
    RACES.iter().map(trial).collect()
}

fn check((name, first, second, expected): &(&str, &str, &str, &str)) -> Result<(), Failed> {
    let port = server::shared_port()?;
    let database = format!("fk_{name}");
    Client::connect(port, "postgres")?.simple(&format!("CREATE DATABASE {database}"))?;
    let (mut one, mut other) =
        (Client::connect(port, &database)?, Client::connect(port, &database)?);
    one.simple(
        "CREATE TABLE p (id int PRIMARY KEY, v int); CREATE TABLE c (p int REFERENCES p);
         INSERT INTO p VALUES (1), (2)",
    )?;
    one.simple("BEGIN")?;
    one.simple(first).context("the first")?;
    other.simple(second).context("the second")?;
    let met = match one.simple("COMMIT") {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.downcast::<ServerError>()?.sqlstate,
    };
    if met != *expected {
        return Err(format!("the commit met {met}, not {expected}").into());
    }
    whole(&mut other)?;
    Ok(())
}

/// Refuses rows that refer to nothing.
fn whole(client: &mut Client) -> Result<()> {
    let orphans = client.simple("SELECT * FROM c WHERE p NOT IN (SELECT id FROM p)")?;
    if orphans.rows.is_empty() { Ok(()) } else { bail!("orphans: {:?}", orphans.rows) }
}
