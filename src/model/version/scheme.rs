//! The schemes of versions, and their words in `publish.toml`.

use serde::{Deserialize, Serialize};

use super::describe::described;
use super::parts::{ParsedVersion, VersionError};
use super::pattern::{PatternError, VersionPattern};
use super::{loose, pattern, pep440, semantic};

/// The form of the versions of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SchemeText", into = "SchemeText")]
pub enum VersionScheme {
    /// Semantic versions: `1.2.3-rc.1+build.7`.
    #[default]
    Semver,
    /// Calendar versions: `2024.04.1`.
    Calver,
    /// Versions of Python packages: `1!2.0rc1.post2.dev3+local`.
    Pep440,
    /// Any number of numbers, and a suffix of words: `1.2`, `1.2.3.4`, `1.2-rc1`.
    Loose,
    /// The versions that a regular expression matches.
    Pattern(VersionPattern),
}

/// The name of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum SchemeName {
    /// Semantic versions: `1.2.3-rc.1`.
    Semver,
    /// Calendar versions: `2024.04.1`.
    Calver,
    /// Versions of Python packages: `1.2rc1`.
    Pep440,
    /// Any number of numbers, and a suffix of words: `1.2`, `1.2.3.4`.
    Loose,
}

/// A scheme as it is written: its name, or a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum SchemeText {
    /// The name.
    Name(SchemeName),
    /// A pattern.
    Pattern(SchemePattern),
}

/// A pattern as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct SchemePattern {
    /// A regular expression that matches a whole version. Its groups name the parts: `major`, which is required, `minor`, `patch`,
    /// `revision`, `epoch`, `pre`, `post`, `dev` and `build`.
    #[schemars(length(min = 1), extend("examples" = ["(?P<major>\\d+)_(?P<minor>\\d+)"]))]
    pub pattern: String,
}

impl TryFrom<SchemeText> for VersionScheme {
    type Error = PatternError;

    fn try_from(text: SchemeText) -> Result<Self, PatternError> {
        Ok(match text {
            SchemeText::Name(SchemeName::Semver) => Self::Semver,
            SchemeText::Name(SchemeName::Calver) => Self::Calver,
            SchemeText::Name(SchemeName::Pep440) => Self::Pep440,
            SchemeText::Name(SchemeName::Loose) => Self::Loose,
            SchemeText::Pattern(SchemePattern { pattern }) => Self::Pattern(VersionPattern::new(&pattern)?),
        })
    }
}

impl From<VersionScheme> for SchemeText {
    fn from(scheme: VersionScheme) -> Self {
        match scheme {
            VersionScheme::Semver => Self::Name(SchemeName::Semver),
            VersionScheme::Calver => Self::Name(SchemeName::Calver),
            VersionScheme::Pep440 => Self::Name(SchemeName::Pep440),
            VersionScheme::Loose => Self::Name(SchemeName::Loose),
            VersionScheme::Pattern(pattern) => {
                Self::Pattern(SchemePattern { pattern: pattern.as_str().to_owned() })
            }
        }
    }
}

impl VersionScheme {
    /// Reads the parts of a version.
    pub(super) fn read(&self, text: &str) -> Result<ParsedVersion, VersionError> {
        if let Some(described) = described(text)
            && let Ok(mut parsed) = self.read_release(described.base)
        {
            parsed.key.distance = Some(described.distance);
            parsed.development = true;
            // The suffix is a part of the pre-release, as in a semantic version.
            parsed.parts.pre.push_str(text.strip_prefix(described.base).unwrap_or_default());
            return Ok(parsed);
        }
        self.read_release(text)
    }

    fn read_release(&self, text: &str) -> Result<ParsedVersion, VersionError> {
        match self {
            Self::Semver => semantic::parse(text),
            Self::Calver => loose::parse_calendar(text),
            Self::Loose => loose::parse(text),
            Self::Pep440 => pep440::parse(text),
            Self::Pattern(pattern) => pattern::parse(text, pattern),
        }
    }

    /// Whether it is semantic versioning, which plans do not mention.
    pub fn is_default(&self) -> bool {
        *self == Self::Semver
    }

    /// Its versions in words: `a semantic version`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Semver => "semantic version",
            Self::Calver => "calendar version",
            Self::Pep440 => "version of PEP 440",
            Self::Loose => "version",
            Self::Pattern(_) => "version of the pattern",
        }
    }

    /// Whether `text` begins with a word of pre-releases, such as `rc`.
    pub fn is_prerelease_word(text: &str) -> bool {
        loose::is_prerelease_word(text)
    }
}

impl schemars::JsonSchema for VersionScheme {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VersionScheme".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        SchemeText::json_schema(generator)
    }
}
