//! The grid of permissions.

use keyward_core::GrantableRow;
use keyward_model::{Permission, ScopeSet};

use super::{super::visit::Refused, desk_at::Desk, fields::Fields};
use crate::{
    Notice, Severity,
    component::{Block, Content, Grid, GridRow, Part, Piece},
};

/// Resources of which whoever may change them can give access to others or to themselves.
pub(super) const ESCALATING: [&str; 7] = [
    "keyward-admin",
    "keyward-users",
    "keyward-groups",
    "keyward-roles",
    "keyward-applications",
    "keyward-agents",
    "keyward-identity-providers",
];

fn strings(scopes: &ScopeSet) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

/// What a row gives when only looked at, and when changed, too.
fn of_row(row: &Permission) -> (Option<String>, Vec<String>) {
    (row.view.as_ref().map(ToString::to_string), strings(&row.scopes()))
}

/// Whether all of these are among those.
fn all_in(wanted: &[String], held: &[String]) -> bool {
    !wanted.is_empty() && wanted.iter().all(|permission| held.contains(permission))
}

/// The permissions that a form chooses: those that it lists by `member`, and those of the rows that are ticked. Change
/// means View, whether the browser ticked it or not.
pub(super) async fn chosen(desk: &Desk, fields: &Fields, member: &str) -> Result<Vec<String>, Refused> {
    let rows = desk.grantable_rows().await?;
    let (views, changes) = (fields.all("view"), fields.all("change"));
    let mut chosen = fields.all(member);
    chosen.extend(fields.all("beside"));
    chosen.extend(fields.all("some"));
    for GrantableRow { row, .. } in rows {
        let (view, change) = of_row(row);
        if changes.contains(&row.resource) {
            chosen.extend(change);
        } else if views.contains(&row.resource) {
            chosen.extend(view);
        }
    }
    chosen.retain(|permission| !permission.is_empty());
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}

/// The grid, as a form has it.
pub(super) async fn grid(desk: &Desk, fields: &Fields, member: &str, whose: &str) -> Result<Part, Refused> {
    let chosen = chosen(desk, fields, member).await?;
    Ok(Part::Grid(grid_of(desk.grantable_rows().await?, &chosen, whose)))
}

/// The grid with these permissions chosen.
pub(super) fn grid_of(catalogue: &[GrantableRow], chosen: &[String], whose: &str) -> Grid {
    let mut beside = chosen.to_vec();
    let mut rows = Vec::new();
    for GrantableRow { row, view: can_view, change: can_change, reserved } in catalogue {
        let (view, change) = of_row(row);
        let only: Vec<String> = change.iter().filter(|one| Some(*one) != view.as_ref()).cloned().collect();
        let changes = all_in(&change, chosen) && !only.is_empty();
        let views = changes || view.as_ref().is_some_and(|view| chosen.contains(view));
        // What nobody can give here is not there; what is ticked already stays as it is.
        if *reserved && !views {
            continue;
        }
        let locked = |can: bool, why: &str| if can { String::new() } else { why.to_owned() };
        let not_held = "You do not hold this yourself.";
        let not_all = if *can_view { "Change is locked: you do not hold all of it." } else { not_held };
        let mut some: Vec<(String, bool)> = Vec::new();
        if *can_change {
            some = only.iter().map(|one| (one.clone(), !changes && chosen.contains(one))).collect();
        }
        let held_alone = |permission: &String| some.iter().any(|(one, held)| *held && one == permission);
        beside.retain(|permission| !held_alone(permission));
        // One permission is the whole of Change, and View stands in a column of its own.
        if only.len() < 2 && !some.iter().any(|(_, held)| *held) {
            some.clear();
        }
        let given: &[String] = if changes { &change } else { view.as_slice() };
        if changes && *can_change || views && !changes && *can_view {
            beside.retain(|permission| !given.contains(permission));
        }
        rows.push(GridRow {
            resource: row.resource.clone(),
            label: row.label.clone(),
            change: if only.is_empty() { Vec::new() } else { change },
            views,
            changes,
            some,
            view_locked: locked(*can_view, not_held),
            change_locked: if only.is_empty() { String::new() } else { locked(*can_change, not_all) },
            escalates: ESCALATING.contains(&row.resource.as_str()),
            view,
        });
    }
    Grid { whose: whose.to_owned(), rows, beside }
}

/// Permissions in a few words: `Points: View · Invoices: Change +1`.
pub(super) fn in_words(catalogue: &[GrantableRow], held: &[String]) -> Content {
    let mut words = Vec::new();
    for GrantableRow { row, .. } in catalogue {
        let (view, change) = of_row(row);
        if all_in(&change, held) && change.len() > usize::from(view.is_some()) {
            words.push(format!("{}: Change", row.label));
        } else if change.iter().any(|one| Some(one) != view.as_ref() && held.contains(one)) {
            words.push(format!("{}: some of Change", row.label));
        } else if view.is_some_and(|view| held.contains(&view)) {
            words.push(format!("{}: View", row.label));
        }
    }
    match words.len() {
        0 if held.is_empty() => Piece::Muted("None".to_owned()).into(),
        0 => Content::words(held.join(", ")),
        1 | 2 => Content::words(words.join(" · ")),
        more => Content::words(format!("{} · {} +{}", words[0], words[1], more - 2)),
    }
}

/// What a permission is called: `Points: View`.
pub(super) fn named(catalogue: &[GrantableRow], permission: &str) -> Option<String> {
    catalogue.iter().find_map(|GrantableRow { row, .. }| {
        let (view, change) = of_row(row);
        let column = if view.as_deref() == Some(permission) { "View" } else { "Change" };
        let is_there = column == "View" || change.iter().any(|one| one == permission);
        is_there.then(|| format!("{}: {column}", row.label))
    })
}

/// A warning of resources by which access can be given to others, when a choice begins to give them.
pub(super) fn gives_access(catalogue: &[GrantableRow], before: &[String], after: &[String]) -> Option<Block> {
    let begins = |row: &Permission| {
        let (view, change) = of_row(row);
        let mut change = change.iter().filter(|one| Some(*one) != view.as_ref());
        change.any(|one| after.contains(one) && !before.contains(one))
    };
    let rows = catalogue.iter().map(|grantable| &grantable.row);
    let rows = rows.filter(|row| ESCALATING.contains(&row.resource.as_str()) && begins(row));
    let labels: Vec<&str> = rows.map(|row| row.label.as_str()).collect();
    let words = "Whoever may change this can give access to others, up to what they hold themselves.";
    (!labels.is_empty()).then(|| {
        Block::Notice(Notice::new(Severity::Warning, words).titled(format!("{}.", labels.join(", "))))
    })
}
