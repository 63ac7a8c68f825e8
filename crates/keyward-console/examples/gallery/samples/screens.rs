//! Screens of the console: every block in its states.

use keyward_console::{
    Confirmation, Notice, Problems, Severity,
    component::{
        Badge, Block, Chart, Chip, CodePanel, Content, CopyField, Deed, Empty, Facts, Figure, Figures,
        Filters, FormBlock, Grid, GridRow, Input, Live, Narrow, Pager, Panel, Part, Piece, Row, RowAction,
        SecretShown, Series, Sign, Table, Takes, Tone, Verdicts,
    },
    page::{Screen, Tab, TestStep, Verdict},
};
use serde_json::json;

use super::{
    Sample, Words,
    console::{frame, moment},
    form, refused, sample,
};

fn text(words: &str) -> String {
    words.to_owned()
}

fn screen(words: &Words, title: &str) -> Screen {
    let mut screen = Screen::new(frame(words), title);
    screen.about = text("API clients let another system call your APIs without a person signing in.");
    screen
}

fn row(words: &Words, over: bool) -> Row {
    let act = |sign, word: &str| RowAction {
        sign,
        name: format!("{word} {}", words.application),
        href: text("/console/somewhere"),
    };
    let ends = if over {
        Piece::Warning(text("Expired 3 Nov 2026"))
    } else {
        Piece::Words(text("22 Nov 2027 · in 1 year"))
    };
    Row {
        cells: vec![
            Content::from(Piece::CodeLink(text("/console/somewhere"), words.application.clone())),
            Content::words("Points: View · Invoices: Change +1")
                .below(Piece::Words(format!("Roles: {}", words.role))),
            ends.into(),
            Content::from(Piece::Time(moment(240)))
                .below(Piece::Spark(vec![0, 2, 5, 9, 1], text("17 tokens in 14 days"))),
            Content::words(words.person.clone()).and(Piece::Prefixed(text("acme."), text("crm-sync"))),
        ],
        actions: vec![
            act(Sign::Edit, "Edit"),
            act(Sign::Rotate, "Rotate"),
            act(Sign::Delete, "Delete"),
            act(Sign::Revoke, "Revoke"),
        ],
        over,
    }
}

fn table(words: &Words) -> Table {
    Table {
        caption: text("API Access"),
        columns: vec!["Client ID", "Roles", "Expiry date", "Last used", "Notes"],
        rows: vec![row(words, false), row(words, true)],
        empty: text("No API client matches."),
    }
}

fn list(words: &Words) -> Screen {
    let mut screen = screen(words, "API Access");
    screen.primary = Some((text("Add API client"), text("/console/new")));
    let chip = |label: &str, current| Chip { label: text(label), href: text("/console/list"), current };
    let options = vec![(String::new(), text("Any")), (text("denied"), text("Denied"))];
    let narrow =
        |name, label, options| Narrow { name, label, value: words.person.clone(), options, kind: "search" };
    screen.blocks = vec![
        Block::Filters(Filters {
            action: text("/console/list"),
            chips: vec![chip("All", true), chip("Active", false), chip("Expiring", false)],
            fields: vec![narrow("q", "Search", Vec::new()), narrow("result", "Result", options)],
            keep: vec![(text("status"), text("active"))],
        }),
        Block::Table(table(words)),
        Block::Pager(Pager {
            where_: text("21–40 of 312"),
            previous: Some(text("?page=1")),
            next: Some(text("?page=3")),
        }),
        Block::Copy(CopyField::new(
            "token-endpoint",
            "Token endpoint",
            "https://auth.example.com/oauth2/token",
        )),
        Block::Code(
            CodePanel::request(
                "https://auth.example.com",
                "POST",
                "applications",
                Some(&json!({ "name": words.person })),
            )
            .and("Command line", "keyward admin create-client crm-sync"),
        ),
    ];
    screen
}

fn empty(words: &Words) -> Screen {
    let mut screen = screen(words, "API Keys");
    screen.blocks = vec![
        Block::Notice(Notice::new(
            Severity::Info,
            "You have View. Change is needed to edit. Ask one of: Ada, Mia.",
        )),
        Block::Empty(Empty {
            text: text("A key works for this tenant only."),
            action: Some((text("Add API key"), text("/console/new"))),
        }),
        Block::Table(Table { rows: Vec::new(), ..table(words) }),
    ];
    screen
}

fn grid(words: &Words) -> Grid {
    let row = |resource: &str, views, changes, locked: &str| GridRow {
        resource: text(resource),
        label: words.role.clone(),
        view: Some(format!("{resource}:read")),
        change: vec![format!("{resource}:read"), format!("{resource}:write")],
        views,
        changes,
        some: if resource == "points" {
            vec![(format!("{resource}:write"), true), (format!("{resource}:delete"), false)]
        } else {
            Vec::new()
        },
        view_locked: String::new(),
        change_locked: text(locked),
        escalates: resource == "users",
    };
    let mut looked_at_only = row("reports", false, false, "");
    looked_at_only.change.clear();
    Grid {
        whose: text("This client"),
        rows: vec![
            row("points", true, false, ""),
            row("users", true, true, ""),
            row("invoices", false, false, "You do not hold this yourself."),
            looked_at_only,
        ],
        beside: vec![text("orders:read")],
    }
}

fn parts(words: &Words) -> Vec<Part> {
    let options =
        vec![(text("production"), text("production")), (text("staging"), words.environment.clone())];
    let any = vec![(text("rol_01"), words.role.clone()), (text("rol_02"), text("Read only"))];
    vec![
        Input::new("client_id", "Client ID", Takes::Code, &words.application)
            .required()
            .prefix("acme.")
            .help("It can't be changed later.")
            .into(),
        Input::new("expires_at", "Expiry date", Takes::Line("date"), "2027-11-22").required().into(),
        Input::new("environment", "Environment", Takes::One(options), "staging").into(),
        Input::new("notes", "Notes", Takes::Lines, &words.person).into(),
        Input::new("roles", "Roles", Takes::Any(any), "rol_02").help("Beside the permissions below.").into(),
        Input::new("exchange", "Token exchange is allowed", Takes::Yes, "true").into(),
        grid(words).into(),
        Part::Folded(
            text("Advanced"),
            vec![Input::new("lifetime", "Token lifetime in seconds", Takes::Line("number"), "").into()],
        ),
    ]
}

fn add(words: &Words, problems: Problems) -> Screen {
    let form = if problems.is_empty() { form("/console/list") } else { refused("/console/list", problems) };
    let mut screen = screen(words, "Add API client");
    screen.mark = if form.problems.is_empty() { "" } else { "Error: " }.into();
    let block = FormBlock::new(form, parts(words), "Save", "/console/list");
    screen.blocks = vec![Panel::new("form", "API client", vec![Block::Form(Box::new(block))]).into()];
    screen
}

fn detail(words: &Words) -> Screen {
    let mut screen = screen(words, &words.application);
    screen.badge = Some(Badge { tone: Tone::Warning, words: text("Expiring") });
    screen.deeds =
        vec![Deed::link("Edit", "/console/edit"), Deed::button("Check", "/console/check", "JgkPyB0p5q4")];
    let tab = |label: &str, current| Tab { label: text(label), href: text("/console/tab"), current };
    screen.tabs = vec![tab("Overview", true), tab("Secrets", false), tab("Activity", false)];
    let facts = Facts::default()
        .and("Client ID", Piece::Prefixed(text("acme."), words.application.clone()))
        .and("Permissions", Content::codes(&[text("points:read"), text("users:write")], "None"))
        .and("State", Piece::Badge(Tone::Bad, text("Expired")))
        .and("Notes", Piece::Muted(text("None")))
        .and("Owner", Piece::Link(text("/console/users"), words.person.clone()));
    let mut panel =
        Panel::new("client", words.tenant.clone(), vec![facts.into(), Block::Table(table(words))]);
    panel.help = text("What it is, and what it may.");
    panel.badge = Some(Badge { tone: Tone::Good, words: text("Active") });
    panel.deeds = vec![Deed::link("Rotate secret", "/console/rotate")];
    let step = |name: &str, verdict| TestStep { name: text(name), verdict, detail: words.person.clone() };
    let steps = vec![
        step("Form and checksum", Verdict::Passed),
        step("Permission", Verdict::Failed),
        step("Known", Verdict::Skipped),
    ];
    let live = Live {
        from: text("/console/live"),
        seconds: 60,
        blocks: vec![Block::Text(Content::words("Nothing yet."))],
    };
    screen.blocks = vec![
        panel.into(),
        Panel::new("checks", "Checks", vec![Block::Verdicts(Verdicts { steps })]).into(),
        Block::Live(live),
    ];
    screen
}

fn question(words: &Words, problems: Problems) -> Screen {
    let mut screen = detail(words);
    screen.confirmation = Some(Confirmation {
        title: format!("Delete {}?", words.application),
        text: text("It was used 4 minutes ago from 10.0.3.7. It stops at once."),
        button: format!("Delete {}", words.application),
        typed: Some(words.application.clone()),
        form: refused("/console/delete", problems),
        cancel: text("/console/list"),
    });
    screen
}

fn secret(words: &Words) -> Screen {
    let mut screen = screen(words, "Secret");
    let value = "kws_test_00000000000000000000000000000000000000000001f86zh";
    let mut block = SecretShown::of_client("https://auth.example.com", &words.application, value);
    block.first_use = text("/console/first-use");
    block.done = text("/console/list");
    screen.blocks = vec![Block::Secret(Box::new(block))];
    screen
}

fn key(words: &Words) -> Screen {
    let mut screen = screen(words, "Key");
    let mut block = SecretShown::of_key(
        "https://auth.example.com",
        &words.application,
        "kwk_test_00000000000000000000000000000000000000024600yn5R",
    );
    block.done = text("/console/list");
    screen.blocks = vec![Block::Secret(Box::new(block))];
    screen
}

fn dashboard(words: &Words) -> Screen {
    let figure = |number: &str, label: &str, tone| Figure {
        number: text(number),
        label: text(label),
        href: text("/console/list"),
        tone,
    };
    let series = |name: &str, numbers: Vec<u64>| Series { name: text(name), numbers };
    let chart = |id, numbers: Vec<u64>| Chart {
        id,
        title: text("Tokens per hour"),
        summary: format!("{} obtained most.", words.application),
        labels: (0..4).map(|hour| format!("{hour}:00")).collect(),
        series: vec![
            series("Issued", numbers.clone()),
            series("Refused", numbers.iter().map(|number| number / 2).collect()),
        ],
    };
    let mut screen = screen(words, "Dashboard");
    screen.blocks = vec![
        Block::Figures(Figures {
            figures: vec![
                figure("1,204", "users", Tone::Plain),
                figure("3", "expire within 30 days", Tone::Warning),
            ],
        }),
        Panel::new(
            "charts",
            "The last 24 hours",
            vec![Block::Chart(chart("tokens", vec![1, 0, 9, 40])), Block::Chart(chart("none", vec![0; 4]))],
        )
        .into(),
    ];
    screen
}

pub(super) fn samples(words: &Words) -> Vec<Sample> {
    let mut wrong = Problems::field("client_id", "Client ID is taken.");
    wrong.fields.extend(Problems::field("lifetime", "Token lifetime must be 60 to 86,400.").fields);
    vec![
        sample("screen-list", &list(words)),
        sample("screen-empty", &empty(words)),
        sample("screen-form", &add(words, Problems::default())),
        sample("screen-form-refused", &add(words, wrong)),
        sample("screen-detail", &detail(words)),
        sample("screen-question", &question(words, Problems::default())),
        sample("screen-question-refused", &question(words, Problems::field("typed", "Type it to confirm."))),
        sample("screen-secret", &secret(words)),
        sample("screen-key", &key(words)),
        sample("screen-dashboard", &dashboard(words)),
    ]
}
