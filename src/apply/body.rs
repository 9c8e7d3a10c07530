//! The bytes of a blob on their way from a synchronous source to asynchronous connections. A blob is read and hashed once,
//! however many repositories take it.
//!
//! One thread reads, and each repository has a bounded channel. A repository that falls behind for long is let go, so that
//! it does not delay the others. It continues from its own reading of the source, and so does a retry.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::diagnostic::{Diagnostic, ToDiagnostic};
use oci_content::{Source, SourceError};
use oci_registry::Descriptor;
use oci_registry::{BlobBody, ByteStream};

/// The size of one read in bytes. Together with [`PIECES`] and the number of blobs under way, it bounds the memory.
const PIECE_SIZE: u64 = 1024 * 1024;
/// The number of pieces that may wait for a connection.
const PIECES: usize = 2;
/// The time that the others wait for a repository that takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A listener that is called with the number of bytes of a blob that have been handed on.
pub(super) type SentListener = Arc<dyn Fn(u64) + Send + Sync>;

/// A message of the reading thread.
enum BlobPiece {
    Bytes(Bytes),
    End,
    Failed(std::io::ErrorKind, String),
}

/// One reading of a blob, shared by several repositories. It begins when the first body is opened.
struct Reading {
    source: Arc<dyn Source>,
    blob: Descriptor,
    waiting: Mutex<Option<Vec<mpsc::Sender<BlobPiece>>>>,
    /// The answer of the registry that the blob is read from, if reading failed because of it.
    refused: Mutex<Option<Diagnostic>>,
}

/// The body of a blob for one of the repositories that share its reading.
pub(super) struct SharedBody {
    reading: Arc<Reading>,
    first: Mutex<Option<mpsc::Receiver<BlobPiece>>>,
    progress: SentListener,
}

/// Returns bodies of `blob`, one for each `progress` listener.
pub(super) fn share(
    source: &Arc<dyn Source>,
    blob: &Descriptor,
    progress: Vec<SentListener>,
) -> Vec<SharedBody> {
    let (senders, receivers): (Vec<_>, Vec<_>) = progress.iter().map(|_| mpsc::channel(PIECES)).unzip();
    let (source, blob, waiting) = (source.clone(), blob.clone(), Mutex::new(Some(senders)));
    let reading = Arc::new(Reading { source, blob, waiting, refused: Mutex::default() });
    let bodies = receivers.into_iter().zip(progress).map(|(receiver, progress)| SharedBody {
        reading: reading.clone(),
        first: Mutex::new(Some(receiver)),
        progress,
    });
    bodies.collect()
}

impl Reading {
    fn begin(self: &Arc<Self>) {
        let senders = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(senders) = senders {
            self.read_into(senders, 0);
        }
    }

    /// Reads the blob on a separate thread, and sends all but the first `skip` bytes.
    fn read_into(self: &Arc<Self>, mut senders: Vec<mpsc::Sender<BlobPiece>>, skip: u64) {
        let reading = self.clone();
        tokio::task::spawn_blocking(move || {
            let read = read_pieces(reading.source.as_ref(), &reading.blob, skip, &mut senders);
            if let Err(error) = &read
                && let Some(refused) = error.get_ref().and_then(|it| it.downcast_ref::<SourceError>())
                && matches!(refused, SourceError::Registry { .. } | SourceError::NotInRegistry { .. })
            {
                let diagnostic = refused.to_diagnostic();
                *reading.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(diagnostic);
            }
            for sender in &senders {
                let last = match &read {
                    Ok(()) => BlobPiece::End,
                    Err(error) => BlobPiece::Failed(error.kind(), error.to_string()),
                };
                // A receiver that is gone needs no end.
                let _ = sender.blocking_send(last);
            }
        });
    }

    fn read_alone(self: &Arc<Self>, skip: u64) -> mpsc::Receiver<BlobPiece> {
        let (sender, receiver) = mpsc::channel(PIECES);
        self.read_into(vec![sender], skip);
        receiver
    }
}

fn read_pieces(
    source: &dyn Source,
    blob: &Descriptor,
    skip: u64,
    senders: &mut Vec<mpsc::Sender<BlobPiece>>,
) -> std::io::Result<()> {
    let mut reader =
        source.open(blob).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
    std::io::copy(&mut reader.by_ref().take(skip), &mut std::io::sink())?;
    let capacity = usize::try_from(PIECE_SIZE.min(blob.size)).unwrap_or_default();
    loop {
        let mut piece = Vec::with_capacity(capacity);
        if reader.by_ref().take(PIECE_SIZE).read_to_end(&mut piece)? == 0 {
            return Ok(());
        }
        let piece = Bytes::from(piece);
        let alone = senders.len() == 1;
        senders.retain(|sender| send(sender, piece.clone(), alone));
        if senders.is_empty() {
            return Ok(());
        }
    }
}

/// Sends a piece. Returns whether the receiver still takes part in this reading. Waits for a receiver that is behind, but not for
/// long if others wait too.
fn send(sender: &mpsc::Sender<BlobPiece>, piece: Bytes, alone: bool) -> bool {
    let piece = BlobPiece::Bytes(piece);
    if alone {
        return sender.blocking_send(piece).is_ok();
    }
    match sender.try_send(piece) {
        Ok(()) => true,
        Err(TrySendError::Closed(_)) => false,
        Err(TrySendError::Full(piece)) => {
            Handle::current().block_on(sender.send_timeout(piece, PATIENCE)).is_ok()
        }
    }
}

/// The state of a stream: the reading that it gets its pieces from, and the number of bytes that it has handed on.
struct Position {
    reading: Arc<Reading>,
    receiver: mpsc::Receiver<BlobPiece>,
    sent: u64,
    progress: SentListener,
    over: bool,
}

impl SharedBody {
    /// The answer of the registry that the blob is read from, if reading failed because of it.
    pub(super) fn refused(&self) -> Option<Diagnostic> {
        self.reading.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl BlobBody for SharedBody {
    fn open(&self) -> ByteStream {
        let shared = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let receiver = match shared {
            Some(receiver) => {
                self.reading.begin();
                receiver
            }
            None => self.reading.read_alone(0),
        };
        let position = Position {
            reading: self.reading.clone(),
            receiver,
            sent: 0,
            progress: self.progress.clone(),
            over: false,
        };
        Box::pin(stream::unfold(position, next))
    }
}

async fn next(mut position: Position) -> Option<(std::io::Result<Bytes>, Position)> {
    if position.over {
        return None;
    }
    loop {
        match position.receiver.recv().await {
            Some(BlobPiece::Bytes(bytes)) => {
                position.sent += bytes.len() as u64;
                (position.progress)(position.sent);
                return Some((Ok(bytes), position));
            }
            Some(BlobPiece::End) => return None,
            Some(BlobPiece::Failed(kind, message)) => {
                position.over = true;
                return Some((Err(std::io::Error::new(kind, message)), position));
            }
            // This receiver was let go because it fell behind.
            None => position.receiver = position.reading.read_alone(position.sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{StreamExt, TryStreamExt};

    use super::*;
    use crate::diagnostic::Code;
    use oci_content::BlobReader;
    use oci_registry::Digest;

    struct Counted {
        bytes: Vec<u8>,
        opened: AtomicUsize,
    }

    impl Source for Counted {
        fn root(&self) -> Result<Descriptor, SourceError> {
            Ok(descriptor(&self.bytes))
        }

        fn open(&self, _: &Descriptor) -> Result<BlobReader, SourceError> {
            self.opened.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(std::io::Cursor::new(self.bytes.clone())))
        }
    }

    fn descriptor(bytes: &[u8]) -> Descriptor {
        Descriptor::new("application/octet-stream", Digest::of(bytes), bytes.len() as u64)
    }

    fn source(size: usize) -> (Arc<Counted>, Arc<dyn Source>) {
        let bytes: Vec<u8> = (0..size).map(|byte| u8::try_from(byte % 251).unwrap_or_default()).collect();
        let source = Arc::new(Counted { bytes, opened: AtomicUsize::new(0) });
        (source.clone(), source)
    }

    async fn collect(body: &SharedBody) -> Vec<u8> {
        body.open()
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
            .expect("readable")
    }

    fn silent(count: usize) -> Vec<SentListener> {
        (0..count).map(|_| Arc::new(|_| {}) as SentListener).collect()
    }

    #[tokio::test]
    async fn several_repositories_cost_one_reading() {
        let (counted, source) = source(3 * 1024 * 1024 + 5);
        let bodies = share(&source, &descriptor(&counted.bytes), silent(3));
        let all = futures_util::future::join_all(bodies.iter().map(collect)).await;
        assert!(all.iter().all(|bytes| *bytes == counted.bytes));
        assert_eq!(counted.opened.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_retry_reads_again_from_the_start() {
        let (counted, source) = source(2_000_000);
        let bodies = share(&source, &descriptor(&counted.bytes), silent(1));
        let mut broken_off = bodies[0].open();
        broken_off.next().await.expect("a piece").expect("readable");
        drop(broken_off);
        assert_eq!(collect(&bodies[0]).await, counted.bytes);
    }

    #[tokio::test]
    async fn a_repository_that_falls_behind_goes_on_alone() {
        let (counted, source) = source(8 * 1024 * 1024);
        let bodies = share(&source, &descriptor(&counted.bytes), silent(2));
        let slow = async {
            let mut stream = bodies[1].open();
            let mut all = stream.next().await.expect("a piece").expect("readable").to_vec();
            tokio::time::sleep(PATIENCE + Duration::from_secs(1)).await;
            while let Some(piece) = stream.next().await {
                all.extend_from_slice(&piece.expect("readable"));
            }
            all
        };
        let (fast, slow) = tokio::join!(collect(&bodies[0]), slow);
        assert!(fast == counted.bytes && slow == counted.bytes);
        assert_eq!(counted.opened.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_empty_blob_arrives() {
        let (counted, source) = source(0);
        let bodies = share(&source, &descriptor(&counted.bytes), silent(1));
        assert_eq!(collect(&bodies[0]).await, Vec::<u8>::new());
    }

    /// A source in a registry that is gone.
    struct Gone;

    impl Source for Gone {
        fn root(&self) -> Result<Descriptor, SourceError> {
            Ok(descriptor(b"x"))
        }

        fn open(&self, _: &Descriptor) -> Result<BlobReader, SourceError> {
            Err(SourceError::NotInRegistry { reason: "no answer".to_owned(), help: "wait".to_owned() })
        }
    }

    #[tokio::test]
    async fn the_answer_of_a_registry_is_not_lost() {
        let source: Arc<dyn Source> = Arc::new(Gone);
        let body = share(&source, &descriptor(b"x"), silent(1)).pop().expect("a body");
        assert!(body.refused().is_none());
        let piece = body.open().next().await.expect("an answer");
        assert_eq!(piece.expect_err("gone").to_string(), "no answer");
        let refused = body.refused().expect("an answer");
        assert_eq!((refused.code, refused.help.as_deref()), (Code::SourceMissing, Some("wait")));
    }
}
