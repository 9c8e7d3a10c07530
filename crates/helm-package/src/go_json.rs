//! JSON as Go's `encoding/json` writes it: `<`, `>`, `&` and two line separators of Unicode are escaped inside strings. The digests
//! of what Helm publishes are computed from such bytes.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Returns `value` as Go writes it.
pub(crate) fn to_vec(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, GoFormatter))?;
    Ok(bytes)
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices() {
            if !matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') {
                continue;
            }
            writer.write_all(fragment.get(written..at).unwrap_or_default().as_bytes())?;
            write!(writer, "\\u{:04x}", u32::from(character))?;
            written = at + character.len_utf8();
        }
        writer.write_all(fragment.get(written..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_go_escapes() {
        let text = "a<b>&c\u{2028}\u{2029}\"\\\n\r\t\u{1}\u{7f}é💚";
        let written = String::from_utf8(to_vec(&text).expect("JSON")).expect("UTF-8");
        let expected = r#""a\u003cb\u003e\u0026c\u2028\u2029\"\\\n\r\t\u0001"#.to_owned() + "\u{7f}é💚\"";
        assert_eq!(written, expected);
    }
}
