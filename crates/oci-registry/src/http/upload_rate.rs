//! The most bytes of blobs in a second that are sent, to all hosts together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A limit for the bytes of blobs that are sent in a second. Clones share it.
#[derive(Debug, Clone)]
pub struct UploadRate {
    bytes: u64,
    next: Arc<Mutex<Option<Instant>>>,
}

impl UploadRate {
    /// Returns a limit of so many bytes in a second, at least 1 KiB.
    pub fn new(bytes: u64) -> Self {
        Self { bytes: bytes.max(1024), next: Arc::default() }
    }

    /// Returns the time at which so many bytes may be sent, and reserves it.
    pub(super) fn reserve(&self, bytes: usize) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes as f64);
        *next = Some(at + takes);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everybody_shares_the_rate() {
        let rate = UploadRate::new(64 * 1024);
        let started = Instant::now();
        for _ in 0..10 {
            for rate in [rate.clone(), rate.clone()] {
                tokio::time::sleep_until(rate.reserve(32 * 1024)).await;
            }
        }
        // The first slice waits for nothing.
        assert_eq!(started.elapsed().as_millis(), 9500);
    }
}
