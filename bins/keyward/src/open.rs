//! Opening the database and finding its master key, such that a lost database is never mistaken for a new one.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use keyward_core::{Keyward, MasterKey, Options};
use keyward_crypto::random::SystemRandom;
use keyward_federation::{
    Providers,
    outbound::{Outbound, OutboundOptions},
};
use keyward_model::{Clock, SystemClock};
use keyward_store::Store;
use keyward_store_diesel::{DieselStore, Presence};

use crate::{mail::Smtp, settings::Settings};

fn store_options(settings: &Settings, create: bool) -> keyward_store_diesel::Options {
    keyward_store_diesel::Options {
        create,
        pool_size: settings.pool_size,
        ..keyward_store_diesel::Options::new(&settings.database_url)
    }
}

/// The file that holds the master key when the configuration does not.
fn key_file(settings: &Settings) -> PathBuf {
    settings.data_dir().join("master.key")
}

/// Opens the database, made and brought up to date when needed, and its master key.
pub(crate) async fn open(settings: &Settings) -> Result<(Arc<dyn Store>, MasterKey)> {
    let presence = keyward_store_diesel::inspect(&settings.database_url)?;
    let file = key_file(settings);
    let is_new = matches!(presence, Presence::Missing | Presence::Empty);
    if is_new && settings.master_key.is_none() && file.exists() {
        bail!(
            "the master key {} is there, but its database {} is missing or empty: restore the database, or move the key \
             away to begin anew",
            file.display(),
            without_password(&settings.database_url)
        );
    }
    if is_new {
        let folder = settings.data_dir();
        fs::create_dir_all(&folder)
            .with_context(|| format!("the directory {} can't be made", folder.display()))?;
    } else if settings.master_key.is_none() && !file.exists() {
        // Opened without changing anything: whether it is in use decides what its missing key means.
        let store = DieselStore::open(store_options(settings, false))?;
        let in_use = match presence {
            Presence::Keyward { pending } if pending.is_empty() => {
                keyward_core::is_set_up(&store, SystemClock.now()).await?
            }
            _ => true,
        };
        if in_use {
            bail!(
                "the master key of this database is missing: {} does not exist and crypto.master_key is not set",
                file.display()
            );
        }
    }
    let store = DieselStore::open(store_options(settings, true))?;
    store.migrate()?;
    let master = match &settings.master_key {
        Some(key) => key.clone(),
        None => read_or_make(&file)?,
    };
    Ok((Arc::new(store), master))
}

/// Opens a database that is there already, for reading.
pub(crate) fn open_existing(settings: &Settings) -> Result<DieselStore> {
    match keyward_store_diesel::inspect(&settings.database_url)? {
        Presence::Keyward { .. } => Ok(DieselStore::open(store_options(settings, false))?),
        Presence::Missing | Presence::Empty => {
            bail!("there is no Keyward database at {}", without_password(&settings.database_url))
        }
    }
}

/// Starts the core without serving, for a command.
pub(crate) async fn start(settings: &Settings, options: Options) -> Result<Keyward> {
    let (store, master) = open(settings).await?;
    let keyward =
        Keyward::start(store, &master, options, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let allowed = OutboundOptions { allow: settings.outbound.clone(), ..OutboundOptions::default() };
    keyward.federate_by(Arc::new(Providers::new(Outbound::new(allowed))));
    if let Some(mail) = &settings.mail {
        keyward.mail_by(Arc::new(Smtp::new(mail)?));
    }
    Ok(keyward)
}

/// The key in the file, or a new one; whoever makes the file first decides, when several start together.
fn read_or_make(file: &Path) -> Result<MasterKey> {
    if !file.exists() {
        let key = MasterKey::generate(&SystemRandom);
        let folder = file.parent().unwrap_or(Path::new("."));
        let draft = folder.join(format!(".master.key.{}", std::process::id()));
        write_private(&draft, &key.to_base64())
            .with_context(|| format!("the master key can't be written to {}", folder.display()))?;
        // A link appears whole, and never replaces a file that is there.
        let linked = fs::hard_link(&draft, file);
        fs::remove_file(&draft).ok();
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error)
                    .with_context(|| format!("the master key can't be written to {}", file.display()));
            }
            _ => {}
        }
    }
    let text = fs::read_to_string(file)
        .with_context(|| format!("the master key {} can't be read", file.display()))?;
    MasterKey::from_base64(text.trim())
        .with_context(|| format!("the master key {} is not valid", file.display()))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// A database's address as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            let masked = parsed.set_password(Some("***"));
            masked.map_or_else(|()| "the database".to_owned(), |()| parsed.to_string())
        }
        _ => url.to_owned(),
    }
}
