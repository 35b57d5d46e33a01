//! The README's tour, through a real `psql`.

use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::server;

/// The tour.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("tour::readme", readme)]
}

const CONTACTS: &str = "contact_id,email,mobile,first_name,last_name,born,zip,city,created_at
17,jane@example.com,+33 6 12 34 56 78,Jane,Müller,1980-02-29,75011,Paris,2026-01-02 03:04:05+00
18,otto@example.org,,Otto,Weiß,1975-12-31,10115,Berlin,2026-02-03 04:05:06+00
";

fn readme() -> Result<(), Failed> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
    let tour = readme.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next());
    let tour = tour.ok_or("the README has no tour")?;
    let folder = tempfile::TempDir::new()?;
    std::fs::write(folder.path().join("contacts.csv"), CONTACTS)?;
    std::fs::write(folder.path().join("tour.sql"), tour)?;
    let output = Command::new("psql")
        .args(["-X", "-v", "ON_ERROR_STOP=1", "-f", "tour.sql"])
        .current_dir(folder.path())
        .envs(server::shared_environment()?)
        .output()?;
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("psql failed: {err}\n{out}").into());
    }
    for sign in [
        "CREATE DATABASE",
        "CREATE DOMAIN",
        "COPY 2",
        "2 | 111.50",
        "loyalty_card:9204",
        "{lapsed,vip}",
        "| entered |",
        "SELECT 0",
        "REFRESH MATERIALIZED VIEW",
        "rows_after",
        "files_rewritten",
        "verify_receipt",
    ] {
        if !out.contains(sign) {
            return Err(format!("psql did not print {sign}: {out}").into());
        }
    }
    Ok(())
}
