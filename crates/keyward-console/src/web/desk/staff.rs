//! Staff: who may do what, and giving somebody exactly the permissions that they need.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Error, GrantableRow, IfMatch};
use keyward_model::{Kind, Role, User};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    collection::{object, pairs_of, read, read_only},
    desk_at::{Desk, Sent},
    doc::{badge, items, text, texts},
    events::last_change,
    fields::Fields,
    parts::{filters, pager},
    permissions::{chosen, gives_access, grid, named},
    problems,
    roles::choice_of,
    users::{Users, name, tier},
};
use crate::{
    Notice, Problems, Severity,
    component::{Block, CodePanel, Content, FormBlock, Panel, Piece, Row, RowAction, Sign, Table},
};

const PATH: &str = "settings/iam/staff";

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(both(PATH).route(web::get().to(list)))
        .service(both("users/{id}/access").route(web::get().to(ask)).route(web::post().to(save)))
        .service(both("users/{id}/access/review").route(web::post().to(review)));
}

const TIERS: [(&str, &str, &str); 3] = [
    ("Super admins", "admin_role", "super_admin"),
    ("Partner admins", "admin_role", "partner_admin"),
    ("Tenant admins", "admin_role", "tenant_admin"),
];

async fn list(desk: Desk) -> Answer {
    let asked = desk.query();
    let mut pairs: Vec<_> = asked.pairs().iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    if let Some(place) = &desk.place {
        pairs.retain(|(name, _)| name != "tenant_id");
        pairs.push(("tenant_id".to_owned(), place.id.clone()));
    }
    let listing = desk.found(desk.state.keyward.list::<User>(&desk.call(), &pairs).await)?;
    let names = desk.names(&listing.data, &["roles"]).await?;
    let mut screen = desk.screen("Staff", &[]);
    screen.about = String::from("Who may do what. Open somebody to give or take permissions.");
    if desk.may(Action::Create, Kind::User) {
        screen.primary = Some(("Add colleague".to_owned(), desk.link("users/new")));
    }
    let row = |doc: &Value| {
        let access = desk.link(&format!("users/{}/access", text(doc, "id")));
        Row {
            cells: vec![
                Content::from(Piece::Link(access.clone(), name(doc)))
                    .below(Piece::Words(text(doc, "email").to_owned())),
                Content::words(tier(text(doc, "admin_role"))),
                names.roles(doc),
                badge(doc),
            ],
            actions: vec![RowAction {
                sign: Sign::Edit,
                name: format!("Permissions of {}", text(doc, "email")),
                href: access,
            }],
            over: super::doc::is_over(doc),
        }
    };
    let table = Table {
        caption: "Staff".to_owned(),
        columns: vec!["Name", "Tier", "Roles", "Status"],
        rows: listing.data.iter().map(row).collect(),
        empty: "Nobody matches.".to_owned(),
    };
    let here = desk.link(PATH);
    let path = format!("users?{}", pairs_of(&pairs));
    let issuer = &desk.state.keyward.options().issuer;
    screen.blocks = vec![
        Block::Filters(filters(&here, &TIERS, &asked)),
        Block::Table(table),
        Block::Pager(pager(&here, &listing, &asked)),
        Block::Code(CodePanel::request(issuer, "GET", path.trim_end_matches('?'), None)),
    ];
    Ok(desk.show(StatusCode::OK, &screen))
}

/// The role that holds what was given to one person alone.
fn own_role_name(user: &Value) -> String {
    format!("Only {}", text(user, "email"))
}

/// What a person has, and what there is to give them.
struct Access {
    user: Value,
    version: Option<i64>,
    /// The roles of their tenant, or of the platform, that can be given.
    roles: Vec<Value>,
    /// The role of theirs alone, if there is one, and whether they have it.
    own: Option<Value>,
    has_own: bool,
}

impl Access {
    async fn of(desk: &Desk) -> Result<Self, Refused> {
        let (user, version) = read::<Users>(desk).await?;
        let mut roles = Vec::new();
        let mut own = None;
        if desk.caller().may(Action::List, Kind::Role) {
            let mut within =
                vec![("per_page".to_owned(), "100".to_owned()), ("sort".to_owned(), "name".to_owned())];
            if !user["tenant_id"].is_null() {
                within.push(("tenant_id".to_owned(), text(&user, "tenant_id").to_owned()));
            }
            roles = desk.found(desk.state.keyward.list::<Role>(&desk.call(), &within).await)?.data;
            // The role of theirs alone may be beyond the first hundred, and may be there although nobody has it.
            within.push(("name".to_owned(), own_role_name(&user)));
            let named = desk.found(desk.state.keyward.list::<Role>(&desk.call(), &within).await)?.data;
            own = named.into_iter().find(|role| role["tenant_id"] == user["tenant_id"]);
        }
        let own_id = own.as_ref().map(|role| text(role, "id").to_owned());
        roles.retain(|role| Some(text(role, "id")) != own_id.as_deref());
        let held = texts(&user, "roles");
        let has_own = own_id.is_some_and(|id| held.contains(&id));
        Ok(Self { user, version, roles, own, has_own })
    }

    fn direct(&self) -> Vec<String> {
        let own = self.own.as_ref().filter(|_| self.has_own);
        own.map(|role| texts(role, "permissions")).unwrap_or_default()
    }

    /// The roles that they have, but for the one of theirs alone.
    fn held(&self) -> Vec<String> {
        let own = self.own.as_ref().map(|role| text(role, "id"));
        texts(&self.user, "roles").into_iter().filter(|id| Some(id.as_str()) != own).collect()
    }

    fn role_name(&self, id: &str) -> String {
        let role = self.roles.iter().find(|role| text(role, "id") == id);
        role.map_or_else(|| id.to_owned(), |role| text(role, "name").to_owned())
    }

    /// What a choice gives, and what it takes away, in words.
    fn differences(
        &self,
        catalogue: &[GrantableRow],
        roles: &[String],
        direct: &[String],
    ) -> (Vec<String>, Vec<String>) {
        let (held, before) = (self.held(), self.direct());
        let only = |those: &[String], not: &[String], told: &dyn Fn(&String) -> String| -> Vec<String> {
            those.iter().filter(|one| !not.contains(one)).map(told).collect()
        };
        let role = |id: &String| format!("role {}", self.role_name(id));
        let permission = |one: &String| match named(catalogue, one) {
            Some(name) => format!("{one} ({name})"),
            None => one.clone(),
        };
        let given = [only(roles, &held, &role), only(direct, &before, &permission)].concat();
        let taken = [only(&held, roles, &role), only(&before, direct, &permission)].concat();
        (given, taken)
    }
}

async fn ask(desk: Desk) -> Answer {
    let access = Access::of(&desk).await?;
    let mut fields = Fields::default();
    fields.set("permissions", access.direct());
    fields.set("roles", access.held());
    show(&desk, &access, &fields, StatusCode::OK, Problems::default()).await
}

async fn show(
    desk: &Desk,
    access: &Access,
    fields: &Fields,
    status: StatusCode,
    problems: Problems,
) -> Answer {
    let mut screen = object::<Users>(desk, &access.user, "access").await?;
    screen.deeds.clear();
    if desk.may(Action::Update, Kind::User) {
        let mut parts = Vec::new();
        parts.extend(choice_of(&access.roles, fields, ""));
        parts.push(grid(desk, fields, "permissions", &name(&access.user)).await?);
        let mut form = desk.form(desk.link(&format!("users/{}/access/review", desk.id())));
        form.problems = problems;
        screen.mark = form.mark().into();
        let block = FormBlock::new(form, parts, "Review changes", desk.link(&format!("users/{}", desk.id())));
        let panel = Panel::new("grant", "Permissions", vec![Block::Form(Box::new(block))]);
        screen.blocks.push(panel.help("Nothing is given before you have seen what changes.").into());
    } else {
        screen.blocks.push(read_only(desk).await?);
    }
    screen.blocks.push(effective(desk, &access.user).await?);
    Ok(desk.show(status, &screen))
}

/// What somebody may do, each with where it comes from.
async fn effective(desk: &Desk, user: &Value) -> Result<Block, Refused> {
    let found = desk.state.keyward.effective_permissions(&desk.call(), text(user, "id")).await;
    let found = desk.found(found)?.body;
    let own = own_role_name(user);
    let source = |source: &Value| {
        let role = text(source, "role_name");
        match text(source, "type") {
            _ if role == own => "direct".to_owned(),
            "group" => format!("from role {role}, through a group"),
            _ => format!("from role {role}"),
        }
    };
    let row = |doc: &Value| {
        let sources: Vec<String> = items(doc, "sources").iter().map(source).collect();
        Row {
            cells: vec![Content::code(text(doc, "permission")), Content::words(sources.join(", "))],
            ..Row::default()
        }
    };
    let table = Table {
        caption: "Effective permissions".to_owned(),
        columns: vec!["Permission", "Comes"],
        rows: items(&found, "data").iter().map(row).collect(),
        empty: "No permissions: can sign in, sees nothing.".to_owned(),
    };
    let panel = Panel::new("effective", "Effective permissions", vec![Block::Table(table)]);
    let help = match text(user, "admin_role") {
        "" => "What the roles come to.".to_owned(),
        role => format!("{}: may do everything in their part of the platform, beside these.", tier(role)),
    };
    Ok(panel.help(help).into())
}

async fn review(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    let access = Access::of(&desk).await?;
    let (roles, direct) = (fields.all("roles"), chosen(&desk, &fields, "permissions").await?);
    let (given, taken) = access.differences(desk.grantable_rows().await?, &roles, &direct);
    if given.is_empty() && taken.is_empty() {
        let problems = Problems::message("Nothing would change: tick or clear something first.");
        return show(&desk, &access, &fields, StatusCode::OK, problems).await;
    }
    let mut screen = object::<Users>(&desk, &access.user, "access").await?;
    screen.deeds.clear();
    let mut form = desk.form(desk.link(&format!("users/{}/access", desk.id())));
    form.keep.extend(roles.iter().map(|role| ("roles".to_owned(), role.clone())));
    form.keep.extend(direct.iter().map(|permission| ("permissions".to_owned(), permission.clone())));
    form.keep.extend(access.version.map(|version| ("version".to_owned(), version.to_string())));
    let line =
        |sign: &'static str| move |text: &String| Block::Text(Content::words(format!("{sign} {text}")));
    let mut blocks: Vec<Block> = given.iter().map(line("+")).chain(taken.iter().map(line("−"))).collect();
    blocks.extend(gives_access(desk.grantable_rows().await?, &access.direct(), &direct));
    let back = desk.link(&format!("users/{}/access", desk.id()));
    let body = json!({ "roles": roles });
    blocks.push(Block::Form(Box::new(FormBlock::new(form, Vec::new(), "Save", back))));
    let title = format!("Changes for {}", name(&access.user));
    let help =
        format!("{} given, {} taken away. It takes effect at their next request.", given.len(), taken.len());
    screen.blocks.push(Panel::new("review", title, blocks).help(help).into());
    let (issuer, path) = (&desk.state.keyward.options().issuer, format!("users/{}/roles", desk.id()));
    // What is theirs alone takes a role of its own, which is made only when it is saved.
    if direct.is_empty() {
        screen.blocks.push(Block::Code(CodePanel::request(issuer, "PUT", &path, Some(&body))));
    }
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn save(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&desk.link(&format!("users/{}/access", desk.id()))).await?;
    let access = Access::of(&desk).await?;
    match apply(&desk, &access, fields.all("roles"), fields.all("permissions"), fields.get("version")).await {
        Ok(()) => Ok(desk.on_to(&format!("users/{}/access", desk.id()))),
        Err(Error::PreconditionFailed) => {
            let mut asked = fields.clone();
            asked.set("key", Vec::new());
            let (who, when) = last_change(&desk, desk.id()).await?;
            let words =
                format!("{who} changed this person {when}. Your choice is still here: review it again.");
            let problems = Problems::message(words);
            show(&desk, &access, &asked, StatusCode::PRECONDITION_FAILED, problems).await
        }
        Err(error) => match problems::at_form(&error, &[]) {
            Some((status, problems)) => show(&desk, &access, &fields, status, problems).await,
            None => Err(desk.refused(&error).into()),
        },
    }
}

/// Gives the roles, and makes the role of theirs alone what was chosen. Whatever is refused is refused before anything is
/// given: a role that they have already is changed last, one that they have not is in order before they get it.
async fn apply(
    desk: &Desk,
    access: &Access,
    mut roles: Vec<String>,
    direct: Vec<String>,
    version: &str,
) -> Result<(), Error> {
    let (keyward, call) = (&desk.state.keyward, desk.call());
    let read_at: Option<i64> = version.parse().ok();
    let condition = read_at.map(|version| IfMatch::Versions(vec![version]));
    let body = json!({ "permissions": direct });
    let mut made = None;
    let mut later = None;
    match &access.own {
        // With nothing alone, they have no such role.
        _ if direct.is_empty() => {}
        None => {
            let mut body = json!({ "name": own_role_name(&access.user), "permissions": direct });
            if !access.user["tenant_id"].is_null() {
                body["tenant_id"] = access.user["tenant_id"].clone();
            }
            let id = keyward.create::<Role>(&call, body).await?.id;
            roles.push(id.clone());
            made = Some(id);
        }
        Some(role) => {
            let id = text(role, "id").to_owned();
            roles.push(id.clone());
            if access.has_own {
                later = Some(id);
            } else {
                keyward.update::<Role>(&call, &id, body.clone(), None).await?;
            }
        }
    }
    let given = keyward.put_user_roles(&call, desk.id(), json!({ "roles": roles }), condition).await;
    if let (Err(_), Some(id)) = (&given, made) {
        // Nobody has it, so it goes as it came.
        keyward.delete::<Role>(&call, &id, None).await?;
    }
    given?;
    match later {
        Some(id) if direct != access.direct() => {
            keyward.update::<Role>(&call, &id, body, None).await.map(|_| ())
        }
        _ => Ok(()),
    }
}

/// A note that a role is one person's alone.
pub(super) fn alone(doc: &Value) -> Option<Block> {
    let name = text(doc, "name");
    let email = name.strip_prefix("Only ")?;
    let words = format!("It holds what was given to {email} alone, on their Permissions page.");
    Some(Block::Notice(Notice::new(Severity::Info, words)))
}
