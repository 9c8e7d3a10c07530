//! The lines of a file or text, assembled from pieces of any size, and the assignments in a line.

/// How many bytes of a line are kept. The rest of a longer line is ignored.
const LONGEST: usize = 64 * 1024;

/// The line that is being read.
#[derive(Default)]
pub(crate) struct LineReader {
    line: Vec<u8>,
    /// The full length of the line so far.
    length: u64,
    /// The offset at which the line begins.
    at: u64,
    /// The number of lines before it.
    before: u64,
}

/// A line: its number from 1, the offset at which it begins, and its text without the line end.
pub(crate) struct Line<'t> {
    pub number: u64,
    pub at: u64,
    pub text: &'t [u8],
}

impl LineReader {
    /// Calls `each` with every line that ends in `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Line<'_>)) {
        for piece in bytes.split_inclusive(|it| *it == b'\n') {
            let room = LONGEST.saturating_sub(self.line.len());
            self.line.extend(piece.iter().take(room));
            self.length += piece.len() as u64;
            if piece.ends_with(b"\n") {
                self.end(each);
            }
        }
    }

    /// Calls `each` with the last line, which ends without a newline.
    pub(crate) fn end(&mut self, each: &mut dyn FnMut(&Line<'_>)) {
        let end = self.line.iter().rposition(|it| !matches!(it, b'\n' | b'\r')).map_or(0, |last| last + 1);
        let text = self.line.get(..end).unwrap_or_default();
        each(&Line { number: self.before + 1, at: self.at, text });
        self.at += self.length;
        self.before += 1;
        self.length = 0;
        self.line.clear();
    }
}

/// Returns the assignment on a line of a file of variables: the name, and the range of the value.
pub(crate) fn assignment(line: &[u8]) -> Option<(&[u8], std::ops::Range<usize>)> {
    let start = line.iter().position(|it| !it.is_ascii_whitespace())?;
    let start = ["export ", "set ", "setx ", "ENV "]
        .iter()
        .find(|word| line.get(start..).is_some_and(|it| it.starts_with(word.as_bytes())))
        .map_or(start, |word| start + word.len());
    named_value(line, start, true)
}

/// Returns the assignments among the words of a text, such as a command: `NAME=value`.
pub(crate) fn assignments(text: &[u8]) -> impl Iterator<Item = (&[u8], std::ops::Range<usize>)> {
    let starts = (0..text.len()).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        before.is_none_or(|it| it.is_ascii_whitespace() || matches!(it, b';' | b'&' | b'"' | b'\''))
    });
    starts.filter_map(|start| named_value(text, start, false))
}

/// Returns the `NAME=value` at `start`: the name, and the range of the value without quotes. In a file of variables the value may
/// follow spaces or a colon.
fn named_value(text: &[u8], start: usize, of_file: bool) -> Option<(&[u8], std::ops::Range<usize>)> {
    let rest = text.get(start..)?;
    let named = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.');
    let length = rest.iter().position(|it| !named(it))?;
    let name = rest.get(..length).filter(|it| it.first().is_some_and(|it| !it.is_ascii_digit()))?;
    let blank =
        |from: usize| text.get(from..).map_or(0, |it| it.iter().take_while(|it| **it == b' ').count());
    let mut at = start + length;
    if of_file {
        at += blank(at);
    }
    let sign = text.get(at)?;
    if *sign != b'=' && !(of_file && *sign == b':') {
        return None;
    }
    at += 1;
    if of_file {
        at += blank(at);
    }
    let quote = text.get(at).copied().filter(|it| matches!(it, b'"' | b'\''));
    at += usize::from(quote.is_some());
    let value = text.get(at..)?;
    let end = value.iter().position(|it| match quote {
        Some(quote) => *it == quote,
        None => it.is_ascii_whitespace() || (!of_file && matches!(it, b';' | b'&' | b'|')),
    });
    Some((name, at..at + end.unwrap_or(value.len())))
}
