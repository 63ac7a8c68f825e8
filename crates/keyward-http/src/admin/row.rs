//! Operations beyond the five of every resource, a row each.

use actix_web::http::{Method, StatusCode};
use keyward_core::Action;
use keyward_model::Kind;

use super::{Answer, BASE, Exchange, JSON, resource::page_parameters};
use crate::operation::{AdminEndpoint, Body, Endpoint, Operation, Shape, Success};

/// What rows of one resource have in common.
#[derive(Clone, Copy)]
pub(crate) struct Of {
    /// Its heading in the documentation.
    pub(crate) tag: &'static str,
    /// Its kind.
    pub(crate) kind: Kind,
    /// The path of its collection below the admin API.
    pub(crate) collection: &'static str,
}

/// One operation. Its path stands behind that of the collection.
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) action: Action,
    pub(crate) run: fn(Exchange) -> Answer,
    /// The body, and whether it may be left out.
    pub(crate) body: Option<(Shape, bool)>,
    pub(crate) success: Success,
}

/// An answer with a body.
pub(crate) fn answer(status: StatusCode, shape: Shape) -> Success {
    Success { status, shape: Some(shape), is_list: false }
}

/// An answer that is a page of a list.
pub(crate) fn page(shape: Shape) -> Success {
    Success { is_list: true, ..answer(StatusCode::OK, shape) }
}

/// An answer without a body.
pub(crate) const NOTHING: Success = Success { status: StatusCode::NO_CONTENT, shape: None, is_list: false };

/// A row that reads.
pub(crate) fn read(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    success: Success,
    run: fn(Exchange) -> Answer,
) -> Row {
    let action = if success.is_list && path.is_empty() { Action::List } else { Action::Read };
    Row { method: Method::GET, path, id, summary, action, run, body: None, success }
}

impl Row {
    /// The operation.
    pub(crate) fn operation(self, of: Of) -> Operation {
        let endpoint = AdminEndpoint {
            action: self.action,
            kind: of.kind,
            accepts: if self.body.is_some() { JSON } else { &[] },
            body_optional: self.body.as_ref().is_some_and(|(_, optional)| *optional),
            reads_query: self.success.is_list || self.path == "/series",
            run: self.run,
        };
        Operation {
            tag: of.tag,
            method: self.method,
            parameters: if self.success.is_list { page_parameters() } else { Vec::new() },
            body: self.body.map(|(shape, optional)| Body { media_types: JSON, shape, required: !optional }),
            success: self.success,
            ..Operation::get(
                format!("{BASE}/{}{}", of.collection, self.path),
                self.id,
                self.summary,
                Endpoint::Admin(endpoint),
            )
        }
    }
}
