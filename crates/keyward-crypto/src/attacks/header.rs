//! Headers that ask for something else than the key's own algorithm, and other kinds of tokens.

use ring::hmac;
use serde_json::{Value, json};

use super::{Defect, Maker, compact, der, repeated, signing_input, with, without};
use crate::{
    feed::{Entry, Feed},
    jws::{Algorithm, JwsError},
};

pub(super) fn add(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    unsigned(maker)?;
    algorithms(maker)?;
    symmetric(maker)?;
    members(maker)?;
    types(maker)?;
    other_tokens(maker)
}

fn unsigned(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let words = [("lower", "none"), ("capital", "None"), ("upper", "NONE"), ("mixed", "nOnE")];
    for (name, word) in words {
        let header = maker.header_with("alg", json!(word)).to_string();
        let signed = signing_input(&header, maker.payload().as_bytes());
        maker.add(Defect::Header, format!("alg-none-{name}"), format!("{signed}."))?;
    }
    let header = maker.header_with("alg", json!("none"));
    maker.add_header(Defect::Header, "alg-none-with-signature", &header)?;
    let header = without(&header, "kid").to_string();
    let signed = signing_input(&header, maker.payload().as_bytes());
    maker.add(Defect::Header, "alg-none-without-kid", format!("{signed}."))
}

fn algorithms(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let own = maker.target.key.algorithm();
    for (name, value) in [
        ("alg-empty", json!("")),
        ("alg-null", json!(null)),
        ("alg-number", json!(1)),
        ("alg-array", json!([own.as_str()])),
        ("alg-object", json!({ own.as_str(): true })),
        ("alg-lower-case", json!(own.as_str().to_lowercase().replace("eddsa", "EDDSA"))),
        ("alg-with-space", json!(format!("{} ", own.as_str()))),
        ("alg-ps256", json!("PS256")),
        ("alg-rs512", json!("RS512")),
        ("alg-ed25519", json!("Ed25519ph")),
    ] {
        maker.add_header(Defect::Header, name, &maker.header_with("alg", value))?;
    }
    for other in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        if other != own {
            let name = format!("alg-of-another-key-{}", other.as_str().to_lowercase());
            maker.add_header(Defect::Header, &name, &maker.header_with("alg", json!(other.as_str())))?;
        }
    }
    maker.add_header(Defect::Header, "alg-missing", &without(&maker.header(), "alg"))
}

/// The public key, in whatever form a verifier may have it, as the secret of an HMAC.
fn symmetric(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let key = maker.target.key;
    let (pem, jwk) = (der::pem(key)?, key.public_jwk().to_string());
    for (name, algorithm, secret) in [
        ("hs256-pem", "HS256", pem.clone().into_bytes()),
        ("hs256-pem-without-line-end", "HS256", pem.trim().as_bytes().to_vec()),
        ("hs384-pem", "HS384", pem.clone().into_bytes()),
        ("hs512-pem", "HS512", pem.into_bytes()),
        ("hs256-key-bytes", "HS256", der::public_bytes(key)?),
        ("hs256-jwk", "HS256", jwk.into_bytes()),
        ("hs256-kid", "HS256", key.kid().as_bytes().to_vec()),
        ("hs256-empty", "HS256", Vec::new()),
    ] {
        let header = maker.header_with("alg", json!(algorithm)).to_string();
        let signed = signing_input(&header, maker.payload().as_bytes());
        let hash = match algorithm {
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        let tag = hmac::sign(&hmac::Key::new(hash, &secret), signed.as_bytes());
        maker.add(Defect::Header, name, compact(&signed, tag.as_ref()))?;
    }
    Ok(())
}

fn members(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    for (name, member, value) in [
        ("crit-of-a-claim", "crit", json!(["exp"])),
        ("crit-empty", "crit", json!([])),
        ("crit-null", "crit", json!(null)),
        ("crit-of-b64", "crit", json!(["b64"])),
        ("b64-false", "b64", json!(false)),
        ("b64-true", "b64", json!(true)),
        ("b64-null", "b64", json!(null)),
    ] {
        maker.add_header(Defect::Header, name, &maker.header_with(member, value))?;
    }
    let header = maker.header();
    for (name, member, other, behind) in [
        ("repeated-alg-behind", "alg", json!("none"), true),
        ("repeated-alg-in-front", "alg", json!("none"), false),
        ("repeated-alg-same", "alg", header["alg"].clone(), true),
        ("repeated-kid-behind", "kid", json!("other"), true),
        ("repeated-kid-in-front", "kid", json!("other"), false),
        ("repeated-typ-behind", "typ", json!("JWT"), true),
        ("repeated-typ-in-front", "typ", json!("JWT"), false),
    ] {
        let token = maker.signed(&repeated(&header, member, &other, behind), maker.payload().as_bytes())?;
        maker.add(Defect::Header, name, token)?;
    }
    let text = header.to_string();
    for (name, header) in [
        ("header-array", format!("[{text}]")),
        ("header-text", json!(text).to_string()),
        ("header-null", "null".to_owned()),
        ("header-no-json", "alg=none".to_owned()),
        ("header-behind-bom", format!("\u{feff}{text}")),
        ("header-with-garbage-behind", format!("{text}x")),
        ("header-twice", format!("{text}{text}")),
        ("header-deep", format!("{}{}", "[".repeat(2_000), "]".repeat(2_000))),
        ("header-empty", String::new()),
    ] {
        let token = maker.signed(&header, maker.payload().as_bytes())?;
        maker.add(Defect::Header, name, token)?;
    }
    Ok(())
}

fn types(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    for (name, typ) in [
        ("typ-jwt", "JWT"),
        ("typ-jwt-of-media", "application/jwt"),
        ("typ-empty", ""),
        ("typ-with-space", "at+jwt "),
        ("typ-with-parameter", "at+jwt; charset=utf-8"),
        ("typ-of-logout", "logout+jwt"),
        ("typ-of-event", "secevent+jwt"),
        ("typ-of-proof", "dpop+jwt"),
        ("typ-of-introspection", "token-introspection+jwt"),
        ("typ-of-feed", "revocations+jwt"),
    ] {
        maker.add_header(Defect::Type, name, &maker.header_with("typ", json!(typ)))?;
    }
    for (name, typ) in [("typ-null", json!(null)), ("typ-number", json!(1)), ("typ-array", json!(["at+jwt"]))]
    {
        maker.add_header(Defect::Header, name, &maker.header_with("typ", typ))?;
    }
    maker.add_header(Defect::Type, "typ-missing", &without(&maker.header(), "typ"))
}

/// Tokens that the issuer makes for other purposes, as near to an access token as they can be.
fn other_tokens(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let claims = maker.target.claims;
    let id_token = with(&with(claims, "aud", claims["client_id"].clone()), "nonce", json!("n-0S6_WzA2Mj"));
    let header = maker.header_with("typ", json!("JWT")).to_string();
    let token = maker.signed(&header, id_token.to_string().as_bytes())?;
    maker.add(Defect::Type, "id-token", token)?;
    let token =
        maker.signed(&without(&maker.header(), "typ").to_string(), id_token.to_string().as_bytes())?;
    maker.add(Defect::Type, "id-token-without-typ", token)?;

    let entry = Entry { subject: "q83vEjRWeJq83vEjRWeJqw".to_owned(), before: None, until: i64::MAX };
    let (iss, iat) = (claims["iss"].as_str().unwrap_or_default().to_owned(), 1);
    let feed = Feed { iss, iat, cursor: "1".to_owned(), revocations: vec![entry] };
    let token = feed.sign(maker.target.key).map_err(|_| JwsError::NotSigned)?;
    maker.add(Defect::Type, "revocation-feed", token)?;
    let mut both = claims.clone();
    if let (Some(members), Ok(Value::Object(of_feed))) = (both.as_object_mut(), serde_json::to_value(&feed)) {
        members.extend(of_feed);
    }
    let header = maker.header_with("typ", json!("revocations+jwt")).to_string();
    let token = maker.signed(&header, both.to_string().as_bytes())?;
    maker.add(Defect::Type, "revocation-feed-with-claims", token)
}
