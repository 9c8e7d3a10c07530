//! GitHub's REST API: its address, its headers, its rate limits.

use std::sync::OnceLock;
use std::time::Duration;

use crate::api_url::ApiUrl;
use crate::endpoint::RegistryEndpoint;
use crate::error::CredentialError;
use crate::error::RegistryError;
use crate::http::api::JsonApi;
use crate::options::ConnectOptions;
use crate::reference::RegistryLocation;

/// The API of github.com.
const GITHUB: &str = "https://api.github.com";
/// The variable with the address of another API. GitHub Actions sets it in every job, on GitHub Enterprise Server to
/// `https://HOST/api/v3` (GitHub Docs, "Default environment variables").
const VARIABLE: &str = "GITHUB_API_URL";
/// How long to wait if GitHub limits requests and does not say for how long: "wait for at least one minute before
/// retrying" (GitHub Docs, "Rate limits for the REST API").
const LIMIT_PATIENCE: Duration = Duration::from_secs(60);

/// The packages API that belongs to a registry. The first request opens it.
pub(in crate::http) struct PackagesApi {
    endpoint: RegistryEndpoint,
    options: ConnectOptions,
    api: OnceLock<Result<JsonApi, RegistryError>>,
}

impl PackagesApi {
    /// Returns the API for the registry at `endpoint`.
    pub(in crate::http) fn new(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Self {
        Self { endpoint: endpoint.clone(), options: options.clone(), api: OnceLock::new() }
    }

    /// Returns the API, or the reason why it cannot be asked.
    pub(super) fn api(&self) -> Result<&JsonApi, RegistryError> {
        let api = self.api.get_or_init(|| JsonApi::github(&self.endpoint, &self.options));
        api.as_ref().map_err(Clone::clone)
    }
}

impl JsonApi {
    /// Opens GitHub's REST API for the registry at `endpoint`.
    ///
    /// # Errors
    ///
    /// The errors of [`JsonApi::open`]; also [`RegistryError::Credentials`] if the environment does not name a valid
    /// address.
    pub fn github(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Result<Self, RegistryError> {
        let base = match &endpoint.api_url {
            Some(declared) => declared.clone(),
            None => base(&endpoint.url, (options.environment)(VARIABLE))?,
        };
        // `insecure` applies to the registry alone.
        let own = RegistryEndpoint { insecure: false, ..endpoint.clone() };
        let api = Self::open(&base, &own, options)?
            .with_header("accept", "application/vnd.github+json")
            .with_header("x-github-api-version", "2022-11-28");
        Ok(api.with_limit_patience(LIMIT_PATIENCE))
    }
}

/// Returns the root of the API for the registry at `location`. For `ghcr.io` it is github.com's, whatever the variable
/// says: in a job of GitHub Enterprise Server the variable names that server, and a token for `ghcr.io` is not meant
/// for it.
fn base(location: &RegistryLocation, named: Option<String>) -> Result<ApiUrl, RegistryError> {
    let is_ghcr = matches!(location, RegistryLocation::Http { host, .. } if host == "ghcr.io");
    let text = named.filter(|text| !is_ghcr && !text.is_empty()).unwrap_or_else(|| GITHUB.to_owned());
    let wrong = |problem: String| -> RegistryError {
        CredentialError::ApiVariable { variable: VARIABLE, problem, example: GITHUB }.into()
    };
    let base = text.parse::<ApiUrl>().map_err(|error| wrong(error.to_string()))?;
    if base.is_confidential() { Ok(base) } else { Err(wrong("does not speak https".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_where_the_registry_is() {
        for (registry, named, expected) in [
            ("ghcr.io/o", None, Some("https://api.github.com/")),
            ("ghcr.io/o", Some("https://ghe.example/api/v3"), Some("https://api.github.com/")),
            (
                "containers.ghe.example",
                Some("https://ghe.example/api/v3"),
                Some("https://ghe.example/api/v3/"),
            ),
            ("containers.ghe.example", Some("https://ghe.example:8443/"), Some("https://ghe.example:8443/")),
            ("containers.ghe.example", Some(""), Some("https://api.github.com/")),
            ("localhost:5000", Some("http://127.0.0.1:81"), Some("http://127.0.0.1:81/")),
            ("localhost:5000", Some("http://[::1]:81/v3"), Some("http://[::1]:81/v3/")),
            ("localhost:5000", Some("http://ghe.example"), None),
            ("localhost:5000", Some("ftp://ghe.example"), None),
            ("localhost:5000", Some("https://u:secret@ghe.example"), None),
            ("localhost:5000", Some("https://ghe.example?token=secret"), None),
            ("localhost:5000", Some("ghe.example"), None),
        ] {
            let found = base(&registry.parse().expect("a location"), named.map(str::to_owned));
            assert_eq!(found.as_ref().ok().map(|it| it.url().as_str()), expected, "{registry} {named:?}");
            assert!(!format!("{found:?}").contains("secret") || found.is_ok(), "{found:?}");
        }
    }
}
