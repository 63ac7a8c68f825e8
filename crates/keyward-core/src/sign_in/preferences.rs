//! How people want pages.

use keyward_model::{Action, Entity, Preferences, Reach, User};
use keyward_store::{Change, StoreError, StoreExt};

use super::{SignInError, SignedIn};
use crate::{
    Keyward, Origin,
    admin::{ATTEMPTS, next_version},
    directory::Person,
};

impl SignedIn {
    /// How the person wants pages.
    #[must_use]
    pub fn preferences(&self) -> Preferences {
        let person: &Person = &self.person;
        person.user.preferences
    }
}

impl Keyward {
    /// Keeps how somebody wants pages.
    pub async fn set_preferences(
        &self,
        signed_in: &SignedIn,
        preferences: Preferences,
        origin: &Origin,
    ) -> Result<(), SignInError> {
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let id = signed_in.person.user.id();
            let found: Option<User> = self.inner.store.get_as(&Reach::Platform, id).await?;
            let current = found.ok_or(SignInError::OutOfDate)?;
            if current.preferences == preferences {
                return Ok(());
            }
            let next = User { preferences, ..next_version(&current, now) };
            let event = self.person_event(Action::USER_PREFERENCES_CHANGED, &signed_in.person, origin, now);
            match self.commit(Change::default().replace(current.meta.version, next), vec![event]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SignInError::OutOfDate)
    }
}
