//! Documents that are made from the code are checked in, and are what the code says. `UPDATE_DOCS=1` writes them anew.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use keyward_model::{Action as Recorded, AdminRole, Id, Kind, Partner, Reach, Tenant};
use keyward_policy::{Principal, Refusal, Target, decide};

use crate::support::sqlite;

fn current(name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "docs/{name} is not what the code says: run `just docs` and look at what changed");
}

#[test]
fn the_openapi_document_is_current() {
    let document = keyward_http::openapi("http://127.0.0.1:8080");
    current("openapi.json", &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
}

#[test]
fn the_configuration_reference_is_current() {
    let reference = sqlite().run(&["config", "reference"]);
    current("configuration.md", &format!("# Configuration\n\n{CONFIGURATION}\n\n{reference}"));
}

const CONFIGURATION: &str = "\
A flag (`--set KEY=VALUE`) counts more than the environment, the environment more than the file (`--config FILE`, TOML),\n\
and the file more than the default. Lists are separated by commas. `keyward config check` names every mistake,\n\
`keyward config show` every value and where it comes from.";

#[test]
fn the_list_of_audit_actions_is_current() {
    let mut text = String::from("# Actions of the audit log\n\n| action | meaning |\n|---|---|\n");
    for (action, meaning) in Recorded::ALL {
        writeln!(text, "| `{action}` | {meaning} |").unwrap();
    }
    current("audit-actions.md", &text);
}

/// Who asks, as a column of the matrix.
fn callers() -> Vec<(&'static str, Principal)> {
    let (partner, tenant) = (Id::<Partner>::NOBODY, Id::<Tenant>::NOBODY);
    let service = |global, scope: &str| Principal::Service { global, scopes: scope.parse().unwrap() };
    let user = |tier, reach, permissions: &str| Principal::User {
        tier,
        reach,
        permissions: permissions.parse().unwrap(),
    };
    vec![
        ("read token", service(true, "admin:read")),
        ("write token", service(true, "admin:write")),
        ("other token", service(false, "admin:read admin:write")),
        ("super admin", user(Some(AdminRole::SuperAdmin), Reach::Platform, "")),
        ("partner admin", user(Some(AdminRole::PartnerAdmin), Reach::Partner(partner), "")),
        ("tenant admin", user(Some(AdminRole::TenantAdmin), Reach::Tenant(tenant), "")),
        ("staff", user(None, Reach::Tenant(tenant), "")),
    ]
}

#[test]
fn the_policy_matrix_is_current() {
    use keyward_policy::Action;
    let actions = [
        ("list", Action::List),
        ("read", Action::Read),
        ("create", Action::Create),
        ("update", Action::Update),
        ("delete", Action::Delete),
        ("act", Action::Act("any")),
    ];
    let mut text = String::from(
        "# Who may do what to which kind, within their reach: yes, no, or with the permission that is named.\n",
    );
    for kind in Kind::ALL {
        for (name, action) in actions {
            writeln!(text, "\n{} {name}", kind.name()).unwrap();
            for (caller, principal) in callers() {
                let answer = match decide(&principal, action, Target::collection(kind)) {
                    Ok(_) => "yes".to_owned(),
                    Err(Refusal::Missing(permission)) => format!("with {permission}"),
                    Err(Refusal::NoPlatformScope | Refusal::AccessDenied) => "no".to_owned(),
                };
                writeln!(text, "  {caller:<14} {answer}").unwrap();
            }
        }
    }
    current("policy-matrix.txt", &text);
}

#[test]
fn the_help_is_current() {
    let mut text = String::from("# The command line\n");
    for arguments in [
        &[][..],
        &["serve"],
        &["admin"],
        &["admin", "create-client"],
        &["admin", "create"],
        &["admin", "setup-link"],
        &["admin", "password-link"],
        &["admin", "token"],
        &["migrate"],
        &["signing-key"],
        &["audit"],
        &["config"],
    ] {
        let mut asked = arguments.to_vec();
        asked.push("--help");
        let help = sqlite().run(&asked);
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        writeln!(text, "\n```\n$ keyward {}\n\n{}\n```", asked.join(" "), lines.join("\n").trim_end())
            .unwrap();
    }
    current("cli.md", &text);
}
