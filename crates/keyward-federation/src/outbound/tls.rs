//! TLS by rustls and ring, with the authorities that the operating system trusts.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName},
};
use rustls_platform_verifier::Verifier;
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
        let provider = Arc::new(default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let roots = self.extra_roots.iter().cloned().map(CertificateDer::from);
        let verifier = Verifier::new_with_extra_roots(roots, provider)?;
        // What is dangerous is a verifier that is none; this one is the operating system's.
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(Arc::new(builder.with_no_client_auth()))
    }
}
