//! Pushing a blob in chunks that can be resumed (distribution-spec 1.1, "Pushing a blob in chunks"). This is for
//! registries that do not accept a blob in one PUT, and for networks that break often.

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};
use url::Url;

use super::body::RequestBody;
use super::exchange::{Request, RequestLane};
use super::location;
use super::repository::HttpRepository;
use super::retry::{FailedAttempt, Retries};
use super::upload::{Setback, octets};
use super::upload_session::UploadSession;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{NetworkFailure, RegistryError};
use crate::repository::{BlobBody, ByteStream};

/// The size of a chunk, in bytes: GHCR answers 416 to larger ones (rust-oci-client#35).
const CHUNK: u64 = 4 * 1024 * 1024;
/// The largest chunk, in bytes, even if a registry asks for a larger one: a chunk is held in memory while it is sent.
const LARGEST_CHUNK: u64 = 32 * 1024 * 1024;
/// How often one chunk is sent again because the registry is at another offset.
const RESUMES: u32 = 4;

impl HttpRepository {
    /// Sends `blob` chunk by chunk. `retries` counts all attempts to send the blob.
    pub(super) async fn put_chunks(
        &self,
        session: UploadSession,
        blob: &Descriptor,
        body: &dyn BlobBody,
        retries: &mut Retries,
    ) -> Result<(), Setback> {
        let size = CHUNK.max(session.smallest_chunk).min(LARGEST_CHUNK);
        let mut chunks = Chunks { stream: body.open(), rest: Bytes::new(), left: blob.size };
        let (mut url, mut start) = (session.url, 0);
        while chunks.left > 0 {
            let read = chunks.next(size, self.host.timeouts.source).await;
            let chunk =
                read.map_err(|cause| RegistryError::Content { digest: blob.digest.clone(), cause })?;
            let end = blob.size - chunks.left;
            url = self.send_chunk(url, chunk, start, end, retries).await?;
            retries.progressed(end);
            start = end;
        }
        self.close(&url, &blob.digest, retries).await
    }

    /// Sends the bytes from `start` to before `end`, and after a failure continues from the registry's offset. Returns
    /// the address for the next request.
    async fn send_chunk(
        &self,
        mut url: Url,
        mut chunk: Vec<Bytes>,
        start: u64,
        end: u64,
        retries: &mut Retries,
    ) -> Result<Url, Setback> {
        let (mut from, mut resumes) = (start, 0);
        loop {
            let sent = self.host.attempt(&self.patch(&url, &chunk, from, end)).await;
            let error = match sent {
                Ok(answer) if answer.status().is_success() => {
                    // The `Range` of this answer is ignored, because ECR's lags behind.
                    let next = location::of(&answer.url, answer.headers());
                    let next = next.map_err(|reason| answer.protocol(reason))?;
                    answer.discard().await;
                    return Ok(next);
                }
                Ok(answer) if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE => {
                    answer.into_error().await
                }
                Ok(answer) => {
                    let (status, request) = (answer.status().as_u16(), answer.request.clone());
                    let error = answer.into_error().await;
                    return Err(match status {
                        400 | 404 | 405 | 413 | 501 if start == 0 => Setback::Unfit(error),
                        404 => Setback::Failed(FailedAttempt { request, error, passing: true }),
                        _ => error.into(),
                    });
                }
                Err(failure) => {
                    let error = failure.error.clone();
                    retries.again(failure).await?;
                    error
                }
            };
            let (at, next) = self.standing(&url, retries).await?;
            url = next;
            resumes += 1;
            tracing::debug!(from, at, "resuming an upload");
            if at == end {
                return Ok(url);
            }
            if !(from..end).contains(&at) || resumes > RESUMES {
                // The registry lost its bytes, or reports an impossible offset: a new session is needed.
                return Err(lost(self.host.described("PATCH", &url), &error));
            }
            skip(&mut chunk, at - from);
            from = at;
        }
    }

    fn patch<'a>(&'a self, url: &Url, chunk: &'a [Bytes], from: u64, end: u64) -> Request<'a> {
        let mut headers = octets();
        // Both ends are inclusive, and there is no unit, unlike in HTTP in general.
        let range = HeaderValue::try_from(format!("{from}-{}", end.saturating_sub(1)));
        headers.extend(range.ok().map(|range| (CONTENT_RANGE, range)));
        let (access, payload) = (&self.writing, RequestBody::Pieces(chunk));
        Request {
            method: Method::PATCH,
            url: url.clone(),
            access,
            headers,
            payload,
            secret_in_body: None,
            lane: RequestLane::Upload,
        }
    }

    /// Returns how many bytes the registry has, and the address for the next request.
    async fn standing(&self, url: &Url, retries: &mut Retries) -> Result<(u64, Url), Setback> {
        let call = Request::new(Method::GET, url.clone(), &self.writing);
        let answer = loop {
            match self.host.attempt(&call).await {
                Ok(answer) => break answer,
                Err(failure) => retries.again(failure).await?,
            }
        };
        if !answer.status().is_success() {
            return Err(lost(self.host.described("PATCH", url), &answer.into_error().await));
        }
        let at = received(answer.headers());
        let next = location::of(&answer.url, answer.headers()).unwrap_or_else(|_| url.clone());
        answer.discard().await;
        Ok((at, next))
    }

    /// Ends the upload after everything is sent. After a failure it first checks whether the blob is there, because the
    /// failure may have come too late.
    async fn close(&self, url: &Url, digest: &Digest, retries: &mut Retries) -> Result<(), Setback> {
        let call = Request::new(Method::PUT, location::with_digest(url, digest), &self.writing);
        loop {
            match self.host.attempt(&call).await {
                Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                    return Err(lost(self.host.described("PATCH", url), &answer.into_error().await));
                }
                Ok(answer) => return Ok(self.committed(answer, digest).await?),
                Err(failure) => {
                    let again = retries.again(failure).await;
                    if self.is_there(digest).await {
                        return Ok(());
                    }
                    again?;
                }
            }
        }
    }
}

/// Returns the failure for a session that no longer exists. A new session may work.
fn lost(request: String, cause: &RegistryError) -> Setback {
    let cause = format!("the upload session is lost: {cause}");
    let failure = NetworkFailure::Connection;
    let error =
        RegistryError::Unreachable { request: request.clone(), cause, attempts: 1, failure, elsewhere: None };
    Setback::Failed(FailedAttempt { request, error, passing: true })
}

/// Returns how many bytes a `Range` of the form `0-LAST` describes. The distribution registry also says `0-0` for none;
/// a registry never has exactly one byte.
fn received(headers: &HeaderMap) -> u64 {
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last =
        range.split_once('-').filter(|(first, _)| *first == "0").and_then(|(_, last)| last.parse().ok());
    match last {
        None | Some(0) => 0,
        Some(last) => u64::saturating_add(last, 1),
    }
}

/// Drops the first `count` bytes.
fn skip(pieces: &mut Vec<Bytes>, mut count: u64) {
    pieces.retain_mut(|piece| {
        let dropped = usize::try_from(count).unwrap_or(usize::MAX).min(piece.len());
        count -= dropped as u64;
        let _ = piece.split_to(dropped);
        !piece.is_empty()
    });
}

/// A blob in chunks. Each chunk consists of the pieces that were read; none is copied.
struct Chunks {
    stream: ByteStream,
    rest: Bytes,
    left: u64,
}

impl Chunks {
    /// Returns the next `size` bytes, or the remaining ones. The last bytes are returned only after the source has
    /// ended without an error.
    async fn next(&mut self, size: u64, patience: std::time::Duration) -> Result<Vec<Bytes>, String> {
        let (mut wanted, mut pieces) = (size.min(self.left), Vec::new());
        self.left -= wanted;
        while wanted > 0 {
            if self.rest.is_empty() {
                self.rest = match read(&mut self.stream, patience).await? {
                    Some(piece) => piece,
                    None => return Err(format!("it ends {} bytes too early", wanted + self.left)),
                };
            }
            let taken = usize::try_from(wanted).unwrap_or(usize::MAX).min(self.rest.len());
            wanted -= taken as u64;
            pieces.push(self.rest.split_to(taken));
        }
        while self.left == 0 {
            match read(&mut self.stream, patience).await? {
                None => break,
                Some(piece) if piece.is_empty() && self.rest.is_empty() => {}
                Some(_) => return Err("there are more bytes than its descriptor says".to_owned()),
            }
        }
        if self.left == 0 && !self.rest.is_empty() {
            return Err("there are more bytes than its descriptor says".to_owned());
        }
        Ok(pieces)
    }
}

async fn read(stream: &mut ByteStream, patience: std::time::Duration) -> Result<Option<Bytes>, String> {
    match tokio::time::timeout(patience, stream.next()).await {
        Ok(piece) => piece.transpose().map_err(|error| error.to_string()),
        Err(_) => Err(format!("its source gave nothing for {patience:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn chunks(pieces: Vec<std::io::Result<Bytes>>, size: u64) -> Chunks {
        Chunks { stream: Box::pin(futures_util::stream::iter(pieces)), rest: Bytes::new(), left: size }
    }

    #[test]
    fn ranges_of_registries() {
        for (range, expected) in [
            ("0-99", 100),
            ("bytes=0-99", 100),
            ("0-0", 0),
            ("5-9", 0),
            ("", 0),
            ("0-", 0),
            ("0-18446744073709551615", u64::MAX),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
            assert_eq!(received(&headers), expected, "{range}");
        }
        assert_eq!(received(&HeaderMap::new()), 0);
    }

    #[tokio::test]
    async fn sources_must_be_as_described() {
        let patience = Duration::from_secs(1);
        for (pieces, size, words) in [
            (vec![Ok(Bytes::from_static(b"abc"))], 4, "1 bytes too early"),
            (vec![Ok(Bytes::from_static(b"abc"))], 2, "more bytes"),
            (vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"d"))], 3, "more bytes"),
            (
                vec![Ok(Bytes::from_static(b"abc")), Err(std::io::Error::other("wrong digest"))],
                3,
                "wrong digest",
            ),
        ] {
            let error = chunks(pieces, size).next(9, patience).await.expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn chunks_are_the_bytes(sizes in proptest::collection::vec(0_usize..40, 0..12), chunk in 1_u64..50) {
            let bytes: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let mut rest = Bytes::from(bytes.clone());
            let pieces = sizes.iter().map(|size| Ok(rest.split_to(*size))).collect();
            let mut chunks = chunks(pieces, bytes.len() as u64);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let mut read = Vec::new();
            while chunks.left > 0 {
                let next = runtime.block_on(chunks.next(chunk, Duration::from_secs(1))).unwrap();
                let length: usize = next.iter().map(Bytes::len).sum();
                prop_assert!(length as u64 == chunk || chunks.left == 0);
                read.extend(next.concat());
            }
            prop_assert_eq!(read, bytes);
        }

        #[test]
        fn skipping_drops_the_received_bytes(sizes in proptest::collection::vec(0_usize..9, 0..9), count in 0_u64..80) {
            let mut pieces: Vec<Bytes> = sizes.iter().map(|size| Bytes::from(vec![7; *size])).collect();
            let all: usize = sizes.iter().sum();
            skip(&mut pieces, count);
            let left: usize = pieces.iter().map(Bytes::len).sum();
            prop_assert_eq!(left, all.saturating_sub(usize::try_from(count).unwrap()));
        }
    }
}
