//! What a hostile provider, or whoever stands between, may try. Each attack comes with a control: a sign-in without its one
//! defect, which has to succeed, or the attack proves nothing.

mod answers;
mod claims;
mod documents;
mod signatures;

use serde_json::Value;

use crate::support::{
    CLIENT_SECRET, now,
    provider::{Script, sign_in},
};

type Bend = fn(&mut Script);

struct Attack {
    name: &'static str,
    /// Step and reason of the refusal.
    refused: (&'static str, &'static str),
    bend: Bend,
    control: Bend,
}

/// An attack whose control is the unchanged provider.
fn attack(name: &'static str, refused: (&'static str, &'static str), bend: Bend) -> Attack {
    Attack { name, refused, bend, control: |_| {} }
}

impl Attack {
    fn control(mut self, control: Bend) -> Self {
        self.control = control;
        self
    }
}

async fn withstands(attacks: &[Attack]) {
    for Attack { name, refused, bend, control } in attacks {
        let controlled = sign_in(control).await;
        assert!(controlled.is_ok(), "the control of {name:?}: {controlled:?}");
        let error = sign_in(bend).await.expect_err(name);
        assert_eq!((error.step, error.reason), *refused, "{name}: {error}");
        for secret in [CLIENT_SECRET, "acc3ss", "c0de"] {
            assert!(!error.detail.contains(secret), "{name} tells a secret: {error}");
        }
        assert!(error.detail.ends_with('.') && error.detail.len() < 1_000, "{name} is no sentence: {error}");
    }
}

fn seconds(from_now: i64) -> Value {
    (now().unix_seconds() + from_now).into()
}
