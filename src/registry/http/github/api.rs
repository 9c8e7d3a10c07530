//! Requests to GitHub's REST API: where it is, its headers, its rate limits.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::model::RegistryLocation;
use crate::model::reference::RegistryEndpoint;
use crate::registry::credentials::Keychain;
use crate::registry::error::text;
use crate::registry::http::answer::Answer;
use crate::registry::http::exchange::Call;
use crate::registry::http::host::Host;
use crate::registry::http::retry::{Failure, Retries, is_passing};
use crate::registry::http::token::{Access, Authorization};
use crate::registry::{ConnectOptions, Credentials, RegistryError};

/// The API of github.com.
const GITHUB: &str = "https://api.github.com";
/// Names the API elsewhere. GitHub Actions sets it in every job, on GitHub Enterprise Server to
/// `https://HOST/api/v3` (GitHub Docs, "Default environment variables").
const VARIABLE: &str = "GITHUB_API_URL";
/// How long to wait where GitHub limits requests and does not say for how long: "wait for at least one minute
/// before retrying" (GitHub Docs, "Rate limits for the REST API").
const LIMIT_PATIENCE: Duration = Duration::from_secs(60);

static VERSION_HEADER: HeaderName = HeaderName::from_static("x-github-api-version");

/// The packages API that belongs to a registry. Opened by the first request.
pub(in crate::registry::http) struct Packages {
    endpoint: RegistryEndpoint,
    options: ConnectOptions,
    api: OnceLock<Result<Api, RegistryError>>,
}

impl Packages {
    /// The API for the registry at `endpoint`.
    pub(in crate::registry::http) fn new(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Self {
        Self { endpoint: endpoint.clone(), options: options.clone(), api: OnceLock::new() }
    }

    /// The API, or why it cannot be asked.
    pub(super) fn api(&self) -> Result<&Api, RegistryError> {
        let api = self.api.get_or_init(|| Api::open(&self.endpoint, &self.options));
        api.as_ref().map_err(Clone::clone)
    }
}

/// GitHub's REST API.
pub(super) struct Api {
    /// The root, with a slash at the end.
    base: Url,
    host: Host,
}

impl Api {
    fn open(endpoint: &RegistryEndpoint, options: &ConnectOptions) -> Result<Self, RegistryError> {
        let base = base(&endpoint.url, (options.environment)(VARIABLE))?;
        let host = base.host_str().unwrap_or_default();
        let host = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let location = RegistryLocation::Http { host: host.clone(), namespace: None };
        // A private authority signs for both hosts; `insecure` and the client's certificate are about the registry alone.
        let own = RegistryEndpoint { ca_file: endpoint.ca_file.clone(), ..RegistryEndpoint::of(location) };
        Ok(Self { base, host: Host::new(&own, &host, Keychain::default(), options)? })
    }

    /// The address of `path`, which has no slash in front.
    pub(super) fn address(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|error| RegistryError::Protocol {
            request: text::redacted(&self.base),
            reason: format!("`{path}` is no path in it: {error}"),
        })
    }

    /// What is at `url`: at most `limit` bytes.
    pub(super) async fn read(
        &self,
        url: &Url,
        credentials: Option<&Credentials>,
        limit: u64,
    ) -> Result<Read, RegistryError> {
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let answer = self.send(Method::GET, url, credentials).await?;
            let (request, headers) = (answer.request.clone(), answer.headers().clone());
            match answer.body(limit).await {
                Ok(body) => return Ok(Read { request, headers, body }),
                Err(failure) => retries.again(failure).await?,
            }
        }
    }

    /// Deletes what is at `url`; `Ok` where nothing is there (any more).
    pub(super) async fn delete(
        &self,
        url: &Url,
        credentials: Option<&Credentials>,
    ) -> Result<(), RegistryError> {
        match self.send(Method::DELETE, url, credentials).await {
            Ok(answer) => answer.discard().await,
            Err(RegistryError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Sends a request, again where a failure may pass. Only a success is `Ok`.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        credentials: Option<&Credentials>,
    ) -> Result<Answer, RegistryError> {
        let authorization = credentials.map(Authorization::bearer).transpose()?;
        let nothing = Access::default();
        let mut call = Call::new(method, url.clone(), &nothing);
        call.headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        call.headers.insert(&VERSION_HEADER, HeaderValue::from_static("2022-11-28"));
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let failure = match self.host.transmit(&call, url, authorization.as_ref()).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => refused(answer).await,
                Err(failure) => failure,
            };
            retries.again(failure).await?;
        }
    }
}

/// An answer that was read.
pub(super) struct Read {
    /// `METHOD url`, redacted.
    pub(super) request: String,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) body: Vec<u8>,
}

/// The failure that an answer is. Where GitHub limits requests, by 403 or 429, it passes.
async fn refused(answer: Answer) -> Failure {
    let (request, status) = (answer.request.clone(), answer.status());
    let error = match answer.into_error().await {
        RegistryError::RateLimited(mut refusal) => {
            refusal.retry_after = refusal.retry_after.or(Some(LIMIT_PATIENCE));
            RegistryError::RateLimited(refusal)
        }
        error => error,
    };
    let passing = is_passing(status) || matches!(error, RegistryError::RateLimited(_));
    Failure { request, error, passing }
}

/// The root of the API for the registry at `location`. At `ghcr.io` it is github.com's, whatever the variable
/// says: in a job of GitHub Enterprise Server that names the server, which a token for `ghcr.io` is not for.
fn base(location: &RegistryLocation, named: Option<String>) -> Result<Url, RegistryError> {
    let is_ghcr = matches!(location, RegistryLocation::Http { host, .. } if host == "ghcr.io");
    let text = named.filter(|text| !is_ghcr && !text.is_empty()).unwrap_or_else(|| GITHUB.to_owned());
    let wrong = |what: &str| RegistryError::Credentials {
        reason: format!("`{VARIABLE}` {what}, so no credentials are sent there"),
        help: format!("set it to the address of GitHub's REST API, such as `{GITHUB}`, or unset it"),
    };
    let mut base = Url::parse(&text).map_err(|error| wrong(&format!("is no address ({error})")))?;
    let host = base.host_str().unwrap_or_default().to_owned();
    let location = RegistryLocation::Http { host, namespace: None };
    match base.scheme() {
        "https" => {}
        "http" if location.is_loopback() => {}
        "http" => return Err(wrong("does not speak https")),
        _ => return Err(wrong("is no address of a web server")),
    }
    if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
        return Err(wrong("holds more than an address"));
    }
    base.set_fragment(None);
    if !base.path().ends_with('/') {
        let path = format!("{}/", base.path());
        base.set_path(&path);
    }
    Ok(base)
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
            assert_eq!(found.as_ref().ok().map(Url::as_str), expected, "{registry} {named:?}");
            assert!(!format!("{found:?}").contains("secret") || found.is_ok(), "{found:?}");
        }
    }
}
