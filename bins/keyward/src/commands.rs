//! Operations on the machine: they work without the server and beside it.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use keyward_core::{Call, Caller, Keyward, NewClient, Origin, VerifyError};
use keyward_model::ScopeSet;
use serde_json::{Value, json};

use crate::{
    Failure, MigrateAction, Output, SigningKeyAction,
    open::{open_existing, start},
    settings::Settings,
};

/// Somebody at this machine's command line.
pub(crate) fn operator() -> Call {
    let name = std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| "operator".to_owned());
    let origin = Origin {
        user_agent: Some(concat!("keyward/", env!("CARGO_PKG_VERSION")).to_owned()),
        ..Origin::default()
    };
    Call { caller: Caller::operator(&name), origin, idempotency: None }
}

/// Does something with a running core, and stops it whatever came of it.
async fn with_core<T>(settings: &Settings, work: impl AsyncFnOnce(&Keyward) -> Result<T>) -> Result<T> {
    let keyward = start(settings, settings.options(settings.bind)).await?;
    let result = work(&keyward).await;
    keyward.stop().await;
    result
}

pub(crate) async fn create_client(
    settings: &Settings,
    name: String,
    scope: &str,
    output: Output,
) -> Result<()> {
    let scopes: ScopeSet = scope.parse().context("--scope")?;
    let new = NewClient { client_id: name, scopes, secret: None };
    let created = with_core(settings, async |keyward| Ok(keyward.create_client(&operator(), new).await));
    let (client_id, client_secret) = created.await?.map_err(explained)?;
    match output {
        Output::Json => println!("{}", json!({ "client_id": client_id, "client_secret": client_secret })),
        Output::Text => {
            println!("client_id      {client_id}");
            println!("client_secret  {client_secret}");
            eprintln!("The secret is shown this once.");
        }
    }
    Ok(())
}

pub(crate) async fn create_admin(
    settings: &Settings,
    email: &str,
    name: Option<&str>,
    password_file: Option<&Path>,
) -> Result<()> {
    let password = password_file.map(password_in).transpose()?;
    if let Some(password) = &password {
        keyward_crypto::password::check(password, &[email]).context("--password-file")?;
    }
    with_core(settings, async |keyward| {
        let call = operator();
        let id = keyward.create_admin(&call, email, name).await.map_err(explained)?;
        println!("{id}");
        if let Some(password) = password {
            return Ok(keyward.set_password(&call, &id, password).await?);
        }
        let link = keyward.password_link(&call, email).await.map_err(explained)?;
        eprintln!("A link for choosing the password, which works once, within seven days:\n{link}");
        Ok(())
    })
    .await
}

/// The password in a file, without the end of its line.
fn password_in(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

pub(crate) async fn setup_link(settings: &Settings) -> Result<()> {
    match with_core(settings, async |keyward| Ok(keyward.setup_link().await?)).await? {
        Some(link) => println!("{link}"),
        None => {
            bail!("there is an administrator already; another is made with: keyward admin create --email E")
        }
    }
    Ok(())
}

pub(crate) async fn password_link(settings: &Settings, email: &str) -> Result<()> {
    let made = with_core(settings, async |keyward| Ok(keyward.password_link(&operator(), email).await));
    match made.await? {
        Err(keyward_core::Error::NotFound) => bail!("there is no user {email}"),
        link => println!("{}", link.map_err(explained)?),
    }
    Ok(())
}

pub(crate) async fn user_token(settings: &Settings, email: &str) -> Result<()> {
    let token = with_core(settings, async |keyward| Ok(keyward.user_token(&operator(), email).await)).await?;
    match token {
        Err(keyward_core::Error::NotFound) => bail!("there is no user {email}"),
        other => println!("{}", other.map_err(explained)?),
    }
    Ok(())
}

/// An error of the core with what is wrong with each field.
fn explained(error: keyward_core::Error) -> anyhow::Error {
    match error {
        keyward_core::Error::Invalid(fields) => {
            let details: Vec<String> =
                fields.into_iter().map(|field| format!("{}: {}", field.pointer, field.detail)).collect();
            anyhow!("{}", details.join("; "))
        }
        other => other.into(),
    }
}

pub(crate) fn migrate(settings: &Settings, action: MigrateAction) -> Result<()> {
    let store = match action {
        MigrateAction::Status => open_existing(settings)?,
        MigrateAction::Up => {
            let store = open_existing(settings)?;
            store.migrate()?;
            store
        }
    };
    for migration in store.migration_status()? {
        println!("{}  {}", if migration.applied { "done   " } else { "pending" }, migration.name);
    }
    Ok(())
}

pub(crate) async fn signing_keys(settings: &Settings, action: SigningKeyAction) -> Result<()> {
    with_core(settings, async |keyward| {
        let call = operator();
        if matches!(action, SigningKeyAction::Rotate) {
            keyward.rotate_signing_keys(&call, json!({})).await?;
        }
        let pairs = [("per_page".to_owned(), "100".to_owned())];
        for key in keyward.signing_keys(&call, &pairs).await?.data {
            let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
            let until = if key["retires_at"] == Value::Null {
                String::new()
            } else {
                format!("  until {}", text("retires_at"))
            };
            println!(
                "{:<5}  {:<9}  from {}{until}  {}",
                text("algorithm"),
                text("state"),
                text("active_at"),
                text("kid")
            );
        }
        Ok(())
    })
    .await
}

pub(crate) async fn verify_audit(settings: &Settings) -> Result<(), Failure> {
    let store = open_existing(settings)?;
    match keyward_core::verify_audit(&store).await {
        Ok(report) => {
            println!(
                "The audit log is whole: {} events in {} chains, {} signed checkpoints.",
                report.events, report.chains, report.checkpoints
            );
            Ok(())
        }
        Err(VerifyError::Fault(fault)) => Err(Failure::Found(anyhow!("the audit log is not whole: {fault}"))),
        Err(error) => Err(Failure::Refused(error.into())),
    }
}
