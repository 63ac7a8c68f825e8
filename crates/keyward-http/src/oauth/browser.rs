//! The endpoints to which applications send browsers: authorization and sign-out.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION},
    },
    web::{Data, Payload},
};
use keyward_core::{Authorization, OAuthError, SignInAsked, SignInError, mask};
use url::form_urlencoded;

use super::plain_error;
use crate::{State, browser, origin};

/// Sends a browser on. Whatever the method was, it goes on with GET (RFC 9700 section 4.12).
fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, location))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// The parameters of a request, from the address or from a form.
async fn parameters(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
) -> Result<Vec<(String, String)>, HttpResponse> {
    if request.method() != Method::POST {
        return Ok(browser::query(request));
    }
    browser::form(payload, &state.settings).await.map_err(|(status, detail)| plain_error(status, detail))
}

pub(super) async fn authorize(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let mut pairs = match parameters(&request, payload, &state).await {
        Ok(pairs) => pairs,
        Err(refused) => return refused,
    };
    let keyward = &state.keyward;
    let since = browser::take_since(&mut pairs);
    let judged = async {
        let signed_in = browser::signed_in(&request, keyward).await?;
        let since = since.as_deref().and_then(|since| keyward.open_moment(since));
        keyward.authorize(&pairs, signed_in.as_ref(), since, false, &origin(&request)).await
    };
    match judged.await {
        Ok(Authorization::Redirect(location)) => see_other(&location),
        Ok(Authorization::Page(error)) => page(&error),
        Ok(Authorization::Consent(_)) => {
            // The page judges the request again, and must know what was proven for it.
            if let Some(since) = since {
                browser::put_since(&mut pairs, since);
            }
            see_other(&format!("/console/consent?{}", encoded(&pairs)))
        }
        Ok(Authorization::SignIn(asked)) => match keyward.seal_moment(keyward.now()) {
            Ok(now) => {
                browser::put_since(&mut pairs, now);
                see_other(&sign_in_page(&asked, &pairs))
            }
            Err(error) => unavailable(&error),
        },
        Err(error) => unavailable(&error),
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Where the person signs in; afterwards the request is made again.
fn sign_in_page(asked: &SignInAsked, pairs: &[(String, String)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", &format!("{}?{}", super::AUTHORIZE_PATH, encoded(pairs)));
    for (name, value) in [("login_hint", &asked.login_hint), ("idp_hint", &asked.idp_hint)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let page = if asked.fresh { "/console/confirm" } else { "/console/sign-in" };
    format!("{page}?{}", query.finish())
}

fn unavailable(error: &SignInError) -> HttpResponse {
    tracing::error!(%error, "a request for authorization could not be judged");
    plain_error(StatusCode::SERVICE_UNAVAILABLE, "The service is not available at the moment. Try again.")
}

/// The request can't be answered to the application, because which one it is, or where it is, is not certain: the person
/// reads what is wrong (RFC 6749 section 4.1.2.1).
fn page(error: &OAuthError) -> HttpResponse {
    let detail = mask(&error.description);
    let detail: String =
        detail.chars().map(|c| if matches!(c, '<' | '>' | '&' | '"') { ' ' } else { c }).collect();
    HttpResponse::BadRequest()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"))
        .body(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Sign-in is not possible</title>\
             <main><h1>Sign-in is not possible</h1><p>{detail}</p>\
             <p>The application sent you here with a request that is not right. Tell whoever runs it.</p></main>"
        ))
}

pub(super) async fn sign_out(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let pairs = match parameters(&request, payload, &state).await {
        Ok(pairs) => pairs,
        Err(refused) => return refused,
    };
    let keyward = &state.keyward;
    let get = |name: &str| {
        let value = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    };
    let (hint, client_id, uri) = (get("id_token_hint"), get("client_id"), get("post_logout_redirect_uri"));
    let asked = match keyward.sign_out_asked(hint, client_id, uri, get("state")).await {
        Ok(asked) => asked,
        Err(error) => return unavailable(&SignInError::from(error)),
    };
    let ended = async {
        let signed_in = browser::signed_in(&request, keyward).await?;
        match signed_in {
            None => Ok(true),
            // Nobody but the application of this very session knows its ID token.
            Some(signed_in) if asked.session.as_ref() == Some(&signed_in.session_id()) => {
                keyward.sign_out(&signed_in, &origin(&request)).await.map(|()| true)
            }
            Some(_) => Ok(false),
        }
    };
    let location = asked.location.as_deref();
    match ended.await {
        Ok(true) => {
            let mut response = see_other(location.unwrap_or("/console/signed-out"));
            // A cookie of this server has a name that can be a header.
            let _ = response.add_cookie(&browser::Kept::Session.gone(keyward));
            response
        }
        Ok(false) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if let Some(location) = location.and_then(|location| keyward.seal_location(location).ok()) {
                query.append_pair("then", &location);
            }
            see_other(&format!("/console/sign-out?{}", query.finish()))
        }
        Err(error) => unavailable(&error),
    }
}
