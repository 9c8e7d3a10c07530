//! Text without characters that would do something to a terminal or hide what it says.

use std::ops::Range;

/// Whether `character` moves the cursor, sets colours, or turns the direction of the text: control characters,
/// and Unicode's bidirectional ones (Unicode Technical Report 36, section 2.3).
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` on any number of lines, with what acts on a terminal written as an escape: `\u{1b}`.
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

/// `text` on one line: as [`message`], with the ends of lines escaped too, so that nothing can forge a line.
pub(crate) fn line(text: &str) -> String {
    message(text).replace('\n', "\\u{a}")
}

/// `text` with `?` for each byte of what acts on a terminal, so that every offset stays right.
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

/// `span` within `text`, on the boundaries of characters.
pub(crate) fn span(text: &str, span: &Range<usize>) -> Range<usize> {
    let floor = |offset: usize| {
        let offset = offset.min(text.len());
        (0..=offset).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or_default()
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}
