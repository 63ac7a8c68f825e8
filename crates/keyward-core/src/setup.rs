//! What the first start makes, and what every start checks.

use chrono::Months;
use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_model::{
    ADMIN_READ, ADMIN_WRITE, Action, Application, ApplicationReach, ApplicationType, KEYS_VERIFY, Kind,
    Permission, Reach, ScopeSet, Status, Timestamp, TokenAlgorithm, UniqueKey,
};
use keyward_policy::{Action as Act, Target, staff_permission};
use keyward_store::{Change, Store, StoreError, TakenKey, Ticket, TicketKey};

use crate::{
    Call, Caller, Error, FieldError, Keyward, MasterKey, Options, Origin,
    admin::{Work, secrets_of_value, touched_conflict},
    keys::KeyError,
};

/// Why Keyward does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database belongs to another master key.
    #[error("the master key is not the one that this database was made with")]
    WrongMasterKey,
    /// The database failed.
    #[error("the database does not work")]
    Store(#[from] StoreError),
    /// A signing key can't be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

fn mark(name: &str) -> TicketKey {
    TicketKey::new("system", name)
}

/// Refuses a master key that does not belong to the database.
pub(crate) async fn check_master_key(
    store: &dyn Store,
    master: &MasterKey,
    now: Timestamp,
) -> Result<(), StartError> {
    match store.ticket(&mark("master_key"), now).await? {
        Some(ticket) if ticket.value != master.check_value() => Err(StartError::WrongMasterKey),
        _ => Ok(()),
    }
}

/// Whether a Keyward started on this database before.
pub(crate) async fn is_set_up(store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
    Ok(store.ticket(&mark("master_key"), now).await?.is_some())
}

/// A client that is made at the command line or from the configuration.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// The client identifier: 1 to 64 characters of `a-z`, `0-9` and `-`.
    pub client_id: String,
    /// What it is allowed.
    pub scopes: ScopeSet,
    /// A secret that exists already; a new one otherwise.
    pub secret: Option<Credential>,
}

/// The rows by which people without an admin role are let into parts of the administration.
const STAFF_ROWS: [(Kind, &str, &str); 9] = [
    (Kind::Application, "keyward-applications", "API Access"),
    (Kind::User, "keyward-users", "Users"),
    (Kind::Group, "keyward-groups", "Groups"),
    (Kind::Role, "keyward-roles", "Roles"),
    (Kind::IdentityProvider, "keyward-identity-providers", "Identity providers"),
    (Kind::Agent, "keyward-agents", "Agents"),
    (Kind::ApiKey, "keyward-api-keys", "API keys"),
    (Kind::Session, "keyward-sessions", "Sessions"),
    (Kind::Event, "keyward-audit", "Audit log"),
];

fn built_in(work: &Work<'_>, resource: &str, label: &str, view: &str, change: &[&str]) -> Permission {
    Permission {
        meta: work.meta(),
        resource: resource.to_owned(),
        label: label.to_owned(),
        // The names are constants of the model and well formed; a malformed one would be left out.
        view: view.parse().ok(),
        change: change.iter().filter_map(|scope| scope.parse().ok()).collect(),
        built_in: true,
    }
}

/// The rows of the catalogue that Keyward itself understands.
fn built_in_rows(work: &Work<'_>) -> Vec<Permission> {
    let mut rows = vec![
        built_in(work, "keyward-admin", "Keyward administration", ADMIN_READ, &[ADMIN_WRITE]),
        built_in(work, "keyward-keys", "Checking API keys", KEYS_VERIFY, &[]),
    ];
    rows.extend(STAFF_ROWS.into_iter().filter_map(|(kind, resource, label)| {
        let (view, change) = (staff_permission(kind, true)?, staff_permission(kind, false)?);
        Some(built_in(work, resource, label, &view, &[&change]))
    }));
    rows
}

impl Keyward {
    /// Adds the built-in rows that an earlier version did not have.
    async fn add_built_in(&self) -> Result<(), StartError> {
        let call = Call { caller: Caller::system(), origin: Origin::default(), idempotency: None };
        let work = Work::begin(self, &call);
        for row in built_in_rows(&work) {
            let key = UniqueKey::PermissionResource(row.resource.clone());
            if self.inner.store.find(&Reach::Platform, &key).await?.is_some() {
                continue;
            }
            let event = work.done(Action::PERMISSION_CREATED, &row, &[]);
            match self.commit(Change::default().create(row), vec![event]).await {
                // Taken: another process that starts at the same time was quicker.
                Ok(_) | Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Makes the catalogue's own rows and the first signing keys, once for each database.
    pub(crate) async fn first_start(&self, master: &MasterKey) -> Result<(), StartError> {
        if is_set_up(&*self.inner.store, self.now()).await? {
            // Another process may have made the keys after this one looked for them.
            self.inner.keys.reload().await?;
            return self.add_built_in().await;
        }
        let call = Call { caller: Caller::system(), origin: Origin::default(), idempotency: None };
        let work = Work::begin(self, &call);
        let mut change = Change::default();
        let mut events = Vec::new();
        for row in built_in_rows(&work) {
            events.push(work.done(Action::PERMISSION_CREATED, &row, &[]));
            change = change.create(row);
        }
        for algorithm in TokenAlgorithm::ALL {
            // Nobody can have cached a JWKS yet, so the first keys sign at once.
            let key = self.inner.keys.make(algorithm, work.now).await?;
            events.push(work.done(Action::SIGNING_KEY_CREATED, &key, &[]));
            change = change.create(key);
        }
        change.tickets.push(Ticket {
            key: mark("master_key"),
            value: master.check_value(),
            expires_at: None,
        });
        match self.commit(change, events).await {
            Ok(_) => Ok(()),
            // Another process made it all a moment ago.
            Err(StoreError::Taken(TakenKey::Ticket(_))) => {
                check_master_key(&*self.inner.store, master, self.now()).await?;
                Ok(self.inner.keys.reload().await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a global application of type `service` and shows its secret: client identifier and secret.
    pub async fn create_client(&self, call: &Call, new: NewClient) -> Result<(String, String), Error> {
        let work = Work::begin(self, call);
        if !keyward_model::validate::is_slug(&new.client_id) {
            let detail = "A client identifier is 1 to 64 characters of a to z, 0 to 9 and hyphen.";
            return Err(Error::field(FieldError::new("client_id", "invalid_slug", detail)));
        }
        let owner = keyward_model::Owner::Platform;
        work.grantable(&new.scopes, owner, "scope").await?;
        let permit = work.may(Act::Create, Target::object(Kind::Application, owner)).await?;
        let application = service(&work, &new);
        let live = Options::is_live(&application.environment);
        let credential = new
            .secret
            .unwrap_or_else(|| Credential::generate(CredentialKind::ClientSecret, live, work.random()));
        let secret = secrets_of_value(&work, &application, &credential, None);
        let events = vec![
            work.done(Action::APPLICATION_CREATED, &application, &[]),
            work.done(Action::SECRET_CREATED, &secret, &[]),
        ];
        let client_id = application.client_id.clone();
        let change = Change::default().create(application).create(secret);
        match work.commit(&permit, change, events).await {
            Ok(_) => Ok((client_id, credential.expose().to_owned())),
            Err(StoreError::Taken(taken)) => Err(touched_conflict(&taken)),
            Err(error) => Err(error.into()),
        }
    }
}

fn service(work: &Work<'_>, new: &NewClient) -> Application {
    let in_a_year = work.now.as_chrono().checked_add_months(Months::new(12)).map_or(work.now, Timestamp::new);
    Application {
        meta: work.meta(),
        name: new.client_id.clone(),
        kind: ApplicationType::Service,
        reach: ApplicationReach::Global,
        partner_id: None,
        tenant_id: None,
        client_id: new.client_id.clone(),
        environment: work.keyward.options().default_environment().to_owned(),
        status: Status::Active,
        expires_at: in_a_year,
        notes: None,
        roles: Vec::new(),
        allowed_scopes: new.scopes.clone(),
        token_lifetime: None,
        token_alg: TokenAlgorithm::Es256,
        redirect_uris: Vec::new(),
        allowed_origins: Vec::new(),
        token_exchange_allowed: false,
        grants: Vec::new(),
    }
}
