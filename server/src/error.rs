//! An engine's error as the fields of ErrorResponse and NoticeResponse, and how a failure goes on.

use clientele_engine::Error;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

/// Why the handling of a message stopped.
#[derive(Debug)]
pub enum Failure {
    /// The statement failed; the session goes on.
    Statement(Error),
    /// The connection ends. The client is told why where it can still be.
    End(Option<Error>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.severity {
            "FATAL" | "PANIC" => Self::End(Some(error)),
            _ => Self::Statement(error),
        }
    }
}

impl From<std::io::Error> for Failure {
    /// A socket that fails is a client that has gone.
    fn from(_: std::io::Error) -> Self {
        Self::End(None)
    }
}

/// The protocol was not kept to (08P01).
pub fn protocol_violation(message: impl Into<String>) -> Error {
    Error::new("08P01", message)
}

/// ErrorResponse.
pub fn error_response(error: &Error) -> PgWireBackendMessage {
    PgWireBackendMessage::ErrorResponse(ErrorResponse::new(fields(error)))
}

/// NoticeResponse.
pub fn notice_response(notice: &Error) -> PgWireBackendMessage {
    PgWireBackendMessage::NoticeResponse(NoticeResponse::new(fields(notice)))
}

/// PostgreSQL manual, "Error and Notice Message Fields".
fn fields(error: &Error) -> Vec<(u8, String)> {
    let object = &error.object;
    let severity = || Some(error.severity.to_owned());
    let all = [
        (b'S', severity()),
        (b'V', severity()),
        (b'C', Some(error.sqlstate.to_owned())),
        (b'M', Some(error.message.clone())),
        (b'D', error.detail.clone()),
        (b'H', error.hint.clone()),
        (b'P', error.position.map(|position| position.to_string())),
        (b'W', error.context.clone()),
        (b's', object.schema.clone()),
        (b't', object.table.clone()),
        (b'c', object.column.clone()),
        (b'd', object.data_type.clone()),
        (b'n', object.constraint.clone()),
        (b'R', object.routine.map(str::to_owned)),
    ];
    let present = all.into_iter().filter_map(|(code, text)| Some((code, text?)));
    // A zero byte would end the field early and make the rest of the message unreadable.
    present.map(|(code, text)| (code, text.replace('\0', ""))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_that_are_known() {
        let error = Error::new("42703", "column \"a\0\" does not exist").at(Some(8));
        let codes: Vec<u8> = fields(&error).iter().map(|field| field.0).collect();
        assert_eq!(codes, b"SVCMP");
        assert_eq!(fields(&error)[3].1, "column \"a\" does not exist");
    }
}
