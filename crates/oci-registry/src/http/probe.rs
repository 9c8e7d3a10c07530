//! Finding out which operations the credentials allow in a repository over HTTP, without changing anything: with one
//! page of one tag, and an upload session that is opened and cancelled.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::exchange::Request;
use super::origin;
use super::repository::HttpRepository;
use super::upload::UploadSession;
use crate::error::RegistryError;
use crate::repository::Presence;

/// How long cancelling an upload session may take: the session expires by itself if that fails.
const PATIENCE: Duration = Duration::from_secs(10);

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
        // A failure to cancel is ignored: GHCR answers 405, and the session expires by itself
        // (radius-project/radius#12623).
        let _ = tokio::time::timeout(PATIENCE, self.cancel(&session)).await;
        Ok(())
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
