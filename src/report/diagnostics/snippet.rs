//! The part of a text that is drawn around a label.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::report::clean;

/// The maximum size in bytes of a snippet with its context. Of longer lines only the part around the label is shown.
pub(super) const MAX_SNIPPET: usize = 2_000;

/// The number of bytes of a long line that are shown on either side of its label.
pub(super) const AROUND: usize = 60;

/// A cleaned text with its name. Unlike miette's own sources, it finds lines without reading the whole text, counts columns
/// in characters as `SourceText::position` does, and shows only a part of very long lines.
#[derive(Debug)]
pub(super) struct DrawnText {
    /// The name of the text.
    pub name: String,
    /// The text.
    pub content: String,
    line_starts: Vec<usize>,
}

impl DrawnText {
    /// Returns a text, after finding its lines.
    pub fn new(name: String, content: String) -> Self {
        let line_starts =
            std::iter::once(0).chain(content.match_indices('\n').map(|(offset, _)| offset + 1)).collect();
        Self { name, content, line_starts }
    }

    /// Returns the index of the line that contains the byte at `offset`.
    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Returns the offset at which the line begins, or the end of the text behind the last line.
    fn start(&self, line: usize) -> usize {
        self.line_starts.get(line).copied().unwrap_or(self.content.len())
    }

    /// Returns the part of `read` that is shown if its lines are long: the lines of the span, close to the span.
    fn window(&self, span: &Range<usize>, read: &Range<usize>) -> Range<usize> {
        let start = span.start.saturating_sub(AROUND).max(self.start(self.line(span.start)));
        let end = (span.end + AROUND).min(self.start(self.line(span.end) + 1));
        clean::span(&self.content, &(start.max(read.start)..end.min(read.end)))
    }
}

impl SourceCode for DrawnText {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let span = span.offset()..span.offset() + span.len();
        let read = if context_lines_before == 0 && context_lines_after == 0 {
            span.clone()
        } else {
            let first = self.line(span.start).saturating_sub(context_lines_before);
            let last = self.line(span.end.saturating_sub(1).max(span.start)) + context_lines_after;
            self.start(first)..self.start(last + 1)
        };
        let shown = if read.len() > MAX_SNIPPET { self.window(&span, &read) } else { read };
        let text = self.content.get(shown.clone()).ok_or(MietteError::OutOfBounds)?;
        let line = self.line(shown.start);
        let before = self.content.get(self.start(line)..shown.start).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            text.as_bytes(),
            (shown.start, shown.len()).into(),
            line,
            before.chars().count(),
            text.lines().count(),
        )))
    }
}
