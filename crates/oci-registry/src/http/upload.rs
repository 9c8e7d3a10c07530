//! Pushing a blob: mounting it, or sending it in one PUT, or in chunks if a registry does not accept that
//! (distribution-spec 1.1, "Pushing blobs"). The chunks themselves are in `chunks`.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};

use super::body::RequestBody;
use super::exchange::{Request, RequestLane};
use super::location;
use super::repository::HttpRepository;
use super::response::Response;
use super::retry::{FailedAttempt, Retries, RetryPolicy};
use super::tokens::RequiredAccess;
use super::upload_session::UploadSession;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::repository::{BlobBody, BlobOutcome};

/// How the bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In one PUT.
    Whole,
    /// In chunks, and a PUT without content.
    Chunks,
}

/// Why one attempt to send the bytes failed.
pub(super) enum Setback {
    /// It failed, perhaps temporarily.
    Failed(FailedAttempt),
    /// The registry does not accept bytes in this way.
    Unfit(RegistryError),
}

impl Setback {
    /// Whether the registry, not the network or the source, is the cause.
    fn is_of_registry(&self) -> bool {
        let error = match self {
            Self::Failed(failure) => &failure.error,
            Self::Unfit(error) => error,
        };
        !matches!(error, RegistryError::Content { .. })
            && !matches!(error, RegistryError::Unreachable { elsewhere: None, .. })
    }
}

impl From<RegistryError> for Setback {
    fn from(error: RegistryError) -> Self {
        Self::Failed(FailedAttempt::lasting(error))
    }
}

/// The outcome of a request for a mount.
enum Mount {
    Mounted,
    UploadSession(UploadSession),
    Refused,
}

impl HttpRepository {
    /// Mounts or sends `blob`. One PUT is tried twice, each time in a new session; after that, or if the registry
    /// refuses one PUT in principle, chunks are tried.
    pub(super) async fn upload(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&str>,
    ) -> Result<BlobOutcome, RegistryError> {
        let mut session = match mount_from {
            None => None,
            Some(source) => match self.mount(blob, source).await {
                Ok(Mount::Mounted) => return Ok(BlobOutcome::Mounted),
                Ok(Mount::UploadSession(session)) => Some(session),
                Ok(Mount::Refused) => None,
                Err(error) => {
                    tracing::debug!(%error, "no mount: sending the bytes");
                    None
                }
            },
        };
        if session.is_none() {
            session = self.kept_session().await;
        }
        // A session that was not opened for sending these bytes may lead nowhere.
        let mut is_lent = session.is_some();
        let mut retries = Retries::of_blob(&self.host.policy, &self.host.notify);
        let (mut way, mut failures, mut chunks_fit) = (Way::Whole, 0, true);
        let mut whole_refused = None;
        loop {
            let open = match session.take() {
                Some(session) => session,
                None => self.open_session().await?,
            };
            let sent = match way {
                Way::Whole => self.put_whole(&open, blob, body).await,
                Way::Chunks => self.put_chunks(open, blob, body, &mut retries).await,
            };
            let is_lent = std::mem::take(&mut is_lent);
            match (sent, way) {
                (Ok(()), _) => return Ok(BlobOutcome::Pushed),
                // The session that came instead of a mount leads nowhere, or the kept one expired. The failure of a session that was
                // opened for these bytes counts.
                (Err(setback), _) if is_lent && setback.is_of_registry() => {
                    tracing::debug!(
                        "the upload session that a mount or the preflight opened does not work: opening another one"
                    );
                }
                (Err(Setback::Failed(failure)), _) => {
                    let passing = failure.passing;
                    let again = retries.again(failure).await;
                    // The failure may have come too late, so the bytes may be there.
                    if passing && self.is_there(&blob.digest).await {
                        return Ok(BlobOutcome::Pushed);
                    }
                    again?;
                    failures += 1;
                    if failures >= 2 && chunks_fit && whole_refused.is_none() {
                        way = Way::Chunks;
                    }
                }
                (Err(Setback::Unfit(error)), Way::Whole) if chunks_fit => {
                    tracing::debug!(%error, "one PUT is refused: sending chunks");
                    whole_refused = Some(error);
                    way = Way::Chunks;
                }
                (Err(Setback::Unfit(error)), Way::Whole) => return Err(error),
                (Err(Setback::Unfit(error)), Way::Chunks) => {
                    if let Some(whole) = whole_refused.take() {
                        return Err(whole);
                    }
                    tracing::debug!(%error, "chunks are refused: sending one PUT");
                    (way, chunks_fit) = (Way::Whole, false);
                }
            }
        }
    }

    /// Requests `blob` from the repository `source`. Registries refuse that in many ways (Harbor answers 401 if the
    /// source's project is missing), and each of them means that the bytes must be sent. So does a mount that the
    /// registry claims without having the blob afterwards (Artifactory: estesp/manifest-tool#98; goharbor/harbor#18541).
    async fn mount(&self, blob: &Descriptor, source: &str) -> Result<Mount, RegistryError> {
        let mut url = self.host.endpoint(&format!("v2/{}/blobs/uploads/", self.path)).await?;
        url.set_query(Some(&format!("mount={}&from={source}", blob.digest)));
        let access = RequiredAccess { mount_from: Some(source.to_owned()), ..self.writing.clone() };
        let call = Request::new(Method::POST, url, &access);
        // After two failures, sending the bytes is more likely to succeed than another attempt to mount them.
        let policy = RetryPolicy { attempts: self.host.policy.attempts.min(2), ..self.host.policy.clone() };
        let mut retries = Retries::new(&policy, &self.host.notify);
        let answer = loop {
            match self.host.attempt(&call).await {
                Ok(answer) => break answer,
                Err(failure) => retries.again(failure).await?,
            }
        };
        let (status, reported) = (answer.status(), answer.digest());
        if status == StatusCode::ACCEPTED {
            let session = session(&answer)?;
            answer.discard().await;
            return Ok(Mount::UploadSession(session));
        }
        answer.discard().await;
        let is_other =
            reported.is_some_and(|it| it.algorithm() == blob.digest.algorithm() && it != blob.digest);
        if status != StatusCode::CREATED || is_other {
            return Ok(Mount::Refused);
        }
        // A registry that does not answer this question is believed.
        let there = self.head_blob_with(&blob.digest, &access).await.unwrap_or(true);
        Ok(if there { Mount::Mounted } else { Mount::Refused })
    }

    /// Opens an upload session.
    pub(super) async fn open_session(&self) -> Result<UploadSession, RegistryError> {
        let url = self.host.endpoint(&format!("v2/{}/blobs/uploads/", self.path)).await?;
        let answer = self.host.send(&Request::new(Method::POST, url, &self.writing)).await?;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(answer.into_error().await);
        }
        let session = session(&answer)?;
        answer.discard().await;
        Ok(session)
    }

    /// Sends the whole blob in one request.
    async fn put_whole(
        &self,
        session: &UploadSession,
        blob: &Descriptor,
        body: &dyn BlobBody,
    ) -> Result<(), Setback> {
        let call = Request {
            method: Method::PUT,
            url: location::with_digest(&session.url, &blob.digest),
            access: &self.writing,
            headers: octets(),
            payload: RequestBody::Blob(blob, body),
            secret_in_body: None,
            lane: RequestLane::Upload,
        };
        let answer = self.host.attempt(&call).await.map_err(Setback::Failed)?;
        match answer.status().as_u16() {
            400 | 404 | 405 | 413 | 416 | 501 => Err(Setback::Unfit(answer.into_error().await)),
            _ => self.committed(answer, &blob.digest).await.map_err(Setback::from),
        }
    }

    /// Checks that the answer to the last PUT of an upload says that the blob is there now.
    pub(super) async fn committed(&self, answer: Response, digest: &Digest) -> Result<(), RegistryError> {
        if !answer.status().is_success() {
            return Err(answer.into_error().await);
        }
        if let Some(found) = answer.digest().filter(|found| found.algorithm() == digest.algorithm())
            && found != *digest
        {
            let (request, expected) = (answer.request, digest.clone());
            return Err(RegistryError::ContentMismatch { request, expected, found });
        }
        if answer.status() != StatusCode::CREATED && !self.head_blob(digest).await? {
            let status = answer.status();
            return Err(answer
                .protocol(format!("status {status} for an upload, but the blob is not there afterwards")));
        }
        answer.discard().await;
        Ok(())
    }

    /// Whether one request finds the blob.
    pub(super) async fn is_there(&self, digest: &Digest) -> bool {
        let Ok(url) = self.host.endpoint(&format!("v2/{}/blobs/{digest}", self.path)).await else {
            return false;
        };
        let answer = self.host.attempt(&Request::new(Method::HEAD, url, &self.reading)).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }
}

/// Returns the session that an answer with status 202 opens.
fn session(answer: &Response) -> Result<UploadSession, RegistryError> {
    let url = location::of(&answer.url, answer.headers()).map_err(|reason| answer.protocol(reason))?;
    let smallest = answer.headers().get("oci-chunk-min-length").and_then(|value| value.to_str().ok());
    Ok(UploadSession { url, smallest_chunk: smallest.and_then(|text| text.trim().parse().ok()).unwrap_or(0) })
}

/// Returns the headers of a request that carries a blob's bytes.
pub(super) fn octets() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))])
}
