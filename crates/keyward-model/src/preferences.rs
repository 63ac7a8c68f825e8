//! How people want the pages of the console.

use serde::{Deserialize, Serialize};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// How somebody wants pages. What is not set is as by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// Whether rows are narrow.
    pub compact: bool,
    /// Whether times are those of the browser rather than UTC.
    pub local_time: bool,
    /// Whether single letters do nothing.
    pub no_shortcuts: bool,
}
