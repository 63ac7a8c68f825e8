//! The authorization endpoint (RFC 6749 section 4.1, RFC 7636, RFC 9207, OpenID Connect Core section 3.1.2).

use std::{collections::BTreeMap, sync::Arc};

use keyward_model::{
    Action, Application, ApplicationType, Changes, Entity, Event, FieldChange, Outcome, ScopeSet, Subject,
    Timestamp,
};
use keyward_policy::{Principal, held, liveness, reach};
use keyward_store::TicketKey;
use serde_json::json;
use url::Url;

use super::{
    OAuthError,
    code::{Code, NewCode},
    identity_scopes,
};
use crate::{Keyward, Origin, SignInError, SignedIn, directory::Client};

/// The namespace of what people allowed applications.
const CONSENT: &str = "consent";
/// How long a code challenge is: SHA-256 in base64url (RFC 7636 section 4.2).
const CHALLENGE_LEN: usize = 43;

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

/// A request whose client and address to go back to are certain.
struct Asked<'a> {
    params: BTreeMap<&'a str, &'a str>,
    client: Arc<Client>,
    redirect_uri: &'a str,
    state: Option<&'a str>,
}

type Refused = (&'static str, &'static str);

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

impl Asked<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name).copied()
    }

    /// What is asked for: the scopes of OpenID Connect, and permissions.
    fn wanted(&self) -> Result<(ScopeSet, ScopeSet), Refused> {
        let allowed = &self.client.allowed;
        let Some(scope) = self.get("scope") else { return Ok((ScopeSet::default(), allowed.clone())) };
        let scopes: ScopeSet = scope.parse().map_err(|_| ("invalid_scope", "The scope is malformed."))?;
        let identity = identity_scopes().intersection(&scopes);
        let permissions = scopes.difference(&identity);
        if permissions.is_subset(allowed) {
            Ok((identity, permissions))
        } else {
            Err(("invalid_scope", "The application is not allowed this scope."))
        }
    }

    fn sign_in(&self, fresh: bool) -> SignInAsked {
        SignInAsked {
            login_hint: self.get("login_hint").map(str::to_owned),
            idp_hint: self.get("idp_hint").map(str::to_owned),
            fresh,
        }
    }
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

fn well_formed(asked: &Asked<'_>, pairs: &[(String, String)]) -> Result<(), Refused> {
    let invalid = |detail| Err(("invalid_request", detail));
    let repeated = pairs
        .iter()
        .enumerate()
        .any(|(index, (key, _))| pairs[..index].iter().any(|(earlier, _)| earlier == key));
    if repeated {
        return invalid("A parameter occurs more than once.");
    }
    match asked.get("response_type") {
        Some("code") => {}
        None => return invalid("The parameter response_type is missing."),
        Some(_) => return Err(("unsupported_response_type", "The only response_type is code.")),
    }
    if asked.client.application.kind == ApplicationType::Service {
        return Err(("unauthorized_client", "An application of type service signs nobody in."));
    }
    if asked.get("response_mode").is_some_and(|mode| mode != "query") {
        return invalid("The only response_mode is query.");
    }
    if asked.get("request").is_some() {
        return Err(("request_not_supported", "Request objects are not supported."));
    }
    if asked.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "Request objects are not supported."));
    }
    let challenge = asked.get("code_challenge").unwrap_or_default();
    if challenge.is_empty() {
        return invalid("The parameter code_challenge is missing: PKCE is required.");
    }
    if asked.get("code_challenge_method") != Some("S256") {
        return invalid("The only code_challenge_method is S256.");
    }
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if challenge.len() != CHALLENGE_LEN || !challenge.chars().all(is_base64url) {
        return invalid("The code_challenge is not a SHA-256 in base64url.");
    }
    let prompts: Vec<&str> = asked.get("prompt").into_iter().flat_map(|prompt| prompt.split(' ')).collect();
    let known = |prompt: &&str| matches!(*prompt, "none" | "login" | "consent" | "select_account");
    if !prompts.iter().all(known) || (prompts.contains(&"none") && prompts.len() > 1) {
        return invalid("The prompt is none alone, or login, consent and select_account.");
    }
    if asked.get("max_age").is_some_and(|age| age.parse::<u32>().is_err()) {
        return invalid("The max_age is a number of seconds.");
    }
    let too_long = |name| asked.get(name).is_some_and(|text: &str| text.len() > 2_000);
    if too_long("state") || too_long("nonce") {
        return invalid("The state or nonce is too long.");
    }
    Ok(())
}

/// Whether the address is one that is registered: exactly, apart from the port of loopback addresses of native
/// applications (RFC 8252 section 7.3).
fn is_registered(application: &Application, redirect_uri: &str) -> bool {
    let exact = application.redirect_uris.iter().any(|known| known == redirect_uri);
    exact
        || (application.kind == ApplicationType::Native
            && without_port(redirect_uri).is_some_and(|bare| {
                application.redirect_uris.iter().any(|known| without_port(known).as_ref() == Some(&bare))
            }))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]")
}

/// A loopback address without its port, apart from that letter by letter.
fn without_port(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let good = port
        .is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with(['+', '0']));
    (is_loopback(host) && good).then(|| format!("http://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let bare = Some("http://127.0.0.1/cb".to_owned());
        for same in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
            assert_eq!(without_port(same), bare, "{same}");
        }
        for other in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1:08/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://localhost:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.0.0.1.evil.example:1/cb",
            "http://127.0.0.1:1:2/cb",
        ] {
            assert_ne!(without_port(other), bare, "{other}");
        }
        assert_eq!(without_port("http://[::1]:5/"), Some("http://[::1]/".to_owned()));
    }
}
