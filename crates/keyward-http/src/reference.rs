//! The OpenAPI document as a page to be read: no script, and no request to anywhere else.

use std::fmt::Write as _;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
    web,
};
use serde_json::Value;

use crate::{
    State,
    openapi::document,
    operation::{Endpoint, Operation},
};

const PAGE_PATH: &str = "/docs/api";
const STYLE_PATH: &str = "/docs/api.css";

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8881}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
nav ul{columns:3;padding-left:1.2rem}\
section{border-top:1px solid var(--line);padding-top:.5rem}\
article{margin:1.2rem 0}\
h3{font-size:1rem;margin:0}\
code{font:13px ui-monospace,monospace;background:var(--soft);padding:.1rem .3rem;border-radius:3px}\
table{border-collapse:collapse;margin:.4rem 0;width:100%}\
td,th{border-bottom:1px solid var(--line);padding:.2rem .5rem;text-align:left;vertical-align:top}\
p{margin:.3rem 0}";

pub(crate) fn operations() -> Vec<Operation> {
    let page = |path: &str, id: &'static str, summary: &'static str, route: fn() -> actix_web::Route| {
        Operation { tag: "Documentation", ..Operation::get(path, id, summary, Endpoint::Plain(route)) }
    };
    vec![
        page(PAGE_PATH, "apiReference", "This document as a page to be read.", || web::route().to(serve)),
        page(STYLE_PATH, "apiReferenceStyle", "What the page looks like.", || web::route().to(style)),
    ]
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(STYLE)
}

async fn serve(state: web::Data<State>) -> HttpResponse {
    let document = document(&crate::operations(), &state.keyward.options().issuer);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        ))
        .body(page(&document))
}

/// Text as it may stand in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// A tag with its operations: path, method, description.
type Tagged<'a> = (String, Vec<(&'a str, &'a str, &'a Value)>);

/// The operations by their tags, in the document's order.
fn by_tag(document: &Value) -> Vec<Tagged<'_>> {
    let mut tags: Vec<Tagged<'_>> = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            let entry = (path.as_str(), method.as_str(), operation);
            match tags.iter_mut().find(|(known, _)| known == tag) {
                Some((_, operations)) => operations.push(entry),
                None => tags.push((tag.to_owned(), vec![entry])),
            }
        }
    }
    tags
}

fn page(document: &Value) -> String {
    let tags = by_tag(document);
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Keyward API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/docs/api.css\">\
         <h1>Keyward API</h1><p>Also as <a href=\"/openapi.json\">OpenAPI document</a>.</p><nav><ul>",
    );
    // Writing to a String can't fail.
    for (tag, _) in &tags {
        let _ = write!(html, "<li><a href=\"#{0}\">{0}</a></li>", escaped(&tag.replace(' ', "-")));
    }
    html.push_str("</ul></nav>");
    for (tag, operations) in &tags {
        let _ = write!(html, "<section id=\"{}\"><h2>{}</h2>", escaped(&tag.replace(' ', "-")), escaped(tag));
        for (path, method, operation) in operations {
            article(&mut html, document, path, method, operation);
        }
        html.push_str("</section>");
    }
    html.push_str("</html>");
    html
}

fn article(html: &mut String, document: &Value, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        html,
        "<article id=\"{}\"><h3><code>{} {}</code></h3><p>{}</p>",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escaped(path),
        text(&operation["summary"])
    );
    let permissions: Vec<String> =
        operation["x-required-permissions"].as_array().into_iter().flatten().map(text).collect();
    if !permissions.is_empty() {
        let _ = write!(html, "<p>Needs <code>{}</code>.</p>", permissions.join("</code> or <code>"));
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: Vec<String> = parameters
        .map(|parameter| {
            format!(
                "<tr><td><code>{}</code><td>{}<td>{}",
                text(&parameter["name"]),
                text(&parameter["in"]),
                text(&parameter["description"])
            )
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(html, "<table><tr><th>Parameter<th>In<th>{}</table>", rows.concat());
    }
    body(html, document, operation);
    html.push_str("</article>");
}

fn body(html: &mut String, document: &Value, operation: &Value) {
    let content = operation["requestBody"]["content"].as_object().into_iter().flatten().next();
    let Some((media_type, content)) = content else { return };
    let reference = content["schema"]["$ref"].as_str().unwrap_or_default();
    let schema = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let _ = write!(html, "<p>Body <code>{}</code></p><table><tr><th>Field<th>", escaped(media_type));
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let needed = if required.contains(&name.as_str()) { " (required)" } else { "" };
        let _ = write!(
            html,
            "<tr><td><code>{}</code>{needed}<td>{}",
            escaped(name),
            text(&member["description"])
        );
    }
    html.push_str("</table>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_on_the_page_and_nothing_is_left_unescaped() {
        let operations = crate::operations();
        let html = page(&document(&operations, "http://127.0.0.1:8080"));
        for operation in &operations {
            assert!(html.contains(&format!("id=\"{}\"", operation.id)), "{}", operation.id);
        }
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
        assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("href=\"http"));
    }
}
