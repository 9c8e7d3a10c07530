//! Registries over HTTP: the client of distribution-spec 1.1.
//!
//! From the bottom up: `client` builds the HTTP client, which `first_connect` makes impatient; `address` finds a host's API; `exchange` sends one request,
//! `origin` decides who may see the credentials, `authorization` writes them, `tokens` keeps the tokens that `token`,
//! `oauth` and `challenge` find; `retry` decides which requests are sent again, and `network` describes errors of the
//! network; `host` joins these, and `host_memory` keeps the facts about hosts for a whole run. On top of them, `manifests`, `tags`, `referrers` and `blobs` speak the
//! protocol, `pull` reads a large blob, `upload`, `chunks` and `body` send one, `delete` deletes, `probe` asks which
//! operations are allowed, and `repository` implements the registry traits. `api` speaks to the additional APIs of some
//! registries, and `github` uses one of them to list and delete the manifests of GitHub's registry.

mod address;
mod api;
mod authorization;
mod blobs;
mod body;
mod challenge;
mod chunks;
mod client;
mod delete;
mod discovery;
mod exchange;
mod first_connect;
mod github;
mod host;
mod host_memory;
mod known_limit;
mod link;
mod location;
mod login;
mod manifests;
mod network;
mod oauth;
mod origin;
mod pace;
mod probe;
mod pull;
mod referrers;
mod repository;
mod request_budget;
mod response;
mod retry;
mod tags;
mod tags_together;
mod token;
mod tokens;
mod upload;
mod upload_rate;
mod upload_session;
mod wait;
mod warning;

use std::sync::Arc;

pub(super) use address::repository_path;
pub use api::{ApiMethod, ApiResponse, JsonApi};
pub use authorization::ApiCredential;
use github::{GithubPackage, PackagesApi};
use host::Host;
pub use host_memory::HostMemory;
pub use login::LoginAnswer;
pub(super) use manifests::inner_type;
use repository::HttpRepository;
pub use retry::RetryPolicy;
pub use upload_rate::UploadRate;
pub use wait::Timeouts;

use crate::credentials::Keychain;
use crate::endpoint::RegistryEndpoint;
use crate::error::RegistryError;
use crate::options::ConnectOptions;
use crate::provider::Provider;
use crate::reference::RepositoryName;
use crate::repository::{Registry, Repository};

/// A registry over HTTP.
pub(super) struct HttpRegistry {
    host: Arc<Host>,
    /// The API for deleting from the registry, if it is GitHub's.
    packages: Option<Arc<PackagesApi>>,
}

impl HttpRegistry {
    /// Creates the registry at `host`.
    pub(super) fn new(
        endpoint: &RegistryEndpoint,
        host: &str,
        keychain: Keychain,
        options: &ConnectOptions,
    ) -> Result<Self, RegistryError> {
        let is_github = endpoint.provider() == Some(Provider::Github);
        let packages = is_github.then(|| Arc::new(PackagesApi::new(endpoint, options)));
        Ok(Self { host: Arc::new(Host::new(endpoint, host, keychain, options)?), packages })
    }
}

impl Registry for HttpRegistry {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        let repository = HttpRepository::new(Arc::clone(&self.host), name);
        let Some(packages) = &self.packages else { return Arc::new(repository) };
        let package = Arc::new(GithubPackage::new(repository.clone(), Arc::clone(packages)));
        Arc::new(repository.with_powers(package.clone(), package))
    }
}
