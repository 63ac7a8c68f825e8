//! Rules of tenants.

use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_model::{Action, EditTenant, Entity, Id, NewTenant, Partner, Tenant};

use keyward_policy::Action as Act;

use super::{Administered, Document, Draft, IfMatch, Work, limits};
use crate::{Call, Error, Keyward};

impl Administered for Tenant {
    const COLLECTION: &'static str = "tenants";
    const CREATED: Action = Action::TENANT_CREATED;
    const UPDATED: Action = Action::TENANT_UPDATED;
    const DELETED: Action = Action::TENANT_DELETED;

    async fn create(work: &Work<'_>, new: NewTenant) -> Result<Draft<Self>, Error> {
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            slug: new.slug,
            status: new.status,
            contact_email: new.contact_email,
            partner_id: new.partner_id,
            settings: new.settings,
            branding: new.branding,
            publishable_key: publishable_key(work),
        });
        belongs_to(work, &mut draft, new.partner_id).await?;
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditTenant) -> Result<Draft<Self>, Error> {
        let moves = edit.partner_id.filter(|partner| current.partner_id != Some(*partner));
        let mut draft = Draft::plain(Self {
            name: edit.name,
            status: edit.status,
            contact_email: edit.contact_email,
            partner_id: edit.partner_id,
            settings: edit.settings,
            branding: edit.branding,
            ..current.clone()
        });
        belongs_to(work, &mut draft, moves).await?;
        Ok(draft)
    }
}

fn publishable_key(work: &Work<'_>) -> String {
    Credential::generate(CredentialKind::TenantKey, true, work.random()).expose().to_owned()
}

impl Keyward {
    /// Gives a tenant another publishable key; the one before stops at once.
    pub async fn replace_publishable_key(
        &self,
        call: &Call,
        id: &str,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let act = Act::Act("replace_key");
        self.change::<Tenant, _>(
            call,
            id,
            condition,
            act,
            Action::TENANT_KEY_REPLACED,
            async |work, current| {
                let publishable_key = publishable_key(work);
                Ok(Draft::plain(Tenant { publishable_key, ..current.clone() }))
            },
        )
        .await
    }
}

/// Makes sure that the partner is there, and still is when the tenant is written.
async fn belongs_to(
    work: &Work<'_>,
    draft: &mut Draft<Tenant>,
    partner: Option<Id<Partner>>,
) -> Result<(), Error> {
    if let Some(id) = partner {
        let partner = work.reference(id, "/partner_id").await?;
        draft.with.expect.push((partner.id().any(), partner.meta.version));
        limits::tenants(work, &partner, &mut draft.with).await?;
    }
    Ok(())
}
