//! Passwords: kept as SCRAM-SHA-256 verifiers only (RFC 5803; manual: auth-password).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// PBKDF2 rounds, PostgreSQL's number.
const ITERATIONS: u32 = 4096;

/// The verifier of a new password: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`.
pub(crate) fn verifier(password: &str) -> String {
    let salt: [u8; 16] = rand::random();
    with_salt(password, &salt, ITERATIONS)
}

/// Whether a text is such a verifier already, as `CREATE ROLE … PASSWORD` accepts it.
pub(crate) fn is_verifier(text: &str) -> bool {
    text.starts_with("SCRAM-SHA-256$") && text.matches('$').count() == 2
}

fn with_salt(password: &str, salt: &[u8], iterations: u32) -> String {
    let normalised = stringprep::saslprep(password).unwrap_or(password.into());
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(normalised.as_bytes(), salt, iterations, &mut salted);
    let stored = Sha256::digest(keyed(&salted, b"Client Key"));
    let server = keyed(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{STANDARD, is_verifier, with_salt};
    use base64::Engine as _;

    #[test]
    fn the_verifier_follows_rfc_5803() {
        // Password and salt of RFC 7677, section 3.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let expected = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(with_salt("pencil", &salt, 4096), expected);
        assert!(is_verifier(expected));
    }
}
