//! What answers browsers: a handler parses, calls one function of the core, and renders a page.

mod account;
mod consent;
mod desk;
mod federation;
mod first_admin;
mod password;
mod sign_in;
mod sign_out;
mod step_up;
mod two_step;
mod visit;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use keyward_core::Keyward;
use keyward_http::HttpSettings;

use crate::{assets, paths};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) keyward: Keyward,
    pub(crate) settings: HttpSettings,
    pub(crate) about: About,
}

/// What the server knows of itself, for the page about the system.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The version of the program.
    pub version: String,
    /// The database, without any password.
    pub database: String,
    /// The configuration: key, value with secrets masked, and where it comes from.
    pub configuration: Vec<(String, String, String)>,
}

/// Mounts the pages. Requests that are neither for one of them nor for anything else below `/console/` are left to the
/// application.
pub fn configure(
    keyward: &Keyward,
    settings: &HttpSettings,
    about: About,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let state = State { keyward: keyward.clone(), settings: settings.clone(), about };
    move |config| {
        config.app_data(web::Data::new(state));
        assets::configure(config);
        sign_in_pages(config);
        account_pages(config);
        desk::configure(config);
        #[cfg(debug_assertions)]
        crate::samples::pages("/console/_components")(config);
        config.service(web::resource("/console/{rest:.*}").to(desk::nothing));
    }
}

/// A page at an address; who comes to it in a way that it does not know is told so.
fn page(path: &str) -> actix_web::Resource {
    web::resource(path.to_owned()).default_service(web::route().to(only_by_form))
}

async fn only_by_form(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let why = "This address takes what a form sends. Go back, and begin from there.";
    state.error_page(&request, StatusCode::METHOD_NOT_ALLOWED, "Nothing was sent", why)
}

fn sign_in_pages(config: &mut web::ServiceConfig) {
    config
        .service(page(paths::SIGN_IN).get(sign_in::begin).post(sign_in::address))
        .service(page(paths::SIGN_IN_PASSWORD).get(sign_in::ask_password).post(sign_in::password))
        .service(page(paths::SIGN_IN_CODE).get(two_step::ask_code).post(two_step::code))
        .service(page(paths::SIGN_IN_RECOVERY).get(two_step::ask_recovery).post(two_step::recovery))
        .service(page(paths::SIGN_IN_TWO_STEP).get(two_step::ask_enrol).post(two_step::enrol))
        .service(page(paths::SIGN_IN_PROVIDER).get(federation::depart))
        .service(page(paths::CALLBACK).get(federation::arrive).post(federation::carry_on))
        .service(page(paths::CALLBACK_FINISH).post(federation::arrive_by_form))
        .service(page(paths::SAML_METADATA).get(federation::metadata))
        .service(page(paths::FORGOTTEN).get(password::ask_forgotten).post(password::forgotten))
        .service(page(paths::NEW_PASSWORD).get(password::ask_new).post(password::new))
        .service(page(paths::SETUP).get(first_admin::ask).post(first_admin::create))
        .service(page(paths::SIGN_OUT).get(sign_out::ask).post(sign_out::sign_out))
        .service(page(paths::SIGNED_OUT).get(sign_out::signed_out))
        .service(page(paths::CONTINUE).post(sign_in::carry_on));
}

fn account_pages(config: &mut web::ServiceConfig) {
    config
        .service(page(paths::CONSENT).get(consent::ask).post(consent::decide))
        .service(page(paths::STEP_UP).get(step_up::ask).post(step_up::confirm))
        .service(page(paths::ACCOUNT).get(account::show))
        .service(page(paths::ACCOUNT_PREFERENCES).post(account::set_preferences))
        .service(page(paths::ACCOUNT_PASSWORD).post(account::change_password))
        .service(page(paths::ACCOUNT_TWO_STEP).get(account::ask_enrol).post(account::enrol))
        .service(page(paths::ACCOUNT_TWO_STEP_OFF).post(account::remove_factor))
        .service(page(paths::ACCOUNT_RECOVERY_CODES).post(account::new_recovery_codes))
        .service(page(paths::ACCOUNT_SIGN_OUT_OTHERS).post(account::sign_out_others))
        .service(page(&paths::revoke_session("{id}")).post(account::end_session))
        .service(page(paths::ACCOUNT_LINK).get(federation::link))
        .service(page(paths::PROVIDER_TEST).get(federation::test));
}
