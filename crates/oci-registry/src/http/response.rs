//! An answer to one request: its head, and its body, which is read up to a limit.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName};
use tokio::time::Instant;
use url::Url;

use super::retry::{FailedAttempt, asked_wait};
use super::{Timeouts, challenge, network};
use crate::digest::Digest;
use crate::error::redaction::Redaction;
use crate::error::{ErrorEnvelope, NetworkFailure, OtherHost, Refusal, RegistryError, UnsentCredentials};

/// How many bytes of an error's body are read.
const ERROR_LIMIT: u64 = 64 * 1024;

/// `Docker-Content-Digest`, the digest of the manifest or blob in an answer.
pub(super) static DIGEST_HEADER: HeaderName = HeaderName::from_static("docker-content-digest");

/// An answer to one request.
pub(super) struct Response {
    /// `METHOD url`, redacted.
    pub(super) request: String,
    /// The address that answered, after redirects.
    pub(super) url: Url,
    /// The origin of the credentials that the request carried.
    pub(super) credentials: Option<String>,
    /// The other host that answered, if it was not the registry.
    pub(super) elsewhere: Option<OtherHost>,
    /// Credentials that exist but were not sent.
    pub(super) unsent: Option<UnsentCredentials>,
    /// The credentials that the request carried, which no error repeats.
    pub(super) redaction: Redaction,
    /// How long the body may take.
    pub(super) timeouts: Timeouts,
    /// The answer.
    pub(super) http: reqwest::Response,
    /// How much of the body came, and how long that took.
    pub(super) received: Received,
}

/// How many bytes of a body came, and how long that took. The time that the reader spends between two pieces is not
/// counted, because the registry does not cause it.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: u64,
    took: Duration,
}

impl Response {
    /// Returns the status.
    pub(super) fn status(&self) -> StatusCode {
        self.http.status()
    }

    /// Returns the headers.
    pub(super) fn headers(&self) -> &HeaderMap {
        self.http.headers()
    }

    /// Returns `Content-Length`, which the answer to a HEAD has too.
    pub(super) fn length(&self) -> Option<u64> {
        self.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
    }

    /// Returns `Docker-Content-Digest`, if it is present and a valid digest.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.headers().get(&DIGEST_HEADER)?.to_str().ok()?.trim().parse().ok()
    }

    /// Returns an error about the content of the answer.
    pub(super) fn protocol(&self, reason: impl Into<String>) -> RegistryError {
        RegistryError::Protocol {
            request: self.request.clone(),
            reason: self.redaction.redact(&reason.into()),
        }
    }

    /// Returns the whole body, or an error if it has more than `limit` bytes.
    pub(super) async fn body(mut self, limit: u64) -> Result<Vec<u8>, FailedAttempt> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(&piece);
            if body.len() as u64 > limit {
                let reason = format!("an answer of more than {limit} bytes");
                return Err(FailedAttempt::lasting(self.protocol(reason)));
            }
        }
        Ok(body)
    }

    /// Returns the next piece of the body.
    pub(super) async fn piece(&mut self) -> Result<Option<bytes::Bytes>, FailedAttempt> {
        let total = self.timeouts.body(self.received.bytes);
        let (left, patience) = (total.saturating_sub(self.received.took), self.timeouts.answer);
        let asked = Instant::now();
        let piece = tokio::time::timeout(left.min(patience), self.http.chunk()).await;
        self.received.took = self.received.took.saturating_add(asked.elapsed());
        let (cause, failure) = match piece {
            Ok(Ok(piece)) => {
                self.received.bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
                return Ok(piece);
            }
            Ok(Err(error)) => (network::deepest(&error), NetworkFailure::Connection),
            Err(_) if left < patience => {
                let bytes = self.received.bytes;
                let cause = format!("the answer comes too slowly: {bytes} bytes within {total:?}");
                (cause, NetworkFailure::Timeout)
            }
            Err(_) => (format!("the answer stopped for {patience:?}"), NetworkFailure::Timeout),
        };
        let request = self.request.clone();
        let error = RegistryError::Unreachable {
            request: request.clone(),
            cause,
            attempts: 1,
            failure,
            elsewhere: None,
        };
        Err(FailedAttempt { request, error, passing: true })
    }

    /// Reads the rest of a short body, so that its connection can be used again.
    pub(super) async fn discard(mut self) {
        let mut left = ERROR_LIMIT;
        while let Ok(Some(piece)) = self.piece().await {
            left = left.saturating_sub(piece.len() as u64);
            if left == 0 {
                return;
            }
        }
    }

    /// Returns the error that this answer reports.
    pub(super) async fn into_error(mut self) -> RegistryError {
        let mut body = Vec::new();
        while let Ok(Some(piece)) = self.piece().await {
            body.extend_from_slice(&piece);
            if body.len() as u64 >= ERROR_LIMIT {
                break;
            }
        }
        let errors = ErrorEnvelope::parse_without(&body, &self.redaction);
        let status = self.status();
        if status.is_success() || status.is_informational() || status.is_redirection() {
            return self.protocol(format!("an answer with the unexpected status {status}"));
        }
        let retry_after = asked_wait(self.headers(), &errors);
        RegistryError::from_refusal(Refusal {
            repository: repository(self.url.path()).map(str::to_owned),
            insufficient: challenge::is_insufficient(self.headers()),
            request: self.request,
            status: status.as_u16(),
            errors,
            credentials: self.credentials,
            retry_after,
            attempts: 1,
            elsewhere: self.elsewhere,
            unsent: self.unsent,
            manifest: None,
        })
    }
}

/// Returns the repository that a path of the API belongs to.
fn repository(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("/v2/")?;
    let parts = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];
    let end = parts.into_iter().filter_map(|part| rest.rfind(part)).max()?;
    rest.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_request_names_its_repository() {
        for (path, expected) in [
            ("/v2/acme/app/blobs/uploads/", Some("acme/app")),
            ("/v2/acme/app/blobs/uploads/1", Some("acme/app")),
            ("/v2/acme/manifests/app/manifests/v1", Some("acme/manifests/app")),
            ("/v2/app/tags/list", Some("app")),
            ("/v2/", None),
            ("/token", None),
            ("/v2//tags/list", None),
        ] {
            assert_eq!(repository(path), expected, "{path}");
        }
    }
}
