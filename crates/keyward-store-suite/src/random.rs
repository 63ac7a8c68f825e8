//! Random commands, on a store and on the one in memory: both must do the same.

use std::{collections::HashMap, ops::Deref};

use keyward_model::{AnyId, Event, Id, Kind, Outcome, Reach, Record, Tenant};
use keyward_store::{
    Change, Cursor, Direction, EventQuery, Feed, Guard, Put, Query, Store, StoreError, TicketKey, UsageBatch,
};
use keyward_store_memory::MemoryStore;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{cast::Cast, commands::*, fixtures::*};

/// How many sequences of commands are tried.
const SEQUENCES: usize = 12;
/// How often a sequence that failed is cut down before it is shown.
const SIMPLIFICATIONS: usize = 40;

/// A store beside the one in memory, and what is known of both.
struct Pair<'a> {
    store: &'a dyn Store,
    model: MemoryStore,
    cast: Cast,
    versions: HashMap<AnyId, i64>,
    heads: HashMap<String, (i64, i64)>,
    clock: i64,
}

type Outcomes = Result<(), String>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, store: &T, model: &T) -> Outcomes {
    if store == model { Ok(()) } else { Err(format!("{what}: {store:?}, but in memory {model:?}")) }
}

impl Pair<'_> {
    async fn play(&mut self, commands: &[Command]) -> Outcomes {
        for (number, command) in commands.iter().enumerate() {
            let played = match command {
                Command::Commit(commit) => self.commit(commit).await,
                Command::Ask(asking) => self.ask(asking).await,
                Command::Events { reach, filter, cursor, limit } => {
                    self.events(*reach, *filter, *cursor, *limit).await
                }
                Command::Tally { reach, filter, seconds } => self.tally(*reach, *filter, *seconds).await,
                Command::Purge(millis) => {
                    let purged = (self.store.purge(at(*millis)).await, self.model.purge(at(*millis)).await);
                    self.purged();
                    same("purged", &text(&purged.0), &text(&purged.1))
                }
            };
            played.map_err(|error| format!("command {number}, {command:?}: {error}"))?;
        }
        self.compare_everything().await
    }

    async fn commit(&mut self, commit: &Commit) -> Outcomes {
        let mut change = Change::default();
        let mut versions = self.versions.clone();
        for Writing { slot, look, how } in &commit.puts {
            let id = self.cast.ids[*slot];
            let had = versions.get(&id).copied();
            let version = had.unwrap_or(0) + 1;
            let replaces = match how {
                0 => Some(version),
                1 => None,
                _ => had,
            };
            let record = self.cast.record(id, version, *look, *how == 2 || *how == 3);
            change.puts.push(Put { record, replaces });
            versions.insert(id, version);
        }
        for (slot, right) in &commit.expect {
            let id = self.cast.ids[*slot];
            let version = versions.get(&id).copied().unwrap_or(1);
            change
                .expect
                .push((id, if *right { self.versions.get(&id).copied().unwrap_or(1) } else { version + 1 }));
        }
        let guard = |bound: &Bound| Guard {
            kind: KINDS[bound.kind],
            conditions: self.cast.condition(bound.condition),
            at_least: bound.fewest,
            at_most: bound.fewest + bound.more,
        };
        change.guards = commit.guards.iter().map(guard).collect();
        change.tickets =
            commit.tickets.iter().map(|(key, end)| ticket(&key.to_string(), end.map(at))).collect();
        change.consume = commit.consume.iter().map(|key| TicketKey::new("test", key.to_string())).collect();
        let mut heads = self.heads.clone();
        if let Some((chain, wrong)) = commit.usage {
            let name = format!("chain-{chain}");
            let (seq, counted) = heads.get(&name).copied().unwrap_or_default();
            let from_seq = counted + i64::from(wrong == 0);
            let rows = self.cast.ids.iter().filter(|id| id.kind == Kind::Secret);
            let rows =
                rows.map(|id| usage(*id, NAMES[usize::from(chain)], 3, self.clock, self.clock + 2)).collect();
            change.usage =
                Some(UsageBatch { counted: Some(crate::fixtures::counted(&name, from_seq, seq)), rows });
            heads.insert(name, (seq, seq));
        }
        if let Some((chain, count, wrong)) = commit.events {
            let name = format!("chain-{chain}");
            let (seq, counted) = heads.get(&name).copied().unwrap_or_default();
            let first = seq + 1 + i64::from(wrong == 0);
            let events: Vec<Event> = (0..count).map(|_| self.event(chain)).collect();
            change.events = chained(&name, first, events);
            heads.insert(name, (seq + i64::try_from(count).unwrap(), counted));
        }
        let (store, model) = (self.store.commit(change.clone()).await, self.model.commit(change).await);
        if model.is_ok() {
            (self.versions, self.heads) = (versions, heads);
        }
        same("committed", &text(&store), &text(&model))
    }

    fn event(&mut self, look: u8) -> Event {
        self.clock += 1;
        let mut event = if look == 0 { full_event(self.clock) } else { event(self.clock) };
        event.tenant_id = self.cast.pick(look + u8::try_from(self.clock % 5).unwrap());
        event.partner_id = self.cast.pick(look);
        event.outcome = if self.clock % 3 == 0 { Outcome::Denied } else { event.outcome };
        event
    }

    fn purged(&mut self) {
        // They may be gone, and then they can be created anew.
        self.versions.retain(|id, _| id.kind != Kind::Revocation);
    }

    async fn ask(&self, asking: &Asking) -> Outcomes {
        let query = Query {
            kind: KINDS[asking.kind],
            conditions: self.cast.condition(asking.condition),
            search: asking.search.map(|index| SEARCHES[index].to_owned()),
            sort: FIELDS[asking.sort],
            direction: if asking.descending { Direction::Descending } else { Direction::Ascending },
            page: asking.page.0,
            per_page: asking.page.1,
        };
        let reach = self.reach(asking.reach);
        let (store, model) = (self.store.list(&reach, &query).await, self.model.list(&reach, &query).await);
        same(&format!("{query:?} in {reach:?}"), &store.unwrap(), &model.unwrap())
    }

    fn reach(&self, index: usize) -> Reach {
        self.cast.reaches[index % self.cast.reaches.len()]
    }

    fn selecting(&self, filter: u8) -> EventQuery {
        let mut query = EventQuery { limit: 5, ..EventQuery::default() };
        match filter % 8 {
            0 => query.from = Some(at(i64::from(filter / 8))),
            1 => query.to = Some(at(i64::from(filter / 8))),
            2 => query.outcome = Some(Outcome::Denied),
            3 => query.action = Some("token.".to_owned()),
            4 => query.tenant_id = self.cast.pick::<Tenant>(filter / 8).map(|id| id.to_string()),
            5 => {
                let random = keyward_model::SeededRandom::new(1);
                query.cursor = Cursor::Before(Id::generate(at(i64::from(filter / 8)), &random));
            }
            _ => {}
        }
        query
    }

    async fn events(&self, reach: usize, filter: u8, cursor: Option<u64>, limit: u32) -> Outcomes {
        let mut query = EventQuery { limit, ..self.selecting(filter) };
        if let (Cursor::Offset(_), Some(offset)) = (query.cursor, cursor) {
            query.cursor = Cursor::Offset(offset);
        }
        let reach = self.reach(reach);
        let (store, model) =
            (self.store.events(&reach, &query).await, self.model.events(&reach, &query).await);
        same(&format!("{query:?} in {reach:?}"), &store.unwrap(), &model.unwrap())
    }

    async fn tally(&self, reach: usize, filter: u8, seconds: u32) -> Outcomes {
        let (query, reach) = (self.selecting(filter), self.reach(reach));
        let (store, model) = (
            self.store.tally(&reach, &query, seconds).await,
            self.model.tally(&reach, &query, seconds).await,
        );
        same(&format!("tally of {query:?} in {reach:?}"), &store.unwrap(), &model.unwrap())
    }

    async fn compare_everything(&self) -> Outcomes {
        for reach in &self.cast.reaches {
            for kind in KINDS {
                let query = Query::all(kind);
                let (store, model) =
                    (self.store.list(reach, &query).await, self.model.list(reach, &query).await);
                same(&format!("{kind:?} in {reach:?}"), &store.unwrap(), &model.unwrap())?;
            }
            for id in &self.cast.ids {
                let (store, model) = (self.store.get(reach, *id).await, self.model.get(reach, *id).await);
                let model = model.unwrap();
                same(&format!("{id:?} in {reach:?}"), &store.unwrap(), &model)?;
                for key in model.iter().flat_map(Record::keys) {
                    let found = self.store.find(reach, &key).await.unwrap();
                    same(&format!("{key:?} in {reach:?}"), &found, &model)?;
                }
            }
        }
        same("chains", &self.store.chains().await.unwrap(), &self.model.chains().await.unwrap())?;
        for chain in self.heads.keys() {
            let model = self.model.chain(chain, 0, 1_000).await.unwrap();
            same(chain, &self.store.chain(chain, 0, 1_000).await.unwrap(), &model)?;
        }
        let order = |mut all: Vec<keyward_model::Usage>| {
            all.sort_by_key(|usage| (usage.subject, usage.address.clone()));
            all
        };
        let (store, model) = (self.store.usage(&self.cast.ids).await, self.model.usage(&self.cast.ids).await);
        same("usage", &order(store.unwrap()), &order(model.unwrap()))?;
        for key in 0..4 {
            let key = TicketKey::new("test", key.to_string());
            let (store, model) = (self.store.ticket(&key, at(2)).await, self.model.ticket(&key, at(2)).await);
            same("a ticket", &store.unwrap(), &model.unwrap())?;
        }
        let newest = self.model.ping().await.unwrap();
        same("the revision", &self.store.ping().await.unwrap(), &newest)?;
        for since in (0..=newest).step_by(7) {
            let (store, model) =
                (self.store.changed_since(since).await, self.model.changed_since(since).await);
            same("the feed", &feed(store.unwrap()), &feed(model.unwrap()))?;
        }
        Ok(())
    }
}

/// Results as they are compared: what storage says about itself does not matter.
fn text<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> String {
    format!("{result:?}")
}

/// A feed may name a record more than once, and in any order within a revision.
fn feed(feed: Feed) -> (i64, Option<Vec<AnyId>>) {
    match feed {
        Feed::Reset { revision } => (revision, None),
        Feed::Changes { revision, mut ids } => {
            ids.sort();
            ids.dedup();
            (revision, Some(ids))
        }
    }
}

async fn play<S: Deref<Target: Store + Sized>>(make: &impl AsyncFn() -> S, commands: &[Command]) -> Outcomes {
    let subject = make().await;
    let mut pair = Pair {
        store: &*subject,
        model: MemoryStore::new(),
        cast: Cast::new(),
        versions: HashMap::new(),
        heads: HashMap::new(),
        clock: 0,
    };
    pair.play(commands).await
}

/// The same commands have the same results as in memory, and leave the same behind.
pub(crate) async fn random_commands_do_as_in_memory<S: Deref<Target: Store + Sized>>(
    make: impl AsyncFn() -> S,
) {
    // Always the same sequences: a failure can be repeated.
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    for _ in 0..SEQUENCES {
        let mut sequence = commands().new_tree(&mut runner).unwrap();
        let Err(mut error) = play(&make, &sequence.current()).await else { continue };
        let mut shortest = sequence.current();
        for _ in 0..SIMPLIFICATIONS {
            if !sequence.simplify() {
                break;
            }
            while let Ok(()) = play(&make, &sequence.current()).await {
                if !sequence.complicate() {
                    break;
                }
            }
            if let Err(simpler) = play(&make, &sequence.current()).await {
                (error, shortest) = (simpler, sequence.current());
            }
        }
        panic!("{error}\nafter {shortest:#?}");
    }
}
