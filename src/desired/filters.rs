//! The filters and tests that templates have beyond minijinja's own.

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};
use regex::Regex;

use oci_registry::{Digest, Tag};

/// Adds every filter and test to `environment`.
pub(super) fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("slug", |text: String| slug(&text));
    environment.add_filter("identifier", |text: String| identifier(&text));
    environment.add_filter("short", short);
    environment.add_filter("date", date);
    environment.add_filter("capture", capture);
    environment.add_test("matching", matching);
}

/// Makes a valid tag of any text: lower case, every run of other characters replaced by one `-`, at most 128
/// characters. If the text is cut or no character is left, eight digits of the text's digest are appended, so that
/// distinct inputs stay distinct.
pub(super) fn slug(text: &str) -> String {
    const DIGITS: usize = 8;
    let mut slug = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_start_matches(['-', '.']).trim_end_matches(['-', '.']);
    let digest = || Digest::of(text.as_bytes()).hex()[..DIGITS].to_owned();
    if slug.is_empty() {
        return format!("x-{}", digest());
    }
    if slug.len() <= Tag::MAX_LENGTH {
        return slug.to_owned();
    }
    let kept = slug[..Tag::MAX_LENGTH - DIGITS - 1].trim_end_matches(['-', '.']);
    format!("{kept}-{}", digest())
}

/// Makes a pre-release identifier of a semantic version (semver.org, item 9) of any text: every run of other characters
/// replaced by one `-`, at most 63 characters. A number with a leading zero is not a valid identifier and gets a `g`
/// before it, as git-describe(1) writes commits. If the text is cut or no character is left, eight digits of the text's
/// digest are appended.
pub(super) fn identifier(text: &str) -> String {
    const DIGITS: usize = 8;
    const LENGTH: usize = 63;
    let mut identifier = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            identifier.push(c);
        } else if !identifier.ends_with('-') {
            identifier.push('-');
        }
    }
    let identifier = identifier.trim_matches('-');
    let digest = || Digest::of(text.as_bytes()).hex()[..DIGITS].to_owned();
    if identifier.is_empty() {
        return format!("x-{}", digest());
    }
    if identifier.len() > LENGTH {
        return format!("{}-{}", identifier[..LENGTH - DIGITS - 1].trim_end_matches('-'), digest());
    }
    let numeric = identifier.chars().all(|c| c.is_ascii_digit());
    if numeric && identifier.starts_with('0') && identifier.len() > 1 {
        return format!("g{identifier}");
    }
    identifier.to_owned()
}

/// The first `count` characters.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn short(text: String, count: Option<usize>) -> String {
    text.chars().take(count.unwrap_or(7)).collect()
}

/// Formats seconds since 1970, or a time as RFC 3339 prints it, with the conversion specifications of strftime(3), in
/// UTC.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn date(time: Value, format: &str) -> Result<String, Error> {
    if time.is_undefined() {
        // The renderer knows why the time has no value.
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let error = |detail: String| Error::new(ErrorKind::InvalidOperation, detail);
    let timestamp = match (time.as_i64(), time.as_str()) {
        (Some(seconds), _) => jiff::Timestamp::from_second(seconds).ok(),
        (None, Some(text)) => text.parse::<jiff::Timestamp>().ok(),
        (None, None) => None,
    };
    if !format.contains('%') {
        let right = if format.is_empty() { "%Y%m%d".to_owned() } else { strftime(format) };
        return Err(error(format!(
            "`{format}` is not a date format, because it has no `%`: write `date('{right}')`"
        )));
    }
    let timestamp = timestamp.ok_or_else(|| error(format!("`{time}` is not a time")))?;
    jiff::fmt::strtime::format(format, timestamp)
        .map_err(|cause| error(format!("`{format}` is not a date format: {cause}")))
}

/// The specifications of strftime(3) that a format of another language means: `YYYYMMDD` is `%Y%m%d`.
fn strftime(format: &str) -> String {
    const WORDS: [(&str, &str); 14] = [
        ("YYYY", "%Y"),
        ("yyyy", "%Y"),
        ("YY", "%y"),
        ("yy", "%y"),
        ("MMM", "%b"),
        ("MM", "%m"),
        ("DDD", "%j"),
        ("DD", "%d"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("hh", "%H"),
        ("mm", "%M"),
        ("SS", "%S"),
        ("ss", "%S"),
    ];
    let (mut right, mut rest, mut known) = (String::new(), format, false);
    while let Some(next) = rest.chars().next() {
        if let Some((word, specification)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            right.push_str(specification);
            rest = &rest[word.len()..];
            known = true;
        } else {
            right.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    if known { right } else { "%Y%m%d".to_owned() }
}

fn compile(pattern: &str) -> Result<Regex, Error> {
    Regex::new(pattern).map_err(|cause| {
        let cause = cause.to_string();
        let reason = cause.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Error::new(ErrorKind::InvalidOperation, format!("`{pattern}` is not a regular expression: {reason}"))
    })
}

/// Returns the text that `group` of `pattern` captures. The default is group 1, or 0 if the pattern has no groups.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn capture(text: String, pattern: &str, group: Option<usize>) -> Result<String, Error> {
    let regex = compile(pattern)?;
    let group = group.unwrap_or(usize::from(regex.captures_len() > 1));
    let found = regex.captures(&text).and_then(|captures| captures.get(group));
    found.map(|found| found.as_str().to_owned()).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("`{text}` has no match for group {group} of `{pattern}`"),
        )
    })
}

/// Whether `pattern` matches anywhere in the text.
#[allow(clippy::needless_pass_by_value)] // the signature of a test
fn matching(text: String, pattern: &str) -> Result<bool, Error> {
    Ok(compile(pattern)?.is_match(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs() {
        for (text, expected) in [
            ("main", "main"),
            ("feature/x#1", "feature-x-1"),
            ("Feature/X", "feature-x"),
            ("--a..b__c--", "a..b__c"),
            ("release/1.2", "release-1.2"),
            (".hidden", "hidden"),
        ] {
            assert_eq!(slug(text), expected);
        }
        assert_ne!(slug("日本"), slug("中国"));
    }

    /// docker/metadata-action writes `{{date 'YYYYMMDD'}}`.
    #[test]
    fn a_date_format_without_percent_is_an_error_with_the_right_one() {
        for (format, right) in [
            ("YYYYMMDD", "%Y%m%d"),
            ("YYYY-MM-DD", "%Y-%m-%d"),
            ("YYYYMMDD-HHmmss", "%Y%m%d-%H%M%S"),
            ("nightly", "%Y%m%d"),
            ("", "%Y%m%d"),
        ] {
            let error = date(Value::from(0), format).expect_err("no `%`").to_string();
            assert!(error.contains(&format!("date('{right}')")), "{format}: {error}");
        }
    }

    #[test]
    fn long_texts_stay_distinct() {
        let (one, other) = ("a".repeat(200), "a".repeat(201));
        assert_eq!(slug(&one).len(), 128);
        assert_ne!(slug(&one), slug(&other));
    }

    #[test]
    fn identifiers() {
        for (text, expected) in [
            ("main", "main"),
            ("feature/x#1", "feature-x-1"),
            ("release/1.2", "release-1-2"),
            ("0123456", "g0123456"),
            ("1234567", "1234567"),
            ("0", "0"),
            ("Feature_X", "Feature-X"),
        ] {
            assert_eq!(identifier(text), expected);
        }
        assert_ne!(identifier("日本"), identifier("中国"));
        assert_ne!(identifier(&"a".repeat(200)), identifier(&"a".repeat(201)));
    }

    proptest! {
        #[test]
        fn an_identifier_is_always_one_of_a_version(text in "\\PC{0,100}") {
            let version = format!("0.0.0-{}", identifier(&text));
            prop_assert!(semver::Version::parse(&version).is_ok(), "{version}");
        }

        #[test]
        fn a_slug_is_always_a_tag(text in "\\PC{0,300}") {
            prop_assert!(slug(&text).parse::<Tag>().is_ok(), "{:?}", slug(&text));
        }
    }
}
