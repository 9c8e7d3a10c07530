//! Quay: each repository is public or private (Red Hat Quay API, "getRepo" and "changeRepoVisibility"). Its API requires an
//! OAuth token with `repo:admin`. Robot accounts, which push, do not have one.

use serde::Deserialize;
use serde_json::json;

use super::{Capability, ProviderApi, VisibilityError, VisibilityProvider, VisibilitySetting};
use crate::model::Visibility;
use oci_registry::RepositoryName;
use oci_registry::{ApiCredential, ApiMethod, RegistryError};

/// Quay.
pub(super) struct Quay {
    access: ProviderApi,
}

/// The part of a repository that is read here.
#[derive(Deserialize)]
struct QuayRepository {
    is_public: bool,
}

impl Quay {
    pub fn new(access: ProviderApi) -> Self {
        Self { access }
    }

    fn credential(&self) -> Result<ApiCredential, VisibilityError> {
        self.access.required_token().map(ApiCredential::Bearer)
    }
}

#[async_trait::async_trait]
impl VisibilityProvider for Quay {
    fn capability(&self) -> Capability {
        if self.access.names_token() {
            return Capability::ReadWrite;
        }
        Capability::ReadOnly(
            "Quay's API needs an OAuth token with `repo:admin`, but `api_token_env` is not set".to_owned(),
        )
    }

    async fn get(&self, repository: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError> {
        let credential = self.credential()?;
        let path = format!("api/v1/repository/{repository}");
        let answer = match self.access.api()?.get(&path, Some(&credential)).await {
            Err(RegistryError::NotFound(_)) => return Ok(None),
            answer => answer?,
        };
        let repository: QuayRepository = answer.parse("a repository with `is_public`")?;
        let visibility = if repository.is_public { Visibility::Public } else { Visibility::Private };
        Ok(Some(VisibilitySetting { visibility, project: None }))
    }

    async fn set(&self, repository: &RepositoryName, to: Visibility) -> Result<(), VisibilityError> {
        let credential = self.credential()?;
        let path = format!("api/v1/repository/{repository}/changevisibility");
        let word = if to == Visibility::Public { "public" } else { "private" };
        let body = json!({ "visibility": word });
        self.access.api()?.write(ApiMethod::Post, &path, Some(&credential), &body).await?;
        Ok(())
    }
}
