//! The path to one value of a TOML, JSON or YAML document: `workspace.package.version`.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The keys that lead to one value of a document, at least one. They are written with dots between them, like dotted keys of
/// TOML (TOML 1.0, "Keys"), except that a bare key may contain any other character. In a list, a number is a position, counted
/// from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath {
    parts: Vec<String>,
    written: String,
}

/// The reason why a text is not a [`KeyPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyPathError {
    /// The message.
    pub message: &'static str,
    /// The range of bytes that is wrong; empty if something is missing.
    pub range: Range<usize>,
}

impl KeyPath {
    /// The keys, outermost first.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Returns the first `count` keys, as they are written in a path.
    pub fn first(&self, count: usize) -> String {
        self.parts.iter().take(count).map(|part| written(part)).collect::<Vec<_>>().join(".")
    }
}

/// Returns a key as it is written in a path: bare if a bare key means the same, else in quotes.
fn written(part: &str) -> String {
    let bare = !part.is_empty() && part.trim() == part && !part.contains(['.', '"', '\'']);
    if bare { part.to_owned() } else { format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\"")) }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let mut parts = Vec::new();
        let mut at = 0;
        loop {
            let (part, end) = part(text, at)?;
            parts.push(part);
            match text.get(end..) {
                None | Some("") => return Ok(Self { parts, written: text.to_owned() }),
                Some(_) => at = end + 1,
            }
        }
    }
}

/// Returns the key that starts at `start`, and the offset of its end, which is a dot or the end of the text.
fn part(text: &str, start: usize) -> Result<(String, usize), KeyPathError> {
    let rest = text.get(start..).unwrap_or_default();
    let start = start + (rest.len() - rest.trim_start().len());
    let rest = rest.trim_start();
    let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        let bare = rest.split('.').next().unwrap_or_default();
        let end = start + bare.len();
        return match bare.trim_end() {
            "" => Err(KeyPathError { message: "one of its parts is empty", range: start..start }),
            bare if bare.contains(['"', '\'']) => Err(KeyPathError {
                message: "an unquoted key contains a quote",
                range: start..start + bare.len(),
            }),
            bare => Ok((bare.to_owned(), end)),
        };
    };
    let Some(length) = quoted_length(rest, quote) else {
        return Err(KeyPathError { message: "a quote is not closed", range: start..text.len() });
    };
    let end = start + length;
    let wrong = |message, range| Err(KeyPathError { message, range });
    let quoted = rest.get(..length).unwrap_or_default();
    let Ok(toml::de::DeValue::String(key)) = toml::de::DeValue::parse(quoted).map(toml::Spanned::into_inner)
    else {
        return wrong("the quoted key is not a valid TOML string", start..end);
    };
    let after = text.get(end..).unwrap_or_default();
    let blanks = after.len() - after.trim_start().len();
    match after.trim_start().chars().next() {
        None | Some('.') => Ok((key.into_owned(), end + blanks)),
        Some(other) => {
            wrong("a quoted key is followed by more text", end + blanks..end + blanks + other.len_utf8())
        }
    }
}

/// Returns the length in bytes of the string that `text` starts with, quotes included. Only basic strings have escapes.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if character == quote => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_and_their_keys() {
        for (text, parts) in [
            ("version", vec!["version"]),
            ("workspace.package.version", vec!["workspace", "package", "version"]),
            ("a . b", vec!["a", "b"]),
            ("containers.0.image", vec!["containers", "0", "image"]),
            (r#"annotations."app.kubernetes.io/version""#, vec!["annotations", "app.kubernetes.io/version"]),
            ("'a.b'.c", vec!["a.b", "c"]),
            (r#""a\"b\u0041" . c"#, vec!["a\"bA", "c"]),
            ("app/version-1 é", vec!["app/version-1 é"]),
            (r#""""#, vec![""]),
        ] {
            let path: KeyPath = text.parse().expect(text);
            assert_eq!(path.parts(), parts, "{text}");
            assert_eq!(path.to_string(), text);
        }
        let path: KeyPath = r"a . 'b.c' .d".parse().expect("a path");
        assert_eq!(path.first(2), r#"a."b.c""#);
    }

    #[test]
    fn an_error_says_where_a_path_is_wrong() {
        for (text, message, range) in [
            ("", "one of its parts is empty", 0..0),
            ("a..b", "one of its parts is empty", 2..2),
            ("a.", "one of its parts is empty", 2..2),
            (".a", "one of its parts is empty", 0..0),
            ("a.\"b", "a quote is not closed", 2..4),
            ("a.'b", "a quote is not closed", 2..4),
            (r#""\q".a"#, "the quoted key is not a valid TOML string", 0..4),
            ("'a'b", "a quoted key is followed by more text", 3..4),
            ("a'b'", "an unquoted key contains a quote", 0..4),
        ] {
            assert_eq!(text.parse::<KeyPath>(), Err(KeyPathError { message, range }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_keys_parse_to_the_same_keys(parts in prop::collection::vec("[a-c.\"'\\\\ é]{0,4}", 1..4)) {
            let text = parts.iter().map(|part| written(part)).collect::<Vec<_>>().join(".");
            let path = text.parse::<KeyPath>();
            prop_assert_eq!(path.map(|path| path.parts), Ok(parts), "{}", text);
        }

        #[test]
        fn nothing_panics(text in "[ab.\"'\\\\ é]{0,12}") {
            if let Err(error) = text.parse::<KeyPath>() {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
