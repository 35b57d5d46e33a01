//! Messages to the server (manual: protocol-message-formats).
//!
//! ```text
//! Query SQL · Parse NAME SQL [OID …] · Bind PORTAL STATEMENT [VALUE | null …] [binary] · Sync · Flush
//! Describe S|P NAME · Close S|P NAME · Execute PORTAL ROWS · CopyData BYTES · CopyDone · CopyFail TEXT
//! ```
//!
//! `binary`, without quotes, asks for results in binary; values with bytes beyond ASCII are binary.

use anyhow::{Context, Result, bail};

use super::words::Word;

/// Adds a message.
pub(super) fn write(words: &[Word], out: &mut Vec<u8>) -> Result<()> {
    let (name, words) = words.split_first().context("no message")?;
    let text = |at: usize| words.get(at).map(Word::bytes).context("a word is missing");
    let mut body = Vec::new();
    let letter = match name.text.as_str() {
        "Query" => {
            put(&mut body, &text(0)?);
            b'Q'
        }
        "Parse" => {
            put(&mut body, &text(0)?);
            put(&mut body, &text(1)?);
            let types = words.get(2..).unwrap_or_default();
            body.extend_from_slice(&i16::try_from(types.len())?.to_be_bytes());
            for oid in types {
                body.extend_from_slice(&oid.text.parse::<i32>()?.to_be_bytes());
            }
            b'P'
        }
        "Bind" => {
            bind(words, &mut body)?;
            b'B'
        }
        "Describe" | "Close" => {
            body.extend_from_slice(&text(0)?);
            put(&mut body, &text(1)?);
            if name.text == "Close" { b'C' } else { b'D' }
        }
        "Execute" => {
            put(&mut body, &text(0)?);
            let rows = words.get(1).map_or(Ok(0), |word| word.text.parse::<i32>())?;
            body.extend_from_slice(&rows.to_be_bytes());
            b'E'
        }
        "CopyData" => {
            body = text(0)?;
            b'd'
        }
        "CopyFail" => {
            put(&mut body, &text(0)?);
            b'f'
        }
        "CopyDone" => b'c',
        "Sync" => b'S',
        "Flush" => b'H',
        "Terminate" => b'X',
        other => bail!("unknown message {other}"),
    };
    out.push(letter);
    out.extend_from_slice(&u32::try_from(body.len() + 4)?.to_be_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

fn put(body: &mut Vec<u8>, text: &[u8]) {
    body.extend_from_slice(text);
    body.push(0);
}

fn bind(words: &[Word], body: &mut Vec<u8>) -> Result<()> {
    let (names, values) = words.split_at_checked(2).context("portal and statement are missing")?;
    names.iter().for_each(|name| put(body, &name.bytes()));
    let binary = values.iter().any(|word| !word.quoted && word.text == "binary");
    let values: Vec<&Word> =
        values.iter().filter(|word| word.quoted || word.text == "null").collect();
    let count = i16::try_from(values.len())?.to_be_bytes();
    body.extend_from_slice(&count);
    for value in &values {
        let format = i16::from(value.text.chars().any(|one| !(' '..='~').contains(&one)));
        body.extend_from_slice(&format.to_be_bytes());
    }
    body.extend_from_slice(&count);
    for value in values {
        if !value.quoted {
            body.extend_from_slice(&(-1_i32).to_be_bytes());
            continue;
        }
        let bytes = value.bytes();
        body.extend_from_slice(&i32::try_from(bytes.len())?.to_be_bytes());
        body.extend_from_slice(&bytes);
    }
    body.extend_from_slice(&1_i16.to_be_bytes());
    body.extend_from_slice(&i16::from(binary).to_be_bytes());
    Ok(())
}
