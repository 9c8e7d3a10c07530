//! The data that decides whether a forward tag moves: lines of versions, and the descent of commits. A saved plan carries it,
//! so that an apply can decide again if others publish in the meantime.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::version::{ReleaseVersion, VersionScheme};
use oci_registry::Tag;

/// The data that decides whether a forward tag moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a plan has few tags, and a box would be in every match")]
pub enum PlannedForward {
    /// The versions of its line that the registry holds.
    Version(PlannedLine),
    /// The commits that images were built from.
    Commit(PlannedCommit),
}

/// The line of a forward tag: the versions for which its rule renders the same tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedLine {
    /// The version being published.
    pub version: ReleaseVersion,
    /// Whether pre-releases count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prereleases: bool,
    /// The prefix of the git tags, if the template uses the git tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_prefix: Option<String>,
    /// The template of the rule: a version belongs to the line if the template renders the tag for it.
    pub template: String,
    /// The values of `[vars]` that the template uses.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub vars: serde_json::Map<String, serde_json::Value>,
    /// The ways to read versions from the tags of the registry.
    pub readers: Vec<VersionReader>,
    /// The ways to read versions from tags that another publisher of the repository wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_readers: Vec<VersionReader>,
    /// The behavior if nothing shows the version of the image that the tag names.
    #[serde(default = "OnUnknown::for_releases")]
    pub on_unknown: OnUnknown,
    /// The versions that the configuration withdraws. They do not count.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<ReleaseVersion>,
    /// The highest other version of the line that the registry held when the plan was made, if it held one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<ReleaseVersion>,
}

/// Reads versions from tags that consist of a prefix, a full version and a suffix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VersionReader {
    /// The text before the version.
    pub prefix: String,
    /// The text after the version.
    pub suffix: String,
    /// The scheme of the version.
    #[serde(default, skip_serializing_if = "VersionScheme::is_default")]
    pub scheme: VersionScheme,
    /// The text for the `+` of the version, if it is not `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<String>,
    /// The texts between the numbers, if only the numbers of the version are printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub separators: Vec<String>,
}

impl VersionReader {
    /// A reader of the versions of `scheme` between `prefix` and `suffix`.
    pub fn new(prefix: &str, suffix: &str, scheme: &VersionScheme) -> Self {
        Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            scheme: scheme.clone(),
            ..Self::default()
        }
    }

    /// Returns the version that `tag` was rendered for.
    pub fn read(&self, tag: &Tag) -> Option<ReleaseVersion> {
        let text = tag.as_str().strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?;
        if !self.separators.is_empty() {
            return self.of_numbers(text);
        }
        match &self.plus {
            Some(plus) => of_replaced_plus(&self.scheme, text, plus),
            None => of_tag(&self.scheme, text),
        }
    }

    fn of_numbers(&self, text: &str) -> Option<ReleaseVersion> {
        let (mut numbers, mut rest) = (Vec::new(), text);
        for separator in &self.separators {
            let (number, after) = rest.split_once(separator.as_str())?;
            numbers.push(number.to_owned());
            rest = after;
        }
        numbers.push(rest.to_owned());
        let is_number = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        numbers.iter().all(is_number).then(|| ReleaseVersion::of_numbers(&self.scheme, numbers))
    }
}

/// Reads the text of a version in a tag, where `_` may be a `+` and `__` the `!` of an epoch.
pub fn of_tag(scheme: &VersionScheme, text: &str) -> Option<ReleaseVersion> {
    let read =
        |text: &str| scheme.parse(text).ok().or_else(|| scheme.parse(&text.replacen('_', "+", 1)).ok());
    read(text).or_else(|| text.contains("__").then(|| read(&text.replacen("__", "!", 1))).flatten())
}

/// Reads the text of a version in a tag, in which `plus` may be a `+`.
///
/// `1.28.5-k3s1` may be a pre-release, or build metadata after a `-` that was a `+`. It counts as a pre-release if it starts like one:
/// a version that is wrongly taken for a release only keeps a forward tag from moving.
fn of_replaced_plus(scheme: &VersionScheme, text: &str, plus: &str) -> Option<ReleaseVersion> {
    let whole = scheme.parse(text).ok();
    if whole.as_ref().is_some_and(|version| !version.is_prerelease()) || plus.is_empty() {
        return whole;
    }
    let with_plus = |at: usize| {
        let (before, after) = text.split_at_checked(at)?;
        scheme.parse(&format!("{before}+{}", after.strip_prefix(plus)?)).ok()
    };
    let others: Vec<ReleaseVersion> = text.match_indices(plus).filter_map(|(at, _)| with_plus(at)).collect();
    let starts_like_one = whole
        .as_ref()
        .is_some_and(|it| VersionScheme::is_prerelease_word(&it.parts().pre) || it.is_development());
    let found = others.into_iter().find(|version| version.is_prerelease() == starts_like_one);
    found.or(whole)
}

/// The text before the tag of a version that is withdrawn: the tag `withdrawn-v1.2.4` beside `v1.2.4` says so to every run,
/// also to those whose `publish.toml` is older. The list of tags shows it, so nobody has to ask for it.
pub const WITHDRAWN_MARK: &str = "withdrawn-";

/// Returns the versions that tags among `tags` mark as withdrawn, as one of `readers` reads them.
pub fn marked_versions(tags: &[Tag], readers: &[VersionReader]) -> BTreeSet<ReleaseVersion> {
    let marked = tags.iter().filter_map(|tag| tag.as_str().strip_prefix(WITHDRAWN_MARK)?.parse::<Tag>().ok());
    marked.filter_map(|tag| readers.iter().find_map(|reader| reader.read(&tag))).collect()
}

/// The commit of a forward tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedCommit {
    /// The commit being published, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The behavior if the descent is unknown.
    pub on_unknown: OnUnknown,
}

/// The behavior of a forward tag if it is unknown whether it would move forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// The tag moves, and the plan says so.
    Move,
    /// The tag stays, and the plan says so.
    Keep,
    /// The plan is blocked.
    Fail,
}

impl OnUnknown {
    /// The behavior for releases if the rule says nothing: an image of unknown version may be newer.
    pub fn for_releases() -> Self {
        Self::Keep
    }

    /// The behavior for branches if the rule says nothing: a shallow clone never knows.
    pub fn for_branches() -> Self {
        Self::Move
    }
}

/// A version that a registry holds, and its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The version.
    pub version: ReleaseVersion,
    /// The tag of the version.
    pub tag: Tag,
}

/// Returns the highest version in `held` if it is higher than `version`, and so keeps a forward tag from moving. `held` is
/// sorted, lowest first.
pub fn newer<'a>(held: &'a [Held], version: &ReleaseVersion) -> Option<&'a Held> {
    held.last().filter(|highest| highest.version > *version)
}

/// The relation of the commit being published to the commit that a tag's present image was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descent {
    /// It is the same commit, or a descendant.
    Descendant,
    /// It is an ancestor.
    Older,
    /// Neither is an ancestor of the other.
    Diverged,
    /// The relation is unknown, for this reason.
    Unknown(String),
}
