//! Privileges as a table of cases: `rights/cases.txt` says what each statement meets for each role,
//! `rights/setup.sql` what they were given.

use anyhow::{Context, Result, bail};
use libtest_mimic::{Failed, Trial};

use crate::client::{Client, ServerError};
use crate::server;

/// The roles of the table's columns, without their prefix.
const ROLES: [&str; 8] = ["nobody", "reader", "column", "writer", "owner", "all", "heir", "aloof"];

/// One trial for the table, one for what only a login shows.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("rights::cases", cases), Trial::test("rights::logins", logins)]
}

fn file(name: &str) -> Result<String> {
    let path = format!("{}/rights/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).context(path)
}

fn cases() -> Result<(), Failed> {
    let port = server::shared_port()?;
    Client::connect(port, "postgres")?.simple("CREATE DATABASE rights")?;
    let mut client = Client::connect(port, "rights")?;
    client.simple(&file("setup.sql")?).context("setup.sql")?;
    let mut wrong = Vec::new();
    for line in file("cases.txt")?.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.rsplitn(ROLES.len() + 1, '|').map(str::trim).collect::<Vec<_>>();
        fields.reverse();
        let [statement, expected @ ..] = fields.as_slice() else { continue };
        if expected.len() != ROLES.len() {
            return Err(format!("not a case: {line}").into());
        }
        for (role, expected) in ROLES.iter().zip(expected) {
            let met = meet(&mut client, role, statement)?;
            if met != *expected {
                wrong.push(format!("{role}: {statement}: {met}, not {expected}"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// `ok` or the SQLSTATE that a role meets with a statement, whose effect is taken back.
fn meet(client: &mut Client, role: &str, statement: &str) -> Result<String> {
    client.simple(&format!("SET ROLE rights_{role}"))?;
    client.simple("BEGIN")?;
    let met = match client.simple(statement) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.downcast::<ServerError>()?.sqlstate,
    };
    client.simple("ROLLBACK")?;
    client.simple("RESET ROLE")?;
    Ok(met)
}

fn logins() -> Result<(), Failed> {
    let port = server::shared_port()?;
    let mut admin = Client::connect(port, "postgres")?;
    for statement in [
        "CREATE DATABASE closed",
        "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
        "CREATE ROLE rights_login LOGIN PASSWORD 'secret'",
        "CREATE ROLE rights_group",
        "CREATE ROLE rights_other",
        "GRANT rights_group TO rights_login",
        "CREATE TABLE shown (n int)",
        "GRANT SELECT ON shown TO rights_login",
    ] {
        admin.simple(statement).context(statement)?;
    }
    let connect = |database: &str| Client::connect_as(port, database, ("rights_login", "secret"));
    refused(connect("closed").map(drop), "42501")?;
    let mut own = connect("postgres")?;
    refused(own.simple("SET ROLE rights_other").map(drop), "42501")?;
    refused(own.simple("SET SESSION AUTHORIZATION admin").map(drop), "42501")?;
    own.simple("SET ROLE rights_group")?;
    own.simple("RESET ROLE")?;
    // Rights are asked for when a statement is executed: a REVOKE concerns what was prepared.
    own.simple("PREPARE p AS SELECT * FROM shown")?;
    own.simple("EXECUTE p")?;
    admin.simple("REVOKE SELECT ON shown FROM rights_login")?;
    refused(own.simple("EXECUTE p").map(drop), "42501")?;
    refused(
        own.simple(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'admin'",
        )
        .map(drop),
        "42501",
    )?;
    let seen = own.simple("SELECT DISTINCT query FROM pg_stat_activity WHERE usename = 'admin'")?;
    if seen.rows != [[Some("<insufficient privilege>".to_owned())]] {
        return Err(format!("other sessions' statements are shown: {:?}", seen.rows).into());
    }
    Ok(())
}

fn refused(answer: Result<()>, sqlstate: &str) -> Result<()> {
    match answer {
        Ok(()) => bail!("not refused with {sqlstate}"),
        Err(error) => match error.downcast::<ServerError>()? {
            error if error.sqlstate == sqlstate => Ok(()),
            error => bail!("{error}, not {sqlstate}"),
        },
    }
}
