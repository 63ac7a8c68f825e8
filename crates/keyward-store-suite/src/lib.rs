//! The conformance suite of Keyward's storage port: an adapter that passes it can be used.
//!
//! In the tests of an adapter, with `tokio` among the development dependencies:
//!
//! ```text
//! async fn fresh() -> Arc<MyStore> { … }
//!
//! keyward_store_suite::suite!(fresh);
//! ```
//!
//! makes one test of each case. Every case gets a store without anything in it; what `fresh` returns is dropped at the
//! end of the case, so that it can clean up behind itself.
//!
//! What the port leaves open, the suite decides:
//!
//! - The records of a change are written one after the other: each needs its keys when its turn comes, and the next may
//!   have what it gave up. Versions are checked for all records before any key.
//! - Tickets are consumed before others are created, so that a change can replace one.
//! - A record whose tenant or partner is deleted is not deleted itself: nobody sees it, and it still holds its keys.
//! - An owner that does not exist is not a deleted one: its records are there for the platform.
//! - A ticket or revocation that expires at the very moment asked about has expired, but is not purged yet.
//! - What has no text to look through is found by no search, not even for the empty text.
//! - Values of fields are compared by type: no text equals a moment.
//! - Texts without U+0000 can be stored; a query with it finds nothing, and is no error.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a case fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "what is asserted about is not needed any more")]
#![allow(clippy::assigning_clones, reason = "cases are to be read, not to be quick")]
#![allow(clippy::wildcard_imports, reason = "every case uses what the fixtures give")]

mod cast;
mod changes;
mod commands;
mod concurrency;
mod events;
mod feed;
mod fixtures;
mod guards;
mod keys;
mod lists;
mod lists_again;
mod lists_among;
mod random;
mod reaches;
mod records;
mod tally;
mod tickets;
mod usage;
mod versions;

use std::ops::Deref;

use keyward_store::Store;

/// The cases that take one store.
mod cases {
    pub(crate) use crate::{
        changes::*, concurrency::*, events::*, feed::*, guards::*, keys::*, lists::*, lists_again::*,
        lists_among::*, reaches::*, records::*, tally::*, tickets::*, usage::*, versions::*,
    };
}

/// Gives the names of all cases to a macro, behind what is given here: those that take one store, and those that take
/// several.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_cases {
    ($then:path, $($with:tt)*) => {
        $then! { ($($with)*) {
            records_are_read_as_they_were_written
            records_are_replaced_whole
            ids_that_do_not_exist_are_not_found
            moments_keep_their_milliseconds
            every_reach_reads_what_it_covers
            every_reach_finds_what_it_covers
            every_reach_lists_what_it_covers
            deleted_records_exist_for_no_reach
            a_deleted_tenant_takes_along_what_is_in_it
            a_deleted_partner_takes_along_its_tenants
            secrets_do_not_depend_on_their_application
            a_tenant_that_moves_takes_along_its_reach
            a_missing_owner_is_no_deleted_owner
            a_key_is_held_once
            keys_differ_in_case
            keys_of_kinds_do_not_meet
            role_names_are_unique_within_their_owner
            group_names_are_unique_within_their_owner
            addresses_are_unique_whatever_their_case
            pairs_are_unique
            deletion_frees_keys
            a_new_name_frees_the_old_one
            below_a_deleted_tenant_keys_are_still_held
            a_deleted_record_needs_its_keys_to_come_back
            keys_go_from_hand_to_hand_in_one_change
            a_record_is_created_once
            a_record_is_replaced_at_its_version
            what_is_expected_must_still_hold
            a_change_may_write_a_record_twice
            the_first_check_that_fails_decides
            a_change_is_written_whole_or_not_at_all
            an_empty_change_does_nothing
            guards_bound_from_above
            guards_bound_from_below
            guards_count_what_meets_their_conditions
            all_guards_must_hold
            tickets_exist_once
            tickets_expire
            tickets_are_consumed_once
            tickets_are_replaced_in_one_change
            expired_tickets_are_purged
            expired_revocations_are_purged
            the_revision_counts_changes_of_records
            the_feed_tells_what_changed
            a_feed_that_can_not_tell_says_so
            events_are_read_as_they_were_written
            chains_have_no_gaps
            chains_are_listed_oldest_first
            chains_are_read_in_parts
            events_are_filtered
            events_are_found_by_a_number_that_they_share
            events_are_covered_by_reaches
            events_are_found_in_a_long_log
            events_are_paged_by_number
            events_are_paged_by_cursor
            events_are_tallied_by_spans
            spans_go_back_before_the_epoch
            events_are_tallied_by_action_and_reason
            tallies_are_of_what_a_query_selects
            usage_is_added_up
            usage_is_counted_once
            usage_is_told_by_day
            lists_are_filtered
            lists_know_fields_without_value
            lists_compare_moments
            lists_find_one_of_several
            lists_find_who_holds_something
            catalogue_rows_are_found_by_their_permissions
            records_are_counted_by_a_field
            lists_are_the_same_when_asked_again
            lists_know_no_field_of_others
            lists_are_searched
            searches_take_wildcards_as_they_are
            lists_are_sorted
            texts_are_sorted_by_their_bytes
            nulls_come_first
            ties_are_in_the_order_of_ids
            lists_are_paged
            lists_follow_changes
            queries_with_nul_find_nothing
            one_of_many_replaces_a_version
            one_of_many_takes_a_key
            one_of_many_consumes_a_ticket
            one_of_many_creates_a_ticket
            one_of_many_continues_a_chain
            chains_grow_side_by_side
            limits_hold_by_versions
            limits_hold_by_guards
            the_last_one_stays_by_a_guard
            guards_do_not_wait_in_a_circle
            revisions_become_visible_in_order
        } {
            random_commands_do_as_in_memory
        } }
    };
}

macro_rules! define_cases {
    (() { $($case:ident)+ } { $($on_many:ident)+ }) => {
        /// The names of all cases.
        pub const CASES: &[&str] = &[$(stringify!($case),)+ $(stringify!($on_many),)+];

        /// Runs one case on a fresh store, which `make` makes. Panics when the adapter fails it, or when there is no
        /// such case.
        pub async fn run<S: Deref<Target: Store + Sized>>(case: &str, make: impl AsyncFn() -> S) {
            match case {
                $(stringify!($case) => {
                    let subject = make().await;
                    cases::$case(&*subject).await;
                })+
                $(stringify!($on_many) => random::$on_many(make).await,)+
                other => panic!("the suite has no case {other}"),
            }
        }
    };
}

__with_cases!(define_cases,);

/// Runs all cases, each on a fresh store. Panics at the first that fails; its name is printed before.
pub async fn all<S: Deref<Target: Store + Sized>>(make: impl AsyncFn() -> S) {
    for case in CASES {
        println!("{case}");
        run(case, &make).await;
    }
}

/// Makes one `#[tokio::test]` of each case. Takes the path of an asynchronous function that makes a fresh store, as
/// [`run`] wants it.
#[macro_export]
macro_rules! suite {
    ($make:path) => {
        $crate::__with_cases!($crate::__define_tests, $make);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __define_tests {
    (($make:path) { $($case:ident)+ } { $($on_many:ident)+ }) => {
        $crate::__define_tests!(($make) $($case)+ $($on_many)+);
    };
    (($make:path) $($case:ident)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::run(stringify!($case), async || $make().await).await;
            }
        )+
    };
}
