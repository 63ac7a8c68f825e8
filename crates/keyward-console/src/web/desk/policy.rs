//! Sign-in policy: what is in force, and how to change it with a look at who is affected.

use std::cmp::Ordering;

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Error, Keyward, PolicyInForce, SignInPolicy};
use keyward_model::{AdminRole, Kind, User};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    dashboard::total,
    desk_at::{Desk, Sent},
    doc::so_many,
    fields::Fields,
    problems,
    users::tier,
};
use crate::{
    Notice, Problems, Severity,
    component::{Block, Content, Deed, FormBlock, Input, Panel, Part, Row, Table, Takes},
    page::Screen,
};

const PATH: &str = "settings/security/sign-in-policy";
const TIERS: [AdminRole; 3] = [AdminRole::SuperAdmin, AdminRole::PartnerAdmin, AdminRole::TenantAdmin];
/// What lasts: the name of the policy, of the field, and what both are called.
const TIMES: [(&str, &str, &str); 3] = [
    ("idle_seconds", "idle", "A session ends without use after (minutes)"),
    ("absolute_seconds", "absolute", "A session ends at the latest after (minutes)"),
    ("refresh_seconds", "refresh", "A refresh token ends at the latest after (minutes)"),
];

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/console/settings/security/sign-in-policy").get(show))
        .service(web::resource("/console/settings/security/sign-in-policy/edit").get(ask).post(save))
        .service(web::resource("/console/settings/security/sign-in-policy/review").post(review));
}

/// Seconds as people count them.
fn duration(seconds: u64) -> String {
    // In the largest unit of which it is more than one, and which it is whole numbers of.
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let whole = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit) && seconds > *unit);
    whole.map_or_else(|| format!("{seconds} seconds"), |(unit, name)| format!("{} {name}", seconds / unit))
}

fn tiers(policy: &SignInPolicy) -> String {
    let names: Vec<&str> = policy.totp_required.iter().map(|role| tier(role.as_str())).collect();
    if names.is_empty() { "Nobody".to_owned() } else { names.join(", ") }
}

fn row(what: &str, value: String, key: &str) -> Row {
    Row { cells: vec![Content::words(what), Content::words(value), Content::code(key)], ..Row::default() }
}

async fn show(desk: Desk) -> Answer {
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::List, Kind::User).await)?;
    let options = desk.state.keyward.options();
    let PolicyInForce { policy, saved } = &*desk.state.keyward.sign_in_policy();
    let lasts = |seconds: u32| duration(seconds.into());
    let table = Table {
        caption: "Sign-in policy".to_owned(),
        columns: vec!["What", "Value", "Configuration"],
        rows: vec![
            row("Two-step sign-in is required for", tiers(policy), "sign_in.totp_required"),
            row("A session ends without use after", lasts(policy.idle_seconds), "sign_in.idle"),
            row("A session ends at the latest after", lasts(policy.absolute_seconds), "sign_in.absolute"),
            row("A refresh token ends at the latest after", lasts(policy.refresh_seconds), "sign_in.refresh"),
            row("Passwords", "8 characters or more, none that is known from leaks".to_owned(), "–"),
            row(
                "API clients expire at the latest after",
                format!("{} days", options.max_expiry_days),
                "clients.max_expiry_days",
            ),
            row(
                "API clients can be renewed",
                if options.allow_renew { "Yes" } else { "No" }.to_owned(),
                "clients.allow_renew",
            ),
            row("Access tokens live", lasts(options.token_lifetime), "token.lifetime"),
        ],
        empty: String::new(),
    };
    let may_change = desk.state.keyward.may_change_sign_in_policy(&desk.call());
    let words = match saved {
        None => "It is that of the configuration.".to_owned(),
        // Who it was is told to those who could have been.
        Some((at, by)) => format!(
            "{} saved it on {}. Of the configuration, sign_in.totp_required, idle, absolute and refresh count no more.",
            if may_change { by.as_str() } else { "A super administrator" },
            at.to_string().split('T').next().unwrap_or_default()
        ),
    };
    let mut screen = desk.screen("Sign-in policy", &[]);
    screen.blocks = vec![
        Block::Notice(Notice::new(Severity::Info, words)),
        Panel::new("policy", "Policy", vec![Block::Table(table)]).into(),
    ];
    if may_change {
        screen.deeds.push(Deed::link("Edit", format!("/console/{PATH}/edit")));
    } else {
        let words = "You have View. Super administrators change it.";
        screen.blocks.push(Block::Notice(Notice::new(Severity::Info, words)));
    }
    Ok(desk.show(StatusCode::OK, &screen))
}

/// A screen of those who may change it.
fn screen(desk: &Desk, title: &str) -> Result<Screen, Refused> {
    if !desk.state.keyward.may_change_sign_in_policy(&desk.call()) {
        return Err(desk.refused(&Error::NotFound).into());
    }
    Ok(desk.screen(title, &[("Sign-in policy", format!("/console/{PATH}"))]))
}

async fn ask(desk: Desk) -> Answer {
    let in_force = desk.state.keyward.sign_in_policy();
    let mut fields = Fields::of(&json!({ "totp_required": in_force.policy.totp_required }));
    let policy = json!(in_force.policy);
    for (name, field, _) in TIMES {
        let minutes = policy[name].as_u64().unwrap_or_default().div_ceil(60);
        fields.set(field, vec![minutes.to_string()]);
    }
    fields.set("seen", vec![json!(*in_force).to_string()]);
    form(&desk, &fields, StatusCode::OK, Problems::default())
}

fn form(desk: &Desk, fields: &Fields, status: StatusCode, problems: Problems) -> Answer {
    let mut screen = screen(desk, "Edit sign-in policy")?;
    let any = TIERS.map(|role| (role.as_str().to_owned(), tier(role.as_str()).to_owned()));
    let tiers = Input::new(
        "totp_required",
        "Two-step sign-in is required for",
        Takes::Any(any.into()),
        &fields.lines("totp_required"),
    );
    let mut parts = vec![
        Part::Hidden("seen".to_owned(), fields.get("seen").to_owned()),
        Part::Input(tiers.help("Whoever has no authenticator app yet sets one up at the next sign-in.")),
    ];
    for (_, name, label) in TIMES {
        let input = Input::new(name, label, Takes::Line("number"), fields.get(name));
        parts.push(Part::Input(input.required()));
    }
    let configured =
        Input::new("configured", "As the configuration has it", Takes::Yes, fields.get("configured"));
    parts.push(Part::Input(configured.help("Leaves all of the above to the configuration again.")));
    let mut form = desk.form(format!("/console/{PATH}/review"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let block = FormBlock::new(form, parts, "Review changes", format!("/console/{PATH}"));
    let panel = Panel::new("edit", "Policy", vec![Block::Form(Box::new(block))]);
    screen.blocks.push(panel.help("Nothing is saved before you have seen who is affected.").into());
    Ok(desk.show(status, &screen))
}

/// What was typed: a policy, or nothing for that of the configuration.
fn typed(fields: &Fields) -> Result<Option<SignInPolicy>, Error> {
    if fields.is("configured") {
        return Ok(None);
    }
    let mut body = json!({ "totp_required": fields.all("totp_required") });
    for (name, field, _) in TIMES {
        let typed = fields.number_or_null(field);
        body[name] = typed.as_u64().map_or(typed, |minutes| json!(minutes.saturating_mul(60)));
    }
    Keyward::sign_in_policy_of(body).map(Some)
}

/// The answer to what can't be saved: the form, with what was wrong at the fields that it is about.
fn again(desk: &Desk, fields: &Fields, error: Error) -> Answer {
    if let Error::PreconditionFailed = error {
        let words = "Somebody else changed the policy meanwhile. Look at it, then edit it again.";
        return form(desk, fields, StatusCode::PRECONDITION_FAILED, Problems::message(words));
    }
    let Error::Invalid(mut errors) = error else { return Err(desk.refused(&error).into()) };
    for one in &mut errors {
        for (name, field, _) in TIMES {
            if one.pointer.trim_start_matches('/') == name {
                one.pointer = format!("/{field}");
            }
        }
    }
    let parts: Vec<Part> = TIMES
        .iter()
        .map(|(_, name, label)| Part::Input(Input::new(*name, *label, Takes::Line("number"), "")))
        .collect();
    match problems::at_form(&Error::Invalid(errors), &parts) {
        Some((status, problems)) => form(desk, fields, status, problems),
        None => Err(desk.refused(&Error::NotFound).into()),
    }
}

/// What changes, and whom it affects, in words.
async fn differences(
    desk: &Desk,
    before: &SignInPolicy,
    after: &SignInPolicy,
) -> Result<Vec<String>, Refused> {
    let mut all = Vec::new();
    for role in TIERS {
        let (was, is) = (before.totp_required.contains(&role), after.totp_required.contains(&role));
        if was == is {
            continue;
        }
        let number = desk.found(total::<User>(desk, &[("admin_role", role.as_str())]).await)?;
        let (sign, required) = if is { ("+", "required") } else { ("−", "no longer required") };
        all.push(format!(
            "{sign} Two-step sign-in {required}: {}. That is {}.",
            tier(role.as_str()),
            so_many(number, "person", "people")
        ));
    }
    let (was, is): (Value, Value) = (json!(before), json!(after));
    for (name, _, label) in TIMES {
        let [from, to] = [&was, &is].map(|policy| policy[name].as_u64().unwrap_or_default());
        if from != to {
            let label = label.trim_end_matches(" (minutes)");
            all.push(format!("{label}: {} instead of {}", duration(to), duration(from)));
        }
    }
    let idle = duration(after.idle_seconds.into());
    match after.idle_seconds.cmp(&before.idle_seconds) {
        Ordering::Less => all.push(format!("Sessions that were not used for {idle} end at once.")),
        Ordering::Greater => {
            all.push(format!("Sessions that ended without use go on if they were used in the last {idle}."));
        }
        Ordering::Equal => {}
    }
    Ok(all)
}

/// The policy that the form was made of.
fn seen(desk: &Desk, fields: &Fields) -> Result<PolicyInForce, Refused> {
    let seen = serde_json::from_str(fields.get("seen"));
    desk.found(seen.map_err(|_| Error::PreconditionFailed))
}

async fn review(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    let mut screen = screen(&desk, "Review sign-in policy")?;
    let before = seen(&desk, &fields)?;
    let after = match typed(&fields) {
        Ok(Some(policy)) => policy,
        Ok(None) => SignInPolicy::from(&desk.state.keyward.options().sign_in),
        Err(error) => return again(&desk, &fields, error),
    };
    let mut changes = differences(&desk, &before.policy, &after).await?;
    if fields.is("configured") && before.saved.is_some() {
        changes.push("The configuration counts again.".to_owned());
    }
    if changes.is_empty() {
        return form(&desk, &fields, StatusCode::OK, Problems::message("Nothing would change."));
    }
    let mut keep = desk.form(format!("/console/{PATH}/edit"));
    for name in ["totp_required", "idle", "absolute", "refresh", "configured", "seen"] {
        keep.keep.extend(fields.all(name).into_iter().map(|value| (name.to_owned(), value)));
    }
    let mut blocks: Vec<Block> =
        changes.into_iter().map(|words| Block::Text(Content::words(words))).collect();
    let back = format!("/console/{PATH}/edit");
    blocks.push(Block::Form(Box::new(FormBlock::new(keep, Vec::new(), "Save", back))));
    let panel =
        Panel::new("review", "Changes", blocks).help("It takes effect within a second, on all nodes.");
    screen.blocks.push(panel.into());
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn save(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&format!("/console/{PATH}/edit")).await?;
    let next = match typed(&fields) {
        Ok(next) => next,
        Err(error) => return again(&desk, &fields, error),
    };
    let before = seen(&desk, &fields)?;
    match desk.state.keyward.change_sign_in_policy(&desk.call(), &before, next).await {
        Ok(()) => Ok(desk.on_to(PATH)),
        Err(error) => again(&desk, &fields, error),
    }
}
