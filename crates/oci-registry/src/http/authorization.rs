//! The `Authorization` of a request: Basic, a token, or a header of an API's own.

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::credentials::{CredentialKind, Credentials};
use crate::error::{CredentialError, RegistryError};

/// How a request authenticates.
#[derive(Debug, Clone)]
pub enum ApiCredential {
    /// `Authorization: Bearer`, with the password as the token.
    Bearer(Credentials),
    /// `Authorization: Basic`.
    Basic(Credentials),
    /// A header of the API's own, with the password as its value.
    Header(&'static str, Credentials),
    /// In the body, written there by the caller. No header is sent.
    Body(Credentials),
}

/// The value of an `Authorization` header.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    /// The name of the header, if an API uses another one than `Authorization`.
    pub(super) name: Option<&'static str>,
    pub(super) header: HeaderValue,
    pub(super) origin: Option<String>,
    pub(super) kind: AuthorizationKind,
}

/// The kind of an `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthorizationKind {
    /// User name and password.
    Basic,
    /// A token of the credential chain, which cannot be renewed.
    Fixed,
    /// The token of a token server, by its number.
    Granted(u64),
}

impl Authorization {
    /// Returns the header for `credential`.
    pub(super) fn of(credential: &ApiCredential) -> Result<Self, RegistryError> {
        let (name, credentials, text) = match credential {
            ApiCredential::Basic(credentials) => return basic(credentials),
            ApiCredential::Bearer(it) => (None, it, format!("Bearer {}", it.password())),
            ApiCredential::Header(name, it) => (Some(*name), it, it.password().to_owned()),
            ApiCredential::Body(it) => return Err(unsendable(it)),
        };
        let header = sensitive(text).ok_or_else(|| unsendable(credentials))?;
        Ok(Self {
            name,
            header,
            origin: Some(credentials.origin().to_owned()),
            kind: AuthorizationKind::Fixed,
        })
    }

    /// Returns the name of the header.
    pub(super) fn name(&self) -> HeaderName {
        self.name.map_or(AUTHORIZATION, HeaderName::from_static)
    }

    /// Returns the value, marked as sensitive.
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Returns the origin of its credentials.
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

/// Returns Basic credentials as a header.
pub(super) fn basic(credentials: &Credentials) -> Result<Authorization, RegistryError> {
    let pair = format!("{}:{}", credentials.username(), credentials.password());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    let header = sensitive(format!("Basic {encoded}")).ok_or_else(|| unsendable(credentials))?;
    Ok(Authorization {
        name: None,
        header,
        origin: Some(credentials.origin().to_owned()),
        kind: AuthorizationKind::Basic,
    })
}

/// Returns the header for credentials on a registry that does not use a token server.
pub(super) fn by_kind(credentials: &Credentials) -> Result<Authorization, RegistryError> {
    match credentials.kind() {
        CredentialKind::Password => basic(credentials),
        CredentialKind::RegistryToken => Authorization::of(&ApiCredential::Bearer(credentials.clone())),
        CredentialKind::IdentityToken => {
            Err(CredentialError::NoTokenServer { origin: credentials.origin().to_owned() }.into())
        }
    }
}

fn unsendable(credentials: &Credentials) -> RegistryError {
    CredentialError::Unsendable { origin: credentials.origin().to_owned() }.into()
}

pub(super) fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
