//! Reading the XML of strangers: limits before the parser, and a tree without anything that two readers could read
//! differently.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};

/// Namespace of protocol messages (SAML core, section 1.1).
pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// Namespace of assertions.
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// Namespace of metadata.
pub(super) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// Namespace of XML signatures.
pub(super) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// A response with five hundred groups has about two thousand nodes, a large provider's metadata as many.
const MAX_NODES: u32 = 20_000;
/// Responses and metadata are ten to fifteen deep.
const MAX_DEPTH: usize = 40;
/// In one tag. The parser compares them pairwise.
const MAX_ATTRIBUTES: usize = 128;
/// Different prefixes declared in a document. The parser copies those in scope for elements that declare one.
const MAX_PREFIXES: usize = 64;
/// The parser counts the length of a name in 16 bits.
const MAX_NAME: usize = 256;

/// Why a document is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    #[error("The XML has a document type declaration or declares entities, which is refused.")]
    Doctype,
    #[error(
        "The XML has a comment, which is refused because readers differ in what they make of the text around it."
    )]
    Comment,
    #[error("The XML has a processing instruction, which is refused.")]
    Instruction,
    #[error("The XML is too large: it has too many {0}.")]
    TooMany(&'static str),
    #[error("The XML is nested too deeply.")]
    TooDeep,
    #[error("The XML is not well-formed: {0}.")]
    Malformed(String),
}

/// Reads a protocol message: no comments and no processing instructions, anywhere.
pub(super) fn message(text: &str) -> Result<Document<'_>, XmlError> {
    let document = metadata(text)?;
    for node in document.root().descendants() {
        if node.is_comment() {
            return Err(XmlError::Comment);
        }
        if node.is_pi() {
            return Err(XmlError::Instruction);
        }
    }
    Ok(document)
}

/// Reads what an administrator pasted, where comments and stylesheets are common and do no harm.
pub(super) fn metadata(text: &str) -> Result<Document<'_>, XmlError> {
    before_parsing(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => XmlError::Doctype,
        roxmltree::Error::NodesLimitReached => XmlError::TooMany("elements"),
        // What the parser says may quote the text.
        other => {
            XmlError::Malformed(other.to_string().chars().filter(|c| !c.is_control()).take(200).collect())
        }
    })?;
    for node in document.root().descendants().filter(Node::is_element) {
        if node.ancestors().take(MAX_DEPTH + 2).count() > MAX_DEPTH + 1 {
            return Err(XmlError::TooDeep);
        }
        if node.attributes().any(|attribute| attribute.range_qname().len() > MAX_NAME) {
            return Err(XmlError::Malformed("a name is too long".to_owned()));
        }
    }
    Ok(document)
}

/// What must not reach the parser: its time grows with the square of attributes and namespaces.
fn before_parsing(text: &str) -> Result<(), XmlError> {
    if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
        return Err(XmlError::Doctype);
    }
    if text.split('<').any(|tag| attributes(tag) > MAX_ATTRIBUTES) {
        return Err(XmlError::TooMany("attributes"));
    }
    let mut prefixes = BTreeSet::new();
    for rest in text.split("xmlns").skip(1) {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        prefixes.insert(&rest[..end]);
        if prefixes.len() > MAX_PREFIXES {
            return Err(XmlError::TooMany("namespaces"));
        }
    }
    Ok(())
}

/// How many attributes a tag has: equals signs up to its end, outside of values. What follows a `<` that opens no tag
/// may count for more than it has.
fn attributes(tag: &str) -> usize {
    let mut quote = None;
    let mut count = 0;
    for byte in tag.bytes() {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => count += 1,
            (None, b'>') => break,
            _ => {}
        }
    }
    count
}

/// Whether a node is an element of this name.
pub(super) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(namespace) && node.tag_name().name() == name
}

/// The child elements of a name.
pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &'a str,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, namespace, name))
}

/// The one child element of a name; `None` when there is none or more than one.
pub(super) fn only<'a, 'i>(node: Node<'a, 'i>, namespace: &'a str, name: &'a str) -> Option<Node<'a, 'i>> {
    let mut found = children(node, namespace, name);
    found.next().filter(|_| found.next().is_none())
}

/// All text of an element that holds nothing else; `None` if there is an element, or a comment that would split it.
pub(super) fn text(node: Node<'_, '_>) -> Option<String> {
    node.children().map(|child| if child.is_text() { child.text() } else { None }).collect()
}

/// The text of an element that is an identifier: white space around it is layout.
pub(super) fn identifier(node: Node<'_, '_>) -> Option<String> {
    text(node).map(|text| text.trim_matches(is_space).to_owned()).filter(|text| !text.is_empty())
}

/// White space as XML has it (XML 1.0, production 3).
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Text as it stands in an attribute or between tags.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_before_the_parser_sees_the_text() {
        let many = |piece: &dyn Fn(usize) -> String, n: usize| (0..n).map(piece).collect::<String>();
        let attributes = |n| format!("<a{}/>", many(&|i| format!(" a{i}=''"), n));
        assert!(metadata(&attributes(128)).is_ok());
        assert_eq!(metadata(&attributes(129)).unwrap_err(), XmlError::TooMany("attributes"));
        let harmless = format!("<a b='{0}' c=\"'{0}\">{0}</a>", "=".repeat(1_000));
        assert!(metadata(&harmless).is_ok());
        let prefixes = |n| format!("<a>{}</a>", many(&|i| format!("<b xmlns:p{i}='u'/>"), n));
        assert!(metadata(&prefixes(64)).is_ok());
        assert_eq!(metadata(&prefixes(65)).unwrap_err(), XmlError::TooMany("namespaces"));
        let nested = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert!(metadata(&nested(40)).is_ok());
        assert_eq!(metadata(&nested(41)).unwrap_err(), XmlError::TooDeep);
        assert_eq!(metadata(&nested(100_000)).unwrap_err(), XmlError::TooMany("elements"));
        assert_eq!(metadata("<!DOCTYPE a><a/>").unwrap_err(), XmlError::Doctype);
        let named = |n| format!("<a {}='x'/>", "n".repeat(n));
        assert!(metadata(&named(256)).is_ok());
        assert!(metadata(&named(257)).is_err());
    }

    #[test]
    fn messages_have_no_comments_and_no_instructions() {
        assert!(message("<?xml version='1.0'?><a>b</a>").is_ok());
        assert_eq!(message("<a>b<!-- c --></a>").unwrap_err(), XmlError::Comment);
        assert_eq!(message("<a><?b c?></a>").unwrap_err(), XmlError::Instruction);
        assert_eq!(message("<a/><!-- c -->").unwrap_err(), XmlError::Comment);
    }

    #[test]
    fn text_with_something_inside_is_no_text() {
        let document = metadata("<a>b<![CDATA[<c>]]></a>").unwrap();
        assert_eq!(text(document.root_element()).as_deref(), Some("b<c>"));
        let document = metadata("<a>b<!-- --></a>").unwrap();
        assert_eq!(text(document.root_element()), None);
    }
}
