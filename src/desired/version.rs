//! The version under which a resource is published: from the git tag, or from the file that `[project]` names.

use std::collections::HashMap;
use std::path::Path;

use indexmap::IndexSet;

use crate::checks::{TextDocument, quoted};
use crate::config::{Config, DeclaredContent, NamedResource, VersionFile};
use crate::context::{Context, ReleaseTags};
use crate::model::ResourceId;
use crate::model::version::{ReleaseForm, ReleaseTagText, ReleaseVersion, VersionScheme};

/// The version of a resource in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceVersion {
    /// This version.
    Known(ReleaseVersion),
    /// No version: there is no git tag, or the git tag is not a release. The reason is shown to people.
    None(String),
    /// No version: the git tag is a release of another resource, so no rule fires on it.
    Other(String),
    /// No version: the git tag has the prefix of the resource's releases, but no version follows, as in a moving `v1`. Rules that need
    /// no version fire.
    Unversioned(String),
    /// The file that should contain the version does not.
    Invalid(String),
}

impl ResourceVersion {
    /// The version, or the reason why there is none.
    pub fn known(&self) -> Result<ReleaseVersion, String> {
        match self {
            Self::Known(version) => Ok(version.clone()),
            Self::None(reason) | Self::Other(reason) | Self::Unversioned(reason) | Self::Invalid(reason) => {
                Err(reason.clone())
            }
        }
    }
}

/// The text of the version in a version file, which is read once for all resources.
pub type FileVersion = Option<Result<FileVersionText, String>>;

/// The version in a version file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersionText {
    /// The text.
    pub text: String,
    /// The place, for messages: `` `version` in `Cargo.toml` is `1.2` ``.
    pub place: String,
}

impl FileVersionText {
    /// The version `text`, wherever it is from.
    pub fn sample(text: &str) -> Self {
        Self { text: text.to_owned(), place: format!("the version is `{text}`") }
    }

    fn version(&self, scheme: &VersionScheme) -> ResourceVersion {
        match scheme.parse(&self.text) {
            Ok(version) => ResourceVersion::Known(version),
            Err(error) => {
                ResourceVersion::Invalid(format!("{}, not a {}: {error}", self.place, scheme.noun()))
            }
        }
    }
}

/// Reads the version file of `config`, if it names one.
pub fn read_version_file(config: &Config) -> FileVersion {
    let file = config.project.version.as_ref()?;
    Some(read_version(&config.folder, file))
}

fn read_version(folder: &Path, place: &VersionFile) -> Result<FileVersionText, String> {
    let VersionFile { file, key } = place;
    let document = TextDocument::read(folder, file, file).map_err(|error| error.to_string())?;
    let text = document.text(key).map_err(|error| error.to_string())?.text;
    let place = format!("`{key}` in `{file}` is `{}`", quoted(key, &text));
    Ok(FileVersionText { text, place })
}

/// Reads the versions in the `Chart.yaml` of the charts that are published under them.
pub fn read_own_versions(config: &Config) -> HashMap<&ResourceId, Result<String, String>> {
    let charts =
        config.named_resources().filter_map(|NamedResource { id, resource }| match &resource.content {
            DeclaredContent::Chart(chart) if chart.has_own_version => Some((id, chart.source.as_str())),
            _ => None,
        });
    charts.map(|(id, source)| (id, own_version(&config.folder, source))).collect()
}

fn own_version(folder: &Path, source: &str) -> Result<String, String> {
    if source.contains("{{") || source.contains("{%") {
        return Err(
            "the `source` of the chart is a template, so its own version is not known before".to_owned()
        );
    }
    // A chart outside of the project is refused when it is opened; it is not read before.
    let inside = |path: &Path| Some(path.canonicalize().ok()?.starts_with(folder.canonicalize().ok()?));
    if inside(&folder.join(source)) != Some(true) {
        return Err(format!("there is no chart `{source}` in the project"));
    }
    helm_package::chart_version(folder, source)
        .ok_or_else(|| format!("`{source}` is not a chart whose version can be read"))
}

/// Returns the version in `context` of a resource that is released by git tags of the form `own`. `forms` are those of
/// [`forms`].
///
/// On a git tag the prefix decides first, even if a file contains the version. Otherwise a release of one resource
/// would fire the rules of all.
pub fn of(
    forms: &[&ReleaseForm],
    own: &ReleaseForm,
    context: &Context,
    file: &FileVersion,
) -> ResourceVersion {
    let marked = |version: ReleaseVersion| {
        let version = if context.is_marked_prerelease() { version.marked_as_prerelease() } else { version };
        ResourceVersion::Known(version)
    };
    let from_file = || match file.as_ref()? {
        Ok(text) => Some(match text.version(&own.scheme) {
            ResourceVersion::Known(version) => marked(version),
            other => other,
        }),
        Err(reason) => Some(ResourceVersion::Invalid(reason.clone())),
    };
    let Some(tag) = context.tag.as_deref() else {
        let event = context.event;
        return from_file().unwrap_or_else(|| {
            ResourceVersion::None(format!("this event is `{event}`, and only a git tag carries a version"))
        });
    };
    let read = own.read(tag);
    if let Some(ReleaseTagText { version: Ok(version), .. }) = &read {
        return from_file().unwrap_or_else(|| marked(version.clone()));
    }
    let other = forms.iter().find(|form| form.version(tag).is_some());
    let without = || format!("the git tag `{tag}` does not start with {}", own.shown());
    match (read, other) {
        (None, None) => ResourceVersion::None(without()),
        (None, Some(_)) => ResourceVersion::Other(without()),
        // Every tag starts with an empty prefix.
        (Some(_), Some(other)) => ResourceVersion::Other(format!(
            "the git tag `{tag}` is a release of the images with the prefix {}",
            other.shown()
        )),
        (Some(ReleaseTagText { prefix, version }), None) => from_file().unwrap_or_else(|| match version {
            Ok(version) => marked(version),
            Err(error) => ResourceVersion::Unversioned(format!(
                "the git tag `{tag}` holds no {} after `{prefix}`: {error}",
                own.scheme.noun()
            )),
        }),
    }
}

/// The form of the git tags that release something.
pub fn release_tags(config: &Config) -> ReleaseTags<'_> {
    ReleaseTags { forms: forms(config), version_in_file: config.project.version.is_some() }
}

/// The forms of the git tags that release any resource, each once.
pub fn forms(config: &Config) -> Vec<&ReleaseForm> {
    let all = config.resources.values().map(|resource| &resource.releases);
    all.collect::<IndexSet<_>>().into_iter().collect()
}
