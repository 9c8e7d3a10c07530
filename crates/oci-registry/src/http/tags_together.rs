//! Putting a manifest with several tags in one request: `PUT manifests/DIGEST?tag=a&tag=b` (distribution-spec, end-7b). A registry
//! that knows it repeats each tag that it took in `OCI-Tag`; zot does. Any other registry ignores the parameters and puts the manifest
//! by digest, where it is already.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};

use super::body::RequestBody;
use super::exchange::Request;
use super::repository::HttpRepository;
use crate::error::RegistryError;
use crate::manifest::RawManifest;
use crate::reference::TagOrDigest;
use crate::tag::Tag;

/// The header that repeats a tag.
static TAG_HEADER: HeaderName = HeaderName::from_static("oci-tag");

/// The most tags of one request: a registry that knows the parameter supports at least so many, and may answer 414 to more.
const MOST_TAGS: usize = 10;

impl HttpRepository {
    /// Whether nothing shows in this run that the host takes no tags together.
    pub(super) fn may_put_tags_together(&self) -> bool {
        self.host.facts.tags_together.try_lock().map_or(true, |known| *known != Some(false))
    }

    /// Puts `manifest` under `tags` in one request, or in one for each ten. The first request to a host shows whether it knows the
    /// parameter; others wait for that. Each request is sent once, because the caller puts the tags one by one if it fails.
    pub(super) async fn put_tags_together(
        &self,
        manifest: &RawManifest,
        tags: &[Tag],
    ) -> Result<Vec<Tag>, RegistryError> {
        let mut taken = Vec::new();
        for tags in tags.chunks(MOST_TAGS) {
            let known = self.host.facts.tags_together.lock().await;
            let unknown = match *known {
                Some(false) => return Ok(taken),
                Some(true) => {
                    drop(known);
                    None
                }
                None => Some(known),
            };
            let answer = self.put_some_together(manifest, tags).await;
            if let Some(mut known) = unknown {
                *known = match &answer {
                    Ok(some) => Some(!some.is_empty()),
                    Err(error) => not_known(error).then_some(false),
                };
            }
            taken.extend(answer?);
        }
        Ok(taken)
    }

    async fn put_some_together(
        &self,
        manifest: &RawManifest,
        tags: &[Tag],
    ) -> Result<Vec<Tag>, RegistryError> {
        let mut url = self.manifest_url(&TagOrDigest::Digest(manifest.digest().clone())).await?;
        for tag in tags {
            url.query_pairs_mut().append_pair("tag", tag.as_str());
        }
        let content_type =
            HeaderValue::from_str(manifest.media_type()).map_err(|_| RegistryError::Protocol {
                request: crate::error::text::request("PUT", &url),
                reason: "the manifest's media type cannot be sent in a header".to_owned(),
            })?;
        let pieces = [Bytes::copy_from_slice(manifest.bytes())];
        let mut call = Request::new(Method::PUT, url, &self.writing);
        call.headers.insert(CONTENT_TYPE, content_type);
        call.payload = RequestBody::Pieces(&pieces);
        let answer = self.host.attempt(&call).await.map_err(|failure| failure.error)?;
        if !answer.status().is_success() {
            return Err(answer.into_error().await.about_manifest(manifest));
        }
        let repeated = repeated(answer.headers());
        answer.discard().await;
        Ok(tags.iter().filter(|tag| repeated.iter().any(|it| it == tag.as_str())).cloned().collect())
    }
}

/// Returns the tags of an answer: one header for each, or a list in one.
fn repeated(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(&TAG_HEADER).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect()
}

/// Whether a refusal says that the registry does not know such a request, rather than that it refuses a tag.
fn not_known(error: &RegistryError) -> bool {
    let unfit =
        [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].into_iter().chain([
            StatusCode::URI_TOO_LONG,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            StatusCode::NOT_IMPLEMENTED,
        ]);
    error.refusal().is_some_and(|refusal| unfit.into_iter().any(|status| status.as_u16() == refusal.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_repeated_one_by_one_or_in_a_list() {
        let name = || TAG_HEADER.clone();
        let value = HeaderValue::from_static;
        let several =
            HeaderMap::from_iter([(name(), value("1.2")), (name(), value("1")), (name(), value("latest"))]);
        let list = HeaderMap::from_iter([(name(), value("1.2, 1,latest"))]);
        for (headers, expected) in [
            (several, vec!["1.2", "1", "latest"]),
            (list, vec!["1.2", "1", "latest"]),
            (HeaderMap::new(), vec![]),
        ] {
            assert_eq!(repeated(&headers), expected);
        }
    }
}
