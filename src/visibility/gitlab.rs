//! GitLab: two settings of a project decide who may pull its images (GitLab Docs, "Container registry API", "Change the
//! visibility of the container registry").
//!
//! | declared | `container_registry_access_level` | `visibility` of the project |
//! | --- | --- | --- |
//! | public | enabled | public |
//! | internal | enabled | internal |
//! | private | private | unchanged |
//!
//! In the other direction, a registry that is `enabled` has the visibility of its project, and one that is `private` or
//! `disabled` is private. The API requires a token with the scope `api`; the token of a CI job cannot change a project.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::json;

use super::{Capability, ProviderApi, VisibilityError, VisibilityProvider, VisibilitySetting};
use crate::model::Visibility;
use oci_registry::RepositoryName;
use oci_registry::{ApiCredential, ApiMethod, ApiResponse, RegistryError};

/// The highest number of projects to ask about: a little more than the depth to which GitLab nests groups.
const DEEPEST: usize = 24;

/// GitLab.
pub(super) struct Gitlab {
    access: ProviderApi,
    /// The project of each repository for which one was found.
    projects: Mutex<HashMap<RepositoryName, String>>,
}

/// The part of a project that is read here.
#[derive(Deserialize)]
struct GitlabProject {
    path_with_namespace: String,
    visibility: Visibility,
    container_registry_access_level: Level,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Enabled,
    Private,
    Disabled,
}

impl Gitlab {
    pub fn new(access: ProviderApi) -> Self {
        Self { access, projects: Mutex::default() }
    }

    fn credential(&self) -> Result<ApiCredential, VisibilityError> {
        self.access.required_token().map(|token| ApiCredential::Header("private-token", token))
    }

    fn known(&self, repository: &RepositoryName) -> Option<String> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned()
    }

    /// Returns the project of `repository`, and the API's answer about it. The path of an image begins with the path of its
    /// project (GitLab Docs, "Naming convention for your container images"). No project is below another, so at most one of
    /// the possible paths is a project.
    async fn project(
        &self,
        repository: &RepositoryName,
    ) -> Result<Option<(String, ApiResponse)>, VisibilityError> {
        let (credential, api) = (self.credential()?, self.access.api()?);
        let candidates = match self.known(repository) {
            Some(known) => vec![known],
            None => candidates(repository.as_str()),
        };
        for path in candidates {
            match api.get(&address(&path), Some(&credential)).await {
                Ok(answer) => {
                    let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
                    projects.insert(repository.clone(), path.clone());
                    return Ok(Some((path, answer)));
                }
                Err(RegistryError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

/// The paths that may be the project of `repository`, the longest first. A project has a namespace, so each has at least two parts.
fn candidates(repository: &str) -> Vec<String> {
    let cuts = repository.match_indices('/').map(|(at, _)| at).chain([repository.len()]);
    let mut paths: Vec<String> =
        cuts.skip(1).filter_map(|at| repository.get(..at)).map(str::to_owned).take(DEEPEST).collect();
    paths.reverse();
    paths
}

/// The address of a project in the API, with its path encoded.
fn address(path: &str) -> String {
    format!("api/v4/projects/{}", path.replace('/', "%2F"))
}

#[async_trait::async_trait]
impl VisibilityProvider for Gitlab {
    fn capability(&self) -> Capability {
        if self.access.names_token() {
            return Capability::ReadWrite;
        }
        Capability::ReadOnly(
            "GitLab's API needs a token with the scope `api`, but `api_token_env` is not set".to_owned(),
        )
    }

    async fn get(&self, repository: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError> {
        let Some((_, answer)) = self.project(repository).await? else { return Ok(None) };
        let project: GitlabProject =
            answer.parse("a project with `visibility` and `container_registry_access_level`")?;
        let visibility = match project.container_registry_access_level {
            Level::Enabled => project.visibility,
            Level::Private | Level::Disabled => Visibility::Private,
        };
        Ok(Some(VisibilitySetting { visibility, project: Some(project.path_with_namespace) }))
    }

    async fn set(&self, repository: &RepositoryName, to: Visibility) -> Result<(), VisibilityError> {
        let Some((path, _)) = self.project(repository).await? else {
            return Err(VisibilityError::CannotSet {
                reason: format!("the token cannot see a project for `{repository}`"),
                help: "check the path, and that the token belongs to an owner of the project".to_owned(),
            });
        };
        let body = match to {
            Visibility::Public | Visibility::Internal => {
                json!({ "visibility": to.as_str(), "container_registry_access_level": "enabled" })
            }
            Visibility::Private => json!({ "container_registry_access_level": "private" }),
        };
        let credential = self.credential()?;
        self.access.api()?.write(ApiMethod::Put, &address(&path), Some(&credential), &body).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_is_asked_about_first() {
        for (repository, expected) in [
            ("acme/app", vec!["acme/app"]),
            ("acme/app/image", vec!["acme/app/image", "acme/app"]),
            (
                "acme/team/app/image/part",
                vec!["acme/team/app/image/part", "acme/team/app/image", "acme/team/app", "acme/team"],
            ),
            ("acme", vec![]),
        ] {
            assert_eq!(candidates(repository), expected);
        }
        assert_eq!(candidates(&vec!["a"; 100].join("/")).len(), DEEPEST);
        assert_eq!(address("acme/team/app"), "api/v4/projects/acme%2Fteam%2Fapp");
    }
}
