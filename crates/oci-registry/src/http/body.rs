//! The body of a request: a blob's bytes as they are handed to the network, watched for stalls.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::{Instant, Sleep};

use super::Timeouts;
use super::upload_rate::UploadRate;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::repository::{BlobBody, ByteStream};

/// The most bytes that are handed to the network at once. The number is small, so that progress is visible on a slow
/// network; a slice of a piece costs no copy.
const SLICE: usize = 64 * 1024;

/// The bytes that a request carries. They can be opened as often as the request is sent.
pub(super) enum RequestBody<'a> {
    /// None.
    Empty,
    /// Pieces in memory.
    Pieces(&'a [Bytes]),
    /// A whole blob.
    Blob(&'a Descriptor, &'a dyn BlobBody),
}

impl RequestBody<'_> {
    /// Returns the number of bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Pieces(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Blob(blob, _) => blob.size,
        }
    }

    /// Returns a body for one attempt, and its progress. It is sent no faster than at `rate`.
    pub(super) fn open(&self, rate: Option<&UploadRate>) -> (reqwest::Body, Arc<UploadProgress>) {
        let progress = Arc::new(UploadProgress::new());
        let size = self.size();
        if size == 0 {
            progress.set(Turn::Registry);
            return (reqwest::Body::from(Bytes::new()), progress);
        }
        let inner: ByteStream = match self {
            Self::Empty => Box::pin(stream::empty()),
            Self::Pieces(pieces) => {
                let pieces: Vec<Bytes> = pieces.to_vec();
                Box::pin(stream::iter(pieces.into_iter().map(Ok)))
            }
            Self::Blob(_, body) => body.open(),
        };
        let watched = Watched {
            inner,
            current: Bytes::new(),
            left: size,
            ended: false,
            rate: rate.cloned(),
            pause: None,
            progress: Arc::clone(&progress),
        };
        (reqwest::Body::wrap_stream(watched), progress)
    }

    /// Returns the digest of the blob, if the payload is a whole blob.
    pub(super) fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Blob(blob, _) => Some(&blob.digest),
            _ => None,
        }
    }
}

/// The party that has to act next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The network has to take bytes.
    Network,
    /// The source has to yield bytes.
    Source,
    /// Everything was handed over, and the registry has to answer.
    Registry,
}

/// The progress of a body.
#[derive(Debug)]
pub(super) struct UploadProgress {
    turn: Mutex<(Turn, Instant)>,
    broken: Mutex<Option<String>>,
}

/// The party that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stall {
    /// The network took nothing.
    Network,
    /// The source yielded nothing.
    Source,
    /// The registry did not answer.
    Registry,
}

impl UploadProgress {
    fn new() -> Self {
        Self { turn: Mutex::new((Turn::Network, Instant::now())), broken: Mutex::new(None) }
    }

    /// Returns the error that the source of the bytes reported.
    pub(super) fn broken(&self) -> Option<String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, turn: Turn) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = (turn, Instant::now());
    }

    /// Records that the source was asked. Asking again is not progress.
    fn source_turn(&self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.0 != Turn::Source {
            *turn = (Turn::Source, Instant::now());
        }
    }

    fn fail(&self, reason: String) -> std::io::Error {
        // The first error is the cause.
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.clone());
        std::io::Error::other(reason)
    }

    /// Returns the time at which the present turn has taken too long.
    fn deadline(&self, timeouts: &Timeouts, size: u64) -> (Instant, Stall) {
        let (turn, since) = *self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match turn {
            Turn::Network => (since + timeouts.stall, Stall::Network),
            Turn::Source => (since + timeouts.source, Stall::Source),
            Turn::Registry => (since + timeouts.commit(size), Stall::Registry),
        }
    }
}

/// Drives `request`, which carries a body with this `progress`, until it ends or the present turn takes too long.
pub(super) async fn watch<F: Future>(
    request: F,
    progress: &UploadProgress,
    timeouts: &Timeouts,
    size: u64,
) -> Result<F::Output, Stall> {
    let mut request = std::pin::pin!(request);
    loop {
        let (deadline, _) = progress.deadline(timeouts, size);
        tokio::select! {
            biased;
            output = &mut request => return Ok(output),
            () = tokio::time::sleep_until(deadline) => {}
        }
        // The turn may have changed during the sleep.
        let (deadline, stall) = progress.deadline(timeouts, size);
        if deadline <= Instant::now() {
            return Err(stall);
        }
    }
}

/// The bytes of a blob in slices, exactly as many as announced, with each turn recorded. The last slice is held back
/// until the source has ended without an error: a source reports a wrong digest at its end, and the network, which
/// knows the length, would not ask again after the last byte.
struct Watched {
    inner: ByteStream,
    current: Bytes,
    left: u64,
    ended: bool,
    rate: Option<UploadRate>,
    /// The wait for the next slice.
    pause: Option<Pin<Box<Sleep>>>,
    progress: Arc<UploadProgress>,
}

impl Stream for Watched {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.ended && (this.current.is_empty() || (this.left == 0 && this.current.len() <= SLICE)) {
            this.progress.source_turn();
            match this.inner.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) if piece.len() as u64 > this.left => {
                    let reason = "there are more bytes than its descriptor says".to_owned();
                    return Poll::Ready(Some(Err(this.progress.fail(reason))));
                }
                Poll::Ready(Some(Ok(piece))) => {
                    this.left -= piece.len() as u64;
                    if !piece.is_empty() {
                        this.current = piece;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(this.progress.fail(error.to_string()))));
                }
                Poll::Ready(None) if this.left > 0 => {
                    let reason = format!("it ends {} bytes too early", this.left);
                    return Poll::Ready(Some(Err(this.progress.fail(reason))));
                }
                Poll::Ready(None) => this.ended = true,
            }
        }
        if this.current.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(rate) = &this.rate {
            // A wait for the rate is no stall of the network.
            let next = || Box::pin(tokio::time::sleep_until(rate.reserve(SLICE.min(this.current.len()))));
            let pause = this.pause.get_or_insert_with(next);
            if pause.as_mut().poll(context).is_pending() {
                this.progress.source_turn();
                return Poll::Pending;
            }
            this.pause = None;
        }
        let slice = this.current.split_to(SLICE.min(this.current.len()));
        let last = this.ended && this.current.is_empty();
        this.progress.set(if last { Turn::Registry } else { Turn::Network });
        Poll::Ready(Some(Ok(slice)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;

    use super::*;

    fn watched(pieces: Vec<std::io::Result<Bytes>>, size: u64) -> (Watched, Arc<UploadProgress>) {
        let progress = Arc::new(UploadProgress::new());
        let inner: ByteStream = Box::pin(stream::iter(pieces));
        (
            Watched {
                inner,
                current: Bytes::new(),
                left: size,
                ended: false,
                rate: None,
                pause: None,
                progress: Arc::clone(&progress),
            },
            progress,
        )
    }

    #[tokio::test]
    async fn pieces_come_in_slices() {
        let (stream, progress) =
            watched(vec![Ok(vec![1; 100_000].into()), Ok(Bytes::new()), Ok(vec![2; 5].into())], 100_005);
        let sizes: Vec<_> = stream.map(|piece| piece.map_or(0, |piece| piece.len())).collect().await;
        assert_eq!(sizes, [65_536, 34_464, 5]);
        assert_eq!(progress.broken(), None);
        assert_eq!(progress.turn.lock().expect("a lock").0, Turn::Registry);
    }

    #[tokio::test]
    async fn sizes_and_sources_must_be_right() {
        for (pieces, size, words) in [
            (vec![Ok(Bytes::from_static(b"abc"))], 2, "more bytes"),
            (vec![Err(std::io::Error::other("wrong digest"))], 4, "wrong digest"),
            (
                vec![Ok(Bytes::from_static(b"abc")), Err(std::io::Error::other("wrong digest"))],
                3,
                "wrong digest",
            ),
        ] {
            let (stream, progress) = watched(pieces, size);
            let mut pieces = stream.take(9).collect::<Vec<_>>().await;
            assert!(pieces.remove(0).is_err(), "{pieces:?}");
            let reason = progress.broken().expect("a reason");
            assert!(reason.contains(words), "{reason}");
        }
    }

    #[tokio::test]
    async fn an_early_end_is_an_error() {
        let (stream, progress) = watched(vec![Ok(Bytes::from_static(b"abc"))], 4);
        let pieces = stream.take(9).collect::<Vec<_>>().await;
        assert!(pieces[0].is_ok() && pieces[1].is_err());
        assert_eq!(progress.broken().as_deref(), Some("it ends 1 bytes too early"));
    }

    #[tokio::test(start_paused = true)]
    async fn stalls_are_seen_by_turn() {
        let timeouts = Timeouts { source: Duration::from_secs(90), ..Timeouts::default() };
        for (turn, stall, after) in [
            (Turn::Network, Stall::Network, 60),
            (Turn::Source, Stall::Source, 90),
            (Turn::Registry, Stall::Registry, 62),
        ] {
            let progress = UploadProgress::new();
            progress.set(turn);
            let start = Instant::now();
            let found = watch(std::future::pending::<()>(), &progress, &timeouts, 32 << 20).await;
            assert_eq!(found, Err(stall));
            assert_eq!(start.elapsed().as_secs(), after);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_network_is_no_stall() {
        let (mut stream, progress) = watched((0..10).map(|_| Ok(Bytes::from_static(b"x"))).collect(), 10);
        let slow = async move {
            while stream.next().await.is_some() {
                tokio::time::sleep(Duration::from_secs(50)).await;
            }
        };
        assert_eq!(watch(slow, &progress, &Timeouts::default(), 10).await, Ok(()));
    }
}
