//! One attempt at one request: credentials for the registry alone, redirects, and network errors in words.

use std::error::Error;

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use rustls::AlertDescription;
use url::Url;

use super::answer::{Answer, Received};
use super::body::{Payload, Stall, watch};
use super::host::Host;
use super::origin;
use super::retry::{Failure, Retries, is_passing};
use super::token::{Access, Authorization};
use crate::error::echo::Echo;
use crate::error::text;
use crate::{NetworkFailure, RegistryError};

/// The most redirects that are followed for one request.
const REDIRECTS: u32 = 5;

/// The group of requests that wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Small requests, many at a time.
    Small,
    /// The bytes of blobs.
    Upload,
}

/// A request to a registry.
pub(super) struct Call<'a> {
    /// The method.
    pub(super) method: Method,
    /// The address.
    pub(super) url: Url,
    /// The access that the credentials must allow.
    pub(super) access: &'a Access,
    /// Headers besides the credentials and the length.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) payload: Payload<'a>,
    /// The secret in the body, if it holds one.
    pub(super) told: Option<&'a str>,
    /// The group of requests that it waits in.
    pub(super) lane: Lane,
}

impl<'a> Call<'a> {
    /// A small request without a body.
    pub(super) fn new(method: Method, url: Url, access: &'a Access) -> Self {
        let (headers, payload) = (HeaderMap::new(), Payload::Empty);
        Self { method, url, access, headers, payload, told: None, lane: Lane::Small }
    }
}

impl Host {
    /// Sends a request, and repeats it after a temporary failure. Any answer other than a temporary failure is `Ok`.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, RegistryError> {
        let mut retries = Retries::new(&self.policy, &self.notify);
        loop {
            match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => retries.again(failure).await?,
            }
        }
    }

    /// Sends a request once: with a new token if the registry requires one, and along its redirects.
    pub(super) async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let base = self.base().await.map_err(Failure::lasting)?;
        let mut authorization = self.authorization(call.access).await.map_err(Failure::lasting)?;
        let (mut url, mut renewed, mut redirects) = (call.url.clone(), false, 0);
        loop {
            let ours = origin::same(base, &url);
            let sent = authorization.as_ref().filter(|_| ours);
            let answer = self.transmit(call, &url, sent).await?;
            let status = answer.status();
            if ours {
                self.warnings.look(answer.headers());
            }
            if status == StatusCode::UNAUTHORIZED && ours && !renewed {
                renewed = true;
                let next = self.renewed(call.access, authorization.as_ref(), answer.headers()).await;
                match next.map_err(Failure::lasting)? {
                    Some(next) => authorization = Some(next),
                    None => return self.refused(call, answer).await,
                }
                answer.discard().await;
            } else if let Some(next) = redirect(&call.method, &answer).map_err(Failure::lasting)? {
                redirects += 1;
                if redirects > REDIRECTS {
                    return Err(Failure::lasting(answer.protocol("more than 5 redirects")));
                }
                url = next;
                answer.discard().await;
            } else if is_passing(status) {
                let request = answer.request.clone();
                return Err(Failure { request, error: answer.into_error().await, passing: true });
            } else {
                return if ours { self.refused(call, answer).await } else { Ok(answer) };
            }
        }
    }

    /// Returns the answer. If it refuses a request without credentials because a credential program failed, returns
    /// that failure.
    async fn refused(&self, call: &Call<'_>, answer: Answer) -> Result<Answer, Failure> {
        if answer.credentials.is_some() || !matches!(answer.status().as_u16(), 401 | 403) {
            return Ok(answer);
        }
        match self.keychain.failure(&call.access.repository).await {
            Some(failure) => Err(Failure::lasting(failure)),
            None => Ok(answer),
        }
    }

    /// Sends a single request to `url`, without following redirects or renewing tokens.
    pub(super) async fn transmit(
        &self,
        call: &Call<'_>,
        url: &Url,
        authorization: Option<&Authorization>,
    ) -> Result<Answer, Failure> {
        let request = text::request(call.method.as_str(), url);
        let lane = if call.lane == Lane::Upload { &self.uploads } else { &self.small };
        // The semaphores are never closed; if one were, nobody would have to wait.
        let _permit = lane.acquire().await.ok();
        let size = call.payload.size();
        let (body, progress) = call.payload.open();
        let mut builder =
            self.clients.to(url).request(call.method.clone(), url.clone()).headers(call.headers.clone());
        if let Some(authorization) = authorization {
            builder = builder.header(authorization.name(), authorization.header());
        }
        if size > 0 || matches!(call.method, Method::POST | Method::PUT | Method::PATCH) {
            builder = builder.header(CONTENT_LENGTH, HeaderValue::from(size)).body(body);
        }
        let started = std::time::Instant::now();
        let sent = watch(builder.send(), &progress, &self.timeouts, size).await;
        if let Some(cause) = progress.broken() {
            let digest = call.payload.digest().cloned();
            return Err(Failure::lasting(match digest {
                Some(digest) => RegistryError::Content { digest, cause },
                None => RegistryError::Protocol { request, reason: cause },
            }));
        }
        let (cause, failure, passing) = match sent {
            Ok(Ok(response)) => {
                tracing::debug!(request, status = response.status().as_u16(), elapsed = ?started.elapsed());
                let credentials = authorization.and_then(|it| it.origin().map(str::to_owned));
                let header = authorization.map(Authorization::header);
                let echo = Echo::of(header.as_ref().and_then(|it| it.to_str().ok()), call.told);
                let (url, timeouts, received) = (url.clone(), self.timeouts.clone(), Received::default());
                return Ok(Answer { request, url, credentials, echo, timeouts, response, received });
            }
            Ok(Err(error)) => {
                let failure = kind_of(&error);
                let lasting = matches!(
                    failure,
                    NetworkFailure::Certificate | NetworkFailure::ClientCertificate | NetworkFailure::NotTls
                );
                let passing = !lasting && !error.is_builder();
                (in_words(&error, failure), failure, passing)
            }
            Err(stall) => (stalled(stall, &self.timeouts, size), NetworkFailure::Timeout, true),
        };
        tracing::debug!(request, cause, elapsed = ?started.elapsed(), "no answer");
        let error = RegistryError::Unreachable { request: request.clone(), cause, attempts: 1, failure };
        Err(Failure { request, error, passing })
    }
}

/// Returns the address that an answer redirects to. Reading requests follow every redirect; a request with content
/// follows only the two kinds that keep it a request with content (RFC 9110, 15.4).
fn redirect(method: &Method, answer: &Answer) -> Result<Option<Url>, RegistryError> {
    let keeps_method = matches!(answer.status().as_u16(), 307 | 308);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let redirects = keeps_method || (reads && matches!(answer.status().as_u16(), 301..=303));
    if !redirects {
        return Ok(None);
    }
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| answer.protocol("a redirect without a `Location`"))?;
    let next = origin::follow(&answer.url, location);
    next.map(Some).map_err(|reason| answer.protocol(format!("a redirect to {reason}")))
}

/// Returns a stall in words.
fn stalled(stall: Stall, timeouts: &super::Timeouts, size: u64) -> String {
    match stall {
        Stall::Network => format!("nothing could be sent for {:?}", timeouts.stall),
        Stall::Source => format!("the source gave nothing for {:?}", timeouts.source),
        Stall::Registry if size == 0 => format!("no answer within {:?}", timeouts.commit(0)),
        Stall::Registry => format!("no answer within {:?} of the last byte", timeouts.commit(size)),
    }
}

/// Returns the kind of failure for an error of the HTTP client.
fn kind_of(error: &reqwest::Error) -> NetworkFailure {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(current) = cause {
        match tls_error(current) {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                return NetworkFailure::Certificate;
            }
            Some(rustls::Error::InvalidMessage(_)) => return NetworkFailure::NotTls,
            Some(rustls::Error::AlertReceived(alert)) if refuses_client(*alert) => {
                return NetworkFailure::ClientCertificate;
            }
            _ => {}
        }
        // hyper-util has no type for errors of its tunnel, only this text.
        if current.to_string().contains("tunnel error") {
            return NetworkFailure::Proxy;
        }
        if current.to_string().contains("dns error") {
            return NetworkFailure::Name;
        }
        cause = current.source();
    }
    if error.is_timeout() { NetworkFailure::Timeout } else { NetworkFailure::Connection }
}

/// Whether a server sends this alert if it requires a client certificate, or another one (RFC 8446, 6.2): Go's servers
/// send `bad_certificate` to a client that shows none.
fn refuses_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// Returns the TLS error inside `error`. It may be the content of I/O errors, which do not name it as their source.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut current = error;
    while let Some(inner) = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        current = inner;
    }
    current.downcast_ref::<rustls::Error>()
}

/// Returns an error of the HTTP client in words.
fn in_words(error: &reqwest::Error, failure: NetworkFailure) -> String {
    match failure {
        NetworkFailure::Timeout if error.is_connect() => "no connection in time".to_owned(),
        NetworkFailure::Timeout => "no answer in time".to_owned(),
        NetworkFailure::NotTls => format!("the other side does not speak TLS: {}", deepest(error)),
        _ if error.is_connect() => format!("cannot connect: {}", deepest(error)),
        _ => deepest(error),
    }
}

/// Returns the text of the last cause in the chain: the ones above it only say "error sending request".
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    let said = last.to_string();
    // Without a cause, reqwest's own text contains the whole URL.
    let said =
        if error.source().is_none() { said.split(" for url").next().unwrap_or_default() } else { &said };
    text::printable(said, 300)
}
