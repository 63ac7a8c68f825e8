//! The revocation feed: what gets into it, and what an API that follows it comes to know.

use serde_json::{Value, json};

use crate::support::{
    Client, DAY, FEED, Follower, HOUR, ISSUER, TestApp, admin, call, decode, delete, get, id_of, issued_at,
    patch, post,
};

struct Fixture {
    app: TestApp,
    partner: String,
    acme: String,
    client: Client,
    token: String,
    bystander: Client,
    /// Its token.
    other: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (partner, acme) = app.reseller().await;
    let role = app.role(Some(&acme), "clerk", &["read:users"]).await;
    let client = app
        .application(&json!({
            "reach": "tenant", "tenant_id": acme, "client_id": "crm-sync", "roles": [role],
            "allowed_scopes": ["points:adjust", "points:read"], "token_lifetime": DAY
        }))
        .await;
    let globex = app.tenant("globex").await;
    let bystander = app.client(&globex, "other", &["points:read"]).await;
    Fixture {
        token: app.token(&client).await,
        other: app.token(&bystander).await,
        client,
        bystander,
        acme,
        partner,
        app,
    }
}

impl Fixture {
    fn now(&self) -> i64 {
        use keyward_model::Clock as _;
        self.app.clock.now().unix_seconds()
    }

    /// Whether a follower still takes a token of the client.
    fn takes(&self, follower: &Follower, token: &str) -> bool {
        follower.sees(token, &self.client.secret_id, self.now()).is_some()
    }

    async fn status(&self, path: &str, status: &str) {
        self.app.edit(path, &json!({ "status": status })).await;
    }

    fn path(&self) -> String {
        format!("applications/{}", self.client.id)
    }
}

/// Public, signed, and quiet about everything that it names.
#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let feed = it.app.feed("").await;
    assert_eq!(feed.jws.text("iss"), ISSUER);
    assert_eq!(feed.jws.number("iat"), it.now());
    assert!(!feed.cursor().is_empty());
    assert_eq!(feed.entries(), &Vec::<Value>::new(), "nothing was revoked yet");
    it.app.revoke(&it.client, &it.token).await.expect(200, "revoked");
    it.status(&it.path(), "disabled").await;
    it.app.advance(5);
    let feed = it.app.feed("").await;
    assert_eq!(feed.jws.number("iat"), it.now());
    assert_eq!(feed.entries().len(), 2, "{:?}", feed.entries());
    let jti = decode(&it.token).text("jti").to_owned();
    let text = feed.jws.claims.to_string();
    for named in [&jti, &it.client.client_id, &it.client.id, &it.acme, &it.client.secret_id] {
        assert!(!text.contains(named.as_str()), "{named} stands in the clear: {text}");
    }
    let document = it.app.send(get("/.well-known/oauth-authorization-server")).await.json();
    assert_eq!(document["revocation_feed_endpoint"], format!("{ISSUER}{FEED}"));
    for method in ["POST", "PUT", "DELETE"] {
        it.app.send(call(method.parse().unwrap(), FEED)).await.expect(405, method);
    }
    // A feed is no access token, and an access token no feed.
    let jws = it.app.send(get(FEED)).await.text();
    it.app.send(get(&admin("tenants")).bearer(&jws)).await.expect(401, "the feed as a token");
}

/// Each way to revoke: the text that is its subject, and whether it is revoked for good.
#[actix_web::test]
async fn what_is_revoked() {
    let it = fixture().await;
    let app = &it.app;
    let key = async || app.key(&it.acme, &["points:adjust", "points:read"]).await;
    let person = app.staff(&it.acme, "ada", &["points:read"]).await;
    let second = app.another_secret(&it.client, &json!({})).await;
    let agent = app.agent(Some(&it.acme), &json!({ "allowed_scopes": ["points:read"] })).await;
    let gone = app.client(&it.acme, "gone", &["points:read"]).await;
    let (revoked, disabled, deleted) = (key().await, key().await, key().await);
    let (rotated, reduced) = (key().await, key().await);
    let jti = decode(&it.token).text("jti").to_owned();
    let own = |key: &str| format!("api-keys/{key}");
    let rotate = post(&admin(&format!("{}/rotate", own(&rotated.id)))).json(&json!({ "overlap_seconds": 0 }));
    let revoke = post("/oauth2/revoke")
        .basic(&it.client.client_id, &it.client.secret)
        .form(&[("token", it.token.as_str())]);
    let off = |path: String, status: &str| patch(&admin(&path)).json(&json!({ "status": status }));
    let delete = |path: String| delete(&admin(&path));
    let fewer = json!({ "permissions": ["points:read"] });
    let cases = [
        ("a token", revoke, format!("jti:{jti}")),
        (
            "a secret",
            delete(format!("{}/secrets/{}", it.path(), second.secret_id)),
            format!("credential:{}", second.secret_id),
        ),
        ("a disabled client", off(it.path(), "disabled"), format!("client:{}", it.client.client_id)),
        (
            "a deleted client",
            delete(format!("applications/{}", gone.id)),
            format!("client:{}", gone.client_id),
        ),
        (
            "a disabled agent",
            off(format!("agents/{}", agent.id), "disabled"),
            format!("client:{}", agent.client_id),
        ),
        ("a person", off(format!("users/{}", person.id), "disabled"), format!("subject:{}", person.id)),
        (
            "a key",
            post(&admin(&format!("{}/revoke", own(&revoked.id)))).json(&json!({})),
            format!("credential:{}", revoked.id),
        ),
        ("a disabled key", off(own(&disabled.id), "disabled"), format!("credential:{}", disabled.id)),
        ("a deleted key", delete(own(&deleted.id)), format!("credential:{}", deleted.id)),
        ("a rotated key", rotate, format!("credential:{}", rotated.id)),
        (
            "a key's permission",
            patch(&admin(&own(&reduced.id))).json(&fewer),
            format!("credential:{}, before", reduced.id),
        ),
        (
            "a suspended tenant",
            off(format!("tenants/{}", it.acme), "suspended"),
            format!("tenant:{}", it.acme),
        ),
    ];
    for (name, call, text) in cases {
        let cursor = app.feed("").await.cursor().to_owned();
        app.advance(1);
        let by_client = call.uri.starts_with("/oauth2/");
        let reply = if by_client { app.send(call).await } else { app.admin(call).await };
        assert!(reply.status < 300, "{name}: {} {}", reply.status, reply.text());
        let (text, before) = match text.split_once(", ") {
            Some((text, _)) => (text, true),
            None => (text.as_str(), false),
        };
        let feed = app.feed_after(&cursor).await;
        let entry = feed.about(text).unwrap_or_else(|| panic!("{name}: nothing: {:?}", feed.entries()));
        assert_eq!(entry.get("before").is_some(), before, "{name}: {entry}");
        assert_eq!(feed.entries().len(), 1, "{name}: nothing else is in it: {:?}", feed.entries());
        assert!(entry["until"].as_i64().unwrap() > it.now(), "{name}: {entry}");
        assert!(
            app.feed("").await.about(text).is_some(),
            "{name}: whoever reads from the beginning knows it"
        );
    }
}

/// A partner is its tenants.
#[actix_web::test]
async fn partners() {
    let it = fixture().await;
    let second = json!({ "name": "Second", "slug": "second", "partner_id": it.partner });
    let second = id_of(&it.app.create("tenants", &second).await);
    it.status(&format!("partners/{}", it.partner), "suspended").await;
    let feed = it.app.feed("").await;
    for tenant in [&it.acme, &second] {
        let entry = feed.about(&format!("tenant:{tenant}")).unwrap_or_else(|| panic!("{:?}", feed.entries()));
        assert!(entry.get("before").is_none(), "{entry}");
    }
    let mut follower = Follower::default();
    follower.read(&it.app).await;
    assert!(!it.takes(&follower, &it.token));
    assert!(follower.sees(&it.other, &it.bystander.secret_id, it.now()).is_some(), "another partner's");
    it.app.advance(1);
    it.status(&format!("partners/{}", it.partner), "active").await;
    it.app.advance(1);
    let fresh = it.app.token(&it.client).await;
    follower.read(&it.app).await;
    assert!(it.takes(&follower, &fresh), "the partner is back");
    it.app.remove(&format!("partners/{}", it.partner)).await;
    follower.read(&it.app).await;
    assert!(!it.takes(&follower, &fresh), "the partner is deleted");
}

/// What comes back takes new tokens, and its old ones stay dead.
#[actix_web::test]
async fn what_comes_back() {
    let it = fixture().await;
    let mut follower = Follower::default();
    let tenant = format!("tenants/{}", it.acme);
    for (path, off, on, text) in [
        (it.path(), "disabled", "active", format!("client:{}", it.client.client_id)),
        (tenant, "suspended", "active", format!("tenant:{}", it.acme)),
    ] {
        let old = it.app.token(&it.client).await;
        follower.read(&it.app).await;
        assert!(it.takes(&follower, &old), "{text}: alive");
        it.app.advance(1);
        it.status(&path, off).await;
        follower.read(&it.app).await;
        assert!(!it.takes(&follower, &old), "{text}: {off}");
        it.app.advance(1);
        it.status(&path, on).await;
        let feed = it.app.feed("").await;
        let entry = feed.about(&text).unwrap_or_else(|| panic!("{text}: {:?}", feed.entries()));
        let before = entry["before"].as_i64().unwrap_or_else(|| panic!("{text}: {entry}"));
        assert!(before >= issued_at(decode(&old).text("jti")), "{text}: {entry}");
        it.app.advance(1);
        let fresh = it.app.token(&it.client).await;
        follower.read(&it.app).await;
        assert!(it.takes(&follower, &fresh), "{text}: it is back");
        let mut late = Follower::default();
        late.read(&it.app).await;
        assert!(it.takes(&late, &fresh), "{text}: for whoever only begins to follow, too");
    }
    let key = it.app.key(&it.acme, &[]).await;
    let path = format!("api-keys/{}", key.id);
    it.status(&path, "disabled").await;
    it.app.advance(1);
    it.status(&path, "active").await;
    let feed = it.app.feed("").await;
    let entry = feed.about(&format!("credential:{}", key.id)).unwrap();
    assert!(entry["before"].is_i64(), "the key is back: {entry}");
}

/// Less than before: earlier tokens are dead, later ones are not.
#[actix_web::test]
async fn what_is_reduced() {
    let it = fixture().await;
    let mut follower = Follower::default();
    for less in [json!({ "allowed_scopes": ["points:read"] }), json!({ "roles": [] })] {
        let old = it.app.token(&it.client).await;
        follower.read(&it.app).await;
        assert!(it.takes(&follower, &old), "{less}");
        it.app.advance(1);
        it.app.edit(&it.path(), &less).await;
        let feed = it.app.feed("").await;
        let entry = feed.about(&format!("client:{}", it.client.client_id)).unwrap();
        assert!(entry["before"].is_i64(), "{less}: {entry}");
        it.app.advance(1);
        let fresh = it.app.token(&it.client).await;
        follower.read(&it.app).await;
        assert!(!it.takes(&follower, &old), "{less}: it holds what was taken away");
        assert!(it.takes(&follower, &fresh), "{less}: it never held it");
    }
    assert!(follower.sees(&it.other, &it.bystander.secret_id, it.now()).is_some(), "another client");
}

/// A grant that is gone takes its tenant away; one with fewer permissions takes the earlier tokens.
#[actix_web::test]
async fn grants() {
    let it = fixture().await;
    let globex = it.app.tenant("second").await;
    let hub = it.app.global("hub", &["points:read", "read:users"]).await;
    let grant =
        |tenant: &str, permissions: &[&str]| json!({ "tenant_id": tenant, "permissions": permissions });
    let all = ["points:read", "read:users"];
    it.app.grant(&hub, &json!([grant(&it.acme, &all), grant(&globex, &all)])).await;
    it.app.advance(1);
    let token = it.app.token(&hub).await;
    let mut follower = Follower::default();
    follower.read(&it.app).await;
    let mut both = vec![it.acme.clone(), globex.clone()];
    both.sort();
    assert_eq!(follower.sees(&token, &hub.secret_id, it.now()), Some(both));
    it.app.advance(1);
    it.app.grant(&hub, &json!([grant(&it.acme, &all)])).await;
    let feed = it.app.feed("").await;
    assert!(feed.about(&format!("grant:{}/{globex}", hub.client_id)).is_some(), "{:?}", feed.entries());
    follower.read(&it.app).await;
    assert_eq!(follower.sees(&token, &hub.secret_id, it.now()), Some(vec![it.acme.clone()]));
    it.app.advance(1);
    it.app.grant(&hub, &json!([grant(&it.acme, &["points:read"])])).await;
    it.app.advance(1);
    let fresh = it.app.token(&hub).await;
    follower.read(&it.app).await;
    assert_eq!(follower.sees(&token, &hub.secret_id, it.now()), None, "it holds what was taken away");
    assert_eq!(follower.sees(&fresh, &hub.secret_id, it.now()), Some(vec![it.acme.clone()]));
    it.app.advance(1);
    it.app.grant(&hub, &json!([grant(&it.acme, &["points:read"]), grant(&globex, &["points:read"])])).await;
    it.app.advance(1);
    let fresh = it.app.token(&hub).await;
    follower.read(&it.app).await;
    let seen = follower.sees(&fresh, &hub.secret_id, it.now()).unwrap_or_default();
    assert!(seen.contains(&globex), "the grant is back for new tokens: {seen:?}");
}

/// Where rights that many tokens may carry are taken away, those issued until then are to be looked at again.
#[actix_web::test]
async fn rights() {
    let it = fixture().await;
    let role = id_of(&it.app.ok(get(&admin("roles?q=clerk"))).await["data"][0]);
    let row = id_of(&it.app.ok(get(&admin("permissions?q=points"))).await["data"][0]);
    let mut follower = Follower::default();
    for (name, call) in [
        ("a role", patch(&admin(&format!("roles/{role}"))).json(&json!({ "permissions": [] }))),
        ("the catalogue", patch(&admin(&format!("permissions/{row}"))).json(&json!({ "change": [] }))),
        ("a row of the catalogue", delete(&admin(&format!("permissions/{row}")))),
        ("a deleted role", delete(&admin(&format!("roles/{role}")))),
    ] {
        let old = it.app.token(&it.client).await;
        follower.read(&it.app).await;
        assert!(it.takes(&follower, &old), "{name}: alive");
        it.app.advance(1);
        let reply = it.app.admin(call).await;
        assert!(reply.status < 300, "{name}: {}", reply.text());
        it.app.advance(1);
        let fresh = it.app.ask(&it.client, &[]).await;
        follower.read(&it.app).await;
        assert!(!it.takes(&follower, &old), "{name}: it holds what was taken away");
        let Some(fresh) = fresh.json()["access_token"].as_str().map(str::to_owned) else { continue };
        assert!(it.takes(&follower, &fresh), "{name}: it never held it");
    }
}

/// Small: what revokes nothing is not in it.
#[actix_web::test]
async fn what_revokes_nothing() {
    let it = fixture().await;
    let key = it.app.key(&it.acme, &["points:read"]).await;
    let before = it.app.feed("").await;
    it.app.edit(&it.path(), &json!({ "name": "Renamed", "notes": "x" })).await;
    it.app
        .edit(&it.path(), &json!({ "allowed_scopes": ["points:adjust", "points:read", "create:users"] }))
        .await;
    it.app.ok(post(&admin(&format!("{}/renew", it.path()))).json(&json!({}))).await;
    it.app.another_secret(&it.client, &json!({})).await;
    it.app.edit(&format!("tenants/{}", it.acme), &json!({ "name": "Renamed" })).await;
    let more = json!({ "name": "Renamed", "permissions": ["points:adjust", "points:read"] });
    it.app.edit(&format!("api-keys/{}", key.id), &more).await;
    it.app.key(&it.acme, &[]).await;
    it.app.token(&it.client).await;
    it.app.revoke(&it.client, "nonsense").await.expect(200, "no token");
    it.app.revoke(&it.bystander, &it.token).await;
    let after = it.app.feed_after(before.cursor()).await;
    assert_eq!(after.entries(), &Vec::<Value>::new());
    let mut follower = Follower::default();
    follower.read(&it.app).await;
    assert!(it.takes(&follower, &it.token));
}

/// An entry lives as long as what it kills, and no longer.
#[actix_web::test]
async fn until() {
    let mut it = fixture().await;
    let exp = |token: &str| decode(token).number("exp");
    let (long, brief) = (exp(&it.token), exp(&it.other));
    assert_eq!((long - it.now(), brief - it.now()), (DAY, HOUR));
    it.app.revoke(&it.client, &it.token).await.expect(200, "revoked");
    it.app.revoke(&it.bystander, &it.other).await.expect(200, "revoked");
    it.status(&format!("tenants/{}", it.acme), "suspended").await;
    let texts = [
        (format!("jti:{}", decode(&it.token).text("jti")), long),
        (format!("jti:{}", decode(&it.other).text("jti")), brief),
        (format!("tenant:{}", it.acme), long),
    ];
    let feed = it.app.feed("").await;
    for (text, exp) in &texts {
        let until = feed.about(text).unwrap_or_else(|| panic!("{text}"))["until"].as_i64().unwrap();
        assert!(until >= *exp, "{text}: {until}, but a token lives until {exp}");
    }
    let text = &texts[1].0;
    let until = feed.about(text).unwrap()["until"].as_i64().unwrap();
    assert!(until <= brief + DAY, "{text}: it stays for long after its token: {until}");
    it.app.advance(until + 1 - it.now());
    it.app.restart(|_| {}).await;
    assert!(it.app.feed("").await.about(text).is_none(), "forgotten");
    let reached = it.app.feed("").await;
    assert!(reached.about(&texts[0].0).is_some() || it.now() >= long, "too early for the other");
}
