//! The authorization endpoint (RFC 6749 section 4.1, RFC 7636, RFC 9207, OpenID Connect Core section 3.1.2).

use keyward_model::{
    Action, ApplicationType, Changes, Entity, Event, FieldChange, Outcome, ScopeSet, Subject, Timestamp,
};
use keyward_policy::{Principal, held, liveness, reach};
use keyward_store::TicketKey;
use serde_json::json;
use url::Url;

use super::{
    OAuthError,
    authorization_request::{Asked, Refused, is_loopback, is_registered, well_formed},
    code::{Code, NewCode},
    identity_scopes,
};
use crate::{Keyward, Origin, SignInError, SignedIn, directory::Client};

/// The namespace of what people allowed applications.
const CONSENT: &str = "consent";

/// What an authorization request comes to.
#[derive(Debug)]
pub enum Authorization {
    /// The browser goes there, with a code or an error.
    Redirect(String),
    /// The person must sign in, or prove once more who they are, and then the request is made again.
    SignIn(SignInAsked),
    /// The person must be asked whether the application may have that.
    Consent(ConsentAsked),
    /// The request does not say for certain where to go back to: the person reads what is wrong.
    Page(OAuthError),
}

/// How the person must sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInAsked {
    /// The address to begin with.
    pub login_hint: Option<String>,
    /// The identity provider to go to at once.
    pub idp_hint: Option<String>,
    /// Whether it must be done again by somebody who is signed in.
    pub fresh: bool,
}

/// What an application wants.
#[derive(Clone, Debug)]
pub struct ConsentAsked {
    /// Its identifier.
    pub application_id: String,
    /// What it is called.
    pub application: String,
    /// Whom it belongs to, in words.
    pub owner: String,
    /// The host that the browser goes back to.
    pub host: String,
    /// Whether that is a program on the person's own device, which cannot prove who it is.
    pub is_local: bool,
    /// Whether it wants to know name and address.
    pub identity: bool,
    /// The permissions.
    pub permissions: Vec<String>,
    /// Where to go when the person says no.
    pub refused: String,
}

impl Keyward {
    /// Judges an authorization request. `since` is when it was made first, `allowed` whether the person said yes to it just
    /// now.
    pub async fn authorize(
        &self,
        pairs: &[(String, String)],
        signed_in: Option<&SignedIn>,
        since: Option<Timestamp>,
        allowed: bool,
        origin: &Origin,
    ) -> Result<Authorization, SignInError> {
        let asked = match self.asked(pairs).await? {
            Ok(asked) => asked,
            Err(error) => return Ok(Authorization::Page(error)),
        };
        match self.judged(&asked, pairs, signed_in, since, allowed, origin).await? {
            Ok(outcome) => Ok(outcome),
            Err((error, description)) => {
                if let Some(signed_in) = signed_in {
                    let event = self.authorization_event(&asked, signed_in, origin);
                    let (outcome, reason) = (Outcome::Denied, Some(error.to_owned()));
                    let action = Action::AUTHORIZATION_DENIED;
                    self.inner.writer.append(Event { action, outcome, reason, ..event }).await?;
                }
                Ok(Authorization::Redirect(
                    self.back(&asked, &[("error", error), ("error_description", description)]),
                ))
            }
        }
    }

    /// Writes down that a person said no to what an application wanted.
    pub async fn consent_denied(
        &self,
        signed_in: &SignedIn,
        asked: &ConsentAsked,
        origin: &Origin,
    ) -> Result<(), SignInError> {
        let action = Action::AUTHORIZATION_DENIED;
        let event = self.session_event(action, &signed_in.session, &signed_in.person, origin, self.now());
        let resource = Some(Subject {
            kind: "application".into(),
            id: Some(asked.application_id.clone()),
            name: Some(asked.application.clone()),
        });
        let reason = Some("consent_denied".to_owned());
        Ok(self.inner.writer.append(Event { resource, reason, outcome: Outcome::Denied, ..event }).await?)
    }

    /// Whether an origin may read what an application's requests are answered.
    pub async fn allows_origin(&self, client_id: &str, origin: &str) -> bool {
        let entry = self.inner.directory.client(client_id).await;
        let client = entry.ok().and_then(|entry| entry.client.clone());
        client.is_some_and(|client| client.application.allowed_origins.iter().any(|known| known == origin))
    }

    /// The client and where to go back to; without both for certain nobody is sent anywhere.
    async fn asked<'a>(
        &self,
        pairs: &'a [(String, String)],
    ) -> Result<Result<Asked<'a>, OAuthError>, SignInError> {
        let invalid = |detail: &str| Ok(Err(OAuthError::invalid_request(detail)));
        let one = |name: &str| {
            let mut values = pairs.iter().filter(|(key, value)| key == name && !value.is_empty());
            (values.next().map(|(_, value)| value.as_str()), values.next().is_some())
        };
        let (Some(client_id), false) = one("client_id") else {
            return invalid("The request does not name one client_id.");
        };
        let (Some(redirect_uri), false) = one("redirect_uri") else {
            return invalid("The request does not name one redirect_uri.");
        };
        let entry = self.inner.directory.client(client_id).await?;
        let unknown = || {
            Ok(Err(OAuthError::invalid_request("There is no such application.").because("unknown_client")))
        };
        let Some(client) = entry.client.clone() else { return unknown() };
        match liveness::application(&client.application, client.above(), self.now()) {
            Ok(()) => {}
            Err(liveness::Dead::Unknown) => return unknown(),
            Err(dead) => return invalid(&dead.message()),
        }
        if !is_registered(&client.application, redirect_uri) {
            return invalid("The redirect_uri is not one that is registered for the application.");
        }
        let params = pairs.iter().filter(|(_, value)| !value.is_empty());
        let params = params.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let (state, _) = one("state");
        Ok(Ok(Asked { params, client, redirect_uri, state }))
    }

    async fn judged(
        &self,
        asked: &Asked<'_>,
        pairs: &[(String, String)],
        signed_in: Option<&SignedIn>,
        since: Option<Timestamp>,
        allowed: bool,
        origin: &Origin,
    ) -> Result<Result<Authorization, Refused>, SignInError> {
        if let Err(refused) = well_formed(asked, pairs) {
            return Ok(Err(refused));
        }
        let (identity, wanted) = match asked.wanted() {
            Ok(scopes) => scopes,
            Err(refused) => return Ok(Err(refused)),
        };
        let audience = match self.audience(asked.get("resource")) {
            Ok(audience) => audience.clone(),
            Err(_) => return Ok(Err(("invalid_target", "There are no tokens for that resource here."))),
        };
        let prompt: Vec<&str> = asked.get("prompt").unwrap_or_default().split(' ').collect();
        let none = prompt.contains(&"none");
        let Some(signed_in) = signed_in else {
            if none {
                return Ok(Err(("login_required", "Nobody is signed in.")));
            }
            return Ok(Ok(Authorization::SignIn(asked.sign_in(false))));
        };
        if self.must_prove_again(asked, &prompt, signed_in, since) {
            if none {
                return Ok(Err(("login_required", "The person must sign in again.")));
            }
            // Whoever may choose begins anew; whoever must only prove who they are stays signed in.
            let chooses = prompt.contains(&"select_account");
            return Ok(Ok(Authorization::SignIn(asked.sign_in(!chooses))));
        }
        if !may_use(signed_in, &asked.client) {
            return Ok(Err(("access_denied", "This person may not use this application.")));
        }
        let scope = self.given(signed_in, &identity, &wanted).await?;
        if !allowed && self.must_ask(asked, &prompt, signed_in, &scope).await? {
            if none {
                return Ok(Err(("consent_required", "The person must be asked.")));
            }
            return Ok(Ok(Authorization::Consent(self.consent(asked, &identity, &scope))));
        }
        let location = self.granted(asked, signed_in, scope, audience, allowed, origin).await?;
        Ok(Ok(Authorization::Redirect(location)))
    }

    /// What of it the person can give.
    async fn given(
        &self,
        signed_in: &SignedIn,
        identity: &ScopeSet,
        wanted: &ScopeSet,
    ) -> Result<ScopeSet, SignInError> {
        let catalogue = self.inner.directory.catalogue().await?;
        let person = &signed_in.person;
        let principal = Principal::user(&person.user, person.permissions.clone());
        Ok(held(&principal, &catalogue).intersection(wanted).union(identity))
    }

    fn must_prove_again(
        &self,
        asked: &Asked<'_>,
        prompt: &[&str],
        signed_in: &SignedIn,
        since: Option<Timestamp>,
    ) -> bool {
        let proven = signed_in.authenticated_at();
        let done = since.is_some_and(|since| proven >= since);
        let wants = prompt.contains(&"login") || prompt.contains(&"select_account");
        let too_old = asked
            .get("max_age")
            .and_then(|age| age.parse::<i64>().ok())
            .is_some_and(|age| proven.plus_seconds(age) < self.now());
        !done && (wants || too_old)
    }

    async fn must_ask(
        &self,
        asked: &Asked<'_>,
        prompt: &[&str],
        signed_in: &SignedIn,
        scope: &ScopeSet,
    ) -> Result<bool, SignInError> {
        if prompt.contains(&"consent") {
            return Ok(true);
        }
        // Anything on the person's device can claim to be a native application.
        if asked.client.application.kind != ApplicationType::Native {
            return Ok(false);
        }
        let known = self.inner.store.ticket(&consent_key(signed_in, &asked.client), self.now()).await?;
        let before = known.and_then(|known| known.value.parse::<ScopeSet>().ok());
        Ok(before.is_none_or(|before| !scope.is_subset(&before)))
    }

    fn consent(&self, asked: &Asked<'_>, identity: &ScopeSet, scope: &ScopeSet) -> ConsentAsked {
        let host = Url::parse(asked.redirect_uri).ok().and_then(|url| url.host_str().map(str::to_owned));
        let refused = [("error", "access_denied"), ("error_description", "The person said no.")];
        ConsentAsked {
            application_id: asked.client.application.id().to_string(),
            application: asked.client.application.name.clone(),
            owner: owner_name(&asked.client),
            is_local: host.as_deref().is_none_or(|host| is_loopback(host) || host == "localhost"),
            host: host.unwrap_or_else(|| asked.redirect_uri.to_owned()),
            identity: !identity.is_empty(),
            permissions: scope.difference(&identity_scopes()).iter().map(ToString::to_string).collect(),
            refused: self.back(asked, &refused),
        }
    }

    async fn granted(
        &self,
        asked: &Asked<'_>,
        signed_in: &SignedIn,
        scope: ScopeSet,
        audience: String,
        allowed: bool,
        origin: &Origin,
    ) -> Result<String, SignInError> {
        let fields = [("scope", json!(scope.to_string())), ("redirect_uri", json!(asked.redirect_uri))];
        let changes: Vec<FieldChange> = fields
            .into_iter()
            .map(|(field, to)| FieldChange { field: field.to_owned(), from: json!(null), to })
            .collect();
        let event = self.authorization_event(asked, signed_in, origin);
        let event = Event { changes: Changes::of(&changes), ..event };
        let code = Code {
            application: asked.client.application.id(),
            redirect_uri: asked.redirect_uri.to_owned(),
            challenge: asked.get("code_challenge").unwrap_or_default().to_owned(),
            user: signed_in.person.user.id(),
            session: signed_in.session.id(),
            nonce: asked.get("nonce").map(str::to_owned),
            authenticated_at: signed_in.authenticated_at(),
            amr: signed_in.session.amr.clone(),
            audience,
            scope: scope.clone(),
        };
        let consent = allowed.then(|| (consent_key(signed_in, &asked.client), scope.to_string()));
        let code = self.new_code(NewCode { code, consent }, event).await?;
        Ok(self.back(asked, &[("code", &code)]))
    }

    fn authorization_event(&self, asked: &Asked<'_>, signed_in: &SignedIn, origin: &Origin) -> Event {
        let now = self.now();
        let action = Action::AUTHORIZATION_GRANTED;
        let event = self.session_event(action, &signed_in.session, &signed_in.person, origin, now);
        let application = &asked.client.application;
        Event { resource: Some(Subject::record(application.id(), &application.client_id)), ..event }
    }

    /// The address to go back to, with the issuer (RFC 9207 section 2).
    fn back(&self, asked: &Asked<'_>, with: &[(&str, &str)]) -> String {
        // What is registered was checked: it can be parsed.
        let Ok(mut url) = Url::parse(asked.redirect_uri) else { return self.options().issuer.clone() };
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(with);
            if let Some(state) = asked.state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", &self.options().issuer);
        }
        url.into()
    }
}

fn owner_name(client: &Client) -> String {
    let tenant = client.tenant.as_ref().map(|tenant| tenant.name.clone());
    let partner = client.partner.as_ref().map(|partner| partner.name.clone());
    tenant.or(partner).unwrap_or_else(|| "the platform".to_owned())
}

/// What a person allowed an application.
fn consent_key(signed_in: &SignedIn, client: &Client) -> TicketKey {
    TicketKey::new(CONSENT, format!("{}:{}", signed_in.person.user.id(), client.holder))
}

/// Whether the person is of those for whom the application is: everybody for one of the platform, else those whom it
/// belongs with, and those above.
fn may_use(signed_in: &SignedIn, client: &Client) -> bool {
    let user = &signed_in.person.user;
    let principal = Principal::user(user, ScopeSet::default());
    let of_tenant = client.tenant.as_ref().and_then(|tenant| tenant.partner_id);
    let owner = client.application.owner();
    let own_partner = client.application.partner_id.is_some()
        && client.application.partner_id == signed_in.person.partner_id();
    owner == keyward_model::Owner::Platform || own_partner || reach(&principal).covers(owner, of_tenant)
}
