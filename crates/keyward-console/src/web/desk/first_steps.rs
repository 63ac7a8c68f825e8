//! The first steps, each ticked by what really happened.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, CountedEvents};
use keyward_model::{ApiKey, Application, FirstSteps, Kind, Preferences, Tenant, User};

use super::{
    super::visit::{Answer, Refused, origin, see_other},
    dashboard::total,
    desk_at::{Desk, Sent, query},
    doc::moment,
};
use crate::{
    Notice, Severity,
    component::{Block, Content, Deed, Panel, Step, Steps},
};

const PATH: &str = "/console/get-started";

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource(PATH).get(show))
        .service(web::resource(format!("{PATH}/dismiss")).post(dismiss));
}

fn step(done: bool, title: &str, text: impl Into<String>, (label, href): (&str, String)) -> Step {
    Step { title: title.to_owned(), text: text.into(), done, action: (label.to_owned(), href) }
}

/// The steps that somebody can take.
async fn steps(desk: &Desk) -> Result<Vec<Step>, Refused> {
    let mut steps = Vec::new();
    let may = |kind| desk.caller().may(Action::List, kind);
    if may(Kind::Tenant) && desk.signed_in.home().is_none() {
        let done = desk.found(total::<Tenant>(desk, &[]).await)? > 0;
        let there = ("Add tenant", "/console/tenants/new".to_owned());
        steps.push(step(done, "Add a tenant", "A customer of your platform.", there));
    }
    if may(Kind::Application) {
        let done = desk.found(total::<Application>(desk, &[("type", "service")]).await)? > 0;
        let there = ("Add API client", "/console/t/~/settings/iam/api-access?new=1".to_owned());
        steps.push(step(done, "Add an API client", "Another system that calls your APIs.", there));
    }
    if may(Kind::Event) {
        steps.extend(tokens(desk).await?);
    }
    if may(Kind::ApiKey) {
        steps.push(protected_call(desk).await?);
    }
    if may(Kind::User) {
        let done = desk.found(total::<User>(desk, &[]).await)? > 1;
        let text = "With exactly the permissions that they need.";
        steps.push(step(done, "Add a colleague", text, ("Add user", desk.link("users/new"))));
    }
    Ok(steps)
}

/// The first token, and where it is written down.
async fn tokens(desk: &Desk) -> Result<[Step; 2], Refused> {
    let since = desk.now.plus_seconds(-30 * 86_400);
    let what = CountedEvents { action: Some("token."), ..CountedEvents::default() };
    let counts = desk.found(desk.state.keyward.counts(&desk.call(), what, since, 86_400).await)?;
    let issued = counts.iter().any(|count| count.action == "token.issued");
    let refused = counts.iter().rev().find(|count| count.action == "token.denied").filter(|_| !issued);
    let why = refused
        .and_then(|count| count.reason.clone())
        .map(|reason| format!("The last try was refused: {}.", reason.replace('_', " ")));
    let words = why.unwrap_or_else(|| "With the call at the foot of API Access.".to_owned());
    let there = ("API Access", "/console/t/~/settings/iam/api-access".to_owned());
    let log = ("Audit log", format!("/console/audit?{}", query(&[("action", "token.issued")])));
    Ok([
        step(issued, "Obtain a token", words, there),
        step(issued, "See it in the audit log", "Who obtained it, when, from where.", log),
    ])
}

/// The first call that Keyward let pass. Of tokens that an API checks by itself nothing is heard here.
async fn protected_call(desk: &Desk) -> Result<Step, Refused> {
    let mut pairs = vec![("per_page".to_owned(), "100".to_owned())];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    let keys = desk.found(desk.state.keyward.list::<ApiKey>(&desk.call(), &pairs).await)?;
    let done = keys.data.iter().any(|key| moment(key, "last_used_at").is_some());
    let text = "With an API key, through your proxy or a check of the key. Tokens that your API checks itself leave no \
                trace here.";
    let there = ("API Keys", "/console/t/~/settings/security/api-keys".to_owned());
    Ok(step(done, "Make the first protected call", text, there))
}

async fn show(desk: Desk) -> Answer {
    let steps = steps(&desk).await?;
    let mut screen = desk.screen("Get started", &[]);
    screen.about = String::from("Each step ticks itself when it really happened.");
    screen.deeds.push(Deed::link("Dashboard", desk.link("dashboard")));
    if !desk.signed_in.preferences().first_steps_dismissed() {
        let csrf = desk.signed_in.form_token();
        screen.deeds.push(Deed::button("Dismiss", format!("{PATH}/dismiss"), csrf));
    }
    if steps.is_empty() {
        screen.blocks.push(Block::Text(Content::words("There is nothing for you to set up.")));
        return Ok(desk.show(StatusCode::OK, &screen));
    }
    if steps.iter().all(|step| step.done) {
        let words = "All of it is done. The dashboard shows what goes on.";
        screen.blocks.push(Block::Notice(Notice::new(Severity::Success, words)));
    }
    screen.blocks.push(Panel::new("steps", "First steps", vec![Block::Steps(Steps { steps })]).into());
    Ok(desk.show(StatusCode::OK, &screen))
}

/// Points at them no more, for this person.
async fn dismiss(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let preferences = Preferences { first_steps: FirstSteps::Dismissed, ..desk.signed_in.preferences() };
    let kept = desk.state.keyward.set_preferences(&desk.signed_in, preferences, &origin(&desk.request)).await;
    kept.map_err(|error| desk.state.failed(&desk.request, &error))?;
    Ok(see_other(&desk.link("dashboard")))
}
