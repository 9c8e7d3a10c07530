//! Diagnostics for people, drawn by miette: the message, the source text with labels, and the help.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};

use super::gathered::{gathered, others};
use super::snippet::{AROUND, DrawnText, MAX_SNIPPET};
use crate::diagnostic::{Code, Diagnostic, Label, Severity, SourceText};
use crate::report::clean;
use crate::report::fit::{width, wrapped};
use crate::report::paint::Style;

/// The columns of the frame around a labelled text: line numbers, borders, and the lines to labels.
const FRAME: usize = 14;

/// The maximum number of lines of a labelled text that are shown. Only the first line of a longer text is labelled.
const MAX_LINES: usize = 10;

/// Returns the diagnostics one after the other, separated by empty lines.
pub fn human(diagnostics: &[Diagnostic], style: Style) -> String {
    let theme = GraphicalTheme {
        characters: if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.clamp(40, 400))
        .with_links(false)
        .without_cause_chain()
        .without_syntax_highlighting();
    let mut texts = Texts::default();
    let mut output = String::new();
    for group in gathered(diagnostics) {
        let Some(diagnostic) = group.first() else { continue };
        if !output.is_empty() {
            output.push('\n');
        }
        for part in parts(diagnostic, &mut texts, style) {
            // The message is shown even if a part cannot be drawn.
            if handler.render_report(&mut output, &part).is_err() {
                output.push_str(&part.message);
                output.push('\n');
            }
        }
        output.push_str(&others(&group, style));
    }
    if style.color {
        return output;
    }
    output.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// A diagnostic, or its labels in one more source, in the form that miette takes.
#[derive(Debug)]
struct DrawnPart {
    heading: Option<String>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    text: Option<Arc<DrawnText>>,
    labels: Vec<LabeledSpan>,
}

/// The sources, each cleaned once.
#[derive(Default)]
struct Texts(HashMap<*const SourceText, Arc<DrawnText>>);

impl Texts {
    fn of(&mut self, source: &Arc<SourceText>, style: Style) -> Arc<DrawnText> {
        let text = self.0.entry(Arc::as_ptr(source)).or_insert_with(|| {
            // miette draws no label behind the last character of the last line. A final newline makes it draw one.
            let mut text = clean::source(&source.text);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            let name = clean::message(&source.name);
            let name =
                style.columns().map_or_else(|| name.clone(), |columns| style.middle(&name, columns - FRAME));
            Arc::new(DrawnText::new(
                name,
                text,
                style.columns().map_or(usize::MAX, |columns| columns - FRAME),
            ))
        });
        Arc::clone(text)
    }
}

fn parts(diagnostic: &Diagnostic, texts: &mut Texts, style: Style) -> Vec<DrawnPart> {
    let severity = match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    };
    let mut parts = vec![DrawnPart {
        heading: Some(heading(diagnostic, style)),
        severity,
        message: style.plain(clean::message(&diagnostic.message)),
        help: None,
        text: None,
        labels: Vec::new(),
    }];
    for label in &diagnostic.labels {
        let text = texts.of(&label.place.source, style);
        let span = labeled(label, &text, style);
        let same = |part: &DrawnPart| part.text.as_ref().is_none_or(|other| Arc::ptr_eq(other, &text));
        if let Some(part) = parts.iter_mut().find(|part| same(part)) {
            part.text = Some(text);
            part.labels.push(span);
        } else {
            let message = format!("and in {}", text.name);
            parts.push(DrawnPart {
                heading: None,
                severity: miette::Severity::Advice,
                message,
                help: None,
                text: Some(text),
                labels: vec![span],
            });
        }
    }
    if let Some(last) = parts.last_mut() {
        last.help = diagnostic.help.as_deref().map(|help| style.plain(clean::message(help)));
    }
    parts
}

/// Returns the code, and the command that explains it if there is space for it.
fn heading(diagnostic: &Diagnostic, style: Style) -> String {
    let (severity, code) = (diagnostic.severity.as_str(), diagnostic.code);
    let whole = format!("{severity}: {code} (brokkr-publish explain {})", short(code));
    if style.columns().is_none_or(|columns| width(&whole) <= columns) {
        whole
    } else {
        format!("{severity}: {code}")
    }
}

/// Returns the shortest end of the code that `explain` accepts for it.
fn short(code: Code) -> &'static str {
    let whole = code.as_str();
    let shorter = whole.split_once("::").map_or(whole, |(_, rest)| rest);
    if shorter.parse::<Code>() == Ok(code) { shorter } else { whole }
}

fn labeled(label: &Label, drawn: &DrawnText, style: Style) -> LabeledSpan {
    let text = drawn.content.as_str();
    let last = text.len().saturating_sub(1);
    let mut span = clean::span(text, &(label.place.span.start.min(last)..label.place.span.end));
    let labelled = text.get(span.clone()).unwrap_or_default();
    if labelled.lines().count() > MAX_LINES || labelled.len() > (MAX_SNIPPET / 2).min(drawn.room) {
        let first = labelled.lines().next().unwrap_or_default();
        span.end = clean::span(text, &(span.start..span.start + first.len().min(AROUND).min(drawn.room))).end;
    }
    let words = (!label.text.is_empty()).then(|| {
        let words = style.plain(clean::message(&label.text));
        match style.columns() {
            Some(columns) => wrapped(&words, drawn.room_at(&span, columns - FRAME), style).join("\n"),
            None => words,
        }
    });
    LabeledSpan::new(words, span.start, span.end - span.start)
}

impl fmt::Display for DrawnPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DrawnPart {}

impl miette::Diagnostic for DrawnPart {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.heading.as_deref()?))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.help.as_deref()?))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.text.as_ref()?)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
