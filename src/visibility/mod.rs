//! The visibility of repositories: the API of a registry's provider, which reads and sets it ([`provider`]), the anonymous pull
//! that proves it ([`probe`]), and the page where a person can change it ([`settings_url`]).
//!
//! Each provider has a file. Other modules decide what to do about a difference.

mod dockerhub;
mod error;
mod github;
mod gitlab;
mod harbor;
mod interface;
mod page;
mod probe;
mod provider_api;
mod quay;
mod unmanaged;

use std::sync::Arc;

pub use error::VisibilityError;
pub use interface::{Capability, VisibilityProvider, VisibilitySetting};
pub use page::{irreversible, is_of_project, settings_url, way_out, wide};
pub use probe::{Pullable, VisibilityProbe, probe, probe_absent, probe_untagged, pullable};
use provider_api::ProviderApi;

use crate::model::Visibility;
use oci_registry::ConnectOptions;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Provider, RepositoryName};

/// Returns the API of the provider that runs the registry at `endpoint`. Sends no request yet, and reads no credentials.
pub fn provider(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Arc<dyn VisibilityProvider> {
    let access = || ProviderApi::new(endpoint, options);
    match endpoint.provider() {
        None => Arc::new(unmanaged::Unmanaged),
        Some(Provider::Github) => Arc::new(github::Github::new(access())),
        Some(Provider::Dockerhub) => Arc::new(dockerhub::DockerHub::new(access())),
        Some(Provider::Quay) => Arc::new(quay::Quay::new(access())),
        Some(Provider::Harbor) => Arc::new(harbor::Harbor::new(access())),
        Some(Provider::Gitlab) => Arc::new(gitlab::Gitlab::new(access())),
    }
}

/// Returns the API for a run that sends no credentials: it is not asked.
pub fn without_credentials() -> Arc<dyn VisibilityProvider> {
    Arc::new(unmanaged::Unmanaged)
}

/// The answer of an API about a repository, and its abilities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisibilityReading {
    /// The setting, if the API reports one.
    pub setting: Option<VisibilitySetting>,
    /// The reason why it reports or sets nothing.
    pub why: Option<String>,
    /// Whether the API can change the setting.
    pub settable: bool,
}

impl VisibilityReading {
    /// Returns the visibility, if the API reports it.
    pub fn visibility(&self) -> Option<Visibility> {
        self.setting.as_ref().map(|setting| setting.visibility)
    }
}

/// Returns the API's answer about `repository`. A failure is not an error here: it becomes the reason why nothing is known.
pub async fn read(provider: &dyn VisibilityProvider, repository: &RepositoryName) -> VisibilityReading {
    let (settable, why) = match provider.capability() {
        Capability::ReadWrite => (true, None),
        Capability::ReadOnly(why) => (false, Some(why)),
        Capability::Unmanaged => return VisibilityReading::default(),
    };
    match provider.get(repository).await {
        Ok(setting) => VisibilityReading { setting, why, settable },
        Err(error) => {
            VisibilityReading { setting: None, why: why.or_else(|| Some(error.to_string())), settable }
        }
    }
}
