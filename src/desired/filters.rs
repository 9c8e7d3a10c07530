//! The filters and tests that templates have beyond minijinja's own.

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind};
use regex::Regex;

use oci_registry::{Digest, Tag};

/// Adds every filter and test to `environment`.
pub(super) fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("slug", slug_filter);
    environment.add_filter("ref_slug", |text: String| ref_slug(&text));
    environment.add_filter("regex_replace", regex_replace);
    environment.add_filter("trim_prefix", trim_prefix);
    environment.add_filter("trim_suffix", trim_suffix);
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
    slug_of(text.chars().flat_map(char::to_lowercase), text)
}

/// The filter `slug`; `keep_case=true` leaves letters as they are.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn slug_filter(text: String, options: Kwargs) -> Result<String, Error> {
    let keeps = options.get::<Option<bool>>("keep_case")?.unwrap_or_default();
    options.assert_all_used()?;
    Ok(if keeps { slug_of(text.chars(), &text) } else { slug(&text) })
}

/// Makes a slug of the characters of `text`.
fn slug_of(characters: impl Iterator<Item = char>, text: &str) -> String {
    const DIGITS: usize = 8;
    let mut slug = String::with_capacity(text.len());
    for c in characters {
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

/// Makes the text that GitLab puts into `CI_COMMIT_REF_SLUG`: lower case, at most 63 characters, everything but `0-9` and `a-z`
/// replaced by `-`, none at the ends (gitlab-org/gitlab, lib/gitlab/utils.rb, `slugify`). Distinct texts may become the same.
fn ref_slug(text: &str) -> String {
    const LENGTH: usize = 63;
    let replaced =
        text.chars().flat_map(char::to_lowercase).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let slug: String = replaced.take(LENGTH).collect();
    slug.trim_matches('-').to_owned()
}

/// Replaces every match of `pattern`; `$1` or `${name}` in `replacement` is the text of a group.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn regex_replace(text: String, pattern: &str, replacement: &str) -> Result<String, Error> {
    Ok(compile(pattern)?.replace_all(&text, replacement).into_owned())
}

/// Removes `prefix` once, if the text begins with it.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn trim_prefix(text: String, prefix: &str) -> String {
    text.strip_prefix(prefix).unwrap_or(&text).to_owned()
}

/// Removes `suffix` once, if the text ends with it.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn trim_suffix(text: String, suffix: &str) -> String {
    text.strip_suffix(suffix).unwrap_or(&text).to_owned()
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
/// UTC or in the time zone of the name `zone`: `Europe/Berlin`.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn date(time: Value, format: &str, zone: Option<&str>) -> Result<String, Error> {
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
    let zone = zone.unwrap_or("UTC");
    let zoned = timestamp
        .in_tz(zone)
        .map_err(|_| error(format!("`{zone}` is not a time zone: write a name such as `Europe/Berlin`")))?;
    jiff::fmt::strtime::format(format, &zoned)
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

/// Returns the text that `group` of `pattern` captures, or `default` if nothing matches. The group is 1 if it is not given, or 0 if the
/// pattern has no groups.
#[allow(clippy::needless_pass_by_value)] // the signature of a filter
fn capture(text: String, pattern: &str, group: Option<usize>, options: Kwargs) -> Result<String, Error> {
    let regex = compile(pattern)?;
    let default: Option<String> = options.get("default")?;
    options.assert_all_used()?;
    let group = group.unwrap_or(usize::from(regex.captures_len() > 1));
    let found = regex.captures(&text).and_then(|captures| captures.get(group));
    found.map(|found| found.as_str().to_owned()).or(default).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "`{text}` has no match for group {group} of `{pattern}`; `default='…'` gives another value"
            ),
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
            let error = date(Value::from(0), format, None).expect_err("no `%`").to_string();
            assert!(error.contains(&format!("date('{right}')")), "{format}: {error}");
        }
    }

    #[test]
    fn ref_slugs_are_those_of_gitlab() {
        for (text, expected) in [
            ("Feature/X_y", "feature-x-y"),
            ("--a--", "a"),
            ("1.2.x", "1-2-x"),
            // Each character becomes one `-`, and the length is cut before the ends are trimmed.
            ("a//b", "a--b"),
            (&format!("{}/b", "a".repeat(62)), &"a".repeat(62)),
            ("日本", ""),
        ] {
            assert_eq!(ref_slug(text), expected);
        }
    }

    #[test]
    fn filters_in_expressions() {
        let mut environment = Environment::new();
        add_filters(&mut environment);
        for (expression, expected) in [
            ("'Feature/X' | slug(keep_case=true)", "Feature-X"),
            ("'Feature/X' | slug", "feature-x"),
            ("'Feature/X' | ref_slug", "feature-x"),
            ("'REL_16_2' | regex_replace('REL_([0-9]+)_([0-9]+)', '$1.$2')", "16.2"),
            ("'release/1.2' | trim_prefix('release/')", "1.2"),
            ("'main' | trim_prefix('release/')", "main"),
            ("'1.2.3-alpine' | trim_suffix('-alpine')", "1.2.3"),
            ("'main' | capture('release/(.*)', default='none')", "none"),
            ("'release/1.2' | capture('release/(.*)', 1, default='none')", "1.2"),
            ("1767323045 | date('%Y%m%d %H:%M', 'Asia/Tokyo')", "20260102 12:04"),
            ("1767323045 | date('%Y%m%d %H:%M')", "20260102 03:04"),
        ] {
            let value = environment.compile_expression(expression).unwrap().eval(()).unwrap();
            assert_eq!(value.to_string(), expected, "{expression}");
        }
        for (expression, words) in [
            ("1767323045 | date('%Y', 'Mars/Base')", "`Mars/Base` is not a time zone"),
            ("'main' | capture('release/(.*)')", "has no match for group 1"),
            ("'a' | slug(kep_case=true)", "kep_case"),
            ("'a' | regex_replace('(', '')", "regular expression"),
        ] {
            let error = environment.compile_expression(expression).unwrap().eval(()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
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
