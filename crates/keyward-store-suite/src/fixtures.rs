//! Records, events and changes to try a store with.

use std::sync::atomic::{AtomicU64, Ordering};

use keyward_model::{
    Action, AnyId, Application, ApplicationReach, ApplicationType, ChainedEvent, Changes, Context, Entity,
    Event, Field, FieldChange, Grant, Id, Identified, Kind, Meta, Outcome, Owner, Partner, Permission,
    Random, Reach, Record, Revocation, Role, Secret, SigningKey, Status, Subject, TenancyStatus, Tenant,
    Timestamp, TokenAlgorithm, UniqueKey, Usage, Value,
};
use keyward_store::{Change, Query, Revision, Store, StoreError, StoreExt, TakenKey, Ticket, TicketKey};
use serde_json::json;

/// All kinds of records.
pub(crate) const KINDS: [Kind; 8] = [
    Kind::Partner,
    Kind::Tenant,
    Kind::Role,
    Kind::Permission,
    Kind::Application,
    Kind::Secret,
    Kind::SigningKey,
    Kind::Revocation,
];

/// A moment so many milliseconds after an arbitrary one.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_795_000_000_000 + millis).expect("a moment within the calendar")
}

struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        let bytes = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let start = buffer.len() - bytes.len();
        buffer.fill(0);
        buffer[start..].copy_from_slice(&bytes);
    }
}

static COUNTER: Counter = Counter(AtomicU64::new(1));

/// A fresh identifier, greater than all before it.
pub(crate) fn id<R: Identified>() -> Id<R> {
    Id::generate(at(0), &COUNTER)
}

/// The first version of something.
pub(crate) fn meta<R: Identified>() -> Meta<R> {
    Meta::new(id(), at(0))
}

pub(crate) fn partner(slug: &str) -> Partner {
    Partner {
        meta: meta(),
        name: format!("Partner {slug}"),
        slug: slug.to_owned(),
        status: TenancyStatus::Active,
        contact_email: None,
        max_tenants: None,
        max_users_per_tenant: None,
        max_applications_per_tenant: None,
    }
}

pub(crate) fn tenant(slug: &str, partner: Option<&Partner>) -> Tenant {
    Tenant {
        meta: meta(),
        name: format!("Tenant {slug}"),
        slug: slug.to_owned(),
        status: TenancyStatus::Active,
        contact_email: None,
        partner_id: partner.map(Entity::id),
        settings: json!({}),
        branding: json!({}),
        publishable_key: format!("pk_{slug}"),
    }
}

pub(crate) fn role(name: &str, tenant: Option<&Tenant>) -> Role {
    let permissions = "a:read b:write".parse().expect("valid permissions");
    Role { meta: meta(), name: name.to_owned(), tenant_id: tenant.map(Entity::id), permissions }
}

pub(crate) fn permission(resource: &str) -> Permission {
    Permission {
        meta: meta(),
        resource: resource.to_owned(),
        label: format!("Label of {resource}"),
        view: Some(format!("{resource}:read").parse().expect("a valid permission")),
        change: format!("{resource}:create {resource}:delete").parse().expect("valid permissions"),
        built_in: false,
    }
}

pub(crate) fn application(client_id: &str, owner: Owner) -> Application {
    let (reach, partner_id, tenant_id) = match owner {
        Owner::Tenant(id) => (ApplicationReach::Tenant, None, Some(id)),
        Owner::Partner(id) => (ApplicationReach::Partner, Some(id), None),
        Owner::Platform | Owner::Everyone => (ApplicationReach::Global, None, None),
    };
    Application {
        meta: meta(),
        name: format!("Application {client_id}"),
        kind: ApplicationType::Service,
        reach,
        partner_id,
        tenant_id,
        client_id: client_id.to_owned(),
        environment: "production".to_owned(),
        status: Status::Active,
        expires_at: at(1_000_000),
        notes: None,
        roles: Vec::new(),
        allowed_scopes: "a:read".parse().expect("valid permissions"),
        token_lifetime: None,
        token_alg: TokenAlgorithm::Es256,
        redirect_uris: Vec::new(),
        allowed_origins: Vec::new(),
        token_exchange_allowed: false,
        grants: Vec::new(),
    }
}

pub(crate) fn secret(application: &Application) -> Secret {
    Secret {
        meta: meta(),
        application_id: application.id(),
        partner_id: application.partner_id,
        tenant_id: application.tenant_id,
        hint: "kw_live_ab".to_owned(),
        hash: [7; 32],
        expires_at: None,
        revoked_at: None,
    }
}

pub(crate) fn signing_key(kid: &str) -> SigningKey {
    SigningKey {
        meta: meta(),
        kid: kid.to_owned(),
        algorithm: TokenAlgorithm::EdDsa,
        public_jwk: r#"{"kty":"OKP"}"#.to_owned(),
        sealed: vec![0, 255, 1, 254],
        active_at: at(5),
        retires_at: None,
    }
}

pub(crate) fn revocation(jti: &str, expires_at: Timestamp) -> Revocation {
    Revocation { meta: meta(), jti: jti.to_owned(), expires_at }
}

/// One of each kind with everything set that can be set.
pub(crate) fn full_records() -> Vec<Record> {
    let odd = "Ünïcode 漢字 🔑 'quoted' \"twice\" \\ % _ ? $1 ; --\n\ttabbed";
    let partner = Partner {
        name: odd.to_owned(),
        status: TenancyStatus::Suspended,
        contact_email: Some("ops@example.org".to_owned()),
        max_tenants: Some(0),
        max_users_per_tenant: Some(u32::MAX),
        max_applications_per_tenant: Some(12),
        ..partner("full")
    };
    let settings = json!({ "a": [1, -2, 2.5, null, true], "b": { "c": odd, "\u{0}": "\u{0}" } });
    let tenant = Tenant {
        name: odd.to_owned(),
        contact_email: Some(odd.to_owned()),
        settings,
        branding: json!({ "logo": "https://example.org/logo.svg" }),
        ..tenant("full", Some(&partner))
    };
    let role = role(odd, Some(&tenant));
    let grant = Grant {
        tenant_id: tenant.id(),
        environment: "test".to_owned(),
        permissions: "x:read y:write".parse().expect("valid permissions"),
        roles: vec![role.id(), id()],
        expires_at: Some(at(77)),
    };
    let application = Application {
        name: odd.to_owned(),
        kind: ApplicationType::Web,
        status: Status::Disabled,
        notes: Some(odd.to_owned()),
        roles: vec![id(), role.id()],
        token_lifetime: Some(86_400),
        token_alg: TokenAlgorithm::Rs256,
        redirect_uris: vec!["https://example.org/a?b=c,d".to_owned(), odd.to_owned()],
        allowed_origins: vec!["https://example.org".to_owned()],
        token_exchange_allowed: true,
        grants: vec![grant.clone(), Grant { roles: Vec::new(), expires_at: None, ..grant }],
        ..application("full.app", Owner::Partner(partner.id()))
    };
    let secret =
        Secret { hash: [255; 32], expires_at: Some(at(1)), revoked_at: Some(at(2)), ..secret(&application) };
    let key = SigningKey { retires_at: Some(at(9)), sealed: (0..=255).collect(), ..signing_key("full") };
    let permission = Permission { label: odd.to_owned(), built_in: true, view: None, ..permission("full") };
    vec![
        partner.into(),
        tenant.into(),
        role.into(),
        permission.into(),
        application.into(),
        secret.into(),
        key.into(),
        revocation("full", at(3)).into(),
    ]
}

/// Partners, tenants and what is in them, such that every reach covers something and leaves out something.
pub(crate) struct World {
    pub(crate) partners: [Partner; 2],
    /// Two of the first partner, one of the second, one of none.
    pub(crate) tenants: [Tenant; 4],
    /// Every record.
    pub(crate) records: Vec<Record>,
}

impl World {
    /// Makes it.
    pub(crate) fn new() -> Self {
        let partners = [partner("one"), partner("two")];
        let [one, two] = &partners;
        let tenants = [
            tenant("one-a", Some(one)),
            tenant("one-b", Some(one)),
            tenant("two-a", Some(two)),
            tenant("free", None),
        ];
        let mut records: Vec<Record> = Vec::new();
        records.extend(partners.iter().cloned().map(Record::from));
        records.extend(tenants.iter().cloned().map(Record::from));
        records.extend([role("reader", None).into(), permission("users").into()]);
        records.extend([signing_key("kid").into(), revocation("jti", at(50)).into()]);
        records.extend(tenants.iter().map(|tenant| Record::from(role("reader", Some(tenant)))));
        let owners = [Owner::Platform, Owner::Partner(one.id()), Owner::Partner(two.id())];
        let owners = owners.into_iter().chain(tenants.iter().map(|tenant| Owner::Tenant(tenant.id())));
        for (index, owner) in owners.enumerate() {
            let application = application(&format!("app-{index}"), owner);
            records.push(secret(&application).into());
            records.push(application.into());
        }
        Self { partners, tenants, records }
    }

    /// Makes and stores it.
    pub(crate) async fn stored(store: &dyn Store) -> Self {
        let world = Self::new();
        put_all(store, world.records.clone()).await;
        world
    }

    /// Every reach that covers anything in it, and one that covers nothing.
    pub(crate) fn reaches(&self) -> Vec<Reach> {
        let partners = self.partners.iter().map(|partner| Reach::Partner(partner.id()));
        let tenants = self.tenants.iter().map(|tenant| Reach::Tenant(tenant.id()));
        let nobody = [Reach::Partner(id()), Reach::Tenant(id())];
        [Reach::Platform].into_iter().chain(partners).chain(tenants).chain(nobody).collect()
    }

    /// Whether the reach covers the record, as long as nothing is deleted or moved.
    pub(crate) fn covers(&self, reach: Reach, record: &Record) -> bool {
        let tenant = record.owner().tenant();
        let tenant = self.tenants.iter().find(|it| Some(it.id()) == tenant);
        reach.covers(record.owner(), tenant.and_then(|tenant| tenant.partner_id))
    }
}

/// Creates all these records in one change.
pub(crate) async fn put_all(store: &dyn Store, records: Vec<Record>) -> Revision {
    let change = records.into_iter().fold(Change::default(), Change::create);
    store.commit(change).await.expect("a change that nothing speaks against")
}

/// Creates a record.
pub(crate) async fn create(store: &dyn Store, record: impl Into<Record>) -> Revision {
    put_all(store, vec![record.into()]).await
}

/// The next version of something.
pub(crate) fn next<R: Entity>(record: &R, change: impl FnOnce(&mut R)) -> R {
    let mut next = record.clone();
    change(&mut next);
    next.meta_mut().version += 1;
    next.meta_mut().updated_at = at(next.meta().version * 1_000);
    next
}

/// Its next version, deleted.
pub(crate) fn deleted<R: Entity>(record: &R) -> R {
    next(record, |next| next.meta_mut().deleted_at = Some(at(999)))
}

/// Stores the next version of something, and returns it.
pub(crate) async fn update<R: Entity>(store: &dyn Store, record: &R, change: impl FnOnce(&mut R)) -> R {
    let next = next(record, change);
    let change = Change::default().replace(record.meta().version, next.clone());
    store.commit(change).await.expect("a change that nothing speaks against");
    next
}

/// Deletes something.
pub(crate) async fn delete<R: Entity>(store: &dyn Store, record: &R) -> R {
    update(store, record, |next| next.meta_mut().deleted_at = Some(at(999))).await
}

/// What the platform reads.
pub(crate) async fn read<R: Entity>(store: &dyn Store, id: Id<R>) -> Option<R> {
    store.get_as(&Reach::Platform, id).await.expect("a reading")
}

/// The identifiers that a query selects for the platform, in their order.
pub(crate) async fn listed(store: &dyn Store, query: &Query) -> Vec<AnyId> {
    listed_in(store, &Reach::Platform, query).await
}

/// The identifiers that a query selects, in their order. They must fit on one page.
pub(crate) async fn listed_in(store: &dyn Store, reach: &Reach, query: &Query) -> Vec<AnyId> {
    let page = store.list(reach, query).await.expect("a list");
    assert_eq!(page.total, page.items.len() as u64, "the total of {query:?} in {reach:?}");
    page.items.iter().map(Record::id).collect()
}

/// A list with one condition.
pub(crate) fn with(kind: Kind, field: Field, value: Value) -> Query {
    Query::all(kind).with(field, value)
}

/// That a commit failed because the data changed.
#[track_caller]
pub(crate) fn assert_stale(result: Result<Revision, StoreError>) {
    assert!(matches!(result, Err(StoreError::Stale)), "expected Stale, got {result:?}");
}

/// That a commit failed because a key was taken.
#[track_caller]
pub(crate) fn assert_taken(result: Result<Revision, StoreError>, key: &UniqueKey) {
    assert!(
        matches!(&result, Err(StoreError::Taken(TakenKey::Record(taken))) if taken == key),
        "expected that {key:?} is taken, got {result:?}"
    );
}

pub(crate) fn ticket(key: &str, expires_at: Option<Timestamp>) -> Ticket {
    Ticket { key: TicketKey::new("test", key), value: format!("value of {key}"), expires_at }
}

/// A change that only creates these tickets.
pub(crate) fn tickets(tickets: impl IntoIterator<Item = Ticket>) -> Change {
    Change { tickets: tickets.into_iter().collect(), ..Change::default() }
}

/// A change that only consumes these tickets.
pub(crate) fn consume(keys: impl IntoIterator<Item = TicketKey>) -> Change {
    Change { consume: keys.into_iter().collect(), ..Change::default() }
}

/// An event with little in it.
pub(crate) fn event(millis: i64) -> Event {
    Event {
        id: Id::generate(at(millis), &COUNTER),
        occurred_at: at(millis),
        action: Action::TOKEN_ISSUED,
        outcome: Outcome::Success,
        reason: None,
        actor: Subject::system(),
        resource: None,
        tenant_id: None,
        partner_id: None,
        changes: Changes::default(),
        context: Context::default(),
    }
}

/// An event with everything in it.
pub(crate) fn full_event(millis: i64) -> Event {
    let text = |text: &str| Some(format!("{text} ü'\"\\%_"));
    let change = FieldChange { field: "name".to_owned(), from: json!(null), to: json!({ "a": ["b", 1] }) };
    Event {
        action: Action::from_text("noun.of_a_later_version".to_owned()),
        outcome: Outcome::Failure,
        reason: text("reason"),
        actor: Subject { kind: "user".into(), id: text("actor id"), name: text("actor name") },
        resource: Some(Subject {
            kind: "thing".into(),
            id: text("resource id"),
            name: text("resource name"),
        }),
        tenant_id: Some(id()),
        partner_id: Some(id()),
        changes: Changes::of(&[change]),
        context: Context {
            ip: text("ip"),
            user_agent: text("user agent"),
            request_id: text("request"),
            session_id: text("session"),
            credential_id: text("credential"),
        },
        ..event(millis)
    }
}

/// Events with their places in a chain.
pub(crate) fn chained(chain: &str, first: i64, events: impl IntoIterator<Item = Event>) -> Vec<ChainedEvent> {
    let place = |(seq, event): (i64, Event)| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&seq.to_le_bytes());
        ChainedEvent { event, chain: chain.to_owned(), seq, hash }
    };
    (first..).zip(events).map(place).collect()
}

/// A change that only writes these events.
pub(crate) fn append(events: Vec<ChainedEvent>) -> Change {
    Change { events, ..Change::default() }
}

/// Evidence of use.
pub(crate) fn usage(subject: AnyId, address: &str, count: u64, first: i64, last: i64) -> Usage {
    let (first_used_at, last_used_at) = (at(first), at(last));
    Usage { subject, address: address.to_owned(), count, needed: count / 2, first_used_at, last_used_at }
}
