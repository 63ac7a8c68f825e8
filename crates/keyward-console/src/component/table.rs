//! Tables, with what stands above and below them.

use askama::{Template, filters::HtmlSafe};

use super::Content;

/// What a small picture stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Changing.
    Edit,
    /// Removing.
    Delete,
    /// Turning over to a new one.
    Rotate,
    /// Ending.
    Revoke,
}

/// Something to do with a row.
#[derive(Debug, Clone)]
pub struct RowAction {
    /// Its picture.
    pub sign: Sign,
    /// What it does, and to what: `Edit acme.crm-sync`.
    pub name: String,
    /// Where it leads.
    pub href: String,
}

impl RowAction {
    /// Something to do with what has its pages at `own` and is called `name`.
    #[must_use]
    pub fn of(own: &str, name: &str, sign: Sign, word: &str, path: &str) -> Self {
        Self { sign, name: format!("{word} {name}"), href: format!("{own}/{path}") }
    }

    /// Changing it, and deleting it.
    #[must_use]
    pub fn edit_and_delete(own: &str, name: &str) -> Vec<Self> {
        vec![
            Self::of(own, name, Sign::Edit, "Edit", "edit"),
            Self::of(own, name, Sign::Delete, "Delete", "delete"),
        ]
    }
}

/// A row. Its first cell names it.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The cells, as many as there are columns.
    pub cells: Vec<Content>,
    /// What can be done with it.
    pub actions: Vec<RowAction>,
    /// Whether it is over: greyed, but readable.
    pub over: bool,
}

/// A table.
#[derive(Debug, Clone, Template)]
#[template(path = "block/table.html")]
pub struct Table {
    /// What it lists, for those who don't see where it stands.
    pub caption: String,
    /// The heads of the columns.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Row>,
    /// What is said when there are no rows.
    pub empty: String,
}

impl HtmlSafe for Table {}

impl Table {
    fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| !row.actions.is_empty())
    }
}

/// A choice among views of a list.
#[derive(Debug, Clone)]
pub struct Chip {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// A field by which a list is narrowed.
#[derive(Debug, Clone)]
pub struct Narrow {
    /// The parameter.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What is in it.
    pub value: String,
    /// What can be chosen: values with their names; empty for a field to write into.
    pub options: Vec<(String, String)>,
    /// `text`, `search`, `date` or `datetime-local`.
    pub kind: &'static str,
}

/// What a list shows of all there is.
#[derive(Debug, Clone, Template)]
#[template(path = "block/filters.html")]
pub struct Filters {
    /// Where the list is.
    pub action: String,
    /// Views to choose from.
    pub chips: Vec<Chip>,
    /// Fields.
    pub fields: Vec<Narrow>,
    /// Parameters that stay.
    pub keep: Vec<(String, String)>,
}

impl HtmlSafe for Filters {}

/// Where in a list a page is.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "block/pager.html")]
pub struct Pager {
    /// For example `21–40 of 312`.
    pub where_: String,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
}

impl HtmlSafe for Pager {}

/// What a place is for when there is nothing in it.
#[derive(Debug, Clone, Template)]
#[template(path = "block/empty.html")]
pub struct Empty {
    /// What such a thing is, in a sentence.
    pub text: String,
    /// What can be done about it: words and address.
    pub action: Option<(String, String)>,
}

impl HtmlSafe for Empty {}
