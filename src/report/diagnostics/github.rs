//! Diagnostics as commands of GitHub Actions, which become annotations in the file:
//! `::error file=…,line=…::message` (GitHub's "Workflow commands").

use super::repository_path::repository_path;
use crate::diagnostic::{Diagnostic, Location};
use crate::report::clean;

/// Returns a line for each diagnostic.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let mut output = String::new();
    for diagnostic in diagnostics {
        let main = diagnostic.labels.first().filter(|label| label.place.source.file.is_some());
        let mut properties = main.map(|label| position(&label.place)).unwrap_or_default();
        properties.push(("title", diagnostic.code.to_string()));
        let properties: Vec<(&str, &str)> =
            properties.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let message = message(diagnostic, main.is_some());
        output.push_str(&github_command(diagnostic.severity.as_str(), &properties, &message));
    }
    output
}

/// Returns one command as a line.
pub fn github_command(command: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    format!("::{command} {}::{}\n", properties.join(","), data(&clean::message(message)))
}

/// Returns the position as properties. Columns are included only if the label is on one line, because GitHub accepts them for
/// nothing else.
fn position(place: &Location) -> Vec<(&'static str, String)> {
    let (line, column) = place.position();
    let (end_line, end_column) = place.source.position(place.span.end);
    let mut properties = vec![("file", repository_path(&place.source)), ("line", line.to_string())];
    let one_line = line == end_line;
    if one_line {
        properties.push(("col", column.to_string()));
    }
    properties.push(("endLine", end_line.to_string()));
    if one_line {
        properties.push(("endColumn", end_column.to_string()));
    }
    properties
}

/// Returns the message, its labels and the help, one per line.
fn message(diagnostic: &Diagnostic, first_is_annotated: bool) -> String {
    let mut lines = vec![diagnostic.message.clone()];
    for (index, label) in diagnostic.labels.iter().enumerate() {
        if label.text.is_empty() {
            continue;
        }
        if index == 0 && first_is_annotated {
            lines.push(label.text.clone());
        } else {
            let (line, column) = label.place.position();
            lines.push(format!("{}:{line}:{column}: {}", label.place.source.name, label.text));
        }
    }
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    clean::message(&lines.join("\n"))
}

/// Returns `text` escaped as the data of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Returns `text` escaped as a property of a command.
fn property(text: &str) -> String {
    data(&clean::message(text)).replace(':', "%3A").replace(',', "%2C")
}
