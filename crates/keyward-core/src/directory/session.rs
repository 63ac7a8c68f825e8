//! A session with the identity provider that it depends on, read once and kept in memory.

use keyward_model::{
    Entity, Id, IdentityProvider, Kind, Partner, Reach, RefreshToken, Session, Tenant, Timestamp, UniqueKey,
};
use keyward_policy::{
    liveness::{self, Dead, Tenancy},
    may_vouch,
};
use keyward_store::{StoreError, StoreExt};

use super::{Person, reader::Reader};

/// A session with what it depends on, its person aside.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) session: Session,
    /// The refresh token by which it was found, if it was.
    family: Option<RefreshToken>,
    /// The provider by which the person signed in, as far as it can be found.
    provider: Option<IdentityProvider>,
    tenant: Option<Tenant>,
    partner: Option<Partner>,
}

/// By what a session is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SessionMark {
    /// The keyed hash of its cookie.
    Hash([u8; 32]),
    /// Its identifier.
    Id(Id<Session>),
    /// A refresh token that was allowed in it.
    Family(Id<RefreshToken>),
}

impl Opened {
    /// Whether all that a sign-in hangs on is alive at `now`: the person with all above them, the session or the refresh token by
    /// which it was found, and the provider that it came by.
    pub(crate) fn is_alive(&self, person: &Person, idle_seconds: i64, now: Timestamp) -> Result<(), Dead> {
        liveness::user(&person.user, person.above())?;
        liveness::user_since(&person.user, self.session.meta.created_at)?;
        match &self.family {
            Some(family) => liveness::refresh_token(family, &self.session, now)?,
            None => liveness::session_itself(&self.session, idle_seconds, now)?,
        }
        if self.session.provider_id.is_none() {
            return Ok(());
        }
        let provider = self.provider.as_ref().ok_or(Dead::SessionEnded)?;
        if !may_vouch(provider.owner(), person.user.owner(), person.partner_id()) {
            return Err(Dead::SessionEnded);
        }
        let above = Tenancy { tenant: self.tenant.as_ref(), partner: self.partner.as_ref() };
        liveness::provider(provider, above)
    }
}

impl Reader<'_> {
    /// The session that is found by this mark.
    pub(super) async fn session(&mut self, mark: SessionMark) -> Result<Option<Opened>, StoreError> {
        let mut family: Option<RefreshToken> = None;
        let found: Option<Session> = match mark {
            SessionMark::Id(id) => self.one(Some(id)).await?,
            SessionMark::Family(id) => {
                family = self.one(Some(id)).await?;
                self.one(family.as_ref().map(|family| family.session_id)).await?
            }
            SessionMark::Hash(hash) => {
                let found = self.store.find_as(&Reach::Platform, &UniqueKey::SessionHash(hash)).await?;
                // Whichever session appears next may be this one.
                self.made.of_kinds.extend(found.is_none().then_some(Kind::Session));
                found
            }
        };
        let Some(session) = found else { return Ok(None) };
        self.made.of.push(session.id().any());
        let provider = self.one(session.provider_id).await?;
        let (tenant, partner) = match &provider {
            Some(provider) => self.above(provider.tenant_id, provider.partner_id).await?,
            None => (None, None),
        };
        Ok(Some(Opened { session, family, provider, tenant, partner }))
    }
}
