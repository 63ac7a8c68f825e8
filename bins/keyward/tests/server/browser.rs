//! A browser that runs no scripts: it keeps cookies, and sends the forms of the pages that it is shown.

use std::{cell::RefCell, collections::BTreeMap, fs};

use regex::Regex;
use reqwest::{
    blocking::{Client, Response},
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};

use crate::support::{Database, Server};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A super admin with a password, made on the machine.
pub(crate) fn super_admin(database: &Database, issuer: &str, email: &str, name: &str) {
    let file = database.dir.path().join("password");
    fs::write(&file, PASSWORD).unwrap();
    let mut command = database.keyward(&["admin", "create", "--email", email, "--name", name]);
    let made = command.arg("--password-file").arg(file).env("KEYWARD_PUBLIC_URL", issuer).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// What a browser is shown.
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Where it is sent on to.
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Page {
    /// Where it leads; a failure of the test when it leads nowhere.
    #[track_caller]
    pub(crate) fn leads(&self) -> &str {
        self.location.as_deref().unwrap_or_else(|| panic!("{} leads nowhere: {}", self.status, self.body))
    }

    /// The fields with names and values.
    pub(crate) fn fields(&self) -> BTreeMap<String, String> {
        let input = Regex::new("<input [^>]*>").unwrap();
        let attribute = |tag: &str, name: &str| {
            let known = Regex::new(&format!(" {name}=\"([^\"]*)\"")).unwrap();
            known.captures(tag).map(|found| found[1].to_owned())
        };
        let inputs = input.find_iter(&self.body).map(|tag| tag.as_str());
        inputs.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
    }

    /// The text of a box that is there to be copied, by its `id`.
    pub(crate) fn shown(&self, id: &str) -> String {
        let area = Regex::new(&format!("<textarea id=\"{id}\"[^>]*>([^<]*)<")).unwrap();
        area.captures(&self.body).unwrap_or_else(|| panic!("no {id}: {}", self.body))[1].to_owned()
    }
}

/// What a browser keeps. Every node is the same site to it.
#[derive(Clone)]
pub(crate) struct Browser {
    http: Client,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, cookies: RefCell::default() }
    }

    fn seen(&self, reply: Response) -> Page {
        for cookie in reply.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = reply.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned());
        Page { status: reply.status().as_u16(), location, body: reply.text().unwrap() }
    }

    fn cookies(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    pub(crate) fn get(&self, server: &Server, path: &str) -> Page {
        self.seen(self.http.get(server.url(path)).header(COOKIE, self.cookies()).send().unwrap())
    }

    /// Looks at a page, and goes where that leads as long as it is on the server.
    pub(crate) fn visit(&self, server: &Server, path: &str) -> Page {
        let mut page = self.get(server, path);
        for _ in 0..10 {
            match page.location.clone() {
                Some(location) if location.starts_with('/') => page = self.get(server, &location),
                _ => return page,
            }
        }
        panic!("sent in circles from {path}")
    }

    /// Sends the form of a page, with some fields filled in.
    pub(crate) fn send(&self, server: &Server, path: &str, page: &Page, filled: &[(&str, &str)]) -> Page {
        let mut fields = page.fields();
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = self.http.post(server.url(path)).header(COOKIE, self.cookies()).form(&fields);
        self.seen(request.send().unwrap())
    }

    /// Types address and password on the pages for that, the first of which is shown; what follows.
    pub(crate) fn sign_in(&self, server: &Server, first: &Page, email: &str) -> Page {
        let page = self.send(server, "/console/sign-in", first, &[("email", email)]);
        let page = self.visit(server, page.leads());
        self.send(server, "/console/sign-in/password", &page, &[("password", PASSWORD)])
    }
}
