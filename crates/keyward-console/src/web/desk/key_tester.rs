//! Trying a key or token out.

use actix_web::{http::StatusCode, web, web::ServiceConfig};
use keyward_core::CredentialCheck;

use super::{
    super::visit::{Answer, Refused},
    both,
    desk_at::{Desk, Sent},
};
use crate::{
    Problems,
    component::{Block, FormBlock, Input, Panel, Takes, Verdicts},
    page::{Screen, TestStep, Verdict},
};

pub(super) fn configure(config: &mut ServiceConfig) {
    let at = both("settings/security/key-tester");
    config.service(at.route(web::get().to(ask)).route(web::post().to(test)));
}

fn screen(desk: &Desk, permission: &str, problems: Problems) -> Screen {
    let mut screen = desk.screen("Key tester", &[("API Keys", desk.link("settings/security/api-keys"))]);
    screen.about =
        String::from("Is a key or an access token good, and for what? The value is neither kept nor shown.");
    let mut form = desk.form(desk.link("settings/security/key-tester"));
    form.problems = problems;
    screen.mark = form.mark().into();
    // What is pasted does not come back, not even when something is wrong with it.
    let credential =
        Input::new("credential", "API key or access token", Takes::Line("password"), "").required();
    let wanted = Input::new("permission", "Permission", Takes::Code, permission);
    let parts = vec![
        credential.into(),
        wanted.help("Empty tests the credential alone. For example points:read.").into(),
    ];
    let block = FormBlock::new(form, parts, "Test", "");
    screen.blocks.push(Panel::new("test", "Test", vec![Block::Form(Box::new(block))]).into());
    screen
}

async fn ask(desk: Desk) -> Answer {
    let screen = screen(&desk, desk.query().get("permission"), Problems::default());
    Ok(desk.show(StatusCode::OK, &screen))
}

fn step(check: CredentialCheck) -> TestStep {
    let verdict = match check.passed {
        Some(true) => Verdict::Passed,
        Some(false) => Verdict::Failed,
        None => Verdict::Skipped,
    };
    TestStep { name: check.name.to_owned(), verdict, detail: check.detail }
}

async fn test(sent: Sent) -> Result<actix_web::HttpResponse, Refused> {
    let Sent { desk, fields } = sent;
    let (credential, permission) = (fields.get("credential"), fields.get("permission"));
    if credential.is_empty() {
        let problems = Problems::field("credential", "Paste a key or a token.");
        return Ok(desk.show(StatusCode::UNPROCESSABLE_ENTITY, &screen(&desk, permission, problems)));
    }
    let wanted = Some(permission).filter(|permission| !permission.is_empty());
    let checks = desk.found(desk.state.keyward.test_credential(&desk.call(), credential, wanted).await)?;
    let mut screen = screen(&desk, permission, Problems::default());
    let steps = checks.into_iter().map(step).collect();
    screen.blocks.push(Panel::new("result", "Result", vec![Block::Verdicts(Verdicts { steps })]).into());
    Ok(desk.show(StatusCode::OK, &screen))
}
