//! Exclusive XML Canonicalization 1.0, without comments, of elements in a tree that [`super::xml::message`] has read.
//!
//! What is rendered comes from the tree alone: names and namespaces as they were resolved, values as they will be read.
//! So two trees that would be read differently never have the same canonical form.

use std::collections::BTreeMap;

use roxmltree::{Node, NodeId};

/// The canonical form of an element, `without` one element inside of it (the enveloped signature). The namespaces of
/// `inclusive` are rendered where they are in scope, used or not (`InclusiveNamespaces`; `#default` is the default one).
///
/// The recursion is as deep as the document, which is limited.
pub(super) fn exclusive(apex: Node<'_, '_>, without: Option<NodeId>, inclusive: &[&str]) -> String {
    let mut writer = Writer { out: String::new(), rendered: Vec::new(), without, inclusive };
    writer.element(apex);
    writer.out
}

struct Writer<'a, 'l> {
    out: String,
    /// Prefix and namespace, as declared by the elements around: the last one of a prefix counts.
    rendered: Vec<(&'a str, &'a str)>,
    without: Option<NodeId>,
    inclusive: &'l [&'l str],
}

impl<'a> Writer<'a, '_> {
    fn element<'i: 'a>(&mut self, node: Node<'a, 'i>) {
        if Some(node.id()) == self.without {
            return;
        }
        let outside = self.rendered.len();
        let prefix = prefix_of_element(node);
        self.out.push('<');
        self.name(prefix, node.tag_name().name());
        self.namespaces(node, prefix);
        self.attributes(node);
        self.out.push('>');
        for child in node.children() {
            if child.is_element() {
                self.element(child);
            } else if child.is_text() {
                self.text(child.text().unwrap_or_default());
            }
        }
        self.out.push_str("</");
        self.name(prefix, node.tag_name().name());
        self.out.push('>');
        self.rendered.truncate(outside);
    }

    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    /// Section 3, items 1 and 3: what this element uses and no element around has rendered with the same value.
    fn namespaces<'i: 'a>(&mut self, node: Node<'a, 'i>, prefix: &'a str) {
        let mut needed = BTreeMap::new();
        for listed in self.inclusive {
            let listed = if *listed == "#default" { None } else { Some(*listed) };
            if let Some(found) = node.namespaces().find(|namespace| namespace.name() == listed) {
                needed.insert(found.name().unwrap_or_default(), found.uri());
            } else if listed.is_none() {
                needed.insert("", "");
            }
        }
        for attribute in node.attributes() {
            let prefix = prefix_of(&node.document().input_text()[attribute.range_qname()]);
            if !prefix.is_empty() {
                needed.insert(prefix, attribute.namespace().unwrap_or_default());
            }
        }
        needed.insert(prefix, node.tag_name().namespace().unwrap_or_default());
        for (prefix, uri) in needed {
            let around = self.rendered.iter().rev().find(|(known, _)| *known == prefix).map(|(_, uri)| *uri);
            let known = around.or(if prefix.is_empty() { Some("") } else { None });
            if prefix == "xml" || known == Some(uri) {
                continue;
            }
            self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.value(uri);
            self.rendered.push((prefix, uri));
        }
    }

    /// Sorted by namespace, then by local name; those without a namespace come first (Canonical XML, section 2.2).
    fn attributes(&mut self, node: Node<'a, '_>) {
        let mut attributes: Vec<_> = node.attributes().collect();
        attributes.sort_by_key(|attribute| (attribute.namespace().unwrap_or_default(), attribute.name()));
        for attribute in attributes {
            self.out.push(' ');
            let prefix = prefix_of(&node.document().input_text()[attribute.range_qname()]);
            self.name(prefix, attribute.name());
            self.value(attribute.value());
        }
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        for c in value.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#x9;"),
                '\n' => self.out.push_str("&#xA;"),
                '\r' => self.out.push_str("&#xD;"),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\r' => self.out.push_str("&#xD;"),
                c => self.out.push(c),
            }
        }
    }
}

/// The parser keeps namespaces and forgets prefixes; where the name stands in the text it does keep.
fn prefix_of_element<'i>(node: Node<'_, 'i>) -> &'i str {
    let text = node.document().input_text();
    let name = text.get(node.range().start + 1..).unwrap_or_default();
    let end = name.find([' ', '\t', '\r', '\n', '/', '>']).unwrap_or(name.len());
    prefix_of(&name[..end])
}

fn prefix_of(qualified: &str) -> &str {
    qualified.split_once(':').map_or("", |(prefix, _)| prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::xml::message;

    fn canonical(text: &str, inclusive: &[&str]) -> String {
        exclusive(message(text).unwrap().root_element(), None, inclusive)
    }

    #[test]
    fn names_and_namespaces() {
        let cases = [
            ("<a/>", "<a></a>"),
            ("<a  b = 'c' ></a >", "<a b=\"c\"></a>"),
            // Rendered where it is used, not where it is declared.
            (
                "<p:a xmlns:p='u' xmlns:q='v'><q:b/><q:c/></p:a>",
                "<p:a xmlns:p=\"u\"><q:b xmlns:q=\"v\"></q:b><q:c xmlns:q=\"v\"></q:c></p:a>",
            ),
            ("<a xmlns='u'><b xmlns=''><c/></b></a>", "<a xmlns=\"u\"><b xmlns=\"\"><c></c></b></a>"),
            ("<a xmlns='u'><a xmlns='u'/></a>", "<a xmlns=\"u\"><a></a></a>"),
            // The same prefix, another namespace, and the first one again.
            (
                "<p:a xmlns:p='u'><p:b xmlns:p='v'/><p:c/></p:a>",
                "<p:a xmlns:p=\"u\"><p:b xmlns:p=\"v\"></p:b><p:c></p:c></p:a>",
            ),
            // By namespace, then by name; without one first.
            (
                "<a z='1' q:a='2' p:b='3' b='4' xml:id='5' xmlns:p='w' xmlns:q='v'/>",
                "<a xmlns:p=\"w\" xmlns:q=\"v\" b=\"4\" z=\"1\" xml:id=\"5\" q:a=\"2\" p:b=\"3\"></a>",
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(canonical(given, &[]), expected, "{given}");
        }
    }

    #[test]
    fn values_and_text() {
        let given = "<a b='&lt;&amp;&gt;&quot;&#9;&#10;&#13; \n'>&lt;&amp;&gt;\"&#13;\r\n<![CDATA[<]]></a>";
        let expected = "<a b=\"&lt;&amp;>&quot;&#x9;&#xA;&#xD;  \">&lt;&amp;&gt;\"&#xD;\n&lt;</a>";
        assert_eq!(canonical(given, &[]), expected);
    }

    #[test]
    fn listed_namespaces_are_rendered_unused() {
        let text = "<p:a xmlns:p='u' xmlns:q='v' xmlns='w'><p:b/></p:a>";
        assert_eq!(canonical(text, &["q", "unknown"]), "<p:a xmlns:p=\"u\" xmlns:q=\"v\"><p:b></p:b></p:a>");
        assert_eq!(canonical(text, &["#default"]), "<p:a xmlns=\"w\" xmlns:p=\"u\"><p:b></p:b></p:a>");
    }

    #[test]
    fn one_element_is_left_out() {
        let document = message("<a><b/><c/></a>").unwrap();
        let left_out = document.root_element().first_element_child().map(|node| node.id());
        assert_eq!(exclusive(document.root_element(), left_out, &[]), "<a><c></c></a>");
    }

    /// What libxml2 made of elements inside of random documents.
    #[test]
    fn agrees_with_libxml2() {
        let vectors: Vec<Vector> = serde_json::from_str(include_str!("c14n_vectors.json")).unwrap();
        assert!(vectors.len() >= 100);
        for Vector { xml, element, inclusive, canonical } in &vectors {
            let document = message(xml).unwrap();
            let apex = document.root().descendants().filter(Node::is_element).nth(*element).unwrap();
            let inclusive: Vec<_> = inclusive.iter().map(String::as_str).collect();
            assert_eq!(
                exclusive(apex, None, &inclusive),
                *canonical,
                "element {element}, {inclusive:?} of {xml}"
            );
        }
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        xml: String,
        element: usize,
        inclusive: Vec<String>,
        canonical: String,
    }
}
