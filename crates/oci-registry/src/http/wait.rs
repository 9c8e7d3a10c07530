//! The time limits for one step of a request, and for a listing of many pages.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{NetworkFailure, RegistryError};

/// The fewest bytes per second of an answer's body, after twice [`Timeouts::answer`]: otherwise a registry that sends
/// very slowly would never be given up.
const SLOWEST: u64 = 16 * 1024;

/// How long one step of a request may take.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// To connect, including TLS. 10 seconds.
    pub connect: Duration,
    /// From the end of the request to the head of the answer, and between two pieces of the answer's body.
    /// 60 seconds. The whole body may take twice as long, and a second more for each 16 KiB that came.
    pub answer: Duration,
    /// For all pages of a listing together, of tags or of GitHub's versions. 10 minutes.
    pub listing: Duration,
    /// During an upload, without the network taking a byte. 60 seconds.
    pub stall: Duration,
    /// During an upload, without the source of the blob yielding a byte. 10 minutes: another registry that is fed from
    /// the same source may be holding it up.
    pub source: Duration,
    /// For a credential program to answer. 30 seconds.
    pub program: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            listing: Duration::from_secs(600),
            stall: Duration::from_secs(60),
            source: Duration::from_secs(600),
            program: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// Returns how long the answer to an upload of `size` bytes may take after everything is sent: registries first
    /// compute the digest and move the content to its place. A second more for each 16 MiB.
    pub(super) fn commit(&self, size: u64) -> Duration {
        self.answer + Duration::from_secs(size / (16 * 1024 * 1024))
    }

    /// Returns how long the body of an answer may have taken when `received` bytes of it have come.
    pub(super) fn body(&self, received: u64) -> Duration {
        self.answer.saturating_mul(2).saturating_add(Duration::from_secs(received / SLOWEST))
    }
}

/// The time for all pages of one listing.
pub(super) struct ListingTime {
    limit: Duration,
    until: Instant,
}

impl ListingTime {
    /// Returns the time for a listing that starts now.
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        Self { limit: timeouts.listing, until: Instant::now() + timeouts.listing }
    }

    /// Returns the next page, requested by `request`, if it comes in time. `listed` describes the content of the
    /// previous pages.
    pub(super) async fn page<T>(
        &self,
        page: impl Future<Output = Result<T, RegistryError>> + Send,
        request: impl FnOnce() -> String + Send,
        listed: impl FnOnce() -> String + Send,
    ) -> Result<T, RegistryError> {
        tokio::time::timeout_at(self.until, page).await.unwrap_or_else(|_| {
            let cause = format!("the list has not ended after {:?}, with {} so far", self.limit, listed());
            let failure = NetworkFailure::Timeout;
            Err(RegistryError::Unreachable {
                request: request(),
                cause,
                attempts: 1,
                failure,
                elsewhere: None,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_take_longer_the_more_of_it_is_there() {
        let timeouts = Timeouts::default();
        for (received, seconds) in [(0, 120), (100, 120), (16 * 1024, 121), (16 << 20, 120 + 1024)] {
            assert_eq!(timeouts.body(received).as_secs(), seconds, "{received}");
        }
        assert!(Timeouts { answer: Duration::MAX, ..timeouts }.body(u64::MAX) > Duration::ZERO);
    }
}
