//! How many of a kind there are of each of several owners: for lists of those.

use std::collections::BTreeMap;

use keyward_model::{AnyId, Field, Kind, Value};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Condition, Query, Test};

use super::Work;
use crate::{Call, Error, Keyward};

impl Keyward {
    /// How many of a kind there are by what a field of theirs names, of these: those that are named by none are left out.
    /// `only` is what they must have beside.
    pub async fn count_each(
        &self,
        call: &Call,
        kind: Kind,
        field: Field,
        named: &[AnyId],
        only: Option<(Field, &str)>,
    ) -> Result<BTreeMap<AnyId, u64>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(kind)).await?;
        if named.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut query = Query::all(kind);
        let wanted = named.iter().map(|id| Value::id(Some(*id))).collect();
        query.conditions.push(Condition { field, test: Test::OneOf(wanted) });
        if let Some((field, value)) = only {
            query = query.with(field, Value::text(value));
        }
        let counts = self.inner.store.count_by(&work.reach(), &query, field).await?;
        let id = |(value, number): (Value, u64)| match value {
            Value::Text(id) => Some((id.parse().ok()?, number)),
            _ => None,
        };
        Ok(counts.into_iter().filter_map(id).collect())
    }
}
