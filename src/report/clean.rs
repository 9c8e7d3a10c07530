//! Text without characters that control a terminal or hide what the text says.

use std::borrow::Cow;
use std::ops::Range;

/// Whether `character` can move the cursor, set colours, or change the direction of the text: control characters,
/// and Unicode's bidirectional characters (Unicode Technical Report 36, section 2.3).
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns `text` on any number of lines, with characters that act on a terminal written as escapes such as `\u{1b}`.
pub(crate) fn message(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => output.push('\n'),
            '\t' => output.push(' '),
            _ if acts(character) => output.extend(character.escape_unicode()),
            _ => output.push(character),
        }
    }
    output
}

/// Returns `text` on one line: like [`message`], but with newlines escaped too, so that no text can forge a line.
pub(crate) fn line(text: &str) -> String {
    message(text).replace('\n', "\\u{a}")
}

/// Returns `text` with `?` for each byte of a character that acts on a terminal, so that every offset stays right.
pub(crate) fn source(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_line = character == '\r' && characters.peek() == Some(&'\n');
        if matches!(character, '\n' | '\t') || ends_line || !acts(character) {
            output.push(character);
        } else {
            output.extend(std::iter::repeat_n('?', character.len_utf8()));
        }
    }
    output
}

/// Returns the same JSON document, with text that acts on a terminal or a CI written as JSON escapes. The rules of JSON require
/// escapes only below U+0020 (RFC 8259, section 7). Outside of strings the document has only spaces and newlines as whitespace.
pub(crate) fn json(document: &str) -> String {
    let quiet = |character: char| matches!(character, '\n' | '\r' | '\t') || !acts(character);
    let mut output = String::with_capacity(document.len());
    for (position, character) in document.char_indices() {
        let second = position > 0 && document.get(position - 1..).is_some_and(commands_anywhere);
        if quiet(character) && !second {
            output.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                output.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    output
}

/// Whether `text` begins with a command that a CI recognizes anywhere in a line: Azure Pipelines ("Logging commands"),
/// GitHub's runner (`ActionCommand.TryParse`), `TeamCity` ("Service Messages").
fn commands_anywhere(text: &str) -> bool {
    ["##[", "##vso[", "##teamcity["].into_iter().any(|prefix| text.starts_with(prefix))
}

/// Returns `text` as it may be written for people. All output passes through here. Of the characters that act on a terminal,
/// only newlines, tabs and our own colours are left, and nothing is left that a CI takes for a command. GitHub's runner trims
/// a line before it looks for `::` (`ActionCommand.TryParseV2`).
pub(crate) fn for_people(text: &str) -> Cow<'_, str> {
    let quiet = |character: char| matches!(character, '\n' | '\t') || !acts(character);
    let command = |line: &str| line.trim_start().starts_with("::");
    if text.chars().all(quiet) && !text.contains("##") && !text.lines().any(command) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    let mut line_begins = true;
    while let Some(character) = rest.chars().next() {
        let length = match color(rest) {
            Some(length) => length,
            None => character.len_utf8(),
        };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let command = (line_begins && rest.starts_with("::")) || commands_anywhere(rest);
        if command || (length == character.len_utf8() && !quiet(character)) {
            output.extend(character.escape_unicode());
        } else {
            output.push_str(piece);
        }
        line_begins = character == '\n' || (line_begins && character.is_whitespace());
        rest = after;
    }
    Cow::Owned(output)
}

/// Returns the length of the sequence that `text` begins with, if it only sets colours and weights: `ESC [ … m` (ECMA-48,
/// 8.3.117).
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters.get(end..)?.starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

/// Returns `span` limited to `text` and moved to the boundaries of characters.
pub(crate) fn span(text: &str, span: &Range<usize>) -> Range<usize> {
    let floor = |offset: usize| {
        let offset = offset.min(text.len());
        (0..=offset).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or_default()
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_colours_newlines_and_tabs_are_left() {
        for (text, expected) in [
            ("plain — text\n\tx", "plain — text\n\tx"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m"),
            ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
            ("\u{1b}]0;t\u{7}", "\\u{1b}]0;t\\u{7}"),
            ("a\rb\u{9b}31m\u{202e}", "a\\u{d}b\\u{9b}31m\\u{202e}"),
            ("\u{1b}[31", "\\u{1b}[31"),
        ] {
            assert_eq!(for_people(text), expected);
        }
    }

    #[test]
    fn no_line_is_a_command_of_a_ci() {
        for (text, expected) in [
            ("::add-mask::x", "\\u{3a}:add-mask::x"),
            ("x\n  ::error::y\n", "x\n  \\u{3a}:error::y\n"),
            ("x ##vso[task.setvariable]y", "x \\u{23}#vso[task.setvariable]y"),
            ("##[warning]y", "\\u{23}#[warning]y"),
            ("###[warning]y", "#\\u{23}#[warning]y"),
            ("publish::tag::collision\n## How to fix it", "publish::tag::collision\n## How to fix it"),
        ] {
            assert_eq!(for_people(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_json_document_keeps_its_value(
            text in "[\u{0}-\u{20}\u{7f}-\u{9f}\u{200e}-\u{202e}\u{feff}\u{10000}a#\\[\"\\\\]{0,40}",
            pretty in any::<bool>(),
        ) {
            let value = serde_json::json!({ text.clone(): [text, "##vso[x]"] });
            let document = if pretty { format!("{value:#}\n") } else { value.to_string() };
            let clean = json(&document);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).expect("JSON"), value);
            prop_assert!(!clean.chars().any(|c| acts(c) && c != '\n'));
            prop_assert!(!clean.contains("##vso["));
        }

        #[test]
        fn nothing_written_acts(text in "[\u{0}-\u{20}\u{7f}-\u{9f}\u{200e}-\u{202e}\u{feff}a#:\\[]{0,40}") {
            let shown = for_people(&text);
            prop_assert!(!shown.chars().any(|c| acts(c) && !"\n\t".contains(c)), "{:?}", shown);
            prop_assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{:?}", shown);
            prop_assert!(!shown.contains("##["), "{:?}", shown);
        }
    }
}
