//! Secrets and keys as people paste them: `kw<kind>_<live|test>_<43 characters><6 characters of checksum>`.
//!
//! The fixed prefix lets secret scanners recognise them; the checksum lets garbage be refused without a look at the
//! database.

use std::{borrow::Cow, fmt};

use keyward_model::Random;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many characters 256 random bits need in base 62.
const RANDOM_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
const PREFIX_LEN: usize = "kws_live_".len();
/// The length of every credential, in characters.
pub const LEN: usize = PREFIX_LEN + RANDOM_LEN + CHECKSUM_LEN;
/// How many characters behind the prefix people may see.
const HINT_LEN: usize = 4;

/// What a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A secret of an application.
    ClientSecret,
    /// A secret API key of a tenant.
    ApiKey,
    /// The publishable key that names a tenant.
    TenantKey,
    /// A secret of an agent.
    AgentSecret,
    /// A refresh token.
    RefreshToken,
    /// The code of a setup link.
    SetupCode,
}

impl CredentialKind {
    const ALL: [(Self, u8); 6] = [
        (Self::ClientSecret, b's'),
        (Self::ApiKey, b'k'),
        (Self::TenantKey, b't'),
        (Self::AgentSecret, b'a'),
        (Self::RefreshToken, b'r'),
        (Self::SetupCode, b'b'),
    ];

    fn letter(self) -> char {
        // Every kind is in the table.
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or('?', |(_, letter)| char::from(letter))
    }

    fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, of)| *of == letter).map(|(kind, _)| kind)
    }
}

/// A credential with a valid checksum. Its value never appears by accident: `Debug` shows the hint.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    text: String,
    kind: CredentialKind,
    live: bool,
}

/// Why a text is no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a credential, or its checksum is wrong")]
pub struct InvalidCredential;

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}…)", self.hint())
    }
}

impl Credential {
    /// A new credential of 256 random bits; `live` is for the environment named production.
    #[must_use]
    pub fn generate(kind: CredentialKind, live: bool, random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self::of(kind, live, bytes)
    }

    /// The credential of these 256 bits.
    pub(crate) fn of(kind: CredentialKind, live: bool, bytes: [u8; 32]) -> Self {
        let mut text = String::with_capacity(LEN);
        text.push_str("kw");
        text.push(kind.letter());
        text.push_str(if live { "_live_" } else { "_test_" });
        push_base62(&mut text, bytes);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self { text, kind, live }
    }

    /// Reads a credential and checks its checksum.
    pub fn parse(text: &str) -> Result<Self, InvalidCredential> {
        let (kind, live) = check(text).ok_or(InvalidCredential)?;
        Ok(Self { text: text.to_owned(), kind, live })
    }

    /// Its 256 bits; nothing when its characters stand for more.
    pub(crate) fn bytes(&self) -> Option<[u8; 32]> {
        from_base62(self.text.get(PREFIX_LEN..LEN - CHECKSUM_LEN)?)
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Whether it is for the environment named production.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The value. To be shown once, and hashed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The prefix and four characters, by which people recognise it.
    #[must_use]
    pub fn hint(&self) -> String {
        self.text.chars().take(PREFIX_LEN + HINT_LEN).collect()
    }
}

/// The kind of a credential, and whether it is live; nothing when the form or the checksum is wrong.
#[must_use]
pub fn check(text: &str) -> Option<(CredentialKind, bool)> {
    let bytes = text.as_bytes();
    if bytes.len() != LEN || !bytes[PREFIX_LEN..].iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let kind = CredentialKind::from_letter(bytes[2])?;
    let live = match (&bytes[..2], &bytes[3..PREFIX_LEN]) {
        (b"kw", b"_live_") => true,
        (b"kw", b"_test_") => false,
        _ => return None,
    };
    let (covered, sum) = text.split_at_checked(LEN - CHECKSUM_LEN)?;
    (checksum(covered) == sum).then_some((kind, live))
}

/// CRC-32 (ISO-HDLC) in base 62, padded on the left to six characters.
fn checksum(covered: &str) -> String {
    let mut rest = crc32fast::hash(covered.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        // A remainder by 62 is an index into the alphabet.
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// Appends 256 bits as 43 digits of base 62.
fn push_base62(text: &mut String, mut number: [u8; 32]) {
    for _ in 0..RANDOM_LEN {
        let mut remainder: u16 = 0;
        for byte in &mut number {
            let value = (remainder << 8) | u16::from(*byte);
            // The remainder is below 62, so the quotient fits into a byte.
            *byte = (value / 62).to_le_bytes()[0];
            remainder = value % 62;
        }
        text.push(char::from(ALPHABET[usize::from(remainder)]));
    }
}

/// The bits that [`push_base62`] wrote.
fn from_base62(text: &str) -> Option<[u8; 32]> {
    let mut number = [0; 32];
    for character in text.bytes().rev() {
        let mut carry = u16::try_from(ALPHABET.iter().position(|digit| *digit == character)?).ok()?;
        for byte in number.iter_mut().rev() {
            let value = u16::from(*byte) * 62 + carry;
            let [low, high] = value.to_le_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

/// A text with everything masked that has the form of a credential, valid or not.
///
/// ```
/// use keyward_crypto::credential::mask;
/// assert_eq!(mask("id=kws_live_abcDEF&x=1"), "id=kws_live_***&x=1");
/// assert_eq!(mask("nothing here"), "nothing here");
/// ```
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = find_prefix(rest) {
        let (before, credential) = rest.split_at(start + PREFIX_LEN);
        let end = credential.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(credential.len());
        masked.push_str(before);
        if end > 0 {
            masked.push_str("***");
        }
        rest = &credential[end..];
    }
    if masked.is_empty() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// Where a credential's prefix begins.
fn find_prefix(text: &str) -> Option<usize> {
    let is_prefix = |at: &[u8]| {
        at.starts_with(b"kw") && at[2].is_ascii_lowercase() && matches!(&at[3..], b"_live_" | b"_test_")
    };
    text.as_bytes().windows(PREFIX_LEN).position(is_prefix)
}

#[cfg(test)]
mod tests {
    use keyward_model::SeededRandom;
    use proptest::prelude::*;

    use super::*;

    /// The vectors of the public documentation.
    #[test]
    fn checksums() {
        let zeros = "0".repeat(40);
        for (covered, sum) in [
            (format!("kws_test_{zeros}000"), "1f86zh"),
            (format!("kwk_live_{}", "A".repeat(43)), "4A4xlL"),
            (format!("kwk_test_{}", "A".repeat(43)), "4a5LpT"),
            (format!("kwk_test_{zeros}246"), "00yn5R"),
        ] {
            assert_eq!(checksum(&covered), sum, "{covered}");
            assert!(Credential::parse(&format!("{covered}{sum}")).is_ok());
        }
    }

    #[test]
    fn what_is_made_can_be_read() {
        let random = SeededRandom::new(7);
        for (kind, letter) in CredentialKind::ALL {
            for live in [true, false] {
                let made = Credential::generate(kind, live, &random);
                let read = Credential::parse(made.expose()).unwrap();
                assert_eq!((read.kind(), read.is_live()), (kind, live));
                assert_eq!(made.expose().as_bytes()[2], letter);
                assert_eq!(made.hint().len(), PREFIX_LEN + HINT_LEN);
                assert!(!format!("{made:?}").contains(made.expose()));
            }
        }
        let mut max = String::new();
        push_base62(&mut max, [255; 32]);
        assert_eq!(max.len(), RANDOM_LEN);
    }

    proptest! {
        /// One wrong character is always found.
        #[test]
        fn one_wrong_character_is_found(seed in any::<i64>(), at in 0..LEN, by in 0..62usize) {
            let made = Credential::generate(CredentialKind::ClientSecret, true, &SeededRandom::new(seed));
            let mut bytes = made.expose().as_bytes().to_vec();
            prop_assume!(bytes[at] != ALPHABET[by]);
            bytes[at] = ALPHABET[by];
            prop_assert!(check(std::str::from_utf8(&bytes).unwrap()).is_none());
        }

        #[test]
        fn masking_never_panics_and_leaves_no_value(text in "(kw[a-z]_live_|é|kws_test_|[a-z ]){0,12}") {
            let masked = mask(&text).into_owned();
            for (at, _) in masked.match_indices("_live_").chain(masked.match_indices("_test_")) {
                let behind = masked[at + 6..].chars().next();
                let is_credential = at >= 3 && masked.get(at - 3..at - 1) == Some("kw");
                prop_assert!(!is_credential || behind.is_none_or(|c| !c.is_ascii_alphanumeric()), "{}", masked);
            }
        }
    }

    #[test]
    fn masks_every_occurrence() {
        let one = Credential::generate(CredentialKind::ApiKey, false, &SeededRandom::new(9));
        let text = format!("a {} b {}", one.expose(), one.expose());
        assert_eq!(mask(&text), "a kwk_test_*** b kwk_test_***");
    }
}
