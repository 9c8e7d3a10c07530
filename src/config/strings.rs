//! Maps a range of a string to the bytes that were written for it, through the escapes of TOML.
//!
//! TOML 1.1, "String": basic and literal strings, each on one line or on several.

use std::ops::Range;
use std::str::Chars;

/// A character of the string and the bytes that were written for it.
struct WrittenCharacter {
    /// The number of UTF-8 bytes that it adds to the string.
    length: usize,
    /// The bytes that were written.
    written: Range<usize>,
}

/// Maps the bytes `range` of a string's value to the bytes of `written`, the TOML string with its quotes. Text that is not a
/// TOML string, as an environment variable may contain, is its own value.
///
/// `None` if the value has no such range.
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

/// The pieces of a TOML string and the end of its content, or `None` if `written` is not a TOML string.
fn pieces(written: &str) -> Option<(Vec<WrittenCharacter>, usize)> {
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
        pieces.push(WrittenCharacter { length: decoded.len_utf8(), written: start..cursor.offset() });
    }
    Some((pieces, cursor.offset()))
}

/// The meaning of an escape.
enum Escape {
    Character(char),
    /// A backslash at the end of a line removes the white space after it.
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

    /// Reads the escape after a backslash, or returns `None` if it is not valid.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The value of a TOML string, as the parser reads it.
    fn value(written: &str) -> Option<String> {
        let document = format!("a = {written}");
        let table = toml::from_str::<toml::Table>(&document).ok()?;
        table.get("a").and_then(|value| value.as_str()).map(str::to_owned)
    }

    /// One of the ways to write a character in a basic string.
    fn written(character: char, form: u8, multi_line: bool) -> String {
        let code = u32::from(character);
        match (form % 4, character) {
            (0, '\n') if multi_line => "\n".to_owned(),
            (1, '\n') => "\\n".to_owned(),
            (0 | 1, '\t') => "\\t".to_owned(),
            (0 | 1, '"') => "\\\"".to_owned(),
            (0 | 1, '\\') => "\\\\".to_owned(),
            (2, _) if code <= 0xff => format!("\\x{code:02x}"),
            (3, _) if code <= 0xffff => format!("\\u{code:04X}"),
            (0 | 1, _) if !character.is_control() => character.to_string(),
            _ => format!("\\U{code:08x}"),
        }
    }

    /// A string of one of the four kinds.
    fn strings() -> impl Strategy<Value = String> {
        let basic = |multi_line: bool| {
            prop::collection::vec((any::<char>(), any::<u8>(), 0..9u8), 0..12).prop_map(move |characters| {
                let mut text = String::new();
                for (character, form, gap) in characters {
                    text.push_str(&written(character, form, multi_line));
                    if multi_line && gap == 0 {
                        text.push_str("\\  \r\n\n\t ");
                    }
                }
                if multi_line { format!("\"\"\"\n{text}\"\"\"") } else { format!("\"{text}\"") }
            })
        };
        let literal =
            prop_oneof!["'[^'\\p{C}]{0,12}'", "'''\r?\n?([^'\\p{C}]|\n|\r\n|'[a-z]){0,12}'{0,2}'''"];
        prop_oneof![basic(false), basic(true), literal.prop_map(|text: String| text)]
    }

    proptest! {
        #[test]
        fn the_range_found_has_the_same_value(written in strings(), from in 0..20usize, length in 0..20usize) {
            let Some(value) = value(&written) else { return Ok(()) };
            let starts: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
            let start = starts[from % starts.len()];
            let end = starts[(from % starts.len() + length).min(starts.len() - 1)];
            let found = inside(&written, start..end).expect("a range");
            let part = written.get(found.clone()).expect("on boundaries");
            prop_assert!(found.start <= found.end);
            // As a string of the same kind, the part has the value of the range.
            let quotes = if written.starts_with("\"\"\"") { "\"\"\"" } else if written.starts_with('"') { "\"" }
                else if written.starts_with("'''") { "'''" } else { "'" };
            let skipped = if quotes.len() == 3 { "\n" } else { "" };
            let again = super::tests::value(&format!("{quotes}{skipped}{part}{quotes}"));
            // A part that ends in quotes is not a string by itself, so its plain text is compared.
            let again = again.unwrap_or_else(|| part.to_owned());
            prop_assert_eq!(&again, &value[start..end]);
        }

        #[test]
        fn nothing_panics(written in "\\PC{0,12}|[\"'\\\\xuU0-9\n\r]{0,16}", start in 0..20usize, length in 0..20usize) {
            if let Some(found) = inside(&written, start..start + length) {
                prop_assert!(found.start <= found.end && found.end <= written.len());
            }
        }
    }

    #[test]
    fn ranges_by_hand() {
        for (written, range, expected) in [
            (r#""abc""#, 1..2, "b"),
            (r#""a\tbc""#, 1..2, r"\t"),
            (r#""\u00e9x""#, 0..2, r"\u00e9"),
            (r#""\u00e9x""#, 2..3, "x"),
            ("'a\\t'", 1..2, "\\"),
            ("\"\"\"\nab\"\"\"", 0..1, "a"),
            ("\"\"\"\r\na\\\r\n   b\"\"\"", 1..2, "b"),
            ("'''\na'b'''", 1..3, "'b"),
            ("plain", 1..3, "la"),
            ("\"unclosed", 0..2, "\"u"),
        ] {
            let found = inside(written, range).expect(written);
            assert_eq!(written.get(found), Some(expected), "{written}");
        }
        assert_eq!(inside("'abc'", 3..3), Some(4..4));
        assert_eq!(inside("'abc'", 2..4), None);
        assert_eq!(inside("''", 0..0), Some(1..1));
    }
}
