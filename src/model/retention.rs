//! The nouns of retention: the age that a tag may reach, and the reasons why a tag is removed or stays.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use oci_registry::Tag;

/// The age that a tag may reach: a number of hours, days or weeks, such as `30d`. It is printed as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age {
    count: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Weeks,
}

impl Unit {
    const ALL: [Self; 3] = [Self::Hours, Self::Days, Self::Weeks];

    fn letter(self) -> char {
        match self {
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
        }
    }

    fn seconds(self) -> i64 {
        match self {
            Self::Hours => 60 * 60,
            Self::Days => 24 * 60 * 60,
            Self::Weeks => 7 * 24 * 60 * 60,
        }
    }
}

/// The reason why a text is not an [`Age`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// It does not end in `h`, `d` or `w`.
    #[error("`{}` has no unit", .0.escape_debug())]
    Unit(String),
    /// The text before the unit is not a whole number, or too large.
    #[error("`{}` does not start with a whole number up to 4294967295", .0.escape_debug())]
    Number(String),
    /// The number is zero, and every tag is older than that.
    #[error("`{}` is zero, so every tag is older", .0.escape_debug())]
    Zero(String),
}

impl Age {
    /// The age in seconds.
    pub fn seconds(self) -> i64 {
        i64::from(self.count).saturating_mul(self.unit.seconds())
    }
}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let found = Unit::ALL.into_iter().find_map(|unit| Some((text.strip_suffix(unit.letter())?, unit)));
        let (number, unit) = found.ok_or_else(|| AgeError::Unit(text.to_owned()))?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let count = number.parse::<u32>().ok().filter(|_| digits);
        match count.ok_or_else(|| AgeError::Number(text.to_owned()))? {
            0 => Err(AgeError::Zero(text.to_owned())),
            count => Ok(Self { count, unit }),
        }
    }
}

impl TryFrom<String> for Age {
    type Error = AgeError;

    fn try_from(text: String) -> Result<Self, AgeError> {
        text.parse()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        age.to_string()
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.letter())
    }
}

impl schemars::JsonSchema for Age {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+[hdw]$",
            "description": "A number of hours, days or weeks."
        })
    }
}

/// The start of the age of a tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgeFrom {
    /// When the registry got it. If the registry does not say that: the latest time that the image states.
    #[default]
    Publication,
    /// When the image was made, as it states itself: its annotation, which may have the time of the commit, or its configuration.
    Creation,
}

/// The reason why a tag is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum RemovalReason {
    /// The pull request that it was published for is closed.
    PullRequestClosed {
        /// The number of the pull request.
        number: u64,
    },
    /// It is older than the retention allows, and not one of the newest, if the retention keeps some.
    Older {
        /// The age that tags may reach.
        age: Age,
        /// The number of newest tags that are kept at any age.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keep_last: Option<u64>,
    },
    /// The retention keeps some of the newest, and it is not one of them.
    Beyond {
        /// The number of newest tags that are kept.
        keep_last: u64,
    },
    /// The retention keeps the tags of git tags or branches that exist, and it is none of them.
    RefGone,
    /// The retention keeps some of the newest of each minor line, and it is not one of them.
    BeyondMinor {
        /// The number of newest versions of a minor line that are kept.
        keep_per_minor: u64,
    },
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PullRequestClosed { number } => write!(f, "pull request {number} is closed"),
            Self::Older { age, keep_last: None } => write!(f, "older than {age}"),
            Self::Older { age, keep_last: Some(count) } => {
                write!(f, "older than {age} and beyond the newest {count}")
            }
            Self::Beyond { keep_last } => write!(f, "beyond the newest {keep_last}"),
            Self::RefGone => f.write_str("no git tag or branch that exists has it"),
            Self::BeyondMinor { keep_per_minor } => {
                write!(f, "beyond the newest {keep_per_minor} of its minor line")
            }
        }
    }
}

/// The reason why a tag stays although a retention matches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum KeepReason {
    /// It is one of the newest.
    Newest {
        /// The number of newest tags that are kept.
        keep_last: u64,
    },
    /// It is not old enough yet.
    Younger {
        /// The age that tags may reach.
        age: Age,
    },
    /// The time when it was made is unknown: it has no time, or one before 1980, which reproducible builds write.
    TimeUnknown,
    /// It marks a version as withdrawn.
    MarksWithdrawn,
    /// It is one of the newest of its minor line.
    NewestOfMinor {
        /// The number of newest versions of a minor line that are kept.
        keep_per_minor: u64,
    },
    /// A rule renders it for a git tag or branch that exists.
    GitRef {
        /// The name of the git tag or branch.
        name: String,
        /// Whether it is a git tag.
        is_tag: bool,
    },
    /// The git tags and branches that exist are not known.
    GitUnknown {
        /// The reason.
        why: String,
    },
    /// Something still uses it.
    InUse {
        /// The file that says so.
        by: String,
    },
    /// It comes from a rule that prints versions, but can be read as several versions.
    VersionUnknown,
    /// Another tag rule may also have rendered it.
    OtherRule {
        /// The other rule.
        rule: String,
    },
    /// It is the tag of the highest version in the line of a forward tag, which could move back without it.
    HighestOfLine {
        /// The forward tag.
        line: Tag,
    },
    /// The lines of forward tags depend on more than versions, so any version may be the highest of a line.
    UnknownLines {
        /// The rule of the forward tag.
        rule: String,
    },
    /// It is a forward tag of releases, which a glob does not name.
    Forward {
        /// The rule that moves it.
        rule: String,
    },
    /// It holds signatures or other referrers of a manifest.
    Referrers,
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest { keep_last: 1 } => f.write_str("the newest"),
            Self::Newest { keep_last } => write!(f, "one of the newest {keep_last}"),
            Self::Younger { age } => write!(f, "younger than {age}"),
            Self::TimeUnknown => f.write_str("its time is unknown"),
            Self::NewestOfMinor { keep_per_minor: 1 } => f.write_str("the newest of its minor line"),
            Self::NewestOfMinor { keep_per_minor } => {
                write!(f, "one of the newest {keep_per_minor} of its minor line")
            }
            Self::GitRef { name, is_tag: true } => write!(f, "the git tag {name} exists"),
            Self::GitRef { name, is_tag: false } => write!(f, "the branch {name} exists"),
            Self::GitUnknown { why } => write!(f, "it is not known which git tags and branches exist: {why}"),
            Self::InUse { by } => write!(f, "in use: {by} names it"),
            Self::MarksWithdrawn => f.write_str("it marks a version as withdrawn"),
            Self::VersionUnknown => f.write_str("its version can be read in several ways"),
            Self::OtherRule { rule } => write!(f, "tag rule `{rule}` may also have made it"),
            Self::HighestOfLine { line } => {
                write!(f, "the highest version of `{line}`, which could move back without it")
            }
            Self::UnknownLines { rule } => {
                write!(f, "tag rule `{rule}` may need this version: its lines depend on more than versions")
            }
            Self::Forward { rule } => write!(f, "tag rule `{rule}` moves it forward"),
            Self::Referrers => f.write_str("it holds signatures or other referrers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_hours_days_and_weeks() {
        for (text, seconds) in
            [("12h", 43_200), ("30d", 2_592_000), ("6w", 3_628_800), ("4294967295w", 2_597_596_220_016_000)]
        {
            let age: Age = text.parse().expect(text);
            assert_eq!((age.seconds(), age.to_string().as_str()), (seconds, text));
        }
        let wrong = |text: &str| text.parse::<Age>().expect_err(text).to_string();
        assert_eq!(wrong("30"), "`30` has no unit");
        assert_eq!(wrong("1m"), "`1m` has no unit");
        assert_eq!(wrong("d"), "`d` does not start with a whole number up to 4294967295");
        assert_eq!(wrong("+3d"), "`+3d` does not start with a whole number up to 4294967295");
        assert_eq!(wrong("1.5d"), "`1.5d` does not start with a whole number up to 4294967295");
        assert_eq!(wrong("4294967296d"), "`4294967296d` does not start with a whole number up to 4294967295");
        assert_eq!(wrong("0d"), "`0d` is zero, so every tag is older");
        assert_eq!(wrong("30é"), "`30é` has no unit");
    }

    #[test]
    fn reasons_are_short() {
        let age: Age = "30d".parse().expect("an age");
        assert_eq!(RemovalReason::PullRequestClosed { number: 12 }.to_string(), "pull request 12 is closed");
        assert_eq!(RemovalReason::Older { age, keep_last: None }.to_string(), "older than 30d");
        assert_eq!(RemovalReason::Beyond { keep_last: 50 }.to_string(), "beyond the newest 50");
        let json = serde_json::to_string(&KeepReason::Younger { age }).expect("JSON");
        assert_eq!(json, r#"{"code":"younger","age":"30d"}"#);
        assert_eq!(serde_json::from_str::<KeepReason>(&json).expect("a reason"), KeepReason::Younger { age });
    }
}
