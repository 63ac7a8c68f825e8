//! Fields that have one of several values.

use keyward_model::{Entity, Field, Kind, Owner, Secret, Value};
use keyward_store::{Condition, Query, Store, Test};

use crate::fixtures::*;

/// One of several values, none of which need be there; null is none of them.
pub(crate) async fn lists_find_one_of_several(store: &dyn Store) {
    let application = application("app", Owner::Platform);
    let (one, other) = (secret(&application), secret(&application));
    put_all(store, vec![one.clone().into(), other.clone().into()]).await;
    let (one, other) = (one.id().any(), other.id().any());
    let strangers = [one, id::<Secret>().any()].map(|id| Value::id(Some(id)));
    for (among, expected) in [
        (vec![Value::id(Some(application.id())), strangers[1].clone()], vec![one, other]),
        (strangers.to_vec(), Vec::new()),
        (Vec::new(), Vec::new()),
        (vec![Value::text("a\0b"), Value::Null], Vec::new()),
    ] {
        let conditions = vec![Condition { field: Field::HolderId, test: Test::OneOf(among) }];
        assert_eq!(listed(store, &Query { conditions, ..Query::all(Kind::Secret) }).await, expected);
    }
}
