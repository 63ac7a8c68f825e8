//! What leaves: the request for authentication, and Keyward's own metadata.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_core::{Departure, FederationError, Trip, Upstream};
use serde::{Deserialize, Serialize};

use super::{
    settings::Settings,
    xml::{ASSERTION, METADATA, PROTOCOL, escaped},
};

const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

/// What an answer is compared with.
#[derive(Serialize, Deserialize)]
pub(super) struct Remembered {
    /// The identifier of the request.
    pub(super) request: String,
    /// The provider that was asked.
    pub(super) provider: String,
    /// Whether the person had to authenticate again.
    pub(super) fresh: bool,
}

/// A request by the HTTP-Redirect binding (SAML bindings, section 3.4). It is not signed: the answer goes to an address
/// that the provider knows beforehand.
pub(super) fn depart(upstream: &Upstream, trip: &Trip<'_>) -> Result<Departure, FederationError> {
    let mut location = Settings::of(upstream)?.sso_url()?;
    let mut random = [0; 20];
    trip.random.fill(&mut random);
    let id = random.iter().fold("_".to_owned(), |id, byte| format!("{id}{byte:02x}"));

    let force = if trip.fresh { " ForceAuthn=\"true\"" } else { "" };
    let request = format!(
        "<samlp:AuthnRequest xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{id}\" Version=\"2.0\" \
         IssueInstant=\"{now}\" Destination=\"{destination}\"{force} ProtocolBinding=\"{POST}\" \
         AssertionConsumerServiceURL=\"{consumer}\"><saml:Issuer>{issuer}</saml:Issuer>\
         <samlp:NameIDPolicy Format=\"{UNSPECIFIED}\" AllowCreate=\"true\"/></samlp:AuthnRequest>",
        now = trip.now,
        destination = escaped(location.as_str()),
        consumer = escaped(&upstream.return_url),
        issuer = escaped(&upstream.entity_id),
    );
    let deflated = miniz_oxide::deflate::compress_to_vec(request.as_bytes(), 6);
    location
        .query_pairs_mut()
        .append_pair("SAMLRequest", &STANDARD.encode(deflated))
        .append_pair("RelayState", trip.state);

    let remembered = Remembered { request: id, provider: upstream.id.clone(), fresh: trip.fresh };
    let remembered = serde_json::to_string(&remembered)
        .map_err(|_| FederationError::new("request", "internal", "The request can't be remembered."))?;
    Ok(Departure { location: location.into(), remembered })
}

/// What the provider's side needs to know of Keyward (SAML metadata, section 2.4.4).
pub(super) fn metadata(upstream: &Upstream) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <md:EntityDescriptor xmlns:md=\"{METADATA}\" entityID=\"{entity}\">\n  \
         <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" \
         protocolSupportEnumeration=\"{PROTOCOL}\">\n    \
         <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>\n    \
         <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\n    \
         <md:NameIDFormat>{UNSPECIFIED}</md:NameIDFormat>\n    \
         <md:AssertionConsumerService Binding=\"{POST}\" Location=\"{consumer}\" index=\"0\" isDefault=\"true\"/>\n  \
         </md:SPSSODescriptor>\n\
         </md:EntityDescriptor>\n",
        entity = escaped(&upstream.entity_id),
        consumer = escaped(&upstream.return_url),
    )
}
