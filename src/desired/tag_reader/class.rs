//! The possible forms of the part of a tag that a variable prints.

use globset::{GlobBuilder, GlobMatcher};

use crate::desired::{filters, rules};
use crate::model::forward::of_tag;
use crate::model::version::{ReleaseVersion, VersionScheme};
use oci_registry::Tag;
use semver::{BuildMetadata, Prerelease};

/// How certain a reader has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Accepts only text that can certainly be rendered. Used to attribute a tag to the rule.
    Certain,
    /// Accepts any text that might be rendered. Used to leave a tag to the rule.
    Possible,
}

/// The text that a variable prints into a tag.
#[derive(Debug, Clone)]
pub(super) enum TextClass {
    /// This number of hexadecimal digits.
    Hexadecimal(usize),
    /// A whole commit: 40 digits, or 64 in a SHA-256 repository.
    Commit,
    /// A number from 1 upwards.
    Number,
    /// A part of a version: a number from 0 upwards. `zeros` says whether it may start with zeros.
    Digits { zeros: bool },
    /// A part of a version that may be empty.
    Part,
    /// A whole version, with `_` for `+`.
    Version(VersionScheme),
    /// A pre-release, which may be empty.
    Prerelease,
    /// Build metadata, which may be empty.
    Build,
    /// A time in this format of strftime(3).
    Date(String),
    /// Any text that one of the globs matches, or any text at all if there are no globs. `slug` says whether it went
    /// through that filter.
    Text { slug: bool, globs: Vec<Shape> },
}

impl TextClass {
    /// Whether the variable can print `text`.
    pub fn admits(&self, text: &str, certainty: Certainty) -> bool {
        match self {
            Self::Hexadecimal(length) => text.len() == *length && is_hexadecimal(text),
            Self::Commit => matches!(text.len(), 40 | 64) && is_hexadecimal(text),
            Self::Number => !text.starts_with('0') && is_number(text),
            Self::Digits { zeros } => (*zeros || text == "0" || !text.starts_with('0')) && is_number(text),
            Self::Version(scheme) => version(scheme, text).is_some(),
            Self::Part => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
            Self::Prerelease => Prerelease::new(text).is_ok(),
            Self::Build => BuildMetadata::new(text).is_ok(),
            Self::Date(format) => is_date(text, format),
            Self::Text { slug, globs } => {
                !text.is_empty()
                    && (!slug || filters::slug(text) == text)
                    && (globs.is_empty() || globs.iter().any(|glob| glob.admits(text, *slug, certainty)))
            }
        }
    }

    /// Whether the class admits any text, so that no tag shows which rule made it.
    pub fn is_free(&self) -> bool {
        match self {
            Self::Prerelease | Self::Build | Self::Part => true,
            Self::Text { globs, .. } => {
                let fixed =
                    |shape: &Shape| shape.literals.concat().contains(|c: char| c.is_ascii_alphanumeric());
                globs.is_empty() || !globs.iter().all(fixed)
            }
            _ => false,
        }
    }
}

/// Returns the version that `text` in a tag represents.
pub(super) fn version(scheme: &VersionScheme, text: &str) -> Option<ReleaseVersion> {
    let version = of_tag(scheme, text)?;
    (rules::without_plus(version.as_str(), Some(&version)) == text).then_some(version)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok()
}

/// Whether `format` can produce `text` from some time.
fn is_date(text: &str, format: &str) -> bool {
    let Ok(parsed) = jiff::fmt::strtime::parse(format, text) else { return false };
    let timestamp = parsed.to_timestamp().ok().or_else(|| {
        let civil = parsed.to_datetime().ok().or_else(|| Some(parsed.to_date().ok()?.at(0, 0, 0, 0)))?;
        jiff::tz::Offset::UTC.to_timestamp(civil).ok()
    });
    timestamp.is_some_and(|timestamp| {
        jiff::fmt::strtime::format(format, timestamp).is_ok_and(|formatted| formatted == text)
    })
}

/// A glob of `match`, reduced to the parts that can be recognized from the rest of a name in a tag.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    matcher: GlobMatcher,
    /// The fixed text around the variable places: one more than there are such places.
    literals: Vec<String>,
}

impl Shape {
    /// The shape of `glob`, or `None` if it is not a valid glob.
    pub fn new(glob: &str) -> Option<Self> {
        let matcher = GlobBuilder::new(glob).literal_separator(true).build().ok()?.compile_matcher();
        let (mut literals, mut depth, mut characters) = (vec![String::new()], 0_usize, glob.chars());
        while let Some(character) = characters.next() {
            match character {
                '\\' => {
                    let escaped = characters.next().unwrap_or('\\');
                    if depth == 0 {
                        literals.last_mut()?.push(escaped);
                    }
                }
                '[' | '{' => {
                    if depth == 0 {
                        literals.push(String::new());
                    }
                    depth += 1;
                }
                ']' | '}' => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                '*' | '?' => literals.push(String::new()),
                other => literals.last_mut()?.push(other),
            }
        }
        Some(Self { matcher, literals })
    }

    /// Whether the glob matches `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    fn admits(&self, text: &str, slug: bool, certainty: Certainty) -> bool {
        if !slug {
            return self.matches(text);
        }
        match certainty {
            Certainty::Certain => self.name_for(text).is_some(),
            // Long text was cut, and characters at the ends were trimmed, so only the start is certain.
            Certainty::Possible => {
                let start = sluggish(self.literals.first().map(String::as_str).unwrap_or_default());
                let start = start.trim_start_matches(['-', '.']).trim_end_matches(['-', '.']);
                let kept = start.get(..start.len().min(Tag::MAX_LENGTH / 2)).unwrap_or(start);
                text.starts_with(kept)
                    && (self.literals.len() > 1 || text == filters::slug(&self.literals.concat()))
            }
        }
    }

    /// Returns a name that the glob matches and whose slug is `text`.
    fn name_for(&self, text: &str) -> Option<String> {
        let (first, rest) = self.literals.split_first()?;
        let mut name = first.clone();
        if let Some((last, middle)) = rest.split_last() {
            let mut left =
                text.strip_prefix(sluggish(first).as_str())?.strip_suffix(sluggish(last).as_str())?;
            for literal in middle {
                let (before, after) = left.split_once(sluggish(literal).as_str())?;
                name.push_str(before);
                name.push_str(literal);
                left = after;
            }
            name.push_str(left);
            name.push_str(last);
        }
        (self.matches(&name) && filters::slug(&name) == text).then_some(name)
    }
}

/// The result of `slug` for text in the middle of a name.
fn sluggish(text: &str) -> String {
    let framed = filters::slug(&format!("x{text}x"));
    framed.strip_prefix('x').and_then(|it| it.strip_suffix('x')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(class: &TextClass, text: &str) -> bool {
        class.admits(text, Certainty::Certain)
    }

    #[test]
    fn each_class_admits_what_its_variable_prints() {
        for (class, right, wrong) in [
            (TextClass::Hexadecimal(7), vec!["0a1b2c3"], vec!["0A1b2c3", "0a1b2c", "0a1b2c34", "gggggga"]),
            (
                TextClass::Number,
                vec!["1", "12", "18446744073709551615"],
                vec!["", "0", "012", "x", "18446744073709551616"],
            ),
            (TextClass::Digits { zeros: false }, vec!["0", "12"], vec!["", "00", "-1"]),
            (
                TextClass::Version(VersionScheme::Semver),
                vec!["1.2.3", "1.2.3-rc.1_b.7"],
                vec!["1.2", "01.2.3", "1.2.3+b", "1.2.3_b_c", "v1.2.3"],
            ),
            (TextClass::Prerelease, vec!["", "rc.1"], vec!["rc_1", "01"]),
            (TextClass::Date("%Y%m%d".to_owned()), vec!["20260102"], vec!["20261301", "2026012", "x"]),
            (
                TextClass::Date("%Y-%m-%d.%H%M%S".to_owned()),
                vec!["2026-01-02.030405"],
                vec!["2026-01-02.030465"],
            ),
            (TextClass::Date("%s".to_owned()), vec!["1767323045"], vec!["now"]),
            (
                TextClass::Text { slug: true, globs: vec![] },
                vec!["main", "a.b_c-d"],
                vec!["", "Main", "a--b", "-a", "a-"],
            ),
            (TextClass::Text { slug: false, globs: vec![] }, vec!["Main", "a--b"], vec![""]),
        ] {
            assert!(right.iter().all(|text| admits(&class, text)), "{class:?} refuses one of {right:?}");
            assert!(!wrong.iter().any(|text| admits(&class, text)), "{class:?} takes one of {wrong:?}");
        }
    }

    #[test]
    fn globs_apply_to_the_rest_of_a_name() {
        for (glob, certain, possible) in [
            ("main", vec!["main"], vec![]),
            ("Release/*", vec!["release-1.x", "release-a-b"], vec!["release", "released"]),
            ("release/*/final", vec!["release-1-final"], vec!["release-1"]),
            ("v[0-9].x", vec!["v1.x"], vec!["vx.x"]),
            ("{main,develop}", vec!["main", "develop"], vec!["other"]),
            ("*", vec!["anything"], vec![]),
            ("a?c", vec!["abc"], vec!["abbc", "a-c"]),
            ("a[[]b", vec![], vec!["a-b"]),
            ("\\*main", vec!["main"], vec![]),
            ("é-*", vec![], vec!["x", "x-0123abcd"]),
        ] {
            let class = TextClass::Text { slug: true, globs: Shape::new(glob).into_iter().collect() };
            for text in &certain {
                assert!(
                    class.admits(text, Certainty::Certain) && class.admits(text, Certainty::Possible),
                    "{glob} {text}"
                );
            }
            for text in possible {
                assert!(class.admits(text, Certainty::Possible), "{glob} {text}");
            }
        }
        let main = TextClass::Text { slug: true, globs: Shape::new("main").into_iter().collect() };
        assert!(!main.admits("mainline", Certainty::Possible) && !main.admits("mai", Certainty::Possible));
        let release = TextClass::Text { slug: true, globs: Shape::new("release/*").into_iter().collect() };
        assert!(
            !release.admits("released", Certainty::Certain) && !release.admits("pr-12", Certainty::Possible)
        );
        assert!(
            !release.is_free()
                && TextClass::Text { slug: true, globs: Shape::new("*/*").into_iter().collect() }.is_free()
        );
    }
}
