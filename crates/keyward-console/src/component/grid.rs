//! The grid of permissions: what may be looked at, what may be changed.

use askama::{Template, filters::HtmlSafe};

/// A resource of the catalogue.
#[derive(Debug, Clone)]
pub struct GridRow {
    /// The resource, as machines call it.
    pub resource: String,
    /// What people call it.
    pub label: String,
    /// The permission to look at it, where there is one.
    pub view: Option<String>,
    /// The permissions that changing it takes, View included.
    pub change: Vec<String>,
    /// Whether View is chosen.
    pub views: bool,
    /// Whether Change is chosen.
    pub changes: bool,
    /// The permissions of Change one by one, where there are several: each with whether it is held without the others.
    pub some: Vec<(String, bool)>,
    /// Why View can't be given; empty when it can.
    pub view_locked: String,
    /// Why Change can't be given; empty when it can.
    pub change_locked: String,
    /// Whether somebody with it could give themselves more.
    pub escalates: bool,
}

/// The grid. It sends `view` and `change`, each once for every row that is chosen, and `some` for every single permission
/// that is kept.
#[derive(Debug, Clone, Template)]
#[template(path = "component/grid.html")]
pub struct Grid {
    /// What it is about: `This client`.
    pub whose: String,
    /// The rows.
    pub rows: Vec<GridRow>,
    /// Permissions that are held and stand in no row.
    pub beside: Vec<String>,
}

impl HtmlSafe for Grid {}

impl GridRow {
    /// Whether the single permissions are shown at once.
    fn opens(&self) -> bool {
        self.some.iter().any(|(_, held)| *held)
    }
}

impl Grid {
    fn count(&self) -> String {
        let views = self.rows.iter().filter(|row| row.views || row.changes).count();
        let changes = self.rows.iter().filter(|row| row.changes).count();
        format!("{views} View, {changes} Change of {}", self.rows.len())
    }

    /// The permissions that the choice comes to, in the order of the rows, each once.
    #[must_use]
    pub fn chosen(&self) -> Vec<String> {
        let mut all: Vec<String> = self.beside.clone();
        for row in &self.rows {
            if row.views || row.changes {
                all.extend(row.view.clone());
            }
            if row.changes {
                all.extend(row.change.iter().cloned());
            }
            all.extend(row.some.iter().filter(|(_, held)| *held).map(|(permission, _)| permission.clone()));
        }
        all.sort();
        all.dedup();
        all
    }

    /// What changing is chosen of and gives access to others.
    fn dangerous(&self) -> String {
        let rows = self.rows.iter().filter(|row| row.escalates && (row.changes || row.opens()));
        rows.map(|row| row.label.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The choice in a sentence or two.
    fn words(&self) -> String {
        let labels = |wanted: &dyn Fn(&GridRow) -> bool| {
            let rows = self.rows.iter().filter(|row| wanted(row));
            rows.map(|row| row.label.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (looks, changes) = (labels(&|row| row.views && !row.changes), labels(&|row| row.changes));
        let told = [("Looks at", looks), ("Changes", changes)];
        let told: Vec<String> = told
            .into_iter()
            .filter(|(_, labels)| !labels.is_empty())
            .map(|(what, labels)| format!("{what} {labels}. "))
            .collect();
        let single = self.rows.iter().flat_map(|row| &row.some).filter(|(_, held)| *held).map(|(one, _)| one);
        let single: Vec<&str> = single.chain(&self.beside).map(String::as_str).collect();
        let told = [
            told,
            if single.is_empty() { Vec::new() } else { vec![format!("Also {}. ", single.join(", "))] },
        ]
        .concat();
        if told.is_empty() { "Nothing.".to_owned() } else { format!("{}Nothing else.", told.concat()) }
    }

    fn summary(&self) -> String {
        let chosen = self.chosen();
        if chosen.is_empty() { "no permission".to_owned() } else { chosen.join(" · ") }
    }
}
