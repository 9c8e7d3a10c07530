//! Credentials: where they are looked for, and which of them belong to a repository.
//!
//! `file` reads Docker's and podman's files, [`Keychain`] puts all places in order. Credential programs
//! (`credHelpers`, `credsStore`) are not asked yet.

mod file;
mod keychain;

use std::fmt;

pub(in crate::registry) use keychain::Keychain;

/// A user name with a password or token. Neither shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    password: String,
    origin: String,
}

impl Credentials {
    /// Credentials that came from `origin`, in words for people: a file, or names of variables.
    pub fn new(username: impl Into<String>, password: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { username: username.into(), password: password.into(), origin: origin.into() }
    }

    /// The user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password or token.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where they came from, in words for people.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("origin", &self.origin).finish_non_exhaustive()
    }
}
