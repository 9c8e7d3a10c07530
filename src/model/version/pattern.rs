//! Versions of a pattern: a regular expression whose groups name the parts.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use regex::Regex;

use super::order::{Identifier, Phase, VersionKey, Work};
use super::parts::{ParsedVersion, VersionError, VersionParts};

/// The groups that are numbers, in the order in which they decide.
const NUMBERS: [&str; 4] = ["major", "minor", "patch", "revision"];
/// The other groups.
const OTHERS: [&str; 5] = ["epoch", "pre", "post", "dev", "build"];
const SEPARATORS: [char; 4] = ['.', '-', '_', '+'];

/// A regular expression that matches a whole version.
#[derive(Debug, Clone)]
pub struct VersionPattern {
    text: String,
    regex: Arc<Regex>,
}

/// The reason why a text is not the pattern of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is not a regular expression.
    #[error("it is not a regular expression: {0}")]
    Syntax(String),
    /// A group has an unknown name.
    #[error("the group `{0}` is unknown; the groups are {known}", known = known())]
    UnknownGroup(String),
    /// No group is a number.
    #[error("it needs a group `(?P<major>…)`")]
    NoMajor,
}

fn known() -> String {
    let all: Vec<String> = NUMBERS.iter().chain(&OTHERS).map(|name| format!("`{name}`")).collect();
    all.join(", ")
}

impl VersionPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// It is not a regular expression, or its groups are not those of a version.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            PatternError::Syntax(reason.to_owned())
        })?;
        let mut names = regex.capture_names().flatten();
        if let Some(unknown) = names.find(|name| !NUMBERS.contains(name) && !OTHERS.contains(name)) {
            return Err(PatternError::UnknownGroup(unknown.to_owned()));
        }
        if !regex.capture_names().flatten().any(|name| name == "major") {
            return Err(PatternError::NoMajor);
        }
        Ok(Self { text: text.to_owned(), regex: Arc::new(regex) })
    }

    /// The text of the regular expression.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the numbers that it has, in their order.
    pub fn numbers(&self) -> Vec<&'static str> {
        let has = |name: &&str| self.regex.capture_names().flatten().any(|group| group == *name);
        NUMBERS.into_iter().filter(has).collect()
    }
}

impl PartialEq for VersionPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VersionPattern {}

impl Hash for VersionPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Reads a version of `pattern`.
pub(super) fn parse(text: &str, pattern: &VersionPattern) -> Result<ParsedVersion, VersionError> {
    let Some(found) = pattern.regex.captures(text) else {
        return Err(VersionError(format!("the pattern `{}` does not match it", pattern.text)));
    };
    let group = |name: &str| found.name(name).map(|part| part.as_str()).unwrap_or_default();
    let mut numbers: Vec<String> = NUMBERS.iter().map(|name| group(name).to_owned()).collect();
    while numbers.last().is_some_and(String::is_empty) {
        numbers.pop();
    }
    let parts = VersionParts {
        epoch: group("epoch").to_owned(),
        pre: group("pre").to_owned(),
        post: group("post").to_owned(),
        dev: group("dev").to_owned(),
        build: group("build").to_owned(),
        numbers,
    };
    let or_zero = |number: &str| if number.is_empty() { "0".to_owned() } else { number.to_owned() };
    let numbers: Vec<String> = parts.numbers.iter().map(|number| or_zero(number)).collect();
    let mut key = VersionKey::release(numbers.iter().map(String::as_str));
    key.epoch = Identifier::new(&or_zero(&parts.epoch));
    if !parts.pre.is_empty() {
        key.phase = Phase::Pre(Identifier::list(&parts.pre, &SEPARATORS));
    } else if !parts.dev.is_empty() && parts.post.is_empty() {
        key.phase = Phase::Development(Vec::new());
    }
    if !parts.dev.is_empty() {
        key.work = Work::On(Identifier::list(&parts.dev, &SEPARATORS));
    }
    key.post = Identifier::list(&parts.post, &SEPARATORS);
    key.build = Identifier::list(&parts.build, &SEPARATORS);
    Ok(ParsedVersion::new(parts, key))
}
