//! Messages that the provider really signed, but not for us, not for now, or not of a kind that counts.

use super::{Draft, Row, row, value};
use crate::support::{ACS, SP};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = addressed();
    rows.extend(timed());
    rows.extend(subjects());
    rows.extend(incomplete());
    rows
}

/// For another recipient, or by another issuer.
fn addressed() -> Vec<Row> {
    let destination = format!("Destination=\"{ACS}\"");
    let recipient = format!("Recipient=\"{ACS}\"");
    let audience = format!("<saml:Audience>{SP}</saml:Audience>");
    let issuer = "https://idp.example/saml?a=1&amp;b=2</saml:Issuer>";
    let on_response = format!("{issuer}<samlp:Status>");
    let on_assertion = format!("{issuer}\n");
    let in_response_to = "ID=\"_response\" Version=\"2.0\"";
    let answers = "InResponseTo=\"_request\"";
    let response_answers = format!("{answers}><saml:Issuer>");
    let subject_answers = format!("{answers}/>");
    vec![
        value("wrong destination", "wrong_destination", &destination, "", "Destination=\"https://evil.example/\""),
        value("destination with a slash more", "wrong_destination", &destination, "", &format!("Destination=\"{ACS}/\"")),
        value("wrong recipient", "wrong_recipient", &recipient, &recipient.replace('"', "'"), "Recipient=\"https://evil.example/\""),
        value("no recipient", "wrong_recipient", &recipient, &format!(" {recipient}"), ""),
        value(
            "wrong audience",
            "wrong_audience",
            &audience,
            &format!("<saml:Audience>\n{SP} </saml:Audience>"),
            "<saml:Audience>https://other.example</saml:Audience>",
        ),
        value(
            "audience that ours begins with",
            "wrong_audience",
            &audience,
            &format!("<saml:Audience>https://login.example</saml:Audience>{audience}"),
            "<saml:Audience>https://login.example</saml:Audience>",
        ),
        value(
            "two restrictions, one for others",
            "wrong_audience",
            "</saml:AudienceRestriction>",
            &format!("</saml:AudienceRestriction><saml:AudienceRestriction>{audience}</saml:AudienceRestriction>"),
            "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>",
        ),
        value("audience without a restriction", "wrong_audience", &audience, &format!(" {audience}"), ""),
        value("response by another issuer", "wrong_issuer", &on_response, &format!(" {on_response}"), "x</saml:Issuer><samlp:Status>"),
        value("assertion by another issuer", "wrong_issuer", &on_assertion, &format!(" {on_assertion}"), "x</saml:Issuer>\n"),
        value("empty issuer", "wrong_issuer", "https://idp.example/saml?a=1&amp;b=2", "https://idp.example/saml?a=1&#38;b=2", ""),
        value("response to another request", "unsolicited", &response_answers, &format!(" {response_answers}"), "InResponseTo=\"_x\"><saml:Issuer>"),
        value("response to no request", "unsolicited", &response_answers, &format!(" {response_answers}"), "><saml:Issuer>"),
        value("assertion for another request", "unsolicited", &subject_answers, &format!(" {subject_answers}"), "InResponseTo=\"_x\"/>"),
        value("assertion for no request", "unsolicited", &subject_answers, &format!(" {subject_answers}"), "/>"),
        value("SAML 1.1 response", "malformed", in_response_to, "ID=\"_response\" Version='2.0'", "ID=\"_response\" Version=\"1.1\""),
        row(
            "the provider refused",
            "refused_by_provider",
            Draft::good().changed("status:Success", "status:Responder"),
        ),
        row("success inside of a refusal", "refused_by_provider", Draft::good().changed(
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>",
            "<samlp:StatusCode Value=\"urn:x\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>\
             </samlp:StatusCode>",
        )),
    ]
}

/// Too early or too late; each control is the last moment that passes.
fn timed() -> Vec<Row> {
    let used = "NotOnOrAfter=\"2026-11-24T12:05:00Z\"";
    let from = "NotBefore=\"2026-11-24T11:59:00Z\"";
    let until = "NotOnOrAfter=\"2026-11-24T12:10:00Z\"";
    let instant = "AuthnInstant=\"2026-11-24T11:59:50Z\"";
    let session = "SessionNotOnOrAfter=\"2026-11-24T20:00:00Z\"";
    let issued = "ID=\"_assertion\" Version=\"2.0\" IssueInstant=\"2026-11-24T11:59:58Z\"";
    let issue = |at: &str| format!("ID=\"_assertion\" Version=\"2.0\" IssueInstant=\"{at}\"");
    let moment = |name: &str, at: &str| format!("{name}=\"2026-11-24T{at}Z\"");
    let row = |name, reason, from: &str, good: (&str, &str), bad: (&str, &str)| {
        value(name, reason, from, &moment(good.0, good.1), &moment(bad.0, bad.1))
    };
    let late = "NotOnOrAfter";
    vec![
        row("confirmation over", "expired", used, (late, "11:59:00.001"), (late, "11:59:00")),
        row("conditions over", "expired", until, (late, "11:59:00.001"), (late, "11:59:00")),
        row(
            "conditions ahead",
            "not_yet_valid",
            from,
            ("NotBefore", "12:01:00"),
            ("NotBefore", "12:01:00.001"),
        ),
        row(
            "authenticated in the future",
            "not_yet_valid",
            instant,
            ("AuthnInstant", "12:01:00"),
            ("AuthnInstant", "12:01:01"),
        ),
        row(
            "session over",
            "expired",
            session,
            ("SessionNotOnOrAfter", "11:59:01"),
            ("SessionNotOnOrAfter", "11:59:00"),
        ),
        value(
            "issued in the future",
            "not_yet_valid",
            issued,
            &issue("2026-11-24T12:01:00Z"),
            &issue("2026-11-24T12:01:01Z"),
        ),
        value("confirmation without an end", "malformed", used, &format!(" {used}"), ""),
        value(
            "confirmation with a beginning",
            "malformed",
            used,
            &format!(" {used}"),
            &format!("{from} {used}"),
        ),
        value("a date alone", "malformed", until, &format!(" {until}"), "NotOnOrAfter=\"2026-12-24\""),
        value(
            "no time zone",
            "malformed",
            until,
            "NotOnOrAfter=\"2026-11-24T12:10:00+00:00\"",
            "NotOnOrAfter=\"2026-11-24T12:10:00\"",
        ),
        value("no moment at all", "malformed", until, "", "NotOnOrAfter=\"\""),
    ]
}

/// Subjects that can't be the key to an account.
fn subjects() -> Vec<Row> {
    let name = ">alice@example.com</saml:NameID>";
    let format = "SAML:1.1:nameid-format:emailAddress\"";
    let persistent = "SAML:2.0:nameid-format:persistent\"";
    let bearer = "cm:bearer\"";
    vec![
        value(
            "empty NameID",
            "malformed",
            name,
            "><![CDATA[alice@example.com]]></saml:NameID>",
            "></saml:NameID>",
        ),
        value("blank NameID", "malformed", name, &format!(" {name}"), "> \n</saml:NameID>"),
        value(
            "NameID with space",
            "malformed",
            name,
            &format!(" {name}"),
            ">alice@example.com </saml:NameID>",
        ),
        value(
            "NameID with a control character",
            "malformed",
            name,
            &format!(" {name}"),
            ">alice&#x85;x</saml:NameID>",
        ),
        value(
            "element in a NameID",
            "malformed",
            name,
            &format!(" {name}"),
            ">alice<x/>@example.com</saml:NameID>",
        ),
        value(
            "long NameID",
            "malformed",
            name,
            &format!(" {name}"),
            &format!(">{}</saml:NameID>", "a".repeat(257)),
        ),
        value(
            "transient NameID",
            "unstable_identifier",
            format,
            persistent,
            "SAML:2.0:nameid-format:transient\"",
        ),
        value(
            "unknown NameID",
            "unstable_identifier",
            format,
            "SAML:1.1:nameid-format:unspecified\"",
            "SAML:2.0:nameid-format:kerberos\"",
        ),
        value("holder of key", "malformed", bearer, "cm:bearer\" x=\"\"", "cm:holder-of-key\""),
        row("encrypted NameID", "encrypted", Draft::good().changed("saml:NameID", "saml:EncryptedID")),
    ]
}

/// What must be there, and once.
fn incomplete() -> Vec<Row> {
    let without = |name, from: &str, to: &str| row(name, "malformed", Draft::good().changed(from, to));
    let statement = "<saml:AuthnStatement AuthnInstant=\"2026-11-24T11:59:50Z\"/><saml:AuthnStatement ";
    vec![
        without("no AuthnStatement", "saml:AuthnStatement", "saml:Other"),
        without("two AuthnStatements", "<saml:AuthnStatement ", statement),
        without("no conditions", "saml:Conditions", "saml:Other"),
        without("two conditions", "</saml:Conditions>", "</saml:Conditions><saml:Conditions/>"),
        without(
            "unknown condition",
            "</saml:AudienceRestriction>",
            "</saml:AudienceRestriction><saml:Condition/>",
        ),
        without("no subject", "saml:Subject>", "saml:Other>"),
        without("two subjects", "</saml:Subject>", "</saml:Subject><saml:Subject/>"),
        without(
            "two NameIDs",
            "</saml:NameID>",
            "</saml:NameID><saml:NameID>admin@example.com</saml:NameID>",
        ),
        without("no status", "samlp:Status>", "samlp:Extensions>"),
        without(
            "SAML 1.1 assertion",
            "ID=\"_assertion\" Version=\"2.0\"",
            "ID=\"_assertion\" Version=\"1.1\"",
        ),
        without("attribute without a name", "Name=\"groups\"", "Name=\"\""),
        without(
            "two issuers of the response",
            "<samlp:Status>",
            "<saml:Issuer>https://idp.example/saml?a=1&amp;b=2</saml:Issuer><samlp:Status>",
        ),
        without("foreign element in the response", "<samlp:Status>", "<x/><samlp:Status>"),
    ]
}
