//! Events as lines of JSON on standard output.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::clean;
use super::output::Output;
use super::progress::Progress;
use crate::event::{Event, Reporter};

/// The version of the lines of events. A minor version only adds events and keys.
const EVENTS_VERSION: &str = "1.0";

/// The time between two lines about the total.
const EVERY: Duration = Duration::from_secs(5);

/// A line of `apply --json` and of the other commands that apply a plan.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct EventLine<'a> {
    /// The version of this format, `MAJOR.MINOR`. A minor version only adds events and keys.
    format_version: &'static str,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// Writes a line of JSON for each event. The progress of single blobs has none; the total has one every few seconds.
pub struct JsonLines {
    output: Output,
    progress: Mutex<(Progress, Option<Instant>)>,
}

impl JsonLines {
    /// Returns lines on `output`.
    pub fn new(output: Output) -> Self {
        Self { output, progress: Mutex::default() }
    }

    fn write(&self, event: &Event<'_>) {
        if let Ok(mut line) = serde_json::to_string(&EventLine { format_version: EVENTS_VERSION, event }) {
            line.push('\n');
            self.output.out(&clean::json(&line));
        }
    }

    /// Takes an event, and returns the total if it is time to write it.
    fn due(&self, event: &Event<'_>) -> Option<Event<'static>> {
        let now = Instant::now();
        let mut held = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (progress, last) = &mut *held;
        progress.take(event, now);
        if !matches!(event, Event::BlobProgress { .. }) {
            return None;
        }
        let since = *last.get_or_insert(now);
        if now.duration_since(since) < EVERY {
            return None;
        }
        *last = Some(now);
        progress.reading(now).map(|it| Event::Progress {
            stage: it.stage,
            sent: it.sent,
            total: it.total,
            bytes_per_second: it.bytes_per_second,
            seconds_left: it.seconds_left,
        })
    }
}

impl Reporter for JsonLines {
    fn report(&self, event: &Event<'_>) {
        if let Some(progress) = self.due(event) {
            self.write(&progress);
        }
        if !matches!(event, Event::BlobProgress { .. } | Event::SearchProgress { .. }) {
            self.write(event);
        }
    }
}
