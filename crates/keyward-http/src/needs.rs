//! Which operations need which permission, from the table of operations: for pages about permissions.

use keyward_core::{required_permissions, staff_permissions};

use crate::{
    operation::{Endpoint, Operation},
    operations,
};

/// An operation of which callers need one of some permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needing {
    /// The method.
    pub method: String,
    /// The path, with its parts in braces.
    pub path: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// The permissions any of which is enough: of service tokens, and of people without an admin role.
    pub permissions: Vec<String>,
}

/// Every operation that needs a permission, in the order of the documentation.
#[must_use]
pub fn needing_permissions() -> Vec<Needing> {
    operations().into_iter().filter_map(needing).collect()
}

fn needing(operation: Operation) -> Option<Needing> {
    let permissions = match operation.endpoint {
        Endpoint::Admin(endpoint) => {
            let mut all: Vec<String> =
                required_permissions(endpoint.action, endpoint.kind).into_iter().map(str::to_owned).collect();
            all.extend(staff_permissions(endpoint.action, endpoint.kind));
            all
        }
        Endpoint::Token(_, permission) => vec![permission.to_owned()],
        Endpoint::Plain(_) | Endpoint::Any(_) => return None,
    };
    Some(Needing {
        method: operation.method.to_string(),
        path: operation.path.replace(":.*}", "}"),
        summary: operation.summary.into_owned(),
        permissions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed_for(method: &str, path: &str) -> Vec<String> {
        let all = needing_permissions();
        let found = all.iter().find(|one| one.method == method && one.path == path);
        found.map(|one| one.permissions.clone()).unwrap_or_default()
    }

    #[test]
    fn operations_tell_what_they_need() {
        let read = ["admin:read", "admin:write", "keyward:users:read", "keyward:users:write"];
        assert_eq!(needed_for("GET", "/api/v1/admin/users"), read);
        assert_eq!(needed_for("POST", "/api/v1/admin/users"), ["admin:write", "keyward:users:write"]);
        assert_eq!(needed_for("POST", "/api/v1/admin/tenants"), ["admin:write"]);
        assert_eq!(needed_for("POST", "/api/v1/keys/verify"), ["keys:verify"]);
    }
}
