//! Assets: names, encodings, caching, and how much there is to load.

use std::io::{Read, Write};

use actix_web::{
    App,
    http::{StatusCode, header},
    test,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use keyward_console::assets::{self, ASSETS, SCRIPT, STYLE};

use crate::{samples::Words, served::pages};

async fn get(path: &str, headers: &[(&str, &str)]) -> (StatusCode, header::HeaderMap, Vec<u8>) {
    let app = test::init_service(App::new().configure(assets::configure)).await;
    let request =
        headers.iter().fold(test::TestRequest::get().uri(path), |request, pair| request.insert_header(*pair));
    let reply = test::call_service(&app, request.to_request()).await;
    let (status, headers) = (reply.status(), reply.headers().clone());
    (status, headers, test::read_body(reply).await.to_vec())
}

#[actix_web::test]
async fn an_asset_comes_compressed_and_plain_and_both_are_the_same() {
    for asset in ASSETS {
        let (status, headers, zipped) = get(asset.path, &[("accept-encoding", "br;q=1, gzip;q=0.5")]).await;
        assert_eq!(status, 200);
        assert_eq!(headers.get("content-encoding").unwrap(), "gzip");
        let (_, plain_headers, plain) = get(asset.path, &[]).await;
        assert!(plain_headers.get("content-encoding").is_none());
        assert!(plain.len() > zipped.len());
        let mut unzipped = Vec::new();
        GzDecoder::new(&*zipped).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, plain);
        assert_ne!(headers.get("etag"), plain_headers.get("etag"), "a tag for each encoding");
        for headers in [headers, plain_headers] {
            assert_eq!(headers.get("vary").unwrap(), "Accept-Encoding");
            assert_eq!(headers.get("cache-control").unwrap(), "public, max-age=31536000, immutable");
            assert_eq!(headers.get("x-content-type-options").unwrap(), "nosniff");
        }
    }
}

#[actix_web::test]
async fn what_a_browser_has_is_not_sent_again() {
    let (_, headers, _) = get(STYLE.path, &[]).await;
    let tag = headers.get("etag").unwrap().to_str().unwrap().to_owned();
    let (status, headers, body) = get(STYLE.path, &[("if-none-match", &tag)]).await;
    assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(headers.get("vary").unwrap(), "Accept-Encoding");
    let (status, _, _) = get(STYLE.path, &[("if-none-match", "\"another\"")]).await;
    assert_eq!(status, 200);
}

#[actix_web::test]
async fn another_name_is_not_there() {
    for path in [
        "/console/assets/console.css",
        "/console/assets/console.00000000.css",
        "/console/assets/..%2fbuild.rs",
    ] {
        assert_eq!(get(path, &[]).await.0, 404, "{path}");
    }
}

/// Brotli makes less of it, so what holds with gzip holds.
#[actix_web::test]
async fn a_first_visit_loads_little() {
    for page in pages(&Words::plain()) {
        let mut html = GzEncoder::new(Vec::new(), Compression::best());
        html.write_all(page.html.as_bytes()).unwrap();
        let all = html.finish().unwrap().len() + STYLE.compressed().len() + SCRIPT.compressed().len();
        assert!(all <= 70 * 1024, "{} takes {all} bytes", page.name);
        assert!(page.html.contains(STYLE.path) && page.html.contains(SCRIPT.path), "{}", page.name);
    }
}
