//! Signatures that are none.

use serde_json::json;

use super::{Defect, Maker, compact, der, signing_input, with};
use crate::jws::{Algorithm, JwsError, encode};

/// The order of the group of P-256 (SEC 2 section 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

pub(super) fn add(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let signed = signing_input(&maker.header().to_string(), maker.payload().as_bytes());
    let signature = maker.target.key.sign(signed.as_bytes())?;
    let len = signature.len();
    let half = |last: u8| [&[0; 31][..], &[last]].concat();
    let mut flipped = signature.clone();
    flipped[len / 2] ^= 1;
    let mut cases = vec![
        ("signature-zero", vec![0; len]),
        ("signature-of-ones", vec![0xff; len]),
        ("signature-one", [half(1), half(1)].concat()),
        ("signature-order", [ORDER, ORDER].concat()),
        ("signature-order-and-zero", [ORDER, [0; 32]].concat()),
        ("signature-empty", Vec::new()),
        ("signature-shortened", signature[..len - 1].to_vec()),
        ("signature-half", signature[..len / 2].to_vec()),
        ("signature-extended", [&signature[..], &[0]].concat()),
        ("signature-twice", [&signature[..], &signature[..]].concat()),
        ("signature-behind-zero", [&[0], &signature[..]].concat()),
        ("signature-flipped", flipped),
        ("signature-backwards", signature.iter().rev().copied().collect()),
    ];
    if maker.target.key.algorithm() == Algorithm::Es256 {
        cases.push(("signature-der", der::signature(&signature)));
    }
    for (name, forged) in cases {
        let control = compact(&signed, &signature);
        maker.add_with(Defect::Signature, name, compact(&signed, &forged), control);
    }
    changed(maker, &encode(&signature))
}

/// What was signed is changed, and the signature kept.
fn changed(maker: &mut Maker<'_>, kept: &str) -> Result<(), JwsError> {
    let claims = maker.target.claims;
    let header = maker.header().to_string();
    for (name, member, value) in [
        ("payload-changed-subject", "sub", json!("root")),
        ("payload-changed-scope", "scope", json!("admin:read admin:write")),
        ("payload-changed-expiry", "exp", json!(4_000_000_000_i64)),
        ("payload-changed-tenants", "tenants", json!(["tnt_other"])),
    ] {
        let signed = signing_input(&header, with(claims, member, value).to_string().as_bytes());
        maker.add(Defect::Signature, name, format!("{signed}.{kept}"))?;
    }
    let spaced = signing_input(&format!("{header} "), maker.payload().as_bytes());
    maker.add(Defect::Signature, "header-changed-by-a-space", format!("{spaced}.{kept}"))?;
    // A signature of the same key over something else.
    let other = maker.target.key.sign_compact("JWT", b"{}")?;
    let of_other = other.rsplit('.').next().unwrap_or_default();
    let signed = signing_input(&header, maker.payload().as_bytes());
    maker.add(Defect::Signature, "signature-of-another-token", format!("{signed}.{of_other}"))
}
