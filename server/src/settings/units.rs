//! Sizes, times and numbers as people write them: `64MB`, `50%`, `30s`, `auto`.

use std::time::Duration;

/// Units of size, as PostgreSQL's settings write them: powers of 1024.
const SIZES: &[(&str, u64)] =
    &[("kB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40), ("B", 1), ("", 1)];

/// Units of time in milliseconds.
const TIMES: &[(&str, u64)] =
    &[("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000), ("d", 86_400_000), ("", 1000)];

/// Reads `64MB` as bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn bytes(text: &str) -> Result<u64, String> {
    scaled(text, SIZES).ok_or_else(|| "a size looks like 512kB, 64MB or 2GB".to_owned())
}

/// Reads `30s` or `500ms`.
///
/// # Errors
/// What is wrong with the text.
pub fn duration(text: &str) -> Result<Duration, String> {
    let millis = scaled(text, TIMES).ok_or("a time looks like 500ms, 30s, 5min or 1h")?;
    Ok(Duration::from_millis(millis))
}

/// Reads a number within bounds.
///
/// # Errors
/// What is wrong with the text.
pub fn count(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "a whole number is needed".to_owned())?;
    match (least..=most).contains(&number) {
        true => Ok(number),
        false => Err(format!("it must be between {least} and {most}")),
    }
}

/// Reads a size of memory or a share of the machine's.
///
/// # Errors
/// What is wrong with the text.
pub fn memory(text: &str) -> Result<usize, String> {
    let bytes = match text.strip_suffix('%') {
        Some(percent) => machine_memory_bytes() / 100 * count(percent.trim(), 1, 95)? as u64,
        None => bytes(text)?,
    };
    usize::try_from(bytes).map_err(|_| "it is more than this machine can address".to_owned())
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Physical memory; 4 GB where the system does not say.
fn machine_memory_bytes() -> u64 {
    let table = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = table.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes =
        total.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.map_or(4 << 30, |kilobytes| kilobytes << 10)
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(bytes("64MB"), Ok(64 << 20));
        assert_eq!(bytes("2 gb"), Ok(2 << 30));
        assert_eq!(bytes("17"), Ok(17));
        assert!(bytes("MB").is_err() && bytes("1XB").is_err() && bytes("99999999999TB").is_err());
        assert_eq!(duration("5min"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(memory("50%").unwrap() > 0 && memory("0%").is_err());
    }
}
