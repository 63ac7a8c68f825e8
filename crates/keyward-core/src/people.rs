//! People at the machine's command line: the first administrators, and tokens for them.

use keyward_crypto::access_token::Claims;
use keyward_model::{
    Action, AdminRole, Entity, Event, Kind, Reach, Status, TokenAlgorithm, UniqueKey, User, encode_uuid,
    new_uuid,
};
use keyward_policy::{Action as Act, Target, liveness};
use keyward_store::{Change, StoreError, StoreExt};
use serde_json::json;

use crate::{
    Call, Error, FieldError, Keyward,
    admin::{Work, touched_conflict},
    oauth::ACCESS_TOKEN_TYP,
};

/// `client_id` of tokens that people use without a client of their own.
pub(crate) const OWN_CLIENT: &str = "keyward";
/// How long a person's token lives at most, in seconds.
const LIFETIME: u32 = 3_600;

impl Keyward {
    /// Makes a super admin; answers the identifier.
    pub async fn create_admin(&self, call: &Call, email: &str, name: Option<&str>) -> Result<String, Error> {
        let work = Work::begin(self, call);
        let new = keyward_model::NewUser {
            email: email.to_owned(),
            name: name.map(str::to_owned),
            admin_role: Some(AdminRole::SuperAdmin),
            partner_id: None,
            tenant_id: None,
            status: Status::Active,
            custom_attributes: json!({}),
        };
        if validator::Validate::validate(&new).is_err() {
            let detail = "The e-mail address or the name is not valid.";
            return Err(Error::field(FieldError::new("email", "invalid_email", detail)));
        }
        let draft = <User as crate::Administered>::create(&work, new).await?;
        let target = Target::object(Kind::User, draft.record.owner());
        let permit = work.may(Act::Create, target).await?;
        let event = work.done(Action::USER_CREATED, &draft.record, &[]);
        let id = draft.record.id().to_string();
        let change: Change = draft.with.create(draft.record);
        match work.commit(&permit, change, vec![event]).await {
            Ok(_) => Ok(id),
            Err(StoreError::Taken(taken)) => Err(touched_conflict(&taken)),
            Err(error) => Err(error.into()),
        }
    }

    /// A short-lived token for a person, for the admin API.
    pub async fn user_token(&self, call: &Call, email: &str) -> Result<String, Error> {
        let work = Work::begin(self, call);
        let permit_for = Target::collection(Kind::User);
        let _permit = work.may(Act::Act("token"), permit_for).await?;
        let key = UniqueKey::UserEmail(email.to_lowercase());
        let user: Option<User> = self.inner.store.find_as(&Reach::Platform, &key).await?;
        let id = user.ok_or(Error::NotFound)?.id();
        let person = self.inner.directory.person(id).await?.ok_or(Error::NotFound)?;
        if let Err(dead) = liveness::user(&person.user, person.above()) {
            return Err(Error::Conflict { code: dead.code(), detail: dead.message() });
        }
        let options = self.options();
        let (user, iat) = (&person.user, work.now.unix_seconds());
        let jti = encode_uuid(new_uuid(work.now, self.random()));
        let claims = Claims {
            exp: iat + i64::from(options.token_lifetime.min(LIFETIME)),
            jti: jti.clone(),
            client_id: OWN_CLIENT.into(),
            scope: person.permissions.to_string().into(),
            ..self.claims_of(&person, &options.admin_audience, work.now)
        };
        let signed = self.inner.keys.signer(TokenAlgorithm::default(), work.now).and_then(|key| {
            let payload = serde_json::to_vec(&claims).ok()?;
            key.sign_compact(ACCESS_TOKEN_TYP, &payload).ok()
        });
        let token = signed.ok_or_else(|| Error::Unavailable("no signing key could sign".into()))?;
        let about = work.done(Action::USER_TOKEN_ISSUED, user, &[]);
        let event = Event {
            changes: keyward_model::Changes::of(&[keyward_model::FieldChange {
                field: "jti".to_owned(),
                from: json!(null),
                to: json!(jti),
            }]),
            partner_id: person.partner_id(),
            ..about
        };
        self.inner.writer.append(event).await?;
        Ok(token)
    }
}
