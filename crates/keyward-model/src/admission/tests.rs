use super::*;

fn scopes(text: &str) -> ScopeSet {
    text.parse().unwrap()
}

fn token(permissions: &str, tenants: &[&str]) -> TokenFacts {
    TokenFacts {
        subject: "acme.crm".to_owned(),
        client_id: "acme.crm".to_owned(),
        scopes: scopes(permissions),
        tenants: Some(tenants.iter().map(ToString::to_string).collect()),
        environment: Some("production".to_owned()),
    }
}

fn secret_key(permissions: &str, tenant: &str) -> KeyFacts {
    KeyFacts {
        key_id: Some("key_1".to_owned()),
        tenant_id: tenant.to_owned(),
        permissions: scopes(permissions),
        environment: Some("production".to_owned()),
        expires_at: None,
    }
}

fn publishable(tenant: &str) -> KeyFacts {
    KeyFacts { key_id: None, environment: None, ..secret_key("", tenant) }
}

fn asks(mode: Mode, permissions: &str) -> Requirement {
    Requirement { mode, needs: Needs::All(scopes(permissions)), environment: Some("production".to_owned()) }
}

/// What comes of a request: `ok`, or the code of the refusal.
fn outcome(requirement: &Requirement, token: Option<TokenFacts>, key: Option<KeyFacts>) -> &'static str {
    match admit(requirement, token.map(Ok), key.map(Ok)) {
        Ok(_) => "ok",
        Err(refusal) => refusal.reason.code(),
    }
}

#[test]
fn each_mode_asks_for_its_credentials() {
    let good = || Some(token("a", &["t1"]));
    let key = || Some(secret_key("a", "t1"));
    let cases = [
        (Mode::Bearer, good(), None, "ok"),
        (Mode::Bearer, None, key(), "credentials_missing"),
        (Mode::ApiKey, None, key(), "ok"),
        (Mode::ApiKey, good(), None, "credentials_missing"),
        (Mode::Either, good(), None, "ok"),
        (Mode::Either, None, key(), "ok"),
        (Mode::Either, None, None, "credentials_missing"),
        (Mode::Both, good(), key(), "ok"),
        (Mode::Both, good(), None, "credentials_missing"),
        (Mode::Both, None, key(), "credentials_missing"),
    ];
    for (mode, token, key, expected) in cases {
        let told = format!("{mode:?} {token:?} {key:?}");
        assert_eq!(outcome(&asks(mode, "a"), token, key), expected, "{told}");
    }
}

#[test]
fn two_credentials_must_be_of_one_tenant() {
    for mode in [Mode::Either, Mode::Both] {
        let token = || Some(token("a", &["t1", "t2"]));
        assert_eq!(outcome(&asks(mode, "a"), token(), Some(secret_key("a", "t2"))), "ok");
        assert_eq!(outcome(&asks(mode, "a"), token(), Some(secret_key("a", "t3"))), "tenant_mismatch");
        assert_eq!(outcome(&asks(mode, "a"), token(), Some(publishable("t3"))), "tenant_mismatch");
    }
    let platform = TokenFacts { tenants: None, ..token("a", &[]) };
    assert_eq!(outcome(&asks(Mode::Both, "a"), Some(platform), Some(publishable("t1"))), "tenant_mismatch");
}

#[test]
fn a_publishable_key_names_the_tenant_and_grants_nothing() {
    assert_eq!(outcome(&asks(Mode::Both, "a"), Some(token("a", &["t1"])), Some(publishable("t1"))), "ok");
    assert_eq!(
        outcome(&asks(Mode::Both, "a"), Some(token("b", &["t1"])), Some(publishable("t1"))),
        "permission_denied"
    );
    assert_eq!(outcome(&asks(Mode::ApiKey, "a"), None, Some(publishable("t1"))), "permission_denied");
    assert_eq!(outcome(&asks(Mode::Either, "a"), None, Some(publishable("t1"))), "permission_denied");
}

#[test]
fn a_secret_key_beside_a_token_must_hold_the_permission_where_both_are_asked_for() {
    let token = || Some(token("a", &["t1"]));
    assert_eq!(outcome(&asks(Mode::Both, "a"), token(), Some(secret_key("b", "t1"))), "permission_denied");
    assert_eq!(outcome(&asks(Mode::Either, "a"), token(), Some(secret_key("b", "t1"))), "ok");
}

#[test]
fn environments_must_agree() {
    let staging = Requirement { environment: Some("staging".to_owned()), ..asks(Mode::Either, "a") };
    assert_eq!(outcome(&staging, Some(token("a", &["t1"])), None), "token_wrong_environment");
    assert_eq!(outcome(&staging, None, Some(secret_key("a", "t1"))), "token_wrong_environment");
    let none = Requirement { environment: None, ..asks(Mode::Either, "a") };
    assert_eq!(outcome(&none, Some(token("a", &["t1"])), None), "ok");
    let without = TokenFacts { environment: None, ..token("a", &["t1"]) };
    assert_eq!(outcome(&asks(Mode::Bearer, "a"), Some(without), None), "token_wrong_environment");
}

#[test]
fn one_of_several_permissions_can_be_enough() {
    let any = Requirement { needs: Needs::AnyOf(scopes("a b")), ..asks(Mode::Bearer, "") };
    assert_eq!(outcome(&any, Some(token("b", &["t1"])), None), "ok");
    assert_eq!(outcome(&any, Some(token("c", &["t1"])), None), "permission_denied");
    assert_eq!(outcome(&asks(Mode::Bearer, "a b"), Some(token("b", &["t1"])), None), "permission_denied");
}

#[test]
fn what_a_request_may_do() {
    let may = |mode, token: Option<TokenFacts>, key: Option<KeyFacts>| {
        admit(&asks(mode, "a"), token.map(Ok), key.map(Ok)).unwrap().permissions.to_string()
    };
    let token = || Some(token("a b", &["t1"]));
    assert_eq!(may(Mode::Both, token(), Some(secret_key("a c", "t1"))), "a", "what both permit");
    assert_eq!(may(Mode::Both, token(), Some(publishable("t1"))), "a b");
    assert_eq!(may(Mode::Either, token(), Some(secret_key("c", "t1"))), "a b", "the one that was enough");
    let weak = TokenFacts { scopes: scopes("b"), ..token().unwrap() };
    assert_eq!(may(Mode::Either, Some(weak), Some(secret_key("a c", "t1"))), "a c");
    assert_eq!(may(Mode::ApiKey, None, Some(secret_key("a c", "t1"))), "a c");
}

#[test]
fn with_nothing_to_choose_from_nothing_is_enough() {
    let any = Requirement { needs: Needs::AnyOf(ScopeSet::default()), ..asks(Mode::Bearer, "") };
    assert_eq!(outcome(&any, Some(token("a", &["t1"])), None), "permission_denied");
}

#[test]
fn a_credential_that_was_refused_refuses_the_request() {
    let expired = || Refusal::new(Reason::TokenExpired, "The token has expired.");
    let key = || Some(Ok(secret_key("a", "t1")));
    for mode in [Mode::Bearer, Mode::Either, Mode::Both] {
        let refused = admit(&asks(mode, "a"), Some(Err(expired())), key()).unwrap_err();
        assert_eq!(refused.reason, Reason::TokenExpired, "{mode:?}");
    }
    assert!(admit(&asks(Mode::ApiKey, "a"), Some(Err(expired())), key()).is_ok());
}

#[test]
fn a_refusal_names_what_is_missing() {
    let refused = admit(&asks(Mode::Bearer, "a c"), Some(Ok(token("c", &["t1"]))), None).unwrap_err();
    assert_eq!(refused.challenge().unwrap(), "Bearer error=\"insufficient_scope\", scope=\"a c\"");
    assert_eq!(refused.detail, "The credential lacks the permission a.");
    assert_eq!(refused.held, scopes("c"));
    let hostile = Refusal::new(Reason::TokenMalformed, "a \"b\"\r\nc");
    let challenge = hostile.challenge().unwrap();
    assert!(!challenge.contains("\"b\"") && !challenge.contains('\n'), "{challenge}");
    assert!(Refusal::new(Reason::TenantMismatch, "").challenge().is_some());
    assert_eq!(Refusal::new(Reason::RateLimited, "").challenge(), None);
}

#[test]
fn reasons_and_their_words_agree() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
    }
}

#[test]
fn a_token_stands_behind_the_word_bearer() {
    let token = |value| bearer(value).map(|token| token.map_err(|refusal| refusal.reason));
    for value in ["Bearer abc", "bEARER   abc", "  Bearer abc "] {
        assert_eq!(token(value), Some(Ok("abc")), "{value:?}");
    }
    for value in ["", "  ", "Bearer", "bearer "] {
        assert_eq!(token(value), None, "{value:?}");
    }
    for value in ["abc", "Basic abc", "Bearerabc", "Bearer\tabc"] {
        assert_eq!(token(value), Some(Err(Reason::SchemeMissing)), "{value:?}");
    }
}
