//! Pages without a session that are not about signing in.

use keyward_console::{
    Environment, FieldProblem, Problems, Shell,
    page::{
        AddressMismatch, Consent, ConsentPermission, Delivery, ErrorPage, ForgottenPassword, NewPassword,
        Occasion, Onward, ResetRequested, Setup, SetupUsed, SignOut, SignedOut,
    },
    paths,
};

use super::{Sample, Words, form, refused, sample, sample_to, shell};

pub(super) fn samples(words: &Words) -> Vec<Sample> {
    let mut all = passwords(words);
    all.extend(setup(words));
    all.extend(consent(words));
    all.extend(rest(words));
    all.extend(errors(words));
    all
}

fn new_password(words: &Words, occasion: Occasion) -> NewPassword {
    NewPassword { shell: shell(words), form: form(paths::NEW_PASSWORD), code: String::new(), occasion }
}

fn requested(words: &Words, delivery: Delivery) -> ResetRequested {
    let (email, back) = (words.email.clone(), paths::SIGN_IN.to_owned());
    ResetRequested { shell: shell(words), email, delivery, minutes: 30, back }
}

fn passwords(words: &Words) -> Vec<Sample> {
    let short = Problems::field("new_password", "This has 5 characters. Use 8 at least.");
    let reason = "Your administrator asks you to choose a new one.".to_owned();
    let forgotten = ForgottenPassword {
        shell: shell(words),
        form: form(paths::FORGOTTEN),
        email: String::new(),
        back: paths::SIGN_IN.to_owned(),
    };
    vec![
        sample("new-password-invited", &new_password(words, Occasion::Invited)),
        sample("new-password-reset", &new_password(words, Occasion::Reset)),
        sample("new-password-forced", &new_password(words, Occasion::Forced { reason })),
        sample(
            "new-password-short",
            &NewPassword {
                form: refused(paths::NEW_PASSWORD, short),
                ..new_password(words, Occasion::Reset)
            },
        ),
        sample("forgotten", &forgotten),
        sample("reset-requested", &requested(words, Delivery::Mail)),
        sample("reset-requested-no-mail", &requested(words, Delivery::Administrator)),
    ]
}

fn setup(words: &Words) -> Vec<Sample> {
    let page = || Setup {
        shell: Shell { environment: None, ..shell(words) },
        form: form(paths::SETUP),
        code: String::new(),
        email: String::new(),
        mismatch: None,
    };
    let problem =
        |name, text: &str| FieldProblem { name: std::borrow::Cow::Borrowed(name), text: text.to_owned() };
    let problems = Problems {
        message: None,
        fields: vec![
            problem("code", "This is not the code of this server. Copy all of it."),
            problem("email", "Enter an e-mail address, for example ada@example.com."),
            problem("new_password", "This password is known from a leak. Choose another."),
        ],
    };
    let mismatch = AddressMismatch {
        configured: "http://127.0.0.1:8080".to_owned(),
        seen: format!("https://{}", words.host),
    };
    vec![
        sample("setup", &page()),
        sample("setup-mismatch", &Setup { mismatch: Some(mismatch), ..page() }),
        sample(
            "setup-invalid",
            &Setup {
                form: refused(paths::SETUP, problems),
                code: words.person.clone(),
                email: words.person.clone(),
                ..page()
            },
        ),
        sample("setup-used", &SetupUsed { shell: shell(words), sign_in: paths::SIGN_IN.to_owned() }),
    ]
}

fn consent(words: &Words) -> Vec<Sample> {
    let permission = |label: &str, scope: &str, changes| ConsentPermission {
        label: label.to_owned(),
        scope: scope.to_owned(),
        changes,
    };
    let page = || Consent {
        shell: shell(words),
        form: form("/oauth/authorize"),
        email: words.email.clone(),
        start_again: paths::SIGN_IN.to_owned(),
        application: words.application.clone(),
        owner: words.tenant.clone(),
        redirect_host: "desk.acme.example".to_owned(),
        redirect_is_local: false,
        permissions: vec![
            permission("Users: view", "read:users", false),
            permission("Points: view", "points:read", false),
            permission(&words.label, "points:write", true),
        ],
    };
    let local = Consent {
        application: words.application.clone(),
        redirect_host: "localhost".to_owned(),
        redirect_is_local: true,
        shell: Shell {
            environment: Some(Environment { name: words.environment.clone(), live: false }),
            ..shell(words)
        },
        ..page()
    };
    vec![
        sample_to("consent", &page(), "https://desk.acme.example/callback"),
        sample_to("consent-local", &local, "http://localhost:49152/callback"),
    ]
}

fn rest(words: &Words) -> Vec<Sample> {
    let sign_out = |application| SignOut {
        shell: shell(words),
        form: form(paths::SIGN_OUT),
        email: words.email.clone(),
        application,
        cancel: paths::CONSOLE.to_owned(),
    };
    let signed_out =
        |provider| SignedOut { shell: shell(words), provider, sign_in: paths::SIGN_IN.to_owned() };
    vec![
        sample("sign-out", &sign_out(None)),
        sample("sign-out-application", &sign_out(Some(words.application.clone()))),
        sample("signed-out", &signed_out(None)),
        sample("onward", &Onward { shell: shell(words), location: paths::CONSOLE.to_owned() }),
        sample("signed-out-provider", &signed_out(Some(words.provider.clone()))),
    ]
}

fn errors(words: &Words) -> Vec<Sample> {
    let error = |status| ErrorPage::for_status(status, shell(words), "req_01kb3v9x5ze8t");
    let way_on = Some(("Go to the first page".to_owned(), paths::CONSOLE.to_owned()));
    vec![
        sample("error-400", &error(400)),
        sample("error-403", &error(403)),
        sample("error-404", &ErrorPage { way_on, ..error(404) }),
        sample("error-429", &error(429)),
        sample("error-500", &ErrorPage { why: words.fault.clone(), ..error(500) }),
        sample("error-503", &error(503)),
    ]
}
