//! Keys that the token itself brings or names, other keys, and names of keys that are more than names.

use josekit::{
    jwk::{Jwk, alg::ec::EcCurve},
    jws::{ES256K, JwsSigner},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};

use super::{Defect, Maker, compact, sign, signing_input, with, without};
use crate::jws::JwsError;

pub(super) fn add(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    brought(maker)?;
    named(maker)?;
    let token = sign(&maker.stranger, &maker.header().to_string(), maker.payload().as_bytes())?;
    maker.add(Defect::Signature, "key-of-a-stranger-by-our-name", token)?;
    let own = maker.header_with("kid", json!(maker.stranger.kid())).to_string();
    let token = sign(&maker.stranger, &own, maker.payload().as_bytes())?;
    maker.add(Defect::Signature, "key-of-a-stranger", token)?;
    other_curves(maker)
}

/// A stranger signs and says where the key is. With a good signature the same header is harmless: nobody looks.
fn brought(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let jwk = maker.stranger.public_jwk().clone();
    let trap = json!(maker.target.trap);
    // No certificate at all, in the form of one.
    let chain = json!(["MIIBAzCBqgIBATAKBggqhkjOPQQDAjAAMB4XDTI2MDEwMTAwMDAwMFoXDTI3MDEwMTAwMDAwMFowADA="]);
    for (name, member, value) in [
        ("jwk-brought", "jwk", jwk),
        ("jku-to-a-listener", "jku", trap.clone()),
        ("x5u-to-a-listener", "x5u", trap.clone()),
        ("x5c-brought", "x5c", chain),
    ] {
        let header = maker.header_with(member, value);
        let payload = maker.payload();
        let control = maker.signed(&header.to_string(), payload.as_bytes())?;
        let token = sign(&maker.stranger, &header.to_string(), payload.as_bytes())?;
        maker.add_with(Defect::Signature, name, token, control);
        let named = with(&header, "kid", json!(maker.stranger.kid())).to_string();
        let token = sign(&maker.stranger, &named, payload.as_bytes())?;
        maker.add(Defect::Signature, format!("{name}-by-its-name"), token)?;
        let unnamed = without(&header, "kid").to_string();
        let token = sign(&maker.stranger, &unnamed, payload.as_bytes())?;
        maker.add(Defect::Signature, format!("{name}-without-kid"), token)?;
    }
    let header = maker.header_with("kid", trap).to_string();
    let token = sign(&maker.stranger, &header, maker.payload().as_bytes())?;
    maker.add(Defect::Signature, "kid-to-a-listener", token)
}

/// The issuer's signature under a name that is not the key's.
fn named(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let kid = maker.target.key.kid().to_owned();
    let swapped: String = kid
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let cases: [(&str, Value); 19] = [
        ("kid-null", json!(null)),
        ("kid-empty", json!("")),
        ("kid-number", json!(0)),
        ("kid-true", json!(true)),
        ("kid-array", json!([kid])),
        ("kid-object", json!({ "kid": kid })),
        ("kid-path", json!("../../../../../../dev/null")),
        ("kid-path-of-a-file", json!("/proc/sys/kernel/randomize_va_space")),
        ("kid-sql", json!("' UNION SELECT 'secret'; --")),
        ("kid-sql-true", json!(format!("{kid}' OR '1'='1"))),
        ("kid-command", json!(format!("{kid}|/usr/bin/id"))),
        ("kid-wildcard", json!("*")),
        ("kid-like", json!("%")),
        ("kid-with-nul", json!(format!("{kid}\0"))),
        ("kid-with-space", json!(format!("{kid} "))),
        ("kid-in-other-case", json!(swapped)),
        ("kid-shortened", json!(kid.get(..8))),
        ("kid-long", json!("k".repeat(40_000))),
        ("kid-of-another-key", json!(maker.target.other_kid)),
    ];
    for (name, value) in cases {
        maker.add_header(Defect::Header, name, &maker.header_with("kid", value))?;
    }
    maker.add_header(Defect::Header, "kid-missing", &without(&maker.header(), "kid"))
}

/// Good signatures by keys of other curves, under the name of the issuer's key.
fn other_curves(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let header = maker.header_with("alg", json!("ES384")).to_string();
    let signed = signing_input(&header, maker.payload().as_bytes());
    let (random, scheme) = (SystemRandom::new(), &ECDSA_P384_SHA384_FIXED_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(scheme, &random).map_err(|_| JwsError::BadKey)?;
    let pair = EcdsaKeyPair::from_pkcs8(scheme, document.as_ref(), &random).map_err(|_| JwsError::BadKey)?;
    let signature = pair.sign(&random, signed.as_bytes()).map_err(|_| JwsError::NotSigned)?;
    maker.add(Defect::Header, "es384", compact(&signed, signature.as_ref()))?;

    let jwk = Jwk::generate_ec_key(EcCurve::Secp256k1).map_err(|_| JwsError::BadKey)?;
    let signer = ES256K.signer_from_jwk(&jwk).map_err(|_| JwsError::BadKey)?;
    for (name, algorithm) in
        [("es256k", "ES256K"), ("es256k-as-our-own", maker.target.key.algorithm().as_str())]
    {
        let header = maker.header_with("alg", json!(algorithm)).to_string();
        let signed = signing_input(&header, maker.payload().as_bytes());
        let signature = signer.sign(signed.as_bytes()).map_err(|_| JwsError::NotSigned)?;
        let defect = if name == "es256k" { Defect::Header } else { Defect::Signature };
        maker.add(defect, name, compact(&signed, &signature))?;
    }
    Ok(())
}
