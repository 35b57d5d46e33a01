//! Types that are kept as text but travel as something else: `uuid`, `inet`, `timetz`, `bit`,
//! `pg_lsn`, `jsonb`, ranges.

use std::net::IpAddr;

use super::{Reader, incorrect, range};
use crate::input::text::Rule;
use crate::range::Kind;
use crate::types::PgType;
use crate::{Result, output};

/// `PGSQL_AF_INET` and `PGSQL_AF_INET6`.
const FAMILIES: [u8; 2] = [2, 3];

/// Whether the bytes of a type differ from its text by more than a leading byte.
pub(crate) fn differs(pg_type: PgType) -> bool {
    matches!(pg_type.oid, 869 | 1266 | 1560 | 1562 | 2950 | 3220) || Kind::of(pg_type).is_some()
}

/// The byte that some types put before their text.
pub(crate) fn prefix(pg_type: PgType) -> Option<u8> {
    matches!(pg_type.oid, 3802 | 4072).then_some(1)
}

/// Sends a value of a type that [`differs`].
pub(crate) fn send(pg_type: PgType, text: &str) -> Result<Vec<u8>> {
    if let Some(kind) = Kind::of(pg_type) {
        return range::send(kind, text);
    }
    match pg_type.oid {
        869 => send_inet(text),
        1266 => send_timetz(text),
        1560 | 1562 => Ok(send_bits(text)),
        2950 => send_uuid(text),
        _ => send_lsn(text),
    }
}

fn send_uuid(text: &str) -> Result<Vec<u8>> {
    Ok(uuid::Uuid::try_parse(text).map_err(|_| incorrect())?.into_bytes().to_vec())
}

fn send_inet(text: &str) -> Result<Vec<u8>> {
    let (address, bits) =
        text.split_once('/').map_or((text, None), |(head, bits)| (head, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| incorrect())?;
    let (family, octets) = match address {
        IpAddr::V4(address) => (FAMILIES[0], address.octets().to_vec()),
        IpAddr::V6(address) => (FAMILIES[1], address.octets().to_vec()),
    };
    let length = octets.len() as u8;
    let bits = bits.map_or(Ok(length * 8), str::parse).map_err(|_| incorrect())?;
    let mut bytes = vec![family, bits, 0, length];
    bytes.extend(octets);
    Ok(bytes)
}

fn send_timetz(text: &str) -> Result<Vec<u8>> {
    let at = text.rfind(['+', '-']).ok_or_else(incorrect)?;
    let (clock, zone) = text.split_at(at);
    let (micros, []) = crate::input::fields::time(clock.as_bytes()).ok_or_else(incorrect)? else {
        return Err(incorrect());
    };
    let east = crate::input::zone::offset(zone).flatten().ok_or_else(incorrect)?;
    let mut bytes = micros.to_be_bytes().to_vec();
    bytes.extend((-east as i32).to_be_bytes());
    Ok(bytes)
}

fn send_bits(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as i32).to_be_bytes().to_vec();
    let bit = |(position, digit): (usize, &u8)| u8::from(*digit == b'1') << (7 - position);
    bytes
        .extend(text.as_bytes().chunks(8).map(|byte| byte.iter().enumerate().map(bit).sum::<u8>()));
    bytes
}

fn send_lsn(text: &str) -> Result<Vec<u8>> {
    let (high, low) = text.split_once('/').ok_or_else(incorrect)?;
    let part = |digits| u32::from_str_radix(digits, 16).map_err(|_| incorrect());
    Ok([part(high)?.to_be_bytes(), part(low)?.to_be_bytes()].concat())
}

/// Receives the text of a value that travels as something else; `None` where it travels as text.
pub(crate) fn receive(rule: Rule, pg_type: PgType, bytes: &[u8]) -> Result<Option<String>> {
    let mut reader = Reader(bytes);
    let text = match rule {
        Rule::Uuid => {
            let mut text = Vec::with_capacity(36);
            output::write_uuid(&reader.array::<16>()?, &mut text);
            String::from_utf8(text).map_err(|_| incorrect())?
        }
        Rule::Inet => receive_inet(&mut reader)?,
        Rule::Range(kind) => range::receive(kind, &mut reader)?,
        Rule::TimeTz => receive_timetz(&mut reader)?,
        Rule::Bit(_) | Rule::VarBit(_) => receive_bits(&mut reader)?,
        _ if pg_type.oid == 3220 => {
            format!(
                "{:X}/{:X}",
                u32::from_be_bytes(reader.array()?),
                u32::from_be_bytes(reader.array()?)
            )
        }
        _ => return Ok(None),
    };
    reader.end()?;
    Ok(Some(text))
}

fn receive_inet(reader: &mut Reader<'_>) -> Result<String> {
    let [family, bits, _, length] = reader.array()?;
    let address: IpAddr = match (family, length) {
        (2, 4) => reader.array::<4>()?.into(),
        (3, 16) => reader.array::<16>()?.into(),
        _ => return Err(incorrect()),
    };
    Ok(if bits == length * 8 { address.to_string() } else { format!("{address}/{bits}") })
}

fn receive_timetz(reader: &mut Reader<'_>) -> Result<String> {
    let micros = i64::from_be_bytes(reader.array()?);
    let west = i64::from(reader.i32()?);
    if !(0..=crate::calendar::DAY_MICROS).contains(&micros) || west.abs() >= 57_600 {
        return Err(incorrect());
    }
    let mut text = Vec::with_capacity(24);
    output::temporal::write_time(micros, &mut text);
    output::temporal::write_offset(-west, &mut text);
    String::from_utf8(text).map_err(|_| incorrect())
}

fn receive_bits(reader: &mut Reader<'_>) -> Result<String> {
    let length = usize::try_from(reader.i32()?).map_err(|_| incorrect())?;
    let bytes = reader.bytes(length.div_ceil(8))?;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    text.truncate(length);
    Ok(text)
}
