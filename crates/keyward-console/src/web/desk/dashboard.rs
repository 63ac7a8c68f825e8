//! The dashboard: what there is, and what goes on. A part that fails says so; the others stay.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Administered, Count, Error};
use keyward_model::Kind;
use serde_json::Value;

use super::{
    super::visit::Answer,
    both,
    desk_at::Desk,
    doc::text,
    events::{NEWEST, activity_table},
    figures::{Ending, figures},
    happening::{Outcomes, Spans, by_reason, drawn, failed, most_frequent, times},
};
use crate::component::{Block, Content, Deed, Empty, Facts, Panel, Piece, Tone};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(both("dashboard").route(web::get().to(show)));
}

const TOKENS: Outcomes = Outcomes {
    id: "tokens",
    title: "Tokens per hour",
    series: &[("Issued", "token.issued"), ("Refused", "token.denied")],
};

const SIGN_INS: Outcomes = Outcomes {
    id: "sign-ins",
    title: "Sign-ins per hour",
    series: &[("Succeeded", "sign_in.succeeded"), ("Failed", "sign_in.failed")],
};

const REFUSALS: Outcomes = Outcomes {
    id: "refusals-per-hour",
    title: "Refused calls per hour",
    series: &[("API key refused", "api_key.denied"), ("Permission missing", "access.denied")],
};

const GET_STARTED: &str = "/console/get-started";

async fn show(desk: Desk) -> Answer {
    let mut screen = desk.screen("Dashboard", &[]);
    let starts = desk.caller().may(Action::Create, Kind::Application)
        && !desk.signed_in.preferences().first_steps_dismissed();
    if starts {
        screen.deeds.push(Deed::link("Get started", GET_STARTED));
    }
    let spans = Spans::hours(desk.now);
    let counts = spans.counted(&desk, None, None).await;
    let ending = Ending::of(&desk).await;
    let refused = counts.as_ref().ok().map(|counts| times(counts, "sign_in.failed"));
    let (blocks, nothing) = figures(&desk, ending.as_ref().ok(), refused).await;
    screen.blocks.extend(blocks);
    screen.blocks.push(health(&desk).await.into());
    match &counts {
        Ok(counts) if nothing && counts.is_empty() => {
            let action = starts.then(|| ("Get started".to_owned(), GET_STARTED.to_owned()));
            let text = "Nothing has happened yet.".to_owned();
            screen.blocks.push(Block::Empty(Empty { text, action }));
        }
        Ok(counts) => screen.blocks.extend(last_day(&desk, counts, spans).await),
        Err(error) => screen.blocks.push(failed("The last 24 hours", error)),
    }
    match &ending {
        Ok(ending) => {
            let panel =
                |chart| Block::from(Panel::new("expiries", "What ends next", vec![Block::Chart(chart)]));
            screen.blocks.extend(ending.chart(&desk).map(panel));
        }
        Err(error) => screen.blocks.push(failed("What ends next", error)),
    }
    let wanted: Vec<(&str, &str)> =
        desk.place.as_ref().map(|place| ("tenant_id", place.id.as_str())).into_iter().collect();
    let latest = activity_table(&desk, &wanted).await?;
    screen.blocks.push(Panel::new("activity", "Latest", latest).into());
    Ok(desk.show(StatusCode::OK, &screen))
}

/// Charts of the last 24 hours, and why what was refused was refused.
async fn last_day(desk: &Desk, counts: &[Count], spans: Spans) -> Vec<Block> {
    let charts = [TOKENS, SIGN_INS, REFUSALS];
    let charts: Vec<Block> = charts.iter().map(|chart| Block::Chart(drawn(chart, counts, spans))).collect();
    let mut blocks = vec![Panel::new("charts", "The last 24 hours", charts).into()];
    blocks.extend(by_reason("refusals", "Refused tokens by reason", counts, "token.denied").map(Block::from));
    blocks.extend(by_reason("keys", "Refused API keys by reason", counts, "api_key.denied").map(Block::from));
    if times(counts, "access.denied") > 0 {
        blocks.extend(missing_permissions(desk).await);
    }
    blocks
}

/// The permissions that were missing most often, among the last hundred refusals.
async fn missing_permissions(desk: &Desk) -> Option<Block> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let since = desk.now.plus_seconds(-86_400).to_string();
    let mut pairs = vec![
        pair("action", "access.denied"),
        pair("cursor", NEWEST),
        pair("per_page", "100"),
        pair("from", &since),
    ];
    pairs.extend(desk.place.as_ref().map(|place| pair("tenant_id", &place.id)));
    let title = "Refused calls by permission";
    let found = match desk.state.keyward.events(&desk.call(), &pairs).await {
        Ok(found) => found.data,
        Err(error) => return Some(failed(title, &error)),
    };
    let mut counted: Vec<(String, u64)> = Vec::new();
    let of_permission = |event: &&Value| text(&event["resource"], "type") == "permission";
    for event in found.iter().filter(of_permission) {
        for name in text(&event["resource"], "name").split(' ').filter(|name| !name.is_empty()) {
            match counted.iter_mut().find(|(known, _)| known == name) {
                Some((_, number)) => *number += 1,
                None => counted.push((name.to_owned(), 1)),
            }
        }
    }
    let panel = most_frequent("missing", title, "Permission", counted)?;
    Some(panel.help("Of the last 100 refusals in 24 hours.").into())
}

/// Whether the server works.
async fn health(desk: &Desk) -> Panel {
    let health = match desk.state.keyward.ready().await {
        Ok(()) => Piece::Badge(Tone::Good, "Ready".to_owned()),
        Err(check) => Piece::Badge(Tone::Bad, format!("Not ready: {check}")),
    };
    let mut facts = Facts::default().and("This server", health);
    if !desk.state.about.version.is_empty() {
        facts = facts.and("Version", Content::code(desk.state.about.version.clone()));
    }
    if desk.place.is_none() && desk.caller().may(Action::List, Kind::SigningKey) {
        let more = Piece::Link(desk.link("settings/system"), "Signing keys and configuration".to_owned());
        facts = facts.and("More", more);
    }
    Panel::new("health", "Health", vec![facts.into()])
}

/// How many of these there are here.
pub(super) async fn total<R: Administered>(desk: &Desk, more: &[(&str, &str)]) -> Result<u64, Error> {
    let mut pairs: Vec<(String, String)> =
        more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    pairs.push(("per_page".to_owned(), "1".to_owned()));
    if let Some(place) = desk.place.as_ref().filter(|_| R::KIND != Kind::Tenant) {
        pairs.push(("tenant_id".to_owned(), place.id.clone()));
    }
    let listing = desk.state.keyward.list::<R>(&desk.call(), &pairs).await?;
    Ok(listing.total.unwrap_or_default())
}
