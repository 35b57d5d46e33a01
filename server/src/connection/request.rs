//! What a client can say, decoded from frames.
//!
//! pgwire's own decoders take lengths and text on trust: they panic on a short body and replace
//! invalid UTF-8. A frame is input from outside, so it is read here with bounds and encoding
//! checked; a body must be used up to its last byte.

use bytes::Bytes;
use clientele_engine::{Error, Result};

use crate::error::protocol_violation;

/// One message, as it came: type byte and body.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Type byte.
    pub kind: u8,
    /// Body, without type and length.
    pub body: Bytes,
}

/// Format of a value (manual: protocol-message-formats).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Code 0.
    Text,
    /// Code 1.
    Binary,
}

/// What Describe and Close are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement(String),
    /// A portal.
    Portal(String),
}

/// Bind.
#[derive(Debug)]
pub struct Bind {
    /// Name of the portal, empty: the unnamed one.
    pub portal: String,
    /// Name of the statement.
    pub statement: String,
    /// None, one for all, or one for each parameter.
    pub parameter_formats: Vec<Format>,
    /// Values; `None`: NULL.
    pub parameters: Vec<Option<Bytes>>,
    /// None, one for all, or one for each column.
    pub result_formats: Vec<Format>,
}

/// A message of a client that has logged in.
#[derive(Debug)]
pub enum Request {
    /// Simple query.
    Query(String),
    /// Parse: name, text, parameter types (0: to be inferred).
    Parse(String, String, Vec<u32>),
    /// Bind.
    Bind(Box<Bind>),
    /// Describe.
    Describe(Target),
    /// Execute: portal, maximal number of rows (0: all).
    Execute(String, usize),
    /// Close.
    Close(Target),
    /// Flush.
    Flush,
    /// Sync.
    Sync,
    /// FunctionCall, which PostgreSQL itself calls obsolete.
    FunctionCall,
    /// CopyData, CopyDone or CopyFail outside a COPY: the rest of one that failed.
    CopyRest,
    /// Terminate.
    Terminate,
}

impl Request {
    /// Decodes a frame.
    ///
    /// # Errors
    /// 08P01 for a body that does not fit the type, 22021 for text that is not UTF-8.
    pub fn decode(frame: &Frame) -> Result<Self> {
        let mut body = Body(&frame.body);
        let request = match frame.kind {
            b'Q' => Self::Query(body.text()?),
            b'P' => Self::Parse(body.text()?, body.text()?, body.list(|body| body.int32())?),
            b'B' => Self::Bind(Box::new(decode_bind(&mut body, &frame.body)?)),
            b'D' => Self::Describe(body.target()?),
            b'E' => Self::Execute(body.text()?, body.row_limit()?),
            b'C' => Self::Close(body.target()?),
            b'H' => Self::Flush,
            b'S' => Self::Sync,
            b'F' => return Ok(Self::FunctionCall),
            b'd' | b'c' | b'f' => return Ok(Self::CopyRest),
            b'X' => return Ok(Self::Terminate),
            kind => return Err(unexpected(kind)),
        };
        body.end()?;
        Ok(request)
    }
}

/// `invalid frontend message type 90`.
pub fn unexpected(kind: u8) -> Error {
    protocol_violation(format!("invalid frontend message type {kind}"))
}

fn decode_bind(body: &mut Body<'_>, bytes: &Bytes) -> Result<Bind> {
    Ok(Bind {
        portal: body.text()?,
        statement: body.text()?,
        parameter_formats: body.list(Body::format)?,
        parameters: body.list(|body| body.value(bytes))?,
        result_formats: body.list(Body::format)?,
    })
}

/// Reads a body from its start, never beyond its end.
pub struct Body<'a>(pub &'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let taken = self.0.split_at_checked(count);
        let (head, tail) =
            taken.ok_or_else(|| protocol_violation("insufficient data left in message"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| protocol_violation("insufficient data left in message"))
    }

    /// Unsigned 32 bits.
    pub fn int32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn int16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A zero-terminated string in UTF-8.
    pub fn text(&mut self) -> Result<String> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(|| protocol_violation("invalid string in message"))?;
        let text = utf8(self.take(end)?)?.to_owned();
        self.take(1)?;
        Ok(text)
    }

    /// A 16-bit count and as many items.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.int16()?;
        // No capacity from the count: the body may be shorter than it claims.
        (0..count).map(|_| item(self)).collect()
    }

    fn format(&mut self) -> Result<Format> {
        match self.int16()? {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            code => Err(Error::new("22023", format!("unsupported format code: {code}"))),
        }
    }

    /// A value with its length in front, −1 for NULL; `whole` is the body, for a cut without copy.
    fn value(&mut self, whole: &Bytes) -> Result<Option<Bytes>> {
        match self.int32()? {
            u32::MAX => Ok(None),
            length => self.take(length as usize).map(|value| Some(whole.slice_ref(value))),
        }
    }

    fn target(&mut self) -> Result<Target> {
        match self.take(1)? {
            b"S" => self.text().map(Target::Statement),
            b"P" => self.text().map(Target::Portal),
            other => Err(protocol_violation(format!("invalid message subtype {}", other[0]))),
        }
    }

    /// Negative limits mean all rows, as in PostgreSQL.
    fn row_limit(&mut self) -> Result<usize> {
        let limit = self.int32()?.cast_signed();
        Ok(usize::try_from(limit).unwrap_or(0))
    }

    /// The rest, whatever it is.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Checks that nothing is left.
    pub fn end(&self) -> Result<()> {
        match self.0 {
            [] => Ok(()),
            _ => Err(protocol_violation("invalid message format")),
        }
    }
}

/// Text from a client, which must be UTF-8 (22021).
pub fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let bad = &bytes[error.valid_up_to()..];
        let length = error.error_len().unwrap_or(bad.len());
        let shown: Vec<String> = bad[..length].iter().map(|byte| format!("0x{byte:02x}")).collect();
        let shown = shown.join(" ");
        Error::new("22021", format!("invalid byte sequence for encoding \"UTF8\": {shown}"))
    })
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn decode(kind: u8, body: &[u8]) -> Result<Request> {
        Request::decode(&Frame { kind, body: Bytes::copy_from_slice(body) })
    }

    fn sqlstate(kind: u8, body: &[u8]) -> &'static str {
        decode(kind, body).unwrap_err().sqlstate
    }

    #[test]
    fn a_bind_is_read() {
        let body = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\x02\0\0\0\x01";
        let Ok(Request::Bind(bind)) = decode(b'B', body) else { panic!("no bind") };
        assert_eq!((bind.portal.as_str(), bind.statement.as_str()), ("p", "s"));
        assert_eq!(bind.parameter_formats, [Format::Binary]);
        assert_eq!(bind.parameters, [Some(Bytes::from_static(b"hi")), None]);
        assert_eq!(bind.result_formats, [Format::Text, Format::Binary]);
    }

    #[test]
    fn malformed_bodies_are_refused() {
        assert_eq!(sqlstate(b'P', b"abc"), "08P01");
        assert_eq!(sqlstate(b'Q', b"select 1\0x"), "08P01");
        assert_eq!(sqlstate(b'Q', b"select '\xff\xfe'\0"), "22021");
        assert_eq!(sqlstate(b'B', b"\0\0\0\0\xff\xff"), "08P01");
        assert_eq!(sqlstate(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"), "08P01");
        assert_eq!(sqlstate(b'B', b"\0\0\0\x01\0\x02\0\0\0\0"), "22023");
        assert_eq!(sqlstate(b'D', b"X\0"), "08P01");
        assert_eq!(sqlstate(b'Z', b""), "08P01");
    }

    #[test]
    fn no_mutation_panics() {
        let seeds: &[(u8, &[u8])] = &[
            (b'Q', b"select 1\0"),
            (b'P', b"name\0select $1\0\0\x02\0\0\0\x17\0\0\0\0"),
            (b'B', b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\x02\0\0\0\x01"),
            (b'D', b"Sname\0"),
            (b'E', b"p\0\0\0\0\x05"),
            (b'C', b"Pname\0"),
        ];
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        for _ in 0..100_000 {
            let (mut kind, body) = seeds[random.random_range(0..seeds.len())];
            let mut body = body.to_vec();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..body.len().max(1));
                match random.random_range(0..4) {
                    0 => body.truncate(at),
                    1 => body.insert(at.min(body.len()), random.random()),
                    2 => kind = random.random(),
                    _ => body.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.random()),
                }
            }
            if let Err(error) = decode(kind, &body) {
                assert!(["08P01", "22021", "22023"].contains(&error.sqlstate));
            }
        }
    }
}
