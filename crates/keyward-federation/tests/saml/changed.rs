//! Whatever is changed in a signed message: it is refused, or says the same as before. And nothing makes the reader panic.

use std::sync::LazyLock;

use keyward_core::Arrival;
use keyward_federation::saml::Saml;
use proptest::prelude::*;
use serde_json::json;

use crate::support::{
    ACS, GOOD, GOOD_TWICE, NOW, PRESENT, arrive, arrive_at, at, bare, configured, remembered, upstream,
};

static ORIGINAL: LazyLock<Arrival> = LazyLock::new(|| arrive(&GOOD).unwrap());

fn arrive_bytes(bytes: &[u8]) -> Option<Arrival> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let answer = keyward_core::Answer::Saml(STANDARD.encode(bytes));
    Saml.arrive(&upstream(), &remembered(false), &answer, at(NOW)).ok()
}

/// What layout and transport may do to a message without breaking its signature changes nothing of what is read.
#[test]
fn harmless_changes_change_nothing() {
    let changes: &[(&str, &str)] = &[
        ("<samlp:Response ", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<samlp:Response "),
        ("<samlp:Status>", " <samlp:Status> "),
        (">alice@example.com<", "><![CDATA[alice@]]>example.com<"),
        (">alice@example.com<", ">&#97;lice@example.com<"),
        ("ID=\"_assertion\"", "ID='_assertion'"),
        ("<saml:Assertion ", "<saml:Assertion xmlns:evil=\"urn:evil\" "),
        ("<saml:Assertion ", "<saml:Assertion xmlns=\"urn:evil\" "),
        ("<samlp:Response ", "<samlp:Response xml:base=\"https://evil.example/\" xml:lang=\"x\" "),
        ("\n  <saml:Subject>", "\r\n  <saml:Subject>"),
        ("</ds:SignatureValue>", "\n</ds:SignatureValue>"),
    ];
    for (from, to) in changes {
        assert!(GOOD.contains(from), "{from} is not there to be changed");
        let changed = GOOD.replacen(from, to, 1);
        let arrival = arrive(&changed).unwrap_or_else(|error| panic!("{to}: {error}"));
        assert_eq!(arrival, *ORIGINAL, "{to}");
    }
}

/// Every byte of both messages, each with one of its bits.
#[test]
fn no_changed_byte_makes_somebody_else() {
    let mut refused = 0;
    for message in [&GOOD, &GOOD_TWICE] {
        for at in 0..message.len() {
            let mut bytes = message.as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 7);
            match arrive_bytes(&bytes) {
                Some(arrival) => assert_eq!(arrival, *ORIGINAL, "byte {at}"),
                None => refused += 1,
            }
        }
    }
    // Nearly all of both messages is signed, or compared.
    let all = GOOD.len() + GOOD_TWICE.len();
    assert!(refused > all * 9 / 10, "of {all}, only {refused} of the changes were refused");
}

static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let certificate = bare(&PRESENT.certificate);
    vec![
        GOOD.clone(),
        GOOD_TWICE.clone(),
        crate::documents::idp_metadata(&[&certificate]),
        PRESENT.certificate.clone(),
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".to_owned(),
        "<a xmlns:b='u' xmlns='' b:c='&#9;&lt;'><![CDATA[x]]><!-- - --><?p i?>\u{FEFF}\r\n</a>".to_owned(),
        format!("{}{}", "<a b='c'>".repeat(60), ACS),
    ]
});

/// A piece of one text put into another, or a piece of it taken away.
fn spliced() -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..CORPUS.len(), any::<prop::sample::Index>(), 0..400_usize);
    (0..CORPUS.len(), prop::collection::vec((any::<prop::sample::Index>(), 0..200_usize, piece), 1..5))
        .prop_map(|(base, cuts)| {
            let mut text = CORPUS[base].clone().into_bytes();
            for (place, gone, (other, start, length)) in cuts {
                let other = CORPUS[other].as_bytes();
                let start = start.index(other.len());
                let inserted = &other[start..(start + length).min(other.len())];
                let at = place.index(text.len() + 1);
                let end = (at + gone).min(text.len());
                text.splice(at..end, inserted.iter().copied());
            }
            text
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_changed_bytes_make_somebody_else(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = GOOD.clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(arrival) = arrive_bytes(&bytes) {
            prop_assert_eq!(&arrival, &*ORIGINAL);
        }
    }

    #[test]
    fn no_splice_panics_or_makes_somebody_else(bytes in spliced()) {
        if let Some(arrival) = arrive_bytes(&bytes) {
            prop_assert_eq!(&arrival, &*ORIGINAL);
        }
        let text = String::from_utf8_lossy(&bytes);
        let by_metadata = configured(&json!({"metadata": text}));
        prop_assert!(!Saml.check(&by_metadata, at(NOW)).is_empty());
        let _ = arrive_at(&by_metadata, &GOOD, at(NOW), false);
        let by_certificate = configured(&json!({"entity_id": "x", "sso_url": text, "certificate": text}));
        prop_assert!(!Saml.check(&by_certificate, at(NOW)).is_empty());
    }
}
