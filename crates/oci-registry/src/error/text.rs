//! Texts that are safe for a message: URLs without secrets, and texts of a registry without terminal control sequences.

use std::fmt::Write as _;

use url::Url;

/// Returns `METHOD url`, without userinfo, query and fragment: any of them may hold a secret.
pub(crate) fn request(method: &str, url: &Url) -> String {
    format!("{method} {}", redacted(url))
}

/// Returns a URL without userinfo, query and fragment.
pub(crate) fn redacted(url: &Url) -> String {
    let mut text = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        let _ = write!(text, ":{port}");
    }
    text.push_str(url.path());
    text
}

/// Returns ` (after N attempts)` if there was more than one attempt.
pub(super) fn times(attempts: u32) -> String {
    if attempts > 1 { format!(" (after {attempts} attempts)") } else { String::new() }
}

/// Returns at most `limit` characters of `text`, with runs of white space collapsed, without control characters and
/// without the invisible ones that reorder text (Unicode, "Bidirectional Algorithm", 2.1).
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut clean = String::new();
    let mut count = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            skip_escape_sequence(&mut characters);
            continue;
        }
        let blank = character.is_whitespace();
        if !blank && (character.is_control() || is_invisible(character)) {
            continue;
        }
        if blank && (clean.is_empty() || clean.ends_with(' ')) {
            continue;
        }
        if count == limit {
            clean.push('…');
            break;
        }
        clean.push(if blank { ' ' } else { character });
        count += 1;
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// Whether a character is invisible and changes how others are shown.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Skips the rest of a terminal control sequence (ECMA-48, 5.4), so that no `[31m` is left behind.
fn skip_escape_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if characters.next_if_eq(&'[').is_some() {
        while characters.next_if(|character| matches!(character, '\u{20}'..='\u{3f}')).is_some() {}
        let _ = characters.next_if(|character| matches!(character, '\u{40}'..='\u{7e}'));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_lose_possible_secrets() {
        for (url, expected) in [
            ("https://user:secret@host/v2/a?_state=secret#x", "https://host/v2/a"),
            ("http://[::1]:5000/v2/", "http://[::1]:5000/v2/"),
            ("https://host:443/", "https://host/"),
        ] {
            assert_eq!(redacted(&url.parse().expect(url)), expected);
        }
        assert_eq!(request("PUT", &"http://h/a?b".parse().expect("a url")), "PUT http://h/a");
    }

    #[test]
    fn terminal_control_sequences_are_removed() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a\r\nb\t\tc ", "a b c"),
            ("\u{7}bell\u{9b}x", "bellx"),
            ("a\u{202e}b", "ab"),
            ("\u{1b}]0;title", "]0;title"),
            ("ü — ok", "ü — ok"),
        ] {
            assert_eq!(printable(text, 100), expected);
        }
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn nothing_printable_has_controls(text in ".{0,400}", limit in 0_usize..300) {
            let clean = printable(&text, limit);
            prop_assert!(!clean.chars().any(|character| character.is_control() || is_invisible(character)));
            prop_assert!(clean.chars().count() <= limit + 1);
        }
    }
}
