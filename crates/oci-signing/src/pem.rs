//! PEM: the base64 text between a `BEGIN` and an `END` line (RFC 7468).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The number of base64 characters in a line.
const LINE: usize = 64;

/// One block of a PEM text.
pub(crate) struct PemBlock<'a> {
    /// The label: `PRIVATE KEY`.
    pub label: &'a str,
    /// The decoded bytes.
    pub bytes: Vec<u8>,
}

/// Returns the first block of `text`, or `None` if there is no whole one. Variables of a CI may have lost the line ends, or hold `\n`
/// as two characters.
pub(crate) fn first_block(text: &str) -> Option<PemBlock<'_>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body = body.replace("\\n", "\n");
    let body: String = body.chars().filter(|it| !it.is_whitespace()).collect();
    Some(PemBlock { label, bytes: BASE64_STANDARD.decode(body).ok()? })
}

/// Returns `bytes` as a block with this label.
pub(crate) fn block(label: &str, bytes: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(LINE.min(rest.len()));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_back() {
        for length in [0, 1, 48, 91, 200] {
            let bytes: Vec<u8> = (0..length).collect();
            let text = format!("text before\n{}text after", block("PUBLIC KEY", &bytes));
            let found = first_block(&text).expect("a block");
            assert_eq!((found.label, found.bytes), ("PUBLIC KEY", bytes));
        }
    }

    #[test]
    fn a_part_of_a_block_is_none() {
        for text in [
            "",
            "-----BEGIN A-----",
            "-----BEGIN A-----\nAA==\n-----END B-----",
            "-----BEGIN A-----\n!\n-----END A-----",
        ] {
            assert!(first_block(text).is_none(), "{text}");
        }
    }
}
