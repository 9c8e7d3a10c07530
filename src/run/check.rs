//! The lockstep checks alone, before tests and builds.

use super::session::{Result, Session};
use crate::checks::run_checks;
use crate::context::{CommitUse, ContextDoubt};
use crate::desired::{self, Selection};
use crate::diagnostic::Diagnostic;
use crate::model::AgreeingValue;

/// The result of the checks.
pub struct CheckedValues {
    /// One line about the context.
    pub title: String,
    /// The values that are as expected.
    pub agreeing: Vec<AgreeingValue>,
    /// The number of checks that do not apply in this context.
    pub silent: usize,
    /// Everything that is wrong, and the warnings about the context.
    pub diagnostics: Vec<Diagnostic>,
}

/// Runs the checks of `[[checks]]` that apply in this context. Contacts no registry and opens no source. Files are read from the
/// work tree as it is.
///
/// # Errors
///
/// Everything that is wrong with the configuration or the context.
pub fn check(session: &Session) -> Result<CheckedValues> {
    let config = session.load()?.config;
    let context = session.context(&config, CommitUse::Previewed)?;
    let mut diagnostics: Vec<Diagnostic> = context.doubts.iter().map(ContextDoubt::to_diagnostic).collect();
    let (applying, found) = desired::checks(&config, &context, &Selection::default());
    let silent = config.checks.len().saturating_sub(applying.len() + found.len());
    diagnostics.extend(found);
    let report = run_checks(&applying, &config.folder, &session.shown(&config.folder));
    diagnostics.extend(report.diagnostics);
    Ok(CheckedValues { title: context.describe(), agreeing: report.agreeing, silent, diagnostics })
}
