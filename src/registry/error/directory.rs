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
    pub(in crate::registry) fn of(cause: &io::Error) -> Self {
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Forbidden,
            ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => Self::Occupied,
            _ => Self::Failed,
        }
    }

    /// Returns what to do about it.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Occupied => {
                "a directory registry holds one OCI image layout per repository: name an empty or new directory in the registry's `url`, or move away what is there"
            }
            Self::IsLayout => "name the directory above this layout in the registry's `url`",
            Self::Nested => "give one of the two images another `repository`",
            Self::Locked => {
                "wait until the other run has ended, and run again; the lock ends with its process, whatever happens to the file"
            }
            Self::Damaged => {
                "something else changed this layout: restore the missing files, or move the layout away, and publish again"
            }
            Self::Full => {
                "free space on this disk, or name a directory on another disk; then run again: content that is already there is not written again"
            }
            Self::Forbidden => {
                "let the user of this run write there, or name another directory in the registry's `url`"
            }
            Self::Failed => {
                "this is an error of the operating system: check that the disk is present and healthy, and run again"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_problem_has_a_way_out_of_its_own() {
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
        let all = [
            DirectoryProblem::Occupied,
            DirectoryProblem::IsLayout,
            DirectoryProblem::Nested,
            DirectoryProblem::Locked,
            DirectoryProblem::Damaged,
            DirectoryProblem::Full,
            DirectoryProblem::Forbidden,
            DirectoryProblem::Failed,
        ];
        let helps: BTreeSet<&str> = all.into_iter().map(DirectoryProblem::help).collect();
        assert_eq!(helps.len(), all.len());
        assert_eq!(helps.iter().filter(|help| help.contains("empty or new directory")).count(), 1);
    }
}
