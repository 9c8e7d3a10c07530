//! A reporter for tests that run the library and compare only its results.

use brokkr_publish::event::{Event, Reporter};

/// Reports nothing.
pub struct SilentReporter;

impl Reporter for SilentReporter {
    fn report(&self, _: &Event<'_>) {}
}
