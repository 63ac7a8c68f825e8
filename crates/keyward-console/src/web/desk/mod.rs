//! The console: screens on which administrators work. Each calls the same functions of the core as the admin API.

mod agents;
mod api_access;
mod api_keys;
mod applications;
mod audit;
mod clients;
mod collection;
mod comparing;
mod dashboard;
mod deleting;
mod desk_at;
mod doc;
mod events;
mod evidence;
mod fields;
mod figures;
mod first_steps;
mod grants;
mod groups;
mod happening;
mod home;
mod import;
mod key_tester;
mod moving;
mod navigation;
mod partners;
mod parts;
mod people;
mod permissions;
mod policy;
mod problems;
mod providers;
mod reference;
mod roles;
mod search;
mod sessions;
mod signing_out;
mod staff;
mod suspending;
mod system;
mod tenant_settings;
mod tenants;
mod users;
mod writing;

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use collection::routes;

pub(super) use navigation::frame;
pub(super) use providers::protocol;
pub(super) use sessions::method;

/// Mounts the screens.
pub(super) fn configure(config: &mut ServiceConfig) {
    home::configure(config);
    first_steps::configure(config);
    dashboard::configure(config);
    search::configure(config);
    audit::configure(config);
    sessions::configure(config);
    system::configure(config);
    policy::configure(config);
    key_tester::configure(config);
    tenant_settings::configure(config);
    staff::configure(config);
    api_access::configure(config);
    clients::configure(config);
    api_keys::configure(config);
    roles::configure(config);
    groups::configure(config);
    providers::configure(config);
    agents::configure(config);
    import::configure(config);
    users::configure(config);
    suspending::configure::<partners::Partners>(config);
    suspending::configure::<tenants::Tenants>(config);
    moving::configure(config);
    routes::<partners::Partners>(config);
    routes::<tenants::Tenants>(config);
    routes::<users::Users>(config);
    routes::<groups::Groups>(config);
    routes::<roles::Roles>(config);
    routes::<reference::Resources>(config);
    routes::<api_access::ApiAccess>(config);
    routes::<applications::Applications>(config);
    routes::<api_keys::ApiKeys>(config);
    routes::<providers::Providers>(config);
    routes::<agents::Agents>(config);
}

/// A screen, everywhere and in a tenant.
fn both(path: &str) -> actix_web::Resource {
    web::resource([format!("/console/{path}"), format!("/console/t/{{tenant}}/{path}")])
        .default_service(web::route().to(super::only_by_form))
}

/// What is at no address of the console.
pub(super) async fn nothing(desk: desk_at::Desk) -> HttpResponse {
    desk.refused(&keyward_core::Error::NotFound)
}
