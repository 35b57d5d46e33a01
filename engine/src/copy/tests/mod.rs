//! What PostgreSQL 17 makes of data, cut anywhere.

mod statements;

use std::sync::Arc;

use clientele_udfs::input;
use clientele_udfs::output::{Style, to_text_array};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch, StringViewArray};
use rand::{Rng, SeedableRng};

use super::dialect::Dialect;
use super::reader::{Parsed, Plan, Reader, Target};
use super::rejects::Rejects;
use super::writer::{Writer, Written};
use crate::error::{Error, Result};
use crate::session::settings::Settings;
use crate::session::shared::{Identity, SessionShared};
use crate::sql::CopyOptions;
use crate::sql::copy::{Format, Header};

const INT_TEXT: &[(&str, PgType)] = &[("a", PgType::INT4), ("b", PgType::TEXT)];

type Table = Vec<Vec<Option<String>>>;

fn options(text: &str) -> CopyOptions {
    let statement = crate::sql::parse(&format!("COPY t FROM STDIN {text}")).unwrap();
    match statement[0].body.as_ref() {
        crate::sql::Body::CopyFrom(copy) => copy.options.clone(),
        _ => panic!("no COPY"),
    }
}

fn session() -> Arc<SessionShared> {
    let (role, database) = ((10, "r".into()), (1, "d".into()));
    let identity = Identity { pid: 1, role, database, peer: None, tls: None };
    Arc::new(SessionShared::new(identity, Settings::default()))
}

fn reader(
    options: &CopyOptions,
    columns: &[(&str, PgType)],
    session: &Arc<SessionShared>,
) -> Reader {
    let target = |(name, pg_type): &(&str, PgType)| Target {
        name: (*name).to_owned(),
        pg_type: *pg_type,
        force_not_null: options.force_not_null.iter().any(|one| one == name),
        force_null: options.force_null.iter().any(|one| one == name),
    };
    Reader::new(Plan {
        relation: "t".to_owned(),
        dialect: Dialect::new(options, true).unwrap(),
        columns: columns.iter().map(target).collect(),
        context: input::Context::default(),
        rejects: Rejects::of(options, (session, &Arc::default()), "t"),
    })
    .unwrap()
}

fn texts(columns: &[ArrayRef], types: &[PgType], rows: usize) -> Table {
    let columns: Vec<ArrayRef> = columns
        .iter()
        .zip(types)
        .map(|(column, pg_type)| to_text_array(column, *pg_type, &Style::default()).unwrap())
        .collect();
    let cell = |column: &ArrayRef, row| {
        column.as_string_view().iter().nth(row).flatten().map(str::to_owned)
    };
    (0..rows).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect()
}

/// Reads data that arrive in pieces of `size` bytes.
fn read_cut(reader: &mut Reader, types: &[PgType], (data, size): (&[u8], usize)) -> Result<Table> {
    let mut table = Vec::new();
    let mut add = |parsed: Parsed| table.extend(texts(&parsed.columns, types, parsed.lines.len()));
    for piece in data.chunks(size) {
        reader.feed(piece);
        while let Some(parsed) = reader.read(false)? {
            add(parsed);
        }
    }
    while let Some(parsed) = reader.read(true)? {
        add(parsed);
    }
    Ok(table)
}

fn read(options: &CopyOptions, columns: &[(&str, PgType)], data: &[u8]) -> Result<Table> {
    let types: Vec<PgType> = columns.iter().map(|(_, pg_type)| *pg_type).collect();
    let whole =
        read_cut(&mut reader(options, columns, &session()), &types, (data, data.len().max(1)));
    for size in [1, 2, 3, 7] {
        let cut = read_cut(&mut reader(options, columns, &session()), &types, (data, size));
        assert_eq!(cut, whole, "pieces of {size}");
    }
    whole
}

fn rows(text: &str, data: &str) -> Vec<String> {
    let table = read(&options(text), INT_TEXT, data.as_bytes());
    let table = table.unwrap_or_else(|error| panic!("{error:?}"));
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "∅".to_owned());
    table.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

fn refused(text: &str, data: impl AsRef<[u8]>) -> Error {
    match read(&options(text), INT_TEXT, data.as_ref()) {
        Ok(table) => panic!("{table:?}"),
        Err(error) => error,
    }
}

#[test]
fn text_format() {
    for (data, expected) in [
        ("1\tx\n2\ty\n", vec!["1|x", "2|y"]),
        ("1\tx\n2\ty", vec!["1|x", "2|y"]),
        ("1\tx\r\n2\t\r\n", vec!["1|x", "2|"]),
        ("1\tx\r2\ty\r", vec!["1|x", "2|y"]),
        ("\\N\t\\N\n", vec!["∅|∅"]),
        ("1\ta\\tb\\nc\\\\\\N\n", vec!["1|a\tb\nc\\N"]),
        ("1\t\\b\\f\\r\\v\n", vec!["1|\u{8}\u{c}\r\u{b}"]),
        ("1\t\\101\\60\\x41\\x4g\\q\n", vec!["1|A0A\u{4}gq"]),
        ("1\t\\xc3\\xa9é\n", vec!["1|éé"]),
        ("1\ta\\\nb\n", vec!["1|a\nb"]),
        ("1\ta\\\tb\n", vec!["1|a\tb"]),
        ("1\tx\n\\.\nrubbish", vec!["1|x"]),
        ("1\tx\r\n\\.\r\n", vec!["1|x"]),
        ("1\tx\\.\n2\ty\n", vec!["1|x"]),
        ("1\tx\\", vec!["1|x"]),
        ("", vec![]),
    ] {
        assert_eq!(rows("", data), expected, "{data:?}");
    }
    assert_eq!(rows("(delimiter '|', null 'NULL')", "1|NULL\n2|\\N\n"), ["1|∅", "2|N"]);
    assert_eq!(rows("(header)", "x\ty\tz\n1\tx\n"), ["1|x"]);
    assert_eq!(rows("(header match)", "a\tb\n1\tx\n"), ["1|x"]);
}

#[test]
fn csv_format() {
    for (data, expected) in [
        ("1,x\n2,\n3,\"\"\n", vec!["1|x", "2|∅", "3|"]),
        ("1,\"x,\"\"y\"\"\"\n", vec!["1|x,\"y\""]),
        ("1,\"a\nb\r\nc\"\r\n2,y\r\n", vec!["1|a\nb\r\nc", "2|y"]),
        ("1,a\"b,c\"d\n", vec!["1|ab,cd"]),
        ("\"1\",x\n", vec!["1|x"]),
        ("1,x\n\\.\n2,y\n", vec!["1|x"]),
        ("1,\\N\n", vec!["1|\\N"]),
        ("1,\"\\.\"\n", vec!["1|\\."]),
        ("1,é\n", vec!["1|é"]),
    ] {
        assert_eq!(rows("csv", data), expected, "{data:?}");
    }
    assert_eq!(rows("csv header", "a,\"b\nb\"\n1,x\n"), ["1|x"]);
    assert_eq!(rows("csv quote '''' escape '\\' delimiter ';'", "1;'x\\'y\\\\;'\n"), ["1|x'y\\;"]);
    assert_eq!(rows("csv null 'NULL'", "1,NULL\n2,\"NULL\"\n3,\n"), ["1|∅", "2|NULL", "3|"]);
    assert_eq!(rows("(format csv, force_not_null (b))", "1,\n"), ["1|"]);
    assert_eq!(rows("(format csv, force_null (b))", "1,\"\"\n"), ["1|∅"]);
}

/// Options, data, SQLSTATE, message, context.
const REFUSALS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "",
        "1\tx\ny\tz\n",
        "22P02",
        "invalid input syntax for type integer: \"y\"",
        "COPY t, line 2, column a: \"y\"",
    ),
    ("", "1\n", "22P04", "missing data for column \"b\"", "COPY t, line 1: \"1\""),
    (
        "",
        "1\tx\ty\n",
        "22P04",
        "extra data after last expected column",
        "COPY t, line 1: \"1\tx\ty\"",
    ),
    ("", "1\tx\n2\ty\r\n", "22P04", "literal carriage return found in data", "COPY t, line 2"),
    ("", "1\tx\r\n2\ty\n", "22P04", "literal newline found in data", "COPY t, line 2"),
    ("", "1\tx\n\\.x\n", "22P04", "end-of-copy marker corrupt", "COPY t, line 2"),
    (
        "",
        "1\tx\n\\.\r\n",
        "22P04",
        "end-of-copy marker does not match previous newline style",
        "COPY t, line 2",
    ),
    (
        "",
        "1\t\\xff\n",
        "22021",
        "invalid byte sequence for encoding \"UTF8\": 0xff",
        "COPY t, line 1: \"1\t\\xff\"",
    ),
    (
        "",
        "1\t\\000\n",
        "22021",
        "invalid byte sequence for encoding \"UTF8\": 0x00",
        "COPY t, line 1, column b: \"\0\"",
    ),
    (
        "csv",
        "1,x\n2,\"y\n3,z\n",
        "22P04",
        "unterminated CSV quoted field",
        "COPY t, line 4: \"2,\"y\n3,z\n\"",
    ),
    (
        "csv",
        "1,\"a\nb\"\nx,y\n",
        "22P02",
        "invalid input syntax for type integer: \"x\"",
        "COPY t, line 3, column a: \"x\"",
    ),
    ("csv", "1,x\n2,y\rz\n", "22P04", "unquoted carriage return found in data", "COPY t, line 2"),
    (
        "(format csv, header match)",
        "a,c\n1,x\n",
        "22P04",
        "column name mismatch in header line field 2: got \"c\", expected \"b\"",
        "COPY t, line 1: \"a,c\"",
    ),
    (
        "(format csv, header match)",
        "a\n1,x\n",
        "22P04",
        "wrong number of fields in header line: got 1, expected 2",
        "COPY t, line 1: \"a\"",
    ),
    (
        "(format csv, header match)",
        "a,\n1,x\n",
        "22P04",
        "column name mismatch in header line field 2: got null value (\"\"), expected \"b\"",
        "COPY t, line 1: \"a,\"",
    ),
];

#[test]
fn errors_name_line_and_column() {
    for (text, data, sqlstate, message, context) in REFUSALS {
        let error = refused(text, data);
        assert_eq!((error.sqlstate, error.message.as_str()), (*sqlstate, *message), "{data:?}");
        assert_eq!(error.context.as_deref(), Some(*context), "{data:?}");
    }
    let error = refused("", b"1\tx\n2\t\xc3(\n");
    assert_eq!(error.message, "invalid byte sequence for encoding \"UTF8\": 0xc3 0x28");
    assert_eq!(error.context.as_deref(), Some("COPY t, line 2"));
    assert_eq!(refused("", b"1\t\xc3").sqlstate, "22021");
    assert!(refused("", "x\ty\n").hint.is_some_and(|hint| hint.contains("ON_ERROR ignore")));
    let long = "x".repeat(150);
    let context = refused("", format!("{long}\ty\n")).context.unwrap_or_default();
    assert_eq!(context, format!("COPY t, line 1, column a: \"{}...\"", "x".repeat(100)));
}

#[test]
fn bad_rows_are_left_out_on_request() {
    let session = session();
    let options = options("(format csv, on_error ignore, log_verbosity verbose)");
    let types = [PgType::INT4, PgType::TEXT];
    let data = b"1,x\ny,z\n3,w\n99999999999,q\n";
    let table = read_cut(&mut reader(&options, INT_TEXT, &session), &types, (data, 100)).unwrap();
    assert_eq!(table.len(), 2);
    let notices = session.notices.lock();
    let messages: Vec<String> = notices
        .iter()
        .map(|notice| match notice {
            crate::api::Notice::Message(error) => error.message.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(messages.len(), 2);
    assert_eq!(
        messages[0],
        "skipping row due to data type incompatibility at line 2 for column \"a\": \"y\""
    );
}

#[test]
fn too_many_bad_rows_are_refused() {
    let error = refused("(on_error ignore, reject_limit 1)", "x\ty\n1\tx\nz\ty\n");
    assert_eq!(error.sqlstate, "22P02");
    assert_eq!(
        error.message,
        "skipped more than REJECT_LIMIT (1) rows due to data type incompatibility"
    );
    // A line of the wrong shape is no matter of types.
    assert_eq!(refused("(on_error ignore)", "1\n").sqlstate, "22P04");
}

fn writer(text: &str, format: Format) -> Writer {
    let options = CopyOptions { format, ..options(text) };
    let column = |(name, pg_type): &(&str, PgType)| Written {
        name: (*name).to_owned(),
        pg_type: *pg_type,
        force_quote: options.force_quote.as_ref().is_some_and(Vec::is_empty),
    };
    let dialect = Dialect {
        header: options.header,
        ..Dialect::new(&CopyOptions { force_quote: None, ..options.clone() }, true).unwrap()
    };
    Writer::new(dialect, INT_TEXT.iter().map(column).collect(), Style::default())
}

fn batch(values: &[(i32, Option<&str>)]) -> RecordBatch {
    let numbers = Int32Array::from_iter_values(values.iter().map(|(number, _)| *number));
    let texts: StringViewArray = values.iter().map(|(_, text)| *text).collect();
    let columns = [("a", Arc::new(numbers) as ArrayRef, true), ("b", Arc::new(texts), true)];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn written(writer: &Writer, values: &[(i32, Option<&str>)]) -> Vec<u8> {
    let pieces = writer.header().into_iter().chain(writer.rows(&batch(values)).unwrap());
    pieces.chain(writer.trailer()).flatten().collect()
}

#[test]
fn rows_are_written_as_postgresql_does() {
    let values = [(1, Some("a\tb\\c\nd\u{1}")), (2, None), (3, Some(""))];
    let text = String::from_utf8(written(&writer("", Format::Text), &values)).unwrap();
    assert_eq!(text, "1\ta\\tb\\\\c\\nd\u{1}\n2\t\\N\n3\t\n");
    let values = [(1, Some("a,\"b\"")), (2, None), (3, Some("")), (4, Some("x\r"))];
    let csv = String::from_utf8(written(&writer("csv header", Format::Csv), &values)).unwrap();
    assert_eq!(csv, "a,b\n1,\"a,\"\"b\"\"\"\n2,\n3,\"\"\n4,\"x\r\"\n");
    let csv = String::from_utf8(written(
        &writer("csv null 'N'", Format::Csv),
        &[(1, Some("N")), (2, None)],
    ))
    .unwrap();
    assert_eq!(csv, "1,\"N\"\n2,N\n");
}

#[test]
fn what_is_written_reads_back() {
    let values = [(1, Some("é\"',\t\\.\r\n\\N")), (-2, None), (3, Some("")), (4, Some("\\."))];
    for (text, format) in [("", Format::Text), ("csv", Format::Csv), ("binary", Format::Binary)] {
        let bytes = written(&writer(text, format), &values);
        let table = read(&CopyOptions { format, ..CopyOptions::default() }, INT_TEXT, &bytes);
        let table = table.unwrap_or_else(|error| panic!("{error:?} {format:?}"));
        let expected: Table = values
            .iter()
            .map(|(number, text)| vec![Some(number.to_string()), text.map(str::to_owned)])
            .collect();
        assert_eq!(table, expected, "{format:?}");
    }
}

#[test]
fn binary_that_is_none_is_refused() {
    let good = written(&writer("binary", Format::Binary), &[(1, Some("x"))]);
    let binary = || CopyOptions { format: Format::Binary, ..CopyOptions::default() };
    for (at, byte, message) in [
        (0, b'X', "COPY file signature not recognized"),
        (12, 8, "unrecognized critical flags in COPY file header"),
        (19, 7, "row field count is 1794, expected 2"),
        (20, 0xfd, "row field count is 253, expected 2"),
        (21, 0xf0, "invalid field size"),
    ] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        let error = read(&binary(), INT_TEXT, &bytes).unwrap_err();
        assert_eq!((error.sqlstate, error.message.as_str()), ("22P04", message));
    }
    let mut bytes = good.clone();
    bytes.push(0);
    assert_eq!(
        read(&binary(), INT_TEXT, &bytes).unwrap_err().message,
        "received copy data after EOF marker"
    );
    // Cut between rows, the data just end; anywhere else something is missing.
    for length in 0..good.len() {
        let found = read(&binary(), INT_TEXT, &good[..length]);
        assert_eq!(found.is_ok(), length == 19 || length == good.len() - 2, "{length}: {found:?}");
    }
    assert_eq!(read(&binary(), INT_TEXT, b"").unwrap_err().sqlstate, "22P04");
}

/// Data that were right once, damaged at random: each load ends, with rows or with a reason.
#[test]
fn mangled_data_load_or_are_refused_with_a_line() {
    let mut random = rand_seeded();
    let good = "17,\"Müller, \"\"Jan\"\"\",2024-02-29,12.50,t\r\n18,,1999-12-31 ,-0.01,f\n19\tx\\ty\t\\N\t1e3\t\\x41\n";
    let spice: &[&[u8]] = &[
        b"\"",
        b"\\",
        b"\n",
        b"\r",
        b"\r\n",
        b"\t",
        b",",
        b"\\.",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\\N",
        b"\xe2\x82",
        b"'",
    ];
    let columns: &[(&str, PgType)] = &[
        ("id", PgType::INT8),
        ("name", PgType::TEXT),
        ("born", PgType::DATE),
        ("total", PgType::numeric(12, 2)),
        ("ok", PgType::BOOL),
    ];
    let types: Vec<PgType> = columns.iter().map(|(_, pg_type)| *pg_type).collect();
    let (mut loaded, mut refused) = (0, 0);
    for _ in 0..10_000 {
        let mut data = good.as_bytes().to_vec();
        for _ in 0..random.random_range(1..6) {
            if data.is_empty() {
                break;
            }
            let at = random.random_range(0..data.len());
            match random.random_range(0..4) {
                0 => data[at] = random.random(),
                1 => drop(data.remove(at)),
                2 => data.truncate(at.max(1)),
                _ => drop(
                    data.splice(at..at, spice[random.random_range(0..spice.len())].iter().copied()),
                ),
            }
        }
        let text = ["csv", "", "csv header", "(on_error ignore)", "csv escape '\\'", "binary"];
        let options = options(text[random.random_range(0..text.len())]);
        let mut reader = reader(&options, columns, &session());
        let size = random.random_range(1..40);
        match read_cut(&mut reader, &types, (&data, size)) {
            Ok(_) => loaded += 1,
            Err(error) => {
                refused += 1;
                assert_eq!(error.sqlstate.len(), 5);
                assert_ne!(error.sqlstate, "XX000", "{error:?}");
                assert!(
                    error.context.as_deref().is_some_and(|text| text.contains(", line ")),
                    "{error:?}"
                );
                assert!(reader.take().is_ok());
            }
        }
    }
    assert!(loaded > 100 && refused > 1_000, "{loaded} loaded, {refused} refused");
}

fn rand_seeded() -> impl Rng {
    rand::rngs::StdRng::seed_from_u64(20_240_229)
}

#[test]
fn headers_are_known_to_the_parser() {
    assert_eq!(options("(format csv, header match)").header, Header::Match);
}
