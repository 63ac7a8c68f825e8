//! Sign-in policy, as the configuration has it.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::Kind;

use super::{super::visit::Answer, desk_at::Desk, users::tier};
use crate::{
    Notice, Severity,
    component::{Block, Content, Panel, Row, Table},
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/console/settings/security/sign-in-policy").get(show));
}

/// Seconds as people count them.
fn duration(seconds: u32) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

async fn show(desk: Desk) -> Answer {
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::List, Kind::User).await)?;
    let options = desk.state.keyward.options();
    let sign_in = &options.sign_in;
    let tiers: Vec<&str> = sign_in.totp_required.iter().map(|role| tier(role.as_str())).collect();
    let required = if tiers.is_empty() { "Nobody".to_owned() } else { tiers.join(", ") };
    let row = |what: &str, value: String, key: &str| Row {
        cells: vec![Content::words(what), Content::words(value), Content::code(key)],
        ..Row::default()
    };
    let table = Table {
        caption: "Sign-in policy".to_owned(),
        columns: vec!["What", "Value", "Configuration"],
        rows: vec![
            row("Two-step sign-in is required for", required, "sign_in.totp_required"),
            row("A session ends without use after", duration(sign_in.idle_seconds), "sign_in.idle_seconds"),
            row(
                "A session ends at the latest after",
                duration(sign_in.absolute_seconds),
                "sign_in.absolute_seconds",
            ),
            row(
                "A refresh token ends at the latest after",
                duration(sign_in.refresh_seconds),
                "sign_in.refresh_seconds",
            ),
            row("Passwords", "8 characters or more, none that is known from leaks".to_owned(), "–"),
            row(
                "API clients expire at the latest after",
                format!("{} days", options.max_expiry_days),
                "clients.max_expiry_days",
            ),
            row(
                "API clients can be renewed",
                if options.allow_renew { "Yes" } else { "No" }.to_owned(),
                "clients.allow_renew",
            ),
            row("Access tokens live", duration(options.token_lifetime), "token.lifetime"),
        ],
        empty: String::new(),
    };
    let mut screen = desk.screen("Sign-in policy", &[]);
    let words = "It is part of the configuration of the server: whoever runs it changes it there, and starts it again.";
    screen.blocks = vec![
        Block::Notice(Notice::new(Severity::Info, words)),
        Panel::new("policy", "Policy", vec![Block::Table(table)]).into(),
    ];
    Ok(desk.show(StatusCode::OK, &screen))
}
