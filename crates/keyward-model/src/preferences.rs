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
    /// Whether they want to be shown the first steps.
    pub first_steps: FirstSteps,
}

/// Whether somebody wants to be shown the first steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstSteps {
    /// Until they say otherwise.
    #[default]
    Shown,
    /// They have seen enough of them.
    Dismissed,
}

impl Preferences {
    /// Whether the first steps are not to be pointed at any more.
    #[must_use]
    pub fn first_steps_dismissed(self) -> bool {
        self.first_steps == FirstSteps::Dismissed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_before_there_were_first_steps_is_still_read() {
        let kept = r#"{"theme":"dark","compact":true,"local_time":false,"no_shortcuts":false}"#;
        let read: Preferences = serde_json::from_str(kept).unwrap();
        assert!(read.compact && read.theme == Theme::Dark && !read.first_steps_dismissed());
        let again = Preferences { first_steps: FirstSteps::Dismissed, ..read };
        let kept = serde_json::to_string(&again).unwrap();
        assert_eq!(serde_json::from_str::<Preferences>(&kept).unwrap(), again);
    }
}
