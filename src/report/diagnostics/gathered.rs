//! Diagnostics of the same cause: the first is drawn whole, and the others have a line each.

use crate::diagnostic::{Diagnostic, Label};
use crate::report::clean;
use crate::report::fit::wrapped;
use crate::report::paint::Style;

/// Diagnostics of one cause are gathered if there are more than this.
const FEW: usize = 2;

/// The number of others that have a line, unless everything is shown.
const LINES: usize = 4;

/// Returns the diagnostics in groups of one cause: the same code and the same way out. Small groups are taken apart again.
pub(super) fn gathered(diagnostics: &[Diagnostic]) -> Vec<Vec<&Diagnostic>> {
    let same = |one: &Diagnostic, other: &Diagnostic| {
        one.code == other.code
            && one.severity == other.severity
            && one.help == other.help
            && one.help.is_some()
    };
    let mut groups: Vec<Vec<&Diagnostic>> = Vec::new();
    for diagnostic in diagnostics {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first, diagnostic))) {
            Some(group) => group.push(diagnostic),
            None => groups.push(vec![diagnostic]),
        }
    }
    if groups.iter().all(|group| group.len() <= FEW) {
        return diagnostics.iter().map(|diagnostic| vec![diagnostic]).collect();
    }
    let apart = |group: Vec<_>| -> Vec<Vec<_>> {
        if group.len() > FEW { vec![group] } else { group.into_iter().map(|it| vec![it]).collect() }
    };
    groups.into_iter().flat_map(apart).collect()
}

/// Returns the lines about the diagnostics of a group after the first.
pub(super) fn others(group: &[&Diagnostic], style: Style) -> String {
    let Some((first, rest)) = group.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return String::new();
    };
    let columns = style.width.clamp(40, 400);
    let mut text = format!("\n  the same for {} more:\n", rest.len());
    if let Some(subjects) = subjects(first, rest) {
        let shown = if style.verbose { subjects.len() } else { subjects.len().min(LINES * 8) };
        let mut list = subjects.get(..shown).unwrap_or_default().join(", ");
        if shown < subjects.len() {
            list.push_str(&format!(" and {} more, which `-v` shows", subjects.len() - shown));
        }
        for line in wrapped(&list, columns - 4, style) {
            text.push_str(&format!("    {line}\n"));
        }
        return style.plain(text);
    }
    let shown = if style.verbose { rest.len() } else { rest.len().min(LINES) };
    for diagnostic in rest.iter().take(shown) {
        let place = diagnostic.labels.first().map(place).unwrap_or_default();
        let message = clean::line(diagnostic.message.lines().next().unwrap_or_default());
        let mut lead = 4;
        for line in wrapped(&format!("{place}{message}"), columns - 6, style) {
            text.push_str(&format!("{}{line}\n", " ".repeat(lead)));
            lead = 6;
        }
    }
    if shown < rest.len() {
        text.push_str(&format!("    … {} more; `-v` shows them\n", rest.len() - shown));
    }
    style.plain(text)
}

fn place(label: &Label) -> String {
    let (line, column) = label.place.position();
    format!("{}:{line}:{column}  ", clean::line(&label.place.source.name))
}

/// Returns the subjects of the others, if the messages differ only in what stands before the first colon.
fn subjects(first: &Diagnostic, rest: &[&Diagnostic]) -> Option<Vec<String>> {
    let (_, cause) = first.message.split_once(": ").filter(|_| first.labels.is_empty())?;
    let subject = |it: &&Diagnostic| {
        let (subject, other) = it.message.split_once(": ")?;
        (other == cause && it.labels.is_empty()).then(|| clean::line(subject))
    };
    rest.iter().map(subject).collect()
}
