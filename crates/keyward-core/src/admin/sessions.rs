//! Reading and ending sessions.

use keyward_model::{Action, Entity, Kind, Session, SessionView};
use keyward_policy::{Action as Act, Target, liveness};
use keyward_store::{Change, StoreError, StoreExt};

use super::{ATTEMPTS, Document, Listing, Work, busy};
use crate::{Call, Error, Keyward, directory::SessionMark, forms, params};

impl Keyward {
    /// Sessions within the caller's reach, those included that have ended.
    pub async fn sessions(&self, call: &Call, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Session)).await?;
        let query = params::query_of(Kind::Session, Session::SORTS, Session::FILTERS, pairs)?;
        let page = self.inner.store.list_as::<Session>(&work.reach(), &query).await?;
        let mut data = Vec::with_capacity(page.items.len());
        for session in &page.items {
            data.push(forms::to_value(&self.shown(session, &work).await?));
        }
        Ok(Listing::of_page(data, query.page, query.per_page, page.total))
    }

    /// One session.
    pub async fn session(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let session: Session = self.one(&work, Act::Read, id).await?;
        let view = self.shown(&session, &work).await?;
        Ok(Document { body: forms::to_value(&view), version: Some(session.meta.version) })
    }

    /// A session as it stands now: it ends with the person, and with whatever made their sign-in void.
    async fn shown(&self, session: &Session, work: &Work<'_>) -> Result<SessionView, Error> {
        let directory = &self.inner.directory;
        let person = directory.person(session.user_id).await?;
        let opened = directory.session(SessionMark::Id(session.id())).await?;
        let idle = self.idle_seconds();
        let is_alive = opened
            .zip(person)
            .is_some_and(|(opened, person)| opened.is_alive(&person, idle, work.now).is_ok());
        let mut view = session.view(work.now);
        if !is_alive && view.state == "active" {
            let in_time = liveness::session_itself(session, idle, work.now).is_ok();
            view.state = if in_time { "revoked" } else { "expired" };
        }
        Ok(view)
    }

    /// Ends a session at once; ending one that has ended changes nothing.
    pub async fn revoke_session(&self, call: &Call, id: &str) -> Result<Document, Error> {
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let act = Act::Act("revoke");
            let current: Session = self.one(&work, act, id).await?;
            let permit = work.may(act, Target::object(Kind::Session, current.owner())).await?;
            let view = |session: &Session| Document {
                body: forms::to_value(&session.view(work.now)),
                version: Some(session.meta.version),
            };
            if current.revoked_at.is_some() {
                return Ok(view(&current));
            }
            let session = Session { revoked_at: Some(work.now), ..work.next(&current) };
            let event = work.done(Action::SESSION_REVOKED, &session, &[]);
            let document = view(&session);
            let change = Change::default().replace(current.meta.version, session.clone());
            let change = work.told(change, &current, &session).await?;
            match work.commit(&permit, change, vec![event]).await {
                Ok(_) => return Ok(document),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}
