//! Blobs over HTTP: checking whether one exists, and reading a small one. Pushing is in `upload`.

use reqwest::{Method, StatusCode};

use super::exchange::Request;
use super::repository::HttpRepository;
use super::retry::Retries;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::error::text;

impl HttpRepository {
    /// Returns whether a blob exists.
    pub(super) async fn head_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        let url = self.host.endpoint(&format!("v2/{}/blobs/{digest}", self.path)).await?;
        let answer = self.host.send(&Request::new(Method::HEAD, url, &self.reading)).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
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
