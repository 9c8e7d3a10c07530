//! The version under which a resource is published: from the git tag, or from the file that `[project]` names.

use std::path::Path;

use indexmap::IndexSet;
use semver::Version;

use crate::checks::{TextDocument, quoted};
use crate::config::{Config, Resource, VersionFile};
use crate::context::{Context, ReleaseTags};

/// The version of a resource in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceVersion {
    /// This version.
    Known(Version),
    /// No version: there is no git tag, or the git tag is not a release. The reason is shown to people.
    None(String),
    /// No version: the git tag is a release of another resource, so no rule fires on it.
    Other(String),
    /// The git tag has the prefix of the resource's releases, but contains no version.
    Invalid(String),
}

impl ResourceVersion {
    /// The version, or the reason why there is none.
    pub fn known(&self) -> Result<Version, String> {
        match self {
            Self::Known(version) => Ok(version.clone()),
            Self::None(reason) | Self::Other(reason) | Self::Invalid(reason) => Err(reason.clone()),
        }
    }
}

/// The version from a version file, which is read once for all resources.
pub type FileVersion = Option<Result<Version, String>>;

/// Reads the version file of `config`, if it names one.
pub fn read_version_file(config: &Config) -> FileVersion {
    let file = config.project.version.as_ref()?;
    Some(read_version(&config.folder, file))
}

fn read_version(folder: &Path, place: &VersionFile) -> Result<Version, String> {
    let VersionFile { file, key } = place;
    let document = TextDocument::read(folder, file, file).map_err(|error| error.to_string())?;
    let text = document.text(key).map_err(|error| error.to_string())?.text;
    Version::parse(&text).map_err(|error| {
        let text = quoted(key, &text);
        format!("`{key}` in `{file}` is `{text}`, not a semantic version: {error}")
    })
}

/// Returns the version in `context` of a resource that is released by git tags starting with `prefix`. `prefixes` are
/// those of [`prefixes`].
///
/// On a git tag the prefix decides first, even if a file contains the version. Otherwise a release of one resource
/// would fire the rules of all.
pub fn of(prefixes: &[&str], prefix: &str, context: &Context, file: &FileVersion) -> ResourceVersion {
    let from_file = || match file.clone()? {
        Ok(version) => Some(ResourceVersion::Known(version)),
        Err(reason) => Some(ResourceVersion::Invalid(reason)),
    };
    let Some(tag) = context.tag.as_deref() else {
        let event = context.event;
        return from_file().unwrap_or_else(|| {
            ResourceVersion::None(format!("this event is `{event}`, and only a git tag carries a version"))
        });
    };
    let version = tag.strip_prefix(prefix).map(Version::parse);
    if let Some(Ok(version)) = version {
        return from_file().unwrap_or(ResourceVersion::Known(version));
    }
    let is_release = |other: &&str| tag.strip_prefix(*other).is_some_and(|rest| Version::parse(rest).is_ok());
    let other = prefixes.iter().find(|other| is_release(other));
    match (version, other) {
        (None, None) => ResourceVersion::None(format!("the git tag `{tag}` does not start with `{prefix}`")),
        (None, Some(_)) => {
            ResourceVersion::Other(format!("the git tag `{tag}` does not start with `{prefix}`"))
        }
        // Every tag starts with an empty prefix.
        (Some(_), Some(other)) => ResourceVersion::Other(format!(
            "the git tag `{tag}` is a release of the images with the prefix `{other}`"
        )),
        (Some(parsed), None) => from_file().unwrap_or_else(|| match parsed {
            Ok(version) => ResourceVersion::Known(version),
            Err(error) => ResourceVersion::Invalid(format!(
                "the git tag `{tag}` holds no semantic version after `{prefix}`: {error}"
            )),
        }),
    }
}

/// The form of the git tags that release something.
pub fn release_tags(config: &Config) -> ReleaseTags<'_> {
    ReleaseTags { prefixes: prefixes(config), version_in_file: config.project.version.is_some() }
}

/// The prefixes of git tags that release any resource, each once.
pub fn prefixes(config: &Config) -> Vec<&str> {
    let all = config.resources.values().map(|resource| prefix(config, resource));
    all.collect::<IndexSet<_>>().into_iter().collect()
}

/// The prefix of git tags that release `resource`.
pub fn prefix<'a>(config: &'a Config, resource: &'a Resource) -> &'a str {
    config.tag_prefix(resource)
}
