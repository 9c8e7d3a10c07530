//! GitHub: its packages API reports who may pull, but cannot set it. Only the page of a package's settings can
//! (cli/cli#6820: "there is no API for this").

use std::time::Duration;

use serde::Deserialize;

use super::{Capability, ProviderApi, VisibilityError, VisibilityProvider, VisibilitySetting};
use crate::model::Visibility;
use oci_registry::RepositoryName;
use oci_registry::{ApiCredential, RegistryError};

/// Limits for requests to the API. They are tight because an anonymous pull decides everything that the API reports.
const ATTEMPTS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(15);

/// GitHub's packages.
pub(super) struct Github {
    access: ProviderApi,
}

/// The part of a package that is read here (GitHub Docs, "REST API endpoints for packages"). Its visibility is read as a string,
/// because the schema lists two values and a third exists.
#[derive(Deserialize)]
struct PackageSettings {
    visibility: String,
}

impl Github {
    pub fn new(access: ProviderApi) -> Self {
        let access = access.with_options(|options| {
            options.retry.attempts = options.retry.attempts.min(ATTEMPTS);
            options.retry.total = options.retry.total.min(PATIENCE);
        });
        Self { access }
    }
}

#[async_trait::async_trait]
impl VisibilityProvider for Github {
    fn capability(&self) -> Capability {
        Capability::ReadOnly("GitHub has no API to change it".to_owned())
    }

    async fn get(&self, repository: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError> {
        let Some((owner, package)) = repository.as_str().split_once('/') else { return Ok(None) };
        // The API answers nothing without credentials: then the anonymous pull alone decides.
        let credential = match self.access.credentials(repository).await {
            Ok(credentials) => ApiCredential::Bearer(credentials),
            Err(VisibilityError::NoCredentials { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let api = self.access.api()?;
        // The name of an owner does not show whether it is an organization or a user. The wrong one answers 404.
        for owners in ["orgs", "users"] {
            let path = format!("{owners}/{owner}/packages/container/{}", package.replace('/', "%2F"));
            let answer = match api.get(&path, Some(&credential)).await {
                Ok(answer) => answer,
                Err(RegistryError::NotFound(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            let package: PackageSettings = answer.parse("a package")?;
            let visibility = match package.visibility.as_str() {
                "public" => Visibility::Public,
                "private" => Visibility::Private,
                "internal" => Visibility::Internal,
                other => {
                    return Err(answer.wrong(&format!("the unknown visibility `{other}`")).into());
                }
            };
            return Ok(Some(VisibilitySetting { visibility, project: None }));
        }
        Ok(None)
    }

    async fn set(&self, _: &RepositoryName, _: Visibility) -> Result<(), VisibilityError> {
        Err(VisibilityError::CannotSet {
            reason: "GitHub has no API to change who may pull a package".to_owned(),
            help: "change it on the page of the package's settings".to_owned(),
        })
    }
}
