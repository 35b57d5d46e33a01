//! What a role that nothing was opened to can find out: `leaks/statements.txt` is a list of attempts
//! on the people of `leaks/setup.sql`.
//!
//! Everything that the server sends counts: rows, COPY data, tags, notices, every field of errors.
//! No planted value may be in it; and a statement that names a planted value must be answered as
//! it is for a value of the same form that nobody has, or it could be used to try values.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::{Failed, Trial};

use crate::client::Client;
use crate::server;

/// Fewer statements than that are no suite.
const STATEMENTS_MIN: usize = 750;

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("leaks::statements", || Ok::<(), Failed>(statements()?)),
        Trial::test("leaks::groups", || Ok::<(), Failed>(groups()?)),
    ]
}

/// Rows are grouped by values, and no pseudonym is made that nobody asks for.
fn groups() -> Result<()> {
    let port = server::shared_port()?;
    let mut admin = Client::connect(port, "postgres")?;
    admin.simple(
        "CREATE TABLE grouped (email email, visits int); \
         INSERT INTO grouped VALUES ('jane@example.com', 3); \
         SET ROLE pg_read_all_data",
    )?;
    for (query, pseudonyms) in [
        ("SELECT count(*) FROM (SELECT email FROM grouped GROUP BY email) AS g", 0),
        ("SELECT count(DISTINCT email) FROM grouped WHERE email IS NOT NULL", 0),
        ("SELECT sum(a.visits) FROM grouped a JOIN grouped b USING (email)", 0),
        ("SELECT email, count(*) FROM grouped GROUP BY email", 1),
        ("SELECT email FROM grouped", 1),
    ] {
        let plan = admin.simple(&format!("EXPLAIN {query}"))?.rows;
        let plan = format!("{plan:?}");
        let found = plan.matches("pseudonym(").count();
        ensure!(found == pseudonyms, "{query}: {plan}");
    }
    admin.simple("RESET ROLE; DROP TABLE grouped")?;
    Ok(())
}

/// A planted value.
struct Value {
    name: String,
    planted: String,
    decoy: String,
}

fn file(name: &str) -> Result<String> {
    let path = format!("{}/leaks/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).context(path)
}

fn values() -> Result<Vec<Value>> {
    let text = file("values.txt")?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let value = |line: &str| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [name, planted, decoy] => Ok(Value {
            name: (*name).to_owned(),
            planted: (*planted).to_owned(),
            decoy: (*decoy).to_owned(),
        }),
        _ => bail!("not a value: {line}"),
    };
    lines.map(value).collect()
}

fn filled(text: &str, values: &[Value], of: fn(&Value) -> &str) -> String {
    let fill =
        |text: String, value: &Value| text.replace(&format!("{{{}}}", value.name), of(value));
    values.iter().fold(text.to_owned(), fill)
}

fn statements() -> Result<()> {
    let values = values()?;
    let port = server::shared_port()?;
    Client::connect(port, "postgres")?.simple("CREATE DATABASE leaks")?;
    let mut admin = Client::connect(port, "leaks")?;
    let setup = filled(&file("setup.sql")?, &values, |value| &value.planted);
    admin.simple(&setup).context("setup.sql")?;
    let mut analyst = Client::connect_as(port, "leaks", ("leaks_analyst", "secret"))?;
    let mut owner = Client::connect_as(port, "leaks", ("leaks_owner", "secret"))?;
    let text = file("statements.txt")?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut tried, mut leaks) = (0, Vec::new());
    for line in lines {
        let (client, statement) = match line.strip_prefix("owner: ") {
            Some(statement) => (&mut owner, statement),
            None => (&mut analyst, line),
        };
        tried += 1;
        leaks.extend(leak(client, statement, &values)?.map(|what| format!("{line}: {what}")));
    }
    ensure!(tried >= STATEMENTS_MIN, "only {tried} statements");
    // The values are there, and who may see them does: else nothing above would mean anything.
    let seen = answer(&mut admin, "SELECT * FROM crm.contacts; SELECT * FROM crm.orders")?;
    for value in &values {
        ensure!(contains(&seen, &value.planted), "{} was not planted", value.name);
    }
    for statement in
        ["SELECT note FROM crm.contacts", "SELECT visits FROM crm.contacts WHERE email = '{email}'"]
    {
        let found = leak(&mut admin, statement, &values)?;
        ensure!(found.is_some(), "nothing was found in: {statement}");
    }
    ensure!(leaks.is_empty(), "{} of {tried}:\n{}", leaks.len(), leaks.join("\n"));
    Ok(())
}

/// What a statement gives away.
fn leak(client: &mut Client, statement: &str, values: &[Value]) -> Result<Option<String>> {
    let of_decoy = filled(statement, values, |value| &value.decoy);
    let decoy = answer(client, &of_decoy)?;
    for value in values {
        for form in forms(&value.planted) {
            if contains(&decoy, &form) {
                return Ok(Some(format!("{} is shown", value.name)));
            }
        }
    }
    let of_planted = filled(statement, values, |value| &value.planted);
    if of_planted == of_decoy {
        return Ok(None);
    }
    let planted = answer(client, &of_planted)?;
    let same = comparable(&planted, values) == comparable(&decoy, values);
    Ok((!same).then(|| {
        let text = |frames: &[Frame]| {
            let text = |(_, bytes): &Frame| String::from_utf8_lossy(bytes).replace('\0', " ");
            frames.iter().map(text).collect::<String>()
        };
        format!("it tells values apart: {} | {}", text(&planted), text(&decoy))
    }))
}

/// The forms in which a value would still be one.
fn forms(value: &str) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![value.to_lowercase(), value.chars().rev().collect::<String>().to_lowercase(), hex]
}

/// A message of the server: its letter, and what is in it.
type Frame = (u8, Vec<u8>);

/// All that the server sends for a statement, whose effect is taken back.
fn answer(client: &mut Client, statement: &str) -> Result<Vec<Frame>> {
    exchange(client, "BEGIN")?;
    let frames = exchange(client, statement)?;
    exchange(client, "ROLLBACK")?;
    // A statement may have ended the transaction, and what it prepared stays.
    exchange(client, "DEALLOCATE ALL")?;
    Ok(frames)
}

fn exchange(client: &mut Client, statement: &str) -> Result<Vec<Frame>> {
    let mut message = vec![b'Q'];
    message.extend((u32::try_from(statement.len())? + 5).to_be_bytes());
    message.extend(statement.as_bytes());
    message.push(0);
    client.send(&message)?;
    let mut frames = Vec::new();
    loop {
        let frame = client.frame(Duration::from_secs(60))?;
        let (letter, bytes) = frame.with_context(|| format!("no answer: {statement}"))?;
        if letter == b'Z' {
            return Ok(frames);
        }
        frames.push((letter, bytes));
    }
}

fn contains(frames: &[Frame], value: &str) -> bool {
    let value = value.to_lowercase();
    let has = |(_, bytes): &Frame| String::from_utf8_lossy(bytes).to_lowercase().contains(&value);
    frames.iter().any(has)
}

/// What two answers have in common that tell nothing apart: without the order of rows, the
/// statement's own values, and how long anything took.
fn comparable(frames: &[Frame], values: &[Value]) -> Vec<(u8, String)> {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let own = |text: String, value: &Value| {
            text.replace(&value.planted, &value.decoy)
                .replace(&value.planted.to_uppercase(), &value.decoy.to_uppercase())
        };
        timeless(&values.iter().fold(text, own))
    };
    let mut frames: Vec<_> = frames.iter().map(|(letter, bytes)| (*letter, text(bytes))).collect();
    frames.sort();
    frames
}

/// A line of EXPLAIN ANALYZE without what differs from run to run: of its figures the rows stay.
fn timeless(text: &str) -> String {
    let Some((head, metrics)) = text.split_once("metrics=[") else {
        return if text.contains(" Time: ") { String::new() } else { text.to_owned() };
    };
    let counts = |one: &&str| one.starts_with("output_rows") || one.contains("pruned");
    let counts = metrics.split(", ").filter(counts);
    let counts = counts.map(|one| one.split(['{', ']']).next().unwrap_or(one));
    // Before the line there is its length.
    let plan: String = head.chars().skip(6).collect();
    format!("{plan} {}", counts.collect::<Vec<_>>().join(" "))
}
