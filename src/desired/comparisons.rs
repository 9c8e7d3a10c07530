//! Comparisons of `version` in expressions. The template engine compares a version with a version and nothing else, so the other
//! operand is passed through a function that makes versions of text: `version >= '2.0.0'` becomes
//! `version >= version_of_text('2.0.0', version)`. Operands that cannot be versions are errors before anything is rendered.

use std::ops::Range;

use super::comparison_tokens::{OPERATORS, Token, TokenKind, expressions, tokens};
use crate::model::version::{ReleaseVersion, VersionError, VersionScheme};

/// The function that makes versions of the text, or of each text of the list, that `version` is compared with.
pub(super) const TO_VERSION: &str = "version_of_text";
/// The function that makes a number of a part of a version, which may be text because of a leading zero.
pub(super) const TO_NUMBER: &str = "number_of_part";

/// An operand that `version` is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// A literal text, without its quotes.
    Text(String),
    /// A literal that is no text.
    Literal,
    /// The version, as the container of `in`.
    Container,
}

/// A literal operand and its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ComparedLiteral {
    pub operand: Operand,
    pub range: Range<usize>,
    /// The operator between it and `version`.
    pub operator: &'static str,
}

/// The reason why `version` cannot be compared with a literal, and the fix.
pub(super) struct ComparisonProblem {
    pub message: String,
    pub help: String,
}

impl ComparedLiteral {
    /// The problem with the literal, unless it is a version of one of `schemes`.
    pub fn problem(&self, schemes: &[VersionScheme]) -> Option<ComparisonProblem> {
        let by_part = "compare a part of the version: `version.major >= 2`";
        let operator = self.operator;
        let (message, help) = match &self.operand {
            Operand::Text(text) => {
                let errors: Result<Vec<VersionError>, ReleaseVersion> =
                    schemes.iter().map(|scheme| scheme.parse(text).map_or_else(Ok, Err)).collect();
                let error = errors.ok()?.into_iter().next()?;
                let number = text.split('.').next().unwrap_or_default();
                let help = match number.parse::<u64>() {
                    Ok(number) if !text.contains(['-', '+', 'v']) => format!(
                        "write all numbers, as in `'{number}.0.0'`, or compare a part: `version.major >= {number}`"
                    ),
                    _ => "write a version without the prefix of the git tag: `version >= '2.0.0'`".to_owned(),
                };
                (format!("`version` is compared with `{text}`, which is not a version: {error}"), help)
            }
            Operand::Literal if operator == "in" => (
                "`version` is compared with something that is not a list of versions".to_owned(),
                "write a list of versions: `version in ['1.2.3', '1.2.4']`".to_owned(),
            ),
            Operand::Literal => (
                "`version` is compared with something that is not a version".to_owned(),
                format!("write the version as text: `version {operator} '2.0.0'`, or {by_part}"),
            ),
            Operand::Container => (
                "`version` is not a list or text, so nothing is `in` it".to_owned(),
                "search in a part of it: `'rc' in version.pre`".to_owned(),
            ),
        };
        Some(ComparisonProblem { message, help })
    }
}

/// An insertion into a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Insertion {
    at: usize,
    text: String,
}

/// The comparisons of `version` in a source.
#[derive(Debug, Default)]
pub(super) struct Comparisons {
    insertions: Vec<Insertion>,
    /// The literals that `version` is compared with.
    pub literals: Vec<ComparedLiteral>,
}

impl Comparisons {
    /// Finds the comparisons in `source`: one expression as a whole, or text with expressions.
    pub fn of(source: &str, is_expression: bool) -> Self {
        let mut found = Self::default();
        let compares = source.contains(['=', '<', '>']) || source.contains(" in");
        if !(compares && source.contains("version")) {
            return found;
        }
        if is_expression {
            found.add(source, 0..source.len());
        } else {
            for range in expressions(source) {
                found.add(source, range);
            }
        }
        found.insertions.sort();
        found.insertions.dedup();
        found
    }

    /// Returns `source` with the functions around the operands, or `None` if there is no comparison.
    pub fn rewritten(&self, source: &str) -> Option<String> {
        if self.insertions.is_empty() {
            return None;
        }
        let (mut text, mut from) = (String::with_capacity(source.len() + 64), 0);
        for insertion in &self.insertions {
            text.push_str(source.get(from..insertion.at).unwrap_or_default());
            text.push_str(&insertion.text);
            from = insertion.at;
        }
        text.push_str(source.get(from..).unwrap_or_default());
        Some(text)
    }

    /// The offset in the source of an offset in the rewritten source.
    pub fn original(&self, offset: usize) -> usize {
        let mut inserted = 0;
        for insertion in &self.insertions {
            let start = insertion.at + inserted;
            if offset <= start {
                break;
            }
            inserted += insertion.text.len().min(offset - start);
        }
        offset - inserted
    }

    fn add(&mut self, source: &str, region: Range<usize>) {
        let tokens = tokens(source, region);
        let text = |token: &Token| source.get(token.range.clone()).unwrap_or_default();
        let is_loop = tokens.first().is_some_and(|token| text(token) == "for");
        let mut loops = usize::from(is_loop);
        for (index, token) in tokens.iter().enumerate() {
            let word = text(token);
            let operator = match token.kind {
                TokenKind::Comparison => OPERATORS.iter().find(|it| **it == word).copied().unwrap_or("=="),
                TokenKind::Word if word == "in" => "in",
                _ => continue,
            };
            if operator == "in" && loops > 0 {
                loops -= 1;
                continue;
            }
            let negated =
                operator == "in" && index > 0 && tokens.get(index - 1).is_some_and(|it| text(it) == "not");
            let left = left_operand(&tokens, if negated { index - 1 } else { index }, source);
            let right = right_operand(&tokens, index + 1, source);
            self.compare(source, left, right, operator);
        }
    }

    fn compare(&mut self, source: &str, left: &[Token], right: &[Token], operator: &'static str) {
        let (is_left, is_right) = (is_version(left, source), is_version(right, source));
        for (operand, other) in [(left, right), (right, left)].into_iter().filter(|_| !is_left && !is_right) {
            if is_part(operand, source) && !other.iter().any(|token| token.kind == TokenKind::Text) {
                self.wrap(operand, TO_NUMBER, ")");
            }
        }
        match (is_left, is_right) {
            (true, false) => {
                self.literals.extend(literals(right, source, operator));
                self.wrap(right, TO_VERSION, ", version)");
            }
            (false, true) if operator == "in" => {
                self.literals.extend(whole(right).map(|range| ComparedLiteral {
                    operand: Operand::Container,
                    range,
                    operator,
                }));
            }
            (false, true) => {
                self.literals.extend(literals(left, source, operator));
                self.wrap(left, TO_VERSION, ", version)");
            }
            (true, true) | (false, false) => {}
        }
    }

    fn wrap(&mut self, operand: &[Token], function: &str, end: &str) {
        if let Some(range) = whole(operand) {
            self.insertions.push(Insertion { at: range.start, text: format!("{function}(") });
            self.insertions.push(Insertion { at: range.end, text: end.to_owned() });
        }
    }
}

/// The range of some tokens, from the first to the last.
fn whole(tokens: &[Token]) -> Option<Range<usize>> {
    Some(tokens.first()?.range.start..tokens.last()?.range.end)
}

/// Whether a word ends an operand of a comparison.
fn ends_operand(token: &Token, source: &str) -> bool {
    const WORDS: [&str; 8] = ["and", "or", "not", "if", "elif", "else", "in", "set"];
    let text = source.get(token.range.clone()).unwrap_or_default();
    match token.kind {
        TokenKind::Comparison => true,
        TokenKind::Word => WORDS.contains(&text),
        TokenKind::Other => matches!(text, "," | ":" | "="),
        _ => false,
    }
}

/// The operand that ends before the token `end`.
fn left_operand<'t>(tokens: &'t [Token], end: usize, source: &str) -> &'t [Token] {
    let (mut start, mut depth) = (end, 0_usize);
    while let Some(token) = start.checked_sub(1).and_then(|before| tokens.get(before)) {
        match token.kind {
            TokenKind::Close => depth += 1,
            TokenKind::Open if depth == 0 => break,
            TokenKind::Open => depth -= 1,
            _ if depth == 0 && ends_operand(token, source) => break,
            _ => {}
        }
        start -= 1;
    }
    tokens.get(start..end).unwrap_or_default()
}

/// The operand that begins with the token `start`.
fn right_operand<'t>(tokens: &'t [Token], start: usize, source: &str) -> &'t [Token] {
    let (mut end, mut depth) = (start, 0_usize);
    while let Some(token) = tokens.get(end) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth == 0 => break,
            TokenKind::Close => depth -= 1,
            _ if depth == 0 && ends_operand(token, source) => break,
            _ => {}
        }
        end += 1;
    }
    tokens.get(start..end).unwrap_or_default()
}

/// The tokens without parentheses around all of them.
fn bare<'t>(mut tokens: &'t [Token], source: &str) -> &'t [Token] {
    while let [first, inner @ .., last] = tokens {
        let is = |token: &Token, text: &str| source.get(token.range.clone()) == Some(text);
        let nested = inner.iter().any(|token| matches!(token.kind, TokenKind::Open | TokenKind::Close));
        if nested || !is(first, "(") || !is(last, ")") {
            break;
        }
        tokens = inner;
    }
    tokens
}

fn is_version(operand: &[Token], source: &str) -> bool {
    matches!(bare(operand, source), [only] if source.get(only.range.clone()) == Some("version"))
}

/// Whether an operand is `version.NAME`.
fn is_part(operand: &[Token], source: &str) -> bool {
    let text = |token: &Token| source.get(token.range.clone()).unwrap_or_default().to_owned();
    match bare(operand, source) {
        [first, dot, name] => text(first) == "version" && text(dot) == "." && name.kind == TokenKind::Word,
        _ => false,
    }
}

/// The literals in an operand: it is one, or a list of them.
fn literals(operand: &[Token], source: &str, operator: &'static str) -> Vec<ComparedLiteral> {
    let operand = bare(operand, source);
    let literal = |token: &Token, in_list: bool| {
        let text = source.get(token.range.clone()).unwrap_or_default();
        let operand = match token.kind {
            TokenKind::Number => Operand::Literal,
            TokenKind::Word if matches!(text, "true" | "false" | "none" | "True" | "False" | "None") => {
                Operand::Literal
            }
            TokenKind::Text if operator == "in" && !in_list => Operand::Literal,
            TokenKind::Text => {
                let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
                if inner.contains('\\') {
                    return None;
                }
                Operand::Text(inner.to_owned())
            }
            _ => return None,
        };
        Some(ComparedLiteral { operand, range: token.range.clone(), operator })
    };
    match operand {
        [only] => literal(only, false).into_iter().collect(),
        [open, elements @ .., _] if operator == "in" && open.kind == TokenKind::Open => {
            let single = elements.split(|token| source.get(token.range.clone()) == Some(","));
            single
                .filter_map(|element| if let [only] = element { literal(only, true) } else { None })
                .collect()
        }
        // A number with a sign or a point, such as `2.0` or `-1`.
        [first, rest @ ..]
            if rest.iter().chain([first]).all(|token| {
                token.kind == TokenKind::Number
                    || matches!(source.get(token.range.clone()), Some("." | "-" | "+"))
            }) =>
        {
            let range = whole(operand).unwrap_or_default();
            vec![ComparedLiteral { operand: Operand::Literal, range, operator }]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[path = "comparisons_tests.rs"]
mod tests;
