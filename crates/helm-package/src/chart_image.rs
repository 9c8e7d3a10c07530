//! Images that the values of a chart name: those to write when it is packaged, and those that it names as it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chart_file::FileSpan;
use oci_registry::{Digest, RepositoryName, Tag};

/// An image that the values of a chart are to name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ChartImage {
    /// The keys in `values.yaml` that lead to it, outermost first. In a list, a number is a position, counted from 0.
    pub path: Vec<String>,
    /// The host of its registry.
    pub registry: String,
    /// The repository in the registry.
    pub repository: RepositoryName,
    /// The tag.
    pub tag: Tag,
    /// The digest, if the chart names it by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

impl ChartImage {
    /// Returns the full name of the repository: `ghcr.io/colliery-io/brokkr-broker`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for ChartImage {
    /// Writes `HOST/REPOSITORY:TAG`, with `@DIGEST` if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name(), self.tag)?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// A value of `values.yaml` that packaging sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ValueChange {
    /// The path of the value: `image.tag`.
    pub path: String,
    /// The value in the file; left out if the file does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value in the package.
    pub after: String,
}

/// An image that a chart names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedImage {
    /// The repository, with the host if one is written.
    pub repository: String,
    /// Its tag.
    pub tag: NamedTag,
    /// The keys in `values.yaml` that lead to it; `None` if a template names it.
    pub path: Option<Vec<String>>,
    /// The place of the name.
    pub span: FileSpan,
}

/// The tag of a named image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedTag {
    /// This text.
    Text(String),
    /// The `appVersion` of the chart, because no other tag is written.
    AppVersion,
    /// A value that is not known without rendering the chart, or a digest.
    Unknown,
}

/// Returns `path` as people write it: with dots, and quotes around a key that contains a dot.
pub fn dotted(path: &[String]) -> String {
    let part = |part: &String| {
        let is_bare = !part.is_empty() && part.trim() == part && !part.contains(['.', '"', '\'']);
        if is_bare { part.clone() } else { format!("{part:?}") }
    };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}
