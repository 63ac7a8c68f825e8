//! Texts that are nearly a compact JWS. Who accepts them has two texts for one token, and a cache or a list of revoked
//! tokens knows but one.

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD},
    },
};
use serde_json::json;

use super::{Defect, Maker, signing_input};
use crate::jws::{JwsError, encode};

/// The characters of base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn add(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let good = maker.good()?;
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { return Err(JwsError::Malformed) };
    let flattened = json!({ "protected": header, "payload": payload, "signature": signature }).to_string();
    let general =
        json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] });
    for (name, token) in [
        ("form-empty", String::new()),
        ("form-two-dots", "..".to_owned()),
        ("form-one-part", header.to_owned()),
        ("form-two-parts", format!("{header}.{payload}")),
        ("form-without-signature", format!("{header}.{payload}.")),
        ("form-without-payload", format!("{header}..{signature}")),
        ("form-without-header", format!(".{payload}.{signature}")),
        ("form-dot-behind", format!("{good}.")),
        ("form-two-dots-behind", format!("{good}..")),
        ("form-dot-in-front", format!(".{good}")),
        ("form-four-parts", format!("{good}.{signature}")),
        ("form-five-parts", format!("{header}.{payload}.{payload}.{signature}.{signature}")),
        ("form-space-in-front", format!(" {good}")),
        ("form-space-behind", format!("{good} ")),
        ("form-space-inside", format!("{header}. {payload}.{signature}")),
        ("form-line-end-behind", format!("{good}\n")),
        ("form-line-end-inside", format!("{header}.\r\n{payload}.{signature}")),
        ("form-tab-inside", format!("{header}.{payload}.\t{signature}")),
        ("form-nul-behind", format!("{good}\0")),
        ("form-no-break-space-behind", format!("{good}\u{a0}")),
        ("form-padded-header", format!("{header}=.{payload}.{signature}")),
        ("form-padded-payload", format!("{header}.{payload}==.{signature}")),
        ("form-padded-signature", format!("{good}==")),
        ("form-percent", good.replace('.', "%2E")),
        ("form-quoted", format!("\"{good}\"")),
        ("form-twice", format!("{good},{good}")),
        ("form-behind-scheme", format!("Bearer {good}")),
        ("form-of-json-flattened", flattened),
        ("form-of-json-general", general.to_string()),
        ("form-encoded-again", encode(&good)),
        ("form-behind-parameters", format!("{good}?x=1")),
        ("form-fullwidth-dots", good.replace('.', "\u{ff0e}")),
    ] {
        maker.add_with(Defect::Form, name, token, good.clone());
    }
    for (name, at) in [("header", 0), ("payload", 1), ("signature", 2)] {
        if let Some(other) = not_canonical(parts[at]) {
            let mut changed = parts.clone();
            changed[at] = &other;
            // Header and payload are signed as text, so that there the signature is at fault.
            let token = changed.join(".");
            maker.add_with(Defect::Form, format!("form-{name}-not-canonical"), token, good.clone());
        }
    }
    let long = format!("{header}.{}.{signature}", payload.repeat(70_000 / payload.len() + 1));
    maker.add_with(Defect::Form, "form-long", long, good.clone());
    alphabet_of_mail(maker)
}

/// The same bytes by other characters: the last one has bits that count for nothing.
fn not_canonical(part: &str) -> Option<String> {
    let (most, last) = part.split_at_checked(part.len().checked_sub(1)?)?;
    let spare: usize = match part.len() % 4 {
        2 => 15,
        3 => 3,
        _ => return None,
    };
    let value = ALPHABET.iter().position(|known| last.as_bytes() == [*known])?;
    // The bits of a good encoding are zero.
    let other = format!("{most}{}", char::from(ALPHABET[value | spare]));
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let read = |text: &str| GeneralPurpose::new(&alphabet::URL_SAFE, lenient).decode(text).ok();
    (read(&other) == read(part) && other != part).then_some(other)
}

/// The whole token in the alphabet of mail, with `+` and `/`, signed as such.
fn alphabet_of_mail(maker: &mut Maker<'_>) -> Result<(), JwsError> {
    let header = maker.header().to_string();
    // A payload in whose encoding both characters occur.
    let payload = super::with(maker.target.claims, "x", json!("~~~???>>>ÿÿÿ~~~???")).to_string();
    let signed = format!("{}.{}", STANDARD_NO_PAD.encode(&header), STANDARD_NO_PAD.encode(&payload));
    let signature = maker.target.key.sign(signed.as_bytes())?;
    let token = format!("{signed}.{}", encode(signature));
    let own = signing_input(&header, payload.as_bytes());
    let control = super::compact(&own, &maker.target.key.sign(own.as_bytes())?);
    maker.add_with(Defect::Form, "form-alphabet-of-mail", token, control);
    Ok(())
}
