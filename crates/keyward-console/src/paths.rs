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
