//! The rules that look at one line: patterns, variables, settings and commands.

use std::ops::Range;

use crate::compiled::Rules;
use crate::lines::{Line, assignment};
use crate::rule::Detection;
use crate::settings::{SettingsReader, SettingsSyntax};
use crate::text_matches::{Sighting, TextMatches};
use crate::{command, judge};

/// Applies one rule about lines to a line.
pub(crate) fn note_line(
    matches: &mut TextMatches<'_>,
    rules: &Rules,
    settings: &mut SettingsReader,
    position: usize,
    line: &Line<'_>,
) {
    let Some(rule) = rules.all().get(position) else { return };
    match rule.detection {
        Detection::Lines(it) => {
            let Some(captures) = rules.pattern(position).and_then(|it| it.captures(line.text)) else {
                return;
            };
            let (Some(whole), Some(value)) = (captures.get(0), captures.name("value")) else { return };
            let judgement = match captures.name("name") {
                Some(name) => judge::setting(rule.severity, name.as_bytes(), value.as_bytes(), false),
                None => judge::value(rule, 0.0, it.check, whole.as_bytes(), value.as_bytes()),
            };
            if let Some(judgement) = judgement {
                let at = line.at + value.start() as u64;
                matches.note(
                    Sighting { position, at, length: value.len(), line: Some(line.number) },
                    &judgement,
                );
            }
        }
        Detection::Variable(_) => {
            if let Some((name, value)) = assignment(line.text) {
                note_variable(matches, position, &Assignment::on(line, name, value), true);
            }
        }
        Detection::Setting => {
            let in_program = settings.syntax == SettingsSyntax::Program;
            settings.read(line.text, &mut |name, value| {
                let text = line.text.get(value.clone()).unwrap_or_default();
                if let Some(judgement) = judge::setting(rule.severity, name, text, in_program) {
                    let (at, line) = (line.at + value.start as u64, Some(line.number));
                    matches.note(Sighting { position, at, length: text.len(), line }, &judgement);
                }
            });
        }
        Detection::Command => note_command(matches, position, line),
        Detection::Keyword(_) | Detection::FileName(_) | Detection::Lone | Detection::Structure => {}
    }
}

/// Applies the rule about commands to a line.
fn note_command(matches: &mut TextMatches<'_>, position: usize, line: &Line<'_>) {
    let part = |range: Range<usize>| line.text.get(range).unwrap_or_default();
    for possible in command::values(line.text) {
        let (at, length) = (line.at + possible.value.start as u64, possible.value.len());
        let judged = judge::option(matches.severity(position), possible.name.map(part), part(possible.value));
        if let Some(judgement) = judged {
            matches.note(Sighting { position, at, length, line: Some(line.number) }, &judgement);
        }
    }
}

/// A variable and its value.
pub(crate) struct Assignment<'t> {
    pub(crate) name: &'t [u8],
    pub(crate) value: &'t [u8],
    /// The offset at which the value begins.
    pub(crate) at: u64,
    /// The line in which the value begins, from 1.
    pub(crate) line: Option<u64>,
}

impl<'t> Assignment<'t> {
    /// Returns the assignment of the text in the range `value` to `name` on `line`.
    pub(crate) fn on(line: &Line<'t>, name: &'t [u8], value: Range<usize>) -> Self {
        let at = line.at + value.start as u64;
        Self { name, value: line.text.get(value).unwrap_or_default(), at, line: Some(line.number) }
    }
}

/// Applies the rule about variables to one variable. `of_image` says whether its name may be anything.
pub(crate) fn note_variable(
    matches: &mut TextMatches<'_>,
    position: usize,
    assignment: &Assignment<'_>,
    of_image: bool,
) {
    let Assignment { name, value, at, line } = *assignment;
    if let Some(judgement) = judge::variable(matches.severity(position), name, value, of_image) {
        matches.note(Sighting { position, at, length: value.len(), line }, &judgement);
    }
}
