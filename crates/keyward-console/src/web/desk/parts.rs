//! Pieces that several screens share.

use keyward_core::Listing;
use serde_json::Value;

use super::{desk_at::query, doc::text, fields::Fields};
use crate::component::{Chip, Filters, Input, Narrow, Pager, Part, Takes};

/// What one types to show that one means it: the client identifier, or the name.
pub(super) fn key_of(doc: &Value) -> String {
    let id = text(doc, "client_id");
    if id.is_empty() || id == text(doc, "id") { text(doc, "name") } else { id }.to_owned()
}

/// An address with parameters, one of them another than it is; the page begins anew.
fn with(path: &str, asked: &Fields, name: &str, value: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (known, kept) in asked.pairs() {
        if known != name && known != "page" && !kept.is_empty() {
            pairs.push((known, kept));
        }
    }
    if !value.is_empty() {
        pairs.push((name, value));
    }
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", query(&pairs)) }
}

/// The views of a list, and the field to search it by.
pub(super) fn filters(path: &str, chips: &[(&str, &str, &str)], asked: &Fields) -> Filters {
    let none = chips.iter().all(|(_, name, value)| asked.get(name) != *value);
    let mut all: Vec<Chip> = Vec::new();
    if let Some((_, name, _)) = chips.first() {
        let mut bare = asked.clone();
        for (_, name, _) in chips {
            bare.set(name, Vec::new());
        }
        all.push(Chip { label: "All".to_owned(), href: with(path, &bare, name, ""), current: none });
        all.extend(chips.iter().map(|(label, name, value)| Chip {
            label: (*label).to_owned(),
            href: with(path, &bare, name, value),
            current: asked.get(name) == *value,
        }));
    }
    let keep = |(name, value): &&(String, String)| name != "q" && name != "page" && !value.is_empty();
    Filters {
        action: path.to_owned(),
        chips: all,
        fields: vec![Narrow {
            name: "q",
            label: "Search",
            value: asked.get("q").to_owned(),
            options: Vec::new(),
            kind: "search",
        }],
        keep: asked.pairs().iter().filter(keep).cloned().collect(),
    }
}

/// Where in a list a page is, and the pages beside it.
pub(super) fn pager(path: &str, listing: &Listing, asked: &Fields) -> Pager {
    let page = listing.page.unwrap_or(1);
    let total = listing.total.unwrap_or_default();
    let first = u64::from(page - 1) * u64::from(listing.per_page) + 1;
    let last = (first + listing.data.len() as u64).saturating_sub(1);
    let to = |number: u32| {
        let mut asked = asked.clone();
        asked.set("page", Vec::new());
        with_page(path, &asked, number)
    };
    Pager {
        where_: if listing.data.is_empty() {
            "0 of 0".to_owned()
        } else {
            format!("{first}–{last} of {total}")
        },
        previous: (page > 1).then(|| to(page - 1)),
        next: (last < total && !listing.data.is_empty()).then(|| to(page + 1)),
    }
}

fn with_page(path: &str, asked: &Fields, number: u32) -> String {
    let number = number.to_string();
    let mut pairs: Vec<(&str, &str)> = asked
        .pairs()
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    pairs.push(("page", &number));
    format!("{path}?{}", query(&pairs))
}

/// The choice between two people's values of a field.
pub(super) fn whose(name: &str, label: &str, mine: &str, theirs: &str) -> Part {
    let shown = |value: &str| if value.is_empty() { "(empty)".to_owned() } else { value.replace('\n', ", ") };
    let options = vec![
        ("mine".to_owned(), format!("Keep mine: {}", shown(mine))),
        ("theirs".to_owned(), format!("Take theirs: {}", shown(theirs))),
    ];
    Input::new(format!("take-{name}"), format!("{label}: whose value?"), Takes::One(options), "mine").into()
}

/// A choice of states.
pub(super) fn status(now: &Fields, options: [(&str, &str); 2]) -> Part {
    let options: Vec<(String, String)> =
        options.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
    Input::new("status", "Status", Takes::One(options), now.or("status", "active")).into()
}

/// Whether a person, application or the like works.
pub(super) const WORKS: [(&str, &str); 2] = [("active", "Active"), ("disabled", "Disabled")];
/// Whether a tenant or partner works.
pub(super) const RUNS: [(&str, &str); 2] = [("active", "Active"), ("suspended", "Suspended")];

/// A choice among environments.
pub(super) fn environment(environments: &[String], now: &Fields) -> Input {
    let options: Vec<_> = environments.iter().map(|name| (name.clone(), name.clone())).collect();
    let first = environments.first().map_or("", String::as_str);
    Input::new("environment", "Environment", Takes::One(options), now.or("environment", first))
        .help("It can't be changed later.")
}

/// A JSON document in a field of several lines.
pub(super) fn document(fields: &Fields, name: &str) -> Value {
    let text = fields.get(name);
    if text.is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    // What is no JSON goes as a text, to be refused with its reason.
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// A document as a merge patch makes it of the one before: what is in it no more is named as null (RFC 7396).
pub(super) fn replacing(before: &Value, mut after: Value) -> Value {
    if let (Some(before), Some(after)) = (before.as_object(), after.as_object_mut()) {
        for (name, old) in before {
            let new = after.entry(name.clone()).or_insert(Value::Null);
            *new = replacing(old, new.take());
        }
    }
    after
}

/// A JSON document as it is written into such a field; nothing when it is empty.
pub(super) fn written(doc: &Value, name: &str) -> String {
    match doc[name].as_object() {
        Some(members) if !members.is_empty() => serde_json::to_string_pretty(members).unwrap_or_default(),
        _ => String::new(),
    }
}
