//! One-time links for choosing a password: invitations, and resets. Choosing one signs nobody in, so it bypasses no
//! second factor.

use keyward_crypto::{
    credential::{Credential, CredentialKind, check},
    digest, password,
};
use keyward_model::{
    Action, Authenticators, Entity, Event, Id, Outcome, Reach, Subject, Timestamp, UniqueKey, User,
};
use keyward_policy::{Action as Act, Target, liveness};
use keyward_store::{Change, StoreError, StoreExt, Ticket, TicketKey};
use serde::{Deserialize, Serialize};

use super::{
    Mail, SignInError,
    throttle::{Counted, network},
};
use crate::{Call, Caller, Error, Keyward, Origin, admin::Work};

const NAMESPACE: &str = "password_link";

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// A person's first password; the link lives for seven days.
    Invitation,
    /// Another password for one that was forgotten; the link lives for an hour.
    Reset,
}

/// A link that still works.
#[derive(Clone, Debug)]
pub struct PasswordLink {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whose password it is about.
    pub email: String,
    /// When it ends.
    pub expires_at: Timestamp,
    user: Id<User>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    purpose: LinkPurpose,
    user: Id<User>,
    /// When the password was chosen that there was: once there is another, the link is void.
    password: Option<Timestamp>,
}

impl LinkPurpose {
    const fn seconds(self) -> i64 {
        match self {
            Self::Invitation => 7 * 86_400,
            Self::Reset => 3_600,
        }
    }
}

fn key_of(code: &str) -> TicketKey {
    // The code has 256 random bits: nothing but the code leads to its digest.
    TicketKey::new(NAMESPACE, digest::hex(&digest::sha256(code.as_bytes())))
}

/// What a link is for, given what there is.
fn purpose_for(stored: Option<&Authenticators>) -> LinkPurpose {
    match stored {
        Some(stored) if stored.password.is_some() => LinkPurpose::Reset,
        _ => LinkPurpose::Invitation,
    }
}

fn mail_with(user: &User, purpose: LinkPurpose, link: &str, product: &str) -> Mail {
    let (subject, why) = match purpose {
        LinkPurpose::Invitation => (
            format!("Your account at {product}"),
            "an account was made for you. This link works once, within seven days, and lets you choose a password:",
        ),
        LinkPurpose::Reset => (
            format!("Choose a new password for {product}"),
            "somebody, probably you, asked for a new password. This link works once, for an hour:",
        ),
    };
    let text = format!(
        "Hello {},\n\n{why}\n\n{link}\n\nIf you did not expect this, there is nothing to do.\n",
        user.name
    );
    Mail { to: user.email.clone(), subject, text }
}

impl Keyward {
    /// The address of a page of this server.
    pub(super) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.options().issuer)
    }

    /// A link for a person with this address, made on the machine or for an administrator who may change the person.
    pub async fn password_link(&self, call: &Call, email: &str) -> Result<String, Error> {
        let work = Work::begin(self, call);
        let key = UniqueKey::UserEmail(email.trim().to_lowercase());
        let user: Option<User> = self.inner.store.find_as(&work.reach(), &key).await?;
        let user = user.ok_or(Error::NotFound)?;
        let _permit = work
            .may(Act::Act("reset_password"), Target::object(keyward_model::Kind::User, user.owner()))
            .await?;
        work.may_set_tier(user.admin_role, user.admin_role, user.owner()).await?;
        // Whoever has the link could become this person.
        work.holds_what_person_has(&user, "").await?;
        let stored = self.authenticators_of(user.id()).await?;
        let purpose = purpose_for(stored.as_ref());
        let event = work.done(Action::USER_PASSWORD_LINK_MADE, &user, &[]);
        self.make_link(&user, stored.as_ref(), purpose, event, work.now).await.map_err(Error::from)
    }

    async fn make_link(
        &self,
        user: &User,
        stored: Option<&Authenticators>,
        purpose: LinkPurpose,
        event: Event,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let live = crate::Options::is_live(self.options().default_environment());
        let code = Credential::generate(CredentialKind::SetupCode, live, self.random());
        let kept =
            Kept { purpose, user: user.id(), password: stored.and_then(|stored| stored.password_changed_at) };
        let value = serde_json::to_string(&kept).map_err(StoreError::unavailable)?;
        let expires_at = Some(now.plus_seconds(purpose.seconds()));
        let ticket = Ticket { key: key_of(code.expose()), value, expires_at };
        self.commit(Change { tickets: vec![ticket], ..Change::default() }, vec![event]).await?;
        // Behind `#`, so that no server and no log sees it before the person sends it.
        Ok(self.page(&format!("/console/new-password#{}", code.expose())))
    }

    pub(crate) async fn authenticators_of(
        &self,
        user: Id<User>,
    ) -> Result<Option<Authenticators>, StoreError> {
        self.inner.store.find_as(&Reach::Platform, &UniqueKey::AuthenticatorsOf(user)).await
    }

    /// Sends a link to a person who forgot their password. Whether there is such a person does not show.
    pub async fn forgot_password(&self, email: &str, origin: &Origin) -> Result<(), SignInError> {
        let now = self.now();
        let email = email.trim().to_lowercase();
        self.attempt(Counted::Address(&network(origin.ip.as_deref().unwrap_or(""))), now).await?;
        self.attempt(Counted::Mail(&email), now).await?;
        // What follows takes longer for people who exist, so nobody waits for it.
        self.send_link_to(&email, origin);
        Ok(())
    }

    /// Whether there is somebody to send mail.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.inner.mailer.get().is_some()
    }

    /// Sends a link to whom the address belongs, if to anybody, without waiting for that.
    pub(crate) fn send_link_to(&self, email: &str, origin: &Origin) {
        let (keyward, email, origin) = (self.clone(), email.to_lowercase(), origin.clone());
        tokio::spawn(async move {
            if let Err(error) = keyward.send_link(&email, &origin, keyward.now()).await {
                tracing::warn!(%error, "a link for a password could not be sent");
            }
        });
    }

    async fn send_link(&self, email: &str, origin: &Origin, now: Timestamp) -> Result<(), SignInError> {
        let user: Option<User> =
            self.inner.store.find_as(&Reach::Platform, &UniqueKey::UserEmail(email.to_owned())).await?;
        let Some(user) = user else { return Ok(()) };
        let Some(person) = self.inner.directory.person(user.id()).await? else { return Ok(()) };
        let mut event = self.person_event(Action::USER_PASSWORD_LINK_MADE, &person, origin, now);
        let alive = liveness::user(&person.user, person.above());
        let Some(mailer) = self.inner.mailer.get() else {
            (event.outcome, event.reason) = (Outcome::Failure, Some("no_mail".to_owned()));
            self.inner.writer.append(event).await?;
            return Ok(());
        };
        if let Err(dead) = alive {
            (event.outcome, event.reason) = (Outcome::Denied, Some(dead.code().to_owned()));
            self.inner.writer.append(event).await?;
            return Ok(());
        }
        let stored = self.authenticators_of(user.id()).await?;
        let purpose = purpose_for(stored.as_ref());
        let link = self.make_link(&user, stored.as_ref(), purpose, event, now).await?;
        let mail = mail_with(&user, purpose, &link, &self.options().sign_in.product_name);
        mailer.send(mail).await.map_err(|error| SignInError::Unavailable(error.into()))
    }

    /// The link that a code belongs to, if it still works.
    pub async fn password_link_of(&self, code: &str) -> Result<PasswordLink, SignInError> {
        if !matches!(check(code), Some((CredentialKind::SetupCode, _))) {
            return Err(SignInError::DeadLink);
        }
        let now = self.now();
        let ticket = self.inner.store.ticket(&key_of(code), now).await?.ok_or(SignInError::DeadLink)?;
        let kept: Kept = serde_json::from_str(&ticket.value).map_err(|_| SignInError::DeadLink)?;
        let person = self.inner.directory.person(kept.user).await?.ok_or(SignInError::DeadLink)?;
        liveness::user(&person.user, person.above()).map_err(|_| SignInError::DeadLink)?;
        let stored = self.authenticators_of(kept.user).await?;
        if stored.and_then(|stored| stored.password_changed_at) != kept.password {
            return Err(SignInError::DeadLink);
        }
        Ok(PasswordLink {
            purpose: kept.purpose,
            email: person.user.email.clone(),
            // Every link ends.
            expires_at: ticket.expires_at.unwrap_or(now),
            user: kept.user,
        })
    }

    /// Chooses a password by a link, which is used up with that. Everything that was opened before ends.
    pub async fn choose_password(
        &self,
        code: &str,
        new: String,
        origin: &Origin,
    ) -> Result<PasswordLink, SignInError> {
        match self.chosen_by_link(code, new, origin).await {
            Err(error @ SignInError::DeadLink) => {
                Err(self.failed(error, Subject::somebody(), None, origin, self.now()).await)
            }
            chosen => chosen,
        }
    }

    async fn chosen_by_link(
        &self,
        code: &str,
        new: String,
        origin: &Origin,
    ) -> Result<PasswordLink, SignInError> {
        let link = self.password_link_of(code).await?;
        let call = Call { caller: Caller::system(), origin: origin.clone(), idempotency: None };
        let mut change = self.with_password(&call, link.user, new).await?;
        change.consume.push(key_of(code));
        let person = self.inner.directory.person(link.user).await?.ok_or(SignInError::DeadLink)?;
        let event = self.person_event(Action::USER_PASSWORD_CHANGED, &person, origin, self.now());
        self.settle(change, vec![event], SignInError::DeadLink).await?;
        Ok(link)
    }

    /// Sets a person's password, for somebody at the machine's command line.
    pub async fn set_password(&self, call: &Call, user: &str, new: String) -> Result<(), SignInError> {
        let id: Id<User> = user.parse().map_err(|_| SignInError::Invalid("There is no such user."))?;
        let change = self.with_password(call, id, new).await?;
        let user: Option<User> = self.inner.store.get_as(&Reach::Platform, id).await?;
        let user = user.ok_or(SignInError::Invalid("There is no such user."))?;
        let event = Work::begin(self, call).done(Action::USER_PASSWORD_CHANGED, &user, &[]);
        self.commit(change, vec![event]).await?;
        Ok(())
    }

    /// The change that gives a person a password and ends what was opened before.
    pub(super) async fn with_password(
        &self,
        call: &Call,
        id: Id<User>,
        new: String,
    ) -> Result<Change, SignInError> {
        let user: Option<User> = self.inner.store.get_as(&Reach::Platform, id).await?;
        let user = user.ok_or(SignInError::DeadLink)?;
        password::check(&new, &[&user.email, &user.name])?;
        let hash = self.inner.passwords.hash(new, self.inner.random.clone()).await?;
        let work = Work::begin(self, call);
        let stored = self.authenticators_of(id).await?;
        let chosen = |stored: Authenticators| Authenticators {
            password: Some(hash),
            password_changed_at: Some(work.now),
            ..stored
        };
        let change = if let Some(stored) = stored {
            Change::default().replace(stored.meta.version, chosen(work.next(&stored)))
        } else {
            Change::default().create(chosen(Authenticators::none(work.meta(), &user)))
        };
        let next = User { valid_after: Some(work.now), ..work.next(&user) };
        let change = change.replace(user.meta.version, next.clone());
        Ok(work.told(change, &user, &next).await?)
    }
}
