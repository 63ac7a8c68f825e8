//! Deciding on requests for proxies.
//!
//! All five headers are in every reply that lets a request pass, so that those of the same names which the caller sent are
//! overwritten, whichever of them the proxy copies.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue},
    },
    web::Data,
};
use keyward_core::Presented;
use keyward_model::{
    ScopeSet,
    admission::{Admitted, Mode, Needs, Requirement},
};

use crate::{State, admin::one_header, origin, problem::Problem};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const REASON: HeaderName = HeaderName::from_static("x-keyward-reason");

/// What is asked of a request, word by word.
#[derive(Default)]
struct Asked {
    require: Option<String>,
    permissions: Vec<String>,
    environment: Option<String>,
    audience: Option<String>,
}

/// The requirement stands in the query, which the proxy's configuration fixes.
pub(super) async fn by_query(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let mut asked = Asked::default();
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        let slot = match &*name {
            "permission" => {
                asked.permissions.push(value.into_owned());
                continue;
            }
            "require" => &mut asked.require,
            "environment" => &mut asked.environment,
            "audience" => &mut asked.audience,
            other => return Err(wrong(&request, format!("There is no parameter {other} here."))),
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(wrong(&request, format!("The parameter {name} occurs more than once.")));
        }
    }
    decide(&request, &state, asked).await
}

/// The requirement stands in headers: Envoy passes on the caller's own query, and sets these headers over the caller's.
pub(super) async fn by_headers(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let text = |name| {
        let value = one_header(&request, &HeaderName::from_static(name))?;
        Ok::<_, Problem>(value.filter(|value| !value.is_empty()).map(str::to_owned))
    };
    let asked = Asked {
        require: text("x-keyward-require")?,
        permissions: text("x-keyward-permission")?.into_iter().collect(),
        environment: text("x-keyward-environment")?,
        audience: text("x-keyward-audience")?,
    };
    decide(&request, &state, asked).await
}

async fn decide(request: &HttpRequest, state: &State, asked: Asked) -> Result<HttpResponse, Problem> {
    let keyward = &state.keyward;
    let mode = match asked.require.as_deref() {
        None => Mode::Either,
        Some(word) => Mode::from_word(word)
            .ok_or_else(|| wrong(request, "require must be bearer, api_key, either or both.".to_owned()))?,
    };
    let mut permissions = ScopeSet::default();
    for text in &asked.permissions {
        let some: ScopeSet =
            text.parse().map_err(|error| wrong(request, format!("The permission is none: {error}.")))?;
        permissions = permissions.union(&some);
    }
    let environment = asked.environment.unwrap_or_else(|| keyward.options().default_environment().to_owned());
    let requirement = Requirement { mode, needs: Needs::All(permissions), environment: Some(environment) };
    let presented = Presented {
        authorization: one_header(request, &AUTHORIZATION)?,
        api_key: one_header(request, &API_KEY)?,
    };
    let audience = asked.audience.as_deref();
    let decision = keyward.forward_auth(presented, &requirement, audience, &origin(request)).await;
    match decision.map_err(|error| Problem::new(&error, request, keyward))? {
        Ok(admitted) => Ok(passed(&admitted)),
        Err(refusal) => {
            // Proxies show the status and perhaps headers, and keep the body to themselves.
            let mut response: HttpResponse = Problem::refusal(&refusal, request, keyward).into();
            response.headers_mut().insert(REASON, HeaderValue::from_static(refusal.reason.code()));
            Ok(response)
        }
    }
}

fn wrong(request: &HttpRequest, detail: String) -> Problem {
    Problem::plain(StatusCode::BAD_REQUEST, "invalid_request", detail, request)
}

fn passed(admitted: &Admitted) -> HttpResponse {
    let token = admitted.token.as_ref();
    let key = admitted.key.as_ref();
    let environment =
        token.and_then(|token| token.environment.as_ref()).or(key.and_then(|key| key.environment.as_ref()));
    let told = [
        ("x-keyward-subject", admitted.subject().to_owned()),
        ("x-keyward-tenant", admitted.tenants().unwrap_or_default().join(" ")),
        ("x-keyward-scope", admitted.permissions.to_string()),
        ("x-keyward-client", token.map(|token| token.client_id.clone()).unwrap_or_default()),
        ("x-keyward-environment", environment.cloned().unwrap_or_default()),
    ];
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    for (name, value) in told {
        // Identifiers, permissions and environments are ASCII; what were not could not be told.
        let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
        response.insert_header((HeaderName::from_static(name), value));
    }
    response.finish()
}
