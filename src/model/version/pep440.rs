//! Versions of Python packages, by PEP 440 (<https://peps.python.org/pep-0440/>).

use super::cursor::Cursor;
use super::order::{Identifier, Phase, VersionKey, Work};
use super::parts::{ParsedVersion, VersionError, VersionParts};

const SEPARATORS: [char; 3] = ['-', '_', '.'];
/// The words of pre-releases. The longer of two that start the same way comes first.
const PRE: [&str; 8] = ["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"];
const POST: [&str; 3] = ["post", "rev", "r"];

/// Reads a version of PEP 440, with the spellings that its appendix B allows.
pub(super) fn parse(text: &str) -> Result<ParsedVersion, VersionError> {
    let lower = text.to_ascii_lowercase();
    let mut cursor = Cursor { rest: &lower };
    cursor.take("v");
    let error = |rest: &str| match rest.chars().next() {
        Some(unexpected) => VersionError(format!("`{unexpected}` is not expected there by PEP 440")),
        None => VersionError("PEP 440 expects a number there".to_owned()),
    };
    let mut parts = VersionParts::default();
    let mut ahead = cursor;
    if let Some(epoch) = ahead.number()
        && ahead.take("!")
    {
        epoch.clone_into(&mut parts.epoch);
        cursor = ahead;
    }
    let first = cursor.number().ok_or_else(|| error(cursor.rest))?;
    parts.numbers.push(first.to_owned());
    let mut ahead = cursor;
    while ahead.take(".")
        && let Some(number) = ahead.number()
    {
        parts.numbers.push(number.to_owned());
        cursor = ahead;
    }
    let mut key = VersionKey::release(parts.numbers.iter().map(String::as_str));
    if !parts.epoch.is_empty() {
        key.epoch = Identifier::new(&parts.epoch);
    }
    if let Some((word, number)) = suffix(&mut cursor, &PRE) {
        let word = match word {
            "alpha" | "a" => "a",
            "beta" | "b" => "b",
            _ => "rc",
        };
        parts.pre = format!("{word}{number}");
        key.phase = Phase::Pre(vec![Identifier::new(word), Identifier::new(number)]);
    }
    if let Some(number) = post(&mut cursor) {
        number.clone_into(&mut parts.post);
        key.post = vec![Identifier::new(number)];
    }
    if let Some((_, number)) = suffix(&mut cursor, &["dev"]) {
        number.clone_into(&mut parts.dev);
        if key.phase == Phase::Release && key.post.is_empty() {
            key.phase = Phase::Development(Vec::new());
        }
        key.work = Work::On(vec![Identifier::new(number)]);
    }
    if cursor.take("+") {
        let local = cursor.take_while(|c| c.is_ascii_alphanumeric() || SEPARATORS.contains(&c));
        let segments: Vec<&str> = local.split(SEPARATORS).collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(VersionError("the local version after `+` has an empty part".to_owned()));
        }
        local.clone_into(&mut parts.build);
        key.build = segments.into_iter().map(Identifier::local).collect();
    }
    if cursor.rest.is_empty() { Ok(ParsedVersion::new(parts, key)) } else { Err(error(cursor.rest)) }
}

/// Takes a separator, one of `words`, and a number, of which only the word is required.
fn suffix<'t>(cursor: &mut Cursor<'t>, words: &[&'static str]) -> Option<(&'static str, &'t str)> {
    let mut ahead = *cursor;
    ahead.take_one(&SEPARATORS);
    let word = ahead.take_word(words)?;
    let number = ahead.number_after(&SEPARATORS).unwrap_or("0");
    *cursor = ahead;
    Some((word, number))
}

/// Takes a post release: `.post1`, or `-1`.
fn post<'t>(cursor: &mut Cursor<'t>) -> Option<&'t str> {
    let mut ahead = *cursor;
    if ahead.take("-")
        && let Some(number) = ahead.number()
    {
        *cursor = ahead;
        return Some(number);
    }
    suffix(cursor, &POST).map(|(_, number)| number)
}
