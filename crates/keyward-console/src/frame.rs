//! What stands around the content of a page.

use keyward_model::{Preferences, Theme};

use crate::component::Notice;

/// Around a page that needs no session: a card below the product's name.
#[derive(Clone, Default)]
pub struct Shell {
    /// The product's name, as the installation calls it.
    pub product: String,
    /// The environment that the page is about, when there is one.
    pub environment: Option<Environment>,
    /// The host of the public URL, so that people see where they are.
    pub host: String,
    /// News from the step before, for example that the password was changed.
    pub notice: Option<Notice>,
}

/// An environment, as the badge shows it.
#[derive(Clone)]
pub struct Environment {
    /// Its name, for example `staging`.
    pub name: String,
    /// Whether it is the one where things are real.
    pub live: bool,
}

/// Around a page of the console.
#[derive(Clone)]
pub struct Frame {
    /// The product's name.
    pub product: String,
    /// The environment, when there is one.
    pub environment: Option<Environment>,
    /// Where another place to work in is chosen, when there are others.
    pub switcher: Option<String>,
    /// Where everything is searched.
    pub search: Option<String>,
    /// Where in the hierarchy the person works, outermost first: partner, tenant. Empty for the platform.
    pub scope: Vec<String>,
    /// Who is signed in.
    pub account: AccountMenu,
    /// The entries of the navigation, those that the person may see.
    pub navigation: Vec<NavEntry>,
    /// Where the page is, outermost first, without the page itself.
    pub crumbs: Vec<Crumb>,
    /// News from the step before.
    pub notice: Option<Notice>,
    /// How the person wants pages.
    pub preferences: Preferences,
}

/// Who is signed in, for the menu at the top right.
#[derive(Clone)]
pub struct AccountMenu {
    /// The name, or the e-mail address where there is none.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The token against forged requests, for signing out.
    pub csrf: String,
}

/// An entry of the navigation.
#[derive(Clone)]
pub struct NavEntry {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is the page that is shown.
    pub current: bool,
    /// Entries below it.
    pub children: Vec<NavEntry>,
}

/// A step of the way to the page.
#[derive(Clone)]
pub struct Crumb {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

impl Frame {
    /// The theme, as the style sheet knows it.
    pub(crate) fn theme(&self) -> &'static str {
        match self.preferences.theme {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

impl NavEntry {
    /// An entry without entries below it.
    #[must_use]
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into(), current: false, children: Vec::new() }
    }

    /// The entries below it by what they are of, for which there is an empty name where it is nothing in particular.
    pub(crate) fn groups(&self) -> Vec<(&'static str, Vec<&Self>)> {
        let mut groups: Vec<(&'static str, Vec<&Self>)> = Vec::new();
        for child in &self.children {
            let name = child.group();
            match groups.last_mut() {
                Some((last, members)) if *last == name => members.push(child),
                _ => groups.push((name, vec![child])),
            }
        }
        groups
    }

    /// What of the settings it is of, which its address says.
    fn group(&self) -> &'static str {
        if self.href.contains("/settings/iam/") {
            "IAM"
        } else if self.href.contains("/settings/security/") {
            "Security"
        } else {
            ""
        }
    }
}

impl AccountMenu {
    /// Up to two letters for the round badge.
    pub(crate) fn initials(&self) -> String {
        let words = self.name.split(|c: char| c.is_whitespace() || c == '@');
        let letters = words.filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        letters.take(2).flat_map(char::to_uppercase).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_grouped_by_their_address() {
        let children =
            ["tenant", "iam/api-access", "iam/roles", "security/api-keys", "identity-providers", "system"]
                .map(|path| NavEntry::new(path, format!("/console/t/acme/settings/{path}")));
        let entry = NavEntry { children: children.to_vec(), ..NavEntry::new("Settings", "/console") };
        let groups: Vec<_> =
            entry.groups().into_iter().map(|(name, members)| (name, members.len())).collect();
        assert_eq!(groups, [("", 1), ("IAM", 2), ("Security", 1), ("", 2)]);
    }

    #[test]
    fn initials_are_of_the_first_two_words() {
        for (name, expected) in [
            ("Ada Byron King", "AB"),
            ("ada@northwind.example", "AN"),
            ("  émile", "É"),
            ("<script>", "S"),
            ("", ""),
        ] {
            let menu = AccountMenu { name: name.to_owned(), email: String::new(), csrf: String::new() };
            assert_eq!(menu.initials(), expected, "{name}");
        }
    }
}
