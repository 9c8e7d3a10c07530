//! The platform that an image runs on: `os/architecture[/variant]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operating system and a processor architecture (image-spec, image-index.md, `platform`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Platform {
    /// The operating system, by Go's name: `linux`, `windows`.
    pub os: String,
    /// The architecture, by Go's name: `amd64`, `arm64`.
    pub architecture: String,
    /// The variant of the architecture: `v7` of `arm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The version of the operating system, which Windows images carry.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Features that the operating system must have.
    #[serde(default, rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
}

/// The reason why a text is not a [`Platform`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PlatformError {
    reason: String,
    /// The text that was probably meant.
    pub suggestion: Option<String>,
}

const OPERATING_SYSTEMS: [&str; 8] =
    ["linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris", "wasip1"];

/// The architectures that images use, by Go's names, with the names that other tools give them.
const ARCHITECTURES: [(&str, &[&str]); 12] = [
    ("amd64", &["x86_64", "x86-64", "x64"]),
    ("arm64", &["aarch64", "armv8"]),
    ("arm", &["armhf", "armv7", "armv7l", "armel", "armv6"]),
    ("386", &["i386", "i686", "x86"]),
    ("ppc64le", &["powerpc64le"]),
    ("ppc64", &["powerpc64"]),
    ("s390x", &[]),
    ("riscv64", &["riscv"]),
    ("mips64le", &["mips64el"]),
    ("mips64", &[]),
    ("loong64", &["loongarch64"]),
    ("wasm", &["wasm32"]),
];

impl Platform {
    /// Returns the platform in the configuration of an image (image-spec, config.md, "Properties"); `None` if it has none.
    ///
    /// # Errors
    ///
    /// The error of the parser, if `bytes` are not a configuration.
    pub fn of_config(bytes: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        #[derive(Deserialize)]
        struct PlatformFields {
            #[serde(default)]
            os: String,
            #[serde(default)]
            architecture: String,
            #[serde(default)]
            variant: Option<String>,
            #[serde(default, rename = "os.version")]
            os_version: Option<String>,
            #[serde(default, rename = "os.features")]
            os_features: Option<Vec<String>>,
        }
        let config: PlatformFields = serde_json::from_slice(bytes)?;
        if config.os.is_empty() || config.architecture.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            os: config.os,
            architecture: config.architecture,
            variant: config.variant.filter(|variant| !variant.is_empty()),
            os_version: config.os_version.filter(|version| !version.is_empty()),
            os_features: config.os_features.unwrap_or_default(),
        }))
    }

    /// Returns a platform without a variant.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self {
            os: os.into(),
            architecture: architecture.into(),
            variant: None,
            os_version: None,
            os_features: Vec::new(),
        }
    }

    /// Whether this is `unknown/unknown`, the platform that `BuildKit` gives to attestations in an index.
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// Whether it names a system and an architecture. Tools write empty names for content that does not run.
    pub fn is_named(&self) -> bool {
        !self.os.is_empty() && !self.architecture.is_empty()
    }

    /// Whether an image for `self` satisfies a request for `wanted`: the same system, architecture and
    /// variant. `arm64` means `arm64/v8` and `arm` means `arm/v7`
    /// (containerd's `platforms.Normalize`).
    pub fn satisfies(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && self.normalized_variant() == wanted.normalized_variant()
    }

    /// Whether images for `self` and for `other` are equally good: they satisfy each other, and have the same requirements on the
    /// operating system.
    pub fn is_as_good_as(&self, other: &Self) -> bool {
        self.satisfies(other) && self.os_version == other.os_version && self.os_features == other.os_features
    }

    fn normalized_variant(&self) -> Option<&str> {
        match (self.architecture.as_str(), self.variant.as_deref()) {
            ("arm64", Some("v8")) | ("amd64", Some("v1")) => None,
            ("arm", None) => Some("v7"),
            (_, variant) => variant,
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts.as_slice() {
            [os, architecture] => (*os, *architecture, None),
            [os, architecture, variant] if !variant.is_empty() => (*os, *architecture, Some(*variant)),
            _ => {
                return Err(PlatformError {
                    reason: format!(
                        "`{text}` is not a platform: expected `os/architecture` or `os/architecture/variant`"
                    ),
                    suggestion: architecture_named(text).map(|name| format!("linux/{name}")),
                });
            }
        };
        if !OPERATING_SYSTEMS.contains(&os) {
            return Err(PlatformError {
                reason: format!("`{os}` is not an operating system that images are built for"),
                suggestion: nearest(os, OPERATING_SYSTEMS).map(|os| [os, architecture].join("/")),
            });
        }
        if !ARCHITECTURES.iter().any(|(name, _)| *name == architecture) {
            let suggestion = architecture_named(architecture)
                .or_else(|| nearest(architecture, ARCHITECTURES.iter().map(|(name, _)| *name)));
            return Err(PlatformError {
                reason: format!("`{architecture}` is not an architecture that images are built for"),
                suggestion: suggestion.map(|name| format!("{os}/{name}")),
            });
        }
        Ok(Self { variant: variant.map(str::to_owned), ..Self::new(os, architecture) })
    }
}

fn architecture_named(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    ARCHITECTURES
        .iter()
        .find(|(name, aliases)| *name == text || aliases.contains(&text.as_str()))
        .map(|(name, _)| *name)
}

fn nearest(text: &str, among: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    among.into_iter().find(|candidate| strsim::damerau_levenshtein(text, candidate) <= 2)
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_platform_parses_again() {
        for text in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
            assert_eq!(text.parse::<Platform>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn suggests_the_name_that_images_use() {
        for (text, suggestion) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/aarch64", "linux/arm64"),
            ("arm64", "linux/arm64"),
            ("linus/amd64", "linux/amd64"),
            ("linux/amd46", "linux/amd64"),
        ] {
            let error = text.parse::<Platform>().expect_err(text);
            assert_eq!(error.suggestion.as_deref(), Some(suggestion), "{text}");
        }
        assert_eq!("linux".parse::<Platform>().expect_err("one part").suggestion, None);
    }

    #[test]
    fn variants_that_mean_the_default_are_equal() {
        let parse = |text: &str| text.parse::<Platform>().expect("a platform");
        assert!(parse("linux/arm64/v8").satisfies(&parse("linux/arm64")));
        assert!(parse("linux/arm").satisfies(&parse("linux/arm/v7")));
        assert!(!parse("linux/arm/v6").satisfies(&parse("linux/arm")));
        assert!(!parse("linux/amd64").satisfies(&parse("linux/arm64")));
    }
}
