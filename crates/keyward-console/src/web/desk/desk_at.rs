//! Somebody at work in the console: who, in which tenant, on which page.

use std::{cell::OnceCell, collections::BTreeSet, future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    dev,
    http::StatusCode,
    web::{Data, Payload},
};
use askama::Template;
use keyward_core::{Action, Call, Caller, Error, GrantableRow, Idempotency, SignedIn, TenantPlace, digest};
use keyward_http::browser;
use keyward_model::{AnyId, Kind, Owner, Timestamp};
use serde_json::Value;
use url::form_urlencoded;

use super::{
    super::{
        State, step_up,
        visit::{Refused, keep, origin, see_other},
    },
    doc::{capital, texts},
    fields::Fields,
    navigation,
};
use crate::{
    Crumb, Form, Notice, Severity,
    component::{Block, Content, CopyField, Piece},
    page::Screen,
    paths,
};

/// The cookie that remembers the tenants that somebody worked in lately. It gives nothing.
const PLACE: &str = "keyward-place";
/// How many of them.
const RECENT: usize = 5;

/// Somebody at a page of the console.
pub(in crate::web) struct Desk {
    pub(super) state: Data<State>,
    pub(super) request: HttpRequest,
    pub(super) signed_in: SignedIn,
    /// The tenant that they work in; none for all that they see.
    pub(super) place: Option<TenantPlace>,
    pub(super) now: Timestamp,
    /// The fields of the form that they sent, if they sent one.
    sent: Option<Fields>,
    /// The catalogue, once it was needed.
    catalogue: OnceCell<Vec<GrantableRow>>,
}

/// The same, with a form that they sent.
pub(super) struct Sent {
    pub(super) desk: Desk,
    pub(super) fields: Fields,
}

type Opening<T> = Pin<Box<dyn Future<Output = Result<T, Refused>>>>;

impl FromRequest for Desk {
    type Error = Refused;
    type Future = Opening<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::open(request).await })
    }
}

impl FromRequest for Sent {
    type Error = Refused;
    type Future = Opening<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = Payload::from_request(&request, payload);
        Box::pin(async move {
            let mut desk = Desk::open(request).await?;
            let payload = payload.await.map_err(|_| HttpResponse::BadRequest().finish())?;
            let token = desk.signed_in.form_token();
            let fields = desk.state.own_form(&desk.request, payload, &token).await?;
            let fields = Fields::new(fields);
            desk.sent = Some(fields.clone());
            Ok(Self { desk, fields })
        })
    }
}

impl Desk {
    async fn open(request: HttpRequest) -> Result<Self, Refused> {
        let state = request.app_data::<Data<State>>().cloned();
        let state = state.ok_or_else(|| HttpResponse::InternalServerError().finish())?;
        let signed_in = state.person(&request).await?;
        let now = state.keyward.now();
        let mut desk =
            Self { state, request, signed_in, place: None, now, sent: None, catalogue: OnceCell::new() };
        if let Some(named) = desk.request.match_info().get("tenant").map(str::to_owned) {
            desk.place = Some(desk.tenant(&named).await?);
        } else {
            // Who belongs to a tenant works nowhere else.
            desk.place = desk.signed_in.home();
        }
        Ok(desk)
    }

    /// The tenant that an address names. `~` leads to the one that was worked in last.
    async fn tenant(&self, named: &str) -> Result<TenantPlace, Refused> {
        if named == "~" {
            return Err(self.to_current_tenant().await?.into());
        }
        if let Some(home) = self.signed_in.home().filter(|home| home.slug == named || home.id == named) {
            return Ok(home);
        }
        let found = self.state.keyward.tenant_place(&self.call(), named).await;
        found.map_err(|error| self.refused(&error))?.ok_or_else(|| self.refused(&Error::NotFound).into())
    }

    async fn to_current_tenant(&self) -> Result<HttpResponse, Refused> {
        let here = self.request.uri().path_and_query().map_or("", |here| here.as_str());
        if let Some(home) = self.signed_in.home() {
            return Ok(see_other(&in_tenant(here, &home.slug)));
        }
        for slug in self.recent() {
            // It may be gone, or have been somebody else's who used this browser.
            if self.found(self.state.keyward.tenant_place(&self.call(), &slug).await)?.is_some() {
                return Ok(see_other(&in_tenant(here, &slug)));
            }
        }
        Ok(see_other(&format!("/console/switch?{}", query(&[("then", here)]))))
    }

    /// The slugs of the tenants that were worked in lately with this browser, the last one first.
    pub(super) fn recent(&self) -> Vec<String> {
        let cookie = self.request.cookie(PLACE);
        let slugs = cookie.as_ref().map(Cookie::value).unwrap_or_default().split('.');
        let well_formed = |slug: &&str| keyward_model::validate::is_slug(slug);
        slugs.filter(well_formed).take(RECENT).map(str::to_owned).collect()
    }

    /// A request of theirs to the admin API.
    pub(super) fn call(&self) -> Call {
        self.signed_in.call(origin(&self.request), None)
    }

    /// The same, so that sending a form twice does what it does once.
    pub(super) fn call_once(&self, fields: &Fields) -> Call {
        let key = format!("console {} {}", self.request.path(), fields.get("key"));
        let fingerprint = digest(fields.fingerprint().as_bytes());
        self.signed_in.call(origin(&self.request), Some(Idempotency { key, fingerprint }))
    }

    pub(super) fn caller(&self) -> Caller {
        self.signed_in.caller()
    }

    /// Who owns what is made here.
    pub(super) fn owner(&self) -> Owner {
        if let Some(id) = self.place.as_ref().and_then(|place| place.id.parse().ok()) {
            return Owner::Tenant(id);
        }
        match self.signed_in.partner().and_then(|(id, _)| id.parse().ok()) {
            Some(id) => Owner::Partner(id),
            None => Owner::Platform,
        }
    }

    /// A body for something made here, with whose it is.
    pub(super) fn owned(&self, mut body: Value) -> Value {
        match self.owner() {
            Owner::Tenant(id) => body["tenant_id"] = id.to_string().into(),
            Owner::Partner(id) => body["partner_id"] = id.to_string().into(),
            Owner::Platform | Owner::Everyone => {}
        }
        body
    }

    /// Whether they may do this here.
    pub(super) fn may(&self, action: Action, kind: Kind) -> bool {
        self.caller().may_to(action, kind, self.owner())
    }

    /// The address of a page in this place.
    pub(super) fn link(&self, path: &str) -> String {
        navigation::link(self.place.as_ref(), path)
    }

    /// The identifier in the address.
    pub(super) fn id(&self) -> &str {
        self.request.match_info().get("id").unwrap_or_default()
    }

    /// The parameters of the address.
    pub(super) fn query(&self) -> Fields {
        Fields::new(browser::query(&self.request))
    }

    /// A form of this page.
    pub(super) fn form(&self, action: impl Into<String>) -> Form {
        let mut form = Form::new(action, self.signed_in.form_token());
        let mut bytes = [0; 16];
        self.state.keyward.random().fill(&mut bytes);
        let key = digest(&bytes);
        form.keep.push(("key".to_owned(), key));
        form
    }

    /// A screen with this title, below these others.
    pub(super) fn screen(&self, title: impl Into<String>, crumbs: &[(&str, String)]) -> Screen {
        let mut frame =
            navigation::frame(&self.state, &self.signed_in, self.place.as_ref(), self.request.path());
        frame.crumbs = crumbs
            .iter()
            .map(|(label, href)| Crumb { label: (*label).to_owned(), href: href.clone() })
            .collect();
        Screen::new(frame, title)
    }

    /// Sends a screen.
    pub(super) fn show(&self, status: StatusCode, screen: &impl Template) -> HttpResponse {
        let mut response = crate::respond(status, screen, &[]);
        if let Some(place) = &self.place {
            let others = self.recent().into_iter().filter(|slug| *slug != place.slug);
            let slugs: Vec<String> = [place.slug.clone()].into_iter().chain(others).take(RECENT).collect();
            let cookie = Cookie::build(PLACE, slugs.join("."))
                .path(paths::CONSOLE)
                .http_only(true)
                .same_site(SameSite::Lax)
                .max_age(Duration::days(365))
                .finish();
            keep(&mut response, &cookie);
        }
        response
    }

    /// Demands a recent proof of who they are before something dangerous. A form that was sent is sent on after it; who
    /// has sent none goes to the page `back`.
    pub(super) async fn fresh(&self, back: &str) -> Result<(), Refused> {
        if !self.state.keyward.needs_step_up(&self.signed_in) {
            return Ok(());
        }
        let Some(sent) = &self.sent else { return Err(step_up::needed(back).into()) };
        Err(step_up::interrupt(&self.state, &self.request, &self.signed_in, sent.pairs(), back).await.into())
    }

    /// What these identifiers are called.
    pub(super) async fn names(&self, docs: &[Value], members: &[&str]) -> Result<Names, Refused> {
        let mut ids = BTreeSet::new();
        for doc in docs {
            for member in members {
                ids.extend(doc[*member].as_str().and_then(|id| id.parse::<AnyId>().ok()));
                let many = doc[*member].as_array().into_iter().flatten();
                ids.extend(many.filter_map(|id| id.as_str()?.parse::<AnyId>().ok()));
            }
        }
        if ids.is_empty() {
            return Ok(Names::default());
        }
        let found = self.state.keyward.names(&self.call(), &ids).await;
        Ok(Names(found.map_err(|error| self.refused(&error))?))
    }

    /// The page that says why there is none.
    pub(super) fn refused(&self, error: &Error) -> HttpResponse {
        let (status, title) = match error {
            Error::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Error::Forbidden { .. } => (StatusCode::FORBIDDEN, "You may not do this"),
            Error::Refused(_) => (StatusCode::UNAUTHORIZED, "This did not work"),
            Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not available at the moment"),
            Error::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "Somebody else changed it"),
            Error::Conflict { .. } | Error::LimitReached { .. } => {
                (StatusCode::CONFLICT, "This did not work")
            }
            Error::Invalid(_) | Error::BadRequest(_) => (StatusCode::BAD_REQUEST, "This did not work"),
        };
        if let Error::Unavailable(cause) = error {
            tracing::error!(%cause, "a page could not be answered");
        }
        let mut detail = error.to_string();
        match error {
            Error::Invalid(fields) => detail = super::problems::sentences(fields),
            Error::Forbidden { required, .. } if !required.is_empty() => {
                let one_of = required.join(" or ");
                detail = format!("It takes the permission {one_of}, which an administrator can give you.");
            }
            Error::Forbidden { .. } => {
                detail = format!("{}. Only an administrator of more than this can do it.", capital(&detail));
            }
            _ => {}
        }
        let mut screen = self.screen(title, &[]);
        screen.mark = format!("{}: ", status.as_u16()).into();
        screen.blocks.push(Block::Notice(Notice::new(Severity::Error, detail)));
        let number = origin(&self.request).request_id.unwrap_or_default();
        screen.blocks.push(Block::Copy(CopyField::new("request-id", "Number of this request", number)));
        if let (Error::Unavailable(_), true) = (error, self.request.method() == "GET") {
            let here = self.request.uri().path_and_query().map_or(paths::CONSOLE, |here| here.as_str());
            screen.deeds.push(crate::component::Deed::link("Try again", here));
        }
        screen.deeds.push(crate::component::Deed::link("Back to the start", paths::CONSOLE));
        self.show(status, &screen)
    }

    /// What was found, or the page that says why nothing was.
    pub(super) fn found<T>(&self, result: Result<T, Error>) -> Result<T, Refused> {
        result.map_err(|error| self.refused(&error).into())
    }

    /// On to another page of the console.
    pub(super) fn on_to(&self, path: &str) -> HttpResponse {
        see_other(&self.link(path))
    }
}

/// The address of a page of the current tenant in this one.
pub(super) fn in_tenant(path: &str, slug: &str) -> String {
    match path.strip_prefix("/console/t/~") {
        Some(rest) => format!("/console/t/{slug}{rest}"),
        None => path.to_owned(),
    }
}

/// What identifiers are called.
#[derive(Default)]
pub(super) struct Names(std::collections::BTreeMap<AnyId, String>);

impl Names {
    /// The name behind an identifier; the identifier where there is none to be seen.
    pub(super) fn of(&self, id: &str) -> String {
        let known = id.parse().ok().and_then(|id: AnyId| self.0.get(&id));
        known.cloned().unwrap_or_else(|| id.to_owned())
    }
}

impl Names {
    /// Whose something is.
    pub(super) fn owner(&self, doc: &Value) -> Content {
        let owner = doc["tenant_id"].as_str().or(doc["partner_id"].as_str());
        owner.map_or_else(|| Piece::Muted("Platform".to_owned()).into(), |id| Content::words(self.of(id)))
    }

    /// The names behind the identifiers of a member, one after the other; nothing where there are none.
    pub(super) fn all(&self, doc: &Value, member: &str) -> Option<String> {
        let names: Vec<String> = texts(doc, member).iter().map(|id| self.of(id)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The roles of something.
    pub(super) fn roles(&self, doc: &Value) -> Content {
        self.all(doc, "roles").map_or_else(|| Piece::Muted("None".to_owned()).into(), Content::words)
    }
}

/// Parameters of an address.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Desk {
    /// The catalogue with what they can give of it here, read once for a page.
    pub(super) async fn grantable_rows(&self) -> Result<&[GrantableRow], Refused> {
        if self.catalogue.get().is_none() {
            let rows = self.state.keyward.grantable_rows(&self.call(), self.owner()).await;
            let _ = self.catalogue.set(self.found(rows)?);
        }
        Ok(self.catalogue.get().map_or(&[], Vec::as_slice))
    }
}
