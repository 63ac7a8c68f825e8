//! XML signatures, in the one form that SAML providers use (SAML core, section 5): enveloped in the element that they
//! cover, which they name by its identifier.
//!
//! Whatever else XML signatures can do is refused before anything is computed. The keys are those of the pinned
//! certificates; a `KeyInfo` is not looked at.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_core::FederationError;
use keyward_model::Timestamp;
use openssl::hash::{MessageDigest, hash};
use roxmltree::Node;

use super::{
    c14n,
    certificate::{Certificate, KeyKind},
    xml::{SIGNATURE, is, is_space, text},
};

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Providers list one or two. Each is looked up for every element.
const MAX_LISTED: usize = 16;
const STEP: &str = "signature";

/// An assertion that a pinned key has signed: itself, or as a part of the response. Only this module makes one, and
/// what a person is comes from no other node.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a, 'i>(Node<'a, 'i>);

impl<'a, 'i> Signed<'a, 'i> {
    /// The element that is covered.
    pub(super) fn node(self) -> Node<'a, 'i> {
        self.0
    }
}

/// Verifies every signature there is. One at least must be there, on the response or on its one assertion.
pub(super) fn signed<'a, 'i>(
    response: Node<'a, 'i>,
    assertion: Node<'a, 'i>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Signed<'a, 'i>, FederationError> {
    unique_identifiers(response)?;
    let signatures: Vec<_> =
        response.descendants().filter(|node| is(*node, SIGNATURE, "Signature")).collect();
    let places: Vec<_> = signatures.iter().filter_map(Node::parent).map(|parent| parent.id()).collect();
    if places.iter().any(|place| ![response.id(), assertion.id()].contains(place)) {
        return Err(malformed("There is a signature where none belongs."));
    }
    match places.as_slice() {
        [] => {
            let detail = "Neither the response nor its assertion is signed. Turn signing on at the provider.";
            return Err(FederationError::new(STEP, "unsigned", detail));
        }
        [one, other] if one != other => {}
        [_] => {}
        _ => return Err(malformed("An element has more than one signature.")),
    }
    let current: Vec<_> = certificates.iter().filter(|certificate| certificate.is_in_date(now)).collect();
    if current.is_empty() {
        let detail = "No certificate of the provider is in date. Give its present one.";
        return Err(FederationError::new(STEP, "certificate_expired", detail));
    }
    for signature in signatures {
        let covers = signature.parent().ok_or_else(|| malformed("A signature stands alone."))?;
        verify(signature, covers, &current)?;
    }
    Ok(Signed(assertion))
}

/// No identifier may stand for two elements, under whichever of the usual names it is given.
fn unique_identifiers(response: Node<'_, '_>) -> Result<(), FederationError> {
    let mut seen = HashSet::new();
    for node in response.descendants() {
        for attribute in node.attributes() {
            let name = attribute.name();
            let names_element = name.eq_ignore_ascii_case("id") || name.eq_ignore_ascii_case("assertionid");
            if names_element && !seen.insert(attribute.value()) {
                return Err(malformed("Two elements have the same identifier."));
            }
        }
    }
    Ok(())
}

fn verify(
    signature: Node<'_, '_>,
    covers: Node<'_, '_>,
    certificates: &[&Certificate],
) -> Result<(), FederationError> {
    let [signed_info, value] = leading(signature, ["SignedInfo", "SignatureValue"], Some("KeyInfo"))?;
    let [canonicalization, method, reference] =
        leading(signed_info, ["CanonicalizationMethod", "SignatureMethod", "Reference"], None)?;
    let [transforms, digest_method, digest_value] =
        leading(reference, ["Transforms", "DigestMethod", "DigestValue"], None)?;
    let [enveloped, exclusive] = leading(transforms, ["Transform", "Transform"], None)?;

    let identifier = covers.attribute("ID").filter(|id| is_name(id));
    let named = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
    if identifier.is_none() || identifier != named {
        return Err(malformed("The signature does not name the element that it stands in."));
    }
    // The transform has no parameters; `xml-crypto` writes the next one's into it, which says nothing.
    let mut parameters = enveloped.children().filter(Node::is_element);
    let bare = parameters.all(|it| it.tag_name().name() == "InclusiveNamespaces" && !it.has_children());
    if enveloped.attribute("Algorithm") != Some(ENVELOPED) || !bare {
        return Err(malformed("The signature's first transform is not the enveloped signature."));
    }
    let digest = digest_of(digest_method)?;
    let (kind, hashed) = method_of(method)?;

    // First whether a pinned key says all this, then whether it is true: a stranger can't have much text canonicalized.
    let said = c14n::exclusive(signed_info, None, &canonicalized(canonicalization)?);
    let value = bytes(value)?;
    if !certificates.iter().any(|certificate| certificate.verifies(kind, hashed, said.as_bytes(), &value)) {
        let detail = "The signature was not made with the key of the configured certificate. \
                      Compare the certificate with the provider's present one.";
        return Err(FederationError::new(STEP, "bad_signature", detail));
    }
    let covered = c14n::exclusive(covers, Some(signature.id()), &canonicalized(exclusive)?);
    let computed =
        hash(digest, covered.as_bytes()).map_err(|_| malformed("The digest can't be computed."))?;
    if bytes(digest_value)? != computed.as_ref() {
        let detail = "What was signed is not what arrived: the message was changed on its way.";
        return Err(FederationError::new(STEP, "bad_signature", detail));
    }
    Ok(())
}

/// The child elements, which must be these and in this order, with at most one more of a name.
fn leading<'a, 'i, const N: usize>(
    node: Node<'a, 'i>,
    names: [&str; N],
    last: Option<&str>,
) -> Result<[Node<'a, 'i>; N], FederationError> {
    let mut elements: Vec<_> = node.children().filter(Node::is_element).collect();
    if elements.len() == N + 1 && last.is_some_and(|last| is(elements[N], SIGNATURE, last)) {
        elements.pop();
    }
    let elements = <[Node<'_, '_>; N]>::try_from(elements).ok();
    elements
        .filter(|elements| elements.iter().zip(names).all(|(element, name)| is(*element, SIGNATURE, name)))
        .ok_or_else(|| {
            let detail = format!(
                "The signature's {} must hold {} and nothing else.",
                node.tag_name().name(),
                names.join(", ")
            );
            malformed(detail)
        })
}

/// The prefixes that an exclusive canonicalization renders in any case. Any other canonicalization is refused.
fn canonicalized<'a>(method: Node<'a, '_>) -> Result<Vec<&'a str>, FederationError> {
    if method.attribute("Algorithm") != Some(EXCLUSIVE) {
        return Err(malformed(
            "The signature uses another canonicalization than Exclusive XML Canonicalization 1.0.",
        ));
    }
    let parameters: Vec<_> = method.children().filter(Node::is_element).collect();
    match parameters.as_slice() {
        [] => Ok(Vec::new()),
        [list] if is(*list, EXCLUSIVE, "InclusiveNamespaces") && !list.has_children() => {
            let prefixes = list.attribute("PrefixList").unwrap_or_default().split_ascii_whitespace();
            let prefixes: Vec<_> = prefixes.take(MAX_LISTED + 1).collect();
            if prefixes.len() > MAX_LISTED {
                return Err(malformed("The signature lists too many namespaces."));
            }
            Ok(prefixes)
        }
        _ => Err(malformed("The signature's canonicalization has unknown parameters.")),
    }
}

fn digest_of(method: Node<'_, '_>) -> Result<MessageDigest, FederationError> {
    match algorithm(method)? {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Ok(MessageDigest::sha256()),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Ok(MessageDigest::sha384()),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Ok(MessageDigest::sha512()),
        other => Err(weak("digest", other)),
    }
}

fn method_of(method: Node<'_, '_>) -> Result<(KeyKind, MessageDigest), FederationError> {
    let name = algorithm(method)?;
    Ok(match name.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#") {
        Some("rsa-sha256") => (KeyKind::Rsa, MessageDigest::sha256()),
        Some("rsa-sha384") => (KeyKind::Rsa, MessageDigest::sha384()),
        Some("rsa-sha512") => (KeyKind::Rsa, MessageDigest::sha512()),
        Some("ecdsa-sha256") => (KeyKind::Ec, MessageDigest::sha256()),
        Some("ecdsa-sha384") => (KeyKind::Ec, MessageDigest::sha384()),
        Some("ecdsa-sha512") => (KeyKind::Ec, MessageDigest::sha512()),
        _ => return Err(weak("signature", name)),
    })
}

/// The algorithm of a method, which must have no parameters.
fn algorithm<'a>(method: Node<'a, '_>) -> Result<&'a str, FederationError> {
    match method.attribute("Algorithm") {
        Some(algorithm) if !method.children().any(|child| child.is_element()) => Ok(algorithm),
        _ => Err(malformed("An algorithm of the signature is missing or has parameters.")),
    }
}

/// The bytes that an element's base64 stands for; it may be broken into lines.
fn bytes(node: Node<'_, '_>) -> Result<Vec<u8>, FederationError> {
    let text = text(node).map(|text| text.replace(is_space, ""));
    text.and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(|| malformed(format!("The signature's {} is not base64.", node.tag_name().name())))
}

/// What identifiers are made of here: ASCII letters, digits, `_`, `-` and `.`. Unlike `xs:ID`, a digit may come first, as
/// some providers have it.
fn is_name(id: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !id.is_empty() && id.chars().all(good) && id.len() <= 256
}

fn weak(what: &str, algorithm: &str) -> FederationError {
    let algorithm: String = algorithm.chars().filter(|c| !c.is_control()).take(120).collect();
    let detail = format!(
        "The signature's {what} algorithm is {algorithm}, which is not accepted. \
         Set RSA or ECDSA with SHA-256 at the provider."
    );
    FederationError::new(STEP, "weak_algorithm", detail)
}

fn malformed(detail: impl Into<String>) -> FederationError {
    FederationError::new(STEP, "malformed", detail)
}
