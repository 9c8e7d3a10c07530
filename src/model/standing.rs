//! The version of the image that a forward tag names, and how it is shown. A tag that names an image of unknown version
//! may name a newer one, so it is not taken for an older one.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::forward::{Held, VersionReader};
use super::version::{ReleaseForm, ReleaseVersion, VersionScheme};
use oci_registry::{Tag, annotation};

/// The version of the image that a tag names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandingVersion {
    /// This version, as something shows.
    Shown(ShownVersion),
    /// Nothing shows it. The reason is shown to people.
    Unknown(String),
}

/// A version, and the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownVersion {
    /// The version.
    pub version: ReleaseVersion,
    /// The evidence for it.
    pub by: VersionEvidence,
}

/// The evidence for the version of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum VersionEvidence {
    /// A tag that a rule of the configuration prints, with the same digest.
    VersionTag {
        /// The tag.
        tag: Tag,
    },
    /// Another tag that reads as a version, with the same digest.
    OtherTag {
        /// The tag.
        tag: Tag,
    },
    /// The annotation `org.opencontainers.image.version` of the manifest.
    Annotation,
    /// The label `org.opencontainers.image.version` in the configuration of the image.
    Label,
}

impl VersionEvidence {
    /// The tag that shows the version, if a tag does.
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::VersionTag { tag } | Self::OtherTag { tag } => Some(tag),
            Self::Annotation | Self::Label => None,
        }
    }
}

impl fmt::Display for VersionEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VersionTag { tag } | Self::OtherTag { tag } => write!(f, "the tag {tag}"),
            Self::Annotation => write!(f, "the annotation {}", annotation::VERSION),
            Self::Label => write!(f, "the label {}", annotation::VERSION),
        }
    }
}

/// A tag that may show the version of a digest: if it names the same digest, that digest has this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCandidate {
    /// The tag.
    pub tag: Tag,
    /// The version, or the lowest version that a tag such as `2.1` or `2` can stand for.
    pub lowest: ReleaseVersion,
    /// The highest version that it can stand for. Equal to the lowest if the tag gives the whole version.
    pub highest: ReleaseVersion,
    /// Whether a rule of the configuration prints the tag.
    pub declared: bool,
}

impl VersionCandidate {
    /// Returns the version that this tag shows, if that settles a comparison with `own`: `2.1` shows that an image is
    /// newer than 2.0.9, but not whether it is newer than 2.1.3.
    pub fn shows(&self, own: &ReleaseVersion) -> Option<ShownVersion> {
        let is_whole = self.lowest.parts().numbers.len() >= own.parts().numbers.len()
            && *own.scheme() != VersionScheme::Semver;
        let settles = is_whole || self.lowest == self.highest || self.lowest > *own || self.highest < *own;
        let tag = self.tag.clone();
        let by = if self.declared {
            VersionEvidence::VersionTag { tag }
        } else {
            VersionEvidence::OtherTag { tag }
        };
        settles.then(|| ShownVersion { version: self.lowest.clone(), by })
    }
}

/// Returns the tags of a repository that may show versions, in the order in which they are asked: first `line`, then every
/// tag that one of `readers` reads, then every tag that one of `others` reads, then tags that give a part of a version. In
/// each group the highest version comes first.
pub fn version_candidates(
    line: &[Held],
    readers: &[VersionReader],
    others: &[VersionReader],
    tags: &[Tag],
) -> Vec<VersionCandidate> {
    let whole = |version: ReleaseVersion, tag: &Tag, declared| VersionCandidate {
        tag: tag.clone(),
        // In other schemes than semantic versioning, `2.1` may be a version or stand for all that begin with it.
        highest: if declared { version.clone() } else { version.highest_of_line() },
        lowest: version,
        declared,
    };
    let read = |readers: &[VersionReader], declared| {
        let versions = tags.iter().filter_map(|tag| Some((readers.iter().find_map(|it| it.read(tag))?, tag)));
        let mut found: Vec<_> = versions.map(|(version, tag)| whole(version, tag, declared)).collect();
        found.sort_by(|one, other| other.lowest.cmp(&one.lowest));
        found
    };
    let parts = || {
        let part = |tag| others.iter().find_map(|reader| part_of_version(tag, reader));
        let mut found: Vec<_> = tags.iter().filter_map(part).collect();
        found.sort_by(|one, other| other.lowest.cmp(&one.lowest));
        found
    };
    let line = line.iter().rev().map(|held| whole(held.version.clone(), &held.tag, true));
    let all = line.chain(read(readers, true)).chain(read(others, false)).chain(parts());
    let mut seen = BTreeSet::new();
    all.filter(|candidate| seen.insert(candidate.tag.clone())).collect()
}

/// Reads a tag such as `2.1` or `2`.
fn part_of_version(tag: &Tag, reader: &VersionReader) -> Option<VersionCandidate> {
    /// The highest major version that stands alone: above it are years and dates.
    const HIGHEST_MAJOR: u64 = 999;
    if reader.scheme != VersionScheme::Semver {
        return None;
    }
    let text = tag.as_str().strip_prefix(&reader.prefix)?.strip_suffix(&reader.suffix)?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|number| digits && *number <= HIGHEST_MAJOR)
    };
    let (major, minor) = match text.split_once('.') {
        Some((major, minor)) => (number(major)?, Some(number(minor)?)),
        None => (number(text)?, None),
    };
    let lowest = ReleaseVersion::new(major, minor.unwrap_or(0), 0);
    let highest = ReleaseVersion::new(major, minor.unwrap_or(u64::MAX), u64::MAX);
    Some(VersionCandidate { tag: tag.clone(), lowest, highest, declared: false })
}

/// Returns readers of the tags that another publisher of the repository may have written: with or without `v`, and with or
/// without the prefix of the git tags or of a rule.
pub fn other_readers(readers: &[VersionReader], form: &ReleaseForm) -> Vec<VersionReader> {
    let declared = readers
        .iter()
        .map(|reader| reader.prefix.as_str())
        .chain([""])
        .chain(form.prefixes.iter().map(String::as_str));
    let mut prefixes: Vec<String> = Vec::new();
    for prefix in declared {
        let bare = prefix.strip_suffix(['v', 'V']).unwrap_or(prefix);
        for prefix in [bare.to_owned(), format!("{bare}v")] {
            if !prefixes.contains(&prefix) {
                prefixes.push(prefix);
            }
        }
    }
    let mut suffixes = vec![String::new()];
    for reader in readers.iter().filter(|reader| !reader.suffix.is_empty()) {
        if !suffixes.contains(&reader.suffix) {
            suffixes.insert(0, reader.suffix.clone());
        }
    }
    let mut found = Vec::new();
    for suffix in &suffixes {
        for prefix in &prefixes {
            found.push(VersionReader::new(prefix, suffix, &form.scheme));
        }
    }
    found
}

/// Reads a version that an image states about itself, with or without `v` or the prefix of the git tags.
pub fn stated_version(text: &str, others: &[VersionReader]) -> Option<ReleaseVersion> {
    let text = text.trim();
    let scheme = others.first().map(|reader| reader.scheme.clone()).unwrap_or_default();
    let prefixes =
        others.iter().filter(|reader| reader.suffix.is_empty()).map(|reader| reader.prefix.as_str());
    prefixes.chain([""]).find_map(|prefix| scheme.parse(text.strip_prefix(prefix)?).ok())
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
