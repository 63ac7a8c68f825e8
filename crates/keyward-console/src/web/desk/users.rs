//! Users: people, what they may do, and what they sign in with.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Document, Error, SessionsOf, Written};
use keyward_model::{AdminRole, Kind, Owner, User};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    collection::{Collection, object, read},
    desk_at::{Desk, Sent, query},
    doc::{badge, is_over, text, time},
    fields::Fields,
    happening::{Outcomes, by_day},
    parts::{WORKS, document, replacing, status, written},
    people::People,
    sessions::session_table,
};
use crate::{
    Confirmation, Moment,
    component::{Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Takes},
    page::ResetLink,
};

pub(super) struct Users;

/// What a tier is called.
pub(super) fn tier(role: &str) -> &'static str {
    match role {
        "super_admin" => "Super admin",
        "partner_admin" => "Partner admin",
        "tenant_admin" => "Tenant admin",
        _ => "None",
    }
}

/// The name of a person, or their address.
pub(super) fn name(doc: &Value) -> String {
    if text(doc, "name").is_empty() { text(doc, "email") } else { text(doc, "name") }.to_owned()
}

/// The tiers that somebody can give here.
fn tiers(desk: &Desk, now: &str) -> Vec<(String, String)> {
    let role = match desk.owner() {
        Owner::Tenant(_) => AdminRole::TenantAdmin,
        Owner::Partner(_) => AdminRole::PartnerAdmin,
        _ => AdminRole::SuperAdmin,
    };
    let (here, may) = (role.as_str(), desk.caller().may_make(role));
    let mut tiers = vec![(String::new(), "None: only what roles give".to_owned())];
    if may || now == here {
        tiers.push((here.to_owned(), tier(here).to_owned()));
    }
    if !now.is_empty() && now != here {
        tiers.push((now.to_owned(), tier(now).to_owned()));
    }
    tiers
}

/// Where a person belongs.
fn place(doc: &Value) -> &str {
    if text(doc, "tenant_id").is_empty() { text(doc, "partner_id") } else { text(doc, "tenant_id") }
}

impl Collection for Users {
    type Record = User;
    const PATH: &'static str = "users";
    const TITLE: &'static str = "Users";
    const ONE: &'static str = "user";
    const ADD: &'static str = "Add user";
    const ABOUT: &'static str = "A user is a person. With a tier or with permissions they are staff.";
    const COLUMNS: &'static [&'static str] =
        &["Name", "Status", "Tier", "Groups", "Two-step", "Last sign-in", "Tenant"];
    const STEP_UP: bool = true;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let people = People::of(desk, docs).await?;
        let may = desk.may(Action::Update, Kind::User);
        let row = |doc: &Value| {
            let own = desk.link(&format!("users/{}", text(doc, "id")));
            let email = text(doc, "email");
            Row {
                cells: vec![
                    Content::from(Piece::Link(own.clone(), name(doc))).below(Piece::Words(email.to_owned())),
                    badge(doc),
                    Content::words(tier(text(doc, "admin_role"))),
                    people.groups(doc),
                    people.two_step(doc),
                    people.last_sign_in(desk, doc),
                    people.names.owner(doc),
                ],
                actions: if may { RowAction::edit_and_delete(&own, email) } else { Vec::new() },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    fn foot(desk: &Desk) -> Vec<Block> {
        let mut links = Content::default();
        if desk.may(Action::Create, Kind::User) {
            links = links.and(Piece::Link(desk.link("users/import"), "Import users from a table".to_owned()));
        }
        if desk.caller().may(Action::List, Kind::Event) {
            links = links.and(Piece::Link(desk.link("users/added"), "Users added per day".to_owned()));
        }
        if links.pieces.is_empty() { Vec::new() } else { vec![Block::Text(links)] }
    }

    fn given(doc: &Value) -> Fields {
        let mut fields = Fields::of(doc);
        fields.set("custom_attributes", vec![written(doc, "custom_attributes")]);
        fields
    }

    async fn parts(desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let email = Input::new("email", "E-mail", Takes::Line("email"), now.get("email")).required();
        let mut parts: Vec<Part> = vec![email.into(), Input::line("name", "Name", now.get("name")).into()];
        let tiers = tiers(desk, now.get("admin_role"));
        if tiers.len() > 1 {
            let help = "An administrator may do everything in their part of the platform.";
            let input = Input::new("admin_role", "Tier", Takes::One(tiers), now.get("admin_role"));
            parts.push(input.help(help).into());
        }
        if editing.is_some() {
            parts.push(status(now, WORKS));
        }
        let attributes =
            Input::new("custom_attributes", "Custom attributes", Takes::Lines, now.get("custom_attributes"));
        parts.push(Part::Folded("Advanced".to_owned(), vec![attributes.help("A JSON object.").into()]));
        Ok(parts)
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "email": fields.get("email"),
            "name": fields.text_or_null("name"),
            "admin_role": fields.text_or_null("admin_role"),
            "custom_attributes": document(fields, "custom_attributes"),
        });
        match editing {
            Some(doc) => {
                let attributes = document(fields, "custom_attributes");
                body["custom_attributes"] = replacing(&doc["custom_attributes"], attributes);
                body["name"] = fields.get("name").into();
                body["status"] = fields.or("status", "active").into();
            }
            None => body = desk.owned(body),
        }
        Ok(body)
    }

    async fn made(desk: &Desk, written: &Written) -> Answer {
        Ok(desk.on_to(&format!("users/{}/access", written.id)))
    }

    fn name(doc: &Value) -> String {
        name(doc)
    }

    fn deletion(_doc: &Value) -> String {
        "They are signed out at once and can't sign in again. The audit log keeps what they did.".to_owned()
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        let own = desk.link(&format!("users/{}", text(doc, "id")));
        // Whether there is a second step to be turned off is known where it is shown.
        let always = DEEDS.iter().filter(|deed| deed.path != "disable-mfa");
        always.map(|deed| Deed::link(deed.label, format!("{own}/{}", deed.path))).collect()
    }

    fn tabs() -> &'static [(&'static str, &'static str, Kind)] {
        &[("access", "Permissions", Kind::User), ("sessions", "Sessions", Kind::Session)]
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let people = People::of(desk, std::slice::from_ref(doc)).await?;
        let names = &people.names;
        let roles: Vec<Piece> = super::doc::texts(doc, "roles")
            .iter()
            .map(|id| Piece::Link(desk.link(&format!("settings/iam/roles/{id}")), names.of(id)))
            .collect();
        let facts = Facts::default()
            .and("E-mail", Content::words(text(doc, "email")))
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Tier", Content::words(tier(text(doc, "admin_role"))))
            .and(
                "Belongs to",
                match place(doc) {
                    "" => Content::words("the platform"),
                    id => Content::words(names.of(id)),
                },
            )
            .and(
                "Roles",
                if roles.is_empty() {
                    Piece::Muted("None".to_owned()).into()
                } else {
                    Content { pieces: roles, meta: Vec::new() }
                },
            )
            .and("Added", time(doc, "created_at", desk.now, "–"));
        let mut panels = vec![Panel::new("user", "User", vec![facts.into()]).into(), people.panel(desk, doc)];
        if let Some(attributes) = doc["custom_attributes"].as_object().filter(|members| !members.is_empty()) {
            let mut facts = Facts::default();
            for (name, value) in attributes {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                facts = facts.and(name, Content::words(value));
            }
            panels.push(Panel::new("attributes", "Custom attributes", vec![facts.into()]).into());
        }
        Ok(panels)
    }
}

/// Something that is done to a person's ways of signing in.
struct UserDeed {
    path: &'static str,
    label: &'static str,
    text: &'static str,
    /// Whether it takes nothing away.
    gentle: bool,
}

const DEEDS: [UserDeed; 3] = [
    UserDeed {
        path: "invite",
        label: "Sign-in link",
        text: "With it they choose a password: sent by mail where this server sends mail, else shown to you, once.",
        gentle: true,
    },
    UserDeed {
        path: "reset-password",
        label: "Reset password",
        text: "Their password stops working and they are signed out everywhere. Give them a sign-in link to choose another.",
        gentle: false,
    },
    UserDeed {
        path: "disable-mfa",
        label: "Turn off two-step sign-in",
        text: "Their authenticator app and recovery codes stop working, and they are signed out everywhere.",
        gentle: false,
    },
];

pub(super) fn configure(config: &mut ServiceConfig) {
    for deed in DEEDS {
        let path = format!("users/{{id}}/{}", deed.path);
        config.service(both(&path).route(web::get().to(ask_deed)).route(web::post().to(do_deed)));
    }
    config.service(both("users/added").route(web::get().to(added)));
    config.service(both("users/{id}/sessions").route(web::get().to(sessions)));
}

/// What the end of the address asks for.
fn deed_of(desk: &Desk) -> Option<&'static UserDeed> {
    let last = desk.request.path().rsplit('/').next().unwrap_or_default();
    DEEDS.iter().find(|deed| deed.path == last)
}

async fn ask_deed(desk: Desk) -> Answer {
    let deed = desk.found(deed_of(&desk).ok_or(Error::NotFound))?;
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<Users>(&desk).await?;
    let mut screen = object::<Users>(&desk, &doc, "").await?;
    screen.blocks.extend(Users::detail(&desk, &doc).await?);
    let form = desk.form(desk.request.path());
    screen.confirmation = Some(Confirmation {
        title: format!("{}: {}?", deed.label, name(&doc)),
        text: deed.text.to_owned(),
        button: deed.label.to_owned(),
        typed: None,
        form: if deed.gentle { form.gentle() } else { form },
        cancel: desk.link(&format!("users/{}", desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn do_deed(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let deed = desk.found(deed_of(&desk).ok_or(Error::NotFound))?;
    desk.fresh(desk.request.path()).await?;
    let (keyward, call, id) = (&desk.state.keyward, desk.call(), desk.id());
    if deed.path == "invite" && !keyward.sends_mail() {
        return hand_over(&desk).await;
    }
    let nothing = |_: Document| ();
    let done = match deed.path {
        "invite" => keyward.invite(&call, id).await,
        "reset-password" => keyward.reset_password(&call, id).await.map(nothing),
        _ => keyward.disable_mfa(&call, id).await.map(nothing),
    };
    desk.found(done)?;
    Ok(desk.on_to(&format!("users/{}", desk.id())))
}

/// The page that shows a link to choose a password, to be handed over: an answer to a form, and at no address.
async fn hand_over(desk: &Desk) -> Answer {
    let (doc, _) = read::<Users>(desk).await?;
    let keyward = &desk.state.keyward;
    let link = desk.found(keyward.password_link(&desk.call(), text(&doc, "email")).await)?;
    let code = link.rsplit('#').next().unwrap_or_default();
    let known =
        keyward.password_link_of(code).await.map_err(|error| desk.state.failed(&desk.request, &error))?;
    let page = ResetLink {
        frame: desk.screen("Sign-in link", &[(Users::TITLE, desk.link(Users::PATH))]).frame,
        email: known.email,
        expires: Moment::new(known.expires_at, desk.now),
        link,
        done: desk.link(&format!("users/{}", desk.id())),
    };
    Ok(desk.show(StatusCode::OK, &page))
}

async fn sessions(desk: Desk) -> Answer {
    let (doc, _) = read::<Users>(&desk).await?;
    let mut screen = object::<Users>(&desk, &doc, "sessions").await?;
    let mut pairs =
        vec![("user_id".to_owned(), desk.id().to_owned()), ("sort".to_owned(), "-created_at".to_owned())];
    pairs.extend(desk.query().pairs().iter().filter(|(name, _)| name == "page").cloned());
    if desk.may(Action::Act("revoke"), Kind::Session) {
        let href = desk.link(&format!("sessions/sign-out?{}", query(&[("user_id", desk.id())])));
        screen.deeds.push(Deed::link("Sign out everywhere", href));
    }
    screen.blocks.extend(session_table(&desk, &pairs, &SessionsOf::default()).await?);
    Ok(desk.show(StatusCode::OK, &screen))
}

const ADDED: Outcomes = Outcomes {
    id: "users-by-day",
    title: "Users per day",
    series: &[("Added", "user.created"), ("Deleted", "user.deleted")],
};

/// How many users were added and deleted on each of the last days.
async fn added(desk: Desk) -> Answer {
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::List, Kind::Event).await)?;
    let mut screen = desk.screen("Users added per day", &[(Users::TITLE, desk.link(Users::PATH))]);
    screen.blocks.extend(by_day(&desk, &ADDED, None).await);
    Ok(desk.show(StatusCode::OK, &screen))
}
