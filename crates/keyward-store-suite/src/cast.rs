//! The records that random commands are about.

use keyward_model::{
    AdminRole, Agent, AnyId, ApiKey, Application, Authenticators, Entity, Event, FederatedIdentity, Group,
    Id, IdentityProvider, Kind, Membership, Meta, Nesting, Owner, Partner, Reach, Record, RefreshToken,
    Secret, Session, TenancyStatus, Tenant, User, Value,
};
use keyward_store::{Condition, Test};

use crate::{commands::*, fixtures::*};

/// The identifiers that all commands are about.
pub(crate) struct Cast {
    pub(crate) ids: Vec<AnyId>,
    pub(crate) reaches: Vec<Reach>,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let ids: Vec<AnyId> =
            (0..SLOTS).map(|slot| AnyId { kind: KINDS[slot % KINDS.len()], ..id::<Event>().any() }).collect();
        let partners = ids.iter().filter_map(|id| id.typed::<Partner>()).map(Reach::Partner);
        let tenants = ids.iter().filter_map(|id| id.typed::<Tenant>()).map(Reach::Tenant);
        let reaches = [Reach::Platform].into_iter().chain(partners).chain(tenants);
        let reaches = reaches.chain([Reach::Tenant(id())]).collect();
        Self { ids, reaches }
    }

    /// One of the identifiers of this kind, or none.
    pub(crate) fn pick<R: Entity>(&self, look: u8) -> Option<Id<R>> {
        let of_kind: Vec<Id<R>> = self.ids.iter().filter_map(|id| id.typed()).collect();
        of_kind.get(usize::from(look) % (of_kind.len() + 1)).copied()
    }

    /// One of the identifiers of this kind, or another.
    fn pick_or_new<R: Entity>(&self, look: u8) -> Id<R> {
        self.pick(look).unwrap_or_else(id)
    }

    pub(crate) fn record(&self, id: AnyId, version: i64, look: u8, deleted: bool) -> Record {
        let name = NAMES[usize::from(look) % NAMES.len()];
        let owner = look / 8;
        let (partner_id, tenant_id) = (self.pick::<Partner>(owner), self.pick::<Tenant>(owner / 4));
        let mut record = match id.kind {
            Kind::Partner => Record::from(partner(name)),
            Kind::Tenant => Tenant { partner_id, ..tenant(name, None) }.into(),
            Kind::Role => keyward_model::Role { tenant_id, ..role(name, None) }.into(),
            Kind::Permission => permission_named(name).into(),
            Kind::Application => application(name, Owner::of(partner_id, tenant_id)).into(),
            Kind::Secret => {
                let holder_id = self.pick_or_new::<Application>(look).any();
                let expires_at = (!look.is_multiple_of(3)).then(|| at(i64::from(look % 3)));
                let of = application(name, Owner::Platform);
                Secret { holder_id, partner_id, tenant_id, expires_at, ..secret(&of) }.into()
            }
            Kind::User => {
                let admin_role = look.is_multiple_of(3).then_some(AdminRole::TenantAdmin);
                User { admin_role, partner_id, tenant_id, ..user(name, Owner::Platform) }.into()
            }
            Kind::Group => Group { tenant_id, ..group(name, None) }.into(),
            Kind::Membership => {
                let (group_id, user_id) = (self.pick_or_new(look % 4), self.pick_or_new(look / 4));
                Membership { meta: meta(), group_id, user_id, tenant_id }.into()
            }
            Kind::Nesting => {
                let (group_id, child_id) = (self.pick_or_new(look % 4), self.pick_or_new(look / 4));
                Nesting { meta: meta(), group_id, child_id, tenant_id }.into()
            }
            Kind::IdentityProvider => {
                IdentityProvider { partner_id, tenant_id, ..identity_provider(name, Owner::Platform) }.into()
            }
            Kind::Agent => Agent { tenant_id, owner_id: self.pick(look), ..agent(name, None) }.into(),
            Kind::ApiKey => {
                let tenant_id = self.pick_or_new::<Tenant>(owner / 4);
                let rotated_at = (!look.is_multiple_of(3)).then(|| at(i64::from(look % 3)));
                ApiKey { rotated_at, retire_after_quiet_hours: Some(1), ..api_key(name, tenant_id) }.into()
            }
            Kind::Session => {
                let (user_id, expires_at) = (self.pick_or_new(look), at(i64::from(look % 6)));
                let of = user(name, Owner::Platform);
                let session = Session { user_id, expires_at, partner_id, tenant_id, ..session(&of) };
                Session { hash: [look % 8; 32], ..session }.into()
            }
            Kind::Authenticators => {
                let of = user(name, Owner::Platform);
                let user_id = self.pick_or_new(look);
                Authenticators { user_id, partner_id, tenant_id, ..authenticators(&of) }.into()
            }
            Kind::FederatedIdentity => {
                let (of, provider) = (user(name, Owner::Platform), identity_provider(name, Owner::Platform));
                let (user_id, provider_id) = (self.pick_or_new(look), self.pick_or_new(look / 4));
                let identity = federated_identity(&of, &provider, name);
                FederatedIdentity { user_id, provider_id, partner_id, tenant_id, ..identity }.into()
            }
            Kind::RefreshToken => {
                let (user_id, expires_at) = (self.pick_or_new(look), at(i64::from(look % 6)));
                let of = user(name, Owner::Platform);
                RefreshToken { user_id, expires_at, partner_id, tenant_id, ..refresh_token(&of) }.into()
            }
            Kind::SigningKey => signing_key(name).into(),
            Kind::Revocation | Kind::Event => revocation(name, at(i64::from(look % 6))).into(),
        };
        if let Record::Partner(it) = &mut record
            && !look.is_multiple_of(2)
        {
            it.status = TenancyStatus::Suspended;
        }
        of_any_kind!(&mut record, it => set_meta(&mut it.meta, id, version, look, deleted));
        record
    }

    pub(crate) fn condition(&self, condition: Option<(usize, u8)>) -> Vec<Condition> {
        let Some((field, look)) = condition else { return Vec::new() };
        let test = match look % 6 {
            0 => Test::Is(Value::Null),
            1 => Test::Is(Value::text(NAMES[usize::from(look / 6) % NAMES.len()])),
            2 => Test::Is(Value::id(self.pick::<Tenant>(look / 6))),
            3 => Test::Before(at(i64::from(look / 6 % 5))),
            4 => Test::From(at(i64::from(look / 6 % 5))),
            _ => Test::Is(Value::text("active")),
        };
        vec![Condition { field: FIELDS[field], test }]
    }
}

/// Permissions are scope-tokens, which names need not be.
fn permission_named(name: &str) -> keyward_model::Permission {
    keyward_model::Permission { resource: name.to_owned(), label: name.to_owned(), ..permission("x") }
}

fn set_meta<R: Entity>(meta: &mut Meta<R>, id: AnyId, version: i64, look: u8, deleted: bool) {
    *meta = Meta {
        id: Id::from_uuid(id.uuid),
        version,
        created_at: at(i64::from(look % 5)),
        updated_at: at(version),
        deleted_at: deleted.then(|| at(version)),
    };
}
