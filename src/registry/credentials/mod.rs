//! Credentials: where they are looked for, and which of them belong to a repository.
//!
//! `file` reads Docker's and podman's files, `files` knows where those lie, `ci` has what a CI gives its jobs; `program` asks a
//! credential program, and `group` ends what it started. [`Keychain`] puts all of them in order, and [`CredentialMemory`] keeps for a
//! run what programs and token servers gave.

mod ci;
mod file;
mod files;
mod group;
mod keychain;
mod memory;
mod program;

use std::fmt;

pub(in crate::registry) use keychain::Keychain;
pub use memory::CredentialMemory;

/// What a secret is, and so what a registry is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// The password, or an access token that serves as one, of a user.
    Password,
    /// A refresh token of OAuth 2, which a token server exchanges for tokens (distribution/distribution, "Docker Registry v2
    /// `OAuth2` authentication").
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
    /// Credentials that came from `origin`, in words for people: a file, or names of variables.
    pub fn new(username: impl Into<String>, password: impl Into<String>, origin: impl Into<String>) -> Self {
        let kind = CredentialKind::Password;
        Self { username: username.into(), secret: password.into(), kind, origin: origin.into() }
    }

    /// A token of another kind than a password, which belongs to no user name.
    pub fn token(kind: CredentialKind, token: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { username: String::new(), secret: token.into(), kind, origin: origin.into() }
    }

    /// The user name; empty beside a token that belongs to none.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password or token.
    pub fn password(&self) -> &str {
        &self.secret
    }

    /// What the password or token is.
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Where they came from, in words for people.
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
