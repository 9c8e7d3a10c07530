//! The result of reading a text as a version.

use super::order::{Phase, VersionKey, Work};

/// The parts of a version, as they are written. A part that the version does not have is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionParts {
    /// The numbers: major, minor, patch, revision, and more.
    pub numbers: Vec<String>,
    /// The epoch.
    pub epoch: String,
    /// The pre-release.
    pub pre: String,
    /// The revision after a release.
    pub post: String,
    /// The development release.
    pub dev: String,
    /// The build metadata, or the local version.
    pub build: String,
}

/// The reason why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VersionError(pub(super) String);

/// A text that was read as a version.
#[derive(Debug, Clone)]
pub(super) struct ParsedVersion {
    pub parts: VersionParts,
    pub key: VersionKey,
    /// Whether it names a commit between two releases.
    pub development: bool,
}

impl ParsedVersion {
    /// A version with these parts and this key.
    pub fn new(parts: VersionParts, key: VersionKey) -> Self {
        Self { parts, key, development: false }
    }

    /// Whether it is a pre-release.
    pub fn is_prerelease(&self) -> bool {
        self.development || self.key.phase != Phase::Release || self.key.work != Work::Done
    }
}
