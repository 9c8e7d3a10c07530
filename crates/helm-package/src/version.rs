//! Versions and version ranges, as read by the library that Helm uses (Masterminds/semver 3).

use std::cmp::Ordering;

/// A version. A leading `v` and missing parts are accepted: `v1.2` is 1.2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HelmVersion {
    inner: semver::Version,
}

impl HelmVersion {
    /// Parses a version.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (parts, rest) = VersionParts::parse(text)?;
        let number = |number: &VersionPart| match number {
            VersionPart::Is(value) => Some(*value),
            VersionPart::Missing => Some(0),
            VersionPart::Wild => None,
        };
        let numbers: Option<Vec<u64>> = parts.numbers.iter().map(number).collect();
        match numbers?.as_slice() {
            [major, minor, patch] if rest.is_empty() => parts.version([*major, *minor, *patch]),
            _ => None,
        }
    }

    fn is_pre_release(&self) -> bool {
        !self.inner.pre.is_empty()
    }

    /// Whether both have the same precedence and the same build metadata.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

/// A range of versions: alternatives, each a list of conditions that must all hold.
#[derive(Debug)]
pub(crate) struct VersionRange {
    alternatives: Vec<Vec<VersionCondition>>,
}

impl VersionRange {
    /// Parses a range: `^1.2`, `~1.2.3`, `>=1 <2`, `1.x`, `1 - 3`, `a || b`. An empty range is any release.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Self::parse("*");
        }
        let alternatives: Option<Vec<_>> = text.split("||").map(conditions).collect();
        alternatives.map(|alternatives| Self { alternatives })
    }

    /// Whether `version` is in the range. Pre-releases are in it only if a condition names one.
    pub(crate) fn holds(&self, version: &HelmVersion) -> bool {
        self.alternatives.iter().any(|conditions| {
            let pre_releases = conditions.iter().any(|condition| condition.version.is_pre_release());
            (pre_releases || !version.is_pre_release())
                && conditions.iter().all(|condition| condition.holds(version))
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VersionOperator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

const OPERATORS: [(&str, VersionOperator); 11] = [
    ("!=", VersionOperator::NotEqual),
    (">=", VersionOperator::GreaterOrEqual),
    ("=>", VersionOperator::GreaterOrEqual),
    ("<=", VersionOperator::LessOrEqual),
    ("=<", VersionOperator::LessOrEqual),
    ("~>", VersionOperator::Tilde),
    ("=", VersionOperator::Equal),
    (">", VersionOperator::Greater),
    ("<", VersionOperator::Less),
    ("~", VersionOperator::Tilde),
    ("^", VersionOperator::Caret),
];

/// The parts that are written in the version of a condition: `1` and `1.x` name only the major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Whole,
}

#[derive(Debug)]
struct VersionCondition {
    operator: VersionOperator,
    version: HelmVersion,
    written: Precision,
}

impl VersionCondition {
    fn holds(&self, version: &HelmVersion) -> bool {
        let (own, it) = (&self.version.inner, &version.inner);
        let order = it.cmp_precedence(own);
        let same_major = it.major == own.major;
        let same_minor = same_major && it.minor == own.minor;
        match (self.operator, self.written) {
            (VersionOperator::Equal, Precision::Whole) => order == Ordering::Equal,
            (VersionOperator::Equal | VersionOperator::Tilde, written) => {
                order != Ordering::Less
                    && match written {
                        Precision::Nothing => true,
                        Precision::Major => same_major,
                        // In the library, `~0.0.0` holds for all versions.
                        Precision::Whole if (own.major, own.minor, own.patch) == (0, 0, 0) => true,
                        Precision::Minor | Precision::Whole => same_minor,
                    }
            }
            (VersionOperator::NotEqual, written) => match written {
                Precision::Major => !same_major,
                Precision::Minor => !same_minor || it.pre != own.pre,
                Precision::Nothing | Precision::Whole => order != Ordering::Equal,
            },
            (VersionOperator::Greater, Precision::Major) => it.major > own.major,
            (VersionOperator::Greater, Precision::Minor) => {
                it.major > own.major || (same_major && it.minor > own.minor)
            }
            (VersionOperator::Greater, _) => order == Ordering::Greater,
            (VersionOperator::GreaterOrEqual, _) => order != Ordering::Less,
            (VersionOperator::Less, _) => order == Ordering::Less,
            (VersionOperator::LessOrEqual, Precision::Whole) => order != Ordering::Greater,
            (VersionOperator::LessOrEqual, written) => {
                it.major < own.major || (same_major && (written == Precision::Major || it.minor <= own.minor))
            }
            (VersionOperator::Caret, written) => {
                order != Ordering::Less
                    && match written {
                        // `^*` names 0.0.0, and holds for no version above it.
                        Precision::Major => same_major,
                        _ if own.major > 0 => same_major,
                        Precision::Minor => same_minor,
                        _ if own.minor > 0 => same_minor,
                        _ => same_minor && it.patch == own.patch,
                    }
            }
        }
    }
}

/// Parses the conditions of one alternative, which are separated by spaces or commas.
fn conditions(text: &str) -> Option<Vec<VersionCondition>> {
    let mut conditions = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let found = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, operator) = found.copied().unwrap_or(("", VersionOperator::Equal));
        let (parts, after) = VersionParts::parse(rest.get(sign.len()..)?.trim_start())?;
        let next = after.trim_start();
        // `1 - 3`, with spaces around the dash.
        if let Some(upper) = next.strip_prefix('-').filter(|_| next.len() < after.len() && sign.is_empty()) {
            let (upper, after) = VersionParts::parse(upper.strip_prefix(char::is_whitespace)?.trim_start())?;
            conditions.push(parts.condition(VersionOperator::GreaterOrEqual)?);
            conditions.push(upper.condition(VersionOperator::LessOrEqual)?);
            rest = divided(after)?;
            continue;
        }
        conditions.push(parts.condition(operator)?);
        rest = divided(after)?;
    }
    (!conditions.is_empty()).then_some(conditions)
}

/// Returns the text after a condition and its separator, which must be spaces or a comma.
fn divided(after: &str) -> Option<&str> {
    let next = after.trim_start();
    if let Some(next) = next.strip_prefix(',') {
        return Some(next.trim_start()).filter(|next| !next.is_empty());
    }
    (next.is_empty() || next.len() < after.len()).then_some(next)
}

/// One number of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VersionPart {
    Missing,
    /// `x`, `X` or `*`.
    Wild,
    Is(u64),
}

/// A version whose parts may be missing or wild.
struct VersionParts<'a> {
    numbers: [VersionPart; 3],
    pre: &'a str,
    build: &'a str,
}

impl<'a> VersionParts<'a> {
    /// Parses the version that `text` begins with. Returns it and the text after it.
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = [VersionPart::Missing; 3];
        for (index, number) in numbers.iter_mut().enumerate() {
            let after = if index == 0 { Some(rest) } else { rest.strip_prefix('.') };
            let Some(after) = after else { break };
            let end = after.find(|it: char| !(it.is_ascii_digit() || matches!(it, 'x' | 'X' | '*')));
            let (written, left) = after.split_at(end.unwrap_or(after.len()));
            *number = match written {
                "x" | "X" | "*" => VersionPart::Wild,
                digits => VersionPart::Is(digits.parse().ok()?),
            };
            rest = left;
        }
        let (mut pre, mut build) = ("", "");
        for (sign, part) in [('-', &mut pre), ('+', &mut build)] {
            let Some(after) = rest.strip_prefix(sign) else { continue };
            let end = after.find(|it: char| !(it.is_ascii_alphanumeric() || matches!(it, '-' | '.')));
            let (written, left) = after.split_at(end.unwrap_or(after.len()));
            if written.is_empty() {
                return None;
            }
            *part = written;
            rest = left;
        }
        Some((Self { numbers, pre, build }, rest))
    }

    fn version(&self, [major, minor, patch]: [u64; 3]) -> Option<HelmVersion> {
        let mut inner = semver::Version::new(major, minor, patch);
        inner.pre = semver::Prerelease::new(self.pre).ok()?;
        inner.build = semver::BuildMetadata::new(self.build).ok()?;
        Some(HelmVersion { inner })
    }

    fn condition(&self, operator: VersionOperator) -> Option<VersionCondition> {
        let (numbers, written) = match self.numbers {
            [VersionPart::Is(major), VersionPart::Is(minor), VersionPart::Is(patch)] => {
                ([major, minor, patch], Precision::Whole)
            }
            [VersionPart::Is(major), VersionPart::Is(minor), _] => ([major, minor, 0], Precision::Minor),
            [VersionPart::Is(major), ..] => ([major, 0, 0], Precision::Major),
            [..] => ([0, 0, 0], Precision::Nothing),
        };
        Some(VersionCondition { operator, version: self.version(numbers)?, written })
    }
}

#[cfg(test)]
#[path = "version_tests.rs"]
mod tests;
