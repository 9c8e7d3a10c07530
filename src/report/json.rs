//! Events as lines of JSON on standard output.

use super::clean;
use super::output::Output;
use crate::event::{Event, Reporter};

/// Writes a line of JSON for each event, except for the progress in bytes.
pub struct JsonLines(pub Output);

impl Reporter for JsonLines {
    fn report(&self, event: &Event<'_>) {
        if matches!(event, Event::BlobProgress { .. } | Event::SearchProgress { .. }) {
            return;
        }
        if let Ok(mut line) = serde_json::to_string(event) {
            line.push('\n');
            self.0.out(&clean::json(&line));
        }
    }
}
