//! Where the pages are, so that templates, handlers and tests name each place once.

/// The first page of the console.
pub const CONSOLE: &str = "/console";
/// The folder of the assets, with a slash at its end.
pub const ASSETS: &str = "/console/assets/";
/// Signing in: the e-mail address.
pub const SIGN_IN: &str = "/console/sign-in";
/// Signing in: the password.
pub const SIGN_IN_PASSWORD: &str = "/console/sign-in/password";
/// Signing in: the code of the authenticator app.
pub const SIGN_IN_CODE: &str = "/console/sign-in/code";
/// Signing in: a recovery code.
pub const SIGN_IN_RECOVERY: &str = "/console/sign-in/recovery";
/// Signing in: setting up a second factor that policy asks for.
pub const SIGN_IN_TWO_STEP: &str = "/console/sign-in/two-step";
/// Signing in: on to an identity provider.
pub const SIGN_IN_PROVIDER: &str = "/console/sign-in/provider/{id}";
/// Where browsers come back from an identity provider.
pub const CALLBACK: &str = "/sign-in/callback/{id}";
/// Where the answer of a SAML provider is sent on to, by a page of this server.
pub const CALLBACK_FINISH: &str = "/sign-in/callback/{id}/finish";
/// What a SAML provider must know of this server.
pub const SAML_METADATA: &str = "/sign-in/saml/{id}/metadata";
/// Whether an application may have what it asks for.
pub const CONSENT: &str = "/console/consent";
/// On from a page that shows something once.
pub const CONTINUE: &str = "/console/continue";
/// The page after signing out.
pub const SIGNED_OUT: &str = "/console/signed-out";
/// My account: linking an account at an identity provider.
pub const ACCOUNT_LINK: &str = "/console/account/link/{id}";
/// Trying an identity provider out.
pub const PROVIDER_TEST: &str = "/console/identity-providers/{id}/test";
/// Asking for a link to choose a new password.
pub const FORGOTTEN: &str = "/console/forgotten-password";
/// Choosing a new password.
pub const NEW_PASSWORD: &str = "/console/new-password";
/// Making the first administrator.
pub const SETUP: &str = "/console/setup";
/// Signing out.
pub const SIGN_OUT: &str = "/console/sign-out";
/// "Confirm it's you".
pub const STEP_UP: &str = "/console/confirm";
/// My account.
pub const ACCOUNT: &str = "/console/account";
/// My account: changing the password.
pub const ACCOUNT_PASSWORD: &str = "/console/account/password";
/// My account: how the person wants pages.
pub const ACCOUNT_PREFERENCES: &str = "/console/account/preferences";
/// My account: setting up or replacing two-step sign-in.
pub const ACCOUNT_TWO_STEP: &str = "/console/account/two-step";
/// My account: turning two-step sign-in off.
pub const ACCOUNT_TWO_STEP_OFF: &str = "/console/account/two-step/off";
/// My account: new recovery codes.
pub const ACCOUNT_RECOVERY_CODES: &str = "/console/account/recovery-codes";
/// My account: ending all other sessions.
pub const ACCOUNT_SIGN_OUT_OTHERS: &str = "/console/account/sessions/sign-out-others";

/// My account: ending one session.
#[must_use]
pub fn revoke_session(id: &str) -> String {
    format!("/console/account/sessions/{id}/revoke")
}
