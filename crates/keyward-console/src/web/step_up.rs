//! Proving once more who one is.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::{NewSession, Proof, Purpose, SignInError, SignedIn};
use keyward_http::browser;

use super::{
    State, federation,
    visit::{Answer, beyond, field, origin, own_path, problems, see_other},
};
use crate::{
    Form, FormTarget, Problems,
    page::{CarryOn, Factor, StepUp},
    paths,
};

/// What somebody was about to do, and does once they have proved who they are.
#[derive(Default)]
struct Interrupted {
    /// The page to go to.
    return_to: Option<String>,
    /// The form that is sent on to it, with its fields.
    sent: Option<(String, Vec<(String, String)>)>,
}

/// What stands before the names of the fields of an interrupted form.
const SENT: &str = "sent.";

impl Interrupted {
    /// As the page for the proof tells it.
    fn of(fields: &[(String, String)]) -> Self {
        let path = |name| field(fields, name).and_then(own_path);
        let sent = fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(SENT)?, value)));
        let sent = sent.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Self { return_to: path("return_to"), sent: path("send_to").map(|to| (to, sent)) }
    }

    /// The same as fields that travel unseen.
    fn kept(&self) -> Vec<(String, String)> {
        let mut kept = Vec::new();
        kept.extend(self.return_to.clone().map(|path| ("return_to".to_owned(), path)));
        if let Some((to, sent)) = &self.sent {
            kept.push(("send_to".to_owned(), to.clone()));
            kept.extend(sent.iter().map(|(name, value)| (format!("{SENT}{name}"), value.clone())));
        }
        kept
    }
}

pub(super) async fn ask(request: HttpRequest, state: Data<State>) -> Answer {
    let query = browser::query(&request);
    let return_to = field(&query, "return_to").and_then(own_path);
    let signed_in = state.person(&request).await?;
    if let Some(provider) = field(&query, "provider") {
        let purpose = Purpose::StepUp(return_to);
        return federation::leave(&state, &request, provider, purpose, Some(&signed_in), None).await;
    }
    let interrupted = Interrupted { return_to, sent: None };
    show(&state, &request, &signed_in, &interrupted, StatusCode::OK, Problems::default()).await
}

/// Asks somebody for the proof who has already sent a form: it is sent on afterwards, with all that was typed. Through a
/// provider, which keeps no forms, they go to the page `back`.
pub(super) async fn interrupt(
    state: &State,
    request: &HttpRequest,
    signed_in: &SignedIn,
    fields: &[(String, String)],
    back: &str,
) -> HttpResponse {
    let fields = fields.iter().filter(|(name, _)| name != "csrf").cloned().collect();
    let sent = Some((request.path().to_owned(), fields));
    let interrupted = Interrupted { return_to: Some(back.to_owned()), sent };
    let page = show(state, request, signed_in, &interrupted, StatusCode::FORBIDDEN, Problems::default());
    page.await.unwrap_or_else(HttpResponse::from)
}

async fn show(
    state: &State,
    request: &HttpRequest,
    signed_in: &SignedIn,
    interrupted: &Interrupted,
    status: StatusCode,
    problems: Problems,
) -> Answer {
    let account = state.keyward.account(signed_in).await.map_err(|error| state.failed(request, &error))?;
    let return_to = interrupted.return_to.as_deref();
    let factor = match (&account.authenticators, signed_in.provider_id()) {
        (known, _) if known.has_totp => Factor::Code,
        (known, Some(provider)) if !known.has_password => {
            let back = url::form_urlencoded::byte_serialize(return_to.unwrap_or(paths::CONSOLE).as_bytes());
            let href =
                format!("{}?provider={provider}&return_to={}", paths::STEP_UP, back.collect::<String>());
            Factor::Provider { name: "your identity provider".to_owned(), href }
        }
        _ => Factor::Password,
    };
    let mut form = Form::new(paths::STEP_UP, signed_in.form_token());
    form.keep = interrupted.kept();
    form.problems = problems;
    let page = StepUp {
        shell: state.shell(),
        form,
        email: signed_in.email().to_owned(),
        purpose: "go on".to_owned(),
        factor,
        cancel: paths::CONSOLE.to_owned(),
    };
    let targets: Vec<FormTarget> = return_to.and_then(beyond).into_iter().collect();
    Ok(crate::respond(status, &page, &targets))
}

/// Sends somebody who must prove who they are to the page for that, and back here afterwards.
pub(super) fn needed(back: &str) -> HttpResponse {
    let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    see_other(&format!("{}?return_to={back}", paths::STEP_UP))
}

pub(super) async fn confirm(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let interrupted = Interrupted::of(&fields);
    let password = field(&fields, "password").map(str::to_owned);
    let proof = field(&fields, "code").map(|code| Proof::Code(code.to_owned()));
    match state.keyward.step_up(&signed_in, password, proof.as_ref(), &origin(&request)).await {
        Ok(new) => Ok(go_on(&state, interrupted, new)),
        Err(error @ (SignInError::Wrong | SignInError::WrongCode | SignInError::TooMany(_))) => {
            let (status, problems) = problems(&error, "code");
            show(&state, &request, &signed_in, &interrupted, status, problems).await
        }
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}

/// On with what was interrupted, under the session's new cookie.
fn go_on(state: &State, interrupted: Interrupted, new: NewSession) -> HttpResponse {
    let response = match interrupted.sent {
        Some((to, sent)) => {
            let mut form = Form::new(to, state.keyward.form_token(&new));
            form.keep = sent;
            let lead = "Thank you. Go on with what you were about to do.";
            crate::respond(StatusCode::OK, &CarryOn { shell: state.shell(), lead, form }, &[])
        }
        None => see_other(interrupted.return_to.as_deref().unwrap_or(paths::CONSOLE)),
    };
    state.begin_session(response, new)
}
