//! Diagnostics of TOML syntax errors.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Location, SourceText};

/// The most syntax errors that are reported. In a file of another kind, every line is one.
const MAX_ERRORS: usize = 20;

/// A diagnostic for each error, in the order of the text.
pub(super) fn diagnostics(errors: &[toml::de::Error], source: &Arc<SourceText>) -> Vec<Diagnostic> {
    let mut errors: Vec<_> = errors.iter().collect();
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    let rest = errors.len().saturating_sub(MAX_ERRORS);
    let mut diagnostics: Vec<_> =
        errors.into_iter().take(MAX_ERRORS).map(|error| diagnostic(error, source)).collect();
    if rest > 0 {
        let message = format!("`{}` has {rest} more syntax errors", source.name);
        let help = "fix the first ones; is this a TOML file?";
        diagnostics.push(Diagnostic::error(Code::ConfigSyntax, message).help(help));
    }
    diagnostics
}

fn diagnostic(error: &toml::de::Error, source: &Arc<SourceText>) -> Diagnostic {
    let said = error.message();
    let span = error.span().unwrap_or(0..0);
    let end = span.end.min(source.text.len());
    let place = Location { source: Arc::clone(source), span: span.start.min(end)..end };
    let help = [
        ("string values must be quoted", "put text in quotes: `key = \"text\"`"),
        ("invalid boolean", "put text in quotes: `key = \"text\"`; `true` and `false` need no quotes"),
        ("key with no value", "write `key = value`; tables have headers such as `[registries.ghcr]`"),
        ("unquoted key", "write `key = value`; quote a key with other characters"),
        ("inline table element", "end the table with `}`, or put `,` between its entries"),
        ("missing comma", "put `,` between entries, and end the table or array"),
        ("duplicate key", "a table holds each key once: remove one of the two, or merge them"),
        ("invalid basic string", "end the string with the quote it starts with; a backslash is written `\\\\`"),
        ("invalid multi-line basic string", "end the string with `\"\"\"`; a backslash is written `\\\\`"),
        ("invalid literal string", "end the string with the quote it starts with, on the same line"),
        ("invalid multi-line literal string", "end the string with `'''`"),
        ("unclosed table,", "end the header with `]`"),
        ("unclosed array", "end the array with `]`"),
        ("unclosed inline table", "end the table with `}`"),
        ("missing value", "write a value after `=`"),
        ("escape", "a backslash in a string in double quotes is written `\\\\`; strings in single quotes keep it unchanged"),
    ]
    .into_iter()
    .find(|(start, _)| said.contains(start))
    .map_or("TOML is described at https://toml.io/en/v1.1.0", |(_, help)| help);
    Diagnostic::error(Code::ConfigSyntax, format!("this is not TOML: {said}")).at(place, "here").help(help)
}
