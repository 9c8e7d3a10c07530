//! The tokens of token servers, kept by repository. They are opaque: GHCR's are not always JWTs.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::authorization::Authorization;

/// The operations that a request needs permission for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RequiredAccess {
    /// The repository, by its path in the API.
    pub(super) repository: String,
    /// Whether to write to it, in addition to reading.
    pub(super) push: bool,
    /// Whether to delete from it, in addition to reading and writing.
    pub(super) delete: bool,
    /// Another repository to read from.
    pub(super) mount_from: Option<String>,
}

/// A token, and the access that it was requested for.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) push: bool,
    pub(super) delete: bool,
    /// Whether the registry named the scope: a token for `delete` alone does not allow reading.
    pub(super) named: bool,
    pub(super) sources: BTreeSet<String>,
    pub(super) authorization: Authorization,
    pub(super) until: Instant,
}

impl Grant {
    /// Whether the token allows `access`.
    pub(super) fn allows(&self, access: &RequiredAccess) -> bool {
        (access.delete || !self.named)
            && (self.push || !access.push)
            && (self.delete || !access.delete)
            && access.mount_from.iter().all(|source| self.sources.contains(source))
    }
}

/// The tokens of one repository. The holder of the lock may ask for another token, and all others wait for that token.
pub(super) type Grants = Arc<tokio::sync::Mutex<Vec<Grant>>>;

/// Tokens by repository.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    grants: Mutex<HashMap<String, Grants>>,
    asked: AtomicU64,
}

impl Tokens {
    /// Returns the tokens of `repository`.
    pub(super) fn of(&self, repository: &str) -> Grants {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(grants.entry(repository.to_owned()).or_default())
    }

    /// Whether no token was given yet.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.load(Ordering::Relaxed) == 0
    }

    /// Returns a number that no other token has.
    pub(super) fn next_id(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }
}
