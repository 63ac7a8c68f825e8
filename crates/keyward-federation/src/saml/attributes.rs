//! Attributes of a person, and which of them are an address and a name.

use keyward_core::FederationError;
use roxmltree::Node;
use serde_json::{Map, Value};

use super::xml::{ASSERTION, children, text};

const EMAILS: &[&str] = &[
    "email",
    "mail",
    "emailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "urn:oid:1.2.840.113549.1.9.1",
];
const NAMES: &[&str] = &[
    "displayName",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "name",
    "cn",
    "urn:oid:2.5.4.3",
];
const GIVEN_NAMES: &[&str] = &[
    "givenName",
    "firstName",
    "given_name",
    "urn:oid:2.5.4.42",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
];
const SURNAMES: &[&str] = &[
    "sn",
    "surname",
    "lastName",
    "family_name",
    "urn:oid:2.5.4.4",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
];

/// Every attribute under its `Name`, as a list of its texts. Values that are no text are left out.
pub(super) fn claims(assertion: Node<'_, '_>) -> Result<Map<String, Value>, FederationError> {
    let mut claims = Map::new();
    let attributes = children(assertion, ASSERTION, "AttributeStatement")
        .flat_map(|statement| children(statement, ASSERTION, "Attribute"));
    for attribute in attributes {
        let Some(name) = attribute.attribute("Name").filter(|name| !name.is_empty()) else {
            return Err(FederationError::new("attributes", "malformed", "An attribute has no Name."));
        };
        let values = children(attribute, ASSERTION, "AttributeValue").filter_map(text).map(Value::String);
        if let Value::Array(list) = claims.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            list.extend(values);
        }
    }
    Ok(claims)
}

/// The address among the attributes: the first text with an `@` under one of the usual names.
pub(super) fn email(claims: &Map<String, Value>) -> Option<String> {
    EMAILS.iter().flat_map(|name| texts(claims, name)).find(|text| text.contains('@')).map(str::to_owned)
}

/// What the person is called: whole, or put together.
pub(super) fn name(claims: &Map<String, Value>) -> Option<String> {
    let first = |names: &[&str]| names.iter().flat_map(|name| texts(claims, name)).next().map(str::to_owned);
    first(NAMES).or_else(|| match (first(GIVEN_NAMES), first(SURNAMES)) {
        (Some(given), Some(surname)) => Some(format!("{given} {surname}")),
        (one, other) => one.or(other),
    })
}

fn texts<'a>(claims: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> {
    let values = claims.get(name).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}
