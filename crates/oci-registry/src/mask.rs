//! Masks text that looks like a credential before it is shown: tokens of known services, the part before `@` in addresses,
//! and the value after keys such as `password`. It looks at the text alone.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Every text that [`TOKENS`] matches contains one of these. Compiling a pattern costs more than searching most files, so each
/// pattern is compiled only for a text that may match it.
const TOKEN_MARKS: [&str; 13] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "npm_",
    "glpat-",
    "xox",
    "dckr_",
    "AKIA",
    "ASIA",
    "pypi-AgE",
];

/// The tokens of known services: GitHub, GitLab, Slack, AWS, Docker Hub, npm and `PyPI`.
static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u)\b(?:(?:ghp|gho|ghu|ghr|github_pat|npm)_[A-Za-z0-9_]{6,}|ghs_[A-Za-z0-9_.-]{6,}",
        r"|(?:glpat|xox[a-z])-[A-Za-z0-9_.-]{6,}|dckr_[po]at_[A-Za-z0-9_-]{6,}",
        r"|(?:AKIA|ASIA)[A-Z0-9]{12,}|pypi-AgE[A-Za-z0-9_-]{6,})"
    ))
    .ok()
});

/// A user name, usually with a password, in an address.
static USER_INFORMATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*)://([^ \t\r\n/@"'<>]+)@"#).ok());

/// A key that looks like the key of a credential, and the separator after it.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i-u)([\w-]*(?:pass?w(?:or)?d|secret|token|credential|private[_-]?key|api[_-]?key|username)[\w-]*)["']?(?:[ \t]*[=:][ \t]*|[ \t]+)"#)
        .ok()
});

/// Returns `text` with everything that looks like a credential masked, for texts that could not be parsed.
pub fn mask_by_text(text: String) -> String {
    let mut masks = token_ranges(&text);
    masks.extend(user_information(&text).map(|(_, range)| range));
    masks.extend(assigned(&text));
    masked(text, &masks)
}

/// Returns `words` with access tokens masked, for messages that contain the name of a key.
pub fn without_tokens(words: &str) -> String {
    masked(words.to_owned(), &token_ranges(words))
}

/// The ranges of the values after keys that look like the keys of credentials, to the end of the line or string.
pub fn assigned(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let lower = text.to_ascii_lowercase();
    if !["pasw", "passw", "secret", "token", "credential", "private", "api", "username"]
        .iter()
        .any(|mark| lower.contains(mark))
    {
        return ranges;
    }
    for captures in ASSIGNMENT.iter().flat_map(|regex| regex.captures_iter(text)) {
        let (Some(whole), Some(key)) = (captures.get(0), captures.get(1)) else { continue };
        if key.as_str().to_ascii_lowercase().ends_with("_env") {
            continue;
        }
        let rest = text.get(whole.end()..).unwrap_or_default();
        let length = ["\"\"\"", "'''"]
            .into_iter()
            .find(|quotes| rest.starts_with(quotes))
            .map_or_else(
                || rest.find('\n'),
                |quotes| rest.get(3..).and_then(|rest| rest.find(quotes)).map(|end| end + 3),
            )
            .unwrap_or(rest.len());
        ranges.push(whole.end()..whole.end() + length);
    }
    ranges
}

/// Returns `text` with `*` for each byte in `ranges`, except line breaks.
pub fn masked(text: String, ranges: &[Range<usize>]) -> String {
    if ranges.is_empty() {
        return text;
    }
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| range.start);
    let mut output = String::with_capacity(text.len());
    let mut ahead = ranges.as_slice();
    for (offset, character) in text.char_indices() {
        while let [first, rest @ ..] = ahead
            && first.end <= offset
        {
            ahead = rest;
        }
        let hidden =
            ahead.iter().take_while(|range| range.start <= offset).any(|range| range.contains(&offset));
        if hidden && !matches!(character, '\n' | '\r') {
            output.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            output.push(character);
        }
    }
    output
}

/// The ranges of tokens of known services.
pub fn token_ranges(text: &str) -> Vec<Range<usize>> {
    if !TOKEN_MARKS.iter().any(|mark| text.contains(mark)) {
        return Vec::new();
    }
    TOKENS.iter().flat_map(|regex| regex.find_iter(text)).map(|found| found.range()).collect()
}

/// The user information in addresses, each as the range of the address up to the `@` and the range of the user information.
/// Names that are not secret are left out, as in `ssh://git@github.com`.
pub fn user_information(text: &str) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let may_match = text.contains("://") && text.contains('@');
    let regex = if may_match { USER_INFORMATION.as_ref() } else { None };
    regex.into_iter().flat_map(|regex| regex.captures_iter(text)).filter_map(|captures| {
        let (whole, scheme, user) = (captures.get(0)?, captures.get(1)?, captures.get(2)?);
        let web = scheme.as_str().to_ascii_lowercase().starts_with("http");
        let secret = user.as_str().contains(':') || web && user.as_str() != "git";
        secret.then(|| (whole.range(), user.range()))
    })
}
