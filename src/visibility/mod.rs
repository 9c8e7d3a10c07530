//! Who may pull: what the API of a registry's provider says and sets ([`provider`]), what an anonymous pull shows
//! ([`probe`]), and where a person can change it ([`settings_url`]).
//!
//! A file for each provider. What is to be done about a difference is decided elsewhere.

mod access;
mod dockerhub;
mod error;
mod github;
mod gitlab;
mod harbor;
mod page;
mod probe;
mod quay;
mod unmanaged;

use std::sync::Arc;

use access::Access;
pub use error::VisibilityError;
pub use page::{irreversible, is_of_project, settings_url, way_out, wide};
pub use probe::{probe, probe_absent};

use crate::model::reference::RegistryEndpoint;
use crate::model::{Provider, RepositoryName, Visibility};
use crate::registry::ConnectOptions;

/// What a provider's API can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capability {
    /// It tells who may pull, and sets it.
    ReadWrite,
    /// It sets nothing, or nothing here: why, in words for people.
    ReadOnly(String),
    /// There is no such API: an anonymous pull alone tells.
    Unmanaged,
}

/// What an API says of who may pull from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Who may.
    pub visibility: Visibility,
    /// The project that this is said of as a whole, where the registry knows of no visibility of a repository alone.
    pub project: Option<String>,
}

/// Who may pull from the repositories of one registry, by the API of who runs it.
#[async_trait::async_trait]
pub trait VisibilityProvider: Send + Sync {
    /// What the API can do. Asks nobody.
    fn capability(&self) -> Capability;
    /// Who may pull from `repository`; `None` where the API knows no such repository, or may not tell.
    async fn get(&self, repository: &RepositoryName) -> Result<Option<Setting>, VisibilityError>;
    /// Sets who may pull from `repository`, or from its whole project where that is what the registry knows.
    async fn set(&self, repository: &RepositoryName, to: Visibility) -> Result<(), VisibilityError>;
}

/// The API of who runs the registry at `endpoint`. Sends nothing yet, and looks at no credentials.
pub fn provider(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Arc<dyn VisibilityProvider> {
    let access = || Access::new(endpoint, options);
    match endpoint.provider() {
        None => Arc::new(unmanaged::Unmanaged),
        Some(Provider::Github) => Arc::new(github::Github::new(access())),
        Some(Provider::Dockerhub) => Arc::new(dockerhub::DockerHub::new(access())),
        Some(Provider::Quay) => Arc::new(quay::Quay::new(access())),
        Some(Provider::Harbor) => Arc::new(harbor::Harbor::new(access())),
        Some(Provider::Gitlab) => Arc::new(gitlab::Gitlab::new(access())),
    }
}

/// What an API was seen to say, and can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it says, where it says anything.
    pub setting: Option<Setting>,
    /// Why it says nothing, or sets nothing.
    pub why: Option<String>,
    /// Whether it can set what it says.
    pub settable: bool,
}

impl Reading {
    /// Who may pull, where the API says so.
    pub fn visibility(&self) -> Option<Visibility> {
        self.setting.as_ref().map(|setting| setting.visibility)
    }
}

/// What the API says of `repository`. A failure is no error here, but why nothing is known.
pub async fn read(provider: &dyn VisibilityProvider, repository: &RepositoryName) -> Reading {
    let (settable, why) = match provider.capability() {
        Capability::ReadWrite => (true, None),
        Capability::ReadOnly(why) => (false, Some(why)),
        Capability::Unmanaged => return Reading::default(),
    };
    match provider.get(repository).await {
        Ok(setting) => Reading { setting, why, settable },
        Err(error) => Reading { setting: None, why: why.or_else(|| Some(error.to_string())), settable },
    }
}
