//! Groups, which nest.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Error, Listing};
use keyward_model::{Group, Kind, User};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    collection::{Collection, object, of_no_partner, read},
    desk_at::{Desk, Sent},
    doc::{text, time},
    fields::Fields,
    parts::pager,
    problems,
    roles::choice,
    users,
};
use crate::{
    Notice, Problems, Severity,
    component::{
        Block, Content, Deed, Facts, FormBlock, Input, Panel, Part, Piece, Row, RowAction, Sign, Table, Takes,
    },
};

pub(super) struct Groups;

impl Collection for Groups {
    type Record = Group;
    const PATH: &'static str = "groups";
    const TITLE: &'static str = "Groups";
    const ONE: &'static str = "group";
    const ADD: &'static str = "Add group";
    const ABOUT: &'static str =
        "A group gives its roles to its members, and to those of the groups inside it.";
    const COLUMNS: &'static [&'static str] = &["Name", "Roles", "Tenant", "Changed"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] = &[];

    fn cannot_add(desk: &Desk) -> Option<String> {
        of_no_partner(desk)
    }

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["tenant_id", "roles"]).await?;
        let may = desk.may(Action::Update, Kind::Group);
        let row = |doc: &Value| {
            let own = desk.link(&format!("groups/{}", text(doc, "id")));
            let name = text(doc, "name");
            Row {
                cells: vec![
                    Piece::Link(own.clone(), name.to_owned()).into(),
                    names.roles(doc),
                    names.owner(doc),
                    time(doc, "updated_at", desk.now, "–"),
                ],
                actions: if may { RowAction::edit_and_delete(&own, name) } else { Vec::new() },
                over: false,
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    async fn parts(_desk: &Desk, now: &Fields, _editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        Ok(vec![Input::line("name", "Name", now.get("name")).required().into()])
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let body = json!({ "name": fields.get("name") });
        Ok(if editing.is_none() { desk.owned(body) } else { body })
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        vec![Deed::link("Change roles", desk.link(&format!("groups/{}/roles", text(doc, "id"))))]
    }

    fn tabs() -> &'static [(&'static str, &'static str, Kind)] {
        &[("everybody", "Everybody in it", Kind::User)]
    }

    fn deletion(_doc: &Value) -> String {
        "Its members lose the roles that came through it.".to_owned()
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let names = desk.names(std::slice::from_ref(doc), &["roles"]).await?;
        let facts = Facts::default()
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Roles", names.roles(doc))
            .and("Changed", time(doc, "updated_at", desk.now, "–"));
        let (keyward, call, id, pairs) = (&desk.state.keyward, desk.call(), text(doc, "id"), first_hundred());
        let mut shown = pairs.clone();
        shown.extend(desk.query().pairs().iter().filter(|(name, _)| name == "page").cloned());
        let members = desk.found(keyward.members(&call, id, &shown).await)?;
        let nested = desk.found(keyward.nested(&call, id, &pairs).await)?;
        let may = desk.may(Action::Update, Kind::Group);
        let here = desk.link(&format!("groups/{id}"));
        let mut direct = vec![
            people(desk, &members, may.then_some(id)),
            Block::Pager(pager(&here, &members, &desk.query())),
        ];
        let mut inside = vec![groups_inside(desk, &nested, may.then_some(id))];
        if may {
            direct.push(add_form(
                desk,
                id,
                "members",
                "person",
                "E-mail of a user",
                "Add member",
                Problems::default(),
            ));
            inside.push(add_form(
                desk,
                id,
                "nested",
                "group",
                "Name or identifier of a group",
                "Nest group",
                Problems::default(),
            ));
        }
        Ok(vec![
            Panel::new("group", "Group", vec![facts.into()]).into(),
            Panel::new("members", "Members", direct).into(),
            Panel::new("nested", "Groups inside it", inside).into(),
        ])
    }
}

fn first_hundred() -> Vec<(String, String)> {
    vec![("per_page".to_owned(), "100".to_owned())]
}

fn people(desk: &Desk, listing: &Listing, removable_from: Option<&str>) -> Block {
    let row = |doc: &Value| {
        let email = text(doc, "email");
        let remove = |group: &str| RowAction {
            sign: Sign::Delete,
            name: format!("Remove {email}"),
            href: desk.link(&format!("groups/{group}/members/{}/remove", text(doc, "id"))),
        };
        Row {
            cells: vec![
                Piece::Link(desk.link(&format!("users/{}", text(doc, "id"))), users::name(doc)).into(),
                Content::words(email),
            ],
            actions: removable_from.map(remove).into_iter().collect(),
            over: false,
        }
    };
    Block::Table(Table {
        caption: "People".to_owned(),
        columns: vec!["Name", "E-mail"],
        rows: listing.data.iter().map(row).collect(),
        empty: "Nobody.".to_owned(),
    })
}

fn groups_inside(desk: &Desk, listing: &Listing, removable_from: Option<&str>) -> Block {
    let row = |doc: &Value| {
        let remove = |group: &str| RowAction {
            sign: Sign::Delete,
            name: format!("Take {} out", text(doc, "name")),
            href: desk.link(&format!("groups/{group}/nested/{}/remove", text(doc, "id"))),
        };
        Row {
            cells: vec![
                Piece::Link(desk.link(&format!("groups/{}", text(doc, "id"))), text(doc, "name").to_owned())
                    .into(),
            ],
            actions: removable_from.map(remove).into_iter().collect(),
            over: false,
        }
    };
    Block::Table(Table {
        caption: "Groups".to_owned(),
        columns: vec!["Name"],
        rows: listing.data.iter().map(row).collect(),
        empty: "None.".to_owned(),
    })
}

fn add_form(
    desk: &Desk,
    id: &str,
    to: &str,
    name: &str,
    label: &str,
    button: &str,
    problems: Problems,
) -> Block {
    let mut form = desk.form(desk.link(&format!("groups/{id}/{to}")));
    form.problems = problems;
    let takes = Takes::Line(if name == "person" { "email" } else { "text" });
    let parts = vec![Input::new(name, label, takes, "").required().into()];
    Block::Form(Box::new(FormBlock::new(form, parts, button, "")))
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(both("groups/{id}/everybody").route(web::get().to(everybody)))
        .service(both("groups/{id}/members").route(web::post().to(add_member)))
        .service(both("groups/{id}/nested").route(web::post().to(nest)))
        .service(both("groups/{id}/roles").route(web::get().to(ask_roles)).route(web::post().to(put_roles)))
        .service(
            both("groups/{id}/members/{other}/remove")
                .route(web::get().to(ask_remove))
                .route(web::post().to(remove)),
        )
        .service(
            both("groups/{id}/nested/{other}/remove")
                .route(web::get().to(ask_remove))
                .route(web::post().to(remove)),
        );
}

/// Who is in a group directly, or through a group inside it.
async fn everybody(desk: Desk) -> Answer {
    let (doc, _) = read::<Groups>(&desk).await?;
    let mut screen = object::<Groups>(&desk, &doc, "everybody").await?;
    let mut pairs = first_hundred();
    pairs.extend(desk.query().pairs().iter().filter(|(name, _)| name == "page").cloned());
    let found = desk.found(desk.state.keyward.effective_members(&desk.call(), desk.id(), &pairs).await)?;
    screen.about = String::from("Directly, or through a group inside it.");
    screen.blocks.push(people(&desk, &found, None));
    screen.blocks.push(Block::Pager(pager(desk.request.path(), &found, &desk.query())));
    Ok(desk.show(StatusCode::OK, &screen))
}

/// The identifier of the only one that a list finds.
fn only(desk: &Desk, listing: Result<Listing, Error>) -> Result<Option<String>, Refused> {
    let listing = desk.found(listing)?;
    Ok(listing.data.first().map(|doc| text(doc, "id").to_owned()))
}

async fn add_member(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&desk.link(&format!("groups/{}", desk.id()))).await?;
    let pairs = [("email".to_owned(), fields.get("person").to_owned())];
    let found = only(&desk, desk.state.keyward.list::<User>(&desk.call(), &pairs).await)?;
    let Some(user) = found else {
        return said(&desk, "There is no user by this e-mail address here.").await;
    };
    let added = desk.state.keyward.add_member(&desk.call(), desk.id(), json!({ "user_id": user })).await;
    finish(&desk, added.map(|_| ())).await
}

/// The group that a name means beside this one: of the same tenant, or of the platform. Others are named by identifier.
async fn group_beside(desk: &Desk, named: &str) -> Result<Option<String>, Refused> {
    if named.starts_with("grp_") {
        return Ok(Some(named.to_owned()));
    }
    let (outer, _) = read::<Groups>(desk).await?;
    let mut pairs = vec![("name".to_owned(), named.to_owned()), ("per_page".to_owned(), "100".to_owned())];
    if !outer["tenant_id"].is_null() {
        pairs.push(("tenant_id".to_owned(), text(&outer, "tenant_id").to_owned()));
    }
    let found = desk.found(desk.state.keyward.list::<Group>(&desk.call(), &pairs).await)?;
    let beside = found.data.iter().find(|group| group["tenant_id"] == outer["tenant_id"]);
    Ok(beside.map(|group| text(group, "id").to_owned()))
}

async fn nest(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&desk.link(&format!("groups/{}", desk.id()))).await?;
    let Some(group) = group_beside(&desk, fields.get("group")).await? else {
        let why =
            "There is no group by this name beside this one. One of elsewhere is named by its identifier.";
        return said(&desk, why).await;
    };
    let nested = desk.state.keyward.nest(&desk.call(), desk.id(), json!({ "group_id": group })).await;
    finish(&desk, nested.map(|_| ())).await
}

async fn finish(desk: &Desk, done: Result<(), Error>) -> Answer {
    match done {
        Ok(()) => Ok(desk.on_to(&format!("groups/{}", desk.id()))),
        Err(error) => match problems::at_form(&error, &[]) {
            Some((_, problems)) => said(desk, &problems.message.unwrap_or_default()).await,
            None => Err(desk.refused(&error).into()),
        },
    }
}

/// The group's page with what went wrong.
async fn said(desk: &Desk, why: &str) -> Answer {
    let (doc, _) = read::<Groups>(desk).await?;
    let mut screen = object::<Groups>(desk, &doc, "").await?;
    screen.mark = "Error: ".into();
    screen.blocks.push(Block::Notice(Notice::new(Severity::Error, why)));
    screen.blocks.extend(Groups::detail(desk, &doc).await?);
    Ok(desk.show(StatusCode::UNPROCESSABLE_ENTITY, &screen))
}

async fn ask_roles(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<Groups>(&desk).await?;
    show_roles(&desk, &doc, &Fields::of(&doc), StatusCode::OK, Problems::default()).await
}

async fn show_roles(
    desk: &Desk,
    doc: &Value,
    fields: &Fields,
    status: StatusCode,
    problems: Problems,
) -> Answer {
    let title = format!("Roles of {}", text(doc, "name"));
    let mut screen = desk.screen(title, &[(Groups::TITLE, desk.link(Groups::PATH))]);
    let own = desk.link(&format!("groups/{}", desk.id()));
    let help = "Everybody in the group has them, and everybody in the groups inside it.";
    let parts = choice(desk, fields, help).await?;
    if parts.iter().any(|part| matches!(part, Part::Input(_))) {
        let mut form = desk.form(format!("{own}/roles"));
        form.problems = problems;
        let block = FormBlock::new(form, parts, "Save", own);
        screen.blocks.push(Panel::new("roles-of", "Roles", vec![Block::Form(Box::new(block))]).into());
    } else {
        screen.blocks.push(Block::Text(Content::words("There are no roles here that you can give.")));
    }
    Ok(desk.show(status, &screen))
}

async fn put_roles(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    let body = json!({ "roles": fields.all("roles") });
    match desk.state.keyward.put_group_roles(&desk.call(), desk.id(), body, None).await {
        Ok(_) => Ok(desk.on_to(&format!("groups/{}", desk.id()))),
        Err(error) => match problems::at_form(&error, &[]) {
            Some((status, problems)) => {
                let (doc, _) = read::<Groups>(&desk).await?;
                show_roles(&desk, &doc, &fields, status, problems).await
            }
            None => Err(desk.refused(&error).into()),
        },
    }
}

fn other(desk: &Desk) -> String {
    desk.request.match_info().get("other").unwrap_or_default().to_owned()
}

async fn ask_remove(desk: Desk) -> Answer {
    let (doc, _) = read::<Groups>(&desk).await?;
    let whom = json!({ "id": other(&desk) });
    let name = desk.names(&[whom], &["id"]).await?.of(&other(&desk));
    let mut screen = object::<Groups>(&desk, &doc, "").await?;
    screen.blocks.extend(Groups::detail(&desk, &doc).await?);
    screen.confirmation = Some(crate::Confirmation {
        title: format!("Remove {name} from {}?", text(&doc, "name")),
        text: "What came through this group alone is lost at the next request.".to_owned(),
        button: format!("Remove {name}"),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link(&format!("groups/{}", desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn remove(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let (keyward, call, other) = (&desk.state.keyward, desk.call(), other(&desk));
    let removed = if desk.request.path().contains("/members/") {
        keyward.remove_member(&call, desk.id(), &other).await
    } else {
        keyward.remove_nested(&call, desk.id(), &other).await
    };
    finish(&desk, removed).await
}
