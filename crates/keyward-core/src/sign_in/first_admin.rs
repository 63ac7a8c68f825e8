//! The first administrator, made by whoever has the link that the server prints. The link follows from the master key, so
//! it can be printed again, and it is void as soon as there is a super admin, on whatever way.

use keyward_crypto::{credential::Credential, password};
use keyward_model::{
    Action, AdminRole, Authenticators, Field, Id, Kind, Meta, Reach, Status, Subject, User, Value,
};
use keyward_store::{Change, Condition, Guard, Query, StoreError, TakenKey, Test, Ticket, TicketKey};
use serde_json::json;
use validator::ValidateEmail;

use super::{
    SignInError, Step,
    throttle::{Counted, network},
};
use crate::{Call, Caller, Keyward, Origin, admin::Work};

fn super_admins() -> Vec<Condition> {
    let is = Test::Is(Value::text(AdminRole::SuperAdmin.as_str()));
    vec![Condition { field: Field::AdminRole, test: is }]
}

impl Keyward {
    /// Whether there is no super admin yet.
    pub async fn needs_first_admin(&self) -> Result<bool, StoreError> {
        let query = Query { conditions: super_admins(), per_page: 1, ..Query::all(Kind::User) };
        Ok(self.inner.store.list(&Reach::Platform, &query).await?.total == 0)
    }

    /// The link by which the first administrator is made, as long as there is none.
    pub async fn setup_link(&self) -> Result<Option<String>, StoreError> {
        let code = self.inner.setup_code.expose();
        Ok(self.needs_first_admin().await?.then(|| self.page(&format!("/console/setup#{code}"))))
    }

    /// Makes the first administrator of whom the configuration tells.
    pub async fn bootstrap_admin(
        &self,
        call: &Call,
        email: &str,
        password: String,
    ) -> Result<(), SignInError> {
        match self.make_first_admin(email, &password, &call.origin).await {
            // Another process that starts at the same moment made it.
            Ok(()) | Err(SignInError::DeadLink) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes the first administrator, and signs them in as far as that goes without a second factor.
    pub async fn create_first_admin(
        &self,
        code: &str,
        email: &str,
        password: String,
        origin: &Origin,
    ) -> Result<Step, SignInError> {
        let address = network(origin.ip.as_deref().unwrap_or(""));
        self.attempt(Counted::Address(&address), self.now()).await?;
        let right = Credential::parse(code.trim()).is_ok_and(|code| {
            let hash = self.inner.hasher.hash(code.expose());
            self.inner.hasher.verify(self.inner.setup_code.expose(), &hash)
        });
        if !right || !self.needs_first_admin().await? {
            let who = Subject::somebody();
            return Err(self.failed(SignInError::DeadLink, who, None, origin, self.now()).await);
        }
        let email = email.trim();
        if email.validate_email() {
            self.make_first_admin(email, &password, origin).await?;
        } else {
            return Err(SignInError::Invalid("This is not an e-mail address."));
        }
        let flow = self.begin_sign_in(None);
        self.try_password(&flow, email, password, None, origin).await
    }

    async fn make_first_admin(&self, email: &str, new: &str, origin: &Origin) -> Result<(), SignInError> {
        password::check(new, &[email])?;
        let hash = self.inner.passwords.hash(new.to_owned(), self.inner.random.clone()).await?;
        let call = Call { caller: Caller::system(), origin: origin.clone(), idempotency: None };
        let work = Work::begin(self, &call);
        let user = User {
            meta: work.meta(),
            email: email.to_owned(),
            name: email.to_owned(),
            admin_role: Some(AdminRole::SuperAdmin),
            partner_id: None,
            tenant_id: None,
            status: Status::Active,
            custom_attributes: json!({}),
            roles: Vec::new(),
            valid_after: None,
            preferences: keyward_model::Preferences::default(),
        };
        let meta = Meta::new(Id::generate(work.now, self.random()), work.now);
        let authenticators = Authenticators {
            password: Some(hash),
            password_changed_at: Some(work.now),
            ..Authenticators::none(meta, &user)
        };
        let event = work.done(Action::USER_CREATED, &user, &[]);
        let mut change = Change::default().create(user).create(authenticators);
        change.guards.push(Guard { kind: Kind::User, conditions: super_admins(), at_least: 1, at_most: 1 });
        let key = TicketKey::new("system", "first_admin");
        change.tickets.push(Ticket { key, value: String::new(), expires_at: None });
        match self.commit(change, vec![event]).await {
            Ok(_) => Ok(()),
            Err(StoreError::Taken(TakenKey::Record(_))) => {
                Err(SignInError::Invalid("There is a user with this address already."))
            }
            // Somebody else was quicker.
            Err(StoreError::Stale | StoreError::Taken(_)) => Err(SignInError::DeadLink),
            Err(error) => Err(error.into()),
        }
    }
}
