//! Forms that are sent in a session which must be proven once more, and what else is asked before something is made.

use regex::Regex;
use serde_json::json;

use crate::{
    desk::{as_super_admin, furnished, words},
    desk_flows::{secret, sent},
    support::{PASSWORD, Reply, unescaped},
};

const LIST: &str = "/console/t/acme/settings/iam/api-access";
const KEYS: &str = "/console/t/acme/settings/security/api-keys";

/// The fields of a page that travel unseen, but for the token, which browsers of the tests send by themselves.
fn unseen(page: &Reply) -> Vec<(String, String)> {
    let input = Regex::new("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"").unwrap();
    let found = input.captures_iter(&page.body).map(|one| (unescaped(&one[1]), unescaped(&one[2])));
    found.filter(|(name, _)| name != "csrf").collect()
}

fn with<'a>(fields: &'a [(String, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    fields.chain(more.iter().copied()).collect()
}

#[actix_web::test]
async fn a_form_that_is_interrupted_for_a_proof_goes_on_with_all_that_was_typed() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    browser.get(&format!("{LIST}/new")).await.expect(200);
    site.clock.advance_seconds(16 * 60);
    let typed =
        [("client_id", "late"), ("expires_at", "2027-01-31"), ("change", "points"), ("notes", "<b>&\"")];
    let asked = browser.post(LIST, &typed).await.expect(403);
    assert!(site.events("application.created").await.len() == 3, "nothing is made yet");
    let kept = unseen(&asked);
    let wrong = browser.post("/console/confirm", &with(&kept, &[("password", "wrong")])).await.expect(403);
    assert_eq!(unseen(&wrong), kept, "nothing is lost by a slip");
    let proven = browser.post("/console/confirm", &with(&kept, &[("password", PASSWORD)])).await.expect(200);
    assert!(proven.body.contains(&format!("action=\"{LIST}\"")) && proven.body.contains("data-carry-on"));
    assert!(!proven.body.contains(PASSWORD), "the proof goes no further");
    let fields = unseen(&proven);
    assert!(fields.contains(&("notes".to_owned(), "<b>&\"".to_owned())), "{fields:?}");
    let made = browser.post(LIST, &with(&fields, &[])).await.expect(200);
    assert!(secret(&made).is_some() && made.body.contains("acme.late"), "{}", words(&made));
}

#[actix_web::test]
async fn an_interrupted_form_leads_nowhere_else() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    browser.get("/console/confirm").await.expect(200);
    for to in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let fields = [("send_to", to), ("sent.name", "x"), ("password", PASSWORD)];
        let reply = browser.post("/console/confirm", &fields).await.expect(303);
        assert!(reply.location().starts_with("/console"), "{to}: {}", reply.location());
        browser.get("/console/confirm").await.expect(200);
    }
}

#[actix_web::test]
async fn what_looks_like_a_slip_is_asked_once_more() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    browser.get(&format!("{LIST}/new")).await.expect(200);
    let bare = [("client_id", "bare"), ("expires_at", "2027-01-31")];
    let asked = sent(&browser, LIST, &bare).await.expect(422);
    assert!(asked.body.contains("No permission is chosen"), "{}", words(&asked));
    let sure = unseen(&asked);
    sent(&browser, LIST, &with(&sure, &bare)).await.expect(200);
    // A key that permits nothing is of no use; two by the same name are told apart by nobody.
    browser.get(&format!("{KEYS}/new")).await.expect(200);
    let none = sent(&browser, KEYS, &[("name", "twin")]).await.expect(422);
    assert!(none.body.contains("Choose at least one permission"), "{}", words(&none));
    let twin = [("name", "twin"), ("view", "points")];
    sent(&browser, KEYS, &twin).await.expect(200);
    browser.get(&format!("{KEYS}/new")).await.expect(200);
    let asked = sent(&browser, KEYS, &twin).await.expect(422);
    assert!(asked.body.contains("There is a key called twin already."), "{}", words(&asked));
    let sure = unseen(&asked);
    sent(&browser, KEYS, &with(&sure, &twin)).await.expect(200);
    assert_eq!(
        site.events("api_key.created")
            .await
            .iter()
            .filter(|event| event["resource"]["name"] == json!("twin"))
            .count(),
        2
    );
}

#[actix_web::test]
async fn addresses_without_a_page_have_one_that_says_so() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    for (path, status, said) in [
        ("/console/t/acme/nonsense", 404, "Not found"),
        ("/console/nonsense/of/a/kind", 404, "Not found"),
        ("/console/account/password", 405, "Nothing was sent"),
        ("/console/t/acme/users/import/run", 405, "Nothing was sent"),
    ] {
        let page = browser.get(path).await.expect(status);
        assert!(
            page.body.contains(said) && page.body.starts_with("<!DOCTYPE html>"),
            "{path}: {}",
            words(&page)
        );
    }
    let stranger = site.browser();
    assert!(stranger.get("/console/nonsense").await.expect(303).location().contains("sign-in"));
}

#[actix_web::test]
async fn the_log_is_narrowed_by_names_and_an_activity_has_both_sides() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    browser.get(&format!("{LIST}/new")).await.expect(200);
    let made =
        sent(&browser, LIST, &[("client_id", "busy"), ("expires_at", "2027-01-31"), ("view", "points")])
            .await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "acme.busy"),
        ("client_secret", &secret(&made).unwrap()),
    ];
    site.form("/oauth2/token", &fields).await.expect(200);
    let log = "/console/t/acme/audit";
    let by_client = browser.get(&format!("{log}?actor=acme.busy")).await.expect(200);
    assert!(by_client.body.contains("Token issued"), "{}", words(&by_client));
    assert!(!by_client.body.contains("<span>Application created"), "{}", words(&by_client));
    let by_person = browser.get(&format!("{log}?actor=root@platform.example")).await.expect(200);
    assert!(by_person.body.contains("Application created"), "{}", words(&by_person));
    let nobody = browser.get(&format!("{log}?actor=nobody@acme.example")).await.expect(200);
    assert!(nobody.body.contains("No event matches.") && nobody.body.contains("Clear filters"));
    let list = browser.get(LIST).await.expect(200);
    let id =
        Regex::new("api-access/(app_[0-9a-z]{26})\"><code><span class=\"muted\">acme.</span>busy").unwrap();
    let id = id.captures(&list.body).expect("a link to the client")[1].to_owned();
    let activity = browser.get(&format!("{LIST}/{id}/activity")).await.expect(200);
    for what in ["Token issued", "Application created"] {
        assert!(activity.body.contains(what), "{what}: {}", words(&activity));
    }
}
