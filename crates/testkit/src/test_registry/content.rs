//! The content of the registry, and the answers that distribution-spec 1.1 specifies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use axum::body::Body;
use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::StreamExt;

use super::{Deletes, Logged, MissesBlobs, RequiredCredentials, SharedTestRegistry};
use crate::image::sha256;

/// A manifest as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// The media type that was sent with it.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Whether `text` is a digest: `sha256:HEX` or `sha512:HEX`.
pub(super) fn is_digest(text: &str) -> bool {
    let (digits, length) = match text.split_once(':') {
        Some(("sha256", digits)) => (digits, 64),
        Some(("sha512", digits)) => (digits, 128),
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The content of a registry.
#[derive(Clone, Default)]
pub struct RegistryContent {
    /// Blobs, by repository and digest.
    pub blobs: HashMap<(String, String), Bytes>,
    /// Manifests, by repository and digest.
    pub manifests: HashMap<(String, String), StoredManifest>,
    /// The digest that each tag names, by repository and tag.
    pub tags: BTreeMap<(String, String), String>,
    /// The bytes received in each open upload session, by its path.
    pub sessions: HashMap<String, Vec<u8>>,
    opened: usize,
    /// When each manifest was put last, by repository and digest.
    put_at: HashMap<(String, String), Instant>,
    /// Whether a manifest was deleted and its tags remained.
    halved: bool,
}

impl RegistryContent {
    /// Puts a manifest without a tag, and returns its digest.
    pub fn put(&mut self, repository: &str, media_type: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let manifest = StoredManifest { media_type: media_type.to_owned(), bytes: bytes.to_vec().into() };
        let key = (repository.to_owned(), digest.clone());
        self.put_at.insert(key.clone(), Instant::now());
        self.manifests.insert(key, manifest);
        digest
    }

    /// Puts a manifest under a tag.
    pub fn tag(&mut self, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) {
        let digest = self.put(repository, media_type, bytes);
        self.tags.insert((repository.to_owned(), tag.to_owned()), digest);
    }

    /// Deletes a manifest with all its tags.
    pub fn delete(&mut self, repository: &str, digest: &str) {
        self.manifests.remove(&(repository.to_owned(), digest.to_owned()));
        self.tags.retain(|(name, _), named| name != repository || named != digest);
    }

    /// Puts a blob.
    pub fn blob(&mut self, repository: &str, bytes: &Bytes) {
        self.blobs.insert((repository.to_owned(), sha256(bytes)), bytes.clone());
    }

    /// The bytes received in the upload session at `path`.
    pub(super) fn keep(&mut self, path: &str, bytes: &[u8]) {
        if let Some(session) = self.sessions.get_mut(path) {
            session.extend_from_slice(bytes);
        }
    }
}

/// The decoded pairs of a query.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// An answer without a body.
pub(super) fn empty(status: u16, headers: &[(&str, String)]) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        let name = header::HeaderName::try_from(*name).expect("a name");
        answer.headers_mut().insert(name, HeaderValue::try_from(value).expect("a header"));
    }
    answer
}

/// A JSON answer.
pub(super) fn json(status: u16, value: &serde_json::Value) -> Response<Body> {
    let mut answer = empty(status, &[("content-type", "application/json".to_owned())]);
    *answer.body_mut() = Body::from(value.to_string());
    answer
}

/// A refusal in the specified form.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Response<Body> {
    json(status, &serde_json::json!({ "errors": [{ "code": code, "message": message }] }))
}

/// A refusal because of missing content, with each digest in a detail.
fn missing(status: u16, code: &str, digests: &[String]) -> Response<Body> {
    let error = |digest: &String| serde_json::json!({ "code": code, "message": "unknown to registry", "detail": digest });
    json(status, &serde_json::json!({ "errors": digests.iter().map(error).collect::<Vec<_>>() }))
}

impl SharedTestRegistry {
    /// Answers as a registry does if nothing goes wrong.
    pub(super) async fn answer(&self, request: &Logged, body: Body) -> Response<Body> {
        if request.path == "/token" && self.options.auth == RequiredCredentials::Token {
            return self.token(request);
        }
        let Some(path) = request.path.strip_prefix("/v2/") else {
            return refusal(404, "UNKNOWN", "no such path");
        };
        let (repository, kind) = split(path);
        if let Some(challenge) = self.challenge(request, repository) {
            return challenge;
        }
        match (request.method.as_str(), kind) {
            ("GET", Kind::Root) => json(200, &serde_json::json!({})),
            ("GET", Kind::Tags) => self.tags(repository, &request.query),
            ("HEAD" | "GET", Kind::Manifest(at)) => self.manifest(repository, at, request.method == "HEAD"),
            ("PUT", Kind::Manifest(at)) => self.put_manifest(repository, at, request, body).await,
            ("GET", Kind::Referrers(subject)) => self.referrers(repository, subject, &request.query),
            ("DELETE", Kind::Manifest(at)) => self.delete_manifest(repository, at),
            ("HEAD" | "GET", Kind::Blob(digest)) => self.blob(repository, digest, request.header("range")),
            ("POST", Kind::Uploads) => self.open(repository, request),
            ("PATCH", Kind::Session) => self.patch(request, body).await,
            ("PUT", Kind::Session) => self.close(repository, request, body).await,
            ("GET", Kind::Session) => self.standing(request),
            ("DELETE", Kind::Session) if self.options.cancels => self.cancel(request),
            _ => refusal(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    fn tags(&self, repository: &str, query: &str) -> Response<Body> {
        let quirks = &self.options.quirks;
        if let Some(status) = quirks.list {
            return refusal(status, "UNSUPPORTED", "the operation is unsupported");
        }
        let query: HashMap<_, _> = pairs(query).into_iter().collect();
        let content = self.content.lock().expect("a lock");
        let of_repository = content.tags.keys().filter(|(name, _)| name == repository);
        let existing = of_repository.map(|(_, tag)| tag.as_str());
        let existing: BTreeSet<&str> = existing.chain(quirks.dangling.iter().copied()).collect();
        let token = if quirks.ignores_last { "token" } else { "last" };
        let last = query.get(token).cloned().unwrap_or_default();
        let hidden = |tag: &&&str| !quirks.hidden.contains(*tag);
        let all: Vec<&str> = existing.iter().filter(hidden).copied().filter(|tag| **tag > *last).collect();
        if existing.is_empty() {
            return refusal(404, "NAME_UNKNOWN", "repository name not known to registry");
        }
        let asked = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
        if query.contains_key("n") && quirks.most_asked.is_some_and(|most| asked > most) {
            return refusal(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested");
        }
        let mut page: Vec<_> = all.iter().take(asked.min(self.options.page)).copied().collect();
        let next = page.last().filter(|_| page.len() < all.len());
        let target = next.map(|last| format!("/v2/{repository}/tags/list?{token}={last}&n={}", page.len()));
        let link = target.and_then(|target| quirks.link.header(&target));
        if quirks.descending {
            page.reverse();
        }
        let mut answer = json(200, &serde_json::json!({ "name": repository, "tags": page }));
        if let Some(link) = link {
            answer.headers_mut().insert(header::LINK, HeaderValue::try_from(link).expect("a header"));
        }
        answer
    }

    fn manifest(&self, repository: &str, at: &str, is_head: bool) -> Response<Body> {
        let content = self.content.lock().expect("a lock");
        let tagged = content.tags.get(&(repository.to_owned(), at.to_owned())).cloned();
        let like_a_digest = self.options.takes_tags_for_digests.then(|| at.replacen('-', ":", 1));
        let digest = tagged.or(is_digest(at).then(|| at.to_owned())).or(like_a_digest);
        let manifest = digest.and_then(|digest| content.manifests.get(&(repository.to_owned(), digest)));
        let quirks = &self.options.quirks;
        let Some(manifest) = manifest else {
            let status = quirks.missing.unwrap_or(404);
            let code = if status == 404 { "MANIFEST_UNKNOWN" } else { "DENIED" };
            return refusal(status, code, "manifest unknown");
        };
        if let Some(status) = quirks.head.filter(|_| is_head) {
            return empty(status, &[]);
        }
        let found = sha256(&manifest.bytes);
        let headers = [
            ("content-type", manifest.media_type.clone()),
            ("content-length", manifest.bytes.len().to_string()),
            ("docker-content-digest", found),
        ];
        let mut answer = empty(200, &headers);
        *answer.body_mut() = Body::from(manifest.bytes.clone());
        answer
    }

    async fn put_manifest(&self, repository: &str, at: &str, request: &Logged, body: Body) -> Response<Body> {
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let digest = sha256(&bytes);
        if is_digest(at) && at != digest {
            return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        let mut content = self.content.lock().expect("a lock");
        if let Some(refusal) = self.incomplete(&content, repository, &bytes) {
            return refusal;
        }
        if !is_digest(at) {
            content.tags.insert((repository.to_owned(), at.to_owned()), digest.clone());
        }
        let asked = pairs(&request.query).into_iter().filter(|(key, _)| key == "tag").map(|(_, tag)| tag);
        let asked: Vec<String> = asked.collect();
        let counts = if asked.is_empty() { Some((0, 0)) } else { self.options.quirks.tags_together.counts() };
        let Some((put, repeated)) = counts else {
            return refusal(400, "UNSUPPORTED", "unknown query parameter");
        };
        for tag in asked.iter().take(put) {
            content.tags.insert((repository.to_owned(), tag.clone()), digest.clone());
        }
        let mut headers = vec![("docker-content-digest", digest)];
        headers.extend(self.processed(&bytes));
        content.put(repository, request.header("content-type"), &bytes);
        let mut answer = empty(201, &headers);
        for tag in asked.iter().take(repeated) {
            answer.headers_mut().append("oci-tag", HeaderValue::try_from(tag).expect("a header"));
        }
        answer
    }

    /// The refusal of a manifest whose content the registry lacks or does not find yet.
    fn incomplete(
        &self,
        content: &RegistryContent,
        repository: &str,
        manifest: &[u8],
    ) -> Option<Response<Body>> {
        let manifest: serde_json::Value = serde_json::from_slice(manifest).ok()?;
        let digests = |of: &serde_json::Value| {
            let listed = of.as_array().cloned().unwrap_or_default();
            let named = listed.into_iter().filter_map(|it| it["digest"].as_str().map(str::to_owned));
            named.map(|digest| (repository.to_owned(), digest)).collect::<Vec<_>>()
        };
        let lag = self.options.child_lag;
        let is_late = |child: &(String, String)| {
            !lag.is_zero() && content.put_at.get(child).is_none_or(|put| put.elapsed() < lag)
        };
        if let Some((_, child)) = digests(&manifest["manifests"]).into_iter().find(is_late) {
            return Some(missing(404, "MANIFEST_UNKNOWN", &[child]));
        }
        let MissesBlobs { status, names } = self.options.misses_blobs?;
        let mut blobs = digests(&manifest["layers"]);
        blobs.extend(digests(&serde_json::json!([manifest["config"]])));
        blobs.retain(|blob| !content.blobs.contains_key(blob));
        let named: Vec<String> = blobs.iter().take(names.max(1)).map(|(_, digest)| digest.clone()).collect();
        let shown = if names == 0 { vec![String::new(); named.len()] } else { named };
        (!blobs.is_empty()).then(|| missing(status, "MANIFEST_BLOB_UNKNOWN", &shown))
    }

    fn delete_manifest(&self, repository: &str, at: &str) -> Response<Body> {
        let deletes = self.options.deletes;
        let digest = is_digest(at).then(|| at.to_owned());
        match (deletes, &digest) {
            (Deletes::Nothing, _) => return refusal(405, "UNSUPPORTED", "the operation is unsupported"),
            (Deletes::Unknown, _) => return empty(404, &[]),
            (Deletes::Manifests | Deletes::ManifestsByHalves, None) => {
                return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            }
            _ => {}
        }
        let mut content = self.content.lock().expect("a lock");
        let tag = (repository.to_owned(), at.to_owned());
        let found = match &digest {
            Some(digest) => Some(digest.clone()),
            None => content.tags.get(&tag).cloned(),
        };
        let found = found.filter(|it| content.manifests.contains_key(&(repository.to_owned(), it.clone())));
        let Some(found) = found else { return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown") };
        if digest.is_none() && deletes == Deletes::Tags {
            content.tags.remove(&tag);
        } else if deletes == Deletes::ManifestsByHalves && !std::mem::replace(&mut content.halved, true) {
            content.manifests.remove(&(repository.to_owned(), found));
            return refusal(500, "UNKNOWN", "unknown error");
        } else {
            content.delete(repository, &found);
        }
        empty(202, &[])
    }

    fn blob(&self, repository: &str, digest: &str, range: &str) -> Response<Body> {
        let content = self.content.lock().expect("a lock");
        let Some(bytes) = content.blobs.get(&(repository.to_owned(), digest.to_owned())) else {
            return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
        };
        let size = bytes.len();
        let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        let (mut answer, bytes) = match from.filter(|_| self.options.ranges) {
            None => (empty(200, &[("content-length", size.to_string())]), bytes.clone()),
            Some(from) => {
                let from: usize = from.parse().expect("a number");
                if from >= size {
                    return empty(416, &[("content-range", format!("bytes */{size}"))]);
                }
                let part = format!("bytes {from}-{}/{size}", size - 1);
                let length = ("content-length", (size - from).to_string());
                (empty(206, &[length, ("content-range", part)]), bytes.slice(from..))
            }
        };
        *answer.body_mut() = Body::from(bytes);
        answer
    }

    fn open(&self, repository: &str, request: &Logged) -> Response<Body> {
        let query: HashMap<_, _> = pairs(&request.query).into_iter().collect();
        let mut content = self.content.lock().expect("a lock");
        if let (true, Some(digest), Some(source)) =
            (self.options.mounts, query.get("mount"), query.get("from"))
        {
            assert!(is_digest(digest), "{digest} is no digest");
            if self.options.claims_mounts {
                let location = format!("/v2/{repository}/blobs/{digest}");
                return empty(201, &[("location", location), ("docker-content-digest", digest.clone())]);
            }
            if let Some(bytes) = content.blobs.get(&(source.clone(), digest.clone())).cloned() {
                content.blobs.insert((repository.to_owned(), digest.clone()), bytes);
                let location = format!("/v2/{repository}/blobs/{digest}");
                return empty(201, &[("location", location), ("docker-content-digest", digest.clone())]);
            }
        }
        content.opened += 1;
        let path = format!("/v2/{repository}/blobs/uploads/{}", content.opened);
        content.sessions.insert(path.clone(), Vec::new());
        self.went_on(202, &path, 0)
    }

    /// The answer of a session that holds this number of bytes. Its `Location` has a query that clients must keep.
    fn went_on(&self, status: u16, path: &str, size: usize) -> Response<Body> {
        let root = if self.options.absolute { format!("http://{}", self.address) } else { String::new() };
        let mut headers = vec![
            ("location", format!("{root}{path}?_state=a%2Fb%3D%3D&at={size}")),
            ("range", format!("0-{}", size.saturating_sub(1))),
        ];
        if self.options.smallest_chunk > 0 {
            headers.push(("oci-chunk-min-length", self.options.smallest_chunk.to_string()));
        }
        empty(status, &headers)
    }

    async fn patch(&self, request: &Logged, body: Body) -> Response<Body> {
        let held = self.content.lock().expect("a lock").sessions.get(&request.path).map(Vec::len);
        let Some(held) = held else { return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown") };
        let range =
            request.header("content-range").split_once('-').map(|(start, end)| (start.parse(), end.parse()));
        let Some((Ok(start), Ok(end))) = range else {
            return refusal(400, "BLOB_UPLOAD_INVALID", "no range");
        };
        let (start, end): (u64, u64) = (start, end);
        if start != held as u64 || end - start + 1 > self.options.largest_chunk {
            return self.went_on(416, &request.path, held);
        }
        let mut body = body.into_data_stream();
        while let Some(Ok(piece)) = body.next().await {
            self.content.lock().expect("a lock").keep(&request.path, &piece);
        }
        let held = self.content.lock().expect("a lock").sessions.get(&request.path).map_or(0, Vec::len);
        self.went_on(202, &request.path, held)
    }

    async fn close(&self, repository: &str, request: &Logged, body: Body) -> Response<Body> {
        let length: u64 = request.header("content-length").parse().unwrap_or(0);
        if length > 0 && !self.options.whole {
            return refusal(405, "UNSUPPORTED", "send chunks");
        }
        let Ok(last) = axum::body::to_bytes(body, usize::MAX).await else {
            return refusal(400, "BLOB_UPLOAD_INVALID", "the body broke");
        };
        let mut content = self.content.lock().expect("a lock");
        let Some(mut bytes) = content.sessions.remove(&request.path) else {
            return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown");
        };
        bytes.extend_from_slice(&last);
        let query = pairs(&request.query);
        let digest = query.iter().find(|(key, _)| key == "digest").map(|(_, digest)| digest.clone());
        let found = sha256(&bytes);
        if digest.as_deref() != Some(found.as_str()) || !request.query.starts_with("_state=a%2Fb%3D%3D&") {
            return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        content.blobs.insert((repository.to_owned(), found.clone()), bytes.into());
        let location = format!("/v2/{repository}/blobs/{found}");
        empty(201, &[("location", location), ("docker-content-digest", found)])
    }

    fn cancel(&self, request: &Logged) -> Response<Body> {
        match self.content.lock().expect("a lock").sessions.remove(&request.path) {
            Some(_) => empty(204, &[]),
            None => refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown"),
        }
    }

    fn standing(&self, request: &Logged) -> Response<Body> {
        let held = self.content.lock().expect("a lock").sessions.get(&request.path).map(Vec::len);
        match held {
            Some(held) => self.went_on(204, &request.path, held),
            None => refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown"),
        }
    }
}

/// The kind of resource that a path below `/v2/` names.
enum Kind<'a> {
    Root,
    Tags,
    Manifest(&'a str),
    Referrers(&'a str),
    Blob(&'a str),
    Uploads,
    Session,
    Unknown,
}

/// The repository of a path, and the resource in it.
fn split(path: &str) -> (&str, Kind<'_>) {
    if path.is_empty() {
        return ("", Kind::Root);
    }
    if let Some(repository) = path.strip_suffix("/tags/list") {
        return (repository, Kind::Tags);
    }
    if let Some((repository, rest)) = path.split_once("/blobs/uploads/") {
        return (repository, if rest.is_empty() { Kind::Uploads } else { Kind::Session });
    }
    if let Some((repository, digest)) = path.split_once("/blobs/") {
        return (repository, Kind::Blob(digest));
    }
    if let Some((repository, subject)) = path.split_once("/referrers/") {
        return (repository, Kind::Referrers(subject));
    }
    match path.split_once("/manifests/") {
        Some((repository, at)) => (repository, Kind::Manifest(at)),
        None => ("", Kind::Unknown),
    }
}
