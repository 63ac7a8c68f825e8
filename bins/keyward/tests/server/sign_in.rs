//! How people sign in, in a real browser and through real identity providers.

use openssl::{asn1::Asn1Time, hash::MessageDigest, pkey::PKey, rsa::Rsa, x509::X509};

use crate::{
    clients::story,
    support::{Server, sqlite},
};

/// A key of a SAML provider and its certificate, in PEM.
fn pair() -> (String, String) {
    let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
    (text(key.private_key_to_pem_pkcs8().unwrap()), text(certificate.build().to_pem().unwrap()))
}

/// From the setup link to a revoked session: every step is one that a person sees.
#[test]
fn a_person_is_invited_enrolled_federated_and_revoked() {
    let database = sqlite();
    let server = Server::start_with(&database, &[("KEYWARD_OUTBOUND__ALLOW", "127.0.0.1/32")]);
    let (key, certificate) = pair();
    let (verified, out) = story(
        "sign-in.mjs",
        &database,
        &server,
        &[("PROVIDER_KEY", &key), ("PROVIDER_CERTIFICATE", &certificate)],
    );
    assert_eq!(verified, 17, "{out}");
}
