//! Second factors: codes by time (RFC 6238) and recovery codes. Each is good once, on all nodes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_crypto::totp::{TotpSecret, normalized, recovery_codes};
use keyward_model::{Authenticators, Entity, Timestamp, User};
use keyward_store::Change;

use super::{SignInError, throttle::Counted};
use crate::{Keyward, admin::next_version};

/// What new secrets are sealed for on their way through the browser.
const ENROLLING: &str = "second factor to be";

/// What a person gives as the second factor.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// The code that their device shows.
    Code(String),
    /// A recovery code.
    Recovery(String),
}

/// A second factor to be: what the person's device must learn.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret as people type it.
    pub key: String,
    /// What a QR code says: an `otpauth` address.
    pub uri: String,
    /// The secret as the page keeps it, sealed.
    pub sealed: String,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Code(_)) { "Code(…)" } else { "Recovery(…)" })
    }
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(…)")
    }
}

fn stored_for(user: &User) -> String {
    format!("second factor of {}", user.id())
}

impl Keyward {
    /// The change that uses up a right code; with it the attempt does not count. A wrong one stays counted.
    pub(super) async fn proven(
        &self,
        stored: &Authenticators,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<(Change, &'static str), SignInError> {
        let user = stored.user_id.to_string();
        let slot = self.attempt(Counted::Code(&user), now).await?;
        let mut next = next_version(stored, now);
        let method = match proof {
            Proof::Code(code) => {
                let secret = self.totp_of(stored)?.ok_or(SignInError::WrongCode)?;
                next.totp_step = secret.check(code, now, stored.totp_step).ok_or(SignInError::WrongCode)?;
                "password+totp"
            }
            Proof::Recovery(code) => {
                let hash = self.inner.hasher.hash(&normalized(code));
                let at = stored.recovery_codes.iter().position(|left| *left == hash);
                next.recovery_codes.remove(at.ok_or(SignInError::WrongCode)?);
                "password+recovery_code"
            }
        };
        let change = Change::default().replace(stored.meta.version, next);
        Ok((Change { consume: vec![slot], ..change }, method))
    }

    fn totp_of(&self, stored: &Authenticators) -> Result<Option<TotpSecret>, SignInError> {
        let Some(sealed) = &stored.totp else { return Ok(None) };
        let context = format!("second factor of {}", stored.user_id);
        let opened = self.inner.sealer.open(&context, sealed);
        let bytes = opened.map_err(|error| SignInError::Unavailable(error.into()))?;
        let bytes = <[u8; 20]>::try_from(bytes);
        let bytes = bytes.map_err(|_| SignInError::Unavailable("a secret of another length".into()))?;
        Ok(Some(TotpSecret::from_bytes(bytes)))
    }

    /// A new secret for a person's device. Nothing is stored until a code shows that the device has it.
    pub(super) fn new_enrolment(&self, user: &User) -> Result<Enrolment, SignInError> {
        self.enrolment_of(user, &TotpSecret::generate(self.random()))
    }

    fn enrolment_of(&self, user: &User, secret: &TotpSecret) -> Result<Enrolment, SignInError> {
        let context = format!("{ENROLLING} {}", user.id());
        let sealed = self.inner.sealer.seal(&context, secret.as_bytes(), self.random());
        let sealed = sealed.map_err(|error| SignInError::Unavailable(error.into()))?;
        Ok(Enrolment {
            key: secret.to_base32(),
            uri: secret.to_uri(&self.options().sign_in.product_name, &user.email),
            sealed: URL_SAFE_NO_PAD.encode(sealed),
        })
    }

    fn enrolling(&self, user: &User, sealed: &str) -> Option<TotpSecret> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let opened = self.inner.sealer.open(&format!("{ENROLLING} {}", user.id()), &sealed).ok()?;
        Some(TotpSecret::from_bytes(opened.try_into().ok()?))
    }

    /// The second factor to be that a page kept, to be shown again.
    pub(super) fn enrolment_again(&self, user: &User, sealed: &str) -> Result<Enrolment, SignInError> {
        let secret = self.enrolling(user, sealed).ok_or(SignInError::OutOfDate)?;
        self.enrolment_of(user, &secret)
    }

    /// A person's authenticators with the second factor whose code this is, and new recovery codes.
    pub(super) fn enrolled(
        &self,
        user: &User,
        stored: &Authenticators,
        sealed: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<(Authenticators, Vec<String>), SignInError> {
        let secret = self.enrolling(user, sealed).ok_or(SignInError::OutOfDate)?;
        let step = secret.check(code, now, 0).ok_or(SignInError::WrongCode)?;
        let kept = self.inner.sealer.seal(&stored_for(user), secret.as_bytes(), self.random());
        let kept = kept.map_err(|error| SignInError::Unavailable(error.into()))?;
        let (codes, hashes) = self.new_recovery_codes();
        let next = Authenticators {
            totp: Some(kept),
            totp_step: step,
            recovery_codes: hashes,
            ..next_version(stored, now)
        };
        Ok((next, codes))
    }

    /// New recovery codes, and what is stored of them.
    pub(super) fn new_recovery_codes(&self) -> (Vec<String>, Vec<[u8; 32]>) {
        let codes = recovery_codes(self.random());
        let hashes = codes.iter().map(|code| self.inner.hasher.hash(&normalized(code))).collect();
        (codes, hashes)
    }
}
