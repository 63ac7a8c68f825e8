//! Bounded granting: nobody gives away more than they hold.

use keyward_model::{ADMIN_WRITE, AdminRole, Owner, PLATFORM_SCOPES, Scope, ScopeSet};

use crate::{Principal, Refusal};

/// Why permissions can't be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// The giver does not hold them.
    #[error("not held by the giver: {0}")]
    NotHeld(ScopeSet),
    /// They are the platform's own and can't be put into anything that belongs to a tenant or partner.
    #[error("reserved for the platform: {0}")]
    PlatformOnly(ScopeSet),
}

fn reserved() -> ScopeSet {
    // The constants are well-formed scopes.
    PLATFORM_SCOPES.iter().filter_map(|scope| scope.parse::<Scope>().ok()).collect()
}

/// The part of `scopes` that counts in something that `owner` owns: a role of the platform may have gained, after it was
/// given to a tenant's application, what no tenant can have.
#[must_use]
pub fn effective(scopes: &ScopeSet, owner: Owner) -> ScopeSet {
    if matches!(owner, Owner::Platform) { scopes.clone() } else { scopes.difference(&reserved()) }
}

/// Whether `giver` may put `scopes` into something that `owner` owns. `catalogue` holds all permissions that exist.
pub fn may_grant(
    giver: &Principal,
    scopes: &ScopeSet,
    owner: Owner,
    catalogue: &ScopeSet,
) -> Result<(), GrantRefusal> {
    let platform_only = scopes.difference(&effective(scopes, owner));
    if !platform_only.is_empty() {
        return Err(GrantRefusal::PlatformOnly(platform_only));
    }
    if *giver == Principal::Operator {
        return Ok(());
    }
    let missing = scopes.difference(&held(giver, catalogue));
    if missing.is_empty() { Ok(()) } else { Err(GrantRefusal::NotHeld(missing)) }
}

/// What a principal counts as holding. `catalogue` holds all permissions that exist.
#[must_use]
pub fn held(principal: &Principal, catalogue: &ScopeSet) -> ScopeSet {
    match principal {
        Principal::Operator | Principal::User { tier: Some(AdminRole::SuperAdmin), .. } => catalogue.clone(),
        // A global application that may write counts as holding the whole catalogue.
        Principal::Service { global: true, scopes } if scopes.contains(ADMIN_WRITE) => {
            catalogue.clone().union(scopes)
        }
        Principal::Service { scopes, .. } | Principal::User { tier: None, permissions: scopes, .. } => {
            scopes.clone()
        }
        // The other tiers hold the whole catalogue within their reach, the platform's own permissions aside.
        Principal::User { tier: Some(_), .. } => catalogue.difference(&reserved()),
    }
}

/// Whether `giver` may make a user of this tier one of that tier; the same tier twice asks whether the user may be changed
/// at all. Nobody reaches above their own tier, and super admins are their own affair.
pub fn may_set_tier(
    giver: &Principal,
    from: Option<AdminRole>,
    to: Option<AdminRole>,
) -> Result<(), Refusal> {
    let highest = from.max(to);
    let allowed = match giver {
        Principal::Operator => true,
        Principal::Service { global, scopes } => {
            *global && scopes.contains(ADMIN_WRITE) && highest < Some(AdminRole::SuperAdmin)
        }
        Principal::User { tier, .. } => highest <= *tier,
    };
    if allowed { Ok(()) } else { Err(Refusal::AccessDenied) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> ScopeSet {
        text.parse().unwrap()
    }

    #[test]
    fn platform_scopes_stay_with_the_platform() {
        let catalogue = set("admin:read admin:write points:read");
        let giver = Principal::Service { global: true, scopes: set("admin:write") };
        let tenant = Owner::Tenant("tnt_00000000000000000000000001".parse().unwrap());
        assert_eq!(may_grant(&giver, &set("admin:read"), Owner::Platform, &catalogue), Ok(()));
        assert_eq!(
            may_grant(&giver, &set("admin:read points:read"), tenant, &catalogue),
            Err(GrantRefusal::PlatformOnly(set("admin:read")))
        );
        assert_eq!(may_grant(&giver, &set("points:read"), tenant, &catalogue), Ok(()));
        assert_eq!(effective(&catalogue, tenant), set("points:read"));
        assert_eq!(effective(&catalogue, Owner::Platform), catalogue);
    }

    #[test]
    fn nobody_reaches_above_their_tier() {
        use AdminRole::{PartnerAdmin, SuperAdmin, TenantAdmin};
        let user = |tier| Principal::User {
            tier,
            reach: keyward_model::Reach::Platform,
            permissions: ScopeSet::default(),
        };
        let may = |giver: Principal, from, to| may_set_tier(&giver, from, to).is_ok();
        assert!(may(user(Some(TenantAdmin)), None, Some(TenantAdmin)));
        assert!(!may(user(Some(TenantAdmin)), None, Some(PartnerAdmin)));
        assert!(!may(user(Some(PartnerAdmin)), Some(SuperAdmin), None));
        assert!(!may(user(None), None, Some(TenantAdmin)));
        assert!(may(user(None), None, None));
        let service = Principal::Service { global: true, scopes: set("admin:write") };
        assert!(may(service.clone(), None, Some(PartnerAdmin)));
        assert!(!may(service.clone(), None, Some(SuperAdmin)));
        assert!(!may(service, Some(SuperAdmin), Some(SuperAdmin)));
        assert!(may(user(Some(SuperAdmin)), Some(SuperAdmin), None));
    }

    proptest! {
        /// Holding more never allows less, and a giver without `admin:write` gives only what it holds.
        #[test]
        fn monotonic(
            held in proptest::collection::vec("[a-e]:r", 0..5),
            more in proptest::collection::vec("[a-e]:r", 0..5),
            given in proptest::collection::vec("[a-e]:r", 0..5),
        ) {
            let of = |list: &[String]| list.iter().map(|text| text.parse().unwrap()).collect::<ScopeSet>();
            let catalogue = set("a:r b:r c:r d:r e:r");
            let giver = |scopes: ScopeSet| Principal::Service { global: true, scopes };
            let less = may_grant(&giver(of(&held)), &of(&given), Owner::Platform, &catalogue).is_ok();
            let wider = of(&held).union(&of(&more));
            let with_more = may_grant(&giver(wider), &of(&given), Owner::Platform, &catalogue).is_ok();
            prop_assert!(!less || with_more);
            prop_assert_eq!(less, of(&given).is_subset(&of(&held)));
        }
    }
}
