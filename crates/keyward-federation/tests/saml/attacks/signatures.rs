//! Signatures of the wrong key, of the wrong kind, or over something else.

use serde_json::json;

use super::{Draft, Row, first, row};
use crate::support::{ENVELOPED, EXCLUSIVE, NEXT, PRESENT, STRANGER};

const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = keys();
    rows.extend(algorithms());
    rows.extend(transforms());
    rows.extend(references());
    rows
}

fn keys() -> Vec<Row> {
    let by = |name, control: Draft, attack: Draft| Row { name, reason: "bad_signature", control, attack };
    let stranger = || Draft::good().with("key", STRANGER.key.clone());
    vec![
        Row {
            name: "unsigned",
            reason: "unsigned",
            control: Draft::good(),
            attack: Draft::good().signed(&[]),
        },
        row("signature stripped", "unsigned", Draft::good().after(without_signatures)),
        by("another key", Draft::good().with("key", PRESENT.key.clone()), stranger()),
        by(
            "another key, its certificate sent along",
            Draft::good().with("keyInfo", PRESENT.certificate.clone()),
            stranger().with("keyInfo", STRANGER.certificate.clone()),
        ),
        by(
            "another key, our certificate sent along",
            Draft::good().with("keyInfo", PRESENT.certificate.clone()),
            stranger().with("keyInfo", PRESENT.certificate.clone()),
        ),
        row(
            "changed after it was signed",
            "bad_signature",
            Draft::good().after(|xml| first(xml, "alice@", "admin@")),
        ),
        row(
            "attribute changed",
            "bad_signature",
            Draft::good().after(|xml| first(xml, ">staff<", ">owner<")),
        ),
        row(
            "response changed, which alone is signed",
            "bad_signature",
            Draft::good().signed(&["_response"]).after(|xml| first(xml, "alice@", "admin@")),
        ),
        row(
            "one of two signatures is wrong",
            "bad_signature",
            Draft::good()
                .signed(&["_assertion", "_response"])
                .after(|xml| first(xml, "ID=\"_response\"", "ID=\"_response\" Consent=\"x\"")),
        ),
        row(
            "signature value changed",
            "bad_signature",
            Draft::good().after(|xml| {
                let (before, value) = xml.split_once("<ds:SignatureValue>").unwrap();
                let flipped = if value.starts_with('A') { "B" } else { "A" };
                format!("{before}<ds:SignatureValue>{flipped}{}", &value[1..])
            }),
        ),
        row(
            "empty signature value",
            "bad_signature",
            Draft::good().after(|xml| {
                let (before, rest) = xml.split_once("<ds:SignatureValue>").unwrap();
                let (_, rest) = rest.split_once("</ds:SignatureValue>").unwrap();
                format!("{before}<ds:SignatureValue></ds:SignatureValue>{rest}")
            }),
        ),
        row(
            "signature value without a value",
            "malformed",
            Draft::good().after(|xml| first(xml, "<ds:SignatureValue>", "<ds:SignatureValue><x/>")),
        ),
    ]
}

fn algorithms() -> Vec<Row> {
    let weak = |name, control: Draft, attack: Draft| Row { name, reason: "weak_algorithm", control, attack };
    let algorithm = |uri: &str| Draft::good().with("algorithm", uri);
    let digest = |uri: &str| Draft::good().with("digest", uri);
    let strong = || algorithm(&format!("{MORE}rsa-sha512"));
    let strong_digest = || digest("http://www.w3.org/2001/04/xmlenc#sha512");
    let hmac = |uri: &str, key: &str| algorithm(uri).with("key", key);
    let der = bare_certificate();
    vec![
        weak("RSA with SHA-1", strong(), algorithm("http://www.w3.org/2000/09/xmldsig#rsa-sha1")),
        weak("RSA with MD5", strong(), algorithm(&format!("{MORE}rsa-md5"))),
        weak("SHA-1 digest", strong_digest(), digest("http://www.w3.org/2000/09/xmldsig#sha1")),
        weak("MD5 digest", strong_digest(), digest(&format!("{MORE}md5"))),
        weak(
            "HMAC keyed with the certificate",
            strong(),
            hmac(&format!("{MORE}hmac-sha256"), &PRESENT.certificate),
        ),
        weak("HMAC keyed with the certificate's base64", strong(), hmac(&format!("{MORE}hmac-sha256"), &der)),
        weak(
            "HMAC with SHA-1",
            strong(),
            hmac("http://www.w3.org/2000/09/xmldsig#hmac-sha1", &PRESENT.certificate),
        ),
        row(
            "algorithm named otherwise",
            "bad_signature",
            Draft::good().after(|xml| first(xml, "#rsa-sha256", "#rsa-sha512")),
        ),
        Row {
            name: "RSA key under the name of ECDSA",
            reason: "bad_signature",
            control: algorithm(&format!("{MORE}ecdsa-sha256")).with("key", NEXT.key.clone()),
            attack: algorithm(&format!("{MORE}ecdsa-sha256")),
        },
        row(
            "parameters of an algorithm",
            "malformed",
            Draft::good().after(|xml| {
                let method =
                    "SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>";
                let open = method
                    .replace("/>", "><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>");
                first(xml, method, &open)
            }),
        ),
    ]
}

fn transforms() -> Vec<Row> {
    let row = |name, transforms: &[&str]| Row {
        name,
        reason: "malformed",
        control: Draft::good().with("transforms", json!([ENVELOPED, EXCLUSIVE])),
        attack: Draft::good().with("transforms", json!(transforms)),
    };
    let comments = format!("{EXCLUSIVE}WithComments");
    let many: Vec<_> = (0..17).map(|i| format!("p{i}")).collect();
    let canonicalization = |name, uri: &str| Row {
        name,
        reason: "malformed",
        control: Draft::good(),
        attack: Draft::good().with("canonicalization", uri),
    };
    vec![
        row("XPath transform", &[ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE]),
        row("XPath transform instead", &["http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE]),
        row("XSLT transform", &[ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", EXCLUSIVE]),
        row("XPath filter", &[ENVELOPED, "http://www.w3.org/2002/06/xmldsig-filter2", EXCLUSIVE]),
        row("inclusive canonicalization", &[ENVELOPED, INCLUSIVE]),
        Row {
            attack: Draft::good().with("inclusive", json!(many)),
            ..row("very many listed namespaces", &[])
        },
        row("canonicalization with comments", &[ENVELOPED, &comments]),
        row("no canonicalization", &[ENVELOPED]),
        super::row(
            "parameters of the enveloped signature",
            "malformed",
            Draft::good().after(|xml| {
                let plain = format!("<ds:Transform Algorithm=\"{ENVELOPED}\"/>");
                let filled = plain.replace("/>", "><ds:XPath>self::node()</ds:XPath></ds:Transform>");
                first(xml, &plain, &filled)
            }),
        ),
        canonicalization("inclusive canonicalization of the signature", INCLUSIVE),
        canonicalization("canonicalization of the signature with comments", &comments),
    ]
}

fn references() -> Vec<Row> {
    vec![
        row("two references", "malformed", Draft::good().with("also", json!(["_response"]))),
        row(
            "no reference",
            "malformed",
            Draft::good().after(|xml| {
                let (before, rest) = xml.split_once("<ds:Reference ").unwrap();
                let (_, rest) = rest.split_once("</ds:Reference>").unwrap();
                format!("{before}{rest}")
            }),
        ),
        Row {
            name: "reference to another element",
            reason: "malformed",
            control: Draft::good().with("into", "_assertion"),
            attack: Draft::good().signed(&["_response"]).with("into", "_assertion"),
        },
        row(
            "reference to the whole document",
            "malformed",
            Draft::good().after(|xml| first(xml, "URI=\"#_assertion\"", "URI=\"\"")),
        ),
        row("no URI", "malformed", Draft::good().after(|xml| first(xml, "URI=\"#_assertion\"", ""))),
        row(
            "XPointer",
            "malformed",
            Draft::good()
                .after(|xml| first(xml, "URI=\"#_assertion\"", "URI=\"#xpointer(id('_assertion'))\"")),
        ),
        row(
            "reference to an address",
            "malformed",
            Draft::good().after(|xml| {
                first(xml, "URI=\"#_assertion\"", "URI=\"https://evil.example/x.xml#_assertion\"")
            }),
        ),
        Row {
            name: "identifier that is no name",
            reason: "malformed",
            control: Draft::good().changed("_assertion", "1-a").signed(&["1-a"]),
            attack: Draft::good().changed("_assertion", "1 a").signed(&["1 a"]),
        },
        row(
            "an object in the signature",
            "malformed",
            Draft::good()
                .after(|xml| first(xml, "</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>")),
        ),
    ]
}

/// Everything but the signatures.
pub(super) fn without_signatures(xml: &str) -> String {
    let mut left = String::new();
    let mut rest = xml;
    while let Some((before, after)) = rest.split_once("<ds:Signature ") {
        left.push_str(before);
        rest = after.split_once("</ds:Signature>").unwrap().1;
    }
    left + rest
}

fn bare_certificate() -> String {
    crate::support::bare(&PRESENT.certificate)
}
