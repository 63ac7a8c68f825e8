//! Asking a person whether an application may have what it wants.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::{Authorization, ConsentAsked, SignedIn};
use keyward_http::browser;
use url::form_urlencoded;

use super::{
    State,
    visit::{Answer, beyond, field, origin, see_other},
};
use crate::{
    Form,
    page::{Consent, ConsentPermission},
    paths,
};

/// The member of the form that holds the application's request.
const REQUEST: &str = "request";

fn parsed(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The request judged once more: what the browser says of it decides nothing.
async fn judged(
    state: &State,
    request: &HttpRequest,
    signed_in: &SignedIn,
    query: &str,
    allowed: bool,
) -> Result<Authorization, HttpResponse> {
    let mut pairs = parsed(query);
    let since = browser::take_since(&mut pairs).and_then(|since| state.keyward.open_moment(&since));
    let judged = state.keyward.authorize(&pairs, Some(signed_in), since, allowed, &origin(request)).await;
    judged.map_err(|error| state.failed(request, &error))
}

/// What is said when there is nothing to ask.
fn other(state: &State, request: &HttpRequest, outcome: Authorization, query: &str) -> HttpResponse {
    match outcome {
        Authorization::Redirect(location) => see_other(&location),
        Authorization::Page(error) => {
            state.error_page(request, StatusCode::BAD_REQUEST, "Sign-in is not possible", &error.description)
        }
        Authorization::SignIn(_) | Authorization::Consent(_) => {
            see_other(&format!("/oauth2/authorize?{query}"))
        }
    }
}

pub(super) async fn ask(request: HttpRequest, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let query = request.query_string().to_owned();
    match judged(&state, &request, &signed_in, &query, false).await? {
        Authorization::Consent(asked) => Ok(show(&state, &signed_in, asked, &query)),
        outcome => Ok(other(&state, &request, outcome, &query)),
    }
}

fn show(state: &State, signed_in: &SignedIn, asked: ConsentAsked, query: &str) -> HttpResponse {
    let mut form = Form::new(paths::CONSENT, signed_in.form_token());
    form.keep.push((REQUEST.to_owned(), query.to_owned()));
    let identity = asked.identity.then(|| ConsentPermission {
        label: "Know your name and e-mail address".to_owned(),
        scope: "profile email".to_owned(),
        changes: false,
    });
    let permissions = asked.permissions.iter().map(|scope| ConsentPermission {
        label: scope.clone(),
        changes: !scope.contains("read"),
        scope: scope.clone(),
    });
    let target = beyond(&format!("?{query}"));
    let page = Consent {
        shell: state.shell(),
        form,
        email: signed_in.email().to_owned(),
        start_again: paths::SIGN_OUT.to_owned(),
        application: asked.application,
        owner: asked.owner,
        redirect_host: asked.host,
        redirect_is_local: asked.is_local,
        permissions: identity.into_iter().chain(permissions).collect(),
    };
    crate::respond(StatusCode::OK, &page, target.as_slice())
}

pub(super) async fn decide(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let query = field(&fields, REQUEST).unwrap_or_default();
    let allowed = field(&fields, "decision") == Some("allow");
    match judged(&state, &request, &signed_in, query, allowed).await? {
        Authorization::Consent(asked) => {
            let denied = state.keyward.consent_denied(&signed_in, &asked, &origin(&request)).await;
            denied.map_err(|error| state.failed(&request, &error))?;
            Ok(see_other(&asked.refused))
        }
        outcome => Ok(other(&state, &request, outcome, query)),
    }
}
