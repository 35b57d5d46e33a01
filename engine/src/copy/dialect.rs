//! The options of one COPY: checked, and with the defaults of its format.

use crate::error::{Error, Result};
use crate::sql::CopyOptions;
use crate::sql::copy::{Format, Header};

/// How the data are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Text, csv, binary or Parquet.
    pub(crate) format: Format,
    /// Between two fields.
    pub(crate) delimiter: u8,
    /// What stands for NULL.
    pub(crate) null: String,
    /// Around a field (csv).
    pub(crate) quote: u8,
    /// Before a quote within a quoted field (csv).
    pub(crate) escape: u8,
    /// The first line.
    pub(crate) header: Header,
}

impl Dialect {
    /// Checks the options of a statement. `from`: COPY FROM.
    ///
    /// # Errors
    /// 42601, 0A000 and 22023 in PostgreSQL's words.
    pub(crate) fn new(options: &CopyOptions, from: bool) -> Result<Self> {
        let csv = options.format == Format::Csv;
        refuse_outside_text(options)?;
        if !csv {
            refuse_outside_csv(options)?;
        }
        refuse_direction(options, from)?;
        let quote = options.quote.map_or(b'"', byte);
        let dialect = Self {
            format: options.format,
            delimiter: options.delimiter.map_or(if csv { b',' } else { b'\t' }, byte),
            null: options.null.clone().unwrap_or_else(|| if csv { "" } else { "\\N" }.to_owned()),
            quote,
            escape: options.escape.map_or(quote, byte),
            header: options.header,
        };
        dialect.check(csv)?;
        Ok(dialect)
    }

    fn check(&self, csv: bool) -> Result<()> {
        let invalid = |message: &str| Err(Error::new("22023", message));
        if matches!(self.delimiter, b'\n' | b'\r') {
            return invalid("COPY delimiter cannot be newline or carriage return");
        }
        if self.null.contains(['\n', '\r']) {
            return invalid("COPY null representation cannot use newline or carriage return");
        }
        // What follows a backslash in text format cannot delimit as well.
        let taken = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'\\' | b'.')
        };
        if !csv && taken(self.delimiter) {
            return invalid(&format!(
                "COPY delimiter cannot be \"{}\"",
                char::from(self.delimiter)
            ));
        }
        if csv && self.delimiter == self.quote {
            return invalid("COPY delimiter and quote must be different");
        }
        if csv && matches!(self.quote, b'\n' | b'\r') {
            return invalid("COPY quote cannot be newline or carriage return");
        }
        if self.null.as_bytes().contains(&self.delimiter) {
            return invalid("COPY delimiter character must not appear in the NULL specification");
        }
        if csv && self.null.as_bytes().contains(&self.quote) {
            return invalid("CSV quote character must not appear in the NULL specification");
        }
        Ok(())
    }
}

/// The parser takes ASCII only.
fn byte(character: char) -> u8 {
    u8::try_from(character).unwrap_or(b'?')
}

fn refuse_outside_text(options: &CopyOptions) -> Result<()> {
    let mode = match options.format {
        Format::Text | Format::Csv => return Ok(()),
        Format::Binary => "BINARY",
        Format::Parquet => "PARQUET",
    };
    let given = [
        ("DELIMITER", options.delimiter.is_some()),
        ("NULL", options.null.is_some()),
        ("HEADER", options.header != Header::None),
    ];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        return Err(Error::new("42601", format!("cannot specify {option} in {mode} mode")));
    }
    if options.ignore_errors && options.format == Format::Binary {
        return Err(Error::new("42601", "only ON_ERROR STOP is allowed in BINARY mode"));
    }
    Ok(())
}

fn refuse_outside_csv(options: &CopyOptions) -> Result<()> {
    let given = [
        ("QUOTE", options.quote.is_some()),
        ("ESCAPE", options.escape.is_some()),
        ("FORCE_QUOTE", options.force_quote.is_some()),
        ("FORCE_NOT_NULL", !options.force_not_null.is_empty()),
        ("FORCE_NULL", !options.force_null.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Error::new("0A000", format!("COPY {option} requires CSV mode"))),
        None => Ok(()),
    }
}

fn refuse_direction(options: &CopyOptions, from: bool) -> Result<()> {
    let refused = match from {
        true => {
            options.force_quote.is_some().then_some("FORCE_QUOTE cannot be used with COPY FROM")
        }
        false if !options.force_not_null.is_empty() => {
            Some("FORCE_NOT_NULL cannot be used with COPY TO")
        }
        false if !options.force_null.is_empty() => Some("FORCE_NULL cannot be used with COPY TO"),
        false if options.ignore_errors => Some("ON_ERROR cannot be used with COPY TO"),
        false => None,
    };
    if let Some(text) = refused {
        return Err(Error::new("22023", format!("COPY {text}")));
    }
    if !from && options.header == Header::Match {
        return Err(Error::new("0A000", "cannot use \"match\" with HEADER in COPY TO"));
    }
    match options.reject_limit {
        Some(_) if !options.ignore_errors => {
            Err(Error::new("22023", "COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE"))
        }
        Some(0) => Err(Error::new("22023", "REJECT_LIMIT (0) must be greater than zero")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: &CopyOptions, from: bool) -> (&'static str, String) {
        let error = Dialect::new(options, from).unwrap_err();
        (error.sqlstate, error.message)
    }

    #[test]
    fn options_that_do_not_fit_are_refused() {
        let csv = || CopyOptions { format: Format::Csv, ..CopyOptions::default() };
        let text = CopyOptions { delimiter: Some('a'), ..CopyOptions::default() };
        assert_eq!(refused(&text, true).1, "COPY delimiter cannot be \"a\"");
        let text = CopyOptions { quote: Some('"'), ..CopyOptions::default() };
        assert_eq!(refused(&text, true), ("0A000", "COPY QUOTE requires CSV mode".to_owned()));
        let same = CopyOptions { delimiter: Some('"'), ..csv() };
        assert_eq!(refused(&same, true).1, "COPY delimiter and quote must be different");
        let null = CopyOptions { null: Some("a,b".to_owned()), ..csv() };
        assert_eq!(refused(&null, true).0, "22023");
        let limit = CopyOptions { reject_limit: Some(3), ..csv() };
        assert_eq!(
            refused(&limit, true).1,
            "COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE"
        );
        let binary = CopyOptions {
            format: Format::Binary,
            header: Header::Present,
            ..CopyOptions::default()
        };
        assert_eq!(
            refused(&binary, false),
            ("42601", "cannot specify HEADER in BINARY mode".to_owned())
        );
        let matched = CopyOptions { header: Header::Match, ..csv() };
        assert_eq!(refused(&matched, false).0, "0A000");
    }
}
