//! One-time passwords by time (RFC 6238), and recovery codes.

use keyward_model::{Random, Timestamp};
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// How long a code is shown, in seconds.
const STEP_SECONDS: u64 = 30;
/// How many bytes a secret has (RFC 4226 section 4 recommends 160 bits).
const SECRET_LEN: usize = 20;
/// How many recovery codes a person gets.
pub const RECOVERY_CODES: usize = 10;
/// Crockford's base32: without the letters that people take for digits.
const LEGIBLE: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The secret that a person's device shares with the server.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_LEN]);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    /// A new one.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; SECRET_LEN];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// One that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; SECRET_LEN]) -> Self {
        Self(bytes)
    }

    /// What is stored, sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as people type it: base32 without padding (RFC 4648 section 6).
    #[must_use]
    pub fn to_base32(&self) -> String {
        Secret::from(self.0).to_base32()
    }

    /// What a QR code says to the app on the person's device.
    #[must_use]
    pub fn to_uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (escaped(issuer), escaped(account));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            self.to_base32()
        )
    }

    /// The step that a code belongs to, when it is one of the present step or of those beside it, and later than `after`:
    /// each code is good once. Spaces between the digits are fine.
    #[must_use]
    pub fn check(&self, code: &str, now: Timestamp, after: i64) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = u64::try_from(now.unix_seconds()).ok()?;
        let step = self.totp().check(&digits, seconds)?;
        i64::try_from(step).ok().filter(|step| *step > after)
    }

    /// The code of a moment, as the person's device shows it.
    #[must_use]
    pub fn code(&self, now: Timestamp) -> String {
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or_default();
        self.totp().generate(seconds).to_string()
    }

    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0)
            .build_noncompliant()
    }
}

/// A text as a part of an address.
fn escaped(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]].map(char::from));
        }
    }
    escaped
}

/// Codes for the day when the device is gone, each with 80 random bits, such as `k7dm-2xqp-9r4t-h3vw`.
#[must_use]
pub fn recovery_codes(random: &dyn Random) -> Vec<String> {
    let code = |_| {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let letters: Vec<char> =
            bytes.iter().map(|byte| char::from(LEGIBLE[usize::from(byte & 31)])).collect();
        letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    };
    (0..RECOVERY_CODES).map(code).collect()
}

/// A recovery code as it is compared: however it was typed, letters taken for the digits that they look like.
#[must_use]
pub fn normalized(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    letters
        .map(|c| {
            if c == 'o' {
                '0'
            } else if matches!(c, 'i' | 'l') {
                '1'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use keyward_model::SeededRandom;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1_000).unwrap()
    }

    /// RFC 6238 appendix B, its SHA-1 column cut to six digits.
    #[test]
    fn the_vectors_of_the_rfc() {
        let secret = TotpSecret::from_bytes(*b"12345678901234567890");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(secret.code(at(seconds)), code);
            assert_eq!(secret.check(code, at(seconds), 0), Some(seconds / 30));
        }
        assert_eq!(secret.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn each_code_is_good_once_and_for_a_step_beside() {
        let secret = TotpSecret::generate(&SeededRandom::new(1));
        let now = at(1_800_000_000);
        let code = secret.code(now);
        let step = secret.check(&code, now, 0).unwrap();
        assert_eq!(secret.check(&code, now, step), None, "a replay");
        for (moved, good) in [(-60, false), (-30, true), (30, true), (60, false)] {
            assert_eq!(secret.check(&code, now.plus_seconds(moved), 0).is_some(), good, "{moved}");
        }
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert_eq!(secret.check(&spaced, now, 0), Some(step));
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６", "+12345"] {
            assert_eq!(secret.check(wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn what_the_qr_code_says() {
        let secret = TotpSecret::from_bytes(*b"12345678901234567890");
        assert_eq!(
            secret.to_uri("Acme & Co", "ada@acme.example"),
            "otpauth://totp/Acme%20%26%20Co:ada%40acme.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Acme%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn recovery_codes_can_be_typed() {
        let codes = recovery_codes(&SeededRandom::new(1));
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert!(codes.iter().all(|code| code.len() == 19 && normalized(code).len() == 16), "{codes:?}");
        assert_eq!(normalized(&codes[0].to_uppercase().replace('-', " ")), normalized(&codes[0]));
        let unlike: std::collections::HashSet<&String> = codes.iter().collect();
        assert_eq!(unlike.len(), RECOVERY_CODES);
    }
}
