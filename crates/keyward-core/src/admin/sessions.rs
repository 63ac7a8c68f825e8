//! Reading and ending sessions.

use keyward_model::{Action, AnyId, Entity, Field, Kind, Session, SessionView, Timestamp, Value};
use keyward_policy::{Action as Act, Target, liveness};
use keyward_store::{Change, Condition, StoreError, StoreExt, Test};

use super::{ATTEMPTS, Document, Listing, Work, busy};
use crate::{Call, Error, Keyward, directory::SessionMark, forms, params};

/// Which sessions are wanted.
#[derive(Clone, Debug, Default)]
pub struct SessionsOf {
    /// Those of these people; of everybody when there are none.
    pub users: Option<Vec<AnyId>>,
    /// Those in this state; in any when there is none.
    pub state: Option<SessionState>,
}

/// What sessions can be narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// They go on.
    Active,
    /// Somebody ended them.
    Revoked,
}

impl SessionsOf {
    pub(super) fn conditions(&self, now: Timestamp, idle: i64) -> Vec<Condition> {
        let is = |field, test| Condition { field, test };
        let mut all = Vec::new();
        if let Some(users) = &self.users {
            let users = users.iter().map(|id| Value::id(Some(*id))).collect();
            all.push(is(Field::UserId, Test::OneOf(users)));
        }
        match self.state {
            None => {}
            Some(SessionState::Revoked) => {
                all.push(is(Field::RevokedAt, Test::Before(now.plus_seconds(1))));
            }
            Some(SessionState::Active) => {
                all.push(is(Field::RevokedAt, Test::Is(Value::Null)));
                all.push(is(Field::ExpiresAt, Test::From(now)));
                all.push(is(Field::LastActiveAt, Test::From(now.plus_seconds(-idle))));
            }
        }
        all
    }
}

impl Keyward {
    /// Sessions within the caller's reach, those included that have ended.
    pub async fn sessions(&self, call: &Call, pairs: &[(String, String)]) -> Result<Listing, Error> {
        self.sessions_narrowed(call, pairs, &SessionsOf::default()).await
    }

    /// The same, of some people or in some state only.
    pub async fn sessions_narrowed(
        &self,
        call: &Call,
        pairs: &[(String, String)],
        of: &SessionsOf,
    ) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Session)).await?;
        let mut query = params::query_of(Kind::Session, Session::SORTS, Session::FILTERS, pairs)?;
        query.conditions.extend(of.conditions(work.now, self.idle_seconds()));
        let page = self.inner.store.list_as::<Session>(&work.reach(), &query).await?;
        let mut data = Vec::with_capacity(page.items.len());
        for session in &page.items {
            let view = self.shown(session, &work).await?;
            // What became void otherwise, with its person or provider, does not go on although nobody ended it.
            if of.state != Some(SessionState::Active) || view.state == "active" {
                data.push(forms::to_value(&view));
            }
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
