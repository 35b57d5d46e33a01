//! Messages of the server (manual: protocol-message-formats), each as a line. What differs from
//! server to server is left out: the OIDs of tables, places in the server's own source, hints.

use anyhow::{Context, Result};

/// A message as its line.
pub(super) fn shown(letter: u8, payload: &[u8]) -> Result<String> {
    let mut reader = Reader { rest: payload };
    Ok(match letter {
        b'1' => "ParseComplete".to_owned(),
        b'2' => "BindComplete".to_owned(),
        b'3' => "CloseComplete".to_owned(),
        b'n' => "NoData".to_owned(),
        b's' => "PortalSuspended".to_owned(),
        b'I' => "EmptyQueryResponse".to_owned(),
        b'c' => "CopyDone".to_owned(),
        b'C' => format!("CommandComplete {}", quoted(reader.text()?)),
        b'd' => format!("CopyData {}", quoted(payload)),
        b'Z' => format!("ReadyForQuery {}", String::from_utf8_lossy(payload)),
        b'S' => format!("ParameterStatus {} {}", quoted(reader.text()?), quoted(reader.text()?)),
        b'G' => format!("CopyInResponse {}", copy(&mut reader)?),
        b'H' => format!("CopyOutResponse {}", copy(&mut reader)?),
        b'T' => format!("RowDescription{}", fields(&mut reader)?),
        b't' => format!("ParameterDescription{}", types(&mut reader)?),
        b'D' => format!("DataRow{}", values(&mut reader)?),
        b'E' => format!("ErrorResponse {}", report(&mut reader)?),
        b'N' => format!("NoticeResponse {}", report(&mut reader)?),
        other => format!("{} {}", char::from(other), quoted(payload)),
    })
}

fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

fn copy(reader: &mut Reader<'_>) -> Result<String> {
    let format = reader.take(1)?.first().copied().unwrap_or_default();
    Ok(format!("{} columns {}", if format == 0 { "text" } else { "binary" }, reader.int16()?))
}

/// ` name:type`, and `/b` behind it for binary.
fn fields(reader: &mut Reader<'_>) -> Result<String> {
    let mut shown = String::new();
    for _ in 0..reader.int16()? {
        let name = String::from_utf8_lossy(reader.text()?).into_owned();
        reader.take(6)?;
        let oid = reader.int32()?;
        reader.take(2)?;
        let modifier = reader.int32()?;
        let modifier = if modifier < 0 { String::new() } else { format!("({modifier})") };
        let binary = if reader.int16()? == 1 { "/b" } else { "" };
        shown.push_str(&format!(" {name}:{oid}{modifier}{binary}"));
    }
    Ok(shown)
}

fn types(reader: &mut Reader<'_>) -> Result<String> {
    let count = reader.int16()?;
    (0..count).map(|_| Ok(format!(" {}", reader.int32()?))).collect()
}

fn values(reader: &mut Reader<'_>) -> Result<String> {
    let mut shown = String::new();
    for _ in 0..reader.int16()? {
        let length = reader.int32()?;
        shown.push(' ');
        shown.push_str(&match usize::try_from(length) {
            Ok(length) => quoted(reader.take(length)?),
            Err(_) => "null".to_owned(),
        });
    }
    Ok(shown)
}

/// Severity, SQLSTATE, message, and the fields that clients rely on.
fn report(reader: &mut Reader<'_>) -> Result<String> {
    let mut shown = String::new();
    loop {
        let letter = reader.take(1)?.first().copied().unwrap_or_default();
        if letter == 0 {
            return Ok(shown.trim_end().to_owned());
        }
        let text = reader.text()?;
        let name = match letter {
            b'V' | b'C' | b'M' => "",
            b'D' => "detail ",
            b'P' => "position ",
            b'W' => "context ",
            b't' => "table ",
            b'c' => "column ",
            b'n' => "constraint ",
            _ => continue,
        };
        let bare = !matches!(letter, b'M' | b'D' | b'W');
        let text = if bare { text.escape_ascii().to_string() } else { quoted(text) };
        shown.push_str(&format!("{name}{text} "));
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).context("a message is too short")?;
        self.rest = rest;
        Ok(taken)
    }

    fn text(&mut self) -> Result<&'a [u8]> {
        let end = self.rest.iter().position(|byte| *byte == 0).context("text without an end")?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    fn int16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.take(2)?.try_into()?))
    }

    fn int32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.take(4)?.try_into()?))
    }
}
