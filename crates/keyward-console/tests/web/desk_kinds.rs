//! Every resource by its forms: added, looked at, changed, deleted; and what is wrong is said at its field.

use regex::Regex;
use serde_json::Value;

use crate::{
    desk::{as_super_admin, furnished, text, words},
    desk_care::filled,
    desk_flows::sent,
};

/// A resource, and what somebody writes into its forms.
struct Kind {
    path: &'static str,
    noun: &'static str,
    add: &'static [(&'static str, &'static str)],
    /// A field of it, and a value that is refused.
    wrong: (&'static str, &'static str),
    edit: &'static [(&'static str, &'static str)],
    /// What its page says after the change.
    says: &'static str,
}

const KINDS: [Kind; 12] = [
    Kind {
        path: "/console/partners",
        noun: "partner",
        add: &[("name", "Contoso"), ("slug", "contoso"), ("max_tenants", "3")],
        wrong: ("slug", "No Slug"),
        edit: &[("name", "Contoso Ltd"), ("status", "active"), ("max_tenants", "4")],
        says: "Contoso Ltd",
    },
    Kind {
        path: "/console/tenants",
        noun: "tenant",
        add: &[("name", "Globex"), ("slug", "globex")],
        wrong: ("contact_email", "nobody"),
        edit: &[("name", "Globex Corp"), ("status", "suspended"), ("settings", "{\"a\": 1}")],
        says: "Suspended",
    },
    Kind {
        path: "/console/t/acme/users",
        noun: "user",
        add: &[("email", "new@acme.example"), ("name", "New")],
        wrong: ("email", "no address"),
        edit: &[("email", "new@acme.example"), ("name", "Newer"), ("status", "disabled")],
        says: "Newer",
    },
    Kind {
        path: "/console/t/acme/groups",
        noun: "group",
        add: &[("name", "Night shift")],
        wrong: ("name", ""),
        edit: &[("name", "Day shift")],
        says: "Day shift",
    },
    Kind {
        path: "/console/t/acme/settings/iam/roles",
        noun: "role",
        add: &[("name", "Reader"), ("view", "points")],
        wrong: ("name", ""),
        edit: &[("name", "Writer"), ("change", "points")],
        says: "points:write",
    },
    Kind {
        path: "/console/settings/iam/permissions",
        noun: "permission",
        add: &[("resource", "invoices"), ("label", "Invoices"), ("view", "invoices:read")],
        wrong: ("resource", "not one"),
        edit: &[("label", "Bills"), ("view", "invoices:read"), ("change", "invoices:write, invoices:delete")],
        says: "invoices:delete",
    },
    Kind {
        path: "/console/t/acme/settings/iam/api-access",
        noun: "application",
        add: &[("client_id", "billing"), ("expires_at", "2027-01-31"), ("view", "points")],
        wrong: ("expires_at", "2036-01-01"),
        edit: &[("notes", "Ask Ada"), ("status", "disabled"), ("token_lifetime", "600")],
        says: "600 seconds",
    },
    Kind {
        path: "/console/t/acme/applications",
        noun: "application",
        add: &[
            ("name", "Shop"),
            ("type", "spa"),
            ("client_id", "shop"),
            ("expires_at", "2027-01-31"),
            ("redirect_uris", "https://shop.example/cb"),
        ],
        wrong: ("redirect_uris", "http://shop.example/cb"),
        edit: &[("name", "Shop"), ("status", "active"), ("redirect_uris", "https://shop.example/other")],
        says: "https://shop.example/other",
    },
    Kind {
        path: "/console/t/acme/settings/security/api-keys",
        noun: "api_key",
        add: &[("name", "crm-prod"), ("view", "points")],
        wrong: ("allowed_ips", "everywhere"),
        edit: &[
            ("name", "crm-prod-2"),
            ("view", "points"),
            ("status", "active"),
            ("allowed_ips", "10.0.0.0/8"),
        ],
        says: "10.0.0.0/8",
    },
    Kind {
        path: "/console/t/acme/settings/identity-providers",
        noun: "identity_provider",
        add: &[
            ("name", "Contoso"),
            ("kind", "oidc"),
            ("config.issuer", "https://login.contoso.example"),
            ("config.client_id", "kw"),
        ],
        wrong: ("config.issuer", "ftp://contoso"),
        edit: &[
            ("name", "Contoso"),
            ("status", "active"),
            ("config.issuer", "https://id.contoso.example"),
            ("config.client_id", "kw"),
        ],
        says: "https://id.contoso.example",
    },
    Kind {
        path: "/console/t/acme/settings/identity-providers",
        noun: "identity_provider",
        add: &[
            ("name", "Saml"),
            ("kind", "saml"),
            ("config.entity_id", "urn:contoso"),
            ("config.sso_url", "https://contoso.example/sso"),
            ("config.certificate", "MIIB"),
            ("config.roles", "{\"groups\": {}}"),
        ],
        wrong: ("config.sso_url", "nowhere"),
        edit: &[
            ("name", "Saml two"),
            ("status", "disabled"),
            ("config.entity_id", "urn:contoso"),
            ("config.sso_url", "https://contoso.example/sso"),
            ("config.certificate", "MIIB"),
        ],
        says: "Saml two",
    },
    Kind {
        path: "/console/t/acme/agents",
        noun: "agent",
        add: &[
            ("name", "Helper"),
            ("owner", "mia@acme.example"),
            ("allowed_tools", "search\nread"),
            ("view", "points"),
        ],
        wrong: ("rate_limit_rpm", "many"),
        edit: &[
            ("name", "Helper"),
            ("allowed_tools", "search"),
            ("rate_limit_rpm", "30"),
            ("status", "active"),
        ],
        says: "30",
    },
];

#[actix_web::test]
async fn everything_is_added_changed_and_deleted_by_forms() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    for kind in &KINDS {
        let (path, noun) = (kind.path, kind.noun);
        let spoken = kind.add.iter().find(|(name, _)| *name == "kind");
        let asked = spoken.map(|(_, value)| format!("?kind={value}")).unwrap_or_default();
        let form = browser.get(&format!("{path}/new{asked}")).await.expect(200);
        let mut wrong: Vec<(&str, &str)> = kind.add.to_vec();
        wrong.retain(|(name, _)| *name != kind.wrong.0);
        wrong.push(kind.wrong);
        let refused = sent(&browser, path, &filled(&form, &wrong)).await;
        assert_eq!(refused.status, 422, "{path}: {}", words(&refused));
        assert!(refused.body.contains("<title>Error: "), "{path}");
        // What was written is still there, and the error stands at its field.
        let at = Regex::new(&format!("id=\"{}-error\"", regex::escape(kind.wrong.0))).unwrap();
        assert!(at.is_match(&refused.body), "{path}: {}", words(&refused));
        let kept = kind.add.iter().find(|(name, _)| *name == "name" && kind.wrong.0 != "name");
        assert!(kept.is_none_or(|(_, value)| refused.body.contains(value)), "{path}");

        let made = sent(&browser, path, &filled(&refused, kind.add)).await;
        assert_eq!(made.status, 200, "{path}: {}", words(&made));
        let created: Vec<Value> = site.events(&format!("{noun}.created")).await;
        let id = text(&created[0]["resource"], "id");
        let own = format!("{path}/{id}");
        let edit = browser.get(&format!("{own}/edit")).await.expect(200);
        let changed = sent(&browser, &own, &filled(&edit, kind.edit)).await;
        assert_eq!(changed.status, 200, "{own}: {}", words(&changed));
        assert!(words(&changed).contains(kind.says), "{own}: {}", words(&changed));
        assert_eq!(text(&site.events(&format!("{noun}.updated")).await[0]["resource"], "id"), id);

        let ask = browser.get(&format!("{own}/delete")).await.expect(200);
        assert!(ask.body.contains(">Cancel</a>") && ask.body.contains("Delete "), "{own}");
        let gone = sent(&browser, &format!("{own}/delete"), &filled(&ask, &[])).await;
        assert_eq!(gone.status, 200, "{own}: {}", words(&gone));
        let deleted = site.events(&format!("{noun}.deleted")).await;
        let revoked = site.events(&format!("{noun}.revoked")).await;
        assert!(deleted.iter().chain(&revoked).any(|event| text(&event["resource"], "id") == id), "{own}");
        assert_eq!(browser.get(&own).await.status, 404, "{own}");
    }
}

#[actix_web::test]
async fn what_a_form_sends_is_what_the_panel_says() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let form = browser.get("/console/t/acme/settings/iam/api-access/new?client_id=panel&view=points").await;
    let line = Regex::new(r"-d &#39;(\{.*?\})&#39;").unwrap();
    let body = line.captures(&form.body).expect("a body")[1].replace("&#34;", "\"");
    let body: Value = serde_json::from_str(&body).unwrap();
    let made = site.create::<keyward_model::Application>(body).await;
    assert_eq!(
        (made["client_id"].as_str(), made["allowed_scopes"][0].as_str()),
        (Some("acme.panel"), Some("points:read"))
    );
}
