//! Rules of identity providers: strict configuration, and secrets that go in and never come out.

use keyward_model::{
    Action, EditIdentityProvider, Entity, FieldChange, Id, IdentityProvider, NewIdentityProvider, Owner,
    ProviderKind, Reach, Role, validate,
};
use keyward_store::{Change, StoreExt, Ticket};
use serde_json::{Map, Value};

use super::{Administered, Draft, Work, uris::is_web_address};
use crate::{
    Error, FieldError,
    sign_in::{domain_mark, domains_of},
};

/// The member of a configuration that is a secret.
const SECRET: &str = "client_secret";

/// The providers whose ways are known.
const PRESETS: [&str; 5] = ["entra", "okta", "google", "ping", "generic"];
/// How long a text may be.
const MAX_TEXT: usize = 65_536;
/// How long the metadata of a SAML provider may be: some hold the certificates of many years.
const MAX_METADATA: usize = 262_144;

/// What a configuration may have, what it must have, and where its secret is sent.
struct Rules {
    known: &'static [&'static str],
    required: &'static [&'static str],
    endpoints: &'static [&'static str],
}

const fn rules(kind: ProviderKind) -> Rules {
    match kind {
        ProviderKind::Oidc => Rules {
            known: &[
                "issuer",
                "client_id",
                SECRET,
                "scopes",
                "preset",
                "email_domains",
                "claim_roles",
                "create_users",
            ],
            required: &["issuer", "client_id"],
            endpoints: &["issuer", "client_id"],
        },
        ProviderKind::Saml => Rules {
            known: &[
                "entity_id",
                "sso_url",
                "certificate",
                "metadata",
                "email_domains",
                "attribute_roles",
                "create_users",
            ],
            required: &[],
            endpoints: &[],
        },
    }
}

impl Administered for IdentityProvider {
    const COLLECTION: &'static str = "identity-providers";
    const CREATED: Action = Action::IDENTITY_PROVIDER_CREATED;
    const UPDATED: Action = Action::IDENTITY_PROVIDER_UPDATED;
    const DELETED: Action = Action::IDENTITY_PROVIDER_DELETED;

    async fn create(work: &Work<'_>, new: NewIdentityProvider) -> Result<Draft<Self>, Error> {
        let (config, secret) = checked(new.kind, new.config)?;
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            kind: new.kind,
            partner_id: new.partner_id,
            tenant_id: new.tenant_id,
            status: new.status,
            config,
            sealed_secret: None,
        });
        match (new.tenant_id, new.partner_id) {
            (Some(_), Some(_)) => {
                let detail = "An identity provider belongs to a tenant or to a partner, not to both.";
                return Err(Error::field(FieldError::new("/partner_id", "contradiction", detail)));
            }
            (Some(id), None) => {
                let tenant = work.reference(id, "/tenant_id").await?;
                draft.with.expect.push((id.any(), tenant.meta.version));
            }
            (None, Some(id)) => {
                let partner = work.reference(id, "/partner_id").await?;
                draft.with.expect.push((id.any(), partner.meta.version));
            }
            (None, None) => debug_assert_eq!(draft.record.owner(), Owner::Platform),
        }
        draft.record.sealed_secret = sealed(work, &draft.record, secret)?;
        let (id, config) = (draft.record.id(), draft.record.config.clone());
        with_domains(work, &mut draft.with, id, &Value::Null, &config).await?;
        Ok(draft)
    }

    async fn update(
        work: &Work<'_>,
        current: &Self,
        edit: EditIdentityProvider,
    ) -> Result<Draft<Self>, Error> {
        let (config, secret) = checked(current.kind, edit.config)?;
        let moved = rules(current.kind)
            .endpoints
            .iter()
            .find(|name| config.get(**name) != current.config.get(**name));
        if let Some(moved) = moved
            && current.sealed_secret.is_some()
            && secret.is_none()
        {
            let detail =
                format!("The {moved} changes where the secret is sent, so the secret must be given again.");
            return Err(Error::field(FieldError::new(format!("/config/{SECRET}"), "required", detail)));
        }
        let mut draft =
            Draft::plain(Self { name: edit.name, status: edit.status, config, ..current.clone() });
        if secret.is_some() {
            draft.record.sealed_secret = sealed(work, current, secret)?;
            let field = format!("config.{SECRET}");
            draft.unread.push(FieldChange { field, from: Value::Null, to: "replaced".into() });
        }
        let config = draft.record.config.clone();
        with_domains(work, &mut draft.with, current.id(), &current.config, &config).await?;
        Ok(draft)
    }

    async fn delete(work: &Work<'_>, current: &Self) -> Result<Change, Error> {
        let mut change = Change::default();
        with_domains(work, &mut change, current.id(), &current.config, &Value::Null).await?;
        Ok(change)
    }
}

/// What a provider's secret is sealed for.
pub(crate) fn secret_context(provider: &IdentityProvider) -> String {
    format!("identity provider {}", provider.id())
}

/// Marks the domains of addresses that a provider gets, and frees those that it gives up. A domain belongs to one provider:
/// that of something deleted gives way.
async fn with_domains(
    work: &Work<'_>,
    change: &mut Change,
    id: Id<IdentityProvider>,
    before: &Value,
    after: &Value,
) -> Result<(), Error> {
    let store = &work.keyward.inner.store;
    let (before, after) = (domains_of(before), domains_of(after));
    for domain in before.iter().filter(|domain| !after.contains(domain)) {
        let mark = domain_mark(domain);
        if store.ticket(&mark, work.now).await?.is_some_and(|mark| mark.value == id.to_string()) {
            change.consume.push(mark);
        }
    }
    for domain in after.iter().filter(|domain| !before.contains(domain)) {
        let mark = domain_mark(domain);
        if let Some(held) = store.ticket(&mark, work.now).await?
            && let Ok(holder) = held.value.parse::<Id<IdentityProvider>>()
            && store.get_as(&Reach::Platform, holder).await?.is_none()
        {
            change.consume.push(mark.clone());
        }
        if !change.tickets.iter().any(|ticket| ticket.key == mark) {
            change.tickets.push(Ticket { key: mark, value: id.to_string(), expires_at: None });
        }
    }
    Ok(())
}

fn sealed(
    work: &Work<'_>,
    provider: &IdentityProvider,
    secret: Option<String>,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(secret) = secret else { return Ok(None) };
    let sealed = work.keyward.inner.sealer.seal(&secret_context(provider), secret.as_bytes(), work.random());
    sealed.map(Some).map_err(|error| Error::Unavailable(error.into()))
}

/// Checks a configuration member by member, and takes its secret out.
fn checked(kind: ProviderKind, config: Value) -> Result<(Value, Option<String>), Error> {
    let rules = rules(kind);
    let Value::Object(mut members) = config else { return Ok((config, None)) };
    let at = |name: &str| format!("/config/{}", name.replace('~', "~0").replace('/', "~1"));
    let mut errors = Vec::new();
    for name in members.keys().filter(|name| !rules.known.contains(&name.as_str())) {
        errors.push(FieldError::new(at(name), "unknown_field", format!("There is no {name} here.")));
    }
    for name in rules.required.iter().filter(|name| !members.contains_key(**name)) {
        errors.push(FieldError::new(at(name), "required", format!("The field {name} is required.")));
    }
    for (name, value) in &members {
        if let Some(detail) = fault(name, value) {
            errors.push(FieldError::new(at(name), "invalid_value", detail));
        }
    }
    if kind == ProviderKind::Saml && !is_saml_whole(&members) {
        let detail = "Give metadata, or entity_id, sso_url and certificate.";
        errors.push(FieldError::new("/config", "required", detail));
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let secret = members.remove(SECRET).and_then(|secret| secret.as_str().map(str::to_owned));
    Ok((Value::Object(members), secret))
}

fn is_saml_whole(members: &Map<String, Value>) -> bool {
    let has = |name: &str| members.contains_key(name);
    has("metadata") || (has("entity_id") && has("sso_url") && has("certificate"))
}

/// Whether it says which roles the values of claims come to.
fn is_mapping(value: &Value) -> bool {
    let is_role = |role: &Value| role.as_str().is_some_and(|id| id.parse::<Id<Role>>().is_ok());
    let is_list =
        |roles: &Value| roles.as_array().is_some_and(|roles| roles.len() <= 100 && roles.iter().all(is_role));
    let is_values = |values: &Value| values.as_object().is_some_and(|values| values.values().all(is_list));
    value.as_object().is_some_and(|claims| claims.len() <= 100 && claims.values().all(is_values))
}

/// What is wrong with a member, if anything.
fn fault(name: &str, value: &Value) -> Option<&'static str> {
    let max = if name == "metadata" { MAX_METADATA } else { MAX_TEXT };
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty() && text.len() <= max);
    let is_address =
        |query| move |value: &Value| value.as_str().is_some_and(|text| is_web_address(text, query));
    match name {
        "issuer" => {
            (!is_address(false)(value)).then_some("It must be an http or https address without a query.")
        }
        "sso_url" => (!is_address(true)(value)).then_some("It must be an http or https address."),
        "email_domains" => {
            let is_domain = |value: &Value| value.as_str().is_some_and(validate::is_domain);
            let good =
                value.as_array().is_some_and(|items| items.len() <= 100 && items.iter().all(is_domain));
            (!good).then_some("It must be a list of domain names such as acme.example.")
        }
        "scopes" => {
            let good = value.as_array().is_some_and(|items| items.len() <= 100 && items.iter().all(is_text));
            (!good).then_some("It must be a list of texts.")
        }
        "preset" => {
            let known = value.as_str().is_some_and(|preset| PRESETS.contains(&preset));
            (!known).then_some("It must be entra, okta, google, ping or generic.")
        }
        "create_users" => (!value.is_boolean()).then_some("It must be true or false."),
        "claim_roles" | "attribute_roles" => (!is_mapping(value))
            .then_some("It must say by claim and value which roles they come to: {\"groups\": {\"staff\": [\"rol_…\"]}}."),
        _ => (!is_text(value)).then_some("It must be a text."),
    }
}
