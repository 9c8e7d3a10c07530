//! `[project] withdrawn`: the versions that are taken back.

use std::collections::BTreeSet;

use super::{Config, Resource};
use crate::model::version::{ReleaseForm, ReleaseVersion};

impl Config {
    /// The versions of `resource` that are withdrawn.
    pub fn withdrawn(&self, resource: &Resource) -> BTreeSet<ReleaseVersion> {
        self.project.withdrawn.iter().filter_map(|text| version_of(text, &resource.releases)).collect()
    }
}

/// Returns the version that `text` names, with or without a prefix of the git tags of `form`.
pub fn version_of(text: &str, form: &ReleaseForm) -> Option<ReleaseVersion> {
    form.version(text).or_else(|| form.scheme.parse(text).ok())
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
            let form = ReleaseForm { prefixes: vec![prefix.to_owned()], ..ReleaseForm::default() };
            assert_eq!(
                version_of(text, &form).map(|it| it.to_string()).as_deref(),
                expected,
                "{text} {prefix}"
            );
        }
    }
}
