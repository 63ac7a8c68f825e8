//! The style sheet, the script and the icon, embedded under names that change with their content.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, Header, IfNoneMatch},
    web,
};

/// A file that pages refer to.
pub struct Asset {
    name: &'static str,
    /// Its address, which is another one whenever the content is.
    pub path: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// All of them.
pub static ASSETS: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];

impl Asset {
    /// What is sent to a browser that takes gzip, which is every browser.
    #[must_use]
    pub fn compressed(&self) -> &'static [u8] {
        self.gzip
    }
}

/// Mounts the assets, for `GET` and `HEAD`.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource = web::resource("/console/assets/{name}").get(serve).head(serve);
    config.service(resource);
}

async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.into_iter().find(|asset| asset.name == name.as_str()) else {
        return HttpResponse::NotFound().finish();
    };
    let zipped = takes_gzip(&request);
    // The name has the hash of the content in it. Each encoding has its own tag, as RFC 9110 §8.8.3 asks.
    let tag = EntityTag::new_strong(if zipped { format!("{name}.gz") } else { name.into_inner() });
    let mut reply = if has(&request, &tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(header::ETag(tag.clone()));
    if has(&request, &tag) {
        return reply.finish();
    }
    reply.insert_header((header::CONTENT_TYPE, asset.kind));
    if zipped { reply.insert_header(ContentEncoding::Gzip).body(asset.gzip) } else { reply.body(asset.plain) }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate(offered.iter()))
        .is_some_and(|chosen| chosen == Encoding::gzip())
}

fn has(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
