//! Rules of applications.

use keyward_model::{
    Action, Application, ApplicationReach, ApplicationType, EditApplication, Entity, Id, NewApplication,
    Owner, Tenant, Timestamp,
};
use keyward_policy::Action as Act;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Administered, Document, Draft, IfMatch, Work, limits, secrets, uris::browser_addresses};
use crate::{Call, Error, FieldError, Keyward, forms};

impl Administered for Application {
    const COLLECTION: &'static str = "applications";
    const CREATED: Action = Action::APPLICATION_CREATED;
    const UPDATED: Action = Action::APPLICATION_UPDATED;
    const DELETED: Action = Action::APPLICATION_DELETED;

    async fn create(work: &Work<'_>, new: NewApplication) -> Result<Draft<Self>, Error> {
        browser_addresses(new.kind, &new.redirect_uris, &new.allowed_origins)?;
        let reach = reach_of(&new)?;
        let environment = known_environment(work, new.environment)?;
        let expires_at = expiry(work, new.expires_at)?;
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name.unwrap_or_else(|| new.client_id.clone()),
            kind: new.kind,
            reach,
            partner_id: new.partner_id,
            tenant_id: new.tenant_id,
            client_id: new.client_id,
            environment,
            status: new.status,
            expires_at,
            notes: new.notes,
            roles: new.roles,
            allowed_scopes: new.allowed_scopes,
            token_lifetime: new.token_lifetime,
            token_alg: new.token_alg,
            redirect_uris: new.redirect_uris,
            allowed_origins: new.allowed_origins,
            token_exchange_allowed: new.token_exchange_allowed,
            grants: Vec::new(),
        });
        settle(work, &mut draft).await?;
        let owner = draft.record.owner();
        work.grantable(&draft.record.allowed_scopes, owner, "/allowed_scopes").await?;
        work.new_roles(&[], &draft.record.roles, owner, "/roles").await?;
        limits::applications(work, &draft.record, &mut draft.with).await?;
        // What runs in other people's hands can't keep a secret.
        if matches!(draft.record.kind, ApplicationType::Service | ApplicationType::Web) {
            let (secret, shown) = secrets::make(work, &draft.record, None);
            draft.events.push(work.done(Action::SECRET_CREATED, &secret, &[]));
            draft.with = draft.with.create(secret);
            draft.shown.push(("secret", shown));
        }
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditApplication) -> Result<Draft<Self>, Error> {
        browser_addresses(current.kind, &edit.redirect_uris, &edit.allowed_origins)?;
        if edit.redirect_uris != current.redirect_uris || edit.allowed_origins != current.allowed_origins {
            work.holds_what(&current.client_id, current.owner()).await?;
        }
        // What the application has already may stay, whether the catalogue still knows it or not.
        let added = edit.allowed_scopes.difference(&current.allowed_scopes);
        work.grantable(&added, current.owner(), "/allowed_scopes").await?;
        work.new_roles(&current.roles, &edit.roles, current.owner(), "/roles").await?;
        Ok(Draft::plain(Self {
            name: edit.name,
            status: edit.status,
            notes: edit.notes,
            roles: edit.roles,
            allowed_scopes: edit.allowed_scopes,
            token_lifetime: edit.token_lifetime,
            token_alg: edit.token_alg,
            redirect_uris: edit.redirect_uris,
            allowed_origins: edit.allowed_origins,
            token_exchange_allowed: edit.token_exchange_allowed,
            ..current.clone()
        }))
    }
}

/// The reach that the body names or implies.
fn reach_of(new: &NewApplication) -> Result<ApplicationReach, Error> {
    let implied = match (new.tenant_id, new.partner_id) {
        (Some(_), Some(_)) => {
            let detail = "An application belongs to a tenant or to a partner, not to both.";
            return Err(Error::field(FieldError::new("/partner_id", "not_applicable", detail)));
        }
        (Some(_), None) => ApplicationReach::Tenant,
        (None, Some(_)) => ApplicationReach::Partner,
        (None, None) => ApplicationReach::Global,
    };
    let named = new.reach.unwrap_or(implied);
    if named == implied {
        return Ok(named);
    }
    let (pointer, detail) = match named {
        ApplicationReach::Tenant => ("/tenant_id", "The reach tenant needs a tenant_id, and no partner_id."),
        ApplicationReach::Partner => {
            ("/partner_id", "The reach partner needs a partner_id, and no tenant_id.")
        }
        ApplicationReach::Global => {
            ("/reach", "The reach global goes with neither a tenant_id nor a partner_id.")
        }
    };
    Err(Error::field(FieldError::new(pointer, "contradiction", detail)))
}

/// Puts the application where it belongs: checks its owner and gives it the client identifier of the wire.
async fn settle(work: &Work<'_>, draft: &mut Draft<Application>) -> Result<(), Error> {
    let application = &mut draft.record;
    match application.owner() {
        Owner::Tenant(id) => {
            let tenant: Tenant = work.reference(id, "/tenant_id").await?;
            application.client_id = format!("{}.{}", tenant.slug, application.client_id);
            draft.with.expect.push((id.any(), tenant.meta.version));
        }
        Owner::Partner(id) => {
            let partner = work.reference(id, "/partner_id").await?;
            application.client_id = format!("{}.{}", partner.slug, application.client_id);
            draft.with.expect.push((id.any(), partner.meta.version));
        }
        Owner::Platform | Owner::Everyone => {}
    }
    Ok(())
}

pub(crate) fn known_environment(work: &Work<'_>, named: Option<String>) -> Result<String, Error> {
    let options = &work.keyward.inner.options;
    let environment = named.unwrap_or_else(|| options.default_environment().to_owned());
    if options.environments.contains(&environment) {
        return Ok(environment);
    }
    let detail = format!("The environment must be one of {}.", options.environments.join(", "));
    Err(Error::field(FieldError::new("/environment", "unknown_environment", detail)))
}

/// The expiry that is asked for, or one year ahead.
fn expiry(work: &Work<'_>, asked: Option<Timestamp>) -> Result<Timestamp, Error> {
    let year = chrono::Months::new(12);
    let in_a_year = work.now.as_chrono().checked_add_months(year).map_or(work.now, Timestamp::new);
    let days = work.keyward.inner.options.max_expiry_days;
    let latest = work.now.plus_seconds(i64::from(days) * 86_400);
    let expires_at = asked.unwrap_or(in_a_year.min(latest));
    in_future(work, expires_at, "/expires_at")?;
    if expires_at > latest {
        let detail = format!("The expiry can lie at most {days} days ahead.");
        return Err(Error::field(FieldError::new("/expires_at", "too_late", detail)));
    }
    Ok(expires_at)
}

pub(crate) fn in_future(work: &Work<'_>, at: Timestamp, pointer: &str) -> Result<(), Error> {
    if at > work.now {
        return Ok(());
    }
    Err(Error::field(FieldError::new(pointer, "in_the_past", "The moment must lie in the future.")))
}

/// The body that renews an application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationRenew)]
pub struct Renewal {
    /// The new expiry; one year ahead when left out. A date alone means 23:59:59 UTC.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// How an application uses its tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ApplicationUsage)]
pub struct UsageView {
    /// The application.
    #[schema(value_type = String)]
    pub application_id: Id<Application>,
    /// How many tokens it got.
    pub tokens_issued: u64,
    /// How many it would have got had it kept each until it expired.
    pub tokens_needed: u64,
    /// When it last got one; at most 60 seconds behind.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// How many of its secrets were used.
    pub secrets_used: u64,
}

impl Keyward {
    /// Moves the expiry of an application, which may have passed.
    pub async fn renew(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let renewal: Renewal = forms::decode(body)?;
        let act = Act::Act("renew");
        self.change::<Application, _>(
            call,
            id,
            condition,
            act,
            Action::APPLICATION_RENEWED,
            async |work, current| {
                if !self.inner.options.allow_renew {
                    let detail = "Renewing applications is switched off.".to_owned();
                    return Err(Error::Conflict { code: "renewal_off", detail });
                }
                let expires_at = expiry(work, renewal.expires_at)?;
                Ok(Draft::plain(Application { expires_at, ..current.clone() }))
            },
        )
        .await
    }

    /// How many tokens an application got, and how many it needed.
    pub async fn application_usage(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let application: Application = self.one(&work, Act::Read, id).await?;
        let usage = self.usage_by_secret(application.id().any()).await?;
        let rows = || usage.iter().flat_map(|(_, rows)| rows);
        let view = UsageView {
            application_id: application.id(),
            tokens_issued: rows().map(|row| row.count).sum(),
            tokens_needed: rows().map(|row| row.needed).sum(),
            last_used_at: rows().map(|row| row.last_used_at).max(),
            secrets_used: usage.iter().filter(|(_, rows)| !rows.is_empty()).count() as u64,
        };
        Ok(Document { body: forms::to_value(&view), version: None })
    }
}
