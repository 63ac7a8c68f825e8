//! Evidence of use, counted from the audit log: no write per request, and nothing lost when a process dies.

use std::collections::HashMap;

use keyward_model::{Action, AnyId, Event, Usage};
use keyward_store::{Counted, Store, StoreError, UsageBatch};

/// The reason of a token that was issued although the client had one that was still good.
pub(crate) const UNNEEDED: &str = "unneeded";

/// How many addresses of one credential and day are kept apart until they are stored; the rest is counted together as
/// `other`.
const MAX_ADDRESSES: usize = 200;

/// How often who used what.
#[derive(Debug, Default)]
pub(crate) struct Uses(HashMap<AnyId, Vec<Usage>>);

/// Where a day's use from an address stands, or belongs, among rows in order.
fn place(rows: &[Usage], usage: &Usage) -> Result<usize, usize> {
    rows.binary_search_by(|row| (row.day, &row.address).cmp(&(usage.day, &usage.address)))
}

impl Uses {
    /// Counts a use, in memory that does not grow with the addresses that it comes from.
    pub(crate) fn count(&mut self, mut usage: Usage) {
        let rows = self.0.get(&usage.subject).map_or(&[][..], Vec::as_slice);
        let day =
            rows.partition_point(|row| row.day < usage.day)..rows.partition_point(|row| row.day <= usage.day);
        if day.len() >= MAX_ADDRESSES && place(rows, &usage).is_err() {
            "other".clone_into(&mut usage.address);
        }
        self.add(usage);
    }

    fn add(&mut self, usage: Usage) {
        // Most credentials are used from one address. The rows of each are in order.
        let rows = self.0.entry(usage.subject).or_insert_with(|| Vec::with_capacity(1));
        match place(rows, &usage) {
            Ok(place) => {
                let row = &mut rows[place];
                row.count += usage.count;
                row.needed += usage.needed;
                row.first_used_at = row.first_used_at.min(usage.first_used_at);
                row.last_used_at = row.last_used_at.max(usage.last_used_at);
            }
            Err(place) => rows.insert(place, usage),
        }
    }

    /// What there is of one credential.
    pub(crate) fn of(&self, subject: AnyId) -> Vec<Usage> {
        self.0.get(&subject).cloned().unwrap_or_default()
    }

    /// All of it.
    pub(crate) fn rows(&self) -> Vec<Usage> {
        self.0.values().flatten().cloned().collect()
    }
}

/// What the events of one chain say about use, as far as it is not stored yet.
#[derive(Debug, Default)]
pub(crate) struct PendingUsage {
    uses: Uses,
    from_seq: i64,
    to_seq: i64,
}

impl PendingUsage {
    /// Nothing yet, behind this number of the chain.
    pub(crate) fn after(seq: i64) -> Self {
        Self { uses: Uses::default(), from_seq: seq, to_seq: seq }
    }

    /// Counts what the chain's events up to this number say.
    pub(crate) fn count(&mut self, to_seq: i64, uses: impl IntoIterator<Item = Usage>) {
        self.to_seq = to_seq;
        uses.into_iter().for_each(|usage| self.uses.count(usage));
    }

    /// What is pending for one credential.
    pub(crate) fn of(&self, subject: AnyId) -> Vec<Usage> {
        self.uses.of(subject)
    }

    /// Up to which number of the chain it counts.
    pub(crate) fn to_seq(&self) -> i64 {
        self.to_seq
    }

    /// What to store, if anything.
    pub(crate) fn batch(&self, chain: &str) -> Option<UsageBatch> {
        let counted = Counted { chain: chain.to_owned(), from_seq: self.from_seq, to_seq: self.to_seq };
        (self.to_seq > self.from_seq).then(|| UsageBatch { counted: Some(counted), rows: self.uses.rows() })
    }
}

/// The use of a credential that an event tells of.
pub(crate) fn usage_of(event: &Event) -> Option<Usage> {
    if event.action != Action::TOKEN_ISSUED {
        return None;
    }
    let subject = event.context.credential_id.as_ref()?.parse().ok()?;
    Some(Usage {
        subject,
        day: event.occurred_at.as_chrono().date_naive(),
        address: event.context.ip.clone().unwrap_or_else(|| "unknown".to_owned()),
        count: 1,
        needed: u64::from(event.reason.as_deref() != Some(UNNEEDED)),
        first_used_at: event.occurred_at,
        last_used_at: event.occurred_at,
    })
}

/// Counts a chain anew from its stored events behind `from_seq`.
pub(crate) async fn recount(
    store: &dyn Store,
    chain: &str,
    from_seq: i64,
) -> Result<PendingUsage, StoreError> {
    let mut pending = PendingUsage::after(from_seq);
    loop {
        let events = store.chain(chain, pending.to_seq, 1_000).await?;
        let Some(last) = events.last() else { return Ok(pending) };
        pending.count(last.seq, events.iter().filter_map(|chained| usage_of(&chained.event)));
    }
}

/// Adds what is pending to what is stored, day by day and address by address.
pub(crate) fn merge(stored: Vec<Usage>, pending: Vec<Usage>) -> Vec<Usage> {
    let mut all = Uses::default();
    stored.into_iter().chain(pending).for_each(|usage| all.add(usage));
    all.rows()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use keyward_model::Timestamp;

    use super::*;

    fn used(day: u64, address: &str) -> Usage {
        let at = Timestamp::from_unix_millis(0).unwrap();
        Usage {
            subject: "key_00000000000000000000000001".parse().unwrap(),
            day: NaiveDate::default() + chrono::Days::new(day),
            address: address.to_owned(),
            count: 1,
            needed: 1,
            first_used_at: at,
            last_used_at: at,
        }
    }

    #[test]
    fn many_addresses_of_one_day_are_counted_together() {
        let mut uses = Uses::default();
        (0..MAX_ADDRESSES * 3).for_each(|address| uses.count(used(1, &address.to_string())));
        uses.count(used(1, "0"));
        uses.count(used(2, "new"));
        let rows = uses.rows();
        let count = |day, address: &str| {
            rows.iter()
                .find(|row| row.day == used(day, "").day && row.address == address)
                .map(|row| row.count)
        };
        assert_eq!(rows.len(), MAX_ADDRESSES + 2, "another day has its own");
        assert_eq!((count(1, "0"), count(2, "new")), (Some(2), Some(1)));
        assert_eq!(count(1, "other"), Some(2 * MAX_ADDRESSES as u64));
    }

    #[test]
    fn what_is_stored_keeps_its_addresses() {
        let days = 2 * MAX_ADDRESSES as u64;
        let rows = merge((0..days).map(|day| used(day, "one")).collect(), vec![used(days - 1, "one")]);
        assert_eq!(rows.len() as u64, days);
        assert!(rows.iter().all(|row| row.address == "one"));
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), days + 1);
    }
}
