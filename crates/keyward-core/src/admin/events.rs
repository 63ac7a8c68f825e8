//! Reading the audit log.

use keyward_model::{Event, Id, Kind};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Cursor, EventQuery};

use super::{Document, Listing, Work, parse_id};
use crate::{Call, Error, Keyward, forms, params};

impl Keyward {
    /// Events that the caller's reach covers, newest first.
    pub async fn events(&self, call: &Call, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Event)).await?;
        let (query, page) = params::events(pairs)?;
        let found = self.inner.store.events(&work.reach(), &query).await?;
        let last = found.items.last().map(|chained| chained.event.id);
        let data =
            found.items.iter().map(|chained| forms::to_value(&chained.event.view(&chained.hash))).collect();
        Ok(Listing {
            data,
            page,
            per_page: query.limit,
            total: found.total,
            total_pages: found.total.map(|total| total.div_ceil(u64::from(query.limit))),
            next_cursor: last.filter(|_| found.more).map(|id| id.to_string()),
        })
    }

    /// One event.
    pub async fn event(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::Read, Target::collection(Kind::Event)).await?;
        let id: Id<Event> = parse_id(id)?;
        // The list begins behind its cursor: one number above the event's own is just in front of it.
        let above = Id::from_uuid(uuid::Uuid::from_u128(id.uuid().as_u128().saturating_add(1)));
        let query = EventQuery { cursor: Cursor::Before(above), limit: 1, ..EventQuery::default() };
        let found = self.inner.store.events(&work.reach(), &query).await?;
        let event = found.items.first().filter(|chained| chained.event.id == id).ok_or(Error::NotFound)?;
        Ok(Document { body: forms::to_value(&event.event.view(&event.hash)), version: None })
    }
}
