//! The figures of the dashboard: how many of everything, each a link to them.

use keyward_core::{Action, Endings, Error};
use keyward_model::{Kind, Tenant, Timestamp, User};

use super::{
    dashboard::total,
    desk_at::{Desk, query},
    doc::so_many,
    happening::failed,
};
use crate::component::{Block, Chart, Figure, Figures, Series, Tone};

/// A week, in seconds.
const WEEK: i64 = 7 * 86_400;
/// How many weeks ahead the chart of expiries tells of.
const WEEKS: usize = 12;
/// How far ahead somebody should look, in seconds.
const SOON: i64 = 30 * 86_400;

/// What ends in the next weeks, of each kind that somebody may see.
#[derive(Default)]
pub(super) struct Ending {
    clients: Option<Endings>,
    keys: Option<Endings>,
}

impl Ending {
    pub(super) async fn of(desk: &Desk) -> Result<Self, Error> {
        let until = desk.now.plus_seconds(i64::try_from(WEEKS).unwrap_or_default() * WEEK);
        let (keyward, call, tenant) = (&desk.state.keyward, desk.call(), tenant(desk));
        let mut ending = Self::default();
        if desk.caller().may(Action::List, Kind::Application) {
            ending.clients = Some(keyward.clients_ending(&call, tenant, until).await?);
        }
        if desk.caller().may(Action::List, Kind::ApiKey) {
            ending.keys = Some(keyward.keys_ending(&call, tenant, until).await?);
        }
        Ok(ending)
    }

    /// When they end, by the week.
    pub(super) fn chart(&self, desk: &Desk) -> Option<Chart> {
        let (mut series, mut words) = (Vec::new(), Vec::new());
        for (endings, name, one, more) in [
            (&self.clients, "API clients", "API client", "API clients"),
            (&self.keys, "API keys", "API key", "API keys"),
        ] {
            let Some(Endings { ahead, .. }) = endings else { continue };
            words.push(so_many(ahead.len() as u64, one, more));
            series.push(Series { name: name.to_owned(), numbers: by_week(desk, ahead) });
        }
        if series.is_empty() {
            return None;
        }
        let begins = |week: usize| desk.now.plus_seconds(i64::try_from(week).unwrap_or_default() * WEEK);
        Some(Chart {
            id: "expiries-by-week",
            title: "What expires, by week".to_owned(),
            summary: format!("{} in the next {WEEKS} weeks.", words.join(" and ")),
            labels: (0..WEEKS).map(|week| begins(week).date_for_people()).collect(),
            series,
        })
    }
}

fn tenant(desk: &Desk) -> Option<&str> {
    desk.place.as_ref().map(|place| place.id.as_str())
}

/// How many end soon.
fn soon(desk: &Desk, endings: &Endings) -> u64 {
    let limit = desk.now.plus_seconds(SOON);
    endings.ahead.iter().filter(|at| **at < limit).count() as u64
}

fn by_week(desk: &Desk, ahead: &[Timestamp]) -> Vec<u64> {
    let mut numbers = vec![0; WEEKS];
    for at in ahead {
        let week = usize::try_from((at.unix_seconds() - desk.now.unix_seconds()) / WEEK).ok();
        if let Some(number) = week.and_then(|week| numbers.get_mut(week)) {
            *number += 1;
        }
    }
    numbers
}

/// Figures in the making, and what could not be found out.
struct Making<'a> {
    desk: &'a Desk,
    figures: Vec<Figure>,
    failures: Vec<Block>,
}

impl Making<'_> {
    /// One more, with its whole sentence: how many, and what they are.
    fn add(&mut self, number: u64, (one, more): (&str, &str), path: &str, warns: bool) {
        let label = if number == 1 { one } else { more };
        self.figures.push(Figure {
            number: number.to_string(),
            label: label.to_owned(),
            href: self.desk.link(path),
            tone: if warns && number > 0 { Tone::Warning } else { Tone::Plain },
        });
    }

    /// What was found out; a word about it when it was not.
    fn found<T>(&mut self, what: &str, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.failures.push(failed(what, &error))).ok()
    }
}

const CLIENTS: &str = "settings/iam/api-access";
const KEYS: &str = "settings/security/api-keys";

fn where_(path: &str, pairs: &[(&str, &str)]) -> String {
    format!("{path}?{}", query(pairs))
}

/// All figures that somebody may see. One that fails says so, and the others stay.
pub(super) async fn figures(
    desk: &Desk,
    ending: Option<&Ending>,
    refused: Option<u64>,
) -> (Vec<Block>, bool) {
    let mut making = Making { desk, figures: Vec::new(), failures: Vec::new() };
    let may = |kind| desk.caller().may(Action::List, kind);
    if desk.place.is_none() && may(Kind::Tenant) {
        let tenants = total::<Tenant>(desk, &[]).await;
        if let Some(number) = making.found("Tenants", tenants) {
            making.add(number, ("tenant", "tenants"), "tenants", false);
        }
    }
    if may(Kind::User) {
        let users = total::<User>(desk, &[]).await;
        if let Some(number) = making.found("Users", users) {
            making.add(number, ("user", "users"), "users", false);
        }
    }
    if may(Kind::Session) {
        let sessions = desk.state.keyward.active_sessions(&desk.call(), tenant(desk)).await;
        if let Some(number) = making.found("Sessions", sessions) {
            let path = where_("sessions", &[("state", "active")]);
            making.add(number, ("active session", "active sessions"), &path, false);
        }
    }
    let mut empty = true;
    if may(Kind::Application) {
        empty &= clients(&mut making, ending).await;
    }
    if may(Kind::ApiKey) {
        empty &= keys(&mut making, ending).await;
    }
    let since = desk.now.plus_seconds(-86_400).to_string();
    let path = where_("audit", &[("action", "sign_in.failed"), ("from", &since)]);
    let words = ("failed sign-in in 24 hours", "failed sign-ins in 24 hours");
    if let Some(refused) = refused {
        making.add(refused, words, &path, true);
    }
    let mut blocks = vec![Block::Figures(Figures { figures: making.figures })];
    blocks.extend(making.failures);
    (blocks, empty)
}

/// The figures of API clients; whether there are none.
async fn clients(making: &mut Making<'_>, ending: Option<&Ending>) -> bool {
    let desk = making.desk;
    let found = desk.state.keyward.clients_by_status(&desk.call(), tenant(desk)).await;
    let Some((active, disabled)) = making.found("API clients", found) else { return false };
    let path = where_(CLIENTS, &[("status", "active"), ("expired", "false")]);
    making.add(active, ("active API client", "active API clients"), &path, false);
    let Some(endings) = ending.and_then(|ending| ending.clients.as_ref()) else { return false };
    let all = active + disabled + endings.expired;
    making.add(all, ("API client in all", "API clients in all"), CLIENTS, false);
    let path = where_(CLIENTS, &[("expires_within_days", "30")]);
    let words = ("API client expires within 30 days", "API clients expire within 30 days");
    making.add(soon(desk, endings), words, &path, true);
    let path = where_(CLIENTS, &[("expired", "true")]);
    making.add(endings.expired, ("API client expired", "API clients expired"), &path, true);
    all == 0
}

/// The figures of API keys; whether there are none.
async fn keys(making: &mut Making<'_>, ending: Option<&Ending>) -> bool {
    let desk = making.desk;
    let all = desk.state.keyward.how_many(&desk.call(), Kind::ApiKey, tenant(desk)).await;
    let Some(all) = making.found("API keys", all) else { return false };
    making.add(all, ("API key", "API keys"), KEYS, false);
    if let Some(endings) = ending.and_then(|ending| ending.keys.as_ref()) {
        let path = where_(KEYS, &[("expires_within_days", "30")]);
        let words = ("API key expires within 30 days", "API keys expire within 30 days");
        making.add(soon(desk, endings), words, &path, true);
        let path = where_(KEYS, &[("expired", "true")]);
        making.add(endings.expired, ("API key expired", "API keys expired"), &path, true);
    }
    all == 0
}
