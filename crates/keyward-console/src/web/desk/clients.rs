//! What obtains tokens with secrets, API clients and agents: their secrets, with the evidence of use.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, SecretHolder};
use keyward_model::Timestamp;
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    agents::Agents,
    api_access::ApiAccess,
    applications::Applications,
    both,
    collection::{Collection, object, read},
    desk_at::{Desk, Sent},
    doc::{badge, is_over, items, moment, number, so_many, text, time},
    fields::Fields,
    parts::key_of,
    problems,
};
use crate::{
    Confirmation, Moment, Notice, Problems, Severity,
    component::{
        Block, CodePanel, Content, Deed, FormBlock, Input, Panel, Part, Piece, Row, RowAction, SecretShown,
        Sign, Table, Takes,
    },
    page::Fragment,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    routes::<ApiAccess>(config);
    routes::<Applications>(config);
    routes::<Agents>(config);
}

fn routes<C: Collection<Record: SecretHolder>>(config: &mut ServiceConfig) {
    let at = |path: &str| both(&format!("{}/{{id}}/{path}", C::PATH));
    config
        .service(at("secrets").route(web::get().to(list::<C>)).route(web::post().to(add::<C>)))
        .service(at("rotate").route(web::get().to(ask_rotate::<C>)).route(web::post().to(rotate::<C>)))
        .service(at("first-use").route(web::get().to(first_use::<C>)))
        .service(
            at("secrets/{other}/revoke")
                .route(web::get().to(ask_revoke::<C>))
                .route(web::post().to(revoke::<C>)),
        );
}

async fn secrets_of<C: Collection<Record: SecretHolder>>(desk: &Desk) -> Result<Vec<Value>, Refused> {
    let mut secrets = Vec::new();
    for page in 1.. {
        let pairs = [("per_page".to_owned(), "100".to_owned()), ("page".to_owned(), page.to_string())];
        let found = desk.state.keyward.secrets::<C::Record>(&desk.call(), desk.id(), &pairs).await;
        let found = desk.found(found)?;
        let last = found.total_pages.is_none_or(|pages| page >= pages);
        secrets.extend(found.data);
        if last {
            break;
        }
    }
    secrets.sort_by(|one, other| text(other, "created_at").cmp(text(one, "created_at")));
    Ok(secrets)
}

async fn list<C: Collection<Record: SecretHolder>>(desk: Desk) -> Answer {
    let (doc, _) = read::<C>(&desk).await?;
    let screen = secrets_screen::<C>(&desk, &doc).await?;
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn secrets_screen<C: Collection<Record: SecretHolder>>(
    desk: &Desk,
    doc: &Value,
) -> Result<crate::page::Screen, Refused> {
    let mut screen = object::<C>(desk, doc, "secrets").await?;
    screen.deeds.clear();
    let may = desk.may(Action::Update, super::collection::kind::<C>());
    let own = desk.link(&format!("{}/{}", C::PATH, desk.id()));
    if may {
        screen.primary = Some(("Rotate secret".to_owned(), format!("{own}/rotate")));
    }
    let secrets = secrets_of::<C>(desk).await?;
    if secrets.iter().all(is_over) {
        let notice = Notice::new(Severity::Warning, "It cannot obtain tokens: no secret works.");
        screen.blocks.push(Block::Notice(notice));
    }
    screen.blocks.extend(still_on_old(desk, &secrets));
    let row = |secret: &Value| {
        let revoke = RowAction {
            sign: Sign::Revoke,
            name: format!("Revoke {}", text(secret, "hint")),
            href: format!("{own}/secrets/{}/revoke", text(secret, "id")),
        };
        Row {
            cells: vec![
                Content::code(format!("{}…", text(secret, "hint"))),
                time(secret, "created_at", desk.now, "–"),
                time(secret, "expires_at", desk.now, "With the client"),
                used(secret, desk),
                badge(secret),
            ],
            actions: if may && !is_over(secret) { vec![revoke] } else { Vec::new() },
            over: is_over(secret),
        }
    };
    let table = Table {
        caption: "Secrets".to_owned(),
        columns: vec!["Secret", "Made", "Expires", "Last used", "State"],
        rows: secrets.iter().map(row).collect(),
        empty: "None: it cannot obtain tokens.".to_owned(),
    };
    screen.blocks.push(Block::Table(table));
    for secret in secrets.iter().filter(|secret| !items(secret, "callers").is_empty()) {
        screen.blocks.push(callers(secret, desk).into());
    }
    if may {
        let form = desk.form(format!("{own}/secrets"));
        let block = FormBlock::new(form, Vec::new(), "Add another secret", "");
        let panel = Panel::new("another", "Another secret", vec![Block::Form(Box::new(block))]);
        screen.blocks.push(panel.help("Those that there are go on working, without an end.").into());
        let issuer = &desk.state.keyward.options().issuer;
        let path =
            format!("{}/{}/secrets/rotate", <C::Record as keyward_core::Administered>::COLLECTION, desk.id());
        let body = json!({ "overlap_seconds": 86_400 });
        screen.blocks.push(Block::Code(CodePanel::request(issuer, "POST", &path, Some(&body))));
    }
    Ok(screen)
}

/// When a secret was last used, from where, how often.
fn used(secret: &Value, desk: &Desk) -> Content {
    let last = time(secret, "last_used_at", desk.now, "Never used");
    if secret["last_used_at"].is_null() {
        return last;
    }
    let times = so_many(number(secret, "use_count"), "time", "times");
    last.below(Piece::Words(format!("{times}, last from {}", text(secret, "last_used_address"))))
}

/// Who used a secret.
fn callers(secret: &Value, desk: &Desk) -> Panel {
    let row = |caller: &Value| Row {
        cells: vec![
            Content::code(text(caller, "address")),
            Content::words(number(caller, "count").to_string()),
            time(caller, "first_used_at", desk.now, "–"),
            time(caller, "last_used_at", desk.now, "–"),
        ],
        ..Row::default()
    };
    let table = Table {
        caption: "Callers".to_owned(),
        columns: vec!["Address", "Times", "First", "Last"],
        rows: items(secret, "callers").iter().map(row).collect(),
        empty: "Nobody.".to_owned(),
    };
    Panel::new(
        text(secret, "id"),
        format!("Callers with {}…", text(secret, "hint")),
        vec![Block::Table(table)],
    )
}

/// What so many do.
pub(super) fn verb(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}

/// Whether the secret before the newest can go: who used it since there is the new one.
fn still_on_old(desk: &Desk, secrets: &[Value]) -> Option<Block> {
    let mut live = secrets.iter().filter(|secret| !is_over(secret));
    let newest = live.next()?;
    let made = moment(newest, "created_at")?;
    let mut older = live.peekable();
    older.peek()?;
    let (mut still, mut all) = (Vec::new(), 0);
    for caller in older.flat_map(|secret| items(secret, "callers")) {
        all += 1;
        if moment(caller, "last_used_at") >= Some(made) {
            still.push(text(caller, "address").to_owned());
        }
    }
    let since = Moment::new(made, desk.now).relative;
    let notice = if still.is_empty() {
        let words =
            format!("Nobody has used an old secret since the new one was made, {since}. It can be revoked.");
        Notice::new(Severity::Success, words).titled("The old secret is unused.")
    } else {
        let words = format!("They used it since the new one was made, {since}: {}.", still.join(", "));
        let of = so_many(all, "caller", "callers");
        Notice::new(Severity::Warning, words).titled(format!(
            "{} of {of} still {} the old secret.",
            still.len(),
            verb(still.len())
        ))
    };
    Some(Block::Notice(notice))
}

async fn ask_rotate<C: Collection<Record: SecretHolder>>(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<C>(&desk).await?;
    show_rotate::<C>(&desk, &doc, &Fields::default(), StatusCode::OK, Problems::default()).await
}

/// How long the secrets before a new one may go on.
pub(super) fn overlaps(now: &Fields) -> Part {
    let options = [
        ("86400", "24 hours"),
        ("3600", "1 hour"),
        ("604800", "7 days"),
        ("0", "Not at all: revoke at once"),
    ];
    let options = options.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
    let input =
        Input::new("overlap", "The old one still works for", Takes::One(options), now.or("overlap", "86400"));
    input
        .help("Time to put the new one in place. Its evidence of use says when nobody needs the old one.")
        .into()
}

async fn show_rotate<C: Collection<Record: SecretHolder>>(
    desk: &Desk,
    doc: &Value,
    now: &Fields,
    status: StatusCode,
    problems: Problems,
) -> Answer {
    let own = desk.link(&format!("{}/{}", C::PATH, desk.id()));
    let title = format!("Rotate secret of {}", key_of(doc));
    let mut screen = desk.screen(title, &[(C::TITLE, desk.link(C::PATH)), (&C::name(doc), own.clone())]);
    let live: Vec<Value> =
        secrets_of::<C>(desk).await?.into_iter().filter(|secret| !is_over(secret)).collect();
    let mut parts = vec![overlaps(now)];
    if live.len() > 1 {
        let mut options = vec![(String::new(), "All that work".to_owned())];
        options.extend(live.iter().map(|secret| {
            let last = match moment(secret, "last_used_at") {
                Some(at) => format!("last used {}", Moment::new(at, desk.now).relative),
                None => "never used".to_owned(),
            };
            (text(secret, "id").to_owned(), format!("{}… ({last})", text(secret, "hint")))
        }));
        parts.push(
            Input::new("replaces", "Takes the place of", Takes::One(options), now.get("replaces")).into(),
        );
    }
    let mut form = desk.form(format!("{own}/rotate"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let block = FormBlock::new(form, parts, "Rotate secret", format!("{own}/secrets"));
    let panel = Panel::new("rotate", "New secret", vec![Block::Form(Box::new(block))]);
    screen.blocks.push(panel.help("You will see the new secret once.").into());
    Ok(desk.show(status, &screen))
}

async fn rotate<C: Collection<Record: SecretHolder>>(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<C>(&desk).await?;
    let body = json!({
        "overlap_seconds": fields.number_or_null("overlap"),
        "replaces": fields.text_or_null("replaces"),
    });
    let call = desk.call_once(&fields);
    match desk.state.keyward.rotate_secret::<C::Record>(&call, desk.id(), body).await {
        Ok(written) => Ok(show_secret::<C>(&desk, &doc, &written.body)),
        Err(error) => match problems::at_form(&error, &[]) {
            Some((status, problems)) => show_rotate::<C>(&desk, &doc, &fields, status, problems).await,
            None => Err(desk.refused(&error).into()),
        },
    }
}

async fn add<C: Collection<Record: SecretHolder>>(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&desk.link(&format!("{}/{}/secrets", C::PATH, desk.id()))).await?;
    let (doc, _) = read::<C>(&desk).await?;
    let made =
        desk.state.keyward.create_secret::<C::Record>(&desk.call_once(&fields), desk.id(), json!({})).await;
    let made = desk.found(made)?;
    Ok(show_secret::<C>(&desk, &doc, &made.body))
}

/// The page that shows a secret once. It is an answer to a form, and at no address.
pub(super) fn show_secret<C: Collection>(desk: &Desk, doc: &Value, secret: &Value) -> HttpResponse {
    let own = format!("{}/{}", C::PATH, text(doc, "id"));
    let client_id = text(doc, "client_id");
    let mut screen = desk.screen(format!("Secret of {client_id}"), &[(C::TITLE, desk.link(C::PATH))]);
    let value = text(secret, "value");
    if value.is_empty() {
        let words = "It was shown once, when it was made. If you have not stored it, rotate it.";
        screen.blocks.push(Block::Notice(Notice::new(Severity::Warning, words).titled("Already shown.")));
        screen.primary = Some(("Rotate secret".to_owned(), desk.link(&format!("{own}/rotate"))));
        return desk.show(StatusCode::OK, &screen);
    }
    let mut block = SecretShown::of_client(&desk.state.keyward.options().issuer, client_id, value);
    block.first_use = desk.link(&format!("{own}/first-use?secret={}", text(secret, "id")));
    block.done = desk.link(&own);
    screen.blocks.push(Block::Secret(Box::new(block)));
    desk.show(StatusCode::OK, &screen)
}

/// Whether a secret was used, as a piece of a page that asks again and again, or as a page of its own.
async fn first_use<C: Collection<Record: SecretHolder>>(desk: Desk) -> Answer {
    let wanted = desk.query().get("secret").to_owned();
    let secrets = secrets_of::<C>(&desk).await?;
    let secret = secrets.iter().find(|secret| text(secret, "id") == wanted);
    let used =
        secret.and_then(|secret| Some((moment(secret, "last_used_at")?, text(secret, "last_used_address"))));
    let own = format!("{}/{}", C::PATH, desk.id());
    let crumbs = [(C::TITLE, desk.link(C::PATH))];
    Ok(show_first_use(&desk, used, "It was used to obtain a token.", &crumbs, &format!("{own}/secrets")))
}

/// When and from where something was used first.
pub(super) fn show_first_use(
    desk: &Desk,
    used: Option<(Timestamp, &str)>,
    title: &str,
    crumbs: &[(&str, String)],
    own: &str,
) -> HttpResponse {
    let notice = match used {
        Some((at, address)) => {
            let words = format!("{} from {address}.", Moment::new(at, desk.now).absolute);
            Notice::new(Severity::Success, words).titled(title)
        }
        None => Notice::new(Severity::Info, "It was not used yet."),
    };
    let waits = used.is_none();
    if desk.query().given("part").is_some() {
        let blocks = if waits {
            vec![Block::Text(Content::words("Waiting for the first use…"))]
        } else {
            vec![Block::Notice(notice)]
        };
        return desk.show(StatusCode::OK, &Fragment { blocks });
    }
    let mut screen = desk.screen("First use", crumbs);
    screen.blocks.push(Block::Notice(notice));
    let here = desk.request.uri().path_and_query().map_or("", |here| here.as_str());
    screen.deeds.push(Deed::link("Look again", here));
    screen.deeds.push(Deed::link("See its page", desk.link(own)));
    desk.show(StatusCode::OK, &screen)
}

async fn ask_revoke<C: Collection<Record: SecretHolder>>(desk: Desk) -> Answer {
    let (doc, _) = read::<C>(&desk).await?;
    let other = desk.request.match_info().get("other").unwrap_or_default().to_owned();
    let secrets = secrets_of::<C>(&desk).await?;
    let secret = secrets.iter().find(|secret| text(secret, "id") == other);
    let secret = desk.found(secret.ok_or(keyward_core::Error::NotFound))?;
    let mut screen = secrets_screen::<C>(&desk, &doc).await?;
    let hint = text(secret, "hint");
    let lately = moment(secret, "last_used_at").map(|at| {
        let (when, whence) = (Moment::new(at, desk.now).relative, text(secret, "last_used_address"));
        format!("It was last used {when} from {whence}. ")
    });
    screen.confirmation = Some(Confirmation {
        title: format!("Revoke {hint}…?"),
        text: format!(
            "{}It stops for good, and the tokens that it obtained with it.",
            lately.unwrap_or_else(|| "It was never used. ".to_owned())
        ),
        button: format!("Revoke {hint}…"),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link(&format!("{}/{}/secrets", C::PATH, desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn revoke<C: Collection<Record: SecretHolder>>(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let other = desk.request.match_info().get("other").unwrap_or_default();
    desk.found(desk.state.keyward.revoke_secret::<C::Record>(&desk.call(), desk.id(), other).await)?;
    Ok(desk.on_to(&format!("{}/{}/secrets", C::PATH, desk.id())))
}

/// A sentence when a client was used in the last 24 hours.
pub(super) async fn lately<C: Collection<Record: SecretHolder>>(
    desk: &Desk,
    doc: &Value,
) -> Result<Option<String>, Refused> {
    let Ok(id) = text(doc, "id").parse() else { return Ok(None) };
    let uses = desk.found(desk.state.keyward.holders_use(&desk.call(), &[id]).await)?;
    let Some((at, address)) =
        uses.get(&id).and_then(|used| Some((used.last_used_at?, used.address.clone()?)))
    else {
        return Ok(None);
    };
    if at.plus_seconds(86_400) < desk.now {
        return Ok(None);
    }
    Ok(Some(format!("It was used {} from {address}.", Moment::new(at, desk.now).relative)))
}
