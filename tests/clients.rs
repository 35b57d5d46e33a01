//! Checks with real PostgreSQL clients (`clients/*`): each script prints `PASS name` and
//! `FAIL name: reason`. `clients/floors.txt` says how many must pass; a script whose client is not
//! installed is skipped with a word.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::client::Client;
use crate::server::{PASSWORD, Server};

/// A login without any rights, for the checks of privileges.
const ROLE: &str = "unprivileged";

const SCRIPTS: &[(&str, &[&str])] = &[
    ("wire", &["python3", "wire_checks.py"]),
    ("psycopg", &["python3", "py_psycopg.py"]),
    ("psql", &["bash", "psql_checks.sh"]),
    ("dialect", &["python3", "dialect_checks.py"]),
    ("bishapes", &["python3", "dialect_checks.py", "--cases", "bishapes_cases.txt"]),
];

/// One trial for each script.
pub fn trials() -> Vec<Trial> {
    SCRIPTS
        .iter()
        .map(|(name, command)| Trial::test(format!("clients::{name}"), move || run(name, command)))
        .collect()
}

fn run(name: &str, command: &[&str]) -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let floor = floor(&folder, name)?;
    let needs_psycopg = matches!(name, "psycopg" | "dialect" | "bishapes");
    if needs_psycopg
        && !Command::new("python3").args(["-c", "import psycopg"]).output()?.status.success()
    {
        eprintln!("{name}: psycopg is not installed, skipped");
        return Ok(());
    }
    let server = Server::start()?;
    Client::connect(server.port, "postgres")?
        .simple(&format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"))?;
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(&folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(server.environment())
        .env("PGTEST_ROLE", ROLE)
        .env("PGTEST_ROLE_PASSWORD", PASSWORD)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = text.lines().filter(|line| line.starts_with("PASS ")).count();
    let failed: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL ")).collect();
    println!("{name}: {passed} passed, {} failed, at least {floor} must pass", failed.len());
    match passed >= floor {
        true => Ok(()),
        false => Err(format!("{passed} passed, fewer than {floor}:\n{}", failed.join("\n")).into()),
    }
}

fn floor(folder: &Path, name: &str) -> Result<usize, Failed> {
    let text = std::fs::read_to_string(folder.join("floors.txt"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    line.ok_or_else(|| format!("floors.txt does not name {name}").into())
}
