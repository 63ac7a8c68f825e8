//! A provider that follows a script, which a test can bend.

use std::sync::{Arc, LazyLock, Mutex};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_core::{Answer, Arrival, FederationError, Upstream};
use keyward_crypto::{
    attacks::sign_bytes,
    jws::{Algorithm, SigningKey},
};
use keyward_federation::oidc::Oidc;
use keyward_model::SeededRandom;
use serde_json::{Map, Value, json};

use super::{
    CLIENT_ID, now, oidc, query,
    server::{Reply, Request, Server},
    trip, upstream,
};

/// The provider's key, one that nobody knows, and one of another type. RSA keys take long to make.
pub(crate) static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::Es256).unwrap());
pub(crate) static STRANGER: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::Es256).unwrap());
pub(crate) static RSA: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::Rs256).unwrap());

/// What makes the signature of a token.
pub(crate) type Signer = fn(&[u8]) -> Vec<u8>;

/// A signature by a key.
pub(crate) fn signed(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    sign_bytes(key, message).unwrap()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Everything that a provider says in a sign-in.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) issuer: String,
    /// An address that must not be asked.
    pub(crate) trap: String,
    pub(crate) metadata: Value,
    pub(crate) jwks: Value,
    pub(crate) header: Value,
    /// The claims of the ID token. Without a `nonce` among them the right one is added, unless [`nonce`](Self::nonce) says
    /// otherwise.
    pub(crate) claims: Value,
    pub(crate) nonce: bool,
    /// Changes the text of the claims before it is signed.
    pub(crate) payload: fn(String) -> String,
    pub(crate) signer: Signer,
    /// Changes the whole ID token.
    pub(crate) id_token: fn(String) -> String,
    pub(crate) userinfo: Value,
    /// What comes instead of the good answer at a path.
    pub(crate) instead: Vec<(&'static str, Reply)>,
    /// What the browser brings back.
    pub(crate) answer: Vec<(String, String)>,
    pub(crate) fresh: bool,
    /// Changes what is remembered.
    pub(crate) remembered: fn(String) -> String,
    pub(crate) upstream: Upstream,
}

pub(crate) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

impl Script {
    fn good(issuer: &str, trap: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        let seconds = now().unix_seconds();
        Self {
            issuer: issuer.to_owned(),
            trap: trap.to_owned(),
            metadata: json!({
                "issuer": issuer,
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "jwks_uri": at("/jwks"),
                "userinfo_endpoint": at("/userinfo"),
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["ES256", "RS256"],
                "authorization_response_iss_parameter_supported": true,
            }),
            jwks: json!({ "keys": [KEY.public_jwk()] }),
            header: json!({ "alg": "ES256", "kid": KEY.kid(), "typ": "JWT" }),
            claims: json!({
                "iss": issuer, "aud": CLIENT_ID, "sub": "248289761001", "exp": seconds + 300, "iat": seconds,
                "auth_time": seconds, "email": "ada@acme.example", "email_verified": true, "name": "Ada Lovelace",
                "groups": ["staff", "admins"],
            }),
            nonce: true,
            payload: |payload| payload,
            signer: |message| signed(&KEY, message),
            id_token: |token| token,
            userinfo: json!({ "sub": "248289761001", "email": "ada@userinfo.example", "locale": "en" }),
            instead: Vec::new(),
            answer: vec![pair("code", "c0de"), pair("state", "the-state"), pair("iss", issuer)],
            fresh: false,
            remembered: |text| text,
            upstream: upstream(issuer),
        }
    }

    /// Says this member of the ID token's claims, or leaves it out.
    pub(crate) fn claim(&mut self, name: &str, value: impl Into<Option<Value>>) {
        set(&mut self.claims, name, value.into());
    }

    /// The same for the discovery document.
    pub(crate) fn says(&mut self, name: &str, value: impl Into<Option<Value>>) {
        set(&mut self.metadata, name, value.into());
    }

    /// The same for the answer that the browser brings.
    pub(crate) fn answers(&mut self, parameters: &[(&str, &str)]) {
        self.answer = parameters.iter().map(|(name, value)| pair(name, value)).collect();
    }

    fn token(&self, nonce: &str) -> String {
        let mut claims = self.claims.clone();
        if self.nonce && claims.get("nonce").is_none() {
            claims["nonce"] = nonce.into();
        }
        let payload = (self.payload)(claims.to_string());
        let message = format!("{}.{}", encode(self.header.to_string()), encode(payload));
        let signature = (self.signer)(message.as_bytes());
        (self.id_token)(format!("{message}.{}", encode(signature)))
    }

    fn reply(&self, path: &str, nonce: &str) -> Reply {
        if let Some((_, reply)) = self.instead.iter().find(|(known, _)| *known == path) {
            return reply.clone();
        }
        match path {
            "/.well-known/openid-configuration" => Reply::json(self.metadata.to_string()),
            "/jwks" => Reply::json(self.jwks.to_string()),
            "/userinfo" => Reply::json(self.userinfo.to_string()),
            "/token" => {
                let id_token = self.token(nonce);
                let reply = json!({ "access_token": "acc3ss", "token_type": "Bearer", "id_token": id_token });
                Reply::json(reply.to_string())
            }
            _ => Reply::status(404, ""),
        }
    }
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    let members: &mut Map<String, Value> = object.as_object_mut().unwrap();
    match value {
        Some(value) => drop(members.insert(name.to_owned(), value)),
        None => drop(members.remove(name)),
    }
}

/// A running provider.
pub(crate) struct Provider {
    pub(crate) server: Server,
    pub(crate) trap: Server,
    pub(crate) script: Arc<Mutex<Script>>,
    nonce: Arc<Mutex<String>>,
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
}

impl Provider {
    /// A provider whose script is changed like this.
    pub(crate) async fn start(bend: impl FnOnce(&mut Script)) -> Self {
        let script: Arc<Mutex<Option<Arc<Mutex<Script>>>>> = Arc::default();
        let (nonce, requests) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<Vec<Request>>>::default());
        let (reads, knows, notes) = (script.clone(), nonce.clone(), requests.clone());
        let server = Server::start(move |request| {
            notes.lock().unwrap().push(request.clone());
            let script = reads.lock().unwrap().clone().expect("a script before the first request");
            let script = script.lock().unwrap();
            script.reply(&request.path, &knows.lock().unwrap())
        })
        .await;
        let trap = Server::trap().await;
        let mut written = Script::good(&server.url(""), &trap.url(""));
        bend(&mut written);
        let written = Arc::new(Mutex::new(written));
        *script.lock().unwrap() = Some(written.clone());
        Self { server, trap, script: written, nonce, requests }
    }

    /// Signs in through it, from the beginning to the end.
    pub(crate) async fn sign_in(&self, oidc: &Oidc) -> Result<Arrival, FederationError> {
        let script = self.script.lock().unwrap().clone();
        let random = SeededRandom::new(7);
        let departure = oidc.depart(&script.upstream, &trip(&random, script.fresh)).await?;
        self.nonce.lock().unwrap().clone_from(&query(&departure.location)["nonce"]);
        let answer = Answer::Oidc(script.answer.clone());
        oidc.arrive(&script.upstream, &(script.remembered)(departure.remembered), &answer, now()).await
    }

    /// What it was asked at a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<Request> {
        self.requests.lock().unwrap().iter().filter(|request| request.path == path).cloned().collect()
    }
}

/// Signs in once through a provider whose script is changed like this. Nobody may have come to the trap.
pub(crate) async fn sign_in(bend: impl FnOnce(&mut Script)) -> Result<Arrival, FederationError> {
    let provider = Provider::start(bend).await;
    let outcome = provider.sign_in(&oidc()).await;
    assert_eq!(provider.trap.connections(), 0, "the trap was asked");
    outcome
}
