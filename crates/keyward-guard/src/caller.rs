//! Who sent a request that was let in.

use std::{fmt, sync::Arc};

use keyward_model::{
    ScopeSet,
    admission::{Admitted, Reason, Refusal},
};

use crate::Denial;

/// Who sent the request, and what they may do: a handler takes it as an argument.
#[derive(Clone)]
pub struct Caller(Arc<Admitted>);

impl From<Admitted> for Caller {
    fn from(admitted: Admitted) -> Self {
        Self(Arc::new(admitted))
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("key_id", &self.key_id())
            .field("tenants", &self.tenants())
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// Who it is: the token's `sub`, or else the key's identifier, or for a publishable key the tenant's.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.subject()
    }

    /// The client that obtained the token; nothing when the request came with a key alone.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.token.as_ref().map(|token| token.client_id.as_str())
    }

    /// The API key; nothing when the request came without one, or with a publishable one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.0.key.as_ref()?.key_id.as_deref()
    }

    /// The tenants that the caller may act in; nothing for one of the whole platform, or of an issuer without tenants.
    #[must_use]
    pub fn tenants(&self) -> Option<Vec<&str>> {
        self.0.tenants()
    }

    /// The permissions: where token and key are both asked for, those that both have.
    #[must_use]
    pub fn permissions(&self) -> ScopeSet {
        self.0.permissions.clone()
    }

    /// The environment, if there is any.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        let of_token = self.0.token.as_ref().and_then(|token| token.environment.as_deref());
        of_token.or_else(|| self.0.key.as_ref()?.environment.as_deref())
    }

    /// What was verified, in full.
    #[must_use]
    pub fn admitted(&self) -> &Admitted {
        &self.0
    }

    /// Whether the caller may act in a tenant.
    #[must_use]
    pub fn may_act_in(&self, tenant_id: &str) -> bool {
        self.tenants().is_none_or(|tenants| tenants.contains(&tenant_id))
    }

    /// Refuses the request if what it asks for belongs to a tenant that the caller may not act in. A credential is good
    /// for its tenants alone, so every handler that finds an object by something that the caller sent has to ask this.
    pub fn require_tenant(&self, tenant_id: &str) -> Result<(), Denial> {
        if self.may_act_in(tenant_id) {
            return Ok(());
        }
        Err(Refusal::new(Reason::TenantMismatch, "The credential is not good for this tenant.").into())
    }

    /// Refuses the request if the caller lacks a permission, for what only the handler knows to need one.
    pub fn require(&self, permission: &str) -> Result<(), Denial> {
        let held = self.permissions();
        if held.contains(permission) {
            return Ok(());
        }
        let detail = format!("The credential lacks the permission {permission}.");
        // What is no name of a permission is held by nobody.
        let required = permission.parse().into_iter().collect();
        Err(Refusal { reason: Reason::PermissionDenied, detail, required, held }.into())
    }
}
