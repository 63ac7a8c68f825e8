//! Commands for both stores, and how random ones are made.

use keyward_model::Field;
use proptest::{collection::vec, prelude::*};

use crate::fixtures::KINDS;

pub(crate) const NAMES: [&str; 10] =
    ["alpha", "Alpha", "al%pha", "beta_", "ßeta", "b", "c", "d\\d", "Z", "漢"];
pub(crate) const SEARCHES: [&str; 6] = ["A", "%", "_", "pha", "ETA", ""];
pub(crate) const FIELDS: [Field; 14] = [
    Field::RetiresFrom,
    Field::CreatedAt,
    Field::Name,
    Field::Slug,
    Field::Status,
    Field::TenantId,
    Field::PartnerId,
    Field::ExpiresAt,
    Field::ClientId,
    Field::Email,
    Field::AdminRole,
    Field::UserId,
    Field::GroupId,
    Field::OwnerId,
];

/// A record to write: which, how it looks, and whether it is deleted or of a wrong version.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) slot: usize,
    pub(crate) look: u8,
    pub(crate) how: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) puts: Vec<Writing>,
    pub(crate) expect: Vec<(usize, bool)>,
    pub(crate) guards: Vec<Bound>,
    pub(crate) tickets: Vec<(u8, Option<i64>)>,
    pub(crate) consume: Vec<u8>,
    /// Chain, number of events, how far off the head.
    pub(crate) events: Option<(u8, usize, u8)>,
    pub(crate) usage: Option<(u8, u8)>,
}

/// A guard: the fewest, and how many more at most.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) kind: usize,
    pub(crate) condition: Option<(usize, u8)>,
    pub(crate) fewest: u64,
    pub(crate) more: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) kind: usize,
    pub(crate) reach: usize,
    pub(crate) condition: Option<(usize, u8)>,
    pub(crate) search: Option<usize>,
    pub(crate) sort: usize,
    pub(crate) descending: bool,
    pub(crate) page: (u32, u32),
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Commit(Commit),
    Ask(Asking),
    Events { reach: usize, filter: u8, cursor: Option<u64>, limit: u32 },
    Tally { reach: usize, filter: u8, seconds: u32 },
    Purge(i64),
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let writing = (0..SLOTS, any::<u8>(), 0..12_u8).prop_map(|(slot, look, how)| Writing { slot, look, how });
    let commit = (
        vec(writing, 0..6),
        prop::option::weighted(0.15, (0..SLOTS, prop::bool::weighted(0.8))),
        prop::option::weighted(
            0.15,
            (0..KINDS.len(), prop::option::of((0..FIELDS.len(), any::<u8>())), 0..2_u64, 0..5_u64),
        ),
        prop::option::weighted(0.25, (0..4_u8, prop::option::of(0..5_i64))),
        prop::option::weighted(0.15, 0..4_u8),
        prop::option::of((0..3_u8, 1..4_usize, 0..6_u8)),
        prop::option::weighted(0.1, (0..3_u8, 0..4_u8)),
    );
    let commit = commit.prop_map(|(puts, expect, guards, tickets, consume, events, usage)| {
        let (expect, tickets) = (expect.into_iter().collect(), tickets.into_iter().collect());
        let bound = |(kind, condition, fewest, more)| Bound { kind, condition, fewest, more };
        let (guards, consume) = (guards.into_iter().map(bound).collect(), consume.into_iter().collect());
        Command::Commit(Commit { puts, expect, guards, tickets, consume, events, usage })
    });
    let ask = (
        0..KINDS.len(),
        0..REACHES,
        prop::option::of((0..FIELDS.len(), any::<u8>())),
        prop::option::weighted(0.3, 0..SEARCHES.len()),
        0..FIELDS.len(),
        any::<bool>(),
        (1..4_u32, 1..6_u32),
    );
    let ask = ask.prop_map(|(kind, reach, condition, search, sort, descending, page)| {
        Command::Ask(Asking { kind, reach, condition, search, sort, descending, page })
    });
    let events = (0..REACHES, any::<u8>(), prop::option::of(0..5_u64), 1..5_u32)
        .prop_map(|(reach, filter, cursor, limit)| Command::Events { reach, filter, cursor, limit });
    let tally = (0..REACHES, any::<u8>(), 1..8_u32).prop_map(|(reach, filter, seconds)| Command::Tally {
        reach,
        filter,
        seconds,
    });
    let purge = (0..6_i64).prop_map(Command::Purge);
    vec(prop_oneof![6 => commit, 3 => ask, 1 => events, 1 => tally, 1 => purge], 10..70)
}

/// How many records there can be.
pub(crate) const SLOTS: usize = 3 * KINDS.len();
pub(crate) const REACHES: usize = 8;
