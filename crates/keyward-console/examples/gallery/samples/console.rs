//! Pages inside of the console.

use keyward_console::{
    AccountMenu, Confirmation, Crumb, Environment, FieldProblem, Frame, Moment, NavEntry, Notice, Problems,
    Severity,
    component::{FormBlock, Input, Takes},
    page::{Account, Claim, Mapped, Profile, ProviderTest, ResetLink, Session, TestStep, TwoStep, Verdict},
    paths,
};
use keyward_model::{Preferences, Theme, Timestamp};

use super::{Sample, Words, form, refused, sample};

pub(super) fn moment(seconds_ago: i64) -> Moment {
    let now = Timestamp::from_unix_millis(1_795_521_600_000)
        .unwrap_or_else(|| unreachable!("a year of this century"));
    Moment::new(now.plus_seconds(-seconds_ago), now)
}

pub(super) fn frame(words: &Words) -> Frame {
    Frame {
        product: words.product.clone(),
        environment: Some(Environment { name: words.environment.clone(), live: true }),
        scope: vec![words.partner.clone(), words.tenant.clone()],
        switcher: Some("/console/switch".to_owned()),
        search: Some("/console/search".to_owned()),
        account: AccountMenu {
            name: words.person.clone(),
            email: words.email.clone(),
            csrf: "JgkPyB0p5q4".to_owned(),
        },
        navigation: vec![
            NavEntry::new("Dashboard", paths::CONSOLE),
            NavEntry { current: true, ..NavEntry::new("My account", paths::ACCOUNT) },
            NavEntry {
                children: vec![
                    NavEntry::new("Roles", "/console/settings/iam/roles"),
                    NavEntry::new("System", "/console/settings/system"),
                ],
                ..NavEntry::new("Settings", "/console/settings/iam/roles")
            },
        ],
        crumbs: Vec::new(),
        notice: None,
        preferences: Preferences::default(),
    }
}

fn sessions(words: &Words) -> Vec<Session> {
    let session = |id: &str, device: &str, ip: &str, started, last_active, current| Session {
        id: id.to_owned(),
        device: device.to_owned(),
        ip: ip.to_owned(),
        method: "Password and code".to_owned(),
        started: moment(started),
        last_active: moment(last_active),
        current,
    };
    vec![
        session("ses_01", &words.device, "10.0.3.7", 7_500, 20, true),
        session("ses_02", "Safari on iPhone", "2001:db8:85a3:8d3:1319:8a2e:370:7348", 400_000, 9_000, false),
        session("ses_03", "Edge on Windows", "198.51.100.24", 2_000_000, 700_000, false),
    ]
}

fn account(words: &Words) -> Account {
    Account {
        frame: frame(words),
        csrf: "JgkPyB0p5q4".to_owned(),
        profile: Profile {
            name: words.person.clone(),
            email: words.email.clone(),
            tier: "Tenant admin".to_owned(),
            scope: words.tenant.clone(),
            roles: vec![words.role.clone(), "Read only".to_owned()],
            method: "Password".to_owned(),
        },
        two_step: TwoStep::On { codes_left: 8, removable: true },
        password: Some(form(paths::ACCOUNT_PASSWORD)),
        password_changed: Some(moment(8_000_000)),
        sessions: sessions(words),
        preferences: {
            let options = vec![("system".to_owned(), "As the system has it".to_owned())];
            let theme = Input::new("theme", "Colours", Takes::One(options), "system");
            FormBlock::new(form(paths::ACCOUNT_PREFERENCES), vec![theme.into()], "Save", "")
        },
        confirmation: None,
    }
}

fn question() -> Confirmation {
    Confirmation {
        title: "Sign out everywhere else?".to_owned(),
        text: "2 other sessions end at once. Work that was not saved there is lost.".to_owned(),
        button: "Sign out 2 sessions".to_owned(),
        typed: None,
        form: form(paths::ACCOUNT_SIGN_OUT_OTHERS),
        cancel: paths::ACCOUNT.to_owned(),
    }
}

pub(super) fn samples(words: &Words) -> Vec<Sample> {
    let mut all = accounts(words);
    all.extend(tests(words));
    let link = "https://auth.northwind.example/console/new-password?code=7Hq2Lw0rZx9Vb3Nc8Md4Kf6Gj1Ts5Yp7Qa2We4Rt6Yu";
    let crumbs = vec![
        Crumb { label: "Staff".to_owned(), href: "/console/staff".to_owned() },
        Crumb { label: words.person.clone(), href: "/console/staff/usr_01".to_owned() },
    ];
    all.push(sample(
        "reset-link",
        &ResetLink {
            frame: Frame { crumbs, ..frame(words) },
            email: words.email.clone(),
            link: link.to_owned(),
            expires: moment(-1_830),
            done: "/console/staff/usr_01".to_owned(),
        },
    ));
    all
}

fn accounts(words: &Words) -> Vec<Sample> {
    let alone = |words| sessions(words).into_iter().take(1).collect();
    let plain = Account {
        two_step: TwoStep::Off { required: false },
        password_changed: None,
        sessions: alone(words),
        ..account(words)
    };
    let required = Account {
        frame: Frame {
            notice: Some(Notice::new(Severity::Success, "Your password was changed.")),
            scope: Vec::new(),
            environment: Some(Environment { name: words.environment.clone(), live: false }),
            preferences: Preferences { theme: Theme::Dark, ..Preferences::default() },
            ..frame(words)
        },
        two_step: TwoStep::Off { required: true },
        ..account(words)
    };
    let few_codes = Account {
        frame: Frame {
            preferences: Preferences { compact: true, theme: Theme::Light, ..Preferences::default() },
            ..frame(words)
        },
        two_step: TwoStep::On { codes_left: 2, removable: false },
        ..account(words)
    };
    let federated = Account {
        profile: Profile { method: words.provider.clone(), ..account(words).profile },
        two_step: TwoStep::Elsewhere { provider: words.provider.clone() },
        password: None,
        ..account(words)
    };
    let problem =
        |name, text: &str| FieldProblem { name: std::borrow::Cow::Borrowed(name), text: text.to_owned() };
    let problems = Problems {
        message: None,
        fields: vec![
            problem("password", "This is not your password."),
            problem("new_password", "This has 5 characters. Use 8 at least."),
        ],
    };
    let wrong = Account { password: Some(refused(paths::ACCOUNT_PASSWORD, problems)), ..account(words) };
    vec![
        sample("account", &account(words)),
        sample("account-plain", &plain),
        sample("account-required", &required),
        sample("account-few-codes", &few_codes),
        sample("account-federated", &federated),
        sample("account-password-wrong", &wrong),
        sample("account-question", &Account { confirmation: Some(question()), ..account(words) }),
    ]
}

fn step(name: &str, verdict: Verdict, detail: &str) -> TestStep {
    TestStep { name: name.to_owned(), verdict, detail: detail.to_owned() }
}

fn tests(words: &Words) -> Vec<Sample> {
    let claim = |name: &str, value: &str| Claim { name: name.to_owned(), value: value.to_owned() };
    let mapped = |field: &str, claim: &str, value: Option<&String>| Mapped {
        field: field.to_owned(),
        claim: claim.to_owned(),
        value: value.cloned(),
    };
    let base = || ProviderTest {
        frame: Frame {
            crumbs: vec![Crumb {
                label: "Identity providers".to_owned(),
                href: "/console/providers".to_owned(),
            }],
            ..frame(words)
        },
        provider: words.provider.clone(),
        protocol: "OpenID Connect".to_owned(),
        again: "/console/providers/idp_01/test".to_owned(),
        settings: "/console/providers/idp_01".to_owned(),
        steps: vec![
            step("Fetched the discovery document", Verdict::Passed, "https://login.contoso.example, 84 ms"),
            step("Signed in at the provider", Verdict::Passed, ""),
            step("Exchanged the code for tokens", Verdict::Passed, "client_secret_basic"),
            step("Verified the ID token", Verdict::Passed, "ES256, key 2026-10"),
            step("Mapped the claims to an account", Verdict::Warned, "The provider sent no name."),
        ],
        provider_error: None,
        claims: vec![
            claim("sub", "7f0c2b0e-93a1-4a55-8d0e-5f1a4a6f6f10"),
            claim("email", &words.claim),
            claim("groups", &words.role),
        ],
        mapping: vec![
            mapped("E-mail", "email", Some(&words.claim)),
            mapped("Name", "name", None),
            mapped("Groups", "groups", Some(&words.role)),
        ],
    };
    let failed = ProviderTest {
        steps: vec![
            step("Fetched the discovery document", Verdict::Passed, "https://login.contoso.example, 84 ms"),
            step("Signed in at the provider", Verdict::Failed, "The provider answered access_denied."),
            step("Exchanged the code for tokens", Verdict::Skipped, ""),
            step("Verified the ID token", Verdict::Skipped, ""),
            step("Mapped the claims to an account", Verdict::Skipped, ""),
        ],
        provider_error: Some(format!("error=access_denied\nerror_description={}", words.fault)),
        claims: Vec::new(),
        mapping: Vec::new(),
        ..base()
    };
    vec![sample("provider-test", &base()), sample("provider-test-failed", &failed)]
}
