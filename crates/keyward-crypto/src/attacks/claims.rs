//! Claims that the issuer signed and that must not be accepted all the same: of other times, other APIs, other types.

use serde_json::{Value, json};

use super::{Defect, Maker, repeated, with, without};
use crate::jws::JwsError;

/// More than a century ahead, in seconds since the epoch, and a number beyond what 64 bits hold.
const FAR: i64 = 5_000_000_000;
const TOO_LARGE: u64 = 9_223_372_036_854_775_808;

pub(super) fn add(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    for (name, defect, claim, value) in values(maker.target.claims) {
        let payload = with(maker.target.claims, claim, value).to_string();
        add_payload(maker, defect, name, payload.as_bytes())?;
    }
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let payload = without(maker.target.claims, claim).to_string();
        add_payload(
            maker,
            Defect::Claims,
            &format!("{}-missing", claim.replace('_', "-")),
            payload.as_bytes(),
        )?;
    }
    payloads(maker)
}

fn add_payload(maker: &mut Maker<'_>, defect: Defect, name: &str, payload: &[u8]) -> Result<(), JwsError> {
    let token = maker.signed(&maker.header().to_string(), payload)?;
    maker.add(defect, name, token)
}

fn values(claims: &Value) -> Vec<(&'static str, Defect, &'static str, Value)> {
    use Defect::{Audience, Claims, Environment, Expiry, Issuer};
    let text = |claim: &str| claims[claim].as_str().unwrap_or_default().to_owned();
    let (iss, aud, sub) = (text("iss"), text("aud"), text("sub"));
    let number = |claim: &str| claims[claim].as_i64().unwrap_or_default();
    let (exp, iat) = (number("exp"), number("iat"));
    vec![
        ("iss-of-another", Issuer, "iss", json!("https://issuer.invalid")),
        ("iss-with-slash", Issuer, "iss", json!(format!("{iss}/"))),
        ("iss-upper-case", Issuer, "iss", json!(iss.to_uppercase())),
        ("iss-with-path", Issuer, "iss", json!(format!("{iss}/tenants/1"))),
        ("iss-empty", Issuer, "iss", json!("")),
        ("iss-array", Claims, "iss", json!([iss])),
        ("iss-null", Claims, "iss", json!(null)),
        ("aud-of-another", Audience, "aud", json!("https://api.invalid")),
        ("aud-of-the-client", Audience, "aud", json!(format!("{sub}.client"))),
        ("aud-with-path", Audience, "aud", json!(format!("{aud}/v2"))),
        ("aud-shortened", Audience, "aud", json!(aud.get(..aud.len().saturating_sub(1)))),
        ("aud-empty", Audience, "aud", json!("")),
        ("aud-empty-list", Audience, "aud", json!([])),
        ("aud-list-of-others", Audience, "aud", json!(["https://api.invalid", format!("{aud} ")])),
        ("aud-list-in-list", Claims, "aud", json!([[aud]])),
        ("aud-list-with-number", Claims, "aud", json!([aud, 1])),
        ("aud-object", Claims, "aud", json!({ aud: true })),
        ("aud-number", Claims, "aud", json!(1)),
        ("aud-null", Claims, "aud", json!(null)),
        ("exp-past", Expiry, "exp", json!(iat - 1_000)),
        ("exp-zero", Expiry, "exp", json!(0)),
        ("exp-negative", Expiry, "exp", json!(-exp)),
        ("exp-text", Claims, "exp", json!(exp.to_string())),
        ("exp-date", Claims, "exp", json!("2999-01-01T00:00:00Z")),
        ("exp-float", Claims, "exp", fraction(exp)),
        ("exp-beyond-64-bits", Claims, "exp", json!(TOO_LARGE)),
        ("exp-huge", Claims, "exp", json!(1e300)),
        ("exp-null", Claims, "exp", json!(null)),
        ("exp-true", Claims, "exp", json!(true)),
        ("exp-array", Claims, "exp", json!([exp])),
        ("nbf-ahead", Claims, "nbf", json!(FAR)),
        ("nbf-text", Claims, "nbf", json!(iat.to_string())),
        ("nbf-float", Claims, "nbf", fraction(iat)),
        ("nbf-huge", Claims, "nbf", json!(1e300)),
        ("nbf-null", Claims, "nbf", json!(null)),
        ("nbf-array", Claims, "nbf", json!([iat])),
        ("iat-ahead", Claims, "iat", json!(FAR)),
        ("iat-text", Claims, "iat", json!(iat.to_string())),
        ("iat-float", Claims, "iat", fraction(iat)),
        ("iat-huge", Claims, "iat", json!(1e300)),
        ("iat-null", Claims, "iat", json!(null)),
        ("sub-empty", Claims, "sub", json!("")),
        ("sub-null", Claims, "sub", json!(null)),
        ("sub-number", Claims, "sub", json!(1)),
        ("sub-array", Claims, "sub", json!([sub])),
        ("client-id-empty", Claims, "client_id", json!("")),
        ("client-id-null", Claims, "client_id", json!(null)),
        ("client-id-object", Claims, "client_id", json!({ "id": sub })),
        ("jti-empty", Claims, "jti", json!("")),
        ("jti-number", Claims, "jti", json!(1)),
        ("scope-null", Claims, "scope", json!(null)),
        ("scope-array", Claims, "scope", json!(["points:read"])),
        ("scope-object", Claims, "scope", json!({ "points:read": true })),
        ("tenants-null", Claims, "tenants", json!(null)),
        ("tenants-text", Claims, "tenants", json!("tnt_1")),
        ("tenants-numbers", Claims, "tenants", json!([1])),
        ("env-of-another", Environment, "env", json!("another-environment")),
        ("env-null", Claims, "env", json!(null)),
        ("env-array", Claims, "env", json!([claims["env"]])),
        ("credential-id-null", Claims, "credential_id", json!(null)),
    ]
}

/// Half a second more than whole ones.
fn fraction(seconds: i64) -> Value {
    serde_json::from_str(&format!("{seconds}.5")).unwrap_or_default()
}

fn payloads(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let claims = maker.target.claims;
    for (name, claim, other) in [
        ("repeated-iss", "iss", json!("https://issuer.invalid")),
        ("repeated-sub", "sub", json!("root")),
        ("repeated-aud", "aud", json!("https://api.invalid")),
        ("repeated-exp", "exp", json!(FAR)),
        ("repeated-scope", "scope", json!("admin:read admin:write")),
        ("repeated-jti", "jti", json!("another")),
    ] {
        for (place, behind) in [("behind", true), ("in-front", false)] {
            let payload = repeated(claims, claim, &other, behind);
            add_payload(maker, Defect::Claims, &format!("{name}-{place}"), payload.as_bytes())?;
        }
    }
    let text = maker.payload();
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let deep = with(claims, "sub", json!("deep")).to_string().replace("\"deep\"", &deep);
    let cases: [(&str, Vec<u8>); 9] = [
        ("payload-empty", Vec::new()),
        ("payload-no-json", b"sub=root".to_vec()),
        ("payload-array", format!("[{text}]").into_bytes()),
        ("payload-text", json!(text).to_string().into_bytes()),
        ("payload-null", b"null".to_vec()),
        ("payload-with-garbage-behind", format!("{text}x").into_bytes()),
        ("payload-twice", format!("{text}{text}").into_bytes()),
        ("payload-deep", deep.into_bytes()),
        ("payload-not-utf-8", text.replace("\"sub\":\"", "\"sub\":\"\u{1}").into_bytes()),
    ];
    for (name, payload) in cases {
        // A control character can't stand in JSON; here it becomes a byte that can't stand in UTF-8 either.
        let payload: Vec<u8> = payload.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
        add_payload(maker, Defect::Claims, name, &payload)?;
    }
    Ok(())
}
