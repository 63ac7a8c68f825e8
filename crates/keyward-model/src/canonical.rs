//! Events as the bytes that the audit chain covers.

use std::io::Write;

use crate::{AnyId, Event};

impl Event {
    /// The bytes that the chain's hash covers: every field with its length in front, so that no two events share them.
    pub fn write_canonical(&self, into: &mut Vec<u8>) {
        put_id(Some(self.id), into);
        put_with(into, |into| {
            // Writing to memory can't fail.
            let _ = write!(into, "{}", self.occurred_at.unix_millis());
        });
        put(Some(self.action.as_str()), into);
        put(Some(self.outcome.as_str()), into);
        put(self.reason.as_deref(), into);
        for subject in [Some(&self.actor), self.resource.as_ref()] {
            put(subject.map(|subject| subject.kind.as_ref()), into);
            put(subject.and_then(|subject| subject.id.as_deref()), into);
            put(subject.and_then(|subject| subject.name.as_deref()), into);
        }
        put_id(self.tenant_id, into);
        put_id(self.partner_id, into);
        put(Some(self.changes.as_str()), into);
        put(self.context.ip.as_deref(), into);
        put(self.context.user_agent.as_deref(), into);
        put(self.context.request_id.as_deref(), into);
        put(self.context.session_id.as_deref(), into);
        put(self.context.credential_id.as_deref(), into);
    }
}

/// A length that no text has.
const NO_TEXT: [u8; 4] = u32::MAX.to_be_bytes();

/// Puts a text behind its length; for none, a length that no text has.
fn put(text: Option<&str>, into: &mut Vec<u8>) {
    match text {
        None => into.extend_from_slice(&NO_TEXT),
        Some(text) => put_with(into, |into| into.extend_from_slice(text.as_bytes())),
    }
}

/// The same for an identifier, whose text needs no memory of its own.
fn put_id(id: Option<impl Into<AnyId>>, into: &mut Vec<u8>) {
    match id {
        None => into.extend_from_slice(&NO_TEXT),
        Some(id) => put_with(into, |into| id.into().write(into)),
    }
}

/// The same for what is written in place.
fn put_with(into: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.extend_from_slice(&[0; 4]);
    write(into);
    let length = u32::try_from(into.len() - start - 4).unwrap_or(u32::MAX - 1);
    into[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Changes, Context, Id, Outcome, Subject, Timestamp};

    /// What was hashed once must be hashed the same for ever.
    #[test]
    fn every_field_stands_behind_its_length() {
        let event = Event {
            id: Id::NOBODY,
            occurred_at: Timestamp::from_unix_millis(-1_234).unwrap(),
            action: Action::TOKEN_ISSUED,
            outcome: Outcome::Success,
            reason: None,
            actor: Subject::system(),
            resource: Some(Subject::token("jti")),
            tenant_id: Some(Id::NOBODY),
            partner_id: None,
            changes: Changes::default(),
            context: Context { ip: Some("::1".to_owned()), ..Context::default() },
        };
        let texts = [
            Some("evt_00000000000000000000000000"),
            Some("-1234"),
            Some("token.issued"),
            Some("success"),
            None,
            Some("system"),
            None,
            None,
            Some("token"),
            Some("jti"),
            None,
            Some("tnt_00000000000000000000000000"),
            None,
            Some(""),
            Some("::1"),
            None,
            None,
            None,
            None,
        ];
        let mut expected = Vec::new();
        for text in texts {
            let length = text.map_or(u32::MAX, |text| u32::try_from(text.len()).unwrap());
            expected.extend(length.to_be_bytes());
            expected.extend(text.unwrap_or_default().as_bytes());
        }
        let mut canonical = Vec::new();
        event.write_canonical(&mut canonical);
        assert_eq!(canonical, expected);
    }
}
