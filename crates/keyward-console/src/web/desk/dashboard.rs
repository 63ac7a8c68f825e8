//! The dashboard: what there is, and what goes on.

use std::collections::BTreeMap;

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Administered, Count, Error};
use keyward_model::{ApiKey, Application, Kind, Tenant, Timestamp, User};

use super::{
    super::visit::{Answer, Refused},
    both,
    desk_at::{Desk, query},
    doc::{moment, so_many},
    events::activity_table,
};
use crate::{
    Notice, Severity,
    component::{Block, Chart, Content, Figure, Figures, Panel, Row, Series, Table, Tone},
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(both("dashboard").route(web::get().to(show)));
}

/// How many hours the charts tell of.
const HOURS: i64 = 24;

async fn show(desk: Desk) -> Answer {
    let mut screen = desk.screen("Dashboard", &[]);
    if desk.query().given("no-start").is_none() && desk.caller().may(Action::Create, Kind::Application) {
        screen.deeds.push(crate::component::Deed::link("Get started", "/console/get-started"));
    }
    let since = desk.now.plus_seconds(-(HOURS - 1) * 3_600);
    let mut charts = Vec::new();
    let (mut failed, mut why) = (0, None);
    for chart in [TOKENS, SIGN_INS] {
        match counted(&desk, &chart, since).await {
            Ok(counts) => {
                if chart.prefix == SIGN_INS.prefix {
                    failed = of(&counts, "sign_in.failed");
                }
                charts.push(Block::Chart(drawn(&chart, &counts, since)));
                if chart.prefix == TOKENS.prefix {
                    why = refusals(&counts);
                }
            }
            // One that fails says so; the others stay.
            Err(error) => {
                let words = format!("{}: {error}", chart.title);
                charts.push(Block::Notice(Notice::new(Severity::Error, words)));
            }
        }
    }
    screen.blocks.push(Block::Figures(figures(&desk, failed).await?));
    screen.blocks.push(Panel::new("charts", "The last 24 hours", charts).into());
    screen.blocks.extend(why.map(Block::Panel));
    if desk.caller().may(Action::List, Kind::Application) {
        let chart = desk.found(expiries(&desk).await)?;
        screen.blocks.push(Panel::new("expiries", "What ends next", vec![Block::Chart(chart)]).into());
    }
    let wanted: Vec<(&str, &str)> =
        desk.place.as_ref().map(|place| ("tenant_id", place.id.as_str())).into_iter().collect();
    let latest = activity_table(&desk, &wanted).await?;
    screen.blocks.push(Panel::new("activity", "Latest", latest).into());
    Ok(desk.show(StatusCode::OK, &screen))
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

async fn figures(desk: &Desk, failed: u64) -> Result<Figures, Refused> {
    let mut figures = Vec::new();
    let may = |kind| desk.caller().may(Action::List, kind);
    let figure = |number: u64, one: &str, more: &str, path: &str, tone| Figure {
        number: number.to_string(),
        label: so_many(number, one, more)
            .split_once(' ')
            .map_or(String::new(), |(_, words)| words.to_owned()),
        href: desk.link(path),
        tone,
    };
    if desk.place.is_none() && may(Kind::Tenant) {
        let tenants = desk.found(total::<Tenant>(desk, &[]).await)?;
        figures.push(figure(tenants, "tenant", "tenants", "tenants", Tone::Plain));
    }
    if may(Kind::User) {
        let users = desk.found(total::<User>(desk, &[]).await)?;
        figures.push(figure(users, "user", "users", "users", Tone::Plain));
    }
    if may(Kind::Application) {
        let clients = desk.found(total::<Application>(desk, &[("type", "service")]).await)?;
        figures.push(figure(clients, "API client", "API clients", "settings/iam/api-access", Tone::Plain));
        let soon = [("type", "service"), ("expires_within_days", "30")];
        let expiring = desk.found(total::<Application>(desk, &soon).await)?;
        let tone = if expiring > 0 { Tone::Warning } else { Tone::Plain };
        let path = format!("settings/iam/api-access?{}", query(&[("expires_within_days", "30")]));
        figures.push(figure(expiring, "expires within 30 days", "expire within 30 days", &path, tone));
        let over = [("type", "service"), ("expired", "true")];
        let expired = desk.found(total::<Application>(desk, &over).await)?;
        let tone = if expired > 0 { Tone::Warning } else { Tone::Plain };
        let path = format!("settings/iam/api-access?{}", query(&[("expired", "true")]));
        figures.push(figure(expired, "API client expired", "API clients expired", &path, tone));
    }
    if may(Kind::ApiKey) {
        let keys = desk.found(total::<ApiKey>(desk, &[]).await)?;
        figures.push(figure(keys, "API key", "API keys", "settings/security/api-keys", Tone::Plain));
    }
    let tone = if failed > 0 { Tone::Warning } else { Tone::Plain };
    let path = format!("audit?{}", query(&[("action", "sign_in.failed")]));
    figures.push(figure(failed, "failed sign-in in 24 hours", "failed sign-ins in 24 hours", &path, tone));
    Ok(Figures { figures })
}

/// How many weeks ahead the chart of expiries tells of.
const WEEKS: usize = 12;

/// How many API clients expire in each of the next weeks.
async fn expiries(desk: &Desk) -> Result<Chart, Error> {
    let days = (WEEKS * 7).to_string();
    let mut pairs = vec![
        ("type".to_owned(), "service".to_owned()),
        ("expires_within_days".to_owned(), days),
        ("sort".to_owned(), "expires_at".to_owned()),
        ("per_page".to_owned(), "100".to_owned()),
    ];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    let listing = desk.state.keyward.list::<Application>(&desk.call(), &pairs).await?;
    let mut numbers = vec![0; WEEKS];
    for doc in &listing.data {
        let ahead = moment(doc, "expires_at").map(|at| at.unix_seconds() - desk.now.unix_seconds());
        let week = ahead.and_then(|seconds| usize::try_from(seconds / (7 * 86_400)).ok());
        if let Some(number) = week.and_then(|week| numbers.get_mut(week)) {
            *number += 1;
        }
    }
    let total = listing.total.unwrap_or_default();
    let first = if total > 100 { " The first 100 are drawn." } else { "" };
    let begins = |week: usize| i64::try_from(week).unwrap_or_default() * 7 * 86_400;
    Ok(Chart {
        id: "expiries-by-week",
        title: "API clients that expire, by week".to_owned(),
        summary: format!("{} in the next {WEEKS} weeks.{first}", so_many(total, "expires", "expire")),
        labels: (0..WEEKS).map(|week| desk.now.plus_seconds(begins(week)).date_for_people()).collect(),
        series: vec![Series { name: "Expire".to_owned(), numbers }],
    })
}

/// A chart of events by their outcome.
struct Outcomes {
    id: &'static str,
    title: &'static str,
    prefix: &'static str,
    series: [(&'static str, &'static str); 2],
}

const TOKENS: Outcomes = Outcomes {
    id: "tokens",
    title: "Tokens per hour",
    prefix: "token.",
    series: [("Issued", "token.issued"), ("Refused", "token.denied")],
};

const SIGN_INS: Outcomes = Outcomes {
    id: "sign-ins",
    title: "Sign-ins per hour",
    prefix: "sign_in.",
    series: [("Succeeded", "sign_in.succeeded"), ("Failed", "sign_in.failed")],
};

async fn counted(desk: &Desk, chart: &Outcomes, since: Timestamp) -> Result<Vec<Count>, Error> {
    let tenant = desk.place.as_ref().map(|place| place.id.as_str());
    desk.state.keyward.counts(&desk.call(), chart.prefix, tenant, since, 3_600).await
}

fn of(counts: &[Count], action: &str) -> u64 {
    counts.iter().filter(|count| count.action == action).map(|count| count.count).sum()
}

fn drawn(chart: &Outcomes, counts: &[Count], since: Timestamp) -> Chart {
    let first = since.unix_seconds().div_euclid(3_600);
    let labels = (0..HOURS).map(|hour| {
        let at = since.plus_seconds(hour * 3_600);
        at.as_chrono().format("%-d %b, %H:00").to_string()
    });
    let numbers = |action: &str| {
        let mut numbers = vec![0; usize::try_from(HOURS).unwrap_or_default()];
        for count in counts.iter().filter(|count| count.action == action) {
            let index =
                usize::try_from(count.from.unix_seconds().div_euclid(3_600) - first).unwrap_or(usize::MAX);
            if let Some(number) = numbers.get_mut(index) {
                *number += count.count;
            }
        }
        numbers
    };
    let [(well, done), (badly, refused)] = chart.series;
    Chart {
        id: chart.id,
        title: chart.title.to_owned(),
        summary: format!("{well} {}, {} {}.", of(counts, done), badly.to_lowercase(), of(counts, refused)),
        labels: labels.collect(),
        series: chart
            .series
            .iter()
            .map(|(name, action)| Series { name: (*name).to_owned(), numbers: numbers(action) })
            .collect(),
    }
}

/// Refused tokens by reason, the most frequent first.
fn refusals(counts: &[Count]) -> Option<Panel> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for count in counts.iter().filter(|count| count.action == "token.denied") {
        *reasons.entry(count.reason.as_deref().unwrap_or("other")).or_default() += count.count;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons.truncate(10);
    if reasons.is_empty() {
        return None;
    }
    let row = |(reason, count): &(&str, u64)| Row {
        cells: vec![Content::words(reason.replace('_', " ")), Content::words(count.to_string())],
        ..Row::default()
    };
    let table = Table {
        caption: "Refused tokens by reason".to_owned(),
        columns: vec!["Reason", "Times"],
        rows: reasons.iter().map(row).collect(),
        empty: String::new(),
    };
    Some(Panel::new("refusals", "Refused tokens by reason", vec![Block::Table(table)]))
}
