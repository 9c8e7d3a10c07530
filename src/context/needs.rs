//! The values of a context that a command needs.

use super::commit::CommitUse;
use super::release_tags::ReleaseTags;

/// The values that a command needs. Each costs runs of git.
#[derive(Debug, Clone, Default)]
pub struct Needs<'a> {
    /// Whether the tree is dirty.
    pub dirty: bool,
    /// The use that the command has for the commit.
    pub commit: CommitUse,
    /// The git tags that are releases.
    pub releases: ReleaseTags<'a>,
    /// `default_branch` of `[project]`, if neither the CI nor the clone says which branch it is.
    pub default_branch: Option<&'a str>,
    /// The prefix of the git tags that are looked for before the commit, if a template uses them.
    pub history: Option<&'a str>,
    /// The names of the environment variables that templates may read.
    pub env: &'a [String],
    /// Whether templates may read the clock.
    pub wall_clock: bool,
}
