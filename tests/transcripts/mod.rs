//! Conversations over the wire as files: `transcripts/*.txt`. What PostgreSQL 15 answered is in
//! them, and Clientele must answer the same, message by message.
//!
//! ```text
//! > Query "select 1 as a"              messages to the server, sent together
//! < RowDescription a:23                answers: until all Query and Sync are answered, until
//! < DataRow "1"                        CopyInResponse, or after Flush until nothing more comes
//! < CommandComplete "SELECT 1"
//! < ReadyForQuery I
//! ```
//!
//! `ACCEPT=PORT cargo test -- transcripts` writes the answers of a PostgreSQL on that port (role
//! `admin`, no password, an empty database `postgres`).

mod backend;
mod frontend;
mod words;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::{Failed, Trial};

use crate::client::Client;
use crate::server;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// After Flush, how long nothing comes when there is nothing more to come.
const QUIET: Duration = Duration::from_millis(500);
/// How long a statement runs before it is cancelled.
const CANCEL_AFTER: Duration = Duration::from_millis(300);

/// One trial for each file.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let Ok(entries) = std::fs::read_dir(&root) else { return Vec::new() };
    let files = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|one| one == "txt")).collect();
    files.sort();
    let trial = |file: PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(format!("transcripts::{name}"), move || {
            run(&file, &name).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    files.into_iter().map(trial).collect()
}

fn run(file: &Path, name: &str) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    let accept = std::env::var("ACCEPT").ok().and_then(|port| port.parse::<u16>().ok());
    let (port, database) = match accept {
        Some(port) => (port, "postgres".to_owned()),
        None => {
            let (port, database) = (server::shared_port()?, format!("transcript_{name}"));
            Client::connect(port, "postgres")?.simple(&format!("CREATE DATABASE {database}"))?;
            (port, database)
        }
    };
    let mut client = Client::connect(port, &database)?;
    let mut written = String::new();
    for block in blocks(&text) {
        block.head.iter().for_each(|line| written.push_str(&format!("{line}\n")));
        if block.sent.is_empty() {
            continue;
        }
        let sent = block.sent.join("\n");
        let answers = converse(&mut client, &block.sent, port).with_context(|| sent.clone())?;
        written.push_str(&format!("{sent}\n"));
        answers.iter().for_each(|answer| written.push_str(&format!("< {answer}\n")));
        let expected: Vec<&str> =
            block.expected.iter().filter_map(|line| line.strip_prefix("< ")).collect();
        ensure!(
            accept.is_some() || answers == expected,
            "{sent}\nexpected:\n  {}\ngot:\n  {}",
            expected.join("\n  "),
            answers.join("\n  ")
        );
    }
    match accept {
        Some(_) => Ok(std::fs::write(file, written)?),
        None => Ok(()),
    }
}

/// Lines to the server with the answers that follow them.
#[derive(Default)]
struct Block<'a> {
    /// Comments and empty lines before it.
    head: Vec<&'a str>,
    sent: Vec<&'a str>,
    expected: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = vec![Block::default()];
    for line in text.lines() {
        let ended = blocks.last().is_some_and(|block| match line.get(..1) {
            Some("<") => false,
            Some(">") => !block.expected.is_empty(),
            _ => !block.sent.is_empty(),
        });
        if ended {
            blocks.push(Block::default());
        }
        let Some(block) = blocks.last_mut() else { continue };
        match line.get(..1) {
            Some("<") => block.expected.push(line),
            Some(">") => block.sent.push(line),
            _ => block.head.push(line),
        }
    }
    blocks
}

fn converse(client: &mut Client, lines: &[&str], port: u16) -> Result<Vec<String>> {
    let mut bytes = Vec::new();
    let (mut ready, mut cancels, mut flushes, mut ends) = (0, false, false, false);
    // Without Sync, what COPY takes in is the rest of a Query that CopyInResponse interrupted.
    let interrupted = !lines.contains(&"> Sync");
    for line in lines {
        let words = words::split(line.trim_start_matches('>'))?;
        match words.first().map(|word| word.text.as_str()) {
            Some("Cancel") => cancels = true,
            Some(name) => {
                ready += usize::from(matches!(name, "Query" | "Sync"));
                ready += usize::from(interrupted && matches!(name, "CopyDone" | "CopyFail"));
                flushes |= name == "Flush";
                ends |= name == "Terminate";
                frontend::write(&words, &mut bytes)?;
            }
            None => bail!("an empty line to the server"),
        }
    }
    client.send(&bytes)?;
    if cancels {
        std::thread::sleep(CANCEL_AFTER);
        cancel(client.key, port)?;
    }
    let mut answers = Vec::new();
    while ready > 0 || flushes || ends {
        let wait = if ready > 0 || ends { ANSWER_WITHIN } else { QUIET };
        let (letter, payload) = match client.frame(wait) {
            Ok(Some(frame)) => frame,
            Ok(None) if ready == 0 => break,
            Ok(None) => bail!("no answer; so far: {answers:?}"),
            Err(_) if ends => {
                answers.push("closed".to_owned());
                break;
            }
            Err(error) => return Err(error),
        };
        answers.push(backend::shown(letter, &payload)?);
        match letter {
            b'Z' => ready -= 1,
            b'G' => break,
            _ => {}
        }
    }
    Ok(answers)
}

fn cancel((process, secret): (i32, i32), port: u16) -> Result<()> {
    use std::io::Write;
    let mut request = Vec::new();
    for number in [16, 80_877_102, process, secret] {
        request.extend_from_slice(&number.to_be_bytes());
    }
    Ok(TcpStream::connect(("127.0.0.1", port))?.write_all(&request)?)
}
