//! How people sign in and when they did, on the pages about them.

use std::collections::BTreeMap;

use keyward_core::{Action, UserStanding};
use keyward_model::{AnyId, Kind};
use serde_json::{Value, json};

use super::{
    super::visit::Refused,
    desk_at::{Desk, Names},
    doc::{so_many, text},
};
use crate::{
    Moment,
    component::{Block, Content, Deed, Facts, Panel, Piece, Tone},
};

/// How some people stand, and what the groups and providers of theirs are called.
pub(super) struct People {
    standings: BTreeMap<AnyId, UserStanding>,
    pub(super) names: Names,
}

impl People {
    /// Of these people, with the names of what their documents refer to.
    pub(super) async fn of(desk: &Desk, docs: &[Value]) -> Result<Self, Refused> {
        let ids: Vec<AnyId> = docs.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect();
        let standings = desk.found(desk.state.keyward.user_standings(&desk.call(), &ids).await)?;
        let named = standings.values().flat_map(|standing| standing.groups.iter().chain(&standing.providers));
        let named: Vec<String> = named.map(ToString::to_string).collect();
        let mut all = docs.to_vec();
        all.push(json!({ "named": named }));
        let names = desk.names(&all, &["tenant_id", "partner_id", "roles", "named"]).await?;
        Ok(Self { standings, names })
    }

    fn standing(&self, doc: &Value) -> Option<&UserStanding> {
        text(doc, "id").parse().ok().and_then(|id: AnyId| self.standings.get(&id))
    }

    /// The groups that somebody is in, as a cell.
    pub(super) fn groups(&self, doc: &Value) -> Content {
        let groups = self.standing(doc).map_or(&[][..], |standing| &standing.groups);
        let name = |id: &AnyId| self.names.of(&id.to_string());
        match groups {
            [] => Piece::Muted("None".to_owned()).into(),
            [one] => Content::words(name(one)),
            [one, other] => Content::words(format!("{}, {}", name(one), name(other))),
            [one, other, more @ ..] => {
                Content::words(format!("{}, {} +{}", name(one), name(other), more.len()))
            }
        }
    }

    /// Whether somebody has two-step sign-in, as a cell.
    pub(super) fn two_step(&self, doc: &Value) -> Content {
        let on = self.standing(doc).is_some_and(|standing| standing.two_step);
        if on {
            Piece::Badge(Tone::Good, "On".to_owned()).into()
        } else {
            Piece::Muted("Off".to_owned()).into()
        }
    }

    /// When somebody last signed in, as a cell.
    pub(super) fn last_sign_in(&self, desk: &Desk, doc: &Value) -> Content {
        let Some(standing) = self.standing(doc).filter(|_| desk.caller().may(Action::List, Kind::Session))
        else {
            return Piece::Muted("–".to_owned()).into();
        };
        match standing.last_sign_in {
            Some(at) => Piece::Time(Moment::new(at, desk.now)).into(),
            None if standing.older_sign_in => Piece::Muted("Not lately".to_owned()).into(),
            None => Piece::Muted("Never".to_owned()).into(),
        }
    }

    /// How somebody signs in, as a part of their page.
    pub(super) fn panel(&self, desk: &Desk, doc: &Value) -> Block {
        let standing = self.standing(doc).cloned().unwrap_or_default();
        let password = standing.has_password.then(|| "Password".to_owned());
        let providers = standing.providers.iter().map(|id| self.names.of(&id.to_string()));
        let ways: Vec<String> = password.into_iter().chain(providers).collect();
        let mut two_step = self.two_step(doc);
        if standing.two_step {
            let left = so_many(standing.recovery_codes_left as u64, "recovery code", "recovery codes");
            two_step = two_step.below(Piece::Words(format!("{left} left")));
        }
        let group = |id: &AnyId| {
            let id = id.to_string();
            Piece::Link(desk.link(&format!("groups/{id}")), self.names.of(&id))
        };
        let groups: Vec<Piece> = standing.groups.iter().map(group).collect();
        let none = || Content::from(Piece::Muted("None".to_owned()));
        let facts = Facts::default()
            .and(
                "Signs in with",
                if ways.is_empty() {
                    Piece::Muted("Nothing yet: give them a sign-in link".to_owned()).into()
                } else {
                    Content::words(ways.join(", "))
                },
            )
            .and("Two-step sign-in", two_step)
            .and("Last sign-in", self.last_sign_in(desk, doc))
            .and(
                "Groups",
                if groups.is_empty() { none() } else { Content { pieces: groups, meta: Vec::new() } },
            );
        let mut panel = Panel::new("signing-in", "Signing in", vec![facts.into()]);
        if standing.two_step && desk.may(Action::Update, Kind::User) {
            let href = desk.link(&format!("users/{}/disable-mfa", text(doc, "id")));
            panel.deeds.push(Deed::link("Turn off two-step sign-in", href));
        }
        panel.into()
    }
}
