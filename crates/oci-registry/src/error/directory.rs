//! The problems of a directory registry that differ in their help.

use std::io::{self, ErrorKind};

/// A problem of a directory registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryProblem {
    /// Something that is not an image layout is in its place.
    Occupied,
    /// The registry itself is a layout.
    IsLayout,
    /// A repository would be inside another one's content.
    Nested,
    /// Another process holds the lock.
    Locked,
    /// The layout cannot be read, or lacks content that it names.
    Damaged,
    /// The disk is full, or a quota is used up.
    Full,
    /// The operating system does not allow this user to do it.
    Forbidden,
    /// Any other error of the operating system.
    Failed,
}

impl DirectoryProblem {
    /// Returns the problem that an error of the operating system stands for.
    pub(crate) fn of(cause: &io::Error) -> Self {
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Forbidden,
            ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => Self::Occupied,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_the_operating_system_has_a_kind() {
        for (kind, problem) in [
            (ErrorKind::StorageFull, DirectoryProblem::Full),
            (ErrorKind::QuotaExceeded, DirectoryProblem::Full),
            (ErrorKind::PermissionDenied, DirectoryProblem::Forbidden),
            (ErrorKind::ReadOnlyFilesystem, DirectoryProblem::Forbidden),
            (ErrorKind::NotADirectory, DirectoryProblem::Occupied),
            (ErrorKind::TimedOut, DirectoryProblem::Failed),
        ] {
            assert_eq!(DirectoryProblem::of(&kind.into()), problem, "{kind:?}");
        }
    }
}
