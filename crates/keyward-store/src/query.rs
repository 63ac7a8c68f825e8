//! Lists: what to select, in which order, which page.

use keyward_model::{ChainedEvent, Event, Field, Id, Kind, Outcome, Timestamp, Value};

/// Selects records of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The kind of record.
    pub kind: Kind,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Condition>,
    /// A text that one of the record's search texts must contain, ASCII letters compared without case, `%` and `_`
    /// meaning themselves.
    pub search: Option<String>,
    /// The field to sort by; equal values and nulls are in the order of their ids, nulls first when ascending.
    pub sort: Field,
    /// Which way. It applies to the ids, too.
    pub direction: Direction,
    /// Which page, from 1.
    pub page: u32,
    /// How many records a page has.
    pub per_page: u32,
}

/// A condition on a field. A record without the field fails it, unless the test is for null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: Field,
    /// What must hold.
    pub test: Test,
}

/// A test of a field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It equals this value; [`Value::Null`] asks for a field without value.
    Is(Value),
    /// It equals one of these values, none of which is null.
    OneOf(Vec<Value>),
    /// It has one of these words, for [`Field::Roles`] and [`Field::Permissions`].
    HasAny(Vec<String>),
    /// It is a moment before this one.
    Before(Timestamp),
    /// It is this moment or a later one.
    From(Timestamp),
}

impl Test {
    /// Whether it holds for a record's value, for adapters that look at every record themselves.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::OneOf(wanted) => *value != Value::Null && wanted.contains(value),
            Self::HasAny(wanted) => match value {
                Value::Text(words) => {
                    words.split_ascii_whitespace().any(|word| wanted.iter().any(|one| one == word))
                }
                _ => false,
            },
            Self::Before(end) => matches!(value, Value::Time(at) if at < end),
            Self::From(start) => matches!(value, Value::Time(at) if at >= start),
        }
    }
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// One page, and how many there are altogether.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The page's items.
    pub items: Vec<T>,
    /// How many items all pages have.
    pub total: u64,
}

impl Query {
    /// The first 100 records of a kind in the order of their creation.
    #[must_use]
    pub fn all(kind: Kind) -> Self {
        Self {
            kind,
            conditions: Vec::new(),
            search: None,
            sort: Field::CreatedAt,
            direction: Direction::Ascending,
            page: 1,
            per_page: 100,
        }
    }

    /// Adds the condition that a field has this value.
    #[must_use]
    pub fn with(mut self, field: Field, value: Value) -> Self {
        self.conditions.push(Condition { field, test: Test::Is(value) });
        self
    }

    /// How many records stand before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.per_page)
    }
}

/// Selects events of the audit log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Events of this moment or later.
    pub from: Option<Timestamp>,
    /// Events before this moment.
    pub to: Option<Timestamp>,
    /// Events of the actor with this id.
    pub actor: Option<String>,
    /// Events of this action, or, when it ends in a dot, of all actions of that noun.
    pub action: Option<String>,
    /// Events about the resource with this id.
    pub resource: Option<String>,
    /// Events that ended so.
    pub outcome: Option<Outcome>,
    /// Events that name this tenant.
    pub tenant_id: Option<String>,
    /// Where to begin.
    pub cursor: Cursor,
    /// How many events at most.
    pub limit: u32,
}

/// Where a list of events begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// So many events behind the newest.
    Offset(u64),
    /// At the first event older than this one; the total is then not counted.
    Before(Id<Event>),
}

impl Default for Cursor {
    fn default() -> Self {
        Self::Offset(0)
    }
}

/// Events, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub items: Vec<ChainedEvent>,
    /// How many the query selects altogether; none when it began at an event.
    pub total: Option<u64>,
    /// Whether older ones follow.
    pub more: bool,
}

/// How many events of one action and reason there were in a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// When the span began.
    pub from: Timestamp,
    /// What was done, as `noun.past_verb`.
    pub action: String,
    /// Why, where events say.
    pub reason: Option<String>,
    /// How many there were.
    pub count: u64,
}
