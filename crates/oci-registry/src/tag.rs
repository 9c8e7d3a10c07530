//! Tags: the only names in a registry that can move.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A tag that registries accept: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (distribution-spec 1.1, "Pulling
/// manifests").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// The reason why a text is not a [`Tag`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The text is empty.
    #[error("a tag cannot be empty")]
    Empty,
    /// The text is longer than 128 characters.
    #[error("a tag has at most 128 characters; this one has {0}")]
    TooLong(usize),
    /// The text starts with `.` or `-`.
    #[error("a tag cannot start with `{0}`")]
    Start(char),
    /// The text contains a character that no tag may contain.
    #[error("a tag cannot contain `{}`", .0.escape_default())]
    Character(char),
}

impl Tag {
    /// The length of the longest tag, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// The text of the tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the tag holds referrers of a manifest: it is the fallback tag for referrers, `ALGORITHM-DIGEST` cut to 64 digits
    /// (distribution-spec 1.1, "Referrers Tag Schema"), or that tag with a suffix, as cosign's signatures have.
    pub fn is_of_referrers(&self) -> bool {
        self.subject_digits().is_some()
    }

    /// Whether the tag holds referrers of `subject`.
    pub fn is_of_referrers_to(&self, subject: &crate::digest::Digest) -> bool {
        self.subject_digits().is_some_and(|(algorithm, digits)| {
            algorithm == subject.algorithm() && subject.hex().starts_with(digits)
        })
    }

    /// Returns the manifest whose referrers the tag holds, if the tag has all digits of its digest.
    pub fn referrers_subject(&self) -> Option<crate::digest::Digest> {
        let (algorithm, digits) = self.subject_digits()?;
        format!("{algorithm}:{digits}").parse().ok()
    }

    /// The algorithm of a subject's digest, and the first 64 of its digits.
    fn subject_digits(&self) -> Option<(&str, &str)> {
        let (algorithm, rest) = self.0.split_once('-')?;
        let digits = rest.get(..64)?;
        let known = ["sha256", "sha384", "sha512"].contains(&algorithm);
        (known && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((algorithm, digits))
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        match text.chars().next() {
            None => Err(TagError::Empty),
            Some(_) if !text.chars().all(allowed) => {
                Err(TagError::Character(text.chars().find(|c| !allowed(*c)).unwrap_or_default()))
            }
            Some(first @ ('.' | '-')) => Err(TagError::Start(first)),
            Some(_) if text.len() > Self::MAX_LENGTH => Err(TagError::TooLong(text.len())),
            Some(_) => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        text.parse()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Tag {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tag".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$",
            "description": "A tag of a repository."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_why_a_tag_is_invalid() {
        let parse = |text: &str| text.parse::<Tag>().map(|_| ());
        assert_eq!(parse("v1.2.3_build-7"), Ok(()));
        assert_eq!(parse("_x"), Ok(()));
        assert_eq!(parse(&"a".repeat(128)), Ok(()));
        assert_eq!(parse(""), Err(TagError::Empty));
        assert_eq!(parse(".x"), Err(TagError::Start('.')));
        assert_eq!(parse("-x"), Err(TagError::Start('-')));
        assert_eq!(parse("a/b"), Err(TagError::Character('/')));
        assert_eq!(parse("1.0+b"), Err(TagError::Character('+')));
        assert_eq!(parse("é"), Err(TagError::Character('é')));
        assert_eq!(parse(&"a".repeat(129)), Err(TagError::TooLong(129)));
    }
}
