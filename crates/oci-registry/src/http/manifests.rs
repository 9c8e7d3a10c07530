//! Manifests over HTTP: HEAD, GET and PUT (distribution-spec 1.1, "Pulling manifests", "Pushing Manifests").

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::body::RequestBody;
use super::exchange::Request;
use super::repository::HttpRepository;
use super::response::Response;
use super::retry::Retries;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::error::redaction::Redaction;
use crate::manifest::MAX_MANIFEST_SIZE;
use crate::manifest::RawManifest;
use crate::media_type;
use crate::reference::TagOrDigest;
use crate::referrer::subject_of;
use crate::repository::PutOutcome;

/// The header that says that a registry lists a manifest under its subject.
static SUBJECT_HEADER: HeaderName = HeaderName::from_static("oci-subject");

impl HttpRepository {
    /// Returns the descriptor of the manifest at `at`. Asks with HEAD, and with GET if that answer lacks digest, size
    /// or type, if the registry does not answer HEAD (crossplane/crossplane#3223), or if a page for people says that
    /// there is nothing.
    pub(super) async fn head_manifest_at(
        &self,
        at: &TagOrDigest,
    ) -> Result<Option<Descriptor>, RegistryError> {
        let answer = match self.ask_manifest(Method::HEAD, at, None).await? {
            answer if answer.status() == StatusCode::OK => answer,
            answer if answer.status() == StatusCode::NOT_FOUND && !is_page(answer.headers()) => {
                return Ok(None);
            }
            answer if refuses_head(answer.status()) => {
                return Ok(self.get_manifest_at(at).await?.map(|manifest| manifest.descriptor()));
            }
            answer => return Err(answer.into_error().await),
        };
        let found = (answer.digest(), answer.length(), content_type(answer.headers()));
        let (Some(digest), Some(size), Some(media_type)) = found else {
            let manifest = self.get_manifest_at(at).await?;
            return Ok(manifest.map(|manifest| manifest.descriptor()));
        };
        if !media_type::is_manifest(&media_type) {
            let manifest = self.get_manifest_at(at).await?;
            return Ok(manifest.map(|manifest| manifest.descriptor()));
        }
        if let TagOrDigest::Digest(expected) = at
            && *expected != digest
        {
            let expected = expected.clone();
            return Err(RegistryError::ContentMismatch { request: answer.request, expected, found: digest });
        }
        Ok(Some(Descriptor::new(media_type, digest, size)))
    }

    /// Returns the manifest at `at`. Its digest is computed and compared with the one that was asked for and the one
    /// that the registry reports.
    pub(super) async fn get_manifest_at(
        &self,
        at: &TagOrDigest,
    ) -> Result<Option<RawManifest>, RegistryError> {
        self.get_manifest_as(at, None).await
    }

    /// Like [`Self::get_manifest_at`], for a manifest that is known to have this media type.
    pub(super) async fn get_manifest_as(
        &self,
        at: &TagOrDigest,
        media_type: Option<&str>,
    ) -> Result<Option<RawManifest>, RegistryError> {
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        let (request, reported, typed, bytes) = loop {
            let Some(answer) = self.read_manifest(at, media_type).await? else { return Ok(None) };
            let head = (answer.request.clone(), answer.digest(), content_type(answer.headers()));
            let redaction = answer.redaction.clone();
            match answer.body(MAX_MANIFEST_SIZE).await {
                // Its texts would be shown: media types, annotations, versions.
                Ok(bytes) if repeats(&redaction, &bytes, head.2.as_deref()) => {
                    return Err(RegistryError::Protocol {
                        request: head.0,
                        reason: "a manifest that repeats the credentials of the request".to_owned(),
                    });
                }
                Ok(bytes) => break (head.0, head.1, head.2, bytes),
                Err(failure) => retries.again(failure).await?,
            }
        };
        let specific = typed.clone().filter(|it| it.starts_with("application/vnd."));
        // The type of a referrer may be any.
        let typed = specific.or_else(|| inner_type(&bytes)).or(typed.filter(|it| is_specific(it)));
        let asked = if let TagOrDigest::Digest(digest) = at { Some(digest.clone()) } else { None };
        // The digest of Docker's first schema does not cover its signatures. Nobody publishes that schema, and parsing
        // it reports an error.
        let first_schema = [media_type::DOCKER_SCHEMA_1, media_type::DOCKER_SCHEMA_1_SIGNED];
        if !typed.as_deref().is_some_and(|typed| first_schema.contains(&typed)) {
            for expected in asked.into_iter().chain(reported) {
                matches(&request, &bytes, expected)?;
            }
        }
        let typed = typed.ok_or_else(|| RegistryError::Protocol {
            request,
            reason: "an answer that is not a manifest: it has no media type, neither in the headers nor in the body".to_owned(),
        })?;
        Ok(Some(RawManifest::new(typed, bytes)))
    }

    /// Sends a request for the manifest at `at`, which may be known to have this media type.
    async fn ask_manifest(
        &self,
        method: Method,
        at: &TagOrDigest,
        media_type: Option<&str>,
    ) -> Result<Response, RegistryError> {
        let mut call = Request::new(method, self.manifest_url(at).await?, &self.reading);
        // GHCR answers 404 for an index if one of the index types is missing here.
        call.headers.insert(ACCEPT, accept(media_type));
        self.host.send(&call).await
    }

    async fn read_manifest(
        &self,
        at: &TagOrDigest,
        media_type: Option<&str>,
    ) -> Result<Option<Response>, RegistryError> {
        let answer = self.ask_manifest(Method::GET, at, media_type).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => {
                answer.discard().await;
                Ok(None)
            }
            _ => Err(answer.into_error().await),
        }
    }

    /// Puts `manifest` at `at`. After a failure it first checks whether the manifest is there, because the failure may
    /// have come too late: a registry with immutable tags refuses the same content if it is put twice.
    pub(super) async fn put_manifest_at(
        &self,
        at: &TagOrDigest,
        manifest: &RawManifest,
    ) -> Result<PutOutcome, RegistryError> {
        let url = self.manifest_url(at).await?;
        let pieces = [Bytes::copy_from_slice(manifest.bytes())];
        let mut call = Request::new(Method::PUT, url.clone(), &self.writing);
        let content_type =
            HeaderValue::from_str(manifest.media_type()).map_err(|_| RegistryError::Protocol {
                request: crate::error::text::request("PUT", &url),
                reason: "the manifest's media type cannot be sent in a header".to_owned(),
            })?;
        call.headers.insert(CONTENT_TYPE, content_type);
        call.payload = RequestBody::Pieces(&pieces);
        if let TagOrDigest::Digest(expected) = at {
            let request = crate::error::text::request("PUT", &url);
            matches(&request, manifest.bytes(), expected.clone())?;
        }
        // If the answer that reports the subject was lost, the put by digest is repeated, which changes nothing.
        let asks_again = matches!(at, TagOrDigest::Digest(_)) && subject_of(manifest).is_some();
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        let answer = loop {
            match self.host.attempt(&call).await {
                Ok(answer) => break answer,
                Err(failure) => {
                    retries.again(failure).await.map_err(|error| error.about_manifest(manifest))?;
                }
            }
            if asks_again {
                continue;
            }
            let standing = self.head_manifest_at(at).await.unwrap_or_default();
            if standing.is_some_and(|standing| standing.digest == *manifest.digest()) {
                return Ok(PutOutcome { digest: manifest.digest().clone(), subject: None });
            }
        };
        if !answer.status().is_success() {
            return Err(answer.into_error().await.about_manifest(manifest));
        }
        if let Some(reported) = answer.digest() {
            matches(&answer.request, manifest.bytes(), reported)?;
        }
        let reported = answer.headers().get(&SUBJECT_HEADER).and_then(|it| it.to_str().ok());
        let subject = reported.and_then(|reported| reported.trim().parse().ok());
        let subject = subject.filter(|subject| subject_of(manifest).as_ref() == Some(subject));
        answer.discard().await;
        Ok(PutOutcome { digest: manifest.digest().clone(), subject })
    }

    /// Returns the address of the manifest at `at`.
    pub(super) async fn manifest_url(&self, at: &TagOrDigest) -> Result<url::Url, RegistryError> {
        self.host.endpoint(&format!("v2/{}/manifests/{at}", self.path)).await
    }
}

/// Whether a status says that HEAD is not answered, rather than that the content is not there.
fn refuses_head(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 404 | 405 | 406 | 415 | 501)
}

/// Whether an answer is a page for people, which a proxy sends in the place of the registry.
fn is_page(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|it| it == "text/html")
}

/// Returns the media types of manifests as an `Accept` header, and `known`, if it is another one. A referrer may have any type, so all
/// others are accepted too, as containerd does.
fn accept(known: Option<&str>) -> HeaderValue {
    let others = [media_type::OCI_ARTIFACT].into_iter().chain(known);
    let mut types: Vec<&str> = media_type::MANIFESTS.to_vec();
    for media_type in others {
        if !types.contains(&media_type) {
            types.push(media_type);
        }
    }
    types.push("*/*");
    HeaderValue::from_str(&types.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("*/*"))
}

/// Whether a media type says more than that the content is JSON, text or bytes.
fn is_specific(media_type: &str) -> bool {
    let general = ["application/json", "application/octet-stream"];
    media_type::is_media_type(media_type)
        && !general.contains(&media_type)
        && !media_type.starts_with("text/")
}

/// Whether a manifest, or its media type, repeats credentials.
fn repeats(redaction: &Redaction, bytes: &[u8], media_type: Option<&str>) -> bool {
    let text = String::from_utf8_lossy(bytes);
    [text.as_ref(), media_type.unwrap_or_default()].iter().any(|text| redaction.redact(text) != **text)
}

/// Returns `Content-Type` without parameters.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(media_type).filter(|media_type| !media_type.is_empty())
}

/// Returns the media type that a manifest declares, or else the one that its shape implies (image-spec, manifest.md and
/// image-index.md).
pub(crate) fn inner_type(bytes: &[u8]) -> Option<String> {
    let manifest: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(media_type) = manifest.get("mediaType").and_then(Value::as_str) {
        return Some(media_type.to_owned());
    }
    let holds = |key: &str| manifest.get(key).is_some();
    match (holds("manifests"), holds("config"), holds("fsLayers")) {
        (true, ..) => Some(media_type::OCI_INDEX.to_owned()),
        (_, true, _) => Some(media_type::OCI_MANIFEST.to_owned()),
        (.., true) => Some(media_type::DOCKER_SCHEMA_1.to_owned()),
        _ => None,
    }
}

/// Checks that `bytes` have the digest `expected`, with its algorithm.
fn matches(request: &str, bytes: &[u8], expected: Digest) -> Result<(), RegistryError> {
    let mut digester = expected.digester();
    digester.update(bytes);
    let found = digester.finish();
    if found == expected {
        return Ok(());
    }
    Err(RegistryError::ContentMismatch { request: request.to_owned(), expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_type_is_accepted() {
        let others = [media_type::OCI_ARTIFACT, "*/*"];
        let accepted = |known| accept(known).to_str().expect("text").to_owned();
        let all: Vec<&str> = media_type::MANIFESTS.into_iter().chain(others).collect();
        assert_eq!(accepted(None).split(", ").collect::<Vec<_>>(), all);
        assert_eq!(accepted(Some(media_type::OCI_INDEX)), accepted(None));
        assert!(accepted(Some("application/x")).ends_with("application/x, */*"));
    }

    #[test]
    fn the_type_of_a_manifest_is_recognized() {
        for (json, expected) in [
            (r#"{"mediaType":"application/vnd.x"}"#, Some("application/vnd.x")),
            (r#"{"manifests":[]}"#, Some(media_type::OCI_INDEX)),
            (r#"{"config":{}}"#, Some(media_type::OCI_MANIFEST)),
            (r#"{"fsLayers":[]}"#, Some(media_type::DOCKER_SCHEMA_1)),
            ("{}", None),
            ("[", None),
        ] {
            assert_eq!(inner_type(json.as_bytes()).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn content_types_lose_their_parameters() {
        let of = |text: &'static str| {
            content_type(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        assert_eq!(of("Application/JSON; charset=utf-8").as_deref(), Some("application/json"));
        assert_eq!(of(""), None);
        assert_eq!(content_type(&HeaderMap::new()), None);
    }
}
