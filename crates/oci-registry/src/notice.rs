//! Events that a person should know about while requests are in progress.

use std::sync::Arc;
use std::time::Duration;

/// An event that a person should know about while a request is in progress.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A request failed temporarily, and is sent again after `wait`.
    Retry {
        /// `METHOD url`, redacted.
        request: String,
        /// The number of the attempt that failed, from 1.
        attempt: u32,
        /// How long the program waits before the next attempt.
        wait: Duration,
        /// Why the attempt failed.
        cause: String,
    },
    /// The registry sent a `Warning` header (distribution-spec 1.1, "Warnings"). Each text is reported once.
    Warning {
        /// The registry's host.
        host: String,
        /// The text of the warning.
        text: String,
    },
}

/// Receives notices.
pub type Notify = Arc<dyn Fn(Notice) + Send + Sync>;
