//! Sends mail by SMTP.

use anyhow::{Context, Result};
use async_trait::async_trait;
use keyward_core::{Mail, MailError, Mailer};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use crate::settings;

/// Hands mail to a server.
pub(crate) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    pub(crate) fn new(settings: &settings::Mail) -> Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url).context("mail.url")?;
        let timeout = Some(std::time::Duration::from_secs(10));
        Ok(Self { transport: transport.timeout(timeout).build(), from: settings.from.clone() })
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| MailError(error);
        let message = Message::builder()
            .from(self.from.clone())
            .to(mail.to.parse().map_err(|error: lettre::address::AddressError| failed(error.into()))?)
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .map_err(|error| failed(error.into()))?;
        self.transport.send(message).await.map(|_| ()).map_err(|error| failed(error.into()))
    }
}
