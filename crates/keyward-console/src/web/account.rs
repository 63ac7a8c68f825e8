//! My account.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use keyward_core::{AccountView, EnrolmentView, NewSession, SignInError, SignedIn};
use keyward_model::{AdminRole, Preferences, Theme};

use super::{
    State,
    desk::{frame, method},
    step_up, two_step,
    visit::{Answer, field, origin, problems, see_other},
};
use crate::{
    Confirmation, Form, Moment, Problems,
    component::{FormBlock, Input, Takes},
    describe_device,
    page::{Account, Profile, Session, TwoStep},
    paths,
};

pub(super) async fn show(request: HttpRequest, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    rendered(&state, &request, &signed_in, StatusCode::OK, Problems::default()).await
}

async fn rendered(
    state: &State,
    request: &HttpRequest,
    signed_in: &SignedIn,
    status: StatusCode,
    problems: Problems,
) -> Answer {
    let account = state.keyward.account(signed_in).await.map_err(|error| state.failed(request, &error))?;
    let now = state.keyward.now();
    let password = account.authenticators.has_password.then(|| {
        let mut form = Form::new(paths::ACCOUNT_PASSWORD, signed_in.form_token());
        form.problems = problems;
        form
    });
    let this = signed_in.session_id();
    let mut sessions: Vec<Session> = account
        .sessions
        .iter()
        .map(|session| Session {
            id: session.id.to_string(),
            device: describe_device(session.user_agent.as_deref()),
            ip: session.ip.clone().unwrap_or_default(),
            method: method(&session.method).to_owned(),
            started: Moment::new(session.created_at, now),
            last_active: Moment::new(session.last_active_at, now),
            current: session.id.to_string() == this,
        })
        .collect();
    sessions.sort_by_key(|session| !session.current);
    let page = Account {
        frame: frame(state, signed_in, None, paths::ACCOUNT),
        csrf: signed_in.form_token(),
        profile: profile(signed_in, &account),
        two_step: second_step(&account),
        password,
        password_changed: account.authenticators.password_changed_at.map(|at| Moment::new(at, now)),
        sessions,
        preferences: preferences_form(signed_in),
        confirmation: question(request, signed_in),
    };
    Ok(crate::respond(status, &page, &[]))
}

/// What is asked before it is done: the page's address says about what.
fn question(request: &HttpRequest, signed_in: &SignedIn) -> Option<Confirmation> {
    let (title, text, button, path) = match request.query_string() {
        "confirm=two-step-off" => (
            "Turn off two-step sign-in?",
            "Your password alone is enough then. Your authenticator app and recovery codes stop working, and you are signed \
             out everywhere else.",
            "Turn off two-step sign-in",
            paths::ACCOUNT_TWO_STEP_OFF,
        ),
        "confirm=sign-out-others" => (
            "Sign out everywhere else?",
            "Every session but this one ends at once.",
            "Sign out everywhere else",
            paths::ACCOUNT_SIGN_OUT_OTHERS,
        ),
        _ => return None,
    };
    Some(Confirmation {
        title: title.to_owned(),
        text: text.to_owned(),
        button: button.to_owned(),
        typed: None,
        form: Form::new(path, signed_in.form_token()),
        cancel: paths::ACCOUNT.to_owned(),
    })
}

/// The form for how the person wants pages.
fn preferences_form(signed_in: &SignedIn) -> FormBlock {
    let preferences = signed_in.preferences();
    let choice = |name: &str, label: &str, options: &[(&str, &str)], now: &str| {
        let options =
            options.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
        Input::new(name, label, Takes::One(options), now).into()
    };
    let theme = match preferences.theme {
        Theme::System => "system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    let themes = [("system", "As the system has it"), ("light", "Light"), ("dark", "Dark")];
    let rows = if preferences.compact { "compact" } else { "comfortable" };
    let times = if preferences.local_time { "local" } else { "utc" };
    let shortcuts = if preferences.no_shortcuts { "off" } else { "on" };
    let parts = vec![
        choice("theme", "Colours", &themes, theme),
        choice("rows", "Rows", &[("comfortable", "Comfortable"), ("compact", "Compact")], rows),
        choice("times", "Times", &[("utc", "UTC"), ("local", "My time")], times),
        choice("shortcuts", "Single-letter shortcuts", &[("on", "On"), ("off", "Off")], shortcuts),
    ];
    let form = Form::new(paths::ACCOUNT_PREFERENCES, signed_in.form_token());
    FormBlock::new(form, parts, "Save", "")
}

pub(super) async fn set_preferences(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let preferences = Preferences {
        theme: match field(&fields, "theme") {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        },
        compact: field(&fields, "rows") == Some("compact"),
        local_time: field(&fields, "times") == Some("local"),
        no_shortcuts: field(&fields, "shortcuts") == Some("off"),
        ..signed_in.preferences()
    };
    let kept = state.keyward.set_preferences(&signed_in, preferences, &origin(&request)).await;
    kept.map_err(|error| state.failed(&request, &error))?;
    Ok(see_other(paths::ACCOUNT))
}

fn profile(signed_in: &SignedIn, account: &AccountView) -> Profile {
    let tier = match signed_in.admin_role() {
        Some(AdminRole::SuperAdmin) => "Super admin",
        Some(AdminRole::PartnerAdmin) => "Partner admin",
        Some(AdminRole::TenantAdmin) => "Tenant admin",
        None => "Staff",
    };
    let linked: Vec<&str> = account.linked.iter().map(|linked| linked.provider.as_str()).collect();
    let password = account.authenticators.has_password.then_some("Password");
    let ways: Vec<&str> = password.into_iter().chain(linked).collect();
    Profile {
        name: account.name.clone(),
        email: account.email.clone(),
        tier: tier.to_owned(),
        scope: signed_in.scope_name(),
        roles: signed_in.role_names(),
        method: ways.join(", "),
    }
}

fn second_step(account: &AccountView) -> TwoStep {
    let known = &account.authenticators;
    if known.has_totp {
        return TwoStep::On { codes_left: known.recovery_codes_left, removable: !account.totp_required };
    }
    match account.linked.first() {
        Some(linked) if !known.has_password => TwoStep::Elsewhere { provider: linked.provider.clone() },
        _ => TwoStep::Off { required: account.totp_required },
    }
}

pub(super) async fn change_password(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let get = |name| field(&fields, name).unwrap_or_default().to_owned();
    let from = origin(&request);
    match state.keyward.change_password(&signed_in, get("password"), get("new_password"), &from).await {
        Ok(new) => Ok(state.begin_session(see_other(paths::ACCOUNT), new)),
        Err(SignInError::Wrong) => {
            let wrong = Problems::field("password", "This is not your present password.");
            rendered(&state, &request, &signed_in, StatusCode::FORBIDDEN, wrong).await
        }
        Err(error @ (SignInError::Weak(_) | SignInError::TooMany(_))) => {
            let (status, problems) = problems(&error, "new_password");
            rendered(&state, &request, &signed_in, status, problems).await
        }
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}

/// The answer to something that needs a recent proof of who the person is.
fn refused(state: &State, request: &HttpRequest, error: &SignInError, back: &str) -> HttpResponse {
    match error {
        SignInError::StepUpNeeded => step_up::needed(back),
        error => state.failed(request, error),
    }
}

pub(super) async fn ask_enrol(request: HttpRequest, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    match state.keyward.own_enrolment(&signed_in, None).await {
        Ok(view) => Ok(show_enrol(&state, &signed_in, &view, StatusCode::OK, Problems::default())),
        Err(error) => Err(refused(&state, &request, &error, paths::ACCOUNT_TWO_STEP).into()),
    }
}

fn show_enrol(
    state: &State,
    signed_in: &SignedIn,
    view: &EnrolmentView,
    status: StatusCode,
    problems: Problems,
) -> HttpResponse {
    let mut form = Form::new(paths::ACCOUNT_TWO_STEP, signed_in.form_token());
    form.problems = problems;
    let (shell, email) = (state.shell(), signed_in.email().to_owned());
    let cancel = Some(paths::ACCOUNT.to_owned());
    crate::respond(status, &two_step::enrol_page(shell, form, email, &view.enrolment, cancel), &[])
}

pub(super) async fn enrol(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let (sealed, code) = (field(&fields, "enrolment").unwrap_or_default(), field(&fields, "code"));
    match state.keyward.enrol_own(&signed_in, sealed, code.unwrap_or_default(), &origin(&request)).await {
        Ok((new, codes)) => {
            let email = signed_in.email().to_owned();
            Ok(two_step::show_recovery_codes(&state, new, codes, email, paths::ACCOUNT))
        }
        Err(error @ SignInError::WrongCode) => {
            let again = state.keyward.own_enrolment(&signed_in, Some(sealed)).await;
            let again = again.map_err(|error| refused(&state, &request, &error, paths::ACCOUNT_TWO_STEP))?;
            let (status, problems) = problems(&error, "code");
            Ok(show_enrol(&state, &signed_in, &again, status, problems))
        }
        Err(error) => Err(refused(&state, &request, &error, paths::ACCOUNT_TWO_STEP).into()),
    }
}

fn renewed(state: &State, request: &HttpRequest, changed: Result<NewSession, SignInError>) -> Answer {
    match changed {
        Ok(new) => Ok(state.begin_session(see_other(paths::ACCOUNT), new)),
        Err(error) => Err(refused(state, request, &error, paths::ACCOUNT).into()),
    }
}

pub(super) async fn remove_factor(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    state.own_form(&request, payload, &signed_in.form_token()).await?;
    let removed = state.keyward.remove_own_factor(&signed_in, &origin(&request)).await;
    renewed(&state, &request, removed)
}

pub(super) async fn new_recovery_codes(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    state.own_form(&request, payload, &signed_in.form_token()).await?;
    match state.keyward.replace_recovery_codes(&signed_in, &origin(&request)).await {
        Ok(codes) => {
            Ok(two_step::recovery_codes(&state, codes, signed_in.email().to_owned(), paths::ACCOUNT))
        }
        Err(error) => Err(refused(&state, &request, &error, paths::ACCOUNT).into()),
    }
}

pub(super) async fn end_session(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    state: Data<State>,
) -> Answer {
    let signed_in = state.person(&request).await?;
    state.own_form(&request, payload, &signed_in.form_token()).await?;
    let ended = state.keyward.end_own_session(&signed_in, &id, &origin(&request)).await;
    ended.map_err(|error| state.failed(&request, &error))?;
    Ok(see_other(paths::ACCOUNT))
}

pub(super) async fn sign_out_others(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    state.own_form(&request, payload, &signed_in.form_token()).await?;
    let account = state.keyward.account(&signed_in).await.map_err(|error| state.failed(&request, &error))?;
    for session in account.sessions.iter().map(|session| session.id.to_string()) {
        if session != signed_in.session_id() {
            let ended = state.keyward.end_own_session(&signed_in, &session, &origin(&request)).await;
            ended.map_err(|error| state.failed(&request, &error))?;
        }
    }
    Ok(see_other(paths::ACCOUNT))
}
