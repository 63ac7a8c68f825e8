//! Refresh tokens that need no storage: each is made of its family, its generation, and a key.

use ring::hmac;

use crate::credential::{Credential, CredentialKind};

/// How many bytes of the code go into a token: 128 bits.
const TAG_LEN: usize = 16;

/// Makes and recognises refresh tokens.
#[derive(Clone)]
pub struct RefreshTokens(pub(crate) hmac::Key);

/// A text that has the form of a refresh token: its family, and what must prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentedRefresh {
    /// The number of the family.
    pub family: [u8; 16],
    tag: [u8; TAG_LEN],
}

impl RefreshTokens {
    fn tag(&self, family: [u8; 16], generation: i64) -> [u8; 32] {
        let mut message = [0; 24];
        message[..16].copy_from_slice(&family);
        message[16..].copy_from_slice(&generation.to_be_bytes());
        crate::digest::to_array(hmac::sign(&self.0, &message).as_ref())
    }

    /// The token of a family's generation; `live` is for the environment named production.
    #[must_use]
    pub fn token(&self, family: [u8; 16], generation: i64, live: bool) -> Credential {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&family);
        bytes[16..].copy_from_slice(&self.tag(family, generation)[..TAG_LEN]);
        Credential::of(CredentialKind::RefreshToken, live, bytes)
    }

    /// Reads a text that has the form of a refresh token; whether it ever was one is still to be found out.
    #[must_use]
    pub fn read(text: &str) -> Option<PresentedRefresh> {
        let credential = Credential::parse(text).ok()?;
        if credential.kind() != CredentialKind::RefreshToken {
            return None;
        }
        let bytes = credential.bytes()?;
        let (family, tag) = bytes.split_at(16);
        Some(PresentedRefresh { family: family.try_into().ok()?, tag: tag.try_into().ok()? })
    }

    /// Which of the family's generations the token is of, from the `newest` down; none when it was never given out.
    #[must_use]
    pub fn generation(&self, presented: &PresentedRefresh, newest: i64) -> Option<i64> {
        (1..=newest).rev().find(|generation| {
            let tag = self.tag(presented.family, *generation);
            // Compared without a hint at how much of it was right.
            tag.iter().zip(presented.tag).fold(0, |unlike, (own, theirs)| unlike | (own ^ theirs)) == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use keyward_model::SeededRandom;

    use super::*;
    use crate::master::MasterKey;

    #[test]
    fn a_token_is_known_by_family_and_generation() {
        let random = SeededRandom::new(1);
        let (tokens, others) =
            (MasterKey::generate(&random).refresh_tokens(), MasterKey::generate(&random).refresh_tokens());
        for family in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let third = tokens.token(family, 3, true);
            assert!(third.expose().starts_with("kwr_live_"));
            let presented = RefreshTokens::read(third.expose()).unwrap();
            assert_eq!(presented.family, family);
            assert_eq!(tokens.generation(&presented, 3), Some(3));
            assert_eq!(tokens.generation(&presented, 9), Some(3));
            assert_eq!(tokens.generation(&presented, 2), None, "from the future");
            assert_eq!(others.generation(&presented, 9), None, "another key");
        }
    }

    #[test]
    fn what_is_no_refresh_token() {
        let random = SeededRandom::new(2);
        let secret = Credential::generate(CredentialKind::ClientSecret, true, &random);
        assert_eq!(RefreshTokens::read(secret.expose()), None);
        let token = MasterKey::generate(&random).refresh_tokens().token([7; 16], 1, false);
        assert_eq!(RefreshTokens::read(&token.expose()[..57]), None);
        assert_eq!(RefreshTokens::read(&token.expose().replace("kwr", "kwk")), None);
    }
}
