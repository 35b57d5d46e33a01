//! SCRAM-SHA-256 (RFC 5802, 7677), and what slows down guessing.
//!
//! A role that does not exist goes through the same exchange as one that does, with a verifier
//! made up from its name, so an attacker learns nothing by trying names.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use parking_lot::Mutex;
use pgwire::api::auth::sasl::scram::{
    ScramSecret, ScramServerAuthWaitingForClientFinal, gen_salted_password,
};

use crate::error::protocol_violation;
use crate::tls::Tls;
use clientele_engine::{Error, Result};

/// The mechanism without channel binding.
pub const SCRAM: &str = "SCRAM-SHA-256";
/// The mechanism bound to the server's certificate.
pub const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";

const ITERATIONS: usize = 4096;

/// Mechanisms to offer, the better first.
pub fn mechanisms(tls: Option<&Tls>) -> Vec<String> {
    match tls {
        Some(tls) if tls.binds_channel => vec![SCRAM_PLUS.to_owned(), SCRAM.to_owned()],
        _ => vec![SCRAM.to_owned()],
    }
}

/// First half of the exchange: answers the client's first message with the server's.
///
/// # Errors
/// 08P01: an unknown mechanism, a message that is none.
pub fn begin(
    mechanism: &str,
    message: &Bytes,
    secret: ScramSecret,
    tls: Option<&Tls>,
) -> Result<(String, ScramServerAuthWaitingForClientFinal)> {
    if !mechanisms(tls).iter().any(|offered| offered == mechanism) {
        return Err(fatal("client selected an invalid SASL authentication mechanism"));
    }
    if (mechanism == SCRAM_PLUS) != message.starts_with(b"p=") {
        return Err(fatal("channel binding does not fit the SASL mechanism"));
    }
    let server = tls.filter(|tls| tls.binds_channel).map(|tls| tls.scram.clone());
    let server = server.unwrap_or_default();
    server
        .on_client_first_message_with_secret(message, secret)
        .map_err(|_| fatal("malformed SCRAM message"))
}

fn fatal(message: &str) -> Error {
    Error { severity: "FATAL", ..protocol_violation(message) }
}

/// Verifiers for roles that have none.
pub struct Doubles {
    key: String,
}

impl Default for Doubles {
    fn default() -> Self {
        Self { key: STANDARD.encode(rand::random::<[u8; 32]>()) }
    }
}

impl Doubles {
    /// Reads a stored verifier, or makes one up that no password fits. The same name always gets
    /// the same salt, as a role with a password would show.
    pub fn secret(&self, role: &str, verifier: Option<&str>) -> ScramSecret {
        verifier.and_then(read_verifier).unwrap_or_else(|| {
            let mut salt = gen_salted_password(&self.key, role.as_bytes(), 1);
            salt.truncate(16);
            ScramSecret::Verifier {
                salt,
                iterations: ITERATIONS,
                stored_key: rand::random::<[u8; 32]>().to_vec(),
                server_key: rand::random::<[u8; 32]>().to_vec(),
            }
        })
    }
}

/// Reads `SCRAM-SHA-256$iterations:salt$stored key:server key`.
fn read_verifier(text: &str) -> Option<ScramSecret> {
    let (cost, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
    let (iterations, salt) = cost.split_once(':')?;
    let (stored_key, server_key) = keys.split_once(':')?;
    Some(ScramSecret::Verifier {
        salt: STANDARD.decode(salt).ok()?,
        iterations: iterations.parse().ok()?,
        stored_key: STANDARD.decode(stored_key).ok()?,
        server_key: STANDARD.decode(server_key).ok()?,
    })
}

/// Remembers who failed to log in lately and says how long the next refusal should take.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
const DELAY_FIRST: Duration = Duration::from_millis(50);
const DELAY_MAX: Duration = Duration::from_secs(2);
/// An attacker with many addresses must not fill the memory.
const ADDRESSES_MAX: usize = 10_000;

impl Throttle {
    /// Counts a failed login and returns how long its answer is to be held back: 50 ms, doubled by
    /// each failure of the same address within a minute of the last, at most 2 s: drivers that try
    /// with TLS and without wait twice.
    pub fn failed(&self, address: IpAddr) -> Duration {
        let now = Instant::now();
        let mut failures = self.failures.lock();
        if failures.len() >= ADDRESSES_MAX {
            failures.retain(|_, (_, last)| now.duration_since(*last) < FORGOTTEN_AFTER);
        }
        if failures.len() >= ADDRESSES_MAX && !failures.contains_key(&address) {
            return DELAY_MAX;
        }
        let (count, last) = failures.entry(address).or_insert((0, now));
        if now.duration_since(*last) >= FORGOTTEN_AFTER {
            *count = 0;
        }
        let delay = DELAY_FIRST.saturating_mul(1 << (*count).min(16));
        (*count, *last) = (count.saturating_add(1), now);
        delay.min(DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_role_shows_the_same_salt_each_time() {
        let doubles = Doubles::default();
        let salt = |secret: ScramSecret| match secret {
            ScramSecret::Verifier { salt, iterations: ITERATIONS, .. } => salt,
            _ => panic!("not a verifier"),
        };
        assert_eq!(salt(doubles.secret("eve", None)), salt(doubles.secret("eve", None)));
        assert_ne!(salt(doubles.secret("eve", None)), salt(doubles.secret("bob", None)));
        assert_eq!(salt(doubles.secret("eve", None)).len(), 16);
    }

    #[test]
    fn guessing_gets_slower_and_stays_bounded() {
        let throttle = Throttle::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        let delays: Vec<Duration> = (0..12).map(|_| throttle.failed(address)).collect();
        assert_eq!(delays[0], DELAY_FIRST);
        assert_eq!(delays[1], DELAY_FIRST * 2);
        assert_eq!(delays[11], DELAY_MAX);
        assert_eq!(throttle.failed(IpAddr::from([192, 0, 2, 2])), DELAY_FIRST);
    }

    #[test]
    fn a_verifier_is_read() {
        let text = format!(
            "SCRAM-SHA-256$4096:{}${}:{}",
            STANDARD.encode([1; 16]),
            STANDARD.encode([2; 32]),
            STANDARD.encode([3; 32])
        );
        assert!(matches!(
            read_verifier(&text),
            Some(ScramSecret::Verifier { iterations: 4096, salt, .. }) if salt == [1; 16]
        ));
        assert!(read_verifier("md5abc").is_none());
    }
}
