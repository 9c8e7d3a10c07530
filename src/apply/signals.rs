//! The signals between the repositories of a stage: a failure in one of them lets no other begin another change.

use std::sync::atomic::{AtomicBool, Ordering};

use super::options::ApplyOptions;
use crate::diagnostic::Diagnostic;

/// Whether a stage goes on.
#[derive(Default)]
pub(super) struct Signals {
    stopped: AtomicBool,
    /// Whether the person stopped it before everything was tried.
    pub interrupted: AtomicBool,
}

impl Signals {
    /// Lets no other repository begin another change.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether no other change may begin, because something failed or because the person wants to stop.
    pub fn ends(&self, options: &ApplyOptions<'_>) -> bool {
        if self.stopped.load(Ordering::SeqCst) {
            return true;
        }
        let cancelled = *options.cancel.borrow();
        self.interrupted.fetch_or(cancelled, Ordering::SeqCst);
        cancelled
    }

    /// Returns whether all changes of the stage were tried, or the problems.
    pub fn result(&self, problems: Vec<Diagnostic>) -> Result<bool, Vec<Diagnostic>> {
        if problems.is_empty() { Ok(!self.interrupted.load(Ordering::SeqCst)) } else { Err(problems) }
    }
}
