//! The address and the credentials of a provider's API. Both are looked up when they are first needed.

use std::sync::OnceLock;

use super::error::VisibilityError;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{ApiRefusal, ConnectOptions, Credentials, JsonApi, find_credentials};
use oci_registry::{Provider, RepositoryName};

/// Access to the API of one registry.
pub(super) struct ProviderApi {
    endpoint: RegistryEndpoint,
    options: ConnectOptions,
    api: OnceLock<Result<JsonApi, VisibilityError>>,
}

impl ProviderApi {
    /// Returns access to the API of the registry at `endpoint`.
    pub fn new(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Self {
        Self { endpoint: endpoint.clone(), options: options.clone(), api: OnceLock::new() }
    }

    /// Returns the same access with `change` applied to its options.
    pub fn with_options(mut self, change: impl FnOnce(&mut ConnectOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Returns the API, or an error that says why it cannot be used.
    pub fn api(&self) -> Result<&JsonApi, VisibilityError> {
        let api = self.api.get_or_init(|| self.open());
        api.as_ref().map_err(Clone::clone)
    }

    fn open(&self) -> Result<JsonApi, VisibilityError> {
        if let Some(refusal) = self.endpoint.api_refusal() {
            let (reason, help) = refused_api(&refusal);
            return Err(VisibilityError::NoCredentials { reason, help });
        }
        if self.endpoint.provider() == Some(Provider::Github) {
            return Ok(JsonApi::github(&self.endpoint, &self.options)?);
        }
        let base = self.endpoint.api().ok_or_else(|| VisibilityError::NoCredentials {
            reason: "the address of the registry's API is not declared".to_owned(),
            help: "set `api_url = \"https://HOST\"` in the table of the registry".to_owned(),
        })?;
        let api = JsonApi::open(&base, &self.endpoint, &self.options)?;
        // Without this header Harbor reads a numeric name as an id (its API, "X-Is-Resource-Name").
        Ok(match self.endpoint.provider() {
            Some(Provider::Harbor) => api.with_header("x-is-resource-name", "true"),
            _ => api,
        })
    }

    /// Whether `api_token_env` names a token for the API.
    pub fn names_token(&self) -> bool {
        self.endpoint.api_token_env.is_some()
    }

    /// Returns the token for the API if one is named; its user name is empty.
    pub fn token(&self) -> Result<Option<Credentials>, VisibilityError> {
        let Some(name) = &self.endpoint.api_token_env else { return Ok(None) };
        let value = (self.options.environment)(name).filter(|value| !value.is_empty());
        let token = value.ok_or_else(|| VisibilityError::NoCredentials {
            reason: format!("environment variable `{name}`, named by `api_token_env`, is not set"),
            help: format!("set `{name}`; in CI, pass it to the step"),
        })?;
        Ok(Some(Credentials::new("", token, format!("`{name}`"))))
    }

    /// Returns the token for an API that requires one; an error if none is named.
    pub fn required_token(&self) -> Result<Credentials, VisibilityError> {
        let provider = self.endpoint.provider().map_or("the registry", Provider::name);
        self.token()?.ok_or_else(|| VisibilityError::NoCredentials {
            reason: format!("{provider}'s API needs a token, but `api_token_env` is not set"),
            help: "name the variable that holds the token: `api_token_env = \"NAME\"` in the table of the registry"
                .to_owned(),
        })
    }

    /// Returns the credentials for publishing to the registry. If a token for the API is named, it is the password.
    pub async fn credentials(&self, repository: &RepositoryName) -> Result<Credentials, VisibilityError> {
        let token = self.token()?;
        let found = find_credentials(&self.endpoint, repository, &self.options).await?;
        let provider = self.endpoint.provider().map_or("the registry", Provider::name);
        match (token, found) {
            (Some(token), found) => {
                // An organization's token belongs with the name of the organization.
                let owner = repository.as_str().split('/').next().unwrap_or_default();
                let user = found.as_ref().map_or(owner, Credentials::username);
                Ok(Credentials::new(user, token.password(), token.origin()))
            }
            (None, Some(found)) => Ok(found),
            (None, None) => Err(VisibilityError::NoCredentials {
                reason: format!("{provider}'s API needs the credentials of the registry, but there are none"),
                help: "log in to the registry, or name the credentials with `auth`".to_owned(),
            }),
        }
    }
}

/// Returns the reason why no credentials are sent to a declared API, and what to do about it.
fn refused_api(refusal: &ApiRefusal) -> (String, String) {
    match refusal {
        ApiRefusal::KnownHost { known } => (
            format!("`api_url` names another host than `{known}`, and the credentials of this registry are sent to no other"),
            "remove `api_url`: the address of the API is known".to_owned(),
        ),
        ApiRefusal::OtherHost => (
            "`api_url` names another host than the registry's, and the credentials of the registry are not sent there".to_owned(),
            "name the variable that holds a token for that host: `api_token_env = \"NAME\"` in the table of the registry".to_owned(),
        ),
    }
}
