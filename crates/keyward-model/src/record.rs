//! How storage and the admin API see every resource alike.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Agent, AnyId, ApiKey, Application, Authenticators, FederatedIdentity, Field, Group, Id, Identified,
    IdentityProvider, Kind, Membership, Meta, Nesting, Owner, Partner, Permission, RefreshToken, Revocation,
    Role, Secret, Session, SigningKey, Tenant, Timestamp, UniqueKey, User, Value,
};

/// A thing that is stored with identity, version, owner and keys.
pub trait Entity:
    Identified + Clone + Send + Sync + Into<Record> + TryFrom<Record, Error = WrongKind> + 'static
{
    /// Identity, version and times.
    fn meta(&self) -> &Meta<Self>;

    /// The same, to be changed.
    fn meta_mut(&mut self) -> &mut Meta<Self>;

    /// Who it belongs to. A partner belongs to itself, and so does a tenant.
    fn owner(&self) -> Owner;

    /// The keys that it holds while it is not deleted.
    fn keys(&self) -> Vec<UniqueKey>;

    /// What it is called where people read about it, for example in the audit log.
    fn display_name(&self) -> &str;

    /// The value of a field by which lists can be filtered or sorted; [`Value::Null`] for fields it does not have.
    fn value(&self, field: Field) -> Value;

    /// The texts in which a list's `q` is looked for, whole words or parts of them, whatever their case.
    fn search_texts(&self) -> Vec<&str>;

    /// Its identifier.
    fn id(&self) -> Id<Self> {
        self.meta().id
    }
}

/// An [`Entity`] that the admin API creates, reads, changes and deletes.
pub trait Resource: Entity {
    /// The fields by which a list can be filtered for equality.
    const FILTERS: &'static [Field];

    /// The fields by which a list can be sorted; the first is the default, ascending.
    const SORTS: &'static [Field];

    /// The body that creates one.
    type New: DeserializeOwned + Validate + ToSchema;

    /// All fields that can be changed after creation; a PATCH is merged into it (RFC 7396).
    type Edit: Serialize + DeserializeOwned + Validate + ToSchema;

    /// How it is read.
    type View: Serialize + ToSchema;

    /// Its changeable fields as they are now.
    fn edit(&self) -> Self::Edit;

    /// How it is read at `now`.
    fn view(&self, now: Timestamp) -> Self::View;
}

/// The part of [`Entity`] that is the same for every record: all keep their identity, version and times in `meta`.
macro_rules! has_meta {
    () => {
        fn meta(&self) -> &$crate::Meta<Self> {
            &self.meta
        }

        fn meta_mut(&mut self) -> &mut $crate::Meta<Self> {
            &mut self.meta
        }
    };
}
pub(crate) use has_meta;

/// A record was not of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of another kind")]
pub struct WrongKind;

macro_rules! records {
    ($($type:ident),+ $(,)?) => {
        /// Any record that storage keeps. Adding a kind makes the compiler list the places that must know it.
        ///
        /// Its serialised form is for storage alone: it holds hashes and sealed keys, which no view shows.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant holds the type of the same name")]
        pub enum Record { $($type(Box<$type>)),+ }

        impl Record {
            /// Its identifier.
            #[must_use]
            pub fn id(&self) -> AnyId {
                match self { $(Self::$type(record) => record.meta().id.any()),+ }
            }

            /// Its version.
            #[must_use]
            pub fn version(&self) -> i64 {
                match self { $(Self::$type(record) => record.meta().version),+ }
            }

            /// When it was deleted, if it was.
            #[must_use]
            pub fn deleted_at(&self) -> Option<Timestamp> {
                match self { $(Self::$type(record) => record.meta().deleted_at),+ }
            }

            /// Who it belongs to.
            #[must_use]
            pub fn owner(&self) -> Owner {
                match self { $(Self::$type(record) => record.owner()),+ }
            }

            /// The keys that it holds.
            #[must_use]
            pub fn keys(&self) -> Vec<UniqueKey> {
                match self { $(Self::$type(record) => record.keys()),+ }
            }

            /// The value of a field.
            #[must_use]
            pub fn value(&self, field: Field) -> Value {
                match self { $(Self::$type(record) => record.value(field)),+ }
            }

            /// What people know it by.
            #[must_use]
            pub fn display_name(&self) -> &str {
                match self { $(Self::$type(record) => record.display_name()),+ }
            }

            /// The texts that a search looks through.
            #[must_use]
            pub fn search_texts(&self) -> Vec<&str> {
                match self { $(Self::$type(record) => record.search_texts()),+ }
            }
        }

        $(
            impl Identified for $type {
                const KIND: Kind = Kind::$type;
            }

            impl From<$type> for Record {
                fn from(record: $type) -> Self {
                    Self::$type(Box::new(record))
                }
            }

            impl TryFrom<Record> for $type {
                type Error = WrongKind;

                fn try_from(record: Record) -> Result<Self, WrongKind> {
                    if let Record::$type(record) = record { Ok(*record) } else { Err(WrongKind) }
                }
            }
        )+
    };
}

records!(
    Partner,
    Tenant,
    Role,
    Permission,
    Application,
    Secret,
    User,
    Group,
    Membership,
    Nesting,
    IdentityProvider,
    Agent,
    ApiKey,
    Authenticators,
    FederatedIdentity,
    Session,
    RefreshToken,
    SigningKey,
    Revocation
);

/// The fields of [`Meta`] by which every list can be sorted.
pub(crate) fn meta_value<R: Identified>(meta: &Meta<R>, field: Field) -> Value {
    match field {
        Field::CreatedAt => Value::Time(meta.created_at),
        Field::UpdatedAt => Value::Time(meta.updated_at),
        _ => Value::Null,
    }
}
