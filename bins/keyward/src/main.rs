//! The Keyward server and its operations: composes the crates, configures, serves. No rules of its own.

mod commands;
mod config;
mod demo;
mod log;
mod mail;
mod open;
mod serve;
mod settings;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use config::Config;
use settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of every refusal to start.
const REFUSED: u8 = 3;

/// The access server for a platform's administrative APIs.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// A configuration file (TOML).
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// A value of the configuration, for example --set http.bind=127.0.0.1:9000.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    values: Vec<(String, String)>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve {
        /// On a throw-away database with a demonstration platform inside.
        #[arg(long)]
        demo: bool,
    },
    /// Administration on the machine, beside the server or without it.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// The database's tables.
    Migrate {
        /// What to do.
        action: MigrateAction,
    },
    /// The keys that sign tokens.
    SigningKey {
        /// What to do.
        action: SigningKeyAction,
    },
    /// The audit log.
    Audit {
        /// What to do.
        action: AuditAction,
    },
    /// The configuration.
    Config {
        /// What to do.
        action: ConfigAction,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make a super admin.
    Create {
        /// The address by which the person signs in.
        #[arg(long)]
        email: String,
        /// What the person is called; the address when left out.
        #[arg(long)]
        name: Option<String>,
        /// A file with the person's password; a link for choosing one is printed when left out.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// Print the one-time link by which the first administrator is made.
    SetupLink,
    /// Print a one-time link by which a user chooses a password.
    PasswordLink {
        /// The user's address.
        #[arg(long)]
        email: String,
    },
    /// Print a short-lived token of a user, for the admin API.
    Token {
        /// The user's address.
        #[arg(long)]
        email: String,
    },
    /// Make a global application for the admin API, and show its secret once.
    CreateClient {
        /// The client identifier: a to z, 0 to 9 and hyphen.
        name: String,
        /// Its permissions, separated by spaces.
        #[arg(long, default_value = "admin:read admin:write")]
        scope: String,
        /// How to print it.
        #[arg(short, long, default_value = "text")]
        output: Output,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum MigrateAction {
    /// Which migrations there are, and which have run.
    Status,
    /// Run those that have not.
    Up,
}

#[derive(Clone, Copy, ValueEnum)]
enum SigningKeyAction {
    /// Which keys there are.
    List,
    /// Publish new keys; they sign as soon as every cache of the old JWKS has expired.
    Rotate,
}

#[derive(Clone, Copy, ValueEnum)]
enum AuditAction {
    /// Prove that nothing was changed or removed.
    Verify,
}

#[derive(Clone, Copy, ValueEnum)]
enum ConfigAction {
    /// Check every value.
    Check,
    /// Print every value with its source, secrets masked.
    Show,
    /// Print the reference of all keys, as Markdown.
    Reference,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Why a command ends without success.
enum Failure {
    /// It did not start.
    Refused(anyhow::Error),
    /// It started, and found something wrong.
    Found(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error)
    }
}

fn main() -> ExitCode {
    let (error, code) = match run(Cli::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(error)) => (error, REFUSED),
        Err(Failure::Found(error)) => (error, 1),
    };
    // One sentence: the causes behind the first are part of it.
    eprintln!("keyward: {error:#}");
    ExitCode::from(code)
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Command::Config { action: ConfigAction::Reference } = cli.command {
        print!("{}", config::reference());
        return Ok(());
    }
    let config = Config::load(cli.config.as_deref(), &cli.values)?;
    if let Command::Config { action: ConfigAction::Show } = cli.command {
        print!("{}", config.show());
        return Ok(());
    }
    let settings = Settings::from_config(&config)?;
    let system = actix_web::rt::System::new();
    match cli.command {
        Command::Serve { demo: false } => Ok(system.block_on(serve::serve(settings))?),
        Command::Serve { demo: true } => Ok(system.block_on(demo::serve(&config))?),
        Command::Admin(command) => Ok(system.block_on(administrate(&settings, command))?),
        Command::Migrate { action } => Ok(commands::migrate(&settings, action)?),
        Command::SigningKey { action } => Ok(system.block_on(commands::signing_keys(&settings, action))?),
        Command::Audit { action: AuditAction::Verify } => system.block_on(commands::verify_audit(&settings)),
        Command::Config { .. } => {
            println!("The configuration is valid.");
            Ok(())
        }
    }
}

async fn administrate(settings: &Settings, command: AdminCommand) -> anyhow::Result<()> {
    match command {
        AdminCommand::Create { email, name, password_file } => {
            commands::create_admin(settings, &email, name.as_deref(), password_file.as_deref()).await
        }
        AdminCommand::SetupLink => commands::setup_link(settings).await,
        AdminCommand::PasswordLink { email } => commands::password_link(settings, &email).await,
        AdminCommand::Token { email } => commands::user_token(settings, &email).await,
        AdminCommand::CreateClient { name, scope, output } => {
            commands::create_client(settings, name, &scope, output).await
        }
    }
}
