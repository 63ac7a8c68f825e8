//! Typed identifiers: a kind's prefix, an underscore, and 26 characters of a `UUIDv7` in lower-case Crockford base32.

use std::{cell::Cell, fmt, hash::Hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Kind, Random, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_LEN: usize = 26;
/// The length of every kind's prefix.
const PREFIX_LEN: usize = 3;

/// What kind of thing an [`Id`] names; implemented by the types of the domain.
pub trait Identified {
    /// The kind, which decides the prefix.
    const KIND: Kind;
}

/// The identifier of an `R`, for example `tnt_01k…`. Ids of different types can't be mixed up.
pub struct Id<R> {
    uuid: Uuid,
    of: PhantomData<fn() -> R>,
}

/// An identifier whose kind is known at run time only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnyId {
    /// The kind.
    pub kind: Kind,
    /// The number behind the prefix.
    pub uuid: Uuid,
}

/// Why a text is no identifier of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the expected kind")]
pub struct InvalidId;

impl<R> Id<R> {
    /// The identifier of nothing that ever was or will be.
    pub const NOBODY: Self = Self { uuid: Uuid::nil(), of: PhantomData };
}

impl<R: Identified> Id<R> {
    /// A fresh identifier. Later ones sort behind earlier ones.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self::from_uuid(new_uuid(now, random))
    }

    /// The identifier with this number.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, of: PhantomData }
    }

    /// The number behind the prefix.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The same identifier without its type.
    #[must_use]
    pub const fn any(self) -> AnyId {
        AnyId { kind: R::KIND, uuid: self.uuid }
    }
}

impl AnyId {
    /// Gives the identifier its type back, when it is of that kind.
    #[must_use]
    pub fn typed<R: Identified>(self) -> Option<Id<R>> {
        (self.kind == R::KIND).then(|| Id::from_uuid(self.uuid))
    }
}

/// Numbers what one thread makes in one millisecond with 12 bits, which stay at their highest when there is more.
fn number_within(millis: u64) -> u16 {
    thread_local! {
        static LAST: Cell<(u64, u16)> = const { Cell::new((0, 0)) };
    }
    let next = match LAST.get() {
        (last, number) if last == millis => (number + 1).min(0xFFF),
        _ => 0,
    };
    LAST.set((millis, next));
    next
}

/// A fresh `UUIDv7` (RFC 9562 section 5.7). Those of one thread and millisecond sort in the order of their making.
#[must_use]
pub fn new_uuid(now: Timestamp, random: &dyn Random) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(now.unix_millis()).unwrap_or(0);
    [bytes[0], bytes[1]] = number_within(millis).to_be_bytes();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

/// The 26 characters that stand for `uuid` in an identifier.
#[must_use]
pub fn encode_uuid(uuid: Uuid) -> String {
    as_text(&digits(uuid)).to_owned()
}

/// The digits of a number, five bits each, twelve at a time: numbers of 128 bits are slow to shift.
fn digits(uuid: Uuid) -> [u8; ENCODED_LEN] {
    const TWELVE: u128 = (1 << 60) - 1;
    let mut digits = [0; ENCODED_LEN];
    let mut number = uuid.as_u128();
    for twelve in digits.rchunks_mut(12) {
        let mut rest = u64::try_from(number & TWELVE).unwrap_or(0);
        number >>= 60;
        for digit in twelve.iter_mut().rev() {
            // Below 32, the alphabet's length.
            *digit = ALPHABET[usize::try_from(rest & 31).unwrap_or(0)];
            rest >>= 5;
        }
    }
    digits
}

/// What was put together of ASCII alone.
fn as_text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

/// The value of each character as a digit; above 31 for those that are none.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut digit: u8 = 0;
    while (digit as usize) < ALPHABET.len() {
        values[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

fn decode_uuid(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    // 26 digits hold 130 bits: the first may only use its lower three.
    if bytes.len() != ENCODED_LEN || bytes[0] > b'7' {
        return None;
    }
    let mut number: u128 = 0;
    for twelve in bytes.rchunks(12).rev() {
        let mut part: u64 = 0;
        for byte in twelve {
            let digit = VALUES[usize::from(*byte)];
            if digit > 31 {
                return None;
            }
            part = (part << 5) | u64::from(digit);
        }
        number = (number << (5 * twelve.len())) | u128::from(part);
    }
    Some(Uuid::from_u128(number))
}

impl AnyId {
    /// Does something with the identifier's text, which is put together without memory of its own.
    fn with_text<T>(self, work: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; PREFIX_LEN + 1 + ENCODED_LEN];
        let (prefix, rest) = text.split_at_mut(PREFIX_LEN);
        prefix.copy_from_slice(self.kind.prefix().as_bytes());
        rest[0] = b'_';
        rest[1..].copy_from_slice(&digits(self.uuid));
        work(as_text(&text))
    }

    /// Writes the identifier behind what is there.
    pub(crate) fn write(self, into: &mut Vec<u8>) {
        self.with_text(|text| into.extend_from_slice(text.as_bytes()));
    }
}

impl fmt::Display for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AnyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (prefix, digits) = text.split_once('_').ok_or(InvalidId)?;
        let kind = Kind::from_prefix(prefix).ok_or(InvalidId)?;
        let uuid = decode_uuid(digits).ok_or(InvalidId)?;
        Ok(Self { kind, uuid })
    }
}

impl<R: Identified> FromStr for Id<R> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse::<AnyId>()?.typed().ok_or(InvalidId)
    }
}

impl<R: Identified> fmt::Display for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.any(), f)
    }
}

impl<R: Identified> fmt::Debug for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<R: Identified> From<Id<R>> for AnyId {
    fn from(id: Id<R>) -> Self {
        id.any()
    }
}

impl<R> Clone for Id<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Id<R> {}

impl<R> PartialEq for Id<R> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<R> Eq for Id<R> {}

impl<R> PartialOrd for Id<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> Ord for Id<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}

impl<R> Hash for Id<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<R: Identified> Serialize for Id<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, R: Identified> Deserialize<'de> for Id<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom(format_args!(
                "expected an identifier that begins with {}_",
                R::KIND.prefix()
            ))
        })
    }
}

impl Serialize for AnyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AnyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Role, SeededRandom, Tenant};

    #[test]
    fn identifiers_of_one_moment_sort_as_they_were_made() {
        let (now, random) = (Timestamp::parse("2026-11-03T12:00:00Z").unwrap(), SeededRandom::new(1));
        let made: Vec<Uuid> = (0..1_000).map(|_| new_uuid(now, &random)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(made.iter().all(|uuid| uuid.get_version_num() == 7));
    }

    proptest! {
        #[test]
        fn text_round_trips(number in any::<u128>()) {
            let id = Id::<Tenant>::from_uuid(Uuid::from_u128(number));
            prop_assert_eq!(id.to_string().parse::<Id<Tenant>>(), Ok(id));
            prop_assert_eq!(id.to_string().len(), 30);
            prop_assert!(id.to_string().parse::<Id<Role>>().is_err());
            let digit = |place: usize| char::from(ALPHABET[((number >> (5 * place)) & 31) as usize]);
            prop_assert_eq!(&id.to_string()[4..], (0..ENCODED_LEN).rev().map(digit).collect::<String>());
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,40}", digits in "tnt_[0-9a-zA-Z]{24,28}") {
            let _ = text.parse::<AnyId>();
            let _ = digits.parse::<AnyId>();
        }
    }
}
