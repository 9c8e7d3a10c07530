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
    /// The longest line that is shown whole, in characters.
    pub room: usize,
    line_starts: Vec<usize>,
}

impl DrawnText {
    /// Returns a text, after finding its lines.
    pub fn new(name: String, content: String, room: usize) -> Self {
        let line_starts =
            std::iter::once(0).chain(content.match_indices('\n').map(|(offset, _)| offset + 1)).collect();
        Self { name, content, room, line_starts }
    }

    /// Returns the index of the line that contains the byte at `offset`.
    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Returns the offset at which the line begins, or the end of the text behind the last line.
    fn start(&self, line: usize) -> usize {
        self.line_starts.get(line).copied().unwrap_or(self.content.len())
    }

    /// Returns the columns right of the middle of a label that its text may take, at least a few.
    pub fn room_at(&self, span: &Range<usize>, columns: usize) -> usize {
        let line = self.line(span.start);
        let start = self.start(line);
        let count = |part: Range<usize>| self.content.get(part).unwrap_or_default().chars().count();
        let (before, length) = (count(start..span.start), count(span.clone()));
        // Of a wide line only the part around the label is shown.
        let around = (self.room.saturating_sub(length) / 2).min(AROUND);
        let before = if self.is_wide(&(start..self.start(line + 1))) { before.min(around) } else { before };
        columns.saturating_sub(before + length / 2).max(20)
    }

    /// Whether a line of a part is too long to be shown whole.
    fn is_wide(&self, read: &Range<usize>) -> bool {
        let text = self.content.get(read.clone()).unwrap_or_default();
        self.room != usize::MAX && text.lines().any(|line| line.chars().count() > self.room)
    }

    /// Returns the part of `read` that is shown if its lines are long: the lines of the span, close to the span.
    fn window(&self, span: &Range<usize>, read: &Range<usize>) -> Range<usize> {
        let around = (self.room.saturating_sub(span.len()) / 2).min(AROUND);
        let start = span.start.saturating_sub(around).max(self.start(self.line(span.start)));
        let end = (span.end + around).min(self.start(self.line(span.end) + 1));
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
        let shown =
            if read.len() > MAX_SNIPPET || self.is_wide(&read) { self.window(&span, &read) } else { read };
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
