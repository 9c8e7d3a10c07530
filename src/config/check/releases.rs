//! `tag_prefix` and `version_scheme`: the form of the git tags that mark a release.

use super::problems::Problems;
use crate::config::raw;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::version::{ReleaseForm, SchemeText, VersionScheme};

/// The form of release tags as a table declares it.
#[derive(Debug, Default)]
pub(super) struct DeclaredForm {
    pub tag_prefix: Option<raw::OneOrMany<String>>,
    pub version_scheme: Option<SchemeText>,
}

/// Returns the form that the table at `path` declares. Keys that it does not have are those of `project`.
pub(super) fn check_form(
    declared: DeclaredForm,
    project: Option<&ReleaseForm>,
    path: &[&str],
    problems: &mut Problems<'_>,
) -> ReleaseForm {
    let default = || project.cloned().unwrap_or_default();
    let prefixes = declared.tag_prefix.map(raw::OneOrMany::into_vec);
    let scheme = declared.version_scheme.and_then(|text| match VersionScheme::try_from(text) {
        Ok(scheme) => Some(scheme),
        Err(error) => {
            let key: Vec<&str> = path.iter().copied().chain(["version_scheme", "pattern"]).collect();
            let help = "name the parts of a version in groups, as in `(?P<major>[0-9]+)_(?P<minor>[0-9]+)`";
            let message = format!("the pattern of `version_scheme` is not one of versions: {error}");
            let diagnostic = Diagnostic::error(Code::ConfigValue, message);
            problems.report(diagnostic.at_maybe(problems.places.value(&key), "").help(help));
            None
        }
    });
    let ReleaseForm { prefixes: default_prefixes, scheme: default_scheme } = default();
    let prefixes = prefixes.unwrap_or(default_prefixes);
    // Without a prefix, as an empty `tag_prefix` says, every tag may be a version.
    let prefixes = if prefixes.is_empty() { vec![String::new()] } else { prefixes };
    ReleaseForm { prefixes, scheme: scheme.unwrap_or(default_scheme) }
}
