//! `serve`: composes the parts, listens, and stops without losing anything.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpServer, web};
use anyhow::{Context, Result};
use keyward_core::{Keyward, NewClient};
use keyward_http::HttpSettings;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::{
    commands::operator,
    open::{start, without_password},
    settings::Settings,
};

/// How long readiness is false before the port closes, so that balancers look elsewhere first.
const DRAIN: Duration = Duration::from_millis(300);

/// Routes of another application beside Keyward's.
pub(crate) type Routes = fn(&mut web::ServiceConfig, &Keyward);

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(settings: Settings) -> Result<()> {
    run(settings, None, async |keyward, listening| {
        let issuer = &keyward.options().issuer;
        println!("Keyward listens on {listening}");
        println!("  issuer   {issuer}");
        println!("  API      {issuer}/api/v1/admin, described at {issuer}/openapi.json");
        println!("  console  {issuer}/console");
        match keyward.setup_link().await? {
            Some(link) => println!("Make the first administrator: {link}"),
            None => println!("Make a client for the admin API with: keyward admin create-client NAME"),
        }
        Ok(())
    })
    .await
}

/// Serves Keyward and `routes`; `announce` runs once the port is open.
pub(crate) async fn run(
    settings: Settings,
    routes: Option<Routes>,
    announce: impl AsyncFnOnce(&Keyward, &str) -> Result<()>,
) -> Result<()> {
    crate::log::start(&settings);
    let metrics = PrometheusBuilder::new().install_recorder().context("the metrics could not be set up")?;
    // The port first: a server that can't listen leaves the database as it is.
    let listener = settings.listen()?;
    let listening = listener.local_addr()?;
    let keyward = start(&settings, settings.options(listening)).await?;
    bootstrap(&settings, &keyward).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let http = HttpSettings {
        trusted_proxies: settings.trusted_proxies.clone(),
        draining: draining.clone(),
        ..HttpSettings::default()
    };
    let about = keyward_console::About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: without_password(&settings.database_url),
        configuration: settings.shown.clone(),
    };
    let app = {
        let keyward = keyward.clone();
        move || {
            let app = App::new().app_data(web::Data::new(keyward.clone()));
            let app = app
                .wrap(keyward_http::wrap(&keyward, &http))
                .configure(keyward_http::configure(&keyward, &http))
                .configure(keyward_console::configure(&keyward, &http, about.clone()));
            app.configure(|config| {
                if let Some(routes) = routes {
                    routes(config, &keyward);
                }
            })
        }
    };
    let server = HttpServer::new(app)
        .workers(settings.workers)
        .client_request_timeout(Duration::from_secs(10))
        .shutdown_timeout(8)
        .disable_signals()
        .listen(listener)?
        .run();
    actix_web::rt::spawn(tidy_metrics(metrics.clone()));
    let metrics_server = settings.metrics_bind.map(|bind| serve_metrics(bind, metrics)).transpose()?;
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    // Whoever reads the announcement may stop the server at once.
    let stopped = stopped()?;
    announce(&keyward, &format!("http://{listening}")).await?;
    stopped.await;
    draining.store(true, Ordering::SeqCst);
    keyward.drain();
    tokio::time::sleep(DRAIN).await;
    handle.stop(true).await;
    serving.await??;
    if let Some(handle) = metrics_server {
        handle.stop(false).await;
    }
    keyward.stop().await;
    Ok(())
}

/// Makes what the configuration names: an administrator while there is none, and a client unless it is there.
async fn bootstrap(settings: &Settings, keyward: &Keyward) -> Result<()> {
    if let Some(admin) = &settings.bootstrap_admin
        && keyward.needs_first_admin().await?
    {
        let made = keyward.bootstrap_admin(&operator(), &admin.email, admin.password.clone()).await;
        made.context("bootstrap.admin_email")?;
    }
    let Some(client) = &settings.bootstrap else { return Ok(()) };
    let scopes = "admin:read admin:write".parse().context("the bootstrap client's permissions")?;
    let new = NewClient { client_id: client.client_id.clone(), scopes, secret: Some(client.secret.clone()) };
    match keyward.create_client(&operator(), new).await {
        Ok(_) | Err(keyward_core::Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Serves the metrics on a listener of their own.
fn serve_metrics(bind: SocketAddr, metrics: PrometheusHandle) -> Result<actix_web::dev::ServerHandle> {
    let app = move || {
        let metrics = metrics.clone();
        App::new().route("/metrics", web::get().to(move || std::future::ready(metrics.render())))
    };
    let bound = HttpServer::new(app).workers(1).disable_signals().bind(bind);
    let server = bound.with_context(|| format!("metrics.bind: the address {bind} can't be used"))?.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(handle)
}

/// Folds what histograms have gathered, without which they would grow for ever.
async fn tidy_metrics(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// Listens for signals from now on; what it returns ends when the process is asked to stop.
fn stopped() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}
