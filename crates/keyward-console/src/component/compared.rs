//! Two things side by side.

use askama::{Template, filters::HtmlSafe};

use super::Row;

/// What each of two things has: a table whose columns are called as they are.
#[derive(Debug, Clone, Template)]
#[template(path = "block/compared.html")]
pub struct Compared {
    /// What it compares, for those who don't see where it stands.
    pub caption: String,
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// What is said when there are no rows.
    pub empty: String,
}

impl HtmlSafe for Compared {}
