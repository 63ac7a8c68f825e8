//! What stands around a screen: where one is, and where one can go.

use keyward_core::{Action, Caller, SignedIn, TenantPlace};
use keyward_model::Kind;

use super::{super::State, desk_at::query};
use crate::{AccountMenu, Environment, Frame, NavEntry};

/// A page that the navigation leads to.
struct Page {
    label: &'static str,
    path: &'static str,
    kind: Kind,
    /// Whether it is there in a tenant.
    inside: bool,
    /// Whether it is there for everything that somebody sees.
    outside: bool,
}

const fn page(label: &'static str, path: &'static str, kind: Kind, inside: bool, outside: bool) -> Page {
    Page { label, path, kind, inside, outside }
}

const MAIN: [Page; 9] = [
    page("Dashboard", "dashboard", Kind::Event, true, true),
    page("Partners", "partners", Kind::Partner, false, true),
    page("Tenants", "tenants", Kind::Tenant, false, true),
    page("Users", "users", Kind::User, true, true),
    page("Groups", "groups", Kind::Group, true, true),
    page("Applications", "applications", Kind::Application, true, true),
    page("MCP agents", "agents", Kind::Agent, true, true),
    page("Sessions", "sessions", Kind::Session, true, true),
    page("Audit log", "audit", Kind::Event, true, true),
];

const SETTINGS: [Page; 8] = [
    page("Tenant", "settings/tenant", Kind::Tenant, true, false),
    page("API Access", "settings/iam/api-access", Kind::Application, true, true),
    page("Staff", "settings/iam/staff", Kind::User, true, true),
    page("Roles", "settings/iam/roles", Kind::Role, true, true),
    page("API Keys", "settings/security/api-keys", Kind::ApiKey, true, true),
    page("Sign-in policy", "settings/security/sign-in-policy", Kind::User, false, true),
    page("Identity providers", "settings/identity-providers", Kind::IdentityProvider, true, true),
    page("System", "settings/system", Kind::SigningKey, false, true),
];

/// The address of a page, in a tenant or everywhere.
pub(super) fn link(place: Option<&TenantPlace>, path: &str) -> String {
    match place {
        Some(place) => format!("/console/t/{}/{path}", place.slug),
        None => format!("/console/{path}"),
    }
}

/// What leads to a page of this address.
fn is_at(here: &str, href: &str) -> bool {
    here.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn entries(caller: &Caller, place: Option<&TenantPlace>, here: &str, pages: &[Page]) -> Vec<NavEntry> {
    let there = |page: &&Page| if place.is_some() { page.inside } else { page.outside };
    let may = |page: &&Page| caller.may(Action::List, page.kind);
    let entry = |page: &Page| {
        let href = link(place, page.path);
        NavEntry { current: is_at(here, &href), ..NavEntry::new(page.label, href) }
    };
    pages.iter().filter(there).filter(may).map(entry).collect()
}

/// The pages that somebody can go to, by name, for the palette.
pub(super) fn pages(caller: &Caller, place: Option<&TenantPlace>) -> Vec<(String, String)> {
    let all = [entries(caller, place, "", &MAIN), entries(caller, place, "", &SETTINGS)];
    all.into_iter().flatten().map(|entry| (entry.label, entry.href)).collect()
}

/// Where another place is chosen, to see the same list there: what stands below a list belongs to this place alone.
fn switcher(place: Option<&TenantPlace>, here: &str) -> String {
    let begun = link(place, "");
    let all = MAIN.iter().chain(&SETTINGS).filter(|page| page.inside);
    let page = all.rev().find(|page| here.strip_prefix(&begun).is_some_and(|path| is_at(path, page.path)));
    match page {
        Some(page) => {
            let then = format!("/console/t/~/{}", page.path);
            format!("/console/switch?{}", query(&[("then", &then)]))
        }
        None => "/console/switch".to_owned(),
    }
}

/// What stands around a page of the console.
pub(in crate::web) fn frame(
    state: &State,
    signed_in: &SignedIn,
    place: Option<&TenantPlace>,
    here: &str,
) -> Frame {
    let options = state.keyward.options();
    let name = options.default_environment().to_owned();
    let caller = signed_in.caller();
    let home = signed_in.home();
    let place = place.or(home.as_ref());
    let mut navigation = entries(&caller, place, here, &MAIN);
    let children = entries(&caller, place, here, &SETTINGS);
    if let Some(first) = children.first() {
        navigation
            .push(NavEntry { children: children.clone(), ..NavEntry::new("Settings", first.href.clone()) });
    }
    let scope = match place {
        Some(place) => place.partner.iter().cloned().chain([place.name.clone()]).collect(),
        None => vec![signed_in.partner().map_or_else(|| "All tenants".to_owned(), |(_, name)| name)],
    };
    // Who belongs to a tenant works nowhere else.
    let switch = home.is_none() && caller.may(Action::List, Kind::Tenant);
    Frame {
        product: options.sign_in.product_name.clone(),
        environment: Some(Environment { live: keyward_core::Options::is_live(&name), name }),
        scope,
        switcher: switch.then(|| switcher(place, here)),
        search: Some(link(place, "search")),
        account: AccountMenu {
            name: signed_in.name().to_owned(),
            email: signed_in.email().to_owned(),
            csrf: signed_in.form_token(),
        },
        navigation,
        crumbs: Vec::new(),
        notice: None,
        preferences: signed_in.preferences(),
    }
}
