//! Where content comes from, as declared: `oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, or a table of
//! those by platform.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A source of content, after its templates were rendered. Paths are relative to the folder of
/// `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a source: `oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, or a table of those by platform"
)]
pub enum SourceSpec {
    /// One transport string.
    One(TransportSpec),
    /// An index to assemble: a source for each platform, by the platform's name.
    Platforms(BTreeMap<String, TransportSpec>),
}

/// A transport and what it names, in the words of skopeo and podman (containers-transports(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TransportSpec {
    /// `oci:DIR[:REF]`: an OCI image layout.
    Oci {
        /// The directory.
        path: String,
        /// The `org.opencontainers.image.ref.name` to pick, where the layout holds several images.
        reference: Option<String>,
    },
    /// `oci-archive:FILE[:REF]`: an OCI image layout in a tar file.
    OciArchive {
        /// The file.
        path: String,
        /// The `org.opencontainers.image.ref.name` to pick, where the layout holds several images.
        reference: Option<String>,
    },
}

/// Why a text is not a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SourceSpecError {
    reason: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// The transports known, as they are written.
const TRANSPORTS: [&str; 2] = ["oci", "oci-archive"];

impl FromStr for TransportSpec {
    type Err = SourceSpecError;

    fn from_str(text: &str) -> Result<Self, SourceSpecError> {
        let error = |reason: String, suggestion: Option<String>| Err(SourceSpecError { reason, suggestion });
        let Some((transport, rest)) = text.split_once(':') else {
            let transport = if std::path::Path::new(text).extension().is_some_and(|it| it == "tar") {
                "oci-archive"
            } else {
                "oci"
            };
            return error(
                format!("`{text}` names no transport: expected `oci:DIR` or `oci-archive:FILE`"),
                Some(format!("{transport}:{text}")),
            );
        };
        if !TRANSPORTS.contains(&transport) {
            let nearest = TRANSPORTS.into_iter().find(|it| strsim::damerau_levenshtein(it, transport) <= 2);
            return error(
                format!(
                    "`{transport}` is not a transport of this version: expected `oci:DIR[:REF]` or `oci-archive:FILE[:REF]`"
                ),
                nearest.map(|nearest| format!("{nearest}:{rest}")),
            );
        }
        let (path, reference) = match rest.split_once(':') {
            Some((path, reference)) => (path, Some(reference)),
            None => (rest, None),
        };
        if path.is_empty() {
            return error(format!("`{transport}:` needs a path"), None);
        }
        if reference == Some("") {
            return error(
                format!("`{text}` ends in `:` without a reference"),
                Some(format!("{transport}:{path}")),
            );
        }
        let (path, reference) = (path.to_owned(), reference.map(str::to_owned));
        Ok(if transport == "oci" {
            Self::Oci { path, reference }
        } else {
            Self::OciArchive { path, reference }
        })
    }
}

impl fmt::Display for TransportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, path, reference) = match self {
            Self::Oci { path, reference } => ("oci", path, reference),
            Self::OciArchive { path, reference } => ("oci-archive", path, reference),
        };
        write!(f, "{transport}:{path}")?;
        match reference {
            Some(reference) => write!(f, ":{reference}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for TransportSpec {
    type Error = SourceSpecError;

    fn try_from(text: String) -> Result<Self, SourceSpecError> {
        text.parse()
    }
}

impl From<TransportSpec> for String {
    fn from(spec: TransportSpec) -> Self {
        spec.to_string()
    }
}

impl schemars::JsonSchema for TransportSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Transport".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`oci:DIR[:REF]` or `oci-archive:FILE[:REF]`."
        })
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(spec) => spec.fmt(f),
            Self::Platforms(table) => {
                for (position, (platform, spec)) in table.iter().enumerate() {
                    let separator = if position == 0 { "" } else { ", " };
                    write!(f, "{separator}{platform} = {spec}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_prints() {
        for text in ["oci:dist/a", "oci:dist/a:v1", "oci-archive:a.tar", "oci-archive:a.tar:x:y"] {
            assert_eq!(text.parse::<TransportSpec>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn suggests_what_was_meant() {
        let suggestion = |text: &str| text.parse::<TransportSpec>().expect_err(text).suggestion;
        assert_eq!(suggestion("dist/a.tar").as_deref(), Some("oci-archive:dist/a.tar"));
        assert_eq!(suggestion("dist/a").as_deref(), Some("oci:dist/a"));
        assert_eq!(suggestion("oci-arhive:a.tar").as_deref(), Some("oci-archive:a.tar"));
        assert_eq!(suggestion("oci:a:").as_deref(), Some("oci:a"));
        assert_eq!(suggestion("ftp:a"), None);
        assert_eq!(suggestion("oci:"), None);
    }
}
