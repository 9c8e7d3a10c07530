//! Reading a blob of any size: its bytes as they come, continued from the place at which a connection broke
//! (distribution-spec 1.1, "Pulling blobs"; RFC 9110, section 14).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};
use url::Url;

use super::exchange::Request;
use super::host::Host;
use super::repository::HttpRepository;
use super::response::Response;
use super::retry::{FailedAttempt, Retries};
use super::tokens::RequiredAccess;
use crate::descriptor::Descriptor;
use crate::error::{NetworkFailure, RegistryError};
use crate::repository::ByteStream;

/// How many bytes must have come since the last break before attempts are counted from one again: enough that a
/// registry that keeps breaking off is given up, and that one that breaks off now and then is not.
const PROGRESS: u64 = 8 * 1024 * 1024;

/// A blob that is being read.
struct Pull {
    host: Arc<Host>,
    url: Url,
    reading: RequiredAccess,
    size: u64,
    /// How many bytes were handed on.
    handed: u64,
    /// The value of `handed` when attempts were last counted from one.
    counted_from: u64,
    retries: Retries,
    /// The answer that the bytes come from, and how many of its bytes to skip.
    answer: Option<(Response, u64)>,
}

impl HttpRepository {
    /// Returns the bytes of `blob`. Registries often redirect to storage on another host, which sees no credentials.
    pub(super) async fn pull(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        let host = Arc::clone(&self.host);
        let url = host.endpoint(&format!("v2/{}/blobs/{}", self.path, blob.digest)).await?;
        let retries = Retries::of_blob(&host.policy, &host.notify);
        let (reading, size) = (self.reading.clone(), blob.size);
        let mut pull = Pull { host, url, reading, size, handed: 0, counted_from: 0, retries, answer: None };
        pull.ask().await?;
        // A reader may poll once more after the end.
        Ok(Box::pin(stream::unfold(Some(pull), next).fuse()))
    }
}

/// Returns the next piece of a blob. After an error there is none.
async fn next(pull: Option<Pull>) -> Option<(io::Result<Bytes>, Option<Pull>)> {
    let mut pull = pull?;
    match pull.piece().await {
        Ok(Some(piece)) => Some((Ok(piece), Some(pull))),
        Ok(None) => None,
        Err(error) => Some((Err(io::Error::other(error)), None)),
    }
}

impl Pull {
    /// Requests the bytes from the place at which they broke off.
    async fn ask(&mut self) -> Result<(), RegistryError> {
        let mut call = Request::new(Method::GET, self.url.clone(), &self.reading);
        if self.handed > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.handed))
        {
            call.headers.insert(RANGE, range);
        }
        let answer = self.host.send(&call).await?;
        let (skipped, total) = match answer.status() {
            // The answer is the whole blob: the range was not requested, or was ignored.
            StatusCode::OK => (self.handed, answer.length()),
            StatusCode::PARTIAL_CONTENT if self.handed > 0 => match range(answer.headers()) {
                Some((from, total)) if from == self.handed => (0, total),
                _ => return Err(answer.protocol("a part of the blob that was not requested")),
            },
            _ => return Err(answer.into_error().await),
        };
        if let Some(total) = total.filter(|total| *total != self.size) {
            let reason =
                format!("a blob of {total} bytes, although its descriptor says that it has {}", self.size);
            return Err(answer.protocol(reason));
        }
        self.answer = Some((answer, skipped));
        Ok(())
    }

    /// Returns the next bytes; `None` if all have been returned.
    async fn piece(&mut self) -> Result<Option<Bytes>, RegistryError> {
        loop {
            if self.answer.is_none() {
                self.ask().await?;
            }
            let Some((answer, skip)) = &mut self.answer else { continue };
            let failure = match answer.piece().await {
                Ok(Some(mut piece)) => {
                    let passed = piece.len().min(usize::try_from(*skip).unwrap_or(usize::MAX));
                    *skip -= passed as u64;
                    let piece = piece.split_off(passed);
                    if piece.is_empty() {
                        continue;
                    }
                    self.handed = self.handed.saturating_add(piece.len() as u64);
                    if self.handed > self.size {
                        let reason = format!("more than the {} bytes of the blob", self.size);
                        return Err(answer.protocol(reason));
                    }
                    return Ok(Some(piece));
                }
                Ok(None) if self.handed == self.size => return Ok(None),
                Ok(None) => early(answer, self.handed, self.size),
                Err(failure) => failure,
            };
            self.answer = None;
            if self.handed - self.counted_from >= PROGRESS {
                self.retries.progressed(self.handed);
                self.counted_from = self.handed;
            }
            self.retries.again(failure).await?;
        }
    }
}

/// Returns the failure for an answer that ended too early. Another attempt may work.
fn early(answer: &Response, handed: u64, size: u64) -> FailedAttempt {
    let request = answer.request.clone();
    let cause = format!("the answer ended after {handed} of {size} bytes");
    let failure = NetworkFailure::Connection;
    let error =
        RegistryError::Unreachable { request: request.clone(), cause, attempts: 1, failure, elsewhere: None };
    FailedAttempt { request, error, passing: true }
}

/// Returns the position of an answer's bytes in the whole, and the size of the whole: `bytes FROM-TO/TOTAL`.
fn range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim();
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = span.split_once('-')?;
    Some((from.trim().parse().ok()?, total.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        for (text, expected) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("bytes x-9/10", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(text))]);
            assert_eq!(range(&headers), expected, "{text}");
        }
        assert_eq!(range(&HeaderMap::new()), None);
    }
}
