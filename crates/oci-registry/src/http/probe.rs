//! Finding out which operations the credentials allow in a repository over HTTP, without changing anything: with one
//! page of one tag, and an upload session that is opened and cancelled, or kept for the first blob.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};

use super::exchange::Request;
use super::origin;
use super::repository::HttpRepository;
use super::upload_session::UploadSession;
use crate::error::RegistryError;
use crate::repository::Presence;

/// How long cancelling an upload session may take: the session expires by itself if that fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a session is kept for the first blob. A blob that comes later opens a session of its own, because the bytes that are
/// sent to a session that has expired are lost.
const KEPT: Duration = Duration::from_secs(60);

impl HttpRepository {
    /// Returns whether the repository exists.
    pub(super) async fn find_presence(&self) -> Result<Presence, RegistryError> {
        let url = self.host.endpoint(&format!("v2/{}/tags/list?n=1", self.path)).await?;
        let answer = self.host.send(&Request::new(Method::GET, url, &self.reading)).await?;
        match answer.status() {
            StatusCode::OK => {
                answer.discard().await;
                Ok(Presence::There)
            }
            StatusCode::NOT_FOUND => {
                answer.discard().await;
                Ok(Presence::NotYet)
            }
            _ => Err(answer.into_error().await),
        }
    }

    /// Opens an upload session and cancels it.
    ///
    /// 202 means that the credentials may push, 401 or 403 that they may not (docs/reference/registries.md;
    /// distribution-spec 1.1, "Pushing blobs"). Asks with the same token as a push, so a run that pushes afterwards needs no
    /// other token.
    pub(super) async fn try_session(&self) -> Result<(), RegistryError> {
        let session = self.open_session().await?;
        self.cancel_in_time(&session).await;
        Ok(())
    }

    /// Opens an upload session, which shows the same as [`Self::try_session`], and keeps it for the first blob: the question
    /// then costs no request.
    pub(super) async fn keep_session(&self) -> Result<(), RegistryError> {
        let session = self.open_session().await?;
        let kept = self
            .host
            .kept_sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self.path.clone(), (session, Instant::now()));
        if let Some((session, _)) = kept {
            self.cancel_in_time(&session).await;
        }
        Ok(())
    }

    /// Returns the session that was kept, once.
    pub(super) async fn kept_session(&self) -> Option<UploadSession> {
        let (session, opened) = self.take_session()?;
        if opened.elapsed() <= KEPT {
            return Some(session);
        }
        self.cancel_in_time(&session).await;
        None
    }

    /// Cancels the session that was kept, if no blob used it.
    pub(super) async fn cancel_kept_session(&self) {
        if let Some((session, _)) = self.take_session() {
            self.cancel_in_time(&session).await;
        }
    }

    fn take_session(&self) -> Option<(UploadSession, Instant)> {
        self.host.kept_sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path)
    }

    /// Cancels a session. A failure is ignored: GHCR answers 405, and the session expires by itself
    /// (radius-project/radius#12623).
    async fn cancel_in_time(&self, session: &UploadSession) {
        let _ = tokio::time::timeout(PATIENCE, self.cancel(session)).await;
    }

    /// Tries once to cancel an upload session. It uses the credentials at hand; some registries require more for a
    /// DELETE. A session on another host, which must not see the credentials, is left to expire.
    async fn cancel(&self, session: &UploadSession) {
        let Ok(base) = self.host.base().await else { return };
        if !origin::same(base, &session.url) {
            return;
        }
        let Ok(authorization) = self.host.authorization(&self.writing).await else { return };
        let call = Request::new(Method::DELETE, session.url.clone(), &self.writing);
        if let Ok(answer) = self.host.transmit(&call, &session.url, authorization.as_ref()).await {
            answer.discard().await;
        }
    }
}
