//! Loose versions, any number of numbers and a suffix of words, and calendar versions, which are loose ones with leading zeros.

use super::cursor::Cursor;
use super::order::{Identifier, Phase, VersionKey};
use super::parts::{ParsedVersion, VersionError, VersionParts};

const SEPARATORS: [char; 4] = ['.', '-', '_', '~'];

/// The words that a pre-release starts with, and the word by which it is sorted.
const PRE: [(&str, &str); 15] = [
    ("a", "alpha"),
    ("alpha", "alpha"),
    ("b", "beta"),
    ("beta", "beta"),
    ("c", "rc"),
    ("cr", "rc"),
    ("rc", "rc"),
    ("ea", "ea"),
    ("eap", "ea"),
    ("m", "milestone"),
    ("milestone", "milestone"),
    ("next", "next"),
    ("pre", "preview"),
    ("preview", "preview"),
    ("canary", "canary"),
];
/// The words of work on a release, before its pre-releases.
const WORK: [&str; 4] = ["dev", "develop", "nightly", "snapshot"];
/// The words of revisions after a release.
const POST: [&str; 12] =
    ["post", "r", "rev", "revision", "p", "pl", "patch", "sp", "fix", "hotfix", "u", "update"];
/// The words of the release itself.
const RELEASE: [&str; 4] = ["final", "ga", "release", "stable"];

/// Reads a loose version.
pub(super) fn parse(text: &str) -> Result<ParsedVersion, VersionError> {
    read(text, &['.', '_'])
}

/// Reads a calendar version, in which `-` may separate numbers.
pub(super) fn parse_calendar(text: &str) -> Result<ParsedVersion, VersionError> {
    read(text, &['.', '_', '-'])
}

fn read(text: &str, separators: &[char]) -> Result<ParsedVersion, VersionError> {
    let mut cursor = Cursor { rest: text };
    cursor.take_one(&['v', 'V']);
    let first = cursor.number().ok_or_else(|| VersionError("it does not start with a number".to_owned()))?;
    let mut parts = VersionParts { numbers: vec![first.to_owned()], ..VersionParts::default() };
    let mut ahead = cursor;
    while ahead.take_one(separators)
        && let Some(number) = ahead.number()
    {
        parts.numbers.push(number.to_owned());
        cursor = ahead;
    }
    let mut key = VersionKey::release(parts.numbers.iter().map(String::as_str));
    let (suffix, build) = cursor.rest.split_once('+').unwrap_or((cursor.rest, ""));
    build.clone_into(&mut parts.build);
    key.build = Identifier::list(build, &['.', '-', '_']);
    let is_expected = |c: char| c.is_ascii_alphanumeric() || c == '+' || SEPARATORS.contains(&c);
    if let Some(unexpected) = cursor.rest.chars().find(|c| !is_expected(*c)) {
        return Err(VersionError(format!("`{unexpected}` is not expected there")));
    }
    read_suffix(suffix, &mut parts, &mut key)?;
    Ok(ParsedVersion::new(parts, key))
}

fn read_suffix(suffix: &str, parts: &mut VersionParts, key: &mut VersionKey) -> Result<(), VersionError> {
    let shown = suffix.trim_start_matches(SEPARATORS);
    let is_attached = shown.len() == suffix.len();
    let lower = shown.to_ascii_lowercase();
    let mut cursor = Cursor { rest: &lower };
    let word = cursor.take_while(|c| c.is_ascii_alphabetic());
    if suffix.is_empty() {
        return Ok(());
    }
    if shown.is_empty() {
        return Err(VersionError(format!("nothing follows `{suffix}`")));
    }
    let identifiers = |word: &str, rest: &str| {
        let rest = rest.trim_start_matches(SEPARATORS);
        let first = (!word.is_empty()).then(|| Identifier::new(word));
        first.into_iter().chain(Identifier::list(rest, &SEPARATORS)).collect::<Vec<_>>()
    };
    // OpenSSL's 1.1.1k and tzdata's 2024a.
    let is_letter = is_attached && word.len() == 1 && cursor.rest.is_empty();
    if is_letter || word.is_empty() || POST.contains(&word) {
        shown.clone_into(&mut parts.post);
        // A revision without a word, as Debian writes it, counts like one with a word.
        let word = if is_letter { word } else { "" };
        key.post = identifiers(word, cursor.rest);
        if key.post.is_empty() {
            key.post = vec![Identifier::new("0")];
        }
    } else if RELEASE.contains(&word) {
        let after = cursor.rest.trim_start_matches(SEPARATORS);
        after.clone_into(&mut parts.post);
        key.post = Identifier::list(after, &SEPARATORS);
    } else if WORK.contains(&word) {
        shown.clone_into(&mut parts.pre);
        key.phase = Phase::Development(identifiers("", cursor.rest));
    } else {
        shown.clone_into(&mut parts.pre);
        let sorted = PRE.iter().find(|(known, _)| *known == word).map_or(word, |(_, sorted)| sorted);
        key.phase = Phase::Pre(identifiers(sorted, cursor.rest));
    }
    Ok(())
}

/// Whether `text` begins with a word of pre-releases.
pub(super) fn is_prerelease_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let word = Cursor { rest: &lower }.take_while(|c| c.is_ascii_alphabetic());
    WORK.contains(&word) || PRE.iter().any(|(known, _)| *known == word)
}
