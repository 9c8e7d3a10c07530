//! The resources that `publish.toml` declares: images, charts and artifacts, and their addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kind of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// An image, or an index of images.
    Image,
    /// A Helm chart.
    Chart,
    /// Files under an artifact type.
    Artifact,
}

impl ResourceKind {
    /// Every kind, in the order of `publish.toml`.
    pub const ALL: [Self; 3] = [Self::Image, Self::Chart, Self::Artifact];

    /// The name of the table that declares resources of this kind.
    pub fn table(self) -> &'static str {
        match self {
            Self::Image => "images",
            Self::Chart => "charts",
            Self::Artifact => "artifacts",
        }
    }

    /// The word for people, and for the variable that holds the name: `image.name`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Chart => "chart",
            Self::Artifact => "artifact",
        }
    }
}

/// The name of a resource with its table: `images.brokkr-broker`. An image and a chart may have the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// The name of the resource in its table.
    pub name: String,
}

/// The error for a text that is not the address of a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a resource: expected `images.NAME`, `charts.NAME` or `artifacts.NAME`")]
pub struct ResourceIdError(String);

impl ResourceId {
    /// Returns the resource of `kind` called `name`.
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// Returns the image called `name`.
    pub fn image(name: impl Into<String>) -> Self {
        Self::new(ResourceKind::Image, name)
    }

    /// The name of the table that declares it.
    pub fn table(&self) -> &'static str {
        self.kind.table()
    }

    /// The path of its declaration in `publish.toml`.
    pub fn path(&self) -> [&str; 2] {
        [self.table(), &self.name]
    }

    /// The path of one of its keys in `publish.toml`.
    pub fn key<'a>(&'a self, key: &'a str) -> [&'a str; 3] {
        [self.table(), &self.name, key]
    }

    /// The kind and the name, for people: `` image `brokkr-broker` ``.
    pub fn title(&self) -> String {
        format!("{} `{}`", self.kind.noun(), self.name)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table(), self.name)
    }
}

impl FromStr for ResourceId {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, ResourceIdError> {
        let parts = text.split_once('.').filter(|(_, name)| !name.is_empty());
        let kind =
            parts.and_then(|(table, _)| ResourceKind::ALL.into_iter().find(|kind| kind.table() == table));
        match (kind, parts) {
            (Some(kind), Some((_, name))) => Ok(Self::new(kind, name)),
            _ => Err(ResourceIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ResourceId {
    type Error = ResourceIdError;

    fn try_from(text: String) -> Result<Self, ResourceIdError> {
        text.parse()
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.to_string()
    }
}

impl schemars::JsonSchema for ResourceId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Resource".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(images|charts|artifacts)\\..+$",
            "description": "The resource that is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_address_parses_again() {
        for text in ["images.app", "charts.app", "artifacts.a.b", "images.x/y"] {
            assert_eq!(text.parse::<ResourceId>().expect(text).to_string(), text);
        }
        for text in ["", "app", "images", "images.", "image.app"] {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
    }
}
