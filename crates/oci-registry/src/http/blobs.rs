//! Blobs over HTTP: checking whether one exists, and reading a small one. Pushing is in `upload`.

use reqwest::header::{HeaderValue, RANGE};
use reqwest::{Method, StatusCode};

use super::exchange::Request;
use super::repository::HttpRepository;
use super::retry::Retries;
use super::tokens::RequiredAccess;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::error::text;

impl HttpRepository {
    /// Returns whether a blob exists. Some registries, and the storage that some redirect to, refuse HEAD and answer GET:
    /// those are asked for the first byte.
    pub(super) async fn head_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        self.head_blob_with(digest, &self.reading).await
    }

    /// Returns whether a blob exists, asked with a token for `access`.
    pub(super) async fn head_blob_with(
        &self,
        digest: &Digest,
        access: &RequiredAccess,
    ) -> Result<bool, RegistryError> {
        let url = self.host.endpoint(&format!("v2/{}/blobs/{digest}", self.path)).await?;
        let answer = self.host.send(&Request::new(Method::HEAD, url.clone(), access)).await?;
        match answer.status().as_u16() {
            200 => return Ok(true),
            404 => return Ok(false),
            // A registry that refuses the credentials refuses them for GET too. The signature of a redirect may be for
            // GET alone, to which the storage answers 403 (Amazon S3, "Authenticating Requests: Using Query Parameters").
            400 | 403 | 405 | 406 | 501 => {}
            401 if answer.elsewhere.is_some() => {}
            _ => return Err(answer.into_error().await),
        }
        let refused = answer.into_error().await;
        tracing::debug!(error = %refused, "HEAD is refused: asking with GET");
        let mut call = Request::new(Method::GET, url, access);
        call.headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
        let answer = self.host.send(&call).await?;
        match answer.status().as_u16() {
            // The connection is not used again if the whole blob is on its way. An empty blob has no first byte.
            200 | 206 | 416 => Ok(true),
            404 => Ok(false),
            _ => Err(answer.into_error().await),
        }
    }

    /// Returns a blob of at most `limit` bytes, verified. Registries often redirect this request to storage on another
    /// host.
    pub(super) async fn get_small_blob(
        &self,
        blob: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        let url = self.host.endpoint(&format!("v2/{}/blobs/{}", self.path, blob.digest)).await?;
        if blob.size > limit {
            let request = text::request("GET", &url);
            let reason =
                format!("its descriptor says {} bytes, more than the {limit} that are read", blob.size);
            return Err(RegistryError::Protocol { request, reason });
        }
        let call = Request::new(Method::GET, url, &self.reading);
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let answer = self.host.send(&call).await?;
            if answer.status() != StatusCode::OK {
                return Err(answer.into_error().await);
            }
            let request = answer.request.clone();
            let bytes = match answer.body(blob.size).await {
                Ok(bytes) => bytes,
                Err(failure) => {
                    retries.again(failure).await?;
                    continue;
                }
            };
            let mut digester = blob.digest.digester();
            digester.update(&bytes);
            let found = digester.finish();
            if found != blob.digest {
                let expected = blob.digest.clone();
                return Err(RegistryError::ContentMismatch { request, expected, found });
            }
            return Ok(bytes);
        }
    }
}
