//! How people stand, and signing them out.

use keyward_model::{Group, User};
use serde_json::json;

use crate::{
    desk::{as_super_admin, furnished, text, words},
    desk_care::filled,
    desk_flows::sent,
    desk_holders::first,
    second_factor::set_up,
    support::PASSWORD,
};

#[actix_web::test]
async fn somebody_is_signed_out_everywhere_after_a_question_with_a_number() {
    let (site, tenant) = furnished("Ordinary").await;
    let tom = site.person("tom@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    site.person("tim@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    let (one, other) = (site.signed_in("tom@acme.example").await, site.signed_in("tom@acme.example").await);
    let stranger = site.signed_in("tim@acme.example").await;
    let browser = as_super_admin(&site).await;
    let list = browser.get("/console/t/acme/sessions?person=tom&state=active").await.expect(200);
    assert!(
        list.body.contains("1–2 of 2") && list.body.contains("sessions/sign-out?person=tom"),
        "{}",
        words(&list)
    );
    let tab = browser.get(&format!("/console/t/acme/users/{tom}/sessions")).await.expect(200);
    let path = format!("/console/t/acme/sessions/sign-out?user_id={tom}");
    assert!(tab.body.contains(&path));
    let question = browser.get(&path).await.expect(200);
    assert!(question.body.contains("2 sessions end at once"), "{}", words(&question));
    sent(&browser, "/console/t/acme/sessions/sign-out", &filled(&question, &[])).await.expect(200);
    for gone in [&one, &other] {
        assert_eq!(gone.get("/console/account").await.status, 303);
    }
    stranger.get("/console/account").await.expect(200);
    let revoked = browser.get("/console/t/acme/sessions?state=revoked").await.expect(200);
    assert!(revoked.body.contains("1–2 of 2"), "{}", words(&revoked));
    let nothing = browser.get(&path).await.expect(200);
    assert!(nothing.body.contains("there is nothing to end"), "{}", words(&nothing));
    // Everybody at once is nothing that a page offers.
    assert_eq!(browser.get("/console/t/acme/sessions/sign-out").await.status, 404);
    assert_eq!(site.events("session.revoked").await.len(), 2);
}

#[actix_web::test]
async fn users_are_listed_with_how_they_stand() {
    let (site, tenant) = furnished("Ordinary").await;
    let mia = first::<User>(&site, "email", "mia@acme.example").await;
    site.keyward.set_password(&site.operator(), &text(&mia, "id"), PASSWORD.to_owned()).await.unwrap();
    site.clock.advance_seconds(1);
    let group = site.create::<Group>(json!({ "name": "Night shift", "tenant_id": tenant["id"] })).await;
    let member = json!({ "user_id": mia["id"] });
    site.keyward.add_member(&site.operator(), &text(&group, "id"), member).await.unwrap();
    let browser = as_super_admin(&site).await;
    let never = words(&browser.get("/console/t/acme/users").await.expect(200));
    assert!(never.contains("Ordinary, Night shift") || never.contains("Night shift, Ordinary"), "{never}");
    assert!(never.contains("Off Never"), "{never}");
    let own = format!("/console/t/acme/users/{}", text(&mia, "id"));
    let page = browser.get(&own).await.expect(200);
    assert!(words(&page).contains("Signs in with Password"), "{}", words(&page));
    assert!(!page.body.contains("Turn off two-step sign-in"), "there is none to be turned off");
    let hers = site.browser();
    hers.sign_in("mia@acme.example", PASSWORD).await.expect(303);
    set_up(&site, &hers).await;
    let after = browser.get("/console/t/acme/users").await.expect(200);
    assert!(words(&after).contains("On") && !words(&after).contains("Never"), "{}", words(&after));
    let page = browser.get(&own).await.expect(200);
    assert!(page.body.contains("Turn off two-step sign-in") && page.body.contains("10 recovery codes left"));
    // A sign-in link takes nothing away, a reset does.
    let gentle = browser.get(&format!("{own}/invite")).await.expect(200);
    assert!(!gentle.body.contains("button-danger"), "{}", words(&gentle));
    let harsh = browser.get(&format!("{own}/reset-password")).await.expect(200);
    assert!(harsh.body.contains("button-danger"));
}

#[actix_web::test]
async fn lines_that_are_left_out_can_be_taken_away_with_their_reasons() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let form = browser.get("/console/t/acme/users/import").await.expect(200);
    let table = "ned@acme.example,Ned\nnobody,No one\nmia@acme.example,Mia";
    let looked =
        sent(&browser, "/console/t/acme/users/import", &filled(&form, &[("csv", table)])).await.expect(200);
    assert!(words(&looked).contains("2 lines are left out"), "{}", words(&looked));
    assert!(looked.body.contains("id=\"left-out\""));
}
