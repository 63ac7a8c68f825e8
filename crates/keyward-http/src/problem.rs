//! Errors of the admin API as `application/problem+json` (RFC 9457).

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use keyward_core::{Error, Keyward};
use keyward_model::{
    ScopeSet,
    admission::{Reason, Refusal},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::origin::RequestId;

/// A refusal or failure, ready to be sent.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    body: Box<ProblemBody>,
    challenge: Option<String>,
}

/// A refusal or failure (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `about:blank`: the status says it all, and `code` the rest.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// What is wrong in a word, for programs.
    code: String,
    /// The request's `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FieldErrorBody>)]
    errors: Vec<Value>,
    /// The permissions that would suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_permissions: Option<Vec<String>>,
    /// The permissions that the caller has.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_permissions: Option<Vec<String>>,
    /// How many there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
}

/// What is wrong with one field.
#[derive(ToSchema)]
#[schema(as = FieldError)]
#[expect(dead_code, reason = "describes the core's type of the same shape in the OpenAPI document")]
pub(crate) struct FieldErrorBody {
    /// Where the field stands in the body (RFC 6901), or the parameter's name.
    pointer: String,
    /// What is wrong in a word.
    code: String,
    /// What is wrong, for people.
    detail: String,
}

impl Problem {
    /// The problem that an error of the core is.
    #[must_use]
    pub fn new(error: &Error, request: &HttpRequest, keyward: &Keyward) -> Self {
        let (status, code) = match error {
            Error::Refused(refusal) => return Self::refusal(refusal, request, keyward),
            Error::Forbidden { .. } => (StatusCode::FORBIDDEN, "permission_denied"),
            Error::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Error::Conflict { code, .. } => (StatusCode::CONFLICT, *code),
            Error::LimitReached { .. } => (StatusCode::CONFLICT, "limit_reached"),
            Error::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "precondition_failed"),
            Error::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields"),
            Error::BadRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Error::Unavailable(cause) => {
                tracing::error!(cause = %Chain(&**cause), "a request could not be answered");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
        };
        let mut problem = Self::plain(status, code, error.to_string(), request);
        match error {
            Error::LimitReached { limit, used, .. } => {
                (problem.body.limit, problem.body.used) = (Some(*limit), Some(*used));
            }
            Error::Invalid(fields) => {
                problem.body.errors = fields.iter().map(|field| json!(field)).collect();
            }
            Error::Forbidden { required, held, .. } => {
                let scope = required.join(" ");
                problem.challenge = Some(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""));
                problem.body.required_permissions = Some(required.clone());
                problem.body.held_permissions = Some(held.iter().map(ToString::to_string).collect());
            }
            _ => {}
        }
        problem
    }

    /// A refusal of a request that Keyward was asked about.
    #[must_use]
    pub fn refusal(refusal: &Refusal, request: &HttpRequest, keyward: &Keyward) -> Self {
        let reason = refusal.reason;
        let status = StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::FORBIDDEN);
        let mut problem = Self::plain(status, reason.code(), refusal.detail.as_str(), request);
        let lists = |set: &ScopeSet| Some(set.iter().map(ToString::to_string).collect());
        if reason == Reason::PermissionDenied {
            problem.body.required_permissions = lists(&refusal.required);
            problem.body.held_permissions = lists(&refusal.held);
        }
        let issuer = &keyward.options().issuer;
        // Who needs another token is told where to get one (RFC 9728 section 5.1).
        let metadata = match status {
            StatusCode::UNAUTHORIZED => {
                format!(", resource_metadata=\"{issuer}/.well-known/oauth-protected-resource\"")
            }
            _ => String::new(),
        };
        problem.challenge = refusal.challenge().map(|challenge| challenge + &metadata);
        problem
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What is sent.
    pub(crate) fn body(&self) -> &ProblemBody {
        &self.body
    }

    /// A problem of the request itself, which the core never saw.
    pub(crate) fn plain(
        status: StatusCode,
        code: impl Into<String>,
        detail: impl Into<String>,
        request: &HttpRequest,
    ) -> Self {
        let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
        Self::named(status, code, detail, request_id)
    }

    /// The same, for a request that is no longer at hand.
    pub(crate) fn named(
        status: StatusCode,
        code: impl Into<String>,
        detail: impl Into<String>,
        request_id: Option<String>,
    ) -> Self {
        Self {
            status,
            body: Box::new(ProblemBody {
                kind: "about:blank",
                title: status.canonical_reason().unwrap_or_default().to_owned(),
                status: status.as_u16(),
                detail: detail.into(),
                code: code.into(),
                request_id,
                errors: Vec::new(),
                required_permissions: None,
                held_permissions: None,
                limit: None,
                used: None,
            }),
            challenge: None,
        }
    }
}

/// A text as it may stand in a quoted parameter of a header.
pub(crate) fn quotable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

/// An error with its causes.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.body.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.clone().into()
    }
}

impl From<Problem> for HttpResponse {
    fn from(problem: Problem) -> Self {
        let mut response = Self::build(problem.status);
        response.content_type("application/problem+json").insert_header((CACHE_CONTROL, "no-store"));
        if let Some(challenge) = problem.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        match problem.status {
            StatusCode::SERVICE_UNAVAILABLE => response.insert_header((RETRY_AFTER, "1")),
            StatusCode::TOO_MANY_REQUESTS => response.insert_header((RETRY_AFTER, "60")),
            _ => &mut response,
        };
        response.body(serde_json::to_string(&problem.body).unwrap_or_default())
    }
}
