//! Size and speed, shown rather than judged: `cargo test -p keyward-store-diesel --release -- --ignored --nocapture`.

use std::time::Instant;

use keyward_model::{
    Action, Application, ApplicationReach, ApplicationType, ChainedEvent, Changes, Context, Entity, Event,
    Field, Id, Kind, Meta, Outcome, Partner, Reach, Record, SeededRandom, Status, Subject, TenancyStatus,
    Tenant, Timestamp, TokenAlgorithm, UniqueKey, Value,
};
use keyward_store::{Change, Direction, EventQuery, Guard, Query, Store};
use keyward_store_diesel::{DieselStore, Options};

use crate::{postgres::Database, sqlite};

const APPLICATIONS: usize = 100_000;
const EVENTS: usize = 512;

fn at(millis: usize) -> Timestamp {
    Timestamp::from_unix_millis(1_795_000_000_000 + i64::try_from(millis).unwrap()).unwrap()
}

fn group(
    chain: &str,
    number: usize,
    tenants: &[Tenant],
    callers: usize,
    random: &SeededRandom,
) -> Vec<ChainedEvent> {
    let event = |index: usize| {
        let now = at(number * EVENTS + index);
        let tenant = &tenants[index % tenants.len()];
        let event = Event {
            id: Id::generate(now, random),
            occurred_at: now,
            action: Action::TOKEN_ISSUED,
            outcome: Outcome::Success,
            reason: None,
            actor: Subject::record(
                Id::<Application>::generate(at(index % callers), &SeededRandom::new(2)),
                "acme.crm-sync",
            ),
            resource: Some(Subject::token("01kb2c3d4e5f6g7h8j9kabcdef")),
            tenant_id: Some(tenant.id()),
            partner_id: None,
            changes: Changes::default(),
            context: Context {
                ip: Some("203.0.113.7".to_owned()),
                user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) curl/8.5".to_owned()),
                request_id: Some("01kb2c3d4e5f6g7h8j9kabcdef".to_owned()),
                session_id: None,
                credential_id: Some("sec_01kb2c3d4e5f6g7h8j9kabcdef".to_owned()),
            },
        };
        let seq = i64::try_from(number * EVENTS + index + 1).unwrap();
        ChainedEvent { event, chain: chain.to_owned(), seq, hash: [7; 32] }
    };
    (0..EVENTS).map(event).collect()
}

fn tenant(number: usize, partner: Option<&Partner>, random: &SeededRandom) -> Tenant {
    Tenant {
        meta: Meta::new(Id::generate(at(number), random), at(number)),
        name: format!("Tenant {number}"),
        slug: format!("tenant-{number}"),
        status: TenancyStatus::Active,
        contact_email: None,
        partner_id: partner.map(Entity::id),
        settings: serde_json::json!({}),
        branding: serde_json::json!({}),
        publishable_key: String::new(),
    }
}

fn application(number: usize, tenants: &[Tenant], random: &SeededRandom) -> Application {
    let tenant = &tenants[number % tenants.len()];
    Application {
        meta: Meta::new(Id::generate(at(number), random), at(number)),
        name: format!("Application {}", number * 7_919 % APPLICATIONS),
        kind: ApplicationType::Service,
        reach: ApplicationReach::Tenant,
        partner_id: None,
        tenant_id: Some(tenant.id()),
        client_id: format!("{}.app-{number}", tenant.slug),
        environment: "production".to_owned(),
        status: Status::Active,
        expires_at: at(number * 1_000),
        notes: Some("Nightly synchronisation".to_owned()),
        roles: Vec::new(),
        allowed_scopes: "points:read points:write".parse().unwrap(),
        token_lifetime: None,
        token_alg: TokenAlgorithm::Es256,
        redirect_uris: Vec::new(),
        allowed_origins: Vec::new(),
        token_exchange_allowed: false,
        grants: Vec::new(),
    }
}

async fn timed<T>(what: &str, times: usize, mut work: impl AsyncFnMut(usize) -> T) {
    let mut each = Vec::with_capacity(times);
    for number in 0..times {
        let began = Instant::now();
        work(number).await;
        each.push(began.elapsed());
    }
    each.sort();
    let sum: std::time::Duration = each.iter().sum();
    let mean = sum / u32::try_from(times).unwrap();
    println!("  {what:<44} mean {mean:>10.1?}   p95 {:>10.1?}", each[times * 95 / 100]);
}

async fn measure(store: &DieselStore) {
    let random = SeededRandom::new(1);
    let partner = Partner {
        meta: Meta::new(Id::generate(at(0), &random), at(0)),
        name: "Partner".to_owned(),
        slug: "partner".to_owned(),
        status: TenancyStatus::Active,
        contact_email: None,
        max_tenants: None,
        max_users_per_tenant: None,
        max_applications_per_tenant: None,
    };
    let tenants: Vec<Tenant> =
        (0..500).map(|n| tenant(n, (n % 5 == 0).then_some(&partner), &random)).collect();
    let mut change = Change::default().create(partner.clone());
    change = tenants.iter().cloned().fold(change, Change::create);
    store.commit(change).await.unwrap();
    let applications: Vec<Application> =
        (0..APPLICATIONS).map(|n| application(n, &tenants, &random)).collect();
    let began = Instant::now();
    for some in applications.chunks(1_000) {
        store
            .commit(some.iter().cloned().map(Record::from).fold(Change::default(), Change::create))
            .await
            .unwrap();
    }
    println!("  {APPLICATIONS} applications in {:?}", began.elapsed());

    let groups: Vec<Vec<ChainedEvent>> =
        (0..100).map(|number| group("chain", number, &tenants, 100, &random)).collect();
    timed("commit of 512 events, 500 tenants", 100, async |number| {
        let change = Change { events: groups[number].clone(), ..Change::default() };
        store.commit(change).await.unwrap()
    })
    .await;
    let groups: Vec<Vec<ChainedEvent>> =
        (0..100).map(|number| group("few", number, &tenants[..20], 5, &random)).collect();
    timed("commit of 512 events, 20 tenants", 100, async |number| {
        let change = Change { events: groups[number].clone(), ..Change::default() };
        store.commit(change).await.unwrap()
    })
    .await;
    let singles = group("single", 0, &tenants, 100, &random);
    timed("commit of 1 event", 200, async |number| {
        let change = Change { events: vec![singles[number].clone()], ..Change::default() };
        store.commit(change).await.unwrap()
    })
    .await;
    timed("get of an application", 5_000, async |number| {
        store
            .get(&Reach::Platform, applications[number * 13 % APPLICATIONS].id().any())
            .await
            .unwrap()
            .unwrap()
    })
    .await;
    timed("find of a client", 5_000, async |number| {
        let key = UniqueKey::ClientId(applications[number * 13 % APPLICATIONS].client_id.clone());
        store.find(&Reach::Platform, &key).await.unwrap().unwrap()
    })
    .await;
    let all = Query::all(Kind::Application);
    let queries = [
        ("list, first page", Reach::Platform, all.clone()),
        ("list, page 500", Reach::Platform, Query { page: 500, ..all.clone() }),
        ("list by name", Reach::Platform, Query { sort: Field::Name, ..all.clone() }),
        (
            "list by expiry, descending",
            Reach::Platform,
            Query { sort: Field::ExpiresAt, direction: Direction::Descending, ..all.clone() },
        ),
        ("list of a tenant", Reach::Tenant(tenants[3].id()), all.clone()),
        ("list of a partner", Reach::Partner(partner.id()), all.clone()),
        (
            "list by tenant_id",
            Reach::Platform,
            all.clone().with(Field::TenantId, Value::id(Some(tenants[3].id()))),
        ),
        ("list by status", Reach::Platform, all.clone().with(Field::Status, Value::text("active"))),
        ("search that finds little", Reach::Platform, Query { search: Some("app-4711".to_owned()), ..all }),
    ];
    for (what, reach, query) in queries {
        timed(what, 40, async |_| store.list(&reach, &query).await.unwrap()).await;
    }
    let events = EventQuery { limit: 100, ..EventQuery::default() };
    let of_tenant = EventQuery { tenant_id: Some(tenants[3].id().to_string()), ..events.clone() };
    timed("events, first page of 102,000", 40, async |_| {
        store.events(&Reach::Platform, &events).await.unwrap()
    })
    .await;
    timed("events of a tenant", 40, async |_| store.events(&Reach::Platform, &of_tenant).await.unwrap())
        .await;
    timed("tally of 102,000 events by the minute", 10, async |_| {
        store.tally(&Reach::Platform, &events, 60).await.unwrap()
    })
    .await;
    guarded(store, &tenants[3]).await;
}

/// Creations under a limit, one after the other.
async fn guarded(store: &DieselStore, tenant: &Tenant) {
    let random = SeededRandom::new(3);
    let tenants = [tenant.clone()];
    let guard = Guard {
        kind: Kind::Application,
        conditions: Query::all(Kind::Application)
            .with(Field::TenantId, Value::id(Some(tenant.id())))
            .conditions,
        at_least: 0,
        at_most: 1_000,
    };
    timed("creation under a limit of the tenant", 200, async |number| {
        let change = Change { guards: vec![guard.clone()], ..Change::default() };
        let new = application(APPLICATIONS + number, &tenants, &random);
        store.commit(change.create(new)).await.unwrap()
    })
    .await;
}

#[tokio::test]
#[ignore = "takes a while"]
async fn speed_on_sqlite() {
    let store = sqlite::fresh(4);
    println!("SQLite");
    measure(&store).await;
}

#[tokio::test]
#[ignore = "takes a while"]
async fn speed_on_postgres() {
    let database = Database::new();
    let store = DieselStore::open(Options::new(&database.url)).unwrap();
    store.migrate().unwrap();
    println!("PostgreSQL");
    measure(&store).await;
}
