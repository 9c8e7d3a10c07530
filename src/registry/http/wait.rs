//! How long one step of a request may take.

use std::time::Duration;

/// How long one step of a request may take.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// To connect, TLS included. 10 seconds.
    pub connect: Duration,
    /// From the end of the request to the head of the answer, and between two pieces of the answer's body.
    /// 60 seconds.
    pub answer: Duration,
    /// During an upload, without a byte being taken. 60 seconds.
    pub stall: Duration,
    /// During an upload, without the source of the blob yielding a byte. 10 minutes: another registry, fed
    /// from the same source, may be holding it up.
    pub source: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            stall: Duration::from_secs(60),
            source: Duration::from_secs(600),
        }
    }
}

impl Timeouts {
    /// How long the answer to an upload of `size` bytes may take once all is sent: registries compute the
    /// digest and move the content to its place first. A second more for each 16 MiB.
    pub(super) fn commit(&self, size: u64) -> Duration {
        self.answer + Duration::from_secs(size / (16 * 1024 * 1024))
    }
}
