//! From a range of a string to the bytes that were written for it, through the escapes of TOML.
//!
//! TOML 1.1, "String": basic and literal strings, each on one line or on several.

use std::ops::Range;
use std::str::Chars;

/// A character of the string, or nothing, and the bytes that were written for it.
struct Piece {
    /// How many bytes of UTF-8 the string got.
    length: usize,
    /// What was written.
    written: Range<usize>,
}

/// The bytes of `written`, a TOML string with its quotes, that gave the bytes `range` of its value. Text
/// that is no TOML string, as an environment variable may hold, stands for itself.
///
/// `None` where the value has no such range.
pub(super) fn inside(written: &str, range: Range<usize>) -> Option<Range<usize>> {
    if range.start > range.end {
        return None;
    }
    let Some((pieces, end)) = pieces(written) else {
        return (range.end <= written.len()).then_some(range);
    };
    let mut offset = 0;
    let mut start = None;
    for piece in &pieces {
        let next = offset + piece.length;
        if start.is_none() && (range.start < next || range.start == offset && range.is_empty()) {
            start = Some(piece.written.start);
        }
        if let Some(start) = start {
            if range.is_empty() {
                return Some(start..start);
            }
            if range.end <= next {
                return Some(start..piece.written.end);
            }
        }
        offset = next;
    }
    (range.start == offset && range.is_empty()).then_some(end..end)
}

/// The pieces of a TOML string, and where its content ends; `None` where `written` is no TOML string.
fn pieces(written: &str) -> Option<(Vec<Piece>, usize)> {
    let (quotes, escapes) = match written.as_bytes() {
        [b'"', b'"', b'"', ..] if written.len() >= 6 => ("\"\"\"", true),
        [b'\'', b'\'', b'\'', ..] if written.len() >= 6 => ("'''", false),
        [b'"', ..] => ("\"", true),
        [b'\'', ..] => ("'", false),
        _ => return None,
    };
    let multi_line = quotes.len() == 3;
    let content = written.strip_prefix(quotes)?.strip_suffix(quotes)?;
    let mut cursor = Cursor { chars: content.chars(), before: quotes.len(), length: content.len() };
    let mut pieces = Vec::with_capacity(content.len());
    if multi_line && !cursor.take("\r\n") {
        cursor.take("\n");
    }
    loop {
        let start = cursor.offset();
        let decoded = match cursor.chars.next() {
            None => break,
            Some('\\') if escapes => match cursor.escape(multi_line)? {
                Escape::Character(decoded) => decoded,
                Escape::Nothing => continue,
            },
            Some('"') if escapes && !multi_line => return None,
            Some('\'') if !escapes && !multi_line => return None,
            Some(other) => other,
        };
        pieces.push(Piece { length: decoded.len_utf8(), written: start..cursor.offset() });
    }
    Some((pieces, cursor.offset()))
}

/// What an escape stands for.
enum Escape {
    Character(char),
    /// A backslash at the end of a line takes the white space after it away.
    Nothing,
}

/// A position in the content of a string.
struct Cursor<'a> {
    chars: Chars<'a>,
    before: usize,
    length: usize,
}

impl Cursor<'_> {
    fn offset(&self) -> usize {
        self.before + self.length - self.chars.as_str().len()
    }

    fn take(&mut self, text: &str) -> bool {
        match self.chars.as_str().strip_prefix(text) {
            Some(rest) => {
                self.chars = rest.chars();
                true
            }
            None => false,
        }
    }

    /// What follows a backslash; `None` where that is no escape.
    fn escape(&mut self, multi_line: bool) -> Option<Escape> {
        let rest = self.chars.as_str();
        let blank = rest.trim_start_matches([' ', '\t']);
        if multi_line && (blank.starts_with('\n') || blank.starts_with("\r\n")) {
            self.chars = blank.trim_start_matches([' ', '\t', '\n', '\r']).chars();
            return Some(Escape::Nothing);
        }
        let decoded = match self.chars.next()? {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            '"' => '"',
            '\\' => '\\',
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'U' => self.hexadecimal(8)?,
            _ => return None,
        };
        Some(Escape::Character(decoded))
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let (number, rest) = self.chars.as_str().split_at_checked(digits)?;
        self.chars = rest.chars();
        char::from_u32(u32::from_str_radix(number, 16).ok()?)
    }
}
