//! Client authentication (RFC 6749 section 2.3), the same for every endpoint.

use std::sync::Arc;

use keyward_crypto::credential::{self, CredentialKind};
use keyward_model::{Agent, ApplicationType, Entity, Id, Secret, Subject, Timestamp, validate::is_slug};
use keyward_policy::liveness;

use super::{ClientAuth, OAuthError, OAuthErrorCode};
use crate::{
    Keyward, Origin,
    directory::{Client, Entry},
};

/// A client that proved who it is and is alive.
pub(crate) struct Authenticated {
    /// The entry that it was found in.
    pub(crate) entry: Arc<Entry>,
    /// The client.
    pub(crate) client: Arc<Client>,
    /// The identifier of the secret that was used; applications that can't keep one use none.
    pub(crate) secret: Option<Id<Secret>>,
}

/// The application that a refused request was about, for the audit log: known by name, not by proof.
#[derive(Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) client_id: Option<&'a str>,
    pub(crate) client: Option<Arc<Client>>,
    /// Whether the right secret was shown, so that the application itself is the actor.
    pub(crate) proven: bool,
    pub(crate) credential_id: Option<String>,
}

impl About<'_> {
    /// Who acts: the application once it proved itself, else somebody who used its name.
    pub(crate) fn actor(&self) -> Subject {
        match &self.client {
            Some(client) if self.proven => client.subject(),
            _ => Subject { kind: "client".into(), id: None, name: self.client_id.map(written_down) },
        }
    }
}

/// A name that somebody sent, as it may stand in the audit log: no secret, no control characters, not too long.
fn written_down(name: &str) -> String {
    crate::mask(name).chars().filter(|c| !c.is_control()).take(140).collect()
}

impl Keyward {
    /// Finds out which client asks. `about` is filled as far as that gets, for the audit log.
    pub(crate) async fn authenticate_client<'a>(
        &self,
        auth: &'a ClientAuth,
        origin: &Origin,
        now: Timestamp,
        about: &mut About<'a>,
    ) -> Result<Authenticated, OAuthError> {
        about.client_id = Some(&auth.client_id);
        // Garbage is refused without a look at the database.
        let Some(secret) = auth.secret.as_deref() else {
            return Box::pin(self.without_secret(&auth.client_id, origin, now, about)).await;
        };
        let is_secret = matches!(
            credential::check(secret),
            Some((CredentialKind::ClientSecret | CredentialKind::AgentSecret, _))
        );
        if !is_secret || !is_client_id(&auth.client_id) {
            return Err(OAuthError::unknown_client().because("malformed_credential"));
        }
        let entry = self.known_client(&auth.client_id, origin).await?;
        let Some(client) = entry.client.clone() else {
            // Hashed all the same, so that an unknown client takes as long as a wrong secret.
            std::hint::black_box(self.inner.hasher.hash(secret));
            return Err(OAuthError::unknown_client().because("unknown_client"));
        };
        about.client = Some(client.clone());
        let right = |known: &&Secret| self.inner.hasher.verify(secret, &known.hash);
        let Some(secret) = client.secrets.iter().find(right) else {
            return Err(OAuthError::unknown_client().because("wrong_secret"));
        };
        about.credential_id = Some(secret.id().to_string());
        let alive = liveness::application(&client.application, client.above(), now)
            .and_then(|()| liveness::secret(secret, now));
        match alive {
            Ok(()) => {
                about.proven = true;
                Ok(Authenticated { entry, secret: Some(secret.id()), client: client.clone() })
            }
            Err(liveness::Dead::Unknown) => Err(OAuthError::unknown_client().because("unknown_client")),
            Err(dead) => {
                about.proven = true;
                Err(OAuthError::new(OAuthErrorCode::InvalidClient, dead.message()).because(dead.code()))
            }
        }
    }

    /// An application that runs where nothing can be kept secret: it only says its name (RFC 6749 section 2.1).
    async fn without_secret(
        &self,
        client_id: &str,
        origin: &Origin,
        now: Timestamp,
        about: &mut About<'_>,
    ) -> Result<Authenticated, OAuthError> {
        let missing = || {
            OAuthError::new(OAuthErrorCode::InvalidClient, "The client_secret is missing.")
                .because("credentials_missing")
        };
        if !is_client_id(client_id) {
            return Err(missing());
        }
        let entry = self.known_client(client_id, origin).await?;
        let client = entry.client.clone().ok_or_else(missing)?;
        if !matches!(client.application.kind, ApplicationType::Spa | ApplicationType::Native) {
            return Err(missing());
        }
        about.client = Some(client.clone());
        match liveness::application(&client.application, client.above(), now) {
            Ok(()) => {
                about.proven = true;
                Ok(Authenticated { entry, secret: None, client })
            }
            Err(dead) => Err(OAuthError::unknown_client().because(dead.code())),
        }
    }

    /// The client from memory, or from the database as long as this address did not ask for too many strangers.
    async fn known_client(&self, client_id: &str, origin: &Origin) -> Result<Arc<Entry>, OAuthError> {
        let directory = &self.inner.directory;
        if let Some(entry) = directory.known_client(client_id) {
            return Ok(entry);
        }
        let (limits, address, now) = (&self.inner.limits, origin.ip.as_deref().unwrap_or(""), self.now());
        if let Err(retry_after) = limits.may_look_up(address, now) {
            return Err(OAuthError {
                retry_after_seconds: Some(retry_after),
                ..OAuthError::new(OAuthErrorCode::RateLimited, "Too many unknown clients from this address.")
            }
            .because("rate_limited"));
        }
        let entry = directory.client(client_id).await?;
        if entry.client.is_none() {
            limits.was_stranger(address, now);
        }
        Ok(entry)
    }
}

/// Whether it has the form of a client identifier: `local`, `slug.local`, or an agent's own.
fn is_client_id(text: &str) -> bool {
    if text.parse::<Id<Agent>>().is_ok() {
        return true;
    }
    match text.split_once('.') {
        Some((slug, local)) => is_slug(slug) && is_slug(local),
        None => is_slug(text),
    }
}
