//! The revocation feed (`docs/revocation-feed.md`): what those who verify tokens offline must know.

use std::time::Duration;

use keyward_crypto::feed::Feed;
use keyward_model::TokenAlgorithm;

use crate::{Error, Keyward, directory::Since};

/// The longest wait for something new.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(25);
/// How many readers may wait at the same time; others are answered at once.
pub(crate) const MAX_WAITING: usize = 2_000;

impl Keyward {
    /// What was revoked since a cursor, signed: at once when there is anything, else after waiting for it for a while.
    pub async fn revocations(&self, cursor: Option<&str>, wait: Duration) -> Result<String, Error> {
        let revoked = self.inner.directory.revocations();
        let since = self.since(cursor);
        // What others wrote is taken up before the revision is read, so nothing up to it is missing.
        let mut seen = self.inner.directory.seen();
        let (mut entries, mut count) = revoked.since(since);
        if entries.is_empty() && !wait.is_zero() {
            self.wait_for_more(count, wait.min(MAX_WAIT)).await;
            seen = self.inner.directory.seen();
            let known = if since == Since::Nothing { since } else { Since::Entry(count) };
            (entries, count) = revoked.since(known);
        }
        let now = self.now();
        let feed = Feed {
            iss: self.inner.options.issuer.clone(),
            iat: now.unix_seconds(),
            cursor: format!("{seen}.{}.{count}", self.inner.instance),
            revocations: entries,
        };
        let key = self.inner.keys.signer(TokenAlgorithm::Es256, now);
        let signed = key.and_then(|key| feed.sign(&key).ok());
        signed.ok_or_else(|| Error::Unavailable("no key could sign the revocation feed".into()))
    }

    async fn wait_for_more(&self, count: u64, wait: Duration) {
        let Ok(_place) = self.inner.feed_readers.try_acquire() else { return };
        let mut draining = self.inner.draining.subscribe();
        tokio::select! {
            () = self.inner.directory.revocations().more_than(count) => {}
            _ = draining.wait_for(|draining| *draining) => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// Lets nobody wait any longer, because the server is about to stop.
    pub fn drain(&self) {
        self.inner.draining.send_replace(true);
    }

    /// Where a reader stands. A cursor of another process says up to which revision that one knew everything.
    fn since(&self, cursor: Option<&str>) -> Since {
        let read = |cursor: &str| {
            let (revision, rest) = cursor.split_once('.')?;
            let (instance, count) = rest.split_once('.')?;
            let (revision, count) = (revision.parse().ok()?, count.parse().ok()?);
            let is_ours = instance == self.inner.instance;
            let since = if is_ours { Since::Entry(count) } else { Since::Revision(revision) };
            // Of a time that is not yet, or of a database that was further before a backup was restored.
            (revision <= self.inner.directory.seen()).then_some(since)
        };
        cursor.and_then(read).unwrap_or(Since::Nothing)
    }
}
