//! The syntax of templates: its two forms, and the names of filters and tests in a source.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Match, Regex};

/// The syntax of a source text. `template = "latest"` is a template too; `when` is an expression as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TemplateSyntax {
    /// Text with `{{ expressions }}`.
    Text,
    /// One bare expression.
    Expression,
}

/// The name of a filter, after its bar. The names are of ASCII, and so are the patterns, which compile faster.
static FILTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?-u)\|\s*([A-Za-z_]\w*)").ok());

/// The name of a test: `is defined`, `is not defined`.
static TEST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\bis\s+(?:not\s+)?([A-Za-z_]\w*)").ok());

/// A string in quotes.
static STRING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*""#).ok());

/// Returns `source` with its strings replaced by blanks, because names in strings are not names. The offsets stay
/// the same.
pub(super) fn without_strings(source: &str) -> Cow<'_, str> {
    let has_strings = source.contains(['\'', '"']);
    match STRING.as_ref().filter(|_| has_strings) {
        Some(string) => string.replace_all(source, |found: &Captures<'_>| " ".repeat(found[0].len())),
        None => Cow::Borrowed(source),
    }
}

/// The names of filters in `code`, which has no strings any more.
pub(super) fn filters(code: &str, syntax: TemplateSyntax) -> Vec<Match<'_>> {
    let has_filters = code.contains('|');
    names(FILTER.as_ref().filter(|_| has_filters), code, syntax)
}

/// The names of tests in `code`, which has no strings any more.
pub(super) fn tests(code: &str, syntax: TemplateSyntax) -> Vec<Match<'_>> {
    let has_tests = code.contains("is");
    names(TEST.as_ref().filter(|_| has_tests), code, syntax)
}

fn names<'c>(pattern: Option<&Regex>, code: &'c str, syntax: TemplateSyntax) -> Vec<Match<'c>> {
    let found = pattern.into_iter().flat_map(|pattern| pattern.captures_iter(code));
    found
        .filter_map(|found| found.get(1))
        .filter(|name| syntax == TemplateSyntax::Expression || is_inside_expression(code, name.start()))
        .collect()
}

fn is_inside_expression(code: &str, at: usize) -> bool {
    let before = &code[..at];
    let opened = before.rfind("{{").max(before.rfind("{%"));
    let closed = before.rfind("}}").max(before.rfind("%}"));
    opened > closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_finds_its_names() {
        let source = "a | b {{ version | slug('| no') is defined and x is not odd }} is text";
        let code = without_strings(source);
        assert_eq!(code.len(), source.len());
        let filters =
            |syntax| filters(&code, syntax).iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(filters(TemplateSyntax::Text), ["slug"]);
        assert_eq!(filters(TemplateSyntax::Expression), ["b", "slug"]);
        let found = super::tests(&code, TemplateSyntax::Text);
        assert_eq!(found.iter().map(Match::as_str).collect::<Vec<_>>(), ["defined", "odd"]);
    }
}
