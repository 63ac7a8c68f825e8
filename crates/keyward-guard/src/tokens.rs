//! Access tokens: verified once, judged at every request.

use std::sync::Arc;

use keyward_crypto::{
    access_token::{Expected, OpenClaims, TokenError, VerifiedOpen, verify_open},
    digest::sha256,
    feed::{ALL, RIGHTS, Revoked, Subject, issued_ms},
};
use keyward_model::{
    MAX_SCOPE_LEN, ScopeSet, Timestamp,
    admission::{Reason, Refusal, TokenFacts},
};

use crate::keys::Snapshot;

/// A token whose signature is good, prepared to be judged again and again.
#[derive(Debug)]
pub(crate) struct Token {
    claims: OpenClaims,
    scopes: ScopeSet,
    issued_ms: i64,
    /// What revokes it as a whole.
    subjects: Vec<Subject>,
    /// What takes each of its tenants away.
    tenant_subjects: Vec<[Subject; 2]>,
    /// The generation of the keys that verified it.
    generation: u64,
}

/// The tokens that were verified lately, by the SHA-256 of the token.
#[derive(Debug)]
pub(crate) struct Tokens(quick_cache::sync::Cache<[u8; 32], Arc<Token>>);

/// What a token must be.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) leeway_seconds: i64,
}

impl Terms {
    fn check<T>(&self, now: Timestamp, check: impl FnOnce(&Expected<'_>) -> T) -> T {
        let Self { issuer, leeway_seconds, .. } = self;
        let audiences: Vec<&str> = self.audiences.iter().map(String::as_str).collect();
        check(&Expected { issuer, audiences: &audiences, now, leeway_seconds: *leeway_seconds })
    }
}

impl Tokens {
    /// Remembers so many tokens.
    pub(crate) fn new(remembered: usize) -> Self {
        Self(quick_cache::sync::Cache::new(remembered))
    }

    /// Verifies a token, or finds that it was. Its times are looked at in any case.
    pub(crate) fn verify(
        &self,
        text: &str,
        keys: &Snapshot,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Arc<Token>, TokenError> {
        terms.check(now, |expected| {
            let key = sha256(text.as_bytes());
            if let Some(token) = self.0.get(&key).filter(|token| token.generation == keys.generation) {
                let checked = token.claims.check(expected);
                if checked == Err(TokenError::Expired) {
                    self.0.remove(&key);
                }
                return checked.map(|()| token);
            }
            let verified = verify_open(&keys.set, text, expected)?;
            let token = Arc::new(Token::new(verified, keys.generation)?);
            self.0.insert(key, token.clone());
            Ok(token)
        })
    }
}

impl Token {
    fn new(verified: VerifiedOpen, generation: u64) -> Result<Self, TokenError> {
        let VerifiedOpen { mut claims, kid } = verified;
        // The text is not needed again. A permission that is too long for a name of ours is one that is never asked for.
        let scope = std::mem::take(&mut claims.scope);
        let scopes = scope.split(' ').filter(|one| (1..=MAX_SCOPE_LEN).contains(&one.len())).map(str::parse);
        let scopes = scopes.collect::<Result<ScopeSet, _>>().map_err(|_| TokenError::MalformedClaims)?;
        let OpenClaims { jti, client_id, sub, credential_id, tenants, .. } = &claims;
        let names = [("jti", jti), ("client", client_id), ("subject", sub), ("key", &kid)];
        let names = names.into_iter().chain(credential_id.iter().map(|id| ("credential", id)));
        let texts = names.map(|(kind, name)| format!("{kind}:{name}"));
        let of_tenant = |tenant: &String| {
            let grant = format!("grant:{client_id}/{tenant}");
            [Subject::of(&format!("tenant:{tenant}")), Subject::of(&grant)]
        };
        Ok(Self {
            subjects: texts
                .chain([ALL.to_owned(), RIGHTS.to_owned()])
                .map(|text| Subject::of(&text))
                .collect(),
            tenant_subjects: tenants.iter().flatten().map(of_tenant).collect(),
            issued_ms: issued_ms(jti).unwrap_or_else(|| claims.iat.saturating_mul(1_000)),
            generation,
            scopes,
            claims,
        })
    }

    /// What is left of the token by what is known to be revoked.
    pub(crate) fn facts(&self, revoked: &Revoked) -> Result<TokenFacts, Refusal> {
        let is_dead = |subject: &Subject| revoked.covers(subject, self.issued_ms);
        let tenants = self.claims.tenants.as_ref().map(|all| {
            let alive = all.iter().zip(&self.tenant_subjects).filter(|(_, by)| !by.iter().any(is_dead));
            alive.map(|(tenant, _)| tenant.clone()).collect::<Vec<_>>()
        });
        let had_tenants = !self.tenant_subjects.is_empty();
        if self.subjects.iter().any(is_dead) || had_tenants && tenants.as_ref().is_some_and(Vec::is_empty) {
            return Err(Refusal::new(Reason::TokenRevoked, "The token was revoked."));
        }
        Ok(TokenFacts {
            subject: self.claims.sub.clone(),
            client_id: self.claims.client_id.clone(),
            scopes: self.scopes.clone(),
            tenants,
            environment: self.claims.env.clone(),
        })
    }
}

/// The refusal that an unacceptable token comes to.
pub(crate) fn refusal(error: TokenError) -> Refusal {
    match error {
        TokenError::Expired => Refusal::new(Reason::TokenExpired, "The token has expired."),
        TokenError::WrongAudience => {
            Refusal::new(Reason::TokenWrongAudience, "The token is for another API.")
        }
        TokenError::NotYetValid => Refusal::new(Reason::TokenMalformed, "The token is not good yet."),
        TokenError::Jws(_) | TokenError::MalformedClaims | TokenError::WrongIssuer => {
            Refusal::new(Reason::TokenMalformed, "The token is not an access token of this issuer.")
        }
    }
}

#[cfg(test)]
mod tests {
    use keyward_crypto::feed::Entry;
    use serde_json::{Value, json};

    use super::*;

    fn verified(claims: &Value) -> VerifiedOpen {
        VerifiedOpen { claims: serde_json::from_value(claims.clone()).unwrap(), kid: "key-1".to_owned() }
    }

    fn token(claims: &Value) -> Token {
        Token::new(verified(claims), 0).unwrap()
    }

    fn claims() -> Value {
        json!({
            "iss": "i", "sub": "usr_1", "aud": "a", "exp": 100, "iat": 50, "jti": "t-1", "client_id": "acme.crm",
            "scope": "points:read", "tenants": ["tnt_1", "tnt_2"], "credential_id": "sec_1",
        })
    }

    fn revoked(text: &str, before: Option<i64>) -> Revoked {
        let mut revoked = Revoked::default();
        revoked.learn(&Entry { subject: keyward_crypto::feed::subject(text), before, until: 1_000 });
        revoked
    }

    #[test]
    fn each_of_its_subjects_revokes_a_token() {
        let token = token(&claims());
        for text in
            ["jti:t-1", "credential:sec_1", "client:acme.crm", "subject:usr_1", "key:key-1", "rights", "all"]
        {
            let outcome = |before| token.facts(&revoked(text, before)).map_err(|refusal| refusal.reason);
            assert_eq!(outcome(None), Err(Reason::TokenRevoked), "{text}");
            assert_eq!(outcome(Some(50_000)), Err(Reason::TokenRevoked), "{text}");
            assert!(outcome(Some(49_999)).is_ok(), "{text}");
        }
        for text in ["jti:t-2", "client:usr_1", "subject:acme.crm", "credential:t-1", "tenant:tnt_3"] {
            assert!(token.facts(&revoked(text, None)).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_token_loses_tenants_and_dies_with_the_last() {
        let token = token(&claims());
        let left = |texts: &[&str]| {
            let mut known = Revoked::default();
            for text in texts {
                known.learn(&Entry { subject: keyward_crypto::feed::subject(text), before: None, until: 9 });
            }
            token
                .facts(&known)
                .map(|facts| facts.tenants.unwrap().join(" "))
                .map_err(|refusal| refusal.reason)
        };
        assert_eq!(left(&[]), Ok("tnt_1 tnt_2".to_owned()));
        assert_eq!(left(&["tenant:tnt_1"]), Ok("tnt_2".to_owned()));
        assert_eq!(left(&["grant:acme.crm/tnt_2"]), Ok("tnt_1".to_owned()));
        assert_eq!(left(&["grant:other/tnt_2"]), Ok("tnt_1 tnt_2".to_owned()));
        assert_eq!(left(&["grant:acme.crm/tnt_2", "tenant:tnt_1"]), Err(Reason::TokenRevoked));
    }

    #[test]
    fn a_token_without_tenants_has_none_to_lose() {
        let mut platform = claims();
        platform.as_object_mut().unwrap().remove("tenants");
        assert_eq!(token(&platform).facts(&revoked("tenant:tnt_1", None)).unwrap().tenants, None);
        platform["tenants"] = json!([]);
        assert_eq!(token(&platform).facts(&Revoked::default()).unwrap().tenants, Some(Vec::new()));
    }

    #[test]
    fn the_moment_is_that_of_keywards_jti() {
        let mut own = claims();
        own["jti"] = json!("01m86n6k4wf2p88ntrd6tq40hy");
        let issued = issued_ms("01m86n6k4wf2p88ntrd6tq40hy").unwrap();
        let token = token(&own);
        assert!(token.facts(&revoked("all", Some(issued))).is_err());
        assert!(token.facts(&revoked("all", Some(issued - 1))).is_ok());
    }

    #[test]
    fn permissions_of_other_issuers_need_not_be_ours() {
        let scopes = |scope: &str| {
            let mut other = claims();
            other["scope"] = json!(scope);
            Token::new(verified(&other), 0).map(|token| token.scopes.to_string())
        };
        let long = "x".repeat(MAX_SCOPE_LEN + 1);
        assert_eq!(scopes(&format!("b {long} a")), Ok("a b".to_owned()));
        assert_eq!(scopes(""), Ok(String::new()));
        assert_eq!(scopes("a\"b"), Err(TokenError::MalformedClaims));
    }
}
