//! Passwords of people: what is accepted as a new one, and how it is stored (Argon2id, RFC 9106).
//!
//! Hashing and verifying take tens of milliseconds and 19 MiB each: never on a thread that has other things to do.

use std::{collections::HashSet, sync::LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use keyward_model::Random;

/// The fewest characters of a password.
pub const MIN_CHARS: usize = 8;
/// How many characters are recommended at least.
pub const RECOMMENDED_CHARS: usize = 15;
/// The most bytes of a password: far beyond what people type, and what password managers make.
pub const MAX_BYTES: usize = 1_024;

/// Passwords that everybody tries first, in lower case and in alphabetical order.
const COMMON: &str = include_str!("common_passwords.txt");

static COMMON_SET: LazyLock<HashSet<&'static str>> = LazyLock::new(|| COMMON.lines().collect());

/// Why a password is not accepted as a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// It has too few characters.
    #[error("The password must have at least 8 characters; 15 or more are better.")]
    TooShort,
    /// It has too many bytes.
    #[error("The password must have at most 1,024 bytes.")]
    TooLong,
    /// It is one of those that everybody tries first.
    #[error("This is one of the passwords that are guessed first. Choose another one.")]
    Common,
    /// It is the person's own address or name.
    #[error("The password must not be your e-mail address or name.")]
    Personal,
}

/// Why a password could not be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct Unhashable;

/// Whether somebody by these names may take this password. There are no rules about kinds of characters.
///
/// ```
/// use keyward_crypto::password::{Weakness, check};
/// assert_eq!(check("correct horse battery staple", &["ada@acme.example"]), Ok(()));
/// assert_eq!(check("Password123", &[]), Err(Weakness::Common));
/// assert_eq!(check("short", &[]), Err(Weakness::TooShort));
/// ```
pub fn check(password: &str, names: &[&str]) -> Result<(), Weakness> {
    if password.chars().count() < MIN_CHARS {
        return Err(Weakness::TooShort);
    }
    if password.len() > MAX_BYTES {
        return Err(Weakness::TooLong);
    }
    let folded = password.to_lowercase();
    if COMMON_SET.contains(folded.as_str()) || is_one_character(&folded) {
        return Err(Weakness::Common);
    }
    let is_name = |name: &&str| {
        let name = name.to_lowercase();
        folded == name || name.split('@').next() == Some(folded.as_str())
    };
    if names.iter().any(is_name) { Err(Weakness::Personal) } else { Ok(()) }
}

fn is_one_character(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    chars.all(|c| Some(c) == first)
}

/// The form in which a password is stored: a PHC string of Argon2id with a salt of its own.
pub fn hash(password: &str, random: &dyn Random) -> Result<String, Unhashable> {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let hashed: PasswordHash =
        Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| Unhashable)?;
    Ok(hashed.to_string())
}

/// Whether a stored form is that of the password.
#[must_use]
pub fn verify(password: &str, stored: &str) -> bool {
    // A password that could never have been set is not worth the time, and not worth that of others.
    let Ok(parsed) = PasswordHash::new(stored) else { return false };
    password.len() <= MAX_BYTES && Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
}

#[cfg(test)]
mod tests {
    use keyward_model::SeededRandom;

    use super::*;

    #[test]
    fn the_list_can_be_looked_up() {
        assert!(COMMON.lines().is_sorted() && COMMON.lines().count() > 5_000);
        assert!(COMMON.lines().all(|line| line.chars().count() >= MIN_CHARS && line == line.to_lowercase()));
    }

    #[test]
    fn what_is_accepted() {
        let cases = [
            ("1234567", Err(Weakness::TooShort)),
            ("ÄÖÜäöüß", Err(Weakness::TooShort)),
            ("ÄÖÜäöüßẞ", Ok(())),
            ("password", Err(Weakness::Common)),
            ("QWERTYUIOP", Err(Weakness::Common)),
            ("aaaaaaaaaaaa", Err(Weakness::Common)),
            ("ada@acme.example", Err(Weakness::Personal)),
            ("Ada Lovelace", Err(Weakness::Personal)),
            ("all lower case letters", Ok(())),
        ];
        for (password, expected) in cases {
            assert_eq!(check(password, &["Ada@acme.example", "Ada Lovelace"]), expected, "{password}");
        }
        assert_eq!(check(&"ab".repeat(512), &[]), Ok(()), "1,024 bytes");
        assert_eq!(check(&"ab".repeat(513), &[]), Err(Weakness::TooLong));
    }

    #[test]
    fn nothing_is_cut_off_or_folded() {
        let random = SeededRandom::new(1);
        let long = "x".repeat(100) + "1";
        let stored = hash(&long, &random).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify(&long, &stored));
        for other in ["x".repeat(100) + "2", "X".repeat(100) + "1", format!("{long} "), "x".repeat(72)] {
            assert!(!verify(&other, &stored), "{other}");
        }
        assert_ne!(hash(&long, &random).unwrap(), stored, "each has a salt of its own");
        assert!(!verify(&long, "nonsense"));
    }
}
