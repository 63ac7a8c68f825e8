//! What holds of the markup of every page, whatever people are called.

use std::collections::BTreeSet;

use regex::Regex;

use crate::{
    samples::{HOSTILE, Words},
    served::{Served, pages},
};

/// The opening and closing tags of a page, with the names of their attributes. Values can't end an attribute or a
/// tag: were one not escaped, the outcome would be another one.
fn skeleton(html: &str) -> Vec<String> {
    let tag = Regex::new(r#"<(/?[a-zA-Z!][^\s>]*)((?:[^>"]|"[^"]*")*)>"#).unwrap();
    let attribute = Regex::new(r#"([^\s="]+)(?:="[^"]*")?"#).unwrap();
    tag.captures_iter(html)
        .map(|tag| {
            let names = attribute.captures_iter(&tag[2]).map(|found| found[1].to_owned());
            format!("{} {}", &tag[1], names.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

fn count(page: &Served, pattern: &str) -> usize {
    Regex::new(pattern).unwrap().find_iter(&page.html).count()
}

#[test]
fn names_stay_text_wherever_they_stand() {
    let plain = pages(&Words::plain());
    for name in HOSTILE {
        for (ordinary, hostile) in plain.iter().zip(pages(&Words::all(name))) {
            assert_eq!(skeleton(&ordinary.html), skeleton(&hostile.html), "{name} on {}", hostile.name);
            assert_eq!(ordinary.policy, hostile.policy, "{name} on {}", hostile.name);
        }
    }
}

/// The control of the test above.
#[test]
fn a_name_that_is_not_escaped_would_show() {
    let page = |name: &str| skeleton(&format!("<p title=\"{name}\">{name}</p>"));
    let caught = HOSTILE.iter().filter(|name| page(name) != page("Ada")).count();
    assert!(caught >= 17, "{caught}");
}

#[test]
fn every_page_has_a_language_a_title_one_heading_and_landmarks() {
    for page in pages(&Words::plain()) {
        let name = page.name;
        assert!(page.html.starts_with("<!DOCTYPE html>\n<html lang=\"en\""), "{name}");
        assert_eq!(
            count(&page, r"<title>[^<]+ · Keyward</title>|<title>[^<]*Set up Keyward</title>"),
            1,
            "{name}"
        );
        assert_eq!(count(&page, "<h1"), 1, "{name}");
        assert_eq!(count(&page, "<main "), 1, "{name}");
        assert_eq!(count(&page, "<header "), 1, "{name}");
        assert!(count(&page, " autofocus") <= 1, "{name}");
    }
}

#[test]
fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    let inline = Regex::new(r"(?m) (style|on[a-z]+)\b").unwrap();
    for page in pages(&Words::plain()) {
        let name = page.name;
        let tags = skeleton(&page.html).join("\n");
        assert_eq!(inline.find(&tags), None, "{name}");
        assert_eq!(count(&page, "<style"), 0, "{name}");
        assert_eq!(count(&page, "<script"), 1, "{name}");
        assert_eq!(count(&page, r#"(src|href|action)="(https?:)?//"#), 0, "{name}");
        assert!(!page.policy.contains("unsafe"), "{name}");
        assert!(
            page.policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"),
            "{name}"
        );
    }
}

#[test]
fn every_form_is_posted_with_a_token_of_its_own() {
    let mut seen = 0;
    for page in pages(&Words::plain()) {
        for form in page.html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            // What only looks for something changes nothing, and tells nobody its token.
            if form.starts_with("method=\"get\" action=\"/") {
                assert!(!form.contains("csrf"), "{}: {form}", page.name);
                continue;
            }
            assert!(form.starts_with("method=\"post\" action=\"/"), "{}: {form}", page.name);
            assert_eq!(
                form.matches("name=\"csrf\" value=\"JgkPyB0p5q4\"").count(),
                1,
                "{}: {form}",
                page.name
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn what_is_wrong_is_tied_to_its_field_and_the_first_one_has_the_focus() {
    let invalid =
        Regex::new(r#"<input id="([a-z_]+)"[^>]*aria-invalid="true" aria-describedby="([^"]+)"([^>]*)>"#)
            .unwrap();
    let mut pages_seen = BTreeSet::new();
    for page in pages(&Words::plain()) {
        let found: Vec<_> = invalid.captures_iter(&page.html).collect();
        for (index, input) in found.iter().enumerate() {
            assert!(input[2].split(' ').any(|id| id == format!("{}-error", &input[1])), "{}", page.name);
            for id in input[2].split(' ') {
                assert_eq!(count(&page, &format!(" id=\"{id}\"")), 1, "{}: {id}", page.name);
            }
            assert_eq!(input[3].contains("autofocus"), index == 0, "{}", page.name);
            assert!(page.html.contains("<title>Error: "), "{}", page.name);
            pages_seen.insert(page.name);
        }
    }
    assert!(pages_seen.len() >= 8, "{pages_seen:?}");
}

#[test]
fn passwords_and_codes_never_come_back() {
    let input = Regex::new(r#"<input [^>]*(type="password"|one-time-code)[^>]*>"#).unwrap();
    for page in pages(&Words::plain()) {
        for found in input.find_iter(&page.html) {
            assert!(!found.as_str().contains(" value="), "{}: {}", page.name, found.as_str());
            assert!(!found.as_str().contains("autocomplete=\"off\""), "{}: {}", page.name, found.as_str());
        }
    }
}
