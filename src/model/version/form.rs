//! The form of the git tags that release something: a prefix and a version.

use super::parts::VersionError;
use super::release::ReleaseVersion;
use super::scheme::VersionScheme;

/// The git tags that release something: one of the prefixes, and a version of the scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReleaseForm {
    /// The prefixes, in the order in which they are tried.
    pub prefixes: Vec<String>,
    /// The scheme of the versions.
    pub scheme: VersionScheme,
}

/// A git tag that starts with a prefix of releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseTagText<'f> {
    /// The prefix.
    pub prefix: &'f str,
    /// The version after it.
    pub version: Result<ReleaseVersion, VersionError>,
}

impl ReleaseForm {
    /// Reads the git tag `tag`: with the first prefix after which a version follows, or else with the longest prefix that it starts
    /// with.
    pub fn read(&self, tag: &str) -> Option<ReleaseTagText<'_>> {
        let mut without: Option<ReleaseTagText<'_>> = None;
        for prefix in &self.prefixes {
            let Some(rest) = tag.strip_prefix(prefix.as_str()) else { continue };
            let found = ReleaseTagText { prefix, version: self.scheme.parse(rest) };
            if found.version.is_ok() {
                return Some(found);
            }
            if without.as_ref().is_none_or(|known| known.prefix.len() < prefix.len()) {
                without = Some(found);
            }
        }
        without
    }

    /// The version that the git tag `tag` releases.
    pub fn version(&self, tag: &str) -> Option<ReleaseVersion> {
        self.read(tag)?.version.ok()
    }

    /// The prefix that stands for all: the first.
    pub fn prefix(&self) -> &str {
        self.prefixes.first().map(String::as_str).unwrap_or_default()
    }

    /// The prefixes for people: `v`, or `v` or `release-`.
    pub fn shown(&self) -> String {
        let quoted: Vec<String> = self.prefixes.iter().map(|prefix| format!("`{prefix}`")).collect();
        quoted.join(" or ")
    }
}
