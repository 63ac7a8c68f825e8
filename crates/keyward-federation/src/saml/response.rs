//! The envelope: from a form field to one signed assertion.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_core::{Answer, Arrival, FederationError, Upstream};
use keyward_model::Timestamp;
use roxmltree::Node;

use super::{
    assertion::{self, Expected},
    request::Remembered,
    settings::Settings,
    signature,
    xml::{self, ASSERTION, PROTOCOL, SIGNATURE, children, is, only, text},
};

/// Of the base64, before it is decoded.
const MAX_BYTES: usize = 256 * 1024;
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const STEP: &str = "response";

/// Who came back.
pub(super) fn arrive(
    upstream: &Upstream,
    remembered: &str,
    answer: &Answer,
    now: Timestamp,
) -> Result<Arrival, FederationError> {
    let Answer::Saml(encoded) = answer else {
        return Err(malformed("This is not a SAML response."));
    };
    let remembered: Remembered = serde_json::from_str(remembered).map_err(|_| {
        FederationError::new(STEP, "unsolicited", "No request of ours belongs to this response.")
    })?;
    if remembered.provider != upstream.id {
        let detail = "The request was made to another provider than the one that answers.";
        return Err(FederationError::new(STEP, "wrong_provider", detail));
    }
    let settings = Settings::of(upstream)?;
    let expected = Expected {
        issuer: settings.entity_id()?,
        audience: &upstream.entity_id,
        consumer: &upstream.return_url,
        request: &remembered.request,
        fresh: remembered.fresh,
        now,
    };
    let certificates = settings.certificates()?;

    let text = decoded(encoded)?;
    let document =
        xml::message(&text).map_err(|error| FederationError::new(STEP, "unsafe_xml", error.to_string()))?;
    let response = document.root_element();
    envelope(response, &expected)?;
    let assertion = only_assertion(response)?;
    let signed = signature::signed(response, assertion, &certificates, now)?;
    assertion::read(signed, &expected)
}

/// Base64 of UTF-8, possibly broken into lines.
fn decoded(encoded: &str) -> Result<String, FederationError> {
    if encoded.len() > MAX_BYTES {
        return Err(FederationError::new(STEP, "too_large", "The response is larger than 256 KiB."));
    }
    let bytes = STANDARD
        .decode(encoded.replace(xml::is_space, ""))
        .map_err(|_| malformed("The response is not base64."))?;
    String::from_utf8(bytes).map_err(|_| malformed("The response is not UTF-8."))
}

/// The envelope may be unsigned, so these checks only ever refuse: nothing that is kept comes from it.
fn envelope(response: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), FederationError> {
    if !is(response, PROTOCOL, "Response") || response.attribute("Version") != Some("2.0") {
        return Err(malformed("This is not a response of SAML 2.0."));
    }
    if response.attribute("Destination").is_some_and(|destination| destination != expected.consumer) {
        let detail = format!("The response's Destination is not {}.", expected.consumer);
        return Err(FederationError::new(STEP, "wrong_destination", detail));
    }
    if response.attribute("InResponseTo") != Some(expected.request) {
        let detail = "The response does not answer the request that was made (InResponseTo). \
                      Sign-in must start at Keyward, not at the provider.";
        return Err(FederationError::new(STEP, "unsolicited", detail));
    }
    let mut issuers = children(response, ASSERTION, "Issuer");
    if let Some(issuer) = issuers.next() {
        assertion::is_issuer(issuer, expected, STEP)?;
    }
    if issuers.next().is_some() {
        return Err(malformed("The response has more than one Issuer."));
    }
    let known = |child: Node<'_, '_>| {
        let protocol = ["Extensions", "Status"].iter().any(|name| is(child, PROTOCOL, name));
        let content =
            ["Issuer", "Assertion", "EncryptedAssertion"].iter().any(|name| is(child, ASSERTION, name));
        protocol || content || is(child, SIGNATURE, "Signature")
    };
    if !response.children().filter(Node::is_element).all(known) {
        return Err(malformed("The response holds something that does not belong there."));
    }
    status(response)
}

fn status(response: Node<'_, '_>) -> Result<(), FederationError> {
    let status = only(response, PROTOCOL, "Status");
    let code = status.and_then(|status| only(status, PROTOCOL, "StatusCode"));
    let (Some(status), Some(code)) = (status, code) else {
        return Err(malformed("The response has no Status."));
    };
    if code.attribute("Value") == Some(SUCCESS) {
        return Ok(());
    }
    let short = |value: &str| value.rsplit(':').next().unwrap_or_default().to_owned();
    let nested = only(code, PROTOCOL, "StatusCode");
    let codes =
        [Some(code), nested].into_iter().flatten().filter_map(|code| code.attribute("Value")).map(short);
    let message = only(status, PROTOCOL, "StatusMessage").and_then(text).unwrap_or_default();
    let said = codes.chain([message]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let printable: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    let detail = format!("The provider refused: {printable}");
    Err(FederationError::new("status", "refused_by_provider", detail))
}

/// The one assertion, which stands directly in the response. One that hides anywhere else makes the response invalid.
fn only_assertion<'a, 'i>(response: Node<'a, 'i>) -> Result<Node<'a, 'i>, FederationError> {
    let encrypted = ["EncryptedAssertion", "EncryptedID", "EncryptedAttribute", "NewEncryptedID"];
    if response.descendants().any(|node| encrypted.iter().any(|name| is(node, ASSERTION, name))) {
        let detail = "The assertion is encrypted, which is not supported. Turn encryption off at the provider: \
                      the response travels by HTTPS.";
        return Err(FederationError::new(STEP, "encrypted", detail));
    }
    let messages = response.descendants().filter(|node| is(*node, PROTOCOL, "Response")).count();
    let assertions = response.descendants().filter(|node| is(*node, ASSERTION, "Assertion")).count();
    only(response, ASSERTION, "Assertion")
        .filter(|_| messages == 1 && assertions == 1)
        .ok_or_else(|| malformed("The response must hold exactly one assertion."))
}

fn malformed(detail: &str) -> FederationError {
    FederationError::new(STEP, "malformed", detail)
}
