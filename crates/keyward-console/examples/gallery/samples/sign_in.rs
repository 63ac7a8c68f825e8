//! Signing in, in all its steps.

use keyward_console::{
    FieldProblem, Problems, Severity,
    page::{
        CodeChallenge, EnrolCode, Factor, Provider, RecoveryChallenge, RecoveryCodes, SignIn, SignInPassword,
        StepUp,
    },
    paths,
};

use super::{Sample, Words, form, refused, sample, sample_to, shell, shell_with};

fn providers(words: &Words) -> Vec<Provider> {
    let provider = |name: String| Provider { name, href: "/console/sign-in/with/idp_01".to_owned() };
    vec![provider(words.provider.clone()), provider("Google".to_owned())]
}

fn sign_in(words: &Words) -> SignIn {
    SignIn {
        shell: shell(words),
        form: form(paths::SIGN_IN),
        email: String::new(),
        application: None,
        providers: Vec::new(),
        forgotten: paths::FORGOTTEN.to_owned(),
    }
}

fn password(words: &Words) -> SignInPassword {
    SignInPassword {
        shell: shell(words),
        form: form(paths::SIGN_IN_PASSWORD),
        email: words.email.clone(),
        password_allowed: true,
        providers: Vec::new(),
        start_again: paths::SIGN_IN.to_owned(),
        forgotten: paths::FORGOTTEN.to_owned(),
    }
}

fn code(words: &Words) -> CodeChallenge {
    CodeChallenge {
        shell: shell(words),
        form: form(paths::SIGN_IN_CODE),
        email: words.email.clone(),
        start_again: paths::SIGN_IN.to_owned(),
        recovery: paths::SIGN_IN_RECOVERY.to_owned(),
        skew_seconds: None,
    }
}

fn recovery(words: &Words) -> RecoveryChallenge {
    RecoveryChallenge {
        shell: shell(words),
        form: form(paths::SIGN_IN_RECOVERY),
        email: words.email.clone(),
        start_again: paths::SIGN_IN.to_owned(),
        code: paths::SIGN_IN_CODE.to_owned(),
    }
}

fn enrol(words: &Words) -> EnrolCode {
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned();
    EnrolCode {
        shell: shell(words),
        form: form(paths::ACCOUNT_TWO_STEP),
        email: words.email.clone(),
        uri: format!("otpauth://totp/Keyward:ada%40northwind.example?secret={secret}&issuer=Keyward"),
        secret,
        required: false,
        cancel: Some(paths::ACCOUNT.to_owned()),
        skew_seconds: None,
    }
}

fn codes(words: &Words) -> RecoveryCodes {
    let code = |number: u32| format!("K7Q{number}-4M2X-9P{number}D");
    RecoveryCodes {
        shell: shell(words),
        form: form(paths::ACCOUNT_RECOVERY_CODES),
        email: words.email.clone(),
        codes: (0..10).map(code).collect(),
        made_on: "24 Nov 2026".to_owned(),
    }
}

fn step_up(words: &Words, factor: Factor) -> StepUp {
    StepUp {
        shell: shell(words),
        form: form(paths::STEP_UP),
        email: words.email.clone(),
        purpose: "create an API client".to_owned(),
        factor,
        cancel: paths::CONSOLE.to_owned(),
    }
}

pub(super) fn samples(words: &Words) -> Vec<Sample> {
    let mut all = first_steps(words);
    all.extend(second_steps(words));
    all
}

fn first_steps(words: &Words) -> Vec<Sample> {
    let unknown = || Problems::message("E-mail and password do not match.");
    let locked = Problems::message("Too many tries. Wait 12 minutes, or choose a new password.");
    let bad_email = Problems::field("email", "Enter an e-mail address, for example ada@example.com.");
    let no_password = Problems::field("password", "Enter your password.");
    let to_application = SignIn { application: Some(words.application.clone()), ..sign_in(words) };
    vec![
        sample("sign-in", &sign_in(words)),
        sample_to("sign-in-application", &to_application, "https://desk.acme.example/callback"),
        sample("sign-in-providers", &SignIn { providers: providers(words), ..sign_in(words) }),
        sample(
            "sign-in-invalid",
            &SignIn {
                form: refused(paths::SIGN_IN, bad_email),
                email: words.person.clone(),
                ..sign_in(words)
            },
        ),
        sample(
            "sign-in-notice",
            &SignIn {
                shell: shell_with(
                    words,
                    Severity::Success,
                    "Your password was changed. Sign in with the new one.",
                ),
                ..sign_in(words)
            },
        ),
        sample("password", &password(words)),
        sample(
            "password-wrong",
            &SignInPassword { form: refused(paths::SIGN_IN_PASSWORD, unknown()), ..password(words) },
        ),
        sample(
            "password-empty",
            &SignInPassword { form: refused(paths::SIGN_IN_PASSWORD, no_password), ..password(words) },
        ),
        sample(
            "password-locked",
            &SignInPassword { form: refused(paths::SIGN_IN_PASSWORD, locked), ..password(words) },
        ),
        sample("password-or-provider", &SignInPassword { providers: providers(words), ..password(words) }),
        sample(
            "provider-only",
            &SignInPassword { providers: providers(words), password_allowed: false, ..password(words) },
        ),
        sample(
            "provider-failed",
            &SignInPassword {
                shell: shell_with(
                    words,
                    Severity::Error,
                    &format!("{} refused: {}", words.provider, words.fault),
                ),
                providers: providers(words),
                password_allowed: false,
                ..password(words)
            },
        ),
    ]
}

fn second_steps(words: &Words) -> Vec<Sample> {
    let wrong = || Problems::field("code", "This code is not right. Enter the one that the app shows now.");
    let unstored = Problems::field("stored", "Store the codes first: they are not shown again.");
    let used = Problems {
        message: None,
        fields: vec![FieldProblem {
            name: "code".into(),
            text: "This code is not right, or was used before.".to_owned(),
        }],
    };
    let provider =
        Factor::Provider { name: words.provider.clone(), href: "/console/sign-in/with/idp_01".to_owned() };
    vec![
        sample("code", &code(words)),
        sample("code-wrong", &CodeChallenge { form: refused(paths::SIGN_IN_CODE, wrong()), ..code(words) }),
        sample(
            "code-skewed",
            &CodeChallenge {
                form: refused(paths::SIGN_IN_CODE, wrong()),
                skew_seconds: Some(90),
                ..code(words)
            },
        ),
        sample("recovery", &recovery(words)),
        sample(
            "recovery-used",
            &RecoveryChallenge { form: refused(paths::SIGN_IN_RECOVERY, used), ..recovery(words) },
        ),
        sample("enrol", &enrol(words)),
        sample("enrol-required", &EnrolCode { required: true, cancel: None, ..enrol(words) }),
        sample(
            "enrol-wrong",
            &EnrolCode {
                form: refused(paths::ACCOUNT_TWO_STEP, wrong()),
                skew_seconds: Some(-300),
                ..enrol(words)
            },
        ),
        sample("recovery-codes", &codes(words)),
        sample(
            "recovery-codes-unstored",
            &RecoveryCodes { form: refused(paths::ACCOUNT_RECOVERY_CODES, unstored), ..codes(words) },
        ),
        sample("step-up-code", &step_up(words, Factor::Code)),
        sample("step-up-password", &step_up(words, Factor::Password)),
        sample("step-up-provider", &step_up(words, provider)),
        sample(
            "step-up-wrong",
            &StepUp { form: refused(paths::STEP_UP, wrong()), ..step_up(words, Factor::Code) },
        ),
    ]
}
