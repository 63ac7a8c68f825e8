//! The sign-in policy: looked at, reviewed, saved, and taken back.

use keyward_core::SignInPolicy;
use keyward_model::Role;
use serde_json::json;

use crate::{
    desk::{as_super_admin, furnished, words},
    desk_flows::sent,
    support::{Browser, PASSWORD, Reply, Site, unescaped},
};

const ADA: &str = "ada@northwind.example";
const PATH: &str = "/console/settings/security/sign-in-policy";

fn review() -> String {
    format!("{PATH}/review")
}

fn edit() -> String {
    format!("{PATH}/edit")
}

/// The fields of the form with this in them.
async fn typed(browser: &Browser, tiers: &[&str], idle: &str, absolute: &str) -> Vec<(String, String)> {
    let form = browser.get(&edit()).await.expect(200);
    let mut fields = vec![("seen".to_owned(), unescaped(&form.field("seen").unwrap()))];
    fields.extend(tiers.iter().map(|tier| ("totp_required".to_owned(), (*tier).to_owned())));
    for (name, value) in [("idle", idle), ("absolute", absolute), ("refresh", "43200")] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    fields
}

async fn send(browser: &Browser, path: &str, fields: &[(String, String)]) -> Reply {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sent(browser, path, &fields).await
}

fn in_force(site: &Site) -> serde_json::Value {
    json!(*site.keyward.sign_in_policy())
}

#[actix_web::test]
async fn a_policy_is_saved_after_a_look_at_who_is_affected_and_counts_at_once() {
    let (site, tenant) = furnished("Ordinary").await;
    site.person("tom@acme.example", json!({ "admin_role": "tenant_admin", "tenant_id": tenant["id"] })).await;
    let browser = as_super_admin(&site).await;
    let before = words(&browser.get(PATH).await.expect(200));
    assert!(before.contains("It is that of the configuration.") && before.contains("Nobody"), "{before}");

    let fields = typed(&browser, &["tenant_admin"], "15", "120").await;
    let reviewed = words(&send(&browser, &review(), &fields).await.expect(200));
    for wanted in [
        "+ Two-step sign-in required: Tenant admin. That is 1 person.",
        "A session ends without use after: 15 minutes instead of 60 minutes",
        "A session ends at the latest after: 2 hours instead of 12 hours",
        "Sessions that were not used for 15 minutes end at once.",
    ] {
        assert!(reviewed.contains(wanted), "no {wanted:?}: {reviewed}");
    }
    assert_eq!(in_force(&site)["saved"], json!(null), "a review saves nothing");

    let saved = words(&send(&browser, &edit(), &fields).await.expect(200));
    assert!(saved.contains(&format!("{ADA} saved it on")) && saved.contains("15 minutes"), "{saved}");
    let event = &site.events("sign_in_policy.changed").await[0];
    assert_eq!(event["actor"]["name"], ADA);
    assert_eq!(event["changes"].as_array().unwrap().len(), 3, "{event}");

    // Whom it asks for a second factor now, and whom not.
    let tom = site.browser();
    let asked = tom.sign_in("tom@acme.example", PASSWORD).await;
    let page = if asked.status == 303 { tom.visit(&asked.location()).await } else { asked };
    assert!(words(&page).contains("Set up two-step sign-in"), "{}", words(&page));
    site.clock.advance_seconds(14 * 60);
    browser.get(PATH).await.expect(200);
    site.clock.advance_seconds(16 * 60);
    assert_eq!(browser.get(PATH).await.status, 303, "the session was idle for too long");
}

#[actix_web::test]
async fn the_configuration_counts_again_when_that_is_wanted() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let configured = in_force(&site);
    let mut fields = typed(&browser, &[], "30", "720").await;
    send(&browser, &edit(), &fields).await.expect(200);
    assert_eq!(in_force(&site)["policy"]["idle_seconds"], 1_800);
    fields = typed(&browser, &[], "30", "720").await;
    fields.push(("configured".to_owned(), "true".to_owned()));
    let reviewed = words(&send(&browser, &review(), &fields).await.expect(200));
    assert!(reviewed.contains("The configuration counts again."), "{reviewed}");
    send(&browser, &edit(), &fields).await.expect(200);
    assert_eq!(in_force(&site), configured);
}

#[actix_web::test]
async fn what_somebody_else_saved_meanwhile_stays() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let first = typed(&browser, &[], "20", "720").await;
    let second = typed(&browser, &[], "40", "720").await;
    send(&browser, &edit(), &first).await.expect(200);
    let refused = send(&browser, &edit(), &second).await.expect(412);
    assert!(words(&refused).contains("Somebody else changed the policy meanwhile"), "{}", words(&refused));
    assert_eq!(in_force(&site)["policy"]["idle_seconds"], 1_200);
}

#[actix_web::test]
async fn of_many_who_save_at_once_one_is_heard() {
    let (site, _) = furnished("Ordinary").await;
    for saved_before in [false, true] {
        let seen = site.keyward.sign_in_policy();
        assert_eq!(seen.saved.is_some(), saved_before);
        site.clock.advance_seconds(1);
        let policy = |idle_seconds| SignInPolicy { idle_seconds, ..seen.policy.clone() };
        let call = site.operator();
        let saving =
            (0..8).map(|number| site.keyward.change_sign_in_policy(&call, &seen, Some(policy(600 + number))));
        let saved = futures_util::future::join_all(saving).await;
        assert_eq!(saved.iter().filter(|result| result.is_ok()).count(), 1, "{saved:?}");
    }
    let seen = site.keyward.sign_in_policy();
    site.keyward.change_sign_in_policy(&site.operator(), &seen, None).await.unwrap();
    assert_eq!(in_force(&site)["saved"], json!(null));
}

#[actix_web::test]
async fn what_can_not_be_is_told_at_its_field() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    for (idle, absolute, told) in [
        ("0", "720", "must be 1 minute to 30 days"),
        ("", "720", "A session ends without use after"),
        ("soon", "720", "A session ends without use after"),
        ("60", "4", "must be 5 minutes to 30 days"),
        ("60", "30", "last longer without use than at all"),
        ("99999999999999999999", "720", "A session ends without use after"),
    ] {
        let fields = typed(&browser, &["super_admin"], idle, absolute).await;
        for path in [review(), edit()] {
            let refused = send(&browser, &path, &fields).await.expect(422);
            assert!(words(&refused).contains(told), "{idle:?}, {absolute:?}: {}", words(&refused));
            assert!(refused.body.contains("aria-invalid"), "it is told at a field: {idle:?}, {absolute:?}");
            assert!(refused.body.contains(&format!("value=\"{absolute}\"")), "what was typed is kept");
        }
    }
    assert!(!browser.get(&edit()).await.body.contains("aria-invalid"), "nothing is wrong yet");
    let nobody = typed(&browser, &["everybody"], "60", "720").await;
    assert_eq!(send(&browser, &edit(), &nobody).await.status, 422);
    let mut blind = typed(&browser, &[], "20", "720").await;
    blind[0].1 = "{}".to_owned();
    for path in [review(), edit()] {
        assert_eq!(send(&browser, &path, &blind).await.status, 412);
    }
    assert_eq!(in_force(&site)["saved"], json!(null));
}

#[actix_web::test]
async fn only_who_may_change_how_everybody_signs_in_changes_it() {
    let (site, tenant) = furnished("Ordinary").await;
    site.person("tom@acme.example", json!({ "admin_role": "tenant_admin", "tenant_id": tenant["id"] })).await;
    let root = as_super_admin(&site).await;
    let fields = typed(&root, &[], "1", "720").await;
    let tom = site.signed_in("tom@acme.example").await;
    let page = tom.get(PATH).await.expect(200);
    assert!(!page.body.contains("sign-in-policy/edit"), "{}", words(&page));
    assert_eq!(tom.get(&edit()).await.status, 404);
    assert_eq!(send(&tom, &review(), &fields).await.status, 404);
    assert_eq!(send(&tom, &edit(), &fields).await.status, 403);
    assert_eq!(in_force(&site)["saved"], json!(null));
    // Not by who may change providers, but is below those whom it is about.
    let role = json!({ "name": "Providers", "permissions": ["keyward:identity-providers:write", "keyward:users:read"] });
    let role = site.create::<Role>(role).await;
    let id = site.person("max@northwind.example", json!({})).await;
    site.keyward.put_user_roles(&site.operator(), &id, json!({ "roles": [role["id"]] }), None).await.unwrap();
    let max = site.signed_in("max@northwind.example").await;
    assert!(!max.get(PATH).await.expect(200).body.contains("sign-in-policy/edit"));
    assert_eq!(send(&max, &edit(), &fields).await.status, 403);
    assert_eq!(in_force(&site)["saved"], json!(null));
    let denied = site.events("access.denied").await;
    assert_eq!(denied.len(), 2, "{denied:?}");
    // As everything dangerous, it takes a recent proof.
    site.clock.advance_seconds(16 * 60);
    let asked = root.post(&edit(), &[("idle", "1")]).await.expect(403);
    assert!(asked.body.contains("name=\"password\""), "{}", words(&asked));
}

#[actix_web::test]
async fn every_node_learns_of_it_and_keeps_it() {
    let (site, _) = furnished("Ordinary").await;
    let other = site.another_node().await;
    let browser = as_super_admin(&site).await;
    let fields = typed(&browser, &[], "25", "720").await;
    send(&browser, &edit(), &fields).await.expect(200);
    let idle = |node: &keyward_core::Keyward| node.sign_in_policy().policy.idle_seconds;
    for _ in 0..100 {
        if idle(&other) == 1_500 {
            break;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(idle(&other), 1_500);
    assert_eq!(idle(&site.another_node().await), 1_500, "one that starts later knows it, too");
}
