//! Credentials: finding them, and choosing the ones for a repository.
//!
//! `file` parses Docker's and podman's files, `files` finds them, `ci` returns the credentials that a CI gives its
//! jobs; `program` asks a credential program, `login` stores credentials and removes them, and `group` stops the processes that it started. [`Keychain`] puts all of
//! them in order, and [`CredentialMemory`] keeps the answers of programs and token servers for the length of a run.

mod ci;
mod file;
mod files;
mod group;
mod keychain;
mod login;
mod memory;
mod program;
mod variables;

use std::fmt;
use std::sync::Arc;

pub use group::ProcessGroup;
pub(crate) use keychain::Keychain;
pub use login::{StoredLogin, erase_login, store_login};
pub use memory::CredentialMemory;
pub use variables::{SentVariable, sent_variables};

/// The value of an environment variable, or `None`.
pub type EnvironmentLookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The kind of a secret, which determines how it is sent to a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// The password of a user, or an access token that serves as one.
    Password,
    /// A refresh token of OAuth 2, which a token server exchanges for tokens (distribution/distribution, "Docker
    /// Registry v2 `OAuth2` authentication").
    IdentityToken,
    /// A token of the registry itself, sent as it is.
    RegistryToken,
}

/// A user name with a password or token. Neither shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    secret: String,
    kind: CredentialKind,
    origin: String,
}

impl Credentials {
    /// Returns credentials that came from `origin`, in words for people: a file, or names of variables.
    pub fn new(username: impl Into<String>, password: impl Into<String>, origin: impl Into<String>) -> Self {
        let kind = CredentialKind::Password;
        Self { username: username.into(), secret: password.into(), kind, origin: origin.into() }
    }

    /// Returns a token that is not a password and belongs to no user name.
    pub fn token(kind: CredentialKind, token: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { username: String::new(), secret: token.into(), kind, origin: origin.into() }
    }

    /// Returns the user name; empty for a token that belongs to none.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the password or token.
    pub fn password(&self) -> &str {
        &self.secret
    }

    /// Returns the kind of the password or token.
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Returns the origin of the credentials, in words for people.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("kind", &self.kind)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
