//! A browser at a page: what it brought along, and what it is answered with.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    error::InternalError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION, RETRY_AFTER},
    },
    web::Payload,
};
use askama::Template;
use keyward_core::{Flow, NewSession, Origin, SignInError, SignedIn};
use keyward_http::browser::{self, Kept};
use url::{Url, form_urlencoded};

use super::State;
use crate::{Environment, Form, FormTarget, Problems, Shell, page::ErrorPage, paths, respond};

/// An answer, or the page that says why there is none.
pub(super) type Answer = Result<HttpResponse, Refused>;

/// An answer other than the one that was asked for.
#[derive(Debug)]
pub(super) struct Refused(Box<HttpResponse>);

impl From<HttpResponse> for Refused {
    fn from(response: HttpResponse) -> Self {
        Self(Box::new(response))
    }
}

impl From<Refused> for HttpResponse {
    fn from(refused: Refused) -> Self {
        *refused.0
    }
}

impl From<Refused> for actix_web::Error {
    fn from(refused: Refused) -> Self {
        InternalError::from_response("refused", *refused.0).into()
    }
}

/// A browser at a page that needs no session.
pub(super) struct Visit<'a> {
    pub(super) state: &'a State,
    pub(super) request: &'a HttpRequest,
    /// The sign-in that has begun in it, or that begins now.
    pub(super) flow: Flow,
}

/// The value of the first field by this name that is not empty.
pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let value = fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    value.filter(|value| !value.is_empty())
}

/// A path of this server, and of nobody else's.
pub(super) fn own_path(path: &str) -> Option<String> {
    let leads_away = path.starts_with("//") || path.contains('\\') || path.contains(char::is_control);
    (path.starts_with('/') && !leads_away).then(|| path.to_owned())
}

/// Where a path of this server leads a browser on to, when it serves an application.
pub(super) fn beyond(path: &str) -> Option<FormTarget> {
    let (_, query) = path.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let uri = pairs.find(|(name, _)| name == "redirect_uri").map(|(_, uri)| uri.into_owned())?;
    FormTarget::of_redirect(&uri)
}

/// Sends the browser on with GET (RFC 9700 section 4.12).
pub(super) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, location))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// Adds a cookie; those of this server have names and values that can be headers.
pub(super) fn keep(response: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "a cookie can't be sent");
    }
}

/// What is wrong with a form, and the status to say it with.
pub(super) fn problems(error: &SignInError, name: &'static str) -> (StatusCode, Problems) {
    match error {
        SignInError::Wrong | SignInError::NotAllowed(_) | SignInError::Provider(_) => {
            (StatusCode::FORBIDDEN, Problems::message(error.to_string()))
        }
        SignInError::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, Problems::message(error.to_string())),
        SignInError::WrongCode => (StatusCode::FORBIDDEN, Problems::field(name, error.to_string())),
        SignInError::Weak(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Problems::field("new_password", error.to_string()))
        }
        SignInError::Invalid(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Problems::field(name, error.to_string()))
        }
        SignInError::OutOfDate | SignInError::DeadLink | SignInError::StepUpNeeded => {
            (StatusCode::BAD_REQUEST, Problems::message(error.to_string()))
        }
        SignInError::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Problems::message(error.to_string()))
        }
    }
}

impl State {
    /// What stands around a page without a session.
    pub(super) fn shell(&self) -> Shell {
        let options = self.keyward.options();
        let name = options.default_environment().to_owned();
        let host = Url::parse(&options.issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
        Shell {
            product: options.sign_in.product_name.clone(),
            environment: Some(Environment { live: keyward_core::Options::is_live(&name), name }),
            host: host.unwrap_or_default(),
            notice: None,
        }
    }

    /// A page that says what went wrong.
    pub(super) fn error_page(
        &self,
        request: &HttpRequest,
        status: StatusCode,
        what: &str,
        why: &str,
    ) -> HttpResponse {
        let page = ErrorPage {
            shell: self.shell(),
            status: status.as_u16(),
            what: what.to_owned(),
            why: why.to_owned(),
            help: "If this goes on, tell your administrator the number below.".to_owned(),
            request_id: origin(request).request_id.unwrap_or_default(),
            way_on: Some(("Sign in".to_owned(), paths::SIGN_IN.to_owned())),
        };
        respond(status, &page, &[])
    }

    /// The page for a failure after which there is nothing to put right on the page before.
    pub(super) fn failed(&self, request: &HttpRequest, error: &SignInError) -> HttpResponse {
        let (status, _) = problems(error, "");
        if let SignInError::Unavailable(cause) = error {
            tracing::error!(%cause, "a page could not be answered");
        }
        let mut response = self.error_page(request, status, "This did not work", &error.to_string());
        if let SignInError::TooMany(seconds) = error {
            response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
        }
        response
    }

    /// Who is signed in with this browser.
    pub(super) async fn signed_in(&self, request: &HttpRequest) -> Result<Option<SignedIn>, HttpResponse> {
        browser::signed_in(request, &self.keyward).await.map_err(|error| self.failed(request, &error))
    }

    /// Who is signed in; nobody must sign in first, and then comes back.
    pub(super) async fn person(&self, request: &HttpRequest) -> Result<SignedIn, HttpResponse> {
        self.signed_in(request).await?.ok_or_else(|| {
            let here = request.uri().path_and_query().map_or(paths::ACCOUNT, |here| here.as_str());
            let here = if request.method() == "GET" { here } else { paths::ACCOUNT };
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("return_to", here);
            let mut response = see_other(&format!("{}?{}", paths::SIGN_IN, query.finish()));
            if Kept::Session.of(request, &self.keyward).is_some() {
                // The session was ended: the browser need not keep what is left of it.
                keep(&mut response, &Kept::Session.gone(&self.keyward));
            }
            response
        })
    }

    /// The fields of a form that a page of this very session sent.
    pub(super) async fn own_form(
        &self,
        request: &HttpRequest,
        payload: Payload,
        token: &str,
    ) -> Result<Vec<(String, String)>, HttpResponse> {
        let fields = browser::form(payload, &self.settings).await;
        let fields = fields
            .map_err(|(status, why)| self.error_page(request, status, "The form can't be read", why))?;
        let is_own = browser::is_own_form(request, &self.keyward) && field(&fields, "csrf") == Some(token);
        if is_own { Ok(fields) } else { Err(self.failed(request, &SignInError::OutOfDate)) }
    }

    /// Lets a session begin in the browser, or go on under another cookie.
    pub(super) fn begin_session(&self, mut response: HttpResponse, new: NewSession) -> HttpResponse {
        keep(&mut response, &Kept::Session.with(new.cookie, &self.keyward));
        keep(&mut response, &Kept::Device.with(new.device, &self.keyward));
        keep(&mut response, &Kept::Flow.gone(&self.keyward));
        response
    }
}

/// Where a request comes from.
pub(super) fn origin(request: &HttpRequest) -> Origin {
    keyward_http::origin(request)
}

impl<'a> Visit<'a> {
    /// The sign-in that the browser brought along, or a new one.
    pub(super) fn of(state: &'a State, request: &'a HttpRequest) -> Self {
        let known = Kept::Flow.of(request, &state.keyward);
        let known = known.and_then(|sealed| state.keyward.open_flow(&sealed));
        let flow = known.unwrap_or_else(|| state.keyward.begin_sign_in(None));
        Self { state, request, flow }
    }

    /// The fields of a form that a page of this very sign-in sent.
    pub(super) async fn form(&self, payload: Payload) -> Result<Vec<(String, String)>, HttpResponse> {
        self.state.own_form(self.request, payload, &self.flow.form_token).await
    }

    /// A form of a page of this sign-in.
    pub(super) fn form_to(&self, action: &str) -> Form {
        Form::new(action, &self.flow.form_token)
    }

    /// Where forms may lead because the sign-in serves an application.
    fn targets(&self) -> Vec<FormTarget> {
        self.flow.return_to.as_deref().and_then(beyond).into_iter().collect()
    }

    /// A page of this sign-in.
    pub(super) fn show(&self, status: StatusCode, page: &impl Template) -> HttpResponse {
        self.kept(respond(status, page, &self.targets()))
    }

    /// An answer after which the browser knows the sign-in as it is now.
    pub(super) fn kept(&self, mut response: HttpResponse) -> HttpResponse {
        match self.state.keyward.seal_flow(&self.flow) {
            Ok(sealed) => keep(&mut response, &Kept::Flow.with(sealed, &self.state.keyward)),
            Err(error) => return self.state.failed(self.request, &error),
        }
        response
    }

    /// Where the person goes once they are signed in.
    pub(super) fn destination(&self) -> &str {
        self.flow.return_to.as_deref().unwrap_or(paths::CONSOLE)
    }

    /// The person is signed in: whoever was so before in this browser no longer is.
    pub(super) async fn done(&self, new: NewSession) -> Answer {
        if let Some(before) = self.state.signed_in(self.request).await? {
            let ended = self.state.keyward.sign_out(&before, &origin(self.request)).await;
            ended.map_err(|error| self.state.failed(self.request, &error))?;
        }
        Ok(self.state.begin_session(see_other(self.destination()), new))
    }
}
