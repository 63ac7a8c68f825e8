//! What went wrong, why, and who can help.

use askama::Template;

use crate::{component::CopyField, frame::Shell};

/// An error. It needs no session, so that it can be shown whatever failed.
#[derive(Template)]
#[template(path = "page/error.html")]
pub struct ErrorPage {
    /// Around the page.
    pub shell: Shell,
    /// The status of the reply.
    pub status: u16,
    /// What happened, as a title.
    pub what: String,
    /// Why, and what was kept.
    pub why: String,
    /// Who can help, or what to do.
    pub help: String,
    /// The request's identifier, by which the log has the rest.
    pub request_id: String,
    /// Where to go: label and address.
    pub way_on: Option<(String, String)>,
}

impl ErrorPage {
    /// The words for a status. Fields can be changed when more is known.
    #[must_use]
    pub fn for_status(status: u16, shell: Shell, request_id: impl Into<String>) -> Self {
        let (what, why, help) = match status {
            400 => (
                "This request is not complete",
                "A part of the address or of the form is missing or wrong.",
                "Go back and try again. If you followed a link, ask whoever gave it to you.",
            ),
            403 => (
                "You may not see this",
                "You are signed in, but your account does not have the permission for it.",
                "Ask your administrator, and say what you wanted to do.",
            ),
            404 => (
                "There is nothing here",
                "The address is wrong, or what it names is gone, or it is not within your reach.",
                "Check the address, or begin at the first page.",
            ),
            429 => (
                "Too many tries",
                "To keep accounts safe, there is a limit on how often this can be done.",
                "Wait a minute, then try again.",
            ),
            503 => (
                "Not available at the moment",
                "The server cannot reach what it needs, so it refused. Nothing was changed.",
                "Try again in a few seconds. If it stays so, tell the operator.",
            ),
            _ => (
                "Something went wrong",
                "The fault is ours. It was written to the server's log.",
                "Try again. If it happens again, send the request ID to the operator.",
            ),
        };
        let (what, why, help) = (what.to_owned(), why.to_owned(), help.to_owned());
        Self { shell, status, what, why, help, request_id: request_id.into(), way_on: None }
    }
}
