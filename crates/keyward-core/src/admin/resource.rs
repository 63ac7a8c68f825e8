//! List, read, create, update and delete, the same for every resource.

use keyward_model::{Action, Entity, Resource};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, StoreError, StoreExt};
use serde_json::Value;

use super::{
    ATTEMPTS, Document, Draft, IfMatch, Listing, Work, busy,
    idempotency::{self, Replay},
    parse_id,
};
use crate::{Call, Error, Keyward, Written, forms, params};

/// A resource of the admin API with its own rules.
pub trait Administered: Resource<New: Clone + Send + Sync, Edit: Send + Sync, View: Send> {
    /// The name of its collection in paths.
    const COLLECTION: &'static str;
    /// What the audit log calls its creation.
    const CREATED: Action;
    /// What the audit log calls its change.
    const UPDATED: Action;
    /// What the audit log calls its deletion.
    const DELETED: Action;
    /// The member by which the reply to its creation shows something once.
    const SHOWN: &'static str = "secret";

    /// Makes one from a body whose fields are valid each by itself.
    #[doc(hidden)]
    fn create(work: &Work<'_>, new: Self::New) -> impl Future<Output = Result<Draft<Self>, Error>> + Send;

    /// Makes the next version from changed fields that are valid each by itself.
    #[doc(hidden)]
    fn update(
        work: &Work<'_>,
        current: &Self,
        edit: Self::Edit,
    ) -> impl Future<Output = Result<Draft<Self>, Error>> + Send;

    /// How these are read, in their order.
    #[doc(hidden)]
    fn rendered(work: &Work<'_>, records: &[Self]) -> impl Future<Output = Result<Vec<Value>, Error>> + Send {
        let views = records.iter().map(|record| forms::to_value(&record.view(work.now))).collect();
        std::future::ready(Ok(views))
    }

    /// Ends one for good, where many are ended at once: by its deletion, unless there is a gentler way.
    #[doc(hidden)]
    #[must_use]
    fn end(keyward: &Keyward, call: &Call, id: &str) -> impl Future<Output = Result<(), Error>> + Send {
        keyward.delete::<Self>(call, id, None)
    }

    /// Whether this one may be deleted at all, and what must hold when it is.
    #[doc(hidden)]
    fn delete(_work: &Work<'_>, _current: &Self) -> impl Future<Output = Result<Change, Error>> + Send {
        std::future::ready(Ok(Change::default()))
    }
}

/// The object as it is read, at `now`.
pub(crate) async fn document<R: Administered>(record: &R, work: &Work<'_>) -> Result<Document, Error> {
    let body = R::rendered(work, std::slice::from_ref(record)).await?.pop().unwrap_or_default();
    Ok(Document { body, version: Some(record.meta().version) })
}

impl Keyward {
    /// Whether the caller may do this to any of a kind, before identifiers and bodies are looked at.
    pub async fn authorise(&self, call: &Call, action: Act, kind: keyward_model::Kind) -> Result<(), Error> {
        let _permit = Work::begin(self, call).may(action, Target::collection(kind)).await?;
        Ok(())
    }

    /// One page of a collection.
    pub async fn list<R: Administered>(
        &self,
        call: &Call,
        pairs: &[(String, String)],
    ) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(R::KIND)).await?;
        let query = params::query::<R>(pairs, work.now)?;
        let page = self.inner.store.list_as::<R>(&work.reach(), &query).await?;
        let data = R::rendered(&work, &page.items).await?;
        Ok(Listing::of_page(data, query.page, query.per_page, page.total))
    }

    /// One object.
    pub async fn read<R: Administered>(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let record: R = self.one(&work, Act::Read, id).await?;
        document(&record, &work).await
    }

    /// The object that a path names, if the caller may do this to it.
    pub(crate) async fn one<R: Entity>(&self, work: &Work<'_>, action: Act, id: &str) -> Result<R, Error> {
        let _permit = work.may(action, Target::collection(R::KIND)).await?;
        let found = self.inner.store.get_as::<R>(&work.reach(), parse_id(id)?).await?;
        let record = found.ok_or(Error::NotFound)?;
        let _permit = work.may(action, Target::object(R::KIND, record.owner())).await?;
        Ok(record)
    }

    /// Creates an object. A repeated request with the same idempotency key gets the first one's answer.
    pub async fn create<R: Administered>(&self, call: &Call, body: Value) -> Result<Written, Error> {
        if let Replay::Answer(written) = idempotency::replay(self, call).await? {
            return Ok(written);
        }
        let new = forms::new::<R>(body)?;
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let draft = R::create(&work, new.clone()).await?;
            let permit = work.may(Act::Create, Target::object(R::KIND, draft.record.owner())).await?;
            let mut written = Written {
                id: draft.record.id().to_string(),
                version: draft.record.meta().version,
                body: document(&draft.record, &work).await?.body,
                has_secret: !draft.shown.is_empty(),
                replayed: false,
            };
            let changes = forms::changes(
                &Value::Object(serde_json::Map::new()),
                &forms::to_value(&draft.record.edit()),
            );
            let mut events = vec![work.done(R::CREATED, &draft.record, &changes)];
            events.extend(draft.events);
            let mut change = draft.with.create(draft.record);
            change.tickets.extend(idempotency::ticket(call, &written, work.now));
            match work.commit(&permit, change, events).await {
                Ok(_) => {
                    if let Value::Object(body) = &mut written.body {
                        body.extend(draft.shown.into_iter().map(|(name, value)| (name.to_owned(), value)));
                    }
                    return Ok(written);
                }
                Err(StoreError::Stale) => {}
                Err(error) => return idempotency::after_conflict(self, call, error).await,
            }
        }
        Err(busy())
    }

    /// Merges a patch (RFC 7396) into an object.
    pub async fn update<R: Administered>(
        &self,
        call: &Call,
        id: &str,
        patch: Value,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let action = R::UPDATED;
        self.change::<R, _>(call, id, condition, Act::Update, action, async |work, current| {
            let edit = forms::patched(current, patch.clone())?;
            R::update(work, current, edit).await
        })
        .await
    }

    /// Replaces an object by its next version, which `next` makes; tried again when the object changed meanwhile.
    pub(crate) async fn change<R: Administered, F>(
        &self,
        call: &Call,
        id: &str,
        condition: Option<IfMatch>,
        action: Act,
        event: Action,
        next: F,
    ) -> Result<Document, Error>
    where
        F: AsyncFn(&Work<'_>, &R) -> Result<Draft<R>, Error>,
    {
        if let Replay::Answer(written) = idempotency::replay(self, call).await? {
            return Ok(written.into());
        }
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let current: R = self.one(&work, action, id).await?;
            IfMatch::check(condition.as_ref(), current.meta().version)?;
            let permit = work.may(action, Target::object(R::KIND, current.owner())).await?;
            let Draft { mut record, with, events: more, unread, .. } = next(&work, &current).await?;
            let mut changes = forms::changes(&without_times(&current, &work), &without_times(&record, &work));
            changes.extend(unread);
            let mut events = more;
            let mut change = with;
            // An action of its own is recorded whatever it comes to; a change that changes nothing is none.
            if action == Act::Update && changes.is_empty() && change.is_empty() {
                record = current;
            } else {
                record = work.next(&record);
                events.insert(0, work.done(event.clone(), &record, &changes));
                change = change.replace(current.meta().version, record.clone());
                change = work.told(change, &current, &record).await?;
            }
            let written = Written {
                id: record.id().to_string(),
                version: record.meta().version,
                body: document(&record, &work).await?.body,
                has_secret: false,
                replayed: false,
            };
            change.tickets.extend(idempotency::ticket(call, &written, work.now));
            if change.is_empty() {
                return Ok(written.into());
            }
            match work.commit(&permit, change, events).await {
                Ok(_) => return Ok(written.into()),
                Err(StoreError::Stale) => {}
                Err(error) => {
                    return idempotency::after_conflict(self, call, error).await.map(Document::from);
                }
            }
        }
        Err(busy())
    }

    /// Deletes an object, softly: it is gone for everybody, and its record stays.
    pub async fn delete<R: Administered>(
        &self,
        call: &Call,
        id: &str,
        condition: Option<IfMatch>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let current: R = self.one(&work, Act::Delete, id).await?;
            IfMatch::check(condition.as_ref(), current.meta().version)?;
            let permit = work.may(Act::Delete, Target::object(R::KIND, current.owner())).await?;
            let change = R::delete(&work, &current).await?;
            let event = work.done(R::DELETED, &current, &[]);
            let mut record = work.next(&current);
            record.meta_mut().deleted_at = Some(work.now);
            let change = work.told(change, &current, &record).await?;
            match work.commit(&permit, change.replace(current.meta().version, record), vec![event]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}

/// What is compared to find out what changed.
fn without_times<R: Resource>(record: &R, work: &Work<'_>) -> Value {
    let mut view = forms::to_value(&record.view(work.now));
    if let Value::Object(members) = &mut view {
        members.remove("updated_at");
        members.remove("state");
        // In the form of a credential, which the log never holds.
        members.remove("publishable_key");
    }
    view
}
