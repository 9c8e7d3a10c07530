//! Docker Hub: each repository is public or private (Docker Docs, "Docker Hub API"). Its API requires a token that is valid for
//! ten minutes, and issues one for a user name and a password or access token.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Capability, ProviderApi, VisibilityError, VisibilityProvider, VisibilitySetting};
use crate::model::Visibility;
use oci_registry::RepositoryName;
use oci_registry::{ApiCredential, ApiMethod, Credentials, RegistryError};

/// The time for which a token is used: it is valid for ten minutes.
const LIFETIME: Duration = Duration::from_secs(9 * 60);

/// Docker Hub.
pub(super) struct DockerHub {
    access: ProviderApi,
    /// The user that the token was issued to, the token, and the time until which it is used.
    token: Mutex<Option<(Credentials, Credentials, Instant)>>,
}

/// The answer to `POST /v2/auth/token`.
#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// The part of a repository that is read here.
#[derive(Deserialize)]
struct DockerHubRepository {
    is_private: bool,
}

impl DockerHub {
    pub fn new(access: ProviderApi) -> Self {
        Self { access, token: Mutex::default() }
    }

    /// Returns a token for the user who may push to `repository`. If `refused` is the token in use, a new one is requested.
    async fn token(
        &self,
        repository: &RepositoryName,
        refused: Option<&Credentials>,
    ) -> Result<Credentials, VisibilityError> {
        let user = self.access.credentials(repository).await?;
        let mut held = self.token.lock().await;
        if let Some((of, token, until)) = held.as_ref()
            && *of == user
            && *until > Instant::now()
            && refused != Some(token)
        {
            return Ok(token.clone());
        }
        let body = json!({ "identifier": user.username(), "secret": user.password() });
        let asked = Instant::now();
        let credential = ApiCredential::Body(user.clone());
        let answer =
            self.access.api()?.write(ApiMethod::Post, "v2/auth/token", Some(&credential), &body).await;
        let token: Token = answer.map_err(|error| named(error, &user))?.parse("an access token")?;
        let token = Credentials::new(user.username(), token.access_token, user.origin());
        *held = Some((user, token.clone(), asked + LIFETIME));
        Ok(token)
    }

    /// Sends `request` with a token, and once more with a new token if the first is refused.
    async fn with_token<T, F: Future<Output = Result<T, RegistryError>>>(
        &self,
        repository: &RepositoryName,
        request: impl Fn(ApiCredential) -> F,
    ) -> Result<T, VisibilityError> {
        let token = self.token(repository, None).await?;
        match request(ApiCredential::Bearer(token.clone())).await {
            Err(RegistryError::Unauthorized(_)) => {
                let token = self.token(repository, Some(&token)).await?;
                Ok(request(ApiCredential::Bearer(token)).await?)
            }
            answered => Ok(answered?),
        }
    }
}

/// Returns the error with the origin of the credentials that were in the request body.
fn named(error: RegistryError, user: &Credentials) -> RegistryError {
    match error {
        RegistryError::Unauthorized(mut refusal) => {
            refusal.credentials = Some(user.origin().to_owned());
            RegistryError::Unauthorized(refusal)
        }
        error => error,
    }
}

/// The namespace and the name of a repository. Bare names are below `library`.
fn parts(repository: &RepositoryName) -> (&str, &str) {
    repository.as_str().split_once('/').unwrap_or(("library", repository.as_str()))
}

#[async_trait::async_trait]
impl VisibilityProvider for DockerHub {
    fn capability(&self) -> Capability {
        Capability::ReadWrite
    }

    async fn get(&self, repository: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError> {
        let (namespace, name) = parts(repository);
        let path = format!("v2/namespaces/{namespace}/repositories/{name}");
        let api = self.access.api()?;
        let asked = self.with_token(repository, |credential| {
            let path = path.as_str();
            async move { api.get(path, Some(&credential)).await }
        });
        let answer = match asked.await {
            Err(VisibilityError::Api(RegistryError::NotFound(_))) => return Ok(None),
            answer => answer?,
        };
        let repository: DockerHubRepository = answer.parse("a repository with `is_private`")?;
        let visibility = if repository.is_private { Visibility::Private } else { Visibility::Public };
        Ok(Some(VisibilitySetting { visibility, project: None }))
    }

    async fn set(&self, repository: &RepositoryName, to: Visibility) -> Result<(), VisibilityError> {
        let (namespace, name) = parts(repository);
        let path = format!("v2/repositories/{namespace}/{name}/privacy");
        let body = json!({ "is_private": to != Visibility::Public });
        let api = self.access.api()?;
        let answer = self.with_token(repository, |credential| {
            let (path, body) = (path.as_str(), &body);
            async move { api.write(ApiMethod::Post, path, Some(&credential), body).await }
        });
        answer.await.map(drop)
    }
}
