//! The typed reasons for the actions of a plan.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::standing::VersionEvidence;
use oci_registry::{Digest, Tag};

/// The reason for the action on a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The tag does not exist yet.
    New,
    /// The tag already names the wanted digest.
    AlreadyThere,
    /// The rule lets the tag move.
    Mutable,
    /// The version is the highest of the tag's line.
    HighestVersion,
    /// The registry holds a higher version of the tag's line.
    NewerVersion {
        /// The highest version of the line.
        version: String,
        /// The tag of that version.
        tag: Tag,
    },
    /// The tag names the version being published, although the registry holds a higher version of the line: that version was
    /// rolled back, or its run was cut off. The run of the higher version, or the next release, moves the tag.
    Behind {
        /// The highest version of the line.
        version: String,
        /// The tag of that version.
        tag: Tag,
    },
    /// The tag names a higher version, which is not one of its line's tags: another publisher put it there, or its own tag
    /// is gone.
    NewerStanding {
        /// The version.
        version: String,
        /// The evidence for it.
        shown_by: VersionEvidence,
    },
    /// The tag names a version that is not higher, as something other than a tag of a rule shows.
    OlderStanding {
        /// The version.
        version: String,
        /// The evidence for it.
        shown_by: VersionEvidence,
    },
    /// Nothing shows the version of the image that the tag names, and the rule says that the tag moves then.
    UnknownVersion {
        /// The reason why it is unknown.
        why: String,
    },
    /// Nothing shows the version of the image that the tag names, and the rule says that the tag stays then.
    UnknownVersionKept {
        /// The reason why it is unknown.
        why: String,
        /// The setting that moves the tag, as `--set` takes it.
        setting: String,
    },
    /// Nothing shows whether the tag would move forward, and the rule refuses to go on then.
    UnknownRefused {
        /// The reason why it is unknown.
        why: String,
        /// The setting that moves the tag, as `--set` takes it.
        setting: String,
    },
    /// The tag does not exist yet, and the list of tags may lack higher versions.
    NewInIncompleteList {
        /// The reason why the list may lack some.
        why: String,
    },
    /// The registry lists the immutable tag, but has no manifest for it.
    Dangling,
    /// The version being published is withdrawn, so that it takes no tag and makes none.
    Withdrawn {
        /// The version being published.
        version: String,
    },
    /// The tag names a version that is withdrawn, so that any other version of its line may take it.
    WithdrawnStanding {
        /// The version that the tag names.
        version: String,
    },
    /// The tag marks a version as withdrawn.
    MarksWithdrawn {
        /// The version.
        version: String,
    },
    /// The tag names a version that is withdrawn, and the registry has no other version of its line.
    NoOtherVersion {
        /// The version that is withdrawn.
        version: String,
    },
    /// The tag goes to the version that it should name, as the versions in the registry say.
    BackToVersion {
        /// That version.
        version: String,
    },
    /// A pre-release does not take the tag.
    Prerelease {
        /// The version being published.
        version: String,
    },
    /// No rule prints the full version, so the versions in the registry are unknown.
    UnknownLine,
    /// The present image was built from an ancestor of the commit.
    Descendant,
    /// The present image was built from a descendant of the commit: this run is an older one that ends last.
    OlderCommit {
        /// The commit of the present image.
        revision: String,
    },
    /// The present image was built from a commit that is neither an ancestor nor a descendant of the one being published: the
    /// branch was rewritten, or the tag belongs to another branch.
    Diverged {
        /// The commit of the present image.
        revision: String,
    },
    /// It is unknown whether the present image was built from an ancestor, and the rule says that the tag moves then.
    UnknownAncestry {
        /// The reason why it is unknown.
        why: String,
    },
    /// It is unknown whether the present image was built from an ancestor, and the rule says that the tag stays then.
    UnknownAncestryKept {
        /// The reason why it is unknown.
        why: String,
    },
    /// An immutable tag names another digest.
    Immutable,
    /// An immutable tag names another digest, and the rule keeps it.
    KeptFirst,
    /// An immutable tag names another index of the same images: only their attestations differ, or the time of the build.
    SameImages,
    /// Another registry keeps the digest first published; this one does not have the tag, and would get another digest.
    KeptElsewhere {
        /// The full name of the repository there.
        repository: String,
        /// The digest there.
        digest: Digest,
    },
    /// The tag follows an immutable tag of the same run that keeps the digest first published.
    FollowsKept {
        /// The immutable tag.
        tag: Tag,
    },
    /// The tag goes back to what it was before an apply.
    RolledBack,
    /// The tag is already as it was before the apply.
    RolledBackAlready,
    /// The tag stays, because rolling back moves no immutable tag.
    ImmutableStays,
    /// Somebody moved the tag since the apply.
    MovedSince,
    /// The registry no longer has the previous digest of the tag.
    ContentGone,
    /// The registry cannot remove the tag.
    CannotRemove {
        /// The reason.
        why: String,
    },
    /// A retention removes the tag.
    Expired {
        /// The reason why the retention removes it.
        why: String,
    },
    /// A retention matches the tag, but it stays.
    Retained {
        /// The reason why it stays.
        why: String,
    },
}

impl Reason {
    /// Whether an immutable tag keeps the digest first published, which is not the one to publish.
    pub fn keeps_first(&self) -> bool {
        matches!(self, Self::KeptFirst | Self::SameImages)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::AlreadyThere => f.write_str("already there"),
            Self::Mutable => f.write_str("mutable"),
            Self::HighestVersion | Self::Descendant => f.write_str("forward"),
            Self::NewerVersion { tag, .. } => write!(f, "kept: {tag} is newer"),
            Self::NewerStanding { version, shown_by } => {
                write!(f, "kept: it names {version}, which is newer, as {shown_by} shows")
            }
            Self::OlderStanding { version, shown_by } => {
                write!(f, "forward: it names {version}, as {shown_by} shows")
            }
            Self::UnknownVersionKept { why, setting } => write!(
                f,
                "kept, because it might move backward: {why}; to move it once, add `--set {setting}`"
            ),
            Self::UnknownRefused { why, .. } => write!(f, "conflict: it might move backward: {why}"),
            Self::NewInIncompleteList { why } => {
                write!(f, "new; there may be a newer version, because {why}")
            }
            Self::Dangling => f.write_str("conflict: the registry lists the tag, but has no manifest for it"),
            Self::Prerelease { version } => write!(f, "kept: {version} is a pre-release"),
            Self::Withdrawn { version } => write!(f, "kept: {version} is withdrawn"),
            Self::WithdrawnStanding { version } => {
                write!(f, "forward: it names {version}, which is withdrawn")
            }
            Self::MarksWithdrawn { version } => write!(f, "marks {version} as withdrawn"),
            Self::NoOtherVersion { version } => {
                write!(f, "kept: {version} is withdrawn, but no other version of its line is there")
            }
            Self::BackToVersion { version } => write!(f, "back to {version}"),
            Self::UnknownLine => {
                f.write_str("kept: no rule prints the full version, so the published versions are unknown")
            }
            Self::OlderCommit { revision } => {
                write!(f, "kept: the image is from commit {}, which is newer", short(revision))
            }
            Self::Diverged { revision } => write!(
                f,
                "kept: the image is from commit {}, which is not in this commit's history: the branch was rewritten, or the tag belongs to another branch",
                short(revision)
            ),
            Self::UnknownVersion { why } | Self::UnknownAncestry { why } => {
                write!(f, "moved, possibly backward: {why}")
            }
            Self::UnknownAncestryKept { why } => {
                write!(f, "kept, because it might move backward: {why}")
            }
            Self::Behind { tag, .. } => write!(f, "already there; {tag} is newer, but does not have it"),
            Self::Immutable => f.write_str("conflict: immutable, and already has another digest"),
            Self::KeptFirst => f.write_str("kept: the digest first published stays"),
            Self::SameImages => {
                f.write_str("kept: it names the same images, and only their attestations differ")
            }
            Self::KeptElsewhere { repository, .. } => {
                write!(f, "conflict: {} keeps another digest", repository.escape_debug())
            }
            Self::FollowsKept { tag } => write!(f, "follows {tag}, which keeps the digest first published"),
            Self::RolledBack => f.write_str("back to what it was"),
            Self::RolledBackAlready => f.write_str("already as it was"),
            Self::ImmutableStays => f.write_str("kept: immutable"),
            Self::MovedSince => f.write_str("conflict: somebody moved it since"),
            Self::ContentGone => f.write_str("conflict: the registry no longer has the previous digest"),
            Self::CannotRemove { why } => write!(f, "cannot be removed: {why}"),
            Self::Expired { why } => f.write_str(why),
            Self::Retained { why } => write!(f, "kept: {why}"),
        }
    }
}

/// The first digits of a commit that a registry or a file names, escaped.
fn short(revision: &str) -> String {
    revision.get(..7).unwrap_or(revision).escape_debug().to_string()
}
