//! Checks with real PostgreSQL clients (`clients/*`): each script prints `PASS name` and
//! `FAIL name: reason`. `clients/floors.txt` says how many must pass; a script whose client is not
//! installed is skipped with a word.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::client::Client;
use crate::server::{PASSWORD, Server};

/// A login without any rights, for the checks of privileges.
const ROLE: &str = "unprivileged";

/// The driver as Debian installs it (`libpostgresql-jdbc-java`).
const PGJDBC: &str = "/usr/share/java/postgresql.jar";

const SCRIPTS: &[(&str, &[&str])] = &[
    ("wire", &["python3", "wire_checks.py"]),
    ("psycopg", &["python3", "py_psycopg.py"]),
    ("psql", &["bash", "psql_checks.sh"]),
    ("dump", &["bash", "dump_checks.sh"]),
    ("dialect", &["python3", "dialect_checks.py"]),
    ("bishapes", &["python3", "dialect_checks.py", "--cases", "bishapes_cases.txt"]),
    ("asyncpg", &["python3", "py_asyncpg.py"]),
    ("sqlalchemy", &["python3", "py_sqlalchemy.py"]),
    ("jdbc", &["java", "-cp", PGJDBC, "JdbcChecks.java"]),
    ("dbt", &["bash", "dbt_checks.sh"]),
];

/// One trial for each script.
pub(crate) fn trials() -> Vec<Trial> {
    SCRIPTS
        .iter()
        .map(|(name, command)| Trial::test(format!("clients::{name}"), move || run(name, command)))
        .collect()
}

fn run(name: &str, command: &[&str]) -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let floor = floor(&folder, name)?;
    if !is_installed(name)? {
        eprintln!("{name}: its client is not installed, skipped");
        return Ok(());
    }
    let identity = tempfile::TempDir::new()?;
    let authority = if name == "wire" { certificate(identity.path())? } else { None };
    let server = match &authority {
        Some(_) => Server::with(&identity.path().join("data"), &tls(identity.path()))?,
        None => Server::start()?,
    };
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
        .envs(authority.map(|path| ("PGTEST_CA", path)))
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

/// A new authority's certificate, beside one for `localhost` that it has signed; `None` when
/// `openssl` is not installed.
fn certificate(folder: &Path) -> Result<Option<PathBuf>, Failed> {
    const STEPS: [&str; 3] = [
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority \
         -keyout ca.key -out ca.crt",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
         -extfile names.cnf -out server.crt",
    ];
    std::fs::write(folder.join("names.cnf"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n")?;
    for step in STEPS {
        let mut openssl = Command::new("openssl");
        openssl.args(step.split_whitespace()).current_dir(folder);
        match openssl.output() {
            Err(_) => {
                eprintln!("wire: openssl is not installed, TLS is not checked");
                return Ok(None);
            }
            Ok(output) if !output.status.success() => {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            }
            Ok(_) => {}
        }
    }
    Ok(Some(folder.join("ca.crt")))
}

fn tls(folder: &Path) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    vec!["--tls-cert".to_owned(), path("server.crt"), "--tls-key".to_owned(), path("server.key")]
}

/// Whether the client that a script drives is there.
fn is_installed(name: &str) -> Result<bool, Failed> {
    let modules = match name {
        "psycopg" | "dialect" | "bishapes" => "psycopg",
        "asyncpg" => "asyncpg",
        "sqlalchemy" => "sqlalchemy, psycopg, psycopg2, asyncpg, pg8000, greenlet, pandas",
        "jdbc" => {
            let java = Command::new("java").arg("-version").output();
            return Ok(Path::new(PGJDBC).exists() && java.is_ok());
        }
        "dbt" => {
            let dbt = std::env::var_os("DBT").unwrap_or_else(|| "dbt".into());
            return Ok(Command::new(dbt).arg("--version").output().is_ok());
        }
        _ => return Ok(true),
    };
    let import = format!("import {modules}");
    Ok(Command::new("python3").args(["-c", &import]).output()?.status.success())
}

fn floor(folder: &Path, name: &str) -> Result<usize, Failed> {
    let text = std::fs::read_to_string(folder.join("floors.txt"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    line.ok_or_else(|| format!("floors.txt does not name {name}").into())
}
