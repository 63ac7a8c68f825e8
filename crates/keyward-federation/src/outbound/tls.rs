//! TLS by rustls and ring, with the authorities that the operating system trusts.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName},
};
use rustls_native_certs::load_native_certs;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{OutboundError, connect::Stream, target::Target};

/// Made when it is first needed: reading the authorities takes time, and a machine without any may still be used with
/// providers that `outbound.allow` opens.
pub(super) struct Tls {
    extra_roots: Vec<Vec<u8>>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    pub(super) fn new(extra_roots: Vec<Vec<u8>>) -> Self {
        Self { extra_roots, config: OnceLock::new() }
    }

    pub(super) async fn wrap(&self, target: &Target, stream: TcpStream) -> Result<Stream, OutboundError> {
        let failed = |cause: String| OutboundError::Tls { host: target.host.clone(), cause };
        let config = self.config.get_or_init(|| self.read().map_err(|error| error.to_string()));
        let config = config.as_ref().map_err(|cause| failed(cause.clone()))?;
        let name = match target.literal {
            Some(address) => ServerName::from(address),
            None => ServerName::try_from(target.host.clone()).map_err(|error| failed(error.to_string()))?,
        };
        let wrapped = TlsConnector::from(config.clone()).connect(name, stream).await;
        Ok(Box::new(wrapped.map_err(|error| failed(error.to_string()))?))
    }

    fn read(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        let extra = self.extra_roots.iter().cloned().map(CertificateDer::from);
        // What can't be read is passed over: a certificate that nobody needs must not be in everybody's way.
        roots.add_parsable_certificates(load_native_certs().certs.into_iter().chain(extra));
        if roots.is_empty() {
            return Err(rustls::Error::General(
                "this machine trusts no authority for certificates".to_owned(),
            ));
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots);
        Ok(Arc::new(builder.with_no_client_auth()))
    }
}
