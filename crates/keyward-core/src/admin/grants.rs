//! Grants: what an application of the platform or of a partner may do in which tenants.

use keyward_model::{
    Action, Application, ApplicationReach, Entity, Grant, Id, Owner, Role, ScopeSet, Tenant, Timestamp,
};
use keyward_policy::Action as Act;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Document, Draft, IfMatch, Work};
use crate::{Call, Error, FieldError, Keyward, forms};

/// How many grants an application may have.
const MAX_GRANTS: usize = 1_000;

/// The body that replaces all grants of an application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Grants)]
pub struct GrantsBody {
    /// All grants that the application shall have.
    pub grants: Vec<GrantBody>,
}

/// A grant as it is asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantCreate)]
pub struct GrantBody {
    /// The tenant.
    #[schema(value_type = String)]
    pub tenant_id: Id<Tenant>,
    /// The environment: the application's, also when left out.
    #[serde(default)]
    pub environment: Option<String>,
    /// Permissions that are granted directly.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// Roles whose permissions are granted: the platform's, or the tenant's.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// When the grant ends; with the application when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

impl Keyward {
    /// The grants of an application.
    pub async fn grants(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let application: Application = self.one(&work, Act::Read, id).await?;
        Ok(Document {
            body: json!({ "grants": application.grants }),
            version: Some(application.meta.version),
        })
    }

    /// Replaces the grants of an application, all at once; answers the application.
    pub async fn put_grants(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let body: GrantsBody = forms::decode(body)?;
        let act = Act::Act("grant");
        self.change::<Application, _>(
            call,
            id,
            condition,
            act,
            Action::APPLICATION_GRANTED,
            async |work, current| grant(work, current, &body.grants).await,
        )
        .await
    }
}

async fn grant(
    work: &Work<'_>,
    current: &Application,
    wanted: &[GrantBody],
) -> Result<Draft<Application>, Error> {
    if current.reach == ApplicationReach::Tenant {
        let detail = "A tenant's application has one grant, its own tenant.".to_owned();
        return Err(Error::Conflict { code: "not_applicable", detail });
    }
    if wanted.len() > MAX_GRANTS {
        let detail = format!("An application has at most {MAX_GRANTS} grants.");
        return Err(Error::field(FieldError::new("/grants", "too_many", detail)));
    }
    let mut draft = Draft::plain(Application { grants: Vec::with_capacity(wanted.len()), ..current.clone() });
    for (index, body) in wanted.iter().enumerate() {
        let at = format!("/grants/{index}");
        let refuse = |field: &str, code: &str, detail: &str| {
            Err(Error::field(FieldError::new(format!("{at}/{field}"), code, detail)))
        };
        if draft.record.grants.iter().any(|grant| grant.tenant_id == body.tenant_id) {
            return refuse("tenant_id", "repeated", "There is a grant for this tenant already.");
        }
        if body.environment.as_ref().is_some_and(|environment| *environment != current.environment) {
            return refuse("environment", "wrong_environment", "The environment must be the application's.");
        }
        let tenant: Tenant = work.reference(body.tenant_id, &format!("{at}/tenant_id")).await?;
        draft.with.expect.push((tenant.id().any(), tenant.meta.version));
        let grant = Grant {
            tenant_id: body.tenant_id,
            environment: current.environment.clone(),
            permissions: body.permissions.clone(),
            roles: body.roles.clone(),
            expires_at: body.expires_at,
        };
        // What is granted already may stay, whether the catalogue still knows it or not.
        let before = current.grants.iter().find(|before| before.tenant_id == grant.tenant_id);
        let kept = before.map(|before| before.permissions.clone()).unwrap_or_default();
        let owner = Owner::Tenant(grant.tenant_id);
        work.grantable(&grant.permissions.difference(&kept), owner, &format!("{at}/permissions")).await?;
        let kept_roles = before.map(|before| before.roles.clone()).unwrap_or_default();
        work.new_roles(&kept_roles, &grant.roles, owner, &format!("{at}/roles")).await?;
        draft.record.grants.push(grant);
    }
    Ok(draft)
}
