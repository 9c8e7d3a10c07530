//! The exit codes, and the asynchronous runtime that a command works on.

use crate::diagnostic::{Code, Diagnostic};

/// The command succeeded, or there was nothing to change.
pub(super) const DONE: u8 = 0;
/// There was an error. A blocked plan and a usage error count as errors.
pub(super) const FAILED: u8 = 1;
/// There are changes (`plan --detailed-exitcode`), or there is drift (`verify`).
pub(super) const CHANGES: u8 = 2;

/// Everything that is required was done, and something is missing in a registry that is not (`required = false`).
pub(super) const INCOMPLETE: u8 = 3;

/// The exit code of a command, or its diagnostics.
pub(super) type Exit = Result<u8, Vec<Diagnostic>>;

/// Runs `work` on the asynchronous runtime.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Vec<Diagnostic>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        vec![Diagnostic::error(Code::ApplyFailed, format!("the runtime cannot be started: {error}"))]
    })?;
    let result = runtime.block_on(work);
    // The process must not wait for a read whose result nobody needs any more.
    runtime.shutdown_background();
    Ok(result)
}
