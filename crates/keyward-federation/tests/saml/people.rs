//! What is read of a person when all is well.

use keyward_core::Answer;
use keyward_federation::saml::Saml;
use serde_json::json;

use crate::support::{
    GOOD, GOOD_TWICE, NOW, STRANGER, arrive, arrive_at, at, configured, pair, response, rsa, sign_all,
    signature, upstream,
};

#[test]
fn a_good_response_says_who_came_back() {
    let arrival = arrive(&GOOD).unwrap();
    assert_eq!(arrival.subject, "alice@example.com");
    assert_eq!(arrival.email.as_deref(), Some("alice@example.com"));
    assert_eq!(arrival.name.as_deref(), Some("Alice & Co."));
    assert_eq!(json!(arrival.claims), json!({"displayName": ["Alice & Co."], "groups": ["staff", "admins"]}));
    assert!(!arrival.email_verified);
    // The confirmation's end and the skew: when the assertion could no longer be used anyhow.
    assert_eq!(arrival.once, Some(("_assertion".to_owned(), at("2026-11-24T12:06:00Z"))));
    assert_eq!(arrive(&GOOD_TWICE).unwrap(), arrival);
    // A replay is the same to us, and has the same mark for the caller to find.
    assert_eq!(arrive_at(&upstream(), &GOOD, at("2026-11-24T12:04:00Z"), false).unwrap().once, arrival.once);
}

/// Signs a changed response and reads it.
fn with(changes: &[(&str, &str)]) -> keyward_core::Arrival {
    let mut xml = response();
    for (from, to) in changes {
        assert!(xml.contains(from), "{from} is not there to be changed");
        xml = xml.replace(from, to);
    }
    arrive(&sign_all(&[(xml, vec![signature("_assertion")])])[0]).unwrap()
}

const PERSISTENT: (&str, &str) = ("1.1:nameid-format:emailAddress", "2.0:nameid-format:persistent");
const DISPLAY: &str = r#"<saml:Attribute Name="displayName"><saml:AttributeValue xsi:type="xs:string">Alice &amp; Co.</saml:AttributeValue></saml:Attribute>"#;

fn attributes(list: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| {
        let value = format!("<saml:AttributeValue>{value}</saml:AttributeValue>");
        format!("<saml:Attribute Name=\"{name}\">{value}</saml:Attribute>")
    };
    list.iter().map(one).collect()
}

#[test]
fn addresses_and_names_are_found_under_their_usual_names() {
    for name in ["mail", "email", "urn:oid:0.9.2342.19200300.100.1.3"] {
        let mail = attributes(&[(name, "a@b.example")]);
        let arrival = with(&[PERSISTENT, (DISPLAY, &mail)]);
        assert_eq!(arrival.email.as_deref(), Some("a@b.example"), "{name}");
        assert_eq!(arrival.name, None);
    }
    let claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
    let entra = attributes(&[
        (&format!("{claims}/emailaddress"), "a@b.example"),
        (&format!("{claims}/givenname"), "Ada"),
        (&format!("{claims}/surname"), "Byron"),
    ]);
    let arrival = with(&[PERSISTENT, (DISPLAY, &entra)]);
    assert_eq!(arrival.email.as_deref(), Some("a@b.example"));
    assert_eq!(arrival.name.as_deref(), Some("Ada Byron"));
    // What is no address is none.
    let arrival = with(&[PERSISTENT, (DISPLAY, &attributes(&[("mail", "ada"), ("cn", "Ada B.")]))]);
    assert_eq!((arrival.email, arrival.name.as_deref()), (None, Some("Ada B.")));
}

#[test]
fn attributes_are_lists_of_texts() {
    let twice = attributes(&[("a", "1"), ("b", "2"), ("a", "3")]);
    let with_element = "<saml:Attribute Name=\"c\"><saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue>\
                        <saml:AttributeValue/></saml:Attribute>";
    let arrival = with(&[(DISPLAY, &format!("{twice}{with_element}"))]);
    assert_eq!(arrival.claims["a"], json!(["1", "3"]));
    assert_eq!(arrival.claims["c"], json!([""]));
    // Somebody without attributes is somebody, too.
    let xml = response();
    let start = xml.find("<saml:AttributeStatement>").unwrap();
    let end = xml.find("</saml:Assertion>").unwrap();
    let arrival = with(&[(&xml[start..end], "")]);
    assert!(arrival.claims.is_empty());
}

#[test]
fn a_second_confirmation_or_audience_may_be_ours() {
    let other = "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\"/>\
                 <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
                 <saml:SubjectConfirmationData Recipient=\"https://other.example\"/></saml:SubjectConfirmation>\
                 <saml:SubjectConfirmation ";
    with(&[("<saml:SubjectConfirmation ", other)]);
    with(&[("<saml:Audience>", "<saml:Audience>https://other.example</saml:Audience><saml:Audience>")]);
}

#[test]
fn a_person_who_must_authenticate_again_has_done_so() {
    let fresh = |instant: &str| {
        let xml = response().replace("2026-11-24T11:59:50Z", instant);
        let signed = sign_all(&[(xml, vec![signature("_assertion")])]);
        arrive_at(&upstream(), &signed[0], at(NOW), true)
    };
    assert!(fresh("2026-11-24T11:55:00Z").is_ok());
    assert_eq!(fresh("2026-11-24T11:54:59Z").unwrap_err().reason, "stale_authentication");
}

#[test]
fn certificates_count_while_they_are_in_date() {
    let old = pair(&rsa(2_048), 2020, 2026);
    let mut by_old = signature("_assertion");
    by_old["key"] = json!(old.key);
    let signed = sign_all(&[(response(), vec![by_old])]);
    let with = |certificates: String| {
        configured(
            &json!({"entity_id": crate::support::IDP, "sso_url": "https://x.example", "certificate": certificates}),
        )
    };
    let alone = arrive_at(&with(old.certificate.clone()), &signed[0], at(NOW), false).unwrap_err();
    assert_eq!((alone.step, alone.reason), ("signature", "certificate_expired"));
    let both = with(format!("{}{}", old.certificate, STRANGER.certificate));
    assert_eq!(arrive_at(&both, &signed[0], at(NOW), false).unwrap_err().reason, "bad_signature");
}

#[test]
fn lines_in_the_form_field_are_no_fault() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded = STANDARD.encode(&*GOOD);
    let lines: Vec<_> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let answer = Answer::Saml(lines.join("\r\n"));
    let remembered = crate::support::remembered(false);
    assert!(Saml.arrive(&upstream(), &remembered, &answer, at(NOW)).is_ok());
}

/// As some providers write groups, each with its namespaces; the limits are made for this.
#[test]
fn somebody_may_be_in_a_thousand_groups() {
    let group = |i: usize| {
        let namespaces = "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
                          xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
        format!("<saml:AttributeValue {namespaces} xsi:type=\"xs:string\">group {i}</saml:AttributeValue>")
    };
    let groups: String = (0..1_000).map(group).collect();
    let arrival = with(&[(DISPLAY, &format!("<saml:Attribute Name=\"many\">{groups}</saml:Attribute>"))]);
    assert_eq!(arrival.claims["many"].as_array().unwrap().len(), 1_000);
    assert_eq!(arrival.claims["many"][999], "group 999");
}
