//! The table of attacks. Each row has its control: a message that differs in the one defect alone, and is accepted.

mod contents;
mod signatures;
mod structures;

use keyward_core::Answer;
use keyward_federation::saml::Saml;
use serde_json::Value;

use crate::support::{GOOD, NOW, arrive, arrive_at, at, remembered, response, sign_all, signature, upstream};

/// A message in the making: changed, signed, and changed again.
struct Draft {
    xml: String,
    signatures: Vec<Value>,
    after: Option<fn(&str) -> String>,
}

/// One attack.
struct Row {
    name: &'static str,
    /// What the refusal must say.
    reason: &'static str,
    control: Draft,
    attack: Draft,
}

impl Draft {
    /// The good response, its assertion signed.
    fn good() -> Self {
        Self { xml: response(), signatures: vec![signature("_assertion")], after: None }
    }

    /// Changed before it is signed: the signature is right.
    fn changed(mut self, from: &str, to: &str) -> Self {
        assert!(self.xml.contains(from), "{from} is not there to be changed");
        self.xml = self.xml.replace(from, to);
        self
    }

    /// Signed in these places.
    fn signed(mut self, ids: &[&str]) -> Self {
        self.signatures = ids.iter().map(|id| signature(id)).collect();
        self
    }

    /// Signed in another way.
    fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        for signature in &mut self.signatures {
            signature[member] = value.clone();
        }
        self
    }

    /// Changed after it was signed.
    fn after(mut self, after: fn(&str) -> String) -> Self {
        self.after = Some(after);
        self
    }
}

/// The control is what was there before it was tampered with, or else the good response.
fn row(name: &'static str, reason: &'static str, attack: Draft) -> Row {
    let control = match attack.after {
        Some(_) => Draft { xml: attack.xml.clone(), signatures: attack.signatures.clone(), after: None },
        None => Draft::good(),
    };
    Row { name, reason, control, attack }
}

/// Right up to one value: with `good` in the place of `from` it passes, with `bad` it does not.
fn value(name: &'static str, reason: &'static str, from: &str, good: &str, bad: &str) -> Row {
    let changed = |to| Draft::good().changed(from, to);
    Row { name, reason, control: changed(good), attack: changed(bad) }
}

/// Replaces the first occurrence, which must be there.
fn first(xml: &str, from: &str, to: &str) -> String {
    assert!(xml.contains(from), "{from} is not there to be changed");
    xml.replacen(from, to, 1)
}

#[test]
fn every_attack_is_refused_and_its_control_is_not() {
    let mut rows = contents::rows();
    rows.extend(signatures::rows());
    rows.extend(structures::rows());
    assert!(rows.len() >= 140, "{} rows", rows.len());

    let drafts: Vec<_> = rows.iter().flat_map(|row| [&row.control, &row.attack]).collect();
    let jobs: Vec<_> = drafts.iter().map(|draft| (draft.xml.clone(), draft.signatures.clone())).collect();
    let signed = sign_all(&jobs);
    let messages: Vec<_> = drafts
        .iter()
        .zip(&signed)
        .map(|(draft, xml)| draft.after.map_or_else(|| xml.clone(), |after| after(xml)))
        .collect();
    for (row, pair) in rows.iter().zip(messages.chunks_exact(2)) {
        let name = row.name;
        assert_ne!(pair[0], pair[1], "{name}: the attack is its control");
        let control =
            arrive(&pair[0]).unwrap_or_else(|error| panic!("{name}: the control: {error}\n{}", pair[0]));
        assert_eq!(control.subject, "alice@example.com", "{name}: the control");
        match arrive(&pair[1]) {
            Ok(arrival) => panic!("{name}: accepted {}\n{}", arrival.subject, pair[1]),
            Err(error) => {
                assert_eq!(error.reason, row.reason, "{name}: {error}\n{}", pair[1]);
                let sentence = error.detail.ends_with(['.', '/']) || error.reason == "refused_by_provider";
                assert!(sentence || error.detail.contains("https://"), "{name}: {error}");
            }
        }
    }
}

/// What surrounds a message, and is not in it.
#[test]
fn an_answer_belongs_to_the_request_that_was_made() {
    let upstream = upstream();
    let ask = |remembered: &str, answer: Answer| Saml.arrive(&upstream, remembered, &answer, at(NOW));
    let encoded = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        |bytes: &[u8]| Answer::Saml(STANDARD.encode(bytes))
    };
    let good = || encoded(GOOD.as_bytes());
    let usual = remembered(false);
    assert!(ask(&usual, good()).is_ok(), "the control");
    let other_provider = usual.replace("idp_1", "idp_2");
    assert_eq!(ask(&other_provider, good()).unwrap_err().reason, "wrong_provider");
    assert_eq!(ask(&usual.replace("_request", "_other"), good()).unwrap_err().reason, "unsolicited");
    assert_eq!(ask("", good()).unwrap_err().reason, "unsolicited");
    assert_eq!(ask("{}", good()).unwrap_err().reason, "unsolicited");
    assert_eq!(ask(&usual, Answer::Oidc(Vec::new())).unwrap_err().reason, "malformed");
    assert_eq!(ask(&usual, Answer::Saml("no base64!".to_owned())).unwrap_err().reason, "malformed");
    assert_eq!(ask(&usual, encoded(b"<a>\xFF</a>")).unwrap_err().reason, "malformed");
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(ask(&usual, encoded(&utf16)).unwrap_err().reason, "unsafe_xml");
    // Space around the text is no fault, but counts against its size, as does everything before it is decoded.
    let Answer::Saml(text) = good() else { unreachable!() };
    let padded = |size: usize| Answer::Saml(format!("{text}{}", " ".repeat(size - text.len())));
    assert!(ask(&usual, padded(256 * 1024)).is_ok(), "the control");
    assert_eq!(ask(&usual, padded(256 * 1024 + 1)).unwrap_err().reason, "too_large");
}

/// The key of another provider does not count here, however good its signature is there.
#[test]
fn each_provider_has_its_own_keys_and_addresses() {
    let mut other = upstream();
    other.config.insert("certificate".to_owned(), crate::support::STRANGER.certificate.clone().into());
    assert_eq!(arrive_at(&other, &GOOD, at(NOW), false).unwrap_err().reason, "bad_signature");
    let mut other = upstream();
    other.return_url.push('x');
    assert_eq!(arrive_at(&other, &GOOD, at(NOW), false).unwrap_err().reason, "wrong_destination");
    let mut other = upstream();
    other.entity_id.push('x');
    assert_eq!(arrive_at(&other, &GOOD, at(NOW), false).unwrap_err().reason, "wrong_audience");
}

/// A refusal need not be signed. The provider's words reach the audit log as one printable line, if they are for us.
#[test]
fn the_providers_words_are_told() {
    let refusal = |words: &str| {
        let status = "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
        let refused = format!(
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></samlp:StatusCode>\
             <samlp:StatusMessage>{words}</samlp:StatusMessage>"
        );
        let xml = first(&response(), status, &refused);
        let (before, after) = xml.split_once("<saml:Assertion ").unwrap();
        let (_, after) = after.split_once("</saml:Assertion>").unwrap();
        format!("{before}{after}")
    };
    let error = arrive(&refusal("No&#10;access&#x9b;.")).unwrap_err();
    assert_eq!((error.step, error.reason), ("status", "refused_by_provider"));
    assert_eq!(error.detail, "The provider refused: Responder, AuthnFailed, No access .");
    assert!(arrive(&refusal(&"x".repeat(10_000))).unwrap_err().detail.len() < 600);
    let elsewhere = first(&refusal("x"), "InResponseTo=\"_request\"", "InResponseTo=\"_other\"");
    assert_eq!(arrive(&elsewhere).unwrap_err().reason, "unsolicited");
    let long_name = format!("<{}:x/>", "p".repeat(10_000));
    assert!(arrive(&long_name).unwrap_err().detail.len() < 300);
}
