//! `serve --demo`: a throw-away database with a demonstration platform inside, and a sample API that it protects.

use std::path::Path;

use actix_web::{HttpResponse, web};
use anyhow::{Context, Result, bail};
use keyward_core::{Call, Keyward, NewClient, Origin, Presented};
use keyward_guard::{
    Admitted, Authority, BoxError, BoxFuture, Credentials, Guard, Mode, Refusal, Requirement,
};
use keyward_model::{ApiKey, Application, Partner, Permission, Tenant};
use serde_json::{Value, json};

use crate::{commands::operator, config::Config, serve, settings::Settings};

/// The demonstration's administrator.
const ADMINISTRATOR: &str = "ada@demo.example";
/// Her password.
const PASSWORD: &str = "analytical engine 1843";

/// Serves the demonstration until it is stopped; the database goes with it.
pub(crate) async fn serve(config: &Config) -> Result<()> {
    if let Some(url) = config.changed("database.url") {
        bail!("--demo uses a throw-away database of its own, not {}", crate::open::without_password(url));
    }
    let folder = std::env::temp_dir().join(format!("keyward-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the directory {} can't be made", folder.display()))?;
    let mut settings = Settings::from_config(config)?;
    if config.changed("sign_in.totp_required").is_none() {
        settings.without_second_factors();
    }
    settings.database_url = format!("sqlite://{}", folder.join("keyward.db").display());
    let result = serve::run(settings, Some(routes), async |keyward: &Keyward, base: &str| {
        let platform = Platform::build(keyward).await?;
        platform.print(base, &folder);
        Ok(())
    })
    .await;
    std::fs::remove_dir_all(&folder).ok();
    result
}

/// What the demonstration consists of.
struct Platform {
    client: (String, String),
    key: String,
    admin: (String, String),
    administrator: &'static str,
}

async fn create<R: keyward_core::Administered>(keyward: &Keyward, call: &Call, body: Value) -> Result<Value> {
    Ok(keyward.create::<R>(call, body).await?.body)
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    text.with_context(|| format!("the demonstration has no {pointer}"))
}

impl Platform {
    async fn build(keyward: &Keyward) -> Result<Self> {
        let call = operator();
        let row = json!({ "resource": "points", "label": "Points", "view": "points:read", "change": ["points:write"] });
        create::<Permission>(keyward, &call, row).await?;
        let partner = json!({ "name": "Northwind Partners", "slug": "northwind" });
        let partner = create::<Partner>(keyward, &call, partner).await?;
        let tenant = json!({ "name": "Acme", "slug": "acme", "partner_id": text(&partner, "/id")? });
        let tenant = create::<Tenant>(keyward, &call, tenant).await?;
        let client = json!({
            "name": "CRM sync", "type": "service", "tenant_id": text(&tenant, "/id")?, "client_id": "crm-sync",
            "allowed_scopes": ["points:read"], "notes": "Reads points every night. May not change them."
        });
        let client = create::<Application>(keyward, &call, client).await?;
        let key = json!({
            "name": "Till in Zurich", "tenant_id": text(&tenant, "/id")?, "permissions": ["points:read"]
        });
        let key = create::<ApiKey>(keyward, &call, key).await?;
        let admin = keyward.create_admin(&call, ADMINISTRATOR, Some("Ada Lovelace")).await?;
        keyward.set_password(&call, &admin, PASSWORD.to_owned()).await?;
        let scopes = "admin:read admin:write".parse().context("the demonstration's permissions")?;
        let admin = NewClient { client_id: "demo-admin".to_owned(), scopes, secret: None };
        Ok(Self {
            client: (text(&client, "/client_id")?, text(&client, "/secret/value")?),
            key: text(&key, "/value")?,
            admin: keyward.create_client(&call, admin).await?,
            administrator: ADMINISTRATOR,
        })
    }

    fn print(&self, base: &str, folder: &Path) {
        let token = |(id, secret): &(String, String)| {
            format!(
                "$(curl -s -u '{id}:{secret}' -d grant_type=client_credentials {base}/oauth2/token | \
                 sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
            )
        };
        println!(
            "Keyward's demonstration listens on {base}. Its database is in {} and goes with it.",
            folder.display()
        );
        println!(
            "Tenant acme has the API client {} and an API key, which may read points and not change them;",
            self.client.0
        );
        println!("{} administrates the platform, with the password: {PASSWORD}", self.administrator);
        println!("Sign in at {base}/console");
        println!();
        println!("Try it in another terminal:");
        println!();
        println!("  # an access token for the API client");
        println!("  TOKEN={}", token(&self.client));
        println!("  # a call that it may make");
        println!("  curl -s -H \"Authorization: Bearer $TOKEN\" {base}/sample/points; echo");
        println!("  # a call that it may not make: 403, and what is missing");
        println!("  curl -s -X POST -H \"Authorization: Bearer $TOKEN\" {base}/sample/points; echo");
        println!("  # the same by the tenant's API key");
        println!("  curl -s -H 'X-Api-Key: {}' {base}/sample/points; echo", self.key);
        println!("  # both calls of the client in the audit log");
        println!("  ADMIN={}", token(&self.admin));
        println!(
            "  curl -s -H \"Authorization: Bearer $ADMIN\" '{base}/api/v1/admin/audit?action=token.issued&per_page=2'; echo"
        );
        println!(
            "  curl -s -H \"Authorization: Bearer $ADMIN\" '{base}/api/v1/admin/audit?action=access.denied'; echo"
        );
        println!();
        println!("The API is described at {base}/openapi.json. Ctrl-C ends the demonstration.");
    }
}

/// The sample API, behind the guard that any API can have. Being in the same process it asks Keyward itself, so that what is
/// refused is in the audit log.
fn routes(config: &mut web::ServiceConfig, keyward: &Keyward) {
    let options = keyward.options();
    let guard = Guard::builder(&options.issuer)
        .audience(&options.audience)
        .environment(options.default_environment())
        .mode(Mode::Either)
        .decided_by(InProcess(keyward.clone()))
        .build();
    let guard = match guard {
        Ok(guard) => guard,
        Err(error) => return tracing::error!(%error, "the sample API can't be protected"),
    };
    let read = web::get().to(read_points).wrap(guard.require("points:read"));
    let add = web::post().to(add_points).wrap(guard.require("points:write"));
    config.service(web::resource("/sample/points").route(read).route(add));
}

async fn read_points() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "points": [{ "member": "m-1", "balance": 120 }] }))
}

async fn add_points() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "member": "m-1", "balance": 130 }))
}

/// Keyward as the authority of a guard.
struct InProcess(Keyward);

impl Authority for InProcess {
    fn decide<'a>(
        &'a self,
        requirement: &'a Requirement,
        credentials: &'a Credentials<'a>,
    ) -> BoxFuture<'a, Result<Result<Admitted, Refusal>, BoxError>> {
        let (authorization, api_key) = (credentials.authorization(), credentials.api_key());
        let origin = Origin { ip: credentials.address().map(|ip| ip.to_string()), ..Origin::default() };
        Box::pin(async move {
            let presented = Presented { authorization, api_key };
            Ok(self.0.forward_auth(presented, requirement, None, &origin).await?)
        })
    }
}
