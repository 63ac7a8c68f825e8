//! The assertion: whether it counts, here and now (SAML profiles, section 4.1.4.3), and whom it is about.

use keyward_core::{Arrival, FederationError};
use keyward_model::Timestamp;
use roxmltree::Node;

use super::{
    attributes,
    signature::Signed,
    xml::{ASSERTION, children, identifier, is, is_space, only, text},
};

/// How far the provider's clock may be off, in seconds.
const SKEW_SECONDS: i64 = 60;
/// How long ago a person may have authenticated when they were to do it again.
const FRESH_SECONDS: i64 = 300;
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// SAML core, section 8.3.7: persistent identifiers have no more. Addresses don't, either.
const MAX_SUBJECT: usize = 256;

/// What must stand in an answer.
pub(super) struct Expected<'a> {
    /// The provider's entity ID.
    pub(super) issuer: &'a str,
    /// Ours.
    pub(super) audience: &'a str,
    /// Where the answer was to be sent, and arrived.
    pub(super) consumer: &'a str,
    /// The identifier of our request.
    pub(super) request: &'a str,
    /// Whether the person must have authenticated just now.
    pub(super) fresh: bool,
    /// The present moment.
    pub(super) now: Timestamp,
}

/// Reads who came back, from nothing but the signed element.
pub(super) fn read(signed: Signed<'_, '_>, expected: &Expected<'_>) -> Result<Arrival, FederationError> {
    let assertion = signed.node();
    let id = assertion.attribute("ID").unwrap_or_default();
    if id.is_empty() || assertion.attribute("Version") != Some("2.0") {
        return Err(malformed("assertion", "This is not an assertion of SAML 2.0."));
    }
    let issued = required(moment(assertion, "IssueInstant", "assertion")?, "assertion", "IssueInstant")?;
    if is_ahead(issued, expected.now) {
        return Err(not_yet("assertion", "The assertion was issued in the future."));
    }
    is_issuer(one(assertion, "Issuer", "assertion")?, expected, "assertion")?;
    let subject = one(assertion, "Subject", "subject")?;
    let (name_id, is_address) = name_id(subject)?;
    let confirmed_until = confirmation(subject, expected)?;
    conditions(one(assertion, "Conditions", "conditions")?, expected)?;
    authentication(one(assertion, "AuthnStatement", "session")?, expected)?;

    let claims = attributes::claims(assertion)?;
    let stated = is_address.then(|| name_id.clone());
    Ok(Arrival {
        email: stated.or_else(|| attributes::email(&claims)),
        email_verified: false,
        name: attributes::name(&claims),
        subject: name_id,
        claims,
        once: Some((id.to_owned(), confirmed_until.plus_seconds(SKEW_SECONDS))),
    })
}

/// Whether an `Issuer` is the configured provider.
pub(super) fn is_issuer(
    issuer: Node<'_, '_>,
    expected: &Expected<'_>,
    step: &'static str,
) -> Result<(), FederationError> {
    if identifier(issuer).as_deref() == Some(expected.issuer) {
        return Ok(());
    }
    let detail = format!("The {step}'s Issuer is not the configured entity ID, {}.", expected.issuer);
    Err(FederationError::new(step, "wrong_issuer", detail))
}

/// The person's identifier, and whether it is an address. It becomes the key of an account, so it must be one that stays.
fn name_id(subject: Node<'_, '_>) -> Result<(String, bool), FederationError> {
    let name_id = one(subject, "NameID", "subject")?;
    // Providers mix up the versions in these names: urn:oasis:names:tc:SAML:{1.1 or 2.0}:nameid-format:{kind}.
    let format = name_id.attribute("Format").unwrap_or_default();
    let named =
        format.strip_prefix("urn:oasis:names:tc:SAML:").and_then(|rest| rest.split_once(":nameid-format:"));
    let is_address = match named.map_or(format, |(_, kind)| kind) {
        "emailAddress" => true,
        "" | "unspecified" | "persistent" => false,
        "transient" => {
            let detail = "The NameID is transient: it is another one at every sign-in, so no account can be found by \
                          it. Set persistent, emailAddress or unspecified at the provider.";
            return Err(FederationError::new("subject", "unstable_identifier", detail));
        }
        _ => {
            let detail = "The NameID's format is not supported. \
                          Set persistent, emailAddress or unspecified at the provider.";
            return Err(FederationError::new("subject", "unstable_identifier", detail));
        }
    };
    let subject = text(name_id).unwrap_or_default();
    let fault = if subject.trim_matches(is_space).is_empty() {
        "The NameID is empty."
    } else if subject.len() > MAX_SUBJECT {
        "The NameID is longer than 256 bytes."
    } else if subject.trim() != subject || subject.chars().any(char::is_control) {
        "The NameID has white space around it or control characters in it."
    } else {
        return Ok((subject, is_address));
    };
    Err(malformed("subject", fault))
}

/// Until when one of the confirmations holds. Each is judged whole; the last one's fault is told.
fn confirmation(subject: Node<'_, '_>, expected: &Expected<'_>) -> Result<Timestamp, FederationError> {
    let mut fault = malformed("subject", "The subject has no confirmation of the bearer kind.");
    for confirmation in children(subject, ASSERTION, "SubjectConfirmation") {
        if confirmation.attribute("Method") != Some(BEARER) {
            continue;
        }
        match bearer(confirmation, expected) {
            Ok(until) => return Ok(until),
            Err(error) => fault = error,
        }
    }
    Err(fault)
}

fn bearer(confirmation: Node<'_, '_>, expected: &Expected<'_>) -> Result<Timestamp, FederationError> {
    let data = one(confirmation, "SubjectConfirmationData", "subject")?;
    if data.attribute("Recipient") != Some(expected.consumer) {
        let detail = format!("The assertion's Recipient is not {}.", expected.consumer);
        return Err(FederationError::new("subject", "wrong_recipient", detail));
    }
    if data.attribute("InResponseTo") != Some(expected.request) {
        let detail = "The assertion does not answer the request that was made (InResponseTo).";
        return Err(FederationError::new("subject", "unsolicited", detail));
    }
    if data.attribute("NotBefore").is_some() {
        return Err(malformed("subject", "The subject's confirmation has a NotBefore, which it must not."));
    }
    let until = required(moment(data, "NotOnOrAfter", "subject")?, "subject", "NotOnOrAfter")?;
    if is_over(until, expected.now) {
        return Err(expired("subject", "The time to use the assertion is over."));
    }
    Ok(until)
}

fn conditions(conditions: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), FederationError> {
    if moment(conditions, "NotBefore", "conditions")?.is_some_and(|from| is_ahead(from, expected.now)) {
        return Err(not_yet("conditions", "The assertion is not valid yet. Compare the clocks."));
    }
    if moment(conditions, "NotOnOrAfter", "conditions")?.is_some_and(|until| is_over(until, expected.now)) {
        return Err(expired("conditions", "The assertion has expired. Compare the clocks."));
    }
    let known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
    let mut all = conditions.children().filter(Node::is_element);
    if !all.all(|condition| known.iter().any(|name| is(condition, ASSERTION, name))) {
        return Err(malformed("conditions", "The assertion has a condition that is not known here."));
    }
    let mut restrictions = children(conditions, ASSERTION, "AudienceRestriction").peekable();
    let names_us = |restriction: Node<'_, '_>| {
        children(restriction, ASSERTION, "Audience")
            .any(|it| identifier(it).as_deref() == Some(expected.audience))
    };
    // Each of several restrictions must be met (SAML core, section 2.5.1.4).
    if restrictions.peek().is_none() || !restrictions.all(names_us) {
        let detail = format!("The assertion's audience is not {}.", expected.audience);
        return Err(FederationError::new("conditions", "wrong_audience", detail));
    }
    Ok(())
}

fn authentication(statement: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), FederationError> {
    let at = required(moment(statement, "AuthnInstant", "session")?, "session", "AuthnInstant")?;
    if is_ahead(at, expected.now) {
        return Err(not_yet("session", "The person authenticated in the future. Compare the clocks."));
    }
    if moment(statement, "SessionNotOnOrAfter", "session")?.is_some_and(|until| is_over(until, expected.now))
    {
        return Err(expired("session", "The person's session at the provider is over."));
    }
    if expected.fresh && at.plus_seconds(FRESH_SECONDS) < expected.now {
        let detail = "The person was to authenticate again, and the provider did not ask them.";
        return Err(FederationError::new("session", "stale_authentication", detail));
    }
    Ok(())
}

/// Not before `from`, within the skew.
fn is_ahead(from: Timestamp, now: Timestamp) -> bool {
    from > now.plus_seconds(SKEW_SECONDS)
}

/// Not on or after `until`, within the skew.
fn is_over(until: Timestamp, now: Timestamp) -> bool {
    until.plus_seconds(SKEW_SECONDS) <= now
}

fn moment(node: Node<'_, '_>, name: &str, step: &'static str) -> Result<Option<Timestamp>, FederationError> {
    let Some(text) = node.attribute(name) else { return Ok(None) };
    // A date alone is a moment to people, not to SAML (core, section 1.3.3).
    let parsed = Some(text).filter(|text| text.contains('T')).and_then(|text| Timestamp::parse(text).ok());
    parsed.map(Some).ok_or_else(|| malformed(step, format!("{name} is not a moment in UTC.")))
}

fn required<T>(value: Option<T>, step: &'static str, name: &str) -> Result<T, FederationError> {
    value.ok_or_else(|| malformed(step, format!("{name} is missing.")))
}

fn one<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'a str,
    step: &'static str,
) -> Result<Node<'a, 'i>, FederationError> {
    let inside = node.tag_name().name();
    only(node, ASSERTION, name).ok_or_else(|| malformed(step, format!("{inside} must hold one {name}.")))
}

fn malformed(step: &'static str, detail: impl Into<String>) -> FederationError {
    FederationError::new(step, "malformed", detail)
}

fn expired(step: &'static str, detail: &str) -> FederationError {
    FederationError::new(step, "expired", detail)
}

fn not_yet(step: &'static str, detail: &str) -> FederationError {
    FederationError::new(step, "not_yet_valid", detail)
}
