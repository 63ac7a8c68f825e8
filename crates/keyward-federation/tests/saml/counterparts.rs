//! A whole sign-in with an identity provider that shares no code with Keyward.

use keyward_core::{Answer, Trip};
use keyward_federation::saml::Saml;
use keyward_model::SeededRandom;
use serde_json::{Value, json};

use crate::support::{IDP, PRESENT, at, configured, node, response, sign_all, signature, upstream};

const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

/// samlify reads our request and metadata; what it answers is read by us, with the metadata that it gives of itself.
#[test]
fn samlify_signs_people_in() {
    for (sign, format, name_id) in [
        ("assertion", EMAIL, "bob@example.com"),
        ("message", PERSISTENT, "9f1-x"),
        ("both", PERSISTENT, "Ünï <&>"),
    ] {
        for fresh in [false, true] {
            let upstream = upstream();
            let state = "c3RhdGUgb2YgdGhlIHRyaXA";
            let random = SeededRandom::new(7);
            let now = at("2026-11-24T12:00:00Z");
            let trip = Trip { state, login_hint: None, fresh, now, random: &random };
            let departure = Saml.depart(&upstream, &trip).unwrap();
            let answer = node(
                "samlify-idp.mjs",
                &json!({
                    "location": departure.location,
                    "metadata": Saml.metadata(&upstream).unwrap().unwrap(),
                    "entityId": IDP,
                    "key": PRESENT.key,
                    "certificate": PRESENT.certificate,
                    "sign": sign,
                    "format": format,
                    "user": {"nameId": name_id, "mail": "bob@example.com", "displayName": "Bob <Builder>"},
                }),
            );
            assert_eq!(answer["relayState"], state);
            let read = answer["request"].as_str().unwrap();
            assert_eq!(read.contains("ForceAuthn=\"true\""), fresh, "{read}");
            let arrive = |upstream| {
                let form_field = Answer::Saml(answer["response"].as_str().unwrap().to_owned());
                let now = at(answer["now"].as_str().unwrap());
                Saml.arrive(upstream, &departure.remembered, &form_field, now)
            };
            let arrival = arrive(&upstream).unwrap();
            assert_eq!(arrival.subject, name_id);
            assert_eq!(arrival.email.as_deref(), Some("bob@example.com"));
            assert_eq!(arrival.name.as_deref(), Some("Bob <Builder>"));
            assert_eq!(arrival.claims["mail"], json!(["bob@example.com"]));
            assert!(!arrival.email_verified);
            let by_metadata = configured(&json!({"metadata": answer["metadata"]}));
            assert_eq!(arrive(&by_metadata).unwrap(), arrival);
        }
    }
}

/// Every algorithm that is accepted, with the kinds of keys that providers have, and the canonicalization of each.
#[test]
fn xml_crypto_signs_with_every_algorithm() {
    use crate::support::{NEXT, arrive};
    let more = "http://www.w3.org/2001/04/xmldsig-more#";
    let encryption = "http://www.w3.org/2001/04/xmlenc#";
    let cases = [
        (&PRESENT.key, "rsa-sha256", format!("{encryption}sha256")),
        (&PRESENT.key, "rsa-sha384", format!("{more}sha384")),
        (&PRESENT.key, "rsa-sha512", format!("{encryption}sha512")),
        (&NEXT.key, "ecdsa-sha256", format!("{encryption}sha256")),
        (&NEXT.key, "ecdsa-sha384", format!("{more}sha384")),
    ];
    let mut jobs = Vec::new();
    for (key, algorithm, digest) in cases {
        for inclusive in [json!([]), json!(["xs"]), json!(["xs", "saml", "unknown"])] {
            for ids in [&["_assertion"][..], &["_response"], &["_assertion", "_response"]] {
                let how = |id: &&str| {
                    let mut how = signature(id);
                    how["key"] = json!(key);
                    how["algorithm"] = json!(format!("{more}{algorithm}"));
                    how["digest"] = json!(digest);
                    how["inclusive"] = inclusive.clone();
                    how["keyInfo"] = json!(PRESENT.certificate);
                    how
                };
                jobs.push((awkward(), ids.iter().map(how).collect::<Vec<Value>>()));
            }
        }
    }
    for signed in &sign_all(&jobs) {
        let arrival = arrive(signed).unwrap_or_else(|error| panic!("{error}\n{signed}"));
        assert_eq!(arrival.claims["groups"], json!(["<é\u{1F511}>", "\r", "\"'&\t\n"]));
    }
}

/// What canonicalization has rules for: default namespaces, order of attributes, characters that need escaping, CDATA.
fn awkward() -> String {
    let value = |text: &str| format!("<saml:AttributeValue>{text}</saml:AttributeValue>");
    let groups = format!(
        "<saml:Attribute zz=\"&#9;&quot;&lt;&gt;'&#10;&#13;\" Name='groups' xmlns='urn:x' xmlns:b='urn:b' xmlns:a='urn:c' \
         b:k='1' a:k='2' aa='' >{}{}{}<Other xmlns:samlp='urn:other'><samlp:deep xmlns=''><saml:x/></samlp:deep></Other>\
         </saml:Attribute>",
        value("<![CDATA[<é]]>&#x1F511;&gt;"),
        value("&#13;"),
        value("\"'&amp;\t\n"),
    );
    let good = response();
    let (start, rest) = good.split_once("<saml:Attribute Name=\"groups\">").unwrap();
    let (_, end) = rest.split_once("</saml:Attribute>").unwrap();
    format!("{start}{groups}{end}")
}
