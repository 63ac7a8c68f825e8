//! Reading and ending sessions.

use keyward_model::{Action, Entity, Kind, Session};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, StoreError, StoreExt};

use super::{ATTEMPTS, Document, Listing, Work, busy};
use crate::{Call, Error, Keyward, forms, params};

impl Keyward {
    /// Sessions within the caller's reach, those included that have ended.
    pub async fn sessions(&self, call: &Call, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Session)).await?;
        let query = params::query_of(Kind::Session, Session::SORTS, Session::FILTERS, pairs)?;
        let page = self.inner.store.list_as::<Session>(&work.reach(), &query).await?;
        let data = page.items.iter().map(|session| forms::to_value(&session.view(work.now))).collect();
        Ok(Listing::of_page(data, query.page, query.per_page, page.total))
    }

    /// One session.
    pub async fn session(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let session: Session = self.one(&work, Act::Read, id).await?;
        Ok(Document { body: forms::to_value(&session.view(work.now)), version: Some(session.meta.version) })
    }

    /// Ends a session at once; ending one that has ended changes nothing.
    pub async fn revoke_session(&self, call: &Call, id: &str) -> Result<Document, Error> {
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let act = Act::Act("revoke");
            let mut session: Session = self.one(&work, act, id).await?;
            let permit = work.may(act, Target::object(Kind::Session, session.owner())).await?;
            let view = |session: &Session| Document {
                body: forms::to_value(&session.view(work.now)),
                version: Some(session.meta.version),
            };
            if session.revoked_at.is_some() {
                return Ok(view(&session));
            }
            let replaces = session.meta.version;
            session.meta.version += 1;
            session.meta.updated_at = work.now;
            session.revoked_at = Some(work.now);
            let event = work.done(Action::SESSION_REVOKED, &session, &[]);
            let document = view(&session);
            match work.commit(&permit, Change::default().replace(replaces, session), vec![event]).await {
                Ok(_) => return Ok(document),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}
