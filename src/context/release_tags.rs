//! The git tags that are releases: those from which a version can be read.

use crate::model::version::ReleaseForm;

/// The form of the git tags that release something, by the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseTags<'a> {
    /// The forms of release tags.
    pub forms: Vec<&'a ReleaseForm>,
    /// Whether a file holds the version, so that any text may follow the prefix.
    pub version_in_file: bool,
}

impl ReleaseTags<'_> {
    /// Whether the git tag `tag` is a release.
    pub fn contains(&self, tag: &str) -> bool {
        self.forms.iter().any(|form| {
            let read = form.read(tag);
            read.is_some_and(|read| self.version_in_file || read.version.is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_tag_is_a_prefix_and_a_version() {
        for (prefixes, version_in_file, tag, expected) in [
            (vec!["v"], false, "v1.2.3", true),
            (vec!["v"], false, "v1.2.3-rc.1+b", true),
            (vec!["v"], false, "agent-v1.2.3", false),
            (vec!["v", "agent-v"], false, "agent-v1.2.3", true),
            (vec!["v"], false, "v1.2", false),
            (vec!["v"], true, "v1.2", true),
            (vec!["v"], false, "vnext", false),
            (vec![""], false, "1.2.3", true),
            (vec![""], false, "v1.2.3", false),
            (vec![], true, "v1.2.3", false),
        ] {
            let form =
                |prefix: &&str| ReleaseForm { prefixes: vec![(*prefix).to_owned()], ..Default::default() };
            let forms: Vec<ReleaseForm> = prefixes.iter().map(form).collect();
            let releases = ReleaseTags { forms: forms.iter().collect(), version_in_file };
            assert_eq!(releases.contains(tag), expected, "{prefixes:?} {tag}");
        }
    }
}
