//! Harbor: a project is public or private, and so is every repository in it (Harbor's API 2.0, "project"). Its metadata values
//! are strings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{Capability, ProviderApi, VisibilityError, VisibilityProvider, VisibilitySetting};
use crate::model::Visibility;
use oci_registry::RepositoryName;
use oci_registry::{ApiCredential, ApiMethod, RegistryError};

/// Harbor.
pub(super) struct Harbor {
    access: ProviderApi,
}

/// The part of a project that is read here.
#[derive(Deserialize)]
struct HarborProject {
    metadata: BTreeMap<String, serde_json::Value>,
}

impl Harbor {
    pub fn new(access: ProviderApi) -> Self {
        Self { access }
    }
}

/// The project of a repository: the first part of its name.
fn project(repository: &RepositoryName) -> &str {
    repository.as_str().split('/').next().unwrap_or_default()
}

#[async_trait::async_trait]
impl VisibilityProvider for Harbor {
    fn capability(&self) -> Capability {
        Capability::ReadWrite
    }

    async fn get(&self, repository: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError> {
        let project = project(repository);
        let credential = ApiCredential::Basic(self.access.credentials(repository).await?);
        let path = format!("api/v2.0/projects/{project}");
        let answer = match self.access.api()?.get(&path, Some(&credential)).await {
            Err(RegistryError::NotFound(_)) => return Ok(None),
            answer => answer?,
        };
        let found: HarborProject = answer.parse("a project with metadata")?;
        let visibility = match found.metadata.get("public").and_then(serde_json::Value::as_str) {
            Some("true") => Visibility::Public,
            Some("false") => Visibility::Private,
            _ => {
                let reason = "a project whose metadata has neither \"true\" nor \"false\" for `public`";
                return Err(answer.wrong(reason).into());
            }
        };
        Ok(Some(VisibilitySetting { visibility, project: Some(project.to_owned()) }))
    }

    async fn set(&self, repository: &RepositoryName, to: Visibility) -> Result<(), VisibilityError> {
        let credential = ApiCredential::Basic(self.access.credentials(repository).await?);
        let path = format!("api/v2.0/projects/{}", project(repository));
        let public = if to == Visibility::Public { "true" } else { "false" };
        let body = json!({ "metadata": { "public": public } });
        self.access.api()?.write(ApiMethod::Put, &path, Some(&credential), &body).await?;
        Ok(())
    }
}
