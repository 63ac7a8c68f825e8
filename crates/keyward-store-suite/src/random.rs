//! Random commands, on a store and on the one in memory: both must do the same.

use std::{collections::HashMap, ops::Deref};

use keyward_model::{
    AnyId, Application, Entity, Event, Id, Kind, Meta, Outcome, Owner, Partner, Reach, Record, Secret,
    TenancyStatus, Tenant, Value,
};
use keyward_store::{
    Change, Condition, Cursor, Direction, EventQuery, Feed, Put, Query, Store, StoreError, Test, TicketKey,
    UsageBatch,
};
use keyward_store_memory::MemoryStore;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{commands::*, fixtures::*};

/// How many sequences of commands are tried.
const SEQUENCES: usize = 12;
/// How often a sequence that failed is cut down before it is shown.
const SIMPLIFICATIONS: usize = 40;

/// The identifiers that all commands are about.
struct Cast {
    ids: Vec<AnyId>,
    reaches: Vec<Reach>,
}

impl Cast {
    fn new() -> Self {
        let ids: Vec<AnyId> =
            (0..SLOTS).map(|slot| AnyId { kind: KINDS[slot % 8], ..id::<Event>().any() }).collect();
        let partners = ids.iter().filter_map(|id| id.typed::<Partner>()).map(Reach::Partner);
        let tenants = ids.iter().filter_map(|id| id.typed::<Tenant>()).map(Reach::Tenant);
        let reaches = [Reach::Platform].into_iter().chain(partners).chain(tenants);
        let reaches = reaches.chain([Reach::Tenant(id())]).collect();
        Self { ids, reaches }
    }

    /// One of the identifiers of this kind, or none.
    fn pick<R: Entity>(&self, look: u8) -> Option<Id<R>> {
        let of_kind: Vec<Id<R>> = self.ids.iter().filter_map(|id| id.typed()).collect();
        of_kind.get(usize::from(look) % (of_kind.len() + 1)).copied()
    }

    fn record(&self, id: AnyId, version: i64, look: u8, deleted: bool) -> Record {
        let name = NAMES[usize::from(look) % NAMES.len()];
        let owner = look / 8;
        let (partner_id, tenant_id) = (self.pick::<Partner>(owner), self.pick::<Tenant>(owner / 4));
        let mut record = match id.kind {
            Kind::Partner => Record::from(partner(name)),
            Kind::Tenant => Tenant { partner_id, ..tenant(name, None) }.into(),
            Kind::Role => keyward_model::Role { tenant_id, ..role(name, None) }.into(),
            Kind::Permission => permission_named(name).into(),
            Kind::Application => application(name, Owner::of(partner_id, tenant_id)).into(),
            Kind::Secret => {
                let application_id = self.pick::<Application>(look).unwrap_or_else(crate::fixtures::id);
                let expires_at = (!look.is_multiple_of(3)).then(|| at(i64::from(look % 3)));
                let of = application(name, Owner::Platform);
                Secret { application_id, partner_id, tenant_id, expires_at, ..secret(&of) }.into()
            }
            Kind::SigningKey => signing_key(name).into(),
            Kind::Revocation | Kind::Event => revocation(name, at(i64::from(look % 6))).into(),
        };
        match &mut record {
            Record::Partner(it) => {
                it.status =
                    if look.is_multiple_of(2) { TenancyStatus::Active } else { TenancyStatus::Suspended };
                set_meta(&mut it.meta, id, version, look, deleted);
            }
            Record::Tenant(it) => set_meta(&mut it.meta, id, version, look, deleted),
            Record::Role(it) => set_meta(&mut it.meta, id, version, look, deleted),
            Record::Permission(it) => set_meta(&mut it.meta, id, version, look, deleted),
            Record::Application(it) => set_meta(&mut it.meta, id, version, look, deleted),
            Record::Secret(it) => set_meta(&mut it.meta, id, version, look, deleted),
            Record::SigningKey(it) => set_meta(&mut it.meta, id, version, look, deleted),
            Record::Revocation(it) => set_meta(&mut it.meta, id, version, look, deleted),
        }
        record
    }
}

/// Permissions are scope-tokens, which names need not be.
fn permission_named(name: &str) -> keyward_model::Permission {
    keyward_model::Permission { resource: name.to_owned(), label: name.to_owned(), ..permission("x") }
}

fn set_meta<R: Entity>(meta: &mut Meta<R>, id: AnyId, version: i64, look: u8, deleted: bool) {
    *meta = Meta {
        id: Id::from_uuid(id.uuid),
        version,
        created_at: at(i64::from(look % 5)),
        updated_at: at(version),
        deleted_at: deleted.then(|| at(version)),
    };
}

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
            change.usage = Some(UsageBatch { chain: name.clone(), from_seq, to_seq: seq, rows });
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
        let mut query = Query {
            kind: KINDS[asking.kind],
            conditions: Vec::new(),
            search: asking.search.map(|index| SEARCHES[index].to_owned()),
            sort: FIELDS[asking.sort],
            direction: if asking.descending { Direction::Descending } else { Direction::Ascending },
            page: asking.page.0,
            per_page: asking.page.1,
        };
        if let Some((field, look)) = asking.condition {
            let test = match look % 6 {
                0 => Test::Is(Value::Null),
                1 => Test::Is(Value::text(NAMES[usize::from(look / 6) % NAMES.len()])),
                2 => Test::Is(Value::id(self.cast.pick::<Tenant>(look / 6))),
                3 => Test::Before(at(i64::from(look / 6 % 5))),
                4 => Test::From(at(i64::from(look / 6 % 5))),
                _ => Test::Is(Value::text("active")),
            };
            query.conditions.push(Condition { field: FIELDS[field], test });
        }
        let reach = self.reach(asking.reach);
        let (store, model) = (self.store.list(&reach, &query).await, self.model.list(&reach, &query).await);
        same(&format!("{query:?} in {reach:?}"), &store.unwrap(), &model.unwrap())
    }

    fn reach(&self, index: usize) -> Reach {
        self.cast.reaches[index % self.cast.reaches.len()]
    }

    async fn events(&self, reach: usize, filter: u8, cursor: Option<u64>, limit: u32) -> Outcomes {
        let mut query =
            EventQuery { limit, cursor: Cursor::Offset(cursor.unwrap_or(0)), ..EventQuery::default() };
        match filter % 8 {
            0 => query.from = Some(at(i64::from(filter / 8))),
            1 => query.to = Some(at(i64::from(filter / 8))),
            2 => query.outcome = Some(Outcome::Denied),
            3 => query.action = Some("token.".to_owned()),
            4 => query.tenant_id = self.cast.pick::<Tenant>(filter / 8).map(|id| id.to_string()),
            5 => {
                query.cursor = Cursor::Before(Id::generate(
                    at(i64::from(filter / 8)),
                    &keyward_model::SeededRandom::new(1),
                ));
            }
            _ => {}
        }
        let reach = self.reach(reach);
        let (store, model) =
            (self.store.events(&reach, &query).await, self.model.events(&reach, &query).await);
        same(&format!("{query:?} in {reach:?}"), &store.unwrap(), &model.unwrap())
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
