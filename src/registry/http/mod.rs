//! Registries over HTTP: this project's own push transport (distribution-spec 1.1).
//!
//! From the bottom up: `client` builds the HTTP client; `address` says where a host's API is; `exchange`
//! sends one request, with `origin` deciding who may see the credentials, `token`, `oauth` and `challenge` finding
//! them; `retry` decides what is sent again; `host` joins those. On top, `manifests`, `tags`, `referrers` and `blobs`
//! speak the protocol, `pull` that of reading a large blob, `upload`, `chunks` and `body` that of sending one,
//! `delete` that of deleting, `probe` asks what may be done, and `repository` is the room's traits. `api` speaks to the APIs that some
//! registries have besides, and `github` deletes by one where GitHub's registry does not.

mod address;
mod answer;
mod api;
mod blobs;
mod body;
mod challenge;
mod chunks;
mod client;
mod delete;
mod discovery;
mod exchange;
mod github;
mod host;
mod link;
mod location;
mod manifests;
mod oauth;
mod origin;
mod probe;
mod pull;
mod referrers;
mod repository;
mod retry;
mod tags;
mod token;
mod upload;
mod wait;
mod warning;

use std::sync::Arc;

pub(super) use address::repository_path;
pub use api::{ApiAnswer, ApiCredential, ApiMethod, JsonApi};
use github::{GithubRepository, Packages};
use host::Host;
pub(super) use manifests::inner_type;
use repository::HttpRepository;
pub use retry::RetryPolicy;
pub use wait::Timeouts;

use super::credentials::Keychain;
use super::{ConnectOptions, ReadWriteRepository, Registry, RegistryError};
use crate::model::reference::RegistryEndpoint;
use crate::model::{Provider, RepositoryName};

/// A registry over HTTP.
pub(super) struct HttpRegistry {
    host: Arc<Host>,
    /// The API that deletes from it, where it is GitHub's.
    packages: Option<Arc<Packages>>,
}

impl HttpRegistry {
    /// The registry at `host`.
    pub(super) fn new(
        endpoint: &RegistryEndpoint,
        host: &str,
        keychain: Keychain,
        options: &ConnectOptions,
    ) -> Result<Self, RegistryError> {
        let is_github = endpoint.provider() == Some(Provider::Github);
        let packages = is_github.then(|| Arc::new(Packages::new(endpoint, options)));
        Ok(Self { host: Arc::new(Host::new(endpoint, host, keychain, options)?), packages })
    }
}

impl Registry for HttpRegistry {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn ReadWriteRepository> {
        let repository = HttpRepository::new(Arc::clone(&self.host), name);
        match &self.packages {
            Some(packages) => Arc::new(GithubRepository::new(repository, Arc::clone(packages))),
            None => Arc::new(repository),
        }
    }
}
