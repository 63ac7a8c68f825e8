//! The revocation feed (`docs/revocation-feed.md`): its signed form, and what a verifier remembers of it.

use std::{collections::HashMap, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    digest::sha256,
    jws::{JwsError, KeySet, SigningKey},
};

/// The `typ` of a reply of the feed.
pub const TYP: &str = "revocations+jwt";

/// The longest signed reply that is read, in bytes: room for more than 80,000 entries.
pub const MAX_LEN: usize = 16 << 20;

/// The subject of every token.
pub const ALL: &str = "all";

/// The subject of every token, too: it is revoked when rights are taken away that many of them carry.
pub const RIGHTS: &str = "rights";

const SUBJECT_LEN: usize = 16;

/// One thing that was revoked, as it stands in the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The digest of the subject's text: see [`subject`].
    pub subject: String,
    /// Tokens that were issued at this moment or earlier are revoked, in milliseconds since the epoch; all are when it
    /// is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// When the entry can be forgotten, in seconds since the epoch.
    pub until: i64,
}

/// A reply of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// The issuer.
    pub iss: String,
    /// When the reply was signed, in seconds since the epoch.
    pub iat: i64,
    /// Where the next reading goes on.
    pub cursor: String,
    /// What was revoked since the cursor that was sent, in the order in which it counts.
    pub revocations: Vec<Entry>,
}

/// Why a reply of the feed is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// It is not signed by one of the known keys, or is another kind of token.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A member is missing or of the wrong type.
    #[error("the reply is not one of the revocation feed")]
    Malformed,
    /// It is from another issuer.
    #[error("the reply is from another issuer")]
    WrongIssuer,
}

impl Feed {
    /// The reply as it is sent: a compact JWS (RFC 7515 section 3.1).
    pub fn sign(&self, key: &SigningKey) -> Result<String, FeedError> {
        let payload = serde_json::to_vec(self).map_err(|_| FeedError::Malformed)?;
        Ok(key.sign_compact(TYP, &payload)?)
    }

    /// Reads a signed reply of this issuer. Whether it is newer than the last one is for the caller to judge.
    pub fn verify(keys: &KeySet, jws: &str, issuer: &str) -> Result<Self, FeedError> {
        let verified = keys.verify_compact_within(MAX_LEN, jws, &[TYP])?;
        let feed: Self = serde_json::from_slice(&verified.payload).map_err(|_| FeedError::Malformed)?;
        if feed.iss == issuer { Ok(feed) } else { Err(FeedError::WrongIssuer) }
    }
}

/// The digest of what a token or key is a subject of: the first 16 bytes of the SHA-256 of its text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject([u8; SUBJECT_LEN]);

impl Subject {
    /// The digest of a text such as `jti:{jti}`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut short = [0; SUBJECT_LEN];
        short.copy_from_slice(&sha256(text.as_bytes())[..SUBJECT_LEN]);
        Self(short)
    }

    /// Reads the form that the feed has; nothing when it is no digest.
    fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest of a subject's text, as it stands in the feed.
///
/// ```
/// assert_eq!(keyward_crypto::feed::subject("all"), "XvXvA2S2k5xMph80s5P3sw");
/// ```
#[must_use]
pub fn subject(text: &str) -> String {
    Subject::of(text).to_string()
}

/// The moment in a `jti` of Keyward, a `UUIDv7` in 26 characters, in milliseconds since the epoch; nothing for another
/// form of `jti`, whose token tells its moment by `iat` alone.
#[must_use]
pub fn issued_ms(jti: &str) -> Option<i64> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digit =
        |byte: u8| ALPHABET.iter().position(|known| *known == byte).and_then(|at| i64::try_from(at).ok());
    let bytes = jti.as_bytes();
    if bytes.len() != 26 || !bytes.iter().all(|byte| digit(*byte).is_some()) {
        return None;
    }
    // Ten digits are two bits that are zero and the 48 of the moment; four of the next five bits are the version.
    let (moment, rest) = bytes.split_at(10);
    let moment = moment.iter().try_fold(0, |sum, byte| Some(sum << 5 | digit(*byte)?))?;
    let version = digit(rest[0])? >> 1;
    (moment < 1 << 48 && version == 7).then_some(moment)
}

/// Up to when the tokens of a subject are dead.
#[derive(Clone, Copy, Debug)]
struct Mark {
    before: Option<i64>,
    until: i64,
}

/// What is known to be revoked.
#[derive(Clone, Debug, Default)]
pub struct Revoked(HashMap<Subject, Mark>);

impl Revoked {
    /// Takes an entry to heart; it replaces what was known of its subject. An entry whose subject is no digest covers
    /// nothing.
    pub fn learn(&mut self, entry: &Entry) {
        if let Some(subject) = Subject::parse(&entry.subject) {
            self.0.insert(subject, Mark { before: entry.before, until: entry.until });
        }
    }

    /// Forgets what no living token can be covered by; `now` in seconds since the epoch.
    pub fn forget_expired(&mut self, now: i64) {
        self.0.retain(|_, mark| mark.until >= now);
    }

    /// Whether a token is dead that was issued at `issued_ms` (milliseconds since the epoch) and is a subject by this
    /// text.
    #[must_use]
    pub fn kills(&self, subject_text: &str, issued_ms: i64) -> bool {
        self.covers(&Subject::of(subject_text), issued_ms)
    }

    /// The same by the digest.
    #[must_use]
    pub fn covers(&self, subject: &Subject, issued_ms: i64) -> bool {
        self.0.get(subject).is_some_and(|mark| mark.before.is_none_or(|before| issued_ms <= before))
    }

    /// How many subjects are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use keyward_model::{SeededRandom, Timestamp, encode_uuid, new_uuid};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::jws::{Algorithm, VerifyingKey};

    fn entry(text: &str, before: Option<i64>, until: i64) -> Entry {
        Entry { subject: subject(text), before, until }
    }

    #[test]
    fn an_entry_covers_tokens_up_to_its_moment() {
        let mut revoked = Revoked::default();
        revoked.learn(&entry("client:acme.crm", Some(5_000), 9));
        assert!(revoked.kills("client:acme.crm", 4_999) && revoked.kills("client:acme.crm", 5_000));
        assert!(!revoked.kills("client:acme.crm", 5_001));
        assert!(!revoked.kills("client:acme.cr", 1) && !revoked.kills("subject:acme.crm", 1));
        revoked.learn(&entry("jti:1", None, 9));
        assert!(revoked.kills("jti:1", i64::MAX));
    }

    #[test]
    fn a_later_entry_replaces_an_earlier_one() {
        let mut revoked = Revoked::default();
        revoked.learn(&entry("tenant:t", None, 9));
        revoked.learn(&entry("tenant:t", Some(100), 9));
        assert!(revoked.kills("tenant:t", 100) && !revoked.kills("tenant:t", 101), "it came back");
        revoked.learn(&entry("tenant:t", Some(50), 9));
        assert!(!revoked.kills("tenant:t", 100), "also when the later one covers less");
        assert_eq!(revoked.len(), 1);
    }

    #[test]
    fn entries_are_forgotten_once_their_time_has_passed() {
        let mut revoked = Revoked::default();
        revoked.learn(&entry("a", None, 10));
        revoked.learn(&entry("b", None, 11));
        revoked.forget_expired(10);
        assert_eq!(revoked.len(), 2, "a token that expires at 10 is refused by its expiry from 10 on only");
        revoked.forget_expired(11);
        assert!(!revoked.kills("a", 1) && revoked.kills("b", 1));
        revoked.forget_expired(12);
        assert!(revoked.is_empty());
    }

    #[test]
    fn what_is_no_digest_covers_nothing() {
        let mut revoked = Revoked::default();
        for text in ["", "all", "q83vEjRWeJq83vEjRWeJqw==", "q83vEjRWeJq83vEjRWeJqwAA"] {
            revoked.learn(&Entry { subject: text.to_owned(), before: None, until: 9 });
        }
        assert!(revoked.is_empty());
    }

    #[test]
    fn the_json_is_that_of_the_document() {
        let feed = Feed {
            iss: "https://keyward.example".to_owned(),
            iat: 1_780_000_000,
            cursor: "1042.7f3c.18".to_owned(),
            revocations: vec![entry("jti:1", Some(1_780_000_000_123), 1_780_003_600), entry("all", None, 7)],
        };
        let expected = json!({
            "iss": "https://keyward.example",
            "iat": 1_780_000_000,
            "cursor": "1042.7f3c.18",
            "revocations": [
                { "subject": subject("jti:1"), "before": 1_780_000_000_123_i64, "until": 1_780_003_600 },
                { "subject": subject("all"), "until": 7 },
            ],
        });
        assert_eq!(serde_json::to_value(&feed).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Feed>(expected).unwrap(), feed);
    }

    #[test]
    fn a_reply_is_believed_by_its_signature_type_and_issuer() {
        let (key, other) = (SigningKey::generate(Algorithm::Es256), SigningKey::generate(Algorithm::Es256));
        let (key, other) = (key.unwrap(), other.unwrap());
        let keys = KeySet::new(vec![VerifyingKey::from_jwk(key.public_jwk()).unwrap()]);
        // Longer than a token may be.
        let entries = (0..2_000).map(|number| entry(&format!("jti:{number}"), None, 9)).collect();
        let feed = Feed { iss: "i".to_owned(), iat: 1, cursor: "c".to_owned(), revocations: entries };
        let signed = feed.sign(&key).unwrap();
        assert_eq!(Feed::verify(&keys, &signed, "i").unwrap(), feed);
        assert_eq!(Feed::verify(&keys, &signed, "I"), Err(FeedError::WrongIssuer));
        let unknown = FeedError::Jws(JwsError::UnknownKey);
        assert_eq!(Feed::verify(&keys, &feed.sign(&other).unwrap(), "i"), Err(unknown));
        let payload = serde_json::to_vec(&feed).unwrap();
        let token = key.sign_compact("at+jwt", &payload[..]).unwrap();
        assert_eq!(Feed::verify(&keys, &token, "i"), Err(FeedError::Jws(JwsError::WrongType)));
        assert!(keys.verify_compact(&signed, &["at+jwt"]).is_err());
        let empty = key.sign_compact(TYP, b"{}").unwrap();
        assert_eq!(Feed::verify(&keys, &empty, "i"), Err(FeedError::Malformed));
    }

    #[test]
    fn the_moment_is_read_from_keywards_own_form_only() {
        let ulid = "01m86n6k4wf2p88ntrd6tq40hy";
        assert!(issued_ms(ulid).is_some());
        for other in
            ["", "01m86n6k4wf2p88ntrd6tq40h", "01M86N6K4WF2P88NTRD6TQ40HY", "01m86n6k4w12p88ntrd6tq40hy"]
        {
            assert_eq!(issued_ms(other), None, "{other}");
        }
        assert_eq!(issued_ms("z1m86n6k4wf2p88ntrd6tq40hy"), None, "130 bits are more than a UUID has");
        assert_eq!(issued_ms("01m86n6k4wf2p88ntrd6tq40hü"), None);
        assert_eq!(issued_ms("01m86n6k4wf2p88ntrd6tq40é"), None);
    }

    proptest! {
        #[test]
        fn the_moment_of_a_jti_is_that_of_its_making(ms in 0..1_i64 << 47, seed in any::<i64>()) {
            let now = Timestamp::from_unix_millis(ms).unwrap();
            let jti = encode_uuid(new_uuid(now, &SeededRandom::new(seed)));
            prop_assert_eq!(issued_ms(&jti), Some(ms));
        }

        #[test]
        fn any_reply_is_refused_without_panic(text in ".{0,100}") {
            prop_assert!(Feed::verify(&KeySet::new(Vec::new()), &text, "i").is_err());
            prop_assert_eq!(Subject::parse(&text).map(|read| read.to_string()).is_some_and(|same| same != text), false);
        }
    }
}
