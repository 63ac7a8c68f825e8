//! Where a database is.

use std::{fmt, path::PathBuf};

use crate::error::Error;

/// The address of a database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server, as libpq understands it.
    Postgres(String),
}

impl Address {
    /// Reads `sqlite://PATH`, `postgres://…` or `postgresql://…`.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(Error::Address(without_password(url)))
    }

    /// That it can't be reached, and why.
    pub(crate) fn unreachable(&self, reason: impl fmt::Display) -> Error {
        Error::Unreachable { database: self.to_string(), reason: one_line(&reason.to_string()) }
    }
}

/// As it may be shown: a password is left out.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address without its user and password, and without parameters, among which a password may be.
fn without_password(url: &str) -> String {
    let shown = url.split('?').next().unwrap_or_default();
    match (shown.split_once("://"), shown.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{place}"),
        _ => shown.to_owned(),
    }
}

/// What a database says may have several lines.
pub(crate) fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_password() {
        let shown = |url| Address::parse(url).unwrap().to_string();
        assert_eq!(
            shown("postgres://keyward:se:c@ret@db:5432/keyward?password=x"),
            "postgres://db:5432/keyward"
        );
        assert_eq!(shown("postgresql://db/keyward"), "postgresql://db/keyward");
        assert_eq!(shown("sqlite:///var/lib/keyward/keyward.db"), "/var/lib/keyward/keyward.db");
        assert_eq!(shown("sqlite://keyward.db"), "keyward.db");
        assert!(
            Address::parse("mysql://root:secret@db")
                .unwrap_err()
                .to_string()
                .starts_with("mysql://db is not")
        );
        assert!(Address::parse("sqlite://").is_err());
    }
}
