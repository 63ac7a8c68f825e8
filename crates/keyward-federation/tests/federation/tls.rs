//! Connections are secure, or there are none.

use std::sync::Arc;

use keyward_federation::outbound::{Outbound, OutboundOptions, OutboundRequest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};
use tokio::{io::AsyncReadExt, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use crate::support::{
    Names, options,
    server::{Counts, Reply, read, write},
};

/// An authority that only these tests trust.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server with a certificate for this name; the port that it listens on.
async fn serve(
    authority: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
    until: i32,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> u16 {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await
                && read(&mut stream).await.is_some()
            {
                let _ = write(&mut stream, Reply::json("{}"), &Counts::default()).await;
            }
        }
    });
    port
}

async fn fetch(roots: Vec<Vec<u8>>, name: &'static str, port: u16) -> Result<u16, &'static str> {
    let names = Arc::new(Names::new(&[(name, &["127.0.0.1"])]));
    let outbound = Outbound::with_resolver(OutboundOptions { extra_roots: roots, ..options() }, names);
    let url = format!("https://{name}:{port}/");
    outbound
        .send(OutboundRequest::get(&url))
        .await
        .map(|fetched| fetched.status)
        .map_err(|error| error.reason())
}

#[tokio::test]
async fn a_certificate_must_be_trusted_alive_and_of_this_host() {
    let authority = authority();
    let trusted = vec![authority.der().to_vec()];
    let both = [&TLS12, &TLS13];
    let good = serve(&authority, "idp.example", 2100, &both).await;
    let expired = serve(&authority, "idp.example", 2020, &both).await;
    let older = serve(&authority, "idp.example", 2100, &[&TLS12]).await;
    assert_eq!(fetch(trusted.clone(), "idp.example", good).await, Ok(200), "the control");
    assert_eq!(fetch(trusted.clone(), "idp.example", older).await, Ok(200));
    assert_eq!(fetch(Vec::new(), "idp.example", good).await, Err("tls_failed"));
    assert_eq!(fetch(trusted.clone(), "other.example", good).await, Err("tls_failed"));
    assert_eq!(fetch(trusted, "idp.example", expired).await, Err("tls_failed"));
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4_096];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        write(&mut stream, Reply::json("{}"), &Counts::default()).await.unwrap();
        hello
    });
    assert_eq!(fetch(Vec::new(), "idp.example", port).await, Err("tls_failed"));
    let hello = served.await.unwrap();
    // A handshake's record (RFC 8446 section 5.1), and no request in the clear.
    assert_eq!(hello.first(), Some(&22));
}
