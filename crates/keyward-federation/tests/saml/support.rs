//! Keys, messages, and the signer.

use std::{
    env,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_core::{Answer, Arrival, FederationError, Upstream};
use keyward_federation::saml::Saml;
use keyward_model::{ProviderKind, Timestamp};
use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    x509::{X509, X509NameBuilder},
};
use serde_json::{Value, json};

pub(crate) const IDP: &str = "https://idp.example/saml?a=1&b=2";
pub(crate) const SP: &str = "https://login.example/sign-in/saml/idp_1/metadata";
pub(crate) const ACS: &str = "https://login.example/sign-in/callback/idp_1";
pub(crate) const REQUEST: &str = "_request";
/// When the messages below arrive.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

/// A key and its certificate, in PEM.
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) certificate: String,
}

/// The provider's present key, its next one, and a stranger's.
pub(crate) static PRESENT: LazyLock<Pair> = LazyLock::new(|| pair(&rsa(2_048), 2020, 2040));
pub(crate) static NEXT: LazyLock<Pair> = LazyLock::new(|| pair(&ec(Nid::X9_62_PRIME256V1), 2020, 2040));
pub(crate) static STRANGER: LazyLock<Pair> = LazyLock::new(|| pair(&rsa(2_048), 2020, 2040));

pub(crate) fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

pub(crate) fn ec(curve: Nid) -> PKey<Private> {
    PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(curve).unwrap()).unwrap()).unwrap()
}

/// A certificate by itself, good from the first day of one year to the first of another.
pub(crate) fn pair(key: &PKey<Private>, from: i32, until: i32) -> Pair {
    let day = |year| Asn1Time::from_str(&format!("{year}0101000000Z")).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "idp.example").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_not_before(&day(from)).unwrap();
    certificate.set_not_after(&day(until)).unwrap();
    certificate.set_pubkey(key).unwrap();
    certificate.sign(key, MessageDigest::sha256()).unwrap();
    let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
    Pair {
        certificate: text(certificate.build().to_pem().unwrap()),
        key: text(key.private_key_to_pem_pkcs8().unwrap()),
    }
}

/// Bare base64, as it stands in metadata.
pub(crate) fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The provider, with its present and its next certificate.
pub(crate) fn upstream() -> Upstream {
    let certificates = format!("{}{}", PRESENT.certificate, NEXT.certificate);
    configured(&json!({"entity_id": IDP, "sso_url": "https://idp.example/sso", "certificate": certificates}))
}

pub(crate) fn configured(config: &Value) -> Upstream {
    Upstream {
        id: "idp_1".to_owned(),
        kind: ProviderKind::Saml,
        config: config.as_object().unwrap().clone(),
        client_secret: None,
        return_url: ACS.to_owned(),
        entity_id: SP.to_owned(),
    }
}

pub(crate) fn remembered(fresh: bool) -> String {
    json!({"request": REQUEST, "provider": "idp_1", "fresh": fresh}).to_string()
}

/// What comes of a message, to this provider and now.
pub(crate) fn arrive(xml: &str) -> Result<Arrival, FederationError> {
    arrive_at(&upstream(), xml, at(NOW), false)
}

pub(crate) fn arrive_at(
    upstream: &Upstream,
    xml: &str,
    now: Timestamp,
    fresh: bool,
) -> Result<Arrival, FederationError> {
    Saml.arrive(upstream, &remembered(fresh), &Answer::Saml(STANDARD.encode(xml)), now)
}

/// A good response, unsigned.
pub(crate) fn response() -> String {
    format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response" Version="2.0" IssueInstant="2026-11-24T11:59:58Z" Destination="{ACS}" InResponseTo="{REQUEST}"><saml:Issuer>{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_assertion" Version="2.0" IssueInstant="2026-11-24T11:59:58Z">
  <saml:Issuer>{issuer}</saml:Issuer>
  <saml:Subject>
    <saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-11-24T12:05:00Z" Recipient="{ACS}" InResponseTo="{REQUEST}"/></saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="2026-11-24T11:59:00Z" NotOnOrAfter="2026-11-24T12:10:00Z"><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
  <saml:AuthnStatement AuthnInstant="2026-11-24T11:59:50Z" SessionIndex="_session" SessionNotOnOrAfter="2026-11-24T20:00:00Z"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
  <saml:AttributeStatement>
    <saml:Attribute Name="displayName"><saml:AttributeValue xsi:type="xs:string">Alice &amp; Co.</saml:AttributeValue></saml:Attribute>
    <saml:Attribute Name="groups"><saml:AttributeValue xsi:type="xs:string">staff</saml:AttributeValue><saml:AttributeValue xsi:type="xs:string">admins</saml:AttributeValue></saml:Attribute>
  </saml:AttributeStatement>
</saml:Assertion></samlp:Response>"#,
        issuer = IDP.replace('&', "&amp;"),
    )
}

pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// How to sign: the members that `saml-signer.mjs` reads.
pub(crate) fn signature(id: &str) -> Value {
    json!({
        "id": id,
        "key": PRESENT.key,
        "algorithm": RSA_SHA256,
        "digest": "http://www.w3.org/2001/04/xmlenc#sha256",
        "canonicalization": EXCLUSIVE,
        "transforms": [ENVELOPED, EXCLUSIVE],
        "inclusive": [],
        "also": [],
    })
}

/// Signs each message, in one run of the signer.
pub(crate) fn sign_all(jobs: &[(String, Vec<Value>)]) -> Vec<String> {
    let jobs: Vec<_> =
        jobs.iter().map(|(xml, signatures)| json!({"xml": xml, "signatures": signatures})).collect();
    serde_json::from_value(node("saml-signer.mjs", &Value::Array(jobs))).unwrap()
}

/// The good response, its assertion signed.
pub(crate) static GOOD: LazyLock<String> =
    LazyLock::new(|| sign_all(&[(response(), vec![signature("_assertion")])]).remove(0));

/// The good response, signed as a whole and in its assertion.
pub(crate) static GOOD_TWICE: LazyLock<String> = LazyLock::new(|| {
    sign_all(&[(response(), vec![signature("_assertion"), signature("_response")])]).remove(0)
});

/// Runs a script of the clients' folder: JSON in, JSON out.
pub(crate) fn node(script: &str, input: &Value) -> Value {
    let folder = env::var_os("KEYWARD_TEST_NODE_DIR")
        .expect("KEYWARD_TEST_NODE_DIR is not set: run this test by scripts/test");
    let mut child = Command::new("node")
        .arg(PathBuf::from(folder).join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
