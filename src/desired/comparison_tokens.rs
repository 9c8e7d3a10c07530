//! The tokens of expressions that comparisons consist of.

use std::ops::Range;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Text,
    Number,
    Word,
    Open,
    Close,
    Comparison,
    Other,
}

/// A token of an expression.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub range: Range<usize>,
}

/// The operators of comparisons. The longer of two that start the same way comes first.
pub(super) const OPERATORS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// The ranges of the expressions and statements in `source`, without their delimiters.
pub(super) fn expressions(source: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some((start, end)) = next_expression(source, at) {
        found.push(start..end);
        at = end;
    }
    found
}

fn next_expression(source: &str, from: usize) -> Option<(usize, usize)> {
    let rest = source.get(from..)?;
    let starts = ["{{", "{%"].into_iter().filter_map(|open| rest.find(open));
    let start = from + starts.min()? + 2;
    let bytes = source.as_bytes();
    let (mut at, mut quote) = (start, None);
    while let Some(byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'}' | b'%') if bytes.get(at + 1) == Some(&b'}') => return Some((start, at)),
            (None, _) => {}
        }
        at += 1;
    }
    Some((start, source.len()))
}

/// The tokens of an expression.
pub(super) fn tokens(source: &str, region: Range<usize>) -> Vec<Token> {
    let bytes = source.as_bytes();
    let (mut found, mut at) = (Vec::new(), region.start);
    while at < region.end {
        let Some(byte) = bytes.get(at).copied() else { break };
        let start = at;
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
        let kind = match byte {
            b'\'' | b'"' => {
                at += 1;
                while at < region.end && bytes.get(at) != Some(&byte) {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                at = (at + 1).min(region.end);
                TokenKind::Text
            }
            b'(' | b'[' | b'{' => TokenKind::Open,
            b')' | b']' | b'}' => TokenKind::Close,
            byte if is_word(&byte) => {
                while at < region.end && bytes.get(at).is_some_and(is_word) {
                    at += 1;
                }
                if byte.is_ascii_digit() { TokenKind::Number } else { TokenKind::Word }
            }
            _ => {
                let rest = source.get(at..region.end).unwrap_or_default();
                match OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
                    Some(operator) => {
                        at += operator.len();
                        TokenKind::Comparison
                    }
                    None => TokenKind::Other,
                }
            }
        };
        if at == start {
            at += 1;
        }
        if !byte.is_ascii_whitespace() {
            found.push(Token { kind, range: start..at });
        }
    }
    found
}
