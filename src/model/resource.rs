//! What `publish.toml` declares to publish: images, charts and artifacts, and their addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a resource is.
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

    /// The table that declares resources of this kind.
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

/// The name of a resource with its table: `images.brokkr-broker`. An image and a chart may have one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name in its table.
    pub name: String,
}

/// A text is not the address of a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a resource: expected `images.NAME`, `charts.NAME` or `artifacts.NAME`")]
pub struct ResourceIdError(String);

impl ResourceId {
    /// The resource called `name` of a kind.
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// The image called `name`.
    pub fn image(name: impl Into<String>) -> Self {
        Self::new(ResourceKind::Image, name)
    }

    /// The table that declares it.
    pub fn table(&self) -> &'static str {
        self.kind.table()
    }

    /// Where it is declared in `publish.toml`.
    pub fn path(&self) -> [&str; 2] {
        [self.table(), &self.name]
    }

    /// The place of one of its keys in `publish.toml`.
    pub fn key<'a>(&'a self, key: &'a str) -> [&'a str; 3] {
        [self.table(), &self.name, key]
    }

    /// What it is and its name, for people: `` image `brokkr-broker` ``.
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
            "description": "What is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_prints() {
        for text in ["images.app", "charts.app", "artifacts.a.b", "images.x/y"] {
            assert_eq!(text.parse::<ResourceId>().expect(text).to_string(), text);
        }
        for text in ["", "app", "images", "images.", "image.app"] {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
    }
}
