//! One attempt at one request: credentials for the registry alone, and redirects.

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use url::Url;

use super::authorization::Authorization;
use super::body::{RequestBody, Stall, watch};
use super::challenge;
use super::host::Host;
use super::network;
use super::origin;
use super::pace::Turn;
use super::request_budget::RequestBudget;
use super::response::{Received, Response};
use super::retry::{FailedAttempt, Retries, host_wait, is_passing};
use super::tokens::RequiredAccess;
use crate::error::redaction::Redaction;
use crate::error::text;
use crate::error::{
    HostRoute, NetworkFailure, OtherHost, Refusal, RegistryError, UnsentCredentials, UnsentReason,
};

/// The most redirects that are followed for one request.
const REDIRECTS: u32 = 5;

/// The group of requests that wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestLane {
    /// Small requests, many at a time.
    Small,
    /// The bytes of blobs.
    Upload,
}

/// A request to a registry.
pub(super) struct Request<'a> {
    /// The method.
    pub(super) method: Method,
    /// The address.
    pub(super) url: Url,
    /// The access that the credentials must allow.
    pub(super) access: &'a RequiredAccess,
    /// Headers besides the credentials and the length.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) payload: RequestBody<'a>,
    /// The secret in the body, if it holds one.
    pub(super) secret_in_body: Option<&'a str>,
    /// The group of requests that it waits in.
    pub(super) lane: RequestLane,
}

impl<'a> Request<'a> {
    /// A small request without a body.
    pub(super) fn new(method: Method, url: Url, access: &'a RequiredAccess) -> Self {
        let (headers, payload) = (HeaderMap::new(), RequestBody::Empty);
        Self { method, url, access, headers, payload, secret_in_body: None, lane: RequestLane::Small }
    }
}

impl Host {
    /// Sends a request, and repeats it after a temporary failure. Any answer other than a temporary failure is `Ok`.
    pub(super) async fn send(&self, call: &Request<'_>) -> Result<Response, RegistryError> {
        let mut retries = Retries::new(&self.policy, &self.notify);
        loop {
            match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => retries.again(failure).await?,
            }
        }
    }

    /// Sends a request once: with a new token if the registry requires one, and along its redirects.
    pub(super) async fn attempt(&self, call: &Request<'_>) -> Result<Response, FailedAttempt> {
        let base = self.base().await.map_err(FailedAttempt::lasting)?;
        let authorization = Box::pin(self.authorization(call.access)).await;
        let mut authorization = authorization.map_err(FailedAttempt::lasting)?;
        let (mut url, mut renewed, mut redirects) = (call.url.clone(), false, 0);
        // A request starts at an address of the registry, or at the `Location` of an upload session, which may be on another host.
        let mut route = HostRoute::Location;
        loop {
            let ours = origin::same(base, &url);
            let elsewhere = (!ours).then(|| {
                let other = OtherHost::new(&url, base, route);
                OtherHost { origin: self.facts.sent_credentials.redact_address(&other.origin), ..other }
            });
            let sent = authorization.as_ref().filter(|_| ours);
            let mut answer =
                self.transmit(call, &url, sent).await.map_err(|failure| failure.at(elsewhere.clone()))?;
            answer.elsewhere = elsewhere;
            let status = answer.status();
            // Warnings of a 401 are skipped, because a registry repeats them once it has the credentials. Only then are the credentials
            // known that must be removed from the text.
            if ours && status != StatusCode::UNAUTHORIZED {
                self.warnings.look(answer.headers(), &answer.redaction);
            }
            if ours && !renewed && challenge::asks(status, answer.headers(), sent.is_some()) {
                renewed = true;
                let next = Box::pin(self.renewed(call.access, authorization.as_ref(), &answer)).await;
                match next.map_err(FailedAttempt::lasting)? {
                    Some(next) => authorization = Some(next),
                    None => return Box::pin(self.refused(call, answer)).await,
                }
                answer.discard().await;
            } else if let Some(next) = redirect(&call.method, &answer).map_err(FailedAttempt::lasting)? {
                redirects += 1;
                if redirects > REDIRECTS {
                    return Err(FailedAttempt::lasting(answer.protocol("more than 5 redirects")));
                }
                (url, route) = (next, HostRoute::Redirect);
                answer.discard().await;
            } else if is_passing(status) {
                let (request, error) = (answer.request.clone(), answer.into_error().await);
                // Docker's registry answers 500 to a manifest whose content it lacks, and does so again
                // (distribution/distribution#2795).
                let passing = !error.refusal().is_some_and(Refusal::says_missing);
                return Err(FailedAttempt { request, error, passing });
            } else {
                return Box::pin(self.refused(call, answer)).await;
            }
        }
    }

    /// Returns the answer. If it refuses a request without credentials because a credential program failed, returns
    /// that failure; if there are credentials that were not sent, notes why.
    async fn refused(&self, call: &Request<'_>, mut answer: Response) -> Result<Response, FailedAttempt> {
        if answer.credentials.is_some() || !matches!(answer.status().as_u16(), 401 | 403) {
            return Ok(answer);
        }
        let repository = &call.access.repository;
        if answer.elsewhere.is_none()
            && let Some(failure) = self.keychain.failure(repository).await
        {
            return Err(FailedAttempt::lasting(failure));
        }
        let found = self.keychain.find(repository).await.ok().flatten();
        answer.unsent = found.map(|credentials| UnsentCredentials {
            origin: credentials.origin().to_owned(),
            reason: match &answer.elsewhere {
                Some(_) => UnsentReason::OtherHost,
                None => challenge::shown(answer.headers()).map_or(UnsentReason::NotAsked, |shown| {
                    UnsentReason::Challenge(answer.redaction.redact(&shown))
                }),
            },
        });
        Ok(answer)
    }

    /// Returns `METHOD url` for messages. A registry may lead to an address that repeats credentials.
    pub(super) fn described(&self, method: &str, url: &Url) -> String {
        self.facts.sent_credentials.redact_address(&text::request(method, url))
    }

    /// Sends a single request to `url`, without following redirects or renewing tokens.
    pub(super) async fn transmit(
        &self,
        call: &Request<'_>,
        url: &Url,
        authorization: Option<&Authorization>,
    ) -> Result<Response, FailedAttempt> {
        let request = self.described(call.method.as_str(), url);
        let lane = if call.lane == RequestLane::Upload { &self.uploads } else { &self.small };
        // The semaphores are never closed; if one were, nobody would have to wait.
        let _permit = lane.acquire().await.ok();
        if let Some(pace) = self.facts.manifest_pace.as_ref().filter(|_| puts_manifest(&call.method, url)) {
            pace.turn().await;
        }
        let turn = if self.is_paced(url) { Some(self.facts.pace.turn().await) } else { None };
        let size = call.payload.size();
        let rate = self.upload_rate.as_ref().filter(|_| call.lane == RequestLane::Upload);
        let (body, progress) = call.payload.open(rate);
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
            return Err(FailedAttempt::lasting(match digest {
                Some(digest) => RegistryError::Content { digest, cause },
                None => RegistryError::Protocol { request, reason: cause },
            }));
        }
        let (cause, failure, passing) = match sent {
            Ok(Ok(response)) => {
                self.facts.reached.set();
                self.note_pace(call, turn, &response);
                tracing::debug!(request, status = response.status().as_u16(), elapsed = ?started.elapsed());
                let credentials = authorization.and_then(|it| it.origin().map(str::to_owned));
                let header = authorization.map(Authorization::header);
                let header = header.as_ref().and_then(|it| it.to_str().ok());
                let redaction = Redaction::new(header, call.secret_in_body, &self.facts.sent_credentials);
                let (url, timeouts, received) = (url.clone(), self.timeouts.clone(), Received::default());
                return Ok(Response {
                    request,
                    url,
                    credentials,
                    elsewhere: None,
                    unsent: None,
                    redaction,
                    timeouts,
                    http: response,
                    received,
                });
            }
            Ok(Err(error)) => {
                let failure = network::failure(&error);
                let lasting = matches!(
                    failure,
                    NetworkFailure::Certificate | NetworkFailure::ClientCertificate | NetworkFailure::NotTls
                );
                let passing = !lasting && !error.is_builder();
                let cause = self.facts.sent_credentials.redact(&network::in_words(&error, failure));
                (cause, failure, passing)
            }
            Err(stall) => (stalled(stall, &self.timeouts, size), NetworkFailure::Timeout, true),
        };
        tracing::debug!(request, cause, elapsed = ?started.elapsed(), "no answer");
        let (attempts, elsewhere) = (1, None);
        let error =
            RegistryError::Unreachable { request: request.clone(), cause, attempts, failure, elsewhere };
        Err(FailedAttempt { request, error, passing })
    }
}

impl Host {
    /// Whether requests to `url` count for the limits of the registry: storage and token servers have their own.
    fn is_paced(&self, url: &Url) -> bool {
        match self.facts.base.get() {
            Some(Ok(base)) => origin::same(base, url),
            Some(Err(_)) | None => true,
        }
    }

    /// Notes what an answer says about the number of requests.
    fn note_pace(&self, call: &Request<'_>, turn: Option<Turn>, answer: &reqwest::Response) {
        let Some(turn) = turn else { return };
        let asked = host_wait(answer.status(), answer.headers());
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return self.facts.pace.refused(turn, asked);
        }
        if let Some(asked) = asked {
            self.facts.pace.hold(asked);
        }
        // The time of an upload is that of its bytes.
        if call.lane == RequestLane::Small {
            self.facts.pace.answered(turn, RequestBudget::of(answer.headers()));
        }
    }
}

/// Whether a request puts a manifest.
fn puts_manifest(method: &Method, url: &Url) -> bool {
    *method == Method::PUT && url.path().contains("/manifests/")
}

/// Returns the address that an answer redirects to. Reading requests follow every redirect; a request with content
/// follows only the two kinds that keep it a request with content (RFC 9110, 15.4).
fn redirect(method: &Method, answer: &Response) -> Result<Option<Url>, RegistryError> {
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
