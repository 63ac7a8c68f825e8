//! Permissions as OAuth scopes (RFC 6749 section 3.3).

use std::{borrow::Borrow, collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest permission that is accepted, in characters.
pub const MAX_SCOPE_LEN: usize = 128;

/// One permission: a scope-token such as `points:read`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

/// Why a text is no scope-token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a permission is 1 to 128 printable ASCII characters without space, quotation mark and backslash")]
pub struct InvalidScope;

impl Scope {
    /// The permission as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let is_scope_char = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if (1..=MAX_SCOPE_LEN).contains(&text.len()) && text.bytes().all(is_scope_char) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidScope)
        }
    }
}

impl Borrow<str> for Scope {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of permissions, in alphabetical order. As text, and in the database, it is a `scope` string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many permissions are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `scope` is in it.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// The permissions, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Adds a permission.
    pub fn insert(&mut self, scope: Scope) {
        self.0.insert(scope);
    }

    /// What is in this set or in `other`.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// What is in this set and in `other`.
    #[must_use]
    pub fn intersection(mut self, other: &Self) -> Self {
        self.0.retain(|scope| other.0.contains(scope));
        self
    }

    /// What is in this set but not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// Whether all of it is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScope;

    /// Reads a `scope` string: scope-tokens separated by single spaces, in any order; repeated ones count once.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split(' ').map(str::parse).collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sets() -> impl Strategy<Value = ScopeSet> {
        proptest::collection::btree_set("[a-f]:[a-c]", 0..8)
            .prop_map(|set| set.into_iter().map(|text| text.parse().unwrap()).collect())
    }

    proptest! {
        #[test]
        fn text_round_trips(set in sets()) {
            prop_assert_eq!(set.to_string().parse::<ScopeSet>().unwrap(), set);
        }

        #[test]
        fn intersection_never_widens(a in sets(), b in sets()) {
            let both = a.clone().intersection(&b);
            prop_assert!(both.is_subset(&a) && both.is_subset(&b));
            prop_assert!(a.difference(&b).intersection(&b).is_empty());
            prop_assert_eq!(both.union(&a.difference(&b)), a);
        }
    }

    #[test]
    fn refuses_what_rfc_6749_refuses() {
        for bad in ["", " ", "a b", "a\"b", "a\\b", "ä", "a\u{7f}", &"a".repeat(129)] {
            assert!(bad.parse::<Scope>().is_err(), "{bad:?}");
        }
        assert!("a  b".parse::<ScopeSet>().is_err());
        assert!("create:users".parse::<Scope>().is_ok());
    }
}
