//! Trips to identity providers and back.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFRESH},
    },
    web::{Data, Path, Payload},
};
use keyward_core::{Answer as Said, Purpose, SignInError, SignedIn, TestReport, TripEnd};
use keyward_http::browser::{self, Kept};

use super::{
    State,
    desk::{self, frame},
    step_up,
    visit::{Answer, Visit, field, keep, origin, see_other},
};
use crate::{
    Form, content_security_policy,
    page::{CarryOn, Claim, Mapped, Onward, ProviderTest, TestStep, Verdict},
    paths,
};

/// Sends the browser to a provider.
pub(super) async fn leave(
    state: &State,
    request: &HttpRequest,
    provider: &str,
    purpose: Purpose,
    signed_in: Option<&SignedIn>,
    login_hint: Option<&str>,
) -> Answer {
    departing(state, request, state.keyward.depart(provider, purpose, signed_in, login_hint).await)
}

fn departing(
    state: &State,
    request: &HttpRequest,
    departed: Result<(String, String), SignInError>,
) -> Answer {
    let (location, kept) = departed.map_err(|error| state.failed(request, &error))?;
    let mut response = see_other(&location);
    keep(&mut response, &Kept::Trip.with(kept, &state.keyward));
    Ok(response)
}

/// Sends somebody who signs in to a provider.
pub(super) async fn to(visit: &Visit<'_>, provider: &str) -> Answer {
    let purpose = Purpose::SignIn(visit.flow.return_to.clone());
    leave(visit.state, visit.request, provider, purpose, None, visit.flow.email.as_deref()).await
}

pub(super) async fn depart(request: HttpRequest, provider: Path<String>, state: Data<State>) -> Answer {
    to(&Visit::of(&state, &request), &provider).await
}

pub(super) async fn link(request: HttpRequest, provider: Path<String>, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    if state.keyward.needs_step_up(&signed_in) {
        return Ok(step_up::needed(request.path()));
    }
    leave(&state, &request, &provider, Purpose::Link, Some(&signed_in), Some(signed_in.email())).await
}

pub(super) async fn test(request: HttpRequest, provider: Path<String>, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    match state.keyward.depart(&provider, Purpose::Test, Some(&signed_in), None).await {
        Err(SignInError::Provider(error)) => {
            let report = state.keyward.failed_test(&signed_in, &provider, error, &origin(&request)).await;
            let report = report.map_err(|error| state.failed(&request, &error))?;
            Ok(tested(&state, &signed_in, &provider, report))
        }
        departed => departing(&state, &request, departed),
    }
}

/// The answer of an `OpenID` provider: parameters of the address.
pub(super) async fn arrive(request: HttpRequest, provider: Path<String>, state: Data<State>) -> Answer {
    let pairs = browser::query(&request);
    let named = field(&pairs, "state").map(str::to_owned);
    arrived(&state, &request, &provider, named.as_deref(), Said::Oidc(pairs)).await
}

/// The answer of a SAML provider is a form of another site, with which no cookies come. A page of this server sends it once
/// more.
pub(super) async fn carry_on(
    request: HttpRequest,
    payload: Payload,
    provider: Path<String>,
    state: Data<State>,
) -> Answer {
    let fields = browser::form(payload, &state.settings).await;
    let fields = fields
        .map_err(|(status, why)| state.error_page(&request, status, "The answer can't be read", why))?;
    let mut form = Form::new(paths::CALLBACK_FINISH.replace("{id}", &provider), "");
    for name in ["SAMLResponse", "RelayState"] {
        form.keep.extend(field(&fields, name).map(|value| (name.to_owned(), value.to_owned())));
    }
    let lead = "Your identity provider has answered. Go on to finish signing in.";
    let page = CarryOn { shell: state.shell(), lead, form };
    Ok(crate::respond(StatusCode::OK, &page, &[]))
}

pub(super) async fn arrive_by_form(
    request: HttpRequest,
    payload: Payload,
    provider: Path<String>,
    state: Data<State>,
) -> Answer {
    if !browser::is_own_form(&request, &state.keyward) {
        return Err(state.failed(&request, &SignInError::OutOfDate).into());
    }
    let fields = browser::form(payload, &state.settings).await;
    let fields = fields
        .map_err(|(status, why)| state.error_page(&request, status, "The answer can't be read", why))?;
    let said = Said::Saml(field(&fields, "SAMLResponse").unwrap_or_default().to_owned());
    arrived(&state, &request, &provider, field(&fields, "RelayState"), said).await
}

async fn arrived(
    state: &State,
    request: &HttpRequest,
    provider: &str,
    named: Option<&str>,
    said: Said,
) -> Answer {
    let signed_in = state.signed_in(request).await?;
    let kept = Kept::Trip.of(request, &state.keyward);
    let from = origin(request);
    let goes_on = match said {
        Said::Oidc(_) => |_: &State, to: &str| see_other(to),
        Said::Saml(_) => onward,
    };
    let end = state.keyward.arrive(provider, kept.as_deref(), named, &said, signed_in.as_ref(), &from).await;
    let mut response = match end {
        Ok(TripEnd::SignedIn(new, return_to)) => {
            if let Some(before) = signed_in.filter(|before| before.session_id() != new.id) {
                let ended = state.keyward.sign_out(&before, &from).await;
                ended.map_err(|error| state.failed(request, &error))?;
            }
            let response = match &return_to {
                Some(path) => goes_on(state, path),
                None => see_other(paths::CONSOLE),
            };
            state.begin_session(response, new)
        }
        Ok(TripEnd::Linked) => see_other(paths::ACCOUNT),
        Ok(TripEnd::Tested(report)) => match &signed_in {
            Some(person) => tested(state, person, provider, *report),
            None => see_other(paths::SIGN_IN),
        },
        Err(error) => state.failed(request, &error),
    };
    keep(&mut response, &Kept::Trip.gone(&state.keyward));
    Ok(response)
}

/// Leads on to where an application waits. A redirect would be a part of the way of the form that brought the answer, and
/// forms of a page that knows of no application lead nowhere but here.
fn onward(state: &State, path: &str) -> HttpResponse {
    let page = Onward { shell: state.shell(), location: path.to_owned() };
    let mut response = crate::respond(StatusCode::OK, &page, &[]);
    // Not a header's text: the link on the page remains.
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={path}")) {
        response.headers_mut().insert(REFRESH, refresh);
    }
    response
}

fn tested(state: &State, signed_in: &SignedIn, provider: &str, report: TestReport) -> HttpResponse {
    let (steps, provider_error, claims, mapping) = match report.outcome {
        Ok(arrived) => {
            let step =
                TestStep { name: "Signed in".to_owned(), verdict: Verdict::Passed, detail: String::new() };
            let claims: Vec<Claim> = arrived
                .claims
                .into_iter()
                .map(|(name, value)| Claim {
                    name,
                    value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                })
                .collect();
            let field = |field: &str, value: Option<String>| {
                let from = claims.iter().find(|claim| value.as_ref() == Some(&claim.value));
                let claim = from.map_or_else(|| "–".to_owned(), |claim| claim.name.clone());
                Mapped { field: field.to_owned(), claim, value }
            };
            let roles = Some(arrived.roles.join(", ")).filter(|roles| !roles.is_empty());
            let mapping = vec![
                field("Account", Some(arrived.subject)),
                field("E-mail", arrived.email),
                field("Roles", roles),
            ];
            (vec![step], None, claims, mapping)
        }
        Err(error) => {
            let name = error.step.to_owned();
            let step = TestStep { name, verdict: Verdict::Failed, detail: error.detail.clone() };
            let said = (error.reason == "refused_by_provider").then_some(error.detail);
            (vec![step], said, Vec::new(), Vec::new())
        }
    };
    let page = ProviderTest {
        frame: frame(state, signed_in, None, paths::ACCOUNT),
        provider: report.provider,
        protocol: desk::protocol(report.protocol.as_str()).to_owned(),
        again: paths::PROVIDER_TEST.replace("{id}", provider),
        settings: format!("/console/settings/identity-providers/{provider}"),
        steps,
        provider_error,
        claims,
        mapping,
    };
    crate::respond(StatusCode::OK, &page, &[])
}

pub(super) async fn metadata(request: HttpRequest, provider: Path<String>, state: Data<State>) -> Answer {
    match state.keyward.provider_metadata(&provider).await {
        Ok(Some(metadata)) => Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/samlmetadata+xml"))
            .insert_header((CONTENT_SECURITY_POLICY, content_security_policy(&[])))
            .body(metadata)),
        Ok(None) => {
            let why = "There is no SAML provider by that identifier.";
            Err(state.error_page(&request, StatusCode::NOT_FOUND, "Nothing here", why).into())
        }
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}
