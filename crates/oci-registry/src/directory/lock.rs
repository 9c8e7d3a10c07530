//! The lock of a layout: an advisory lock on a file that is never removed. The operating system frees it when its
//! holder dies for any reason.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{error, wrong};
use crate::error::{DirectoryProblem, RegistryError};

/// The file that is locked.
pub(super) const FILE: &str = ".brokkr-publish.lock";
/// How long another process may hold the lock: it needs it for milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(super) struct LayoutLock(#[allow(dead_code, reason = "closing the file frees the lock")] File);

/// Takes the lock of the layout at `folder`, which must exist.
pub(super) fn take(folder: &Path) -> Result<LayoutLock, RegistryError> {
    take_within(folder, PATIENCE)
}

fn take_within(folder: &Path, patience: Duration) -> Result<LayoutLock, RegistryError> {
    let path = folder.join(FILE);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|cause| error(&path, cause))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(LayoutLock(file)),
            Err(TryLockError::WouldBlock) if started.elapsed() < patience => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(wrong(
                    &path,
                    DirectoryProblem::Locked,
                    format!("another process has held this lock for more than {patience:?}"),
                ));
            }
            Err(TryLockError::Error(cause)) => return Err(error(&path, cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_at_a_time() {
        let folder = tempfile::tempdir().expect("a directory");
        let held = take(folder.path()).expect("a lock");
        let refused = take_within(folder.path(), Duration::from_millis(20)).expect_err("held");
        assert!(refused.to_string().contains("another process"), "{refused}");
        drop(held);
        assert!(take_within(folder.path(), Duration::ZERO).is_ok());
    }
}
