//! The sample pages, for the gallery and for the tests.

mod console;
mod outside;
mod screens;
mod sign_in;
mod words;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};
use askama::Template;
use keyward_console::{Environment, Form, FormTarget, Notice, Problems, Severity, Shell, respond};

pub(crate) use words::{HOSTILE, Words};

/// A page in one of its states.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) reply: HttpResponse,
}

/// All of them, with these words in the places where people's words stand.
pub(crate) fn samples(words: &Words) -> Vec<Sample> {
    let mut all = sign_in::samples(words);
    all.extend(outside::samples(words));
    all.extend(console::samples(words));
    all.extend(screens::samples(words));
    all
}

fn sample(name: &'static str, page: &impl Template) -> Sample {
    Sample { name, reply: respond(StatusCode::OK, page, &[]) }
}

fn sample_to(name: &'static str, page: &impl Template, redirect: &str) -> Sample {
    let targets: Vec<FormTarget> = FormTarget::of_redirect(redirect).into_iter().collect();
    Sample { name, reply: respond(StatusCode::OK, page, &targets) }
}

fn shell(words: &Words) -> Shell {
    Shell {
        product: words.product.clone(),
        environment: Some(Environment { name: words.environment.clone(), live: true }),
        host: words.host.clone(),
        notice: None,
    }
}

fn shell_with(words: &Words, severity: Severity, text: &str) -> Shell {
    Shell { notice: Some(Notice::new(severity, text)), ..shell(words) }
}

fn form(action: &str) -> Form {
    Form::new(action, "JgkPyB0p5q4")
}

fn refused(action: &str, problems: Problems) -> Form {
    Form { problems, ..form(action) }
}

/// Mounts the gallery below `base`.
pub(crate) fn pages(base: &'static str) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(Base(base)))
            .route(base, web::get().to(index))
            .route(&format!("{base}/"), web::get().to(index))
            .route(&format!("{base}/{{page}}"), web::get().to(show))
            .route(&format!("{base}/hostile/{{number}}/{{page}}"), web::get().to(show_hostile));
    }
}

/// Where the gallery is.
struct Base(&'static str);

async fn index(base: web::Data<Base>) -> HttpResponse {
    let entry = |sample: Sample| format!("<li><a href=\"{0}/{1}\">{1}</a></li>", base.0, sample.name);
    let entries: String = samples(&Words::plain()).into_iter().map(entry).collect();
    let body =
        format!("<!DOCTYPE html><html lang=\"en\"><title>Gallery</title><h1>Gallery</h1><ul>{entries}</ul>");
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(body)
}

async fn show(page: web::Path<String>) -> HttpResponse {
    find(&Words::plain(), &page)
}

async fn show_hostile(path: web::Path<(usize, String)>) -> HttpResponse {
    let (number, page) = path.into_inner();
    HOSTILE
        .get(number)
        .map_or_else(|| HttpResponse::NotFound().finish(), |word| find(&Words::all(word), &page))
}

fn find(words: &Words, name: &str) -> HttpResponse {
    let found = samples(words).into_iter().find(|sample| sample.name == name);
    found.map_or_else(|| HttpResponse::NotFound().finish(), |sample| sample.reply)
}
