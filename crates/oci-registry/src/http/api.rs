//! A JSON API beside a registry's own API: GitHub's, Docker Hub's, Quay's, Harbor's, GitLab's. It uses the same client,
//! limits and redaction as registries; credentials go to that API alone, and no redirect is followed.
//!
//! The callers know which requests to send and what the answers mean.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use url::Url;

use super::authorization::ApiCredential;
use super::authorization::Authorization;
use super::exchange::Request;
use super::host::Host;
use super::response::Response;
use super::retry::{FailedAttempt, Retries, is_passing};
use super::tokens::RequiredAccess;
use crate::api_url::ApiUrl;
use crate::credentials::Keychain;
use crate::endpoint::RegistryEndpoint;
use crate::error::CredentialError;
use crate::error::RegistryError;
use crate::error::redaction::Redaction;
use crate::error::text;
use crate::http::body::RequestBody;
use crate::options::ConnectOptions;
use crate::reference::RegistryLocation;

/// The longest answer about one thing, in bytes.
pub const ANSWER_LIMIT: u64 = 1024 * 1024;

/// An API that speaks JSON.
pub struct JsonApi {
    /// The root, with a slash at the end.
    base: Url,
    host: Host,
    headers: HeaderMap,
    limit_patience: Option<Duration>,
}

impl JsonApi {
    /// Opens the API at `base`, which belongs to the registry at `endpoint`: its certificate authorities hold for both.
    /// `insecure` applies only to the registry's own host, or if the address of the API was declared with it.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Credentials`] if the traffic to it could be read on the way; [`RegistryError::Certificates`] if
    /// `ca_file` cannot be used.
    pub fn open(
        base: &ApiUrl,
        endpoint: &RegistryEndpoint,
        options: &ConnectOptions,
    ) -> Result<Self, RegistryError> {
        let insecure = endpoint.insecure && (endpoint.api_url.is_some() || is_of(base, &endpoint.url));
        if !base.is_confidential() && !insecure {
            return Err(CredentialError::InsecureApi { url: text::redacted(base.url()) }.into());
        }
        if endpoint.api_url.as_ref() == Some(base) && endpoint.api_refusal().is_some() {
            return Err(CredentialError::ForeignApi { url: text::redacted(base.url()) }.into());
        }
        let host = base.host();
        let location = RegistryLocation::Http { host: host.clone(), namespace: None };
        let own = RegistryEndpoint { url: location, insecure, ..endpoint.anonymous() };
        Ok(Self {
            base: base.url().clone(),
            host: Host::new(&own, &host, Keychain::default(), options)?,
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            limit_patience: None,
        })
    }

    /// Returns the same API with this header in every request, replacing a header of the same name.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Returns the same API with the time to wait if it limits requests and does not say for how long.
    #[must_use]
    pub(crate) fn with_limit_patience(mut self, patience: Duration) -> Self {
        self.limit_patience = Some(patience);
        self
    }

    /// Returns the address of `path`, which must not start with a slash.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Protocol`] if that is not a valid path.
    pub fn address(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|error| RegistryError::Protocol {
            request: text::redacted(&self.base),
            reason: format!("`{path}` is not a valid path in it: {error}"),
        })
    }

    /// Returns the content at `path`.
    ///
    /// # Errors
    ///
    /// The refusal of the API, or the reason why it did not answer.
    pub async fn get(
        &self,
        path: &str,
        credential: Option<&ApiCredential>,
    ) -> Result<ApiResponse, RegistryError> {
        self.read(&self.address(path)?, credential, ANSWER_LIMIT).await
    }

    /// Sends `body` to `path` by POST or PUT. It must be safe to send the request twice.
    ///
    /// # Errors
    ///
    /// The refusal of the API, or the reason why it did not answer.
    pub async fn write(
        &self,
        method: ApiMethod,
        path: &str,
        credential: Option<&ApiCredential>,
        body: &serde_json::Value,
    ) -> Result<ApiResponse, RegistryError> {
        let method = match method {
            ApiMethod::Post => Method::POST,
            ApiMethod::Put => Method::PUT,
        };
        let body = [bytes::Bytes::from(body.to_string())];
        self.exchange(method, &self.address(path)?, credential, &body, ANSWER_LIMIT).await
    }

    /// Returns the content at `url`, at most `limit` bytes.
    pub(super) async fn read(
        &self,
        url: &Url,
        credential: Option<&ApiCredential>,
        limit: u64,
    ) -> Result<ApiResponse, RegistryError> {
        self.exchange(Method::GET, url, credential, &[], limit).await
    }

    /// Deletes the content at `url`; `Ok` if there is none (any more).
    pub(super) async fn delete(
        &self,
        url: &Url,
        credential: Option<&ApiCredential>,
    ) -> Result<(), RegistryError> {
        match self.send(Method::DELETE, url, credential, &[]).await {
            Ok(answer) => answer.discard().await,
            Err(RegistryError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        credential: Option<&ApiCredential>,
        body: &[bytes::Bytes],
        limit: u64,
    ) -> Result<ApiResponse, RegistryError> {
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let answer = self.send(method.clone(), url, credential, body).await?;
            let (request, headers) = (answer.request.clone(), answer.headers().clone());
            let redaction = answer.redaction.clone();
            match answer.body(limit).await {
                Ok(body) => return Ok(ApiResponse { request, headers, redaction, body }),
                Err(failure) => retries.again(failure).await?,
            }
        }
    }

    /// Sends a request, and repeats it after a temporary failure. Only a success is `Ok`.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        credential: Option<&ApiCredential>,
        body: &[bytes::Bytes],
    ) -> Result<Response, RegistryError> {
        let (authorization, secret_in_body) = match credential {
            Some(ApiCredential::Body(it)) => (None, Some(it.password())),
            credential => (credential.map(Authorization::of).transpose()?, None),
        };
        let nothing = RequiredAccess::default();
        let mut call = Request { secret_in_body, ..Request::new(method, url.clone(), &nothing) };
        call.headers.clone_from(&self.headers);
        if !body.is_empty() {
            call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            call.payload = RequestBody::Pieces(body);
        }
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let failure = match self.host.transmit(&call, url, authorization.as_ref()).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => self.refused(answer).await,
                Err(failure) => failure,
            };
            retries.again(failure).await?;
        }
    }

    /// Returns the failure for an answer. If the API limits requests, by 403 or 429, the failure is temporary.
    async fn refused(&self, answer: Response) -> FailedAttempt {
        let (request, status) = (answer.request.clone(), answer.status());
        let error = match answer.into_error().await {
            RegistryError::RateLimited(mut refusal) => {
                refusal.retry_after = refusal.retry_after.or(self.limit_patience);
                RegistryError::RateLimited(refusal)
            }
            error => error,
        };
        let passing = is_passing(status) || matches!(error, RegistryError::RateLimited(_));
        FailedAttempt { request, error, passing }
    }
}

/// Whether the API is on the host of the registry.
fn is_of(base: &ApiUrl, registry: &RegistryLocation) -> bool {
    let name = |host: &str| host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
    matches!(registry, RegistryLocation::Http { host, .. } if name(host) == name(&base.host()))
}

/// The method that sends content to an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiMethod {
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// An answer that was read.
pub struct ApiResponse {
    /// `METHOD url`, redacted.
    pub(super) request: String,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// The credentials that the request carried, which no error repeats.
    pub(super) redaction: Redaction,
    /// Its body.
    pub(super) body: Vec<u8>,
}

impl ApiResponse {
    /// Parses the answer, which should be `what`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Protocol`] if it is something else.
    pub fn parse<T: DeserializeOwned>(&self, what: &str) -> Result<T, RegistryError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.wrong(&format!("an answer that is not {what}: {error}")))
    }

    /// Returns an error that says why the answer is not what it should be.
    pub fn wrong(&self, reason: &str) -> RegistryError {
        let reason = text::printable(&self.redaction.redact(reason), 300);
        RegistryError::Protocol { request: self.request.clone(), reason }
    }
}
