//! What leaves, and what administrators give: requests, metadata, certificates.

use std::io::Read as _;

use keyward_core::{CheckedStep, Departure, Trip};
use keyward_federation::saml::Saml;
use keyward_model::SeededRandom;
use openssl::nid::Nid;
use serde_json::{Value, json};

use crate::support::{
    GOOD, IDP, NEXT, NOW, PRESENT, SP, arrive_at, at, bare, configured, ec, pair, rsa, upstream,
};

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

fn depart(upstream: &keyward_core::Upstream, seed: i64, fresh: bool) -> Departure {
    let random = SeededRandom::new(seed);
    let trip =
        Trip { state: "a+b/c=", login_hint: Some("a@b.example"), fresh, now: at(NOW), random: &random };
    Saml.depart(upstream, &trip).unwrap()
}

/// The request in an address, and the parameters around it.
fn request(location: &str) -> (Vec<(String, String)>, String) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let url = url::Url::parse(location).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let encoded = &pairs.iter().find(|(name, _)| name == "SAMLRequest").unwrap().1;
    let deflated = STANDARD.decode(encoded).unwrap();
    let mut xml = String::new();
    flate2::read::DeflateDecoder::new(&*deflated).read_to_string(&mut xml).unwrap();
    (pairs, xml)
}

#[test]
fn a_request_asks_for_what_an_answer_is_held_to() {
    let mut upstream = upstream();
    upstream.config.insert("sso_url".to_owned(), "https://idp.example/sso?tenant=a%20b&x='<\"".into());
    upstream.return_url = "https://login.example/acs?a=1&b=\"2'<".to_owned();
    upstream.entity_id = "urn:<&\"'>".to_owned();
    let departure = depart(&upstream, 1, false);
    let (pairs, xml) = request(&departure.location);
    assert_eq!(pairs[0], ("tenant".to_owned(), "a b".to_owned()));
    assert_eq!(
        pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["tenant", "x", "SAMLRequest", "RelayState"]
    );
    assert_eq!(pairs[3].1, "a+b/c=");

    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert!(root.has_tag_name((PROTOCOL, "AuthnRequest")));
    let id = root.attribute("ID").unwrap();
    assert!(id.len() == 41 && id.starts_with('_') && id[1..].bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(root.attribute("AssertionConsumerServiceURL"), Some(&*upstream.return_url));
    let destination = url::Url::parse(root.attribute("Destination").unwrap()).unwrap();
    assert_eq!(destination.as_str(), departure.location.split("&SAMLRequest=").next().unwrap());
    assert_eq!(root.attribute("IssueInstant"), Some("2026-11-24T12:00:00.000Z"));
    assert_eq!(root.attribute("ForceAuthn"), None);
    assert_eq!(root.first_element_child().unwrap().text(), Some(&*upstream.entity_id));
    let policy = root.last_element_child().unwrap();
    assert_eq!(policy.attribute("AllowCreate"), Some("true"));

    let remembered: Value = serde_json::from_str(&departure.remembered).unwrap();
    assert_eq!(remembered, json!({"request": id, "provider": "idp_1", "fresh": false}));
    let other = depart(&upstream, 2, true);
    let (_, xml) = request(&other.location);
    assert!(xml.contains(" ForceAuthn=\"true\""));
    assert!(!xml.contains(id) && !other.remembered.contains(id), "an identifier came twice");
}

#[test]
fn our_metadata_names_our_addresses() {
    let mut upstream = upstream();
    upstream.return_url = "https://login.example/?a&b".to_owned();
    let xml = Saml.metadata(&upstream).unwrap().unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("entityID"), Some(SP));
    let role = root.first_element_child().unwrap();
    assert_eq!(role.attribute("AuthnRequestsSigned"), Some("false"));
    assert_eq!(role.attribute("WantAssertionsSigned"), Some("true"));
    let consumer = role.last_element_child().unwrap();
    assert_eq!(consumer.attribute("Location"), Some("https://login.example/?a&b"));
    assert_eq!(consumer.attribute("Binding"), Some("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"));
}

/// Metadata of a provider with these certificates, as providers write it.
pub(crate) fn idp_metadata(certificates: &[&str]) -> String {
    let key = |certificate: &&str| {
        format!(
            "<KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
             <ds:X509Certificate>\n{certificate}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>"
        )
    };
    let keys: String = certificates.iter().map(key).collect();
    format!(
        "<?xml version=\"1.0\"?><!-- exported --><EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         entityID=\"{}\"><IDPSSODescriptor protocolSupportEnumeration=\"urn:x {PROTOCOL}\">{keys}\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://idp.example/post\"/>\
         <SingleSignOnService Binding=\"{REDIRECT}\" Location=\"https://idp.example/sso?x=1\"/>\
         </IDPSSODescriptor></EntityDescriptor>",
        IDP.replace('&', "&amp;"),
    )
}

fn check(config: &Value) -> Vec<CheckedStep> {
    Saml.check(&configured(config), at(NOW))
}

/// The last step's name and sentence; it must have failed, and those before it passed.
fn fault(config: &Value) -> (&'static str, String) {
    let mut steps = check(config);
    let last = steps.pop().unwrap();
    assert!(!last.passed && steps.iter().all(|step| step.passed), "{steps:?} {last:?}");
    (last.step, last.detail)
}

#[test]
fn metadata_is_all_that_must_be_given() {
    let (present, next) = (bare(&PRESENT.certificate), bare(&NEXT.certificate));
    let config = json!({"metadata": idp_metadata(&[&next, &present])});
    let steps = check(&config);
    assert!(steps.iter().all(|step| step.passed), "{steps:?}");
    let names: Vec<_> = steps.iter().map(|step| step.step).collect();
    assert_eq!(names, ["metadata", "entity_id", "sso_url", "certificate"]);
    assert_eq!(steps[1].detail, format!("The provider calls itself {IDP}."));
    assert!(steps[2].detail.contains("https://idp.example/sso?x=1"));
    let days = (at("2040-01-01T00:00:00Z").unix_seconds() - at(NOW).unix_seconds()) / 86_400;
    let sentence = format!("The certificate counts until 1 Jan 2040, {days} days from now.");
    assert_eq!(steps[3].detail, format!("{sentence} {sentence}"));
    // Both keys verify while one replaces the other; with the other alone the same message is refused.
    assert!(arrive_at(&configured(&config), &GOOD, at(NOW), false).is_ok());
    let other = configured(&json!({"metadata": idp_metadata(&[&next])}));
    assert_eq!(arrive_at(&other, &GOOD, at(NOW), false).unwrap_err().reason, "bad_signature");
    // A member of its own counts more.
    let pinned = configured(&json!({"metadata": idp_metadata(&[&next]), "certificate": PRESENT.certificate}));
    assert!(arrive_at(&pinned, &GOOD, at(NOW), false).is_ok());
}

#[test]
fn one_provider_among_several_entities_is_found() {
    let certificate = bare(&PRESENT.certificate);
    let whole = idp_metadata(&[&certificate]);
    let one = &whole[whole.find("<EntityDescriptor").unwrap()..];
    let service = "<EntityDescriptor entityID=\"urn:sp\"><SPSSODescriptor/></EntityDescriptor>";
    let group = |inside: &str| {
        json!({"metadata": format!(
            "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inside}</EntitiesDescriptor>"
        )})
    };
    assert!(check(&group(&format!("{service}{one}"))).iter().all(|step| step.passed));
    let (step, detail) = fault(&group(&format!("{one}{one}")));
    assert_eq!((step, detail.contains("more than one")), ("metadata", true), "{detail}");
    let (step, detail) = fault(&group(service));
    assert_eq!((step, detail.contains("no identity provider")), ("metadata", true), "{detail}");
}

#[test]
fn keys_for_encryption_and_addresses_for_post_are_not_taken() {
    let certificate = bare(&PRESENT.certificate);
    let metadata = idp_metadata(&[&certificate]);
    let without_use = metadata.replace(" use=\"signing\"", "");
    assert!(check(&json!({"metadata": without_use})).iter().all(|step| step.passed));
    let encryption = metadata.replace("use=\"signing\"", "use=\"encryption\"");
    assert_eq!(fault(&json!({"metadata": encryption})).0, "certificate");
    let post_only = metadata.replace(REDIRECT, "urn:x");
    let (step, detail) = fault(&json!({"metadata": post_only}));
    assert_eq!((step, detail.contains("HTTP-Redirect")), ("sso_url", true), "{detail}");
}

#[test]
fn faults_of_a_configuration_are_told() {
    let good = json!({"entity_id": IDP, "sso_url": "https://idp.example/sso", "certificate": bare(&PRESENT.certificate)});
    assert!(check(&good).iter().all(|step| step.passed), "bare base64 is a certificate, too");
    let with = |name: &str, value: &str| {
        let mut config = good.clone();
        config[name] = json!(value);
        fault(&config)
    };
    let certificate = |pair: crate::support::Pair| with("certificate", &pair.certificate);
    let (step, detail) = certificate(pair(&rsa(2_048), 2020, 2026));
    assert_eq!((step, detail.as_str()), ("certificate", "The certificate expired on 1 Jan 2026."));
    let (_, detail) = certificate(pair(&rsa(2_048), 2027, 2040));
    assert_eq!(detail, "The certificate counts only from 1 Jan 2027 on.");
    assert!(certificate(pair(&rsa(1_024), 2020, 2040)).1.contains("1024 bits"));
    assert!(certificate(pair(&ec(Nid::SECP256K1), 2020, 2040)).1.contains("curve"));
    for text in ["no certificate", "aGVsbG8=", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"] {
        assert_eq!(with("certificate", text).0, "certificate", "{text}");
    }
    for text in ["", "ftp://idp.example", "idp.example"] {
        assert_eq!(with("sso_url", text).0, "sso_url", "{text}");
    }
    assert_eq!(with("entity_id", " ").0, "entity_id");
    for text in ["x", "<a/>", "<!DOCTYPE a><a/>"] {
        assert_eq!(with("metadata", text).0, "metadata", "{text}");
    }
}

#[test]
fn a_certificate_that_ends_soon_is_told() {
    let config =
        json!({"entity_id": IDP, "sso_url": "http://idp.example/sso", "certificate": PRESENT.certificate});
    let steps = Saml.check(&configured(&config), at("2039-12-30T12:00:00Z"));
    let last = steps.last().unwrap();
    assert!(last.passed && last.detail.contains("1 day from now. Add the provider's next"), "{last:?}");
    assert!(steps[1].detail.contains("use https"), "{steps:?}");
}
