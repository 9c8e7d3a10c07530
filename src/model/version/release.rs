//! A version that something is released under.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::order::VersionKey;
use super::parts::{ParsedVersion, VersionError, VersionParts};
use super::scheme::VersionScheme;

/// A version that something is released under.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "VersionText", into = "VersionText")]
pub struct ReleaseVersion(Arc<VersionFacts>);

/// The facts about a version, which its copies share.
#[derive(Debug, Clone)]
struct VersionFacts {
    text: String,
    scheme: VersionScheme,
    parsed: ParsedVersion,
    marked: bool,
    /// Whether the text is not that of the scheme, because only the numbers are known.
    numbers_only: bool,
}

impl ReleaseVersion {
    /// The semantic version `major.minor.patch`.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self::of_numbers(&VersionScheme::Semver, [major, minor, patch].map(|number| number.to_string()))
    }

    /// Reads a semantic version.
    ///
    /// # Errors
    ///
    /// `text` is not a semantic version.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        VersionScheme::Semver.parse(text)
    }

    /// The release with these numbers, with dots between them.
    pub fn of_numbers(scheme: &VersionScheme, numbers: impl IntoIterator<Item = String>) -> Self {
        let numbers: Vec<String> = numbers.into_iter().collect();
        let key = VersionKey::release(numbers.iter().map(String::as_str));
        let text = numbers.join(".");
        let parts = VersionParts { numbers, ..VersionParts::default() };
        let numbers_only = matches!(scheme, VersionScheme::Pattern(_));
        let facts = VersionFacts { numbers_only, ..facts(&text, scheme, ParsedVersion::new(parts, key)) };
        Self(Arc::new(facts))
    }

    /// A version that no release has, whose text and numbers can be found wherever they are printed.
    pub fn sentinel(scheme: &VersionScheme) -> Self {
        let numbers = ["98765", "43210", "12345", "67890"].map(str::to_owned).to_vec();
        let shown = if *scheme == VersionScheme::Semver { 3 } else { 4 };
        let numbers: Vec<String> = numbers.into_iter().take(shown).collect();
        let key = VersionKey::release(numbers.iter().map(String::as_str));
        let parts = VersionParts {
            numbers,
            pre: "q7x.9".to_owned(),
            build: "z3".to_owned(),
            ..VersionParts::default()
        };
        let text = format!("{}+{}", Self::SENTINEL, Self::SENTINEL_BUILD);
        Self::of_parsed(&text, scheme, ParsedVersion::new(parts, key))
    }

    /// The text of the sentinel before its `+`.
    pub const SENTINEL: &str = "98765.43210.12345-q7x.9";
    /// The text of the sentinel after its `+`.
    pub const SENTINEL_BUILD: &str = "z3";

    fn of_parsed(text: &str, scheme: &VersionScheme, parsed: ParsedVersion) -> Self {
        Self(Arc::new(facts(text, scheme, parsed)))
    }

    /// The same release with a pre-release and build metadata after it.
    #[must_use]
    pub fn with_suffixes(self, pre: &str, build: &str) -> Self {
        let with = |text: String, mark: &str, suffix: &str| {
            if suffix.is_empty() { text } else { format!("{text}{mark}{suffix}") }
        };
        let text = with(with(self.0.text.clone(), "-", pre), "+", build);
        self.0.scheme.parse(&text).unwrap_or(self)
    }

    /// The same version as a pre-release, whatever its text looks like.
    #[must_use]
    pub fn marked_as_prerelease(mut self) -> Self {
        Arc::make_mut(&mut self.0).marked = true;
        self
    }

    /// Its scheme.
    pub fn scheme(&self) -> &VersionScheme {
        &self.0.scheme
    }

    /// Its parts.
    pub fn parts(&self) -> &VersionParts {
        &self.0.parsed.parts
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether it is a pre-release: by its text, or because the forge says so.
    pub fn is_prerelease(&self) -> bool {
        self.0.marked || self.reads_as_prerelease()
    }

    /// Whether its text is that of a pre-release.
    pub fn reads_as_prerelease(&self) -> bool {
        self.0.parsed.is_prerelease()
    }

    /// Whether it names a commit between two releases, as git-describe(1) and Go's pseudo-versions do. It takes no forward tag,
    /// whatever a rule says.
    pub fn is_development(&self) -> bool {
        self.0.parsed.development
    }

    /// Compares by the order of the scheme alone: versions that only their text distinguishes, such as 1.2 and 1.2.0, are equal.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.0.parsed.key.cmp(&other.0.parsed.key)
    }

    /// Whether it consists of the first numbers of `other`: 1.2 of 1.2.3.
    pub fn is_start_of(&self, other: &Self) -> bool {
        let (own, others) = (&self.0.parsed.parts.numbers, &other.0.parsed.parts.numbers);
        self.is_bare() && own.len() < others.len() && others.starts_with(own)
    }

    fn is_bare(&self) -> bool {
        self.0.parsed.parts.numbers.join(".") == self.0.text
    }

    /// The highest version that a tag with only these numbers can stand for, if more numbers may follow.
    #[must_use]
    pub fn highest_of_line(&self) -> Self {
        const MORE: usize = 4;
        if !self.is_bare() || self.0.scheme == VersionScheme::Semver {
            return self.clone();
        }
        let more = std::iter::repeat_n(u64::MAX.to_string(), MORE);
        Self::of_numbers(&self.0.scheme, self.0.parsed.parts.numbers.iter().cloned().chain(more))
    }
}

fn facts(text: &str, scheme: &VersionScheme, parsed: ParsedVersion) -> VersionFacts {
    VersionFacts { text: text.to_owned(), scheme: scheme.clone(), parsed, marked: false, numbers_only: false }
}

impl VersionScheme {
    /// Reads a version.
    ///
    /// # Errors
    ///
    /// `text` is not a version of the scheme.
    pub fn parse(&self, text: &str) -> Result<ReleaseVersion, VersionError> {
        self.read(text).map(|parsed| ReleaseVersion::of_parsed(text, self, parsed))
    }
}

impl Ord for ReleaseVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        // If only the numbers of one are known, the text of the other says nothing.
        let by_text = || {
            if self.0.numbers_only == other.0.numbers_only {
                self.0.text.cmp(&other.0.text)
            } else {
                Ordering::Equal
            }
        };
        self.compare(other).then_with(by_text)
    }
}

impl PartialOrd for ReleaseVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ReleaseVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ReleaseVersion {}

impl Hash for ReleaseVersion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal versions have equal numbers, whatever their texts.
        self.0.parsed.parts.numbers.first().hash(state);
    }
}

impl fmt::Display for ReleaseVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.text)
    }
}

impl std::str::FromStr for ReleaseVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

/// A version in a plan: its text, with the scheme unless it is semantic versioning.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub(super) enum VersionText {
    /// A semantic version.
    Semantic(String),
    /// A version of another scheme.
    Other {
        /// The text.
        text: String,
        /// The scheme.
        scheme: VersionScheme,
    },
}

impl TryFrom<VersionText> for ReleaseVersion {
    type Error = VersionError;

    fn try_from(text: VersionText) -> Result<Self, VersionError> {
        match text {
            VersionText::Semantic(text) => Self::parse(&text),
            VersionText::Other { text, scheme } => scheme.parse(&text).or_else(|error| {
                let is_number =
                    |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                let is_of_numbers =
                    matches!(scheme, VersionScheme::Pattern(_)) && text.split('.').all(is_number);
                let numbers = text.split('.').map(str::to_owned);
                if is_of_numbers { Ok(Self::of_numbers(&scheme, numbers)) } else { Err(error) }
            }),
        }
    }
}

impl From<ReleaseVersion> for VersionText {
    fn from(version: ReleaseVersion) -> Self {
        let text = version.0.text.clone();
        match &version.0.scheme {
            VersionScheme::Semver => Self::Semantic(text),
            scheme => Self::Other { text, scheme: scheme.clone() },
        }
    }
}

impl schemars::JsonSchema for ReleaseVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        VersionText::json_schema(generator)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
