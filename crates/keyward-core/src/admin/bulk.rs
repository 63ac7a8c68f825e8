//! Many changes of one kind in one request, each with a result and an audit record of its own.

use keyward_store::{Change, StoreError};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Administered,
    idempotency::{self, Replay},
};
use crate::{Call, Error, FieldError, Keyward, Written, forms};

/// How many changes one request may have.
const MAX_ITEMS: usize = 1_000;

/// The body of a bulk request.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Bulk)]
pub struct BulkBody {
    /// The changes, made in this order.
    pub items: Vec<BulkItem>,
}

/// One change.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkItem {
    /// What to do.
    pub op: BulkOp,
    /// To which object; for `update` and `revoke`.
    #[serde(default)]
    pub id: Option<String>,
    /// The body of the creation, or the patch.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
}

/// What to do in a bulk request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkOp {
    /// Create an object.
    Create,
    /// Merge a patch into an object.
    Update,
    /// End an object for good.
    Revoke,
}

/// What came of one change.
#[derive(Debug)]
pub struct BulkOutcome {
    /// What was done.
    pub op: BulkOp,
    /// The object's identifier, as far as it is known.
    pub id: Option<String>,
    /// What the object shows this once and by which member, or why nothing was done.
    pub result: Result<Option<(&'static str, Value)>, Error>,
}

impl Keyward {
    /// What was answered to an earlier bulk request with the call's idempotency key.
    pub async fn bulk_answer(&self, call: &Call) -> Result<Option<Value>, Error> {
        match idempotency::replay(self, call).await? {
            Replay::Answer(written) => Ok(Some(written.body)),
            Replay::None => Ok(None),
        }
    }

    /// Keeps the answer to a bulk request, which must be without secrets, for a repeated one.
    pub async fn keep_bulk_answer(&self, call: &Call, body: Value) -> Result<(), Error> {
        let written = Written { id: String::new(), version: 0, body, has_secret: false, replayed: false };
        let Some(ticket) = idempotency::ticket(call, &written, self.now()) else { return Ok(()) };
        let change = Change { tickets: vec![ticket], ..Change::default() };
        match self.commit(change, Vec::new()).await {
            // Taken: the same request was made twice at the same time, and the other was quicker.
            Ok(_) | Err(StoreError::Taken(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the changes one after the other; one that fails leaves the others as they are.
    pub async fn bulk<R: Administered>(&self, call: &Call, body: Value) -> Result<Vec<BulkOutcome>, Error> {
        let body: BulkBody = forms::decode(body)?;
        if body.items.len() > MAX_ITEMS {
            let detail = format!("One request has at most {MAX_ITEMS} items.");
            return Err(Error::field(FieldError::new("/items", "too_many", detail)));
        }
        // The items have no idempotency key of their own.
        let call = Call { idempotency: None, ..call.clone() };
        let mut outcomes = Vec::with_capacity(body.items.len());
        for item in body.items {
            outcomes.push(self.bulk_item::<R>(&call, item).await);
        }
        Ok(outcomes)
    }

    async fn bulk_item<R: Administered>(&self, call: &Call, item: BulkItem) -> BulkOutcome {
        let missing = |name: &str| {
            Error::field(FieldError::new(
                format!("/{name}"),
                "required",
                format!("This op needs the field {name}."),
            ))
        };
        let (op, mut id) = (item.op, item.id);
        let result = match (op, &id, item.body) {
            (BulkOp::Create, _, Some(body)) => match self.create::<R>(call, body).await {
                Ok(written) => {
                    id = Some(written.id);
                    Ok(written.body.get(R::SHOWN).map(|shown| (R::SHOWN, shown.clone())))
                }
                Err(error) => Err(error),
            },
            (BulkOp::Update, Some(id), Some(patch)) => {
                self.update::<R>(call, id, patch, None).await.map(|_| None)
            }
            (BulkOp::Revoke, Some(id), _) => R::end(self, call, id).await.map(|()| None),
            (BulkOp::Update | BulkOp::Revoke, None, _) => Err(missing("id")),
            (BulkOp::Create | BulkOp::Update, _, None) => Err(missing("body")),
        };
        BulkOutcome { op, id, result }
    }
}
