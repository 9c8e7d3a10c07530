//! `[project] withdrawn`: the versions that are taken back.

use std::collections::BTreeSet;

use semver::Version;

use super::{Config, Resource};

impl Config {
    /// The versions of `resource` that are withdrawn.
    pub fn withdrawn(&self, resource: &Resource) -> BTreeSet<Version> {
        let prefix = self.tag_prefix(resource);
        self.project.withdrawn.iter().filter_map(|text| version_of(text, prefix)).collect()
    }

    /// The prefix of git tags that release `resource`.
    pub fn tag_prefix<'a>(&'a self, resource: &'a Resource) -> &'a str {
        resource.tag_prefix.as_deref().unwrap_or(&self.project.tag_prefix)
    }
}

/// Returns the version that `text` names, with or without the prefix of git tags `prefix`.
pub fn version_of(text: &str, prefix: &str) -> Option<Version> {
    let with_prefix = text.strip_prefix(prefix).and_then(|rest| Version::parse(rest).ok());
    with_prefix.or_else(|| Version::parse(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_with_or_without_its_prefix() {
        for (text, prefix, expected) in [
            ("1.2.4", "v", Some("1.2.4")),
            ("v1.2.4", "v", Some("1.2.4")),
            ("broker/v1.2.4", "broker/v", Some("1.2.4")),
            ("broker/v1.2.4", "agent/v", None),
            ("1.2.4", "broker/v", Some("1.2.4")),
            ("1.2.4-rc.1", "", Some("1.2.4-rc.1")),
            ("1.2", "v", None),
        ] {
            assert_eq!(
                version_of(text, prefix).map(|it| it.to_string()).as_deref(),
                expected,
                "{text} {prefix}"
            );
        }
    }
}
