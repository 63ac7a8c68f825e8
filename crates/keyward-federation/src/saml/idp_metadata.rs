//! The metadata of an identity provider (SAML metadata, section 2), as an administrator pasted it.

use roxmltree::Node;

use super::xml::{self, METADATA, PROTOCOL, SIGNATURE, children, is};

const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// What is needed of it. Its own signature is not verified: the administrator vouches for what they paste.
#[derive(Debug)]
pub(super) struct IdpMetadata {
    /// What the provider calls itself.
    pub(super) entity_id: String,
    /// Where requests go by HTTP-Redirect, if that is offered.
    pub(super) sso_url: Option<String>,
    /// Bare base64 of each certificate for signing: more than one while a key is being replaced.
    pub(super) certificates: Vec<String>,
}

impl IdpMetadata {
    /// Reads an `EntityDescriptor`, or an `EntitiesDescriptor` with one identity provider in it. The error is a sentence.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let document = xml::metadata(text).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if !is(root, METADATA, "EntityDescriptor") && !is(root, METADATA, "EntitiesDescriptor") {
            return Err("This is not SAML metadata: it has no EntityDescriptor.".to_owned());
        }
        let entities = root.descendants().filter(|node| is(*node, METADATA, "EntityDescriptor"));
        let mut found = entities.filter_map(|entity| Some((entity, provider_role(entity)?)));
        let (entity, role) =
            found.next().ok_or("The metadata has no identity provider for SAML 2.0 in it.")?;
        if found.next().is_some() {
            return Err("The metadata has more than one identity provider in it: paste the one.".to_owned());
        }
        let entity_id = entity.attribute("entityID").map(str::trim).filter(|id| !id.is_empty());
        let services = children(role, METADATA, "SingleSignOnService");
        let redirect = services.filter(|service| service.attribute("Binding") == Some(REDIRECT));
        Ok(Self {
            entity_id: entity_id.ok_or("The metadata has no entityID.")?.to_owned(),
            sso_url: redirect.filter_map(|service| service.attribute("Location")).map(str::to_owned).next(),
            certificates: signing_certificates(role)?,
        })
    }
}

fn provider_role<'a, 'i>(entity: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let speaks = |role: &Node<'_, '_>| {
        let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
        protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL)
    };
    children(entity, METADATA, "IDPSSODescriptor").find(speaks)
}

/// Keys without a use are for signing, too (section 2.4.1.1).
fn signing_certificates(role: Node<'_, '_>) -> Result<Vec<String>, String> {
    let keys = children(role, METADATA, "KeyDescriptor");
    let signing = keys.filter(|key| key.attribute("use").is_none_or(|usage| usage == "signing"));
    signing
        .flat_map(|key| children(key, SIGNATURE, "KeyInfo"))
        .flat_map(|info| children(info, SIGNATURE, "X509Data"))
        .flat_map(|data| children(data, SIGNATURE, "X509Certificate"))
        .map(|certificate| {
            xml::identifier(certificate)
                .ok_or_else(|| "A certificate in the metadata is not a text.".to_owned())
        })
        .collect()
}
