//! The layout of a configuration file: spaces, blank lines, and commas of lists. Keys, values, comments and their order stay.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// The indentation of the entries of a list that has several lines.
const INDENT: usize = 4;

/// A list on one line that is longer gets a line for each entry.
const LONGEST: usize = 120;

/// Returns `text` in the layout of `fmt`, or `None` if it is not TOML. Both have the same meaning and the same comments: if they
/// would not, the text is returned as it is.
pub fn formatted(text: &str) -> Option<String> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let before = meaning(body)?;
    let end =
        if body.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut layout = Layout { pieces: pieces(body), at: 0, text: String::new(), end };
    layout.document();
    let same = meaning(&layout.text).as_ref() == Some(&before) && comments(&layout.text) == comments(body);
    Some(if same { format!("{mark}{}", layout.text) } else { text.to_owned() })
}

/// The keys and values of a text, in their order.
fn meaning(text: &str) -> Option<String> {
    text.parse::<toml::Table>().ok().map(|table| format!("{table:?}"))
}

/// The comments of a text, in their order.
fn comments(text: &str) -> Vec<&str> {
    let comments = pieces(text).into_iter().filter(|piece| piece.kind == TokenKind::Comment);
    comments.map(|piece| piece.text.trim_end()).collect()
}

/// A token with its text.
#[derive(Debug, Clone, Copy)]
struct Piece<'t> {
    kind: TokenKind,
    text: &'t str,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let tokens = Source::new(text).lex().filter(|token| token.kind() != TokenKind::Eof);
    tokens
        .filter_map(|token| {
            let text = text.get(token.span().start()..token.span().end())?;
            Some(Piece { kind: token.kind(), text })
        })
        .collect()
}

/// The last line that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Comment,
    Header,
    Entry,
}

/// A text on its way to its layout.
struct Layout<'t> {
    pieces: Vec<Piece<'t>>,
    at: usize,
    text: String,
    /// The end of a line.
    end: &'static str,
}

impl<'t> Layout<'t> {
    fn peek(&self) -> Option<Piece<'t>> {
        self.pieces.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Piece<'t>> {
        let piece = self.peek();
        self.at += 1;
        piece
    }

    fn is_next(&self, kind: TokenKind) -> bool {
        self.peek().is_some_and(|piece| piece.kind == kind)
    }

    /// Skips spaces. Returns the skipped text.
    fn spaces(&mut self) -> &'t str {
        match self.peek() {
            Some(piece) if piece.kind == TokenKind::Whitespace => {
                self.at += 1;
                piece.text
            }
            _ => "",
        }
    }

    fn document(&mut self) {
        let (mut written, mut blank) = (Written::Nothing, false);
        while self.at < self.pieces.len() {
            self.spaces();
            let Some(piece) = self.peek() else { break };
            let next = match piece.kind {
                TokenKind::Newline => {
                    self.at += 1;
                    blank = true;
                    continue;
                }
                TokenKind::Comment => Written::Comment,
                TokenKind::LeftSquareBracket => Written::Header,
                _ => Written::Entry,
            };
            let parted = next == Written::Header && matches!(written, Written::Entry | Written::Header);
            if written != Written::Nothing && (blank || parted) {
                self.text.push_str(self.end);
            }
            match next {
                Written::Header => self.header(),
                Written::Entry => self.entry(0),
                Written::Comment | Written::Nothing => {}
            }
            self.rest_of_line(next == Written::Comment);
            (written, blank) = (next, false);
        }
    }

    /// Writes the comment behind an entry, if there is one, and the end of the line.
    fn rest_of_line(&mut self, alone: bool) {
        let spaces = self.spaces();
        if self.is_next(TokenKind::Comment) {
            if !alone {
                // Comments that stand below each other stay so.
                let aligned = !spaces.is_empty() && spaces.bytes().all(|byte| byte == b' ');
                self.text.push_str(if aligned { spaces } else { " " });
            }
            if let Some(comment) = self.next() {
                self.text.push_str(comment.text.trim_end());
            }
        }
        if self.is_next(TokenKind::Newline) {
            self.at += 1;
        }
        self.text.push_str(self.end);
    }

    /// Writes `[name]` or `[[name]]`.
    fn header(&mut self) {
        while let Some(piece) = self.peek() {
            match piece.kind {
                TokenKind::Newline | TokenKind::Comment => break,
                TokenKind::Whitespace => {}
                _ => self.text.push_str(piece.text),
            }
            if piece.kind == TokenKind::Whitespace
                && self.pieces.get(self.at + 1).is_some_and(|it| it.kind == TokenKind::Comment)
            {
                break;
            }
            self.at += 1;
        }
    }

    /// Writes `key = value`.
    fn entry(&mut self, indent: usize) {
        while let Some(piece) = self.peek() {
            match piece.kind {
                TokenKind::Equals | TokenKind::Newline | TokenKind::Comment => break,
                TokenKind::Whitespace => {}
                _ => self.text.push_str(piece.text),
            }
            self.at += 1;
        }
        if !self.is_next(TokenKind::Equals) {
            return;
        }
        self.at += 1;
        self.text.push_str(" = ");
        self.spaces();
        self.value(indent);
    }

    fn value(&mut self, indent: usize) {
        match self.peek().map(|piece| piece.kind) {
            Some(TokenKind::LeftSquareBracket) => self.list(indent, TokenKind::RightSquareBracket),
            Some(TokenKind::LeftCurlyBracket) => self.list(indent, TokenKind::RightCurlyBracket),
            _ => self.scalar(),
        }
    }

    /// Writes a text, a number, a time or a truth value. A number may have dots, and a time a space.
    fn scalar(&mut self) {
        while let Some(piece) = self.peek() {
            let inner = match piece.kind {
                TokenKind::Comma
                | TokenKind::Newline
                | TokenKind::Comment
                | TokenKind::RightSquareBracket
                | TokenKind::RightCurlyBracket => break,
                TokenKind::Whitespace => {
                    if self.pieces.get(self.at + 1).is_none_or(|next| next.kind != TokenKind::Atom) {
                        break;
                    }
                    " "
                }
                _ => piece.text,
            };
            self.text.push_str(inner);
            self.at += 1;
        }
    }

    /// Writes an array or an inline table: on one line if it was, and not too long.
    fn list(&mut self, indent: usize, close: TokenKind) {
        let (start, written) = (self.at, self.text.len());
        if self.has_lines() {
            self.lines(indent, close, false);
            return;
        }
        self.line(indent, close);
        let line = self.text.rfind('\n').map_or(0, |newline| newline + 1);
        let length = self.text.get(line..).map_or(0, |line| line.chars().count());
        let entries = self.pieces.get(start..self.at).unwrap_or_default();
        let several = entries.iter().any(|piece| piece.kind == TokenKind::Comma);
        let flat = self.text.get(written..).is_some_and(|text| !text.contains('\n'));
        if length > LONGEST && several && flat && close == TokenKind::RightSquareBracket {
            self.text.truncate(written);
            self.at = start;
            self.lines(indent, close, true);
        }
    }

    /// Whether the list that begins here has a line break or a comment of its own.
    fn has_lines(&self) -> bool {
        let mut depth = 0_usize;
        for piece in self.pieces.get(self.at..).unwrap_or_default() {
            match piece.kind {
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::Newline | TokenKind::Comment if depth == 1 => return true,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        false
    }

    fn open(&mut self) {
        if let Some(piece) = self.next() {
            self.text.push_str(piece.text);
        }
    }

    fn item(&mut self, indent: usize, close: TokenKind) {
        if close == TokenKind::RightCurlyBracket { self.entry(indent) } else { self.value(indent) }
    }

    fn line(&mut self, indent: usize, close: TokenKind) {
        self.open();
        let space = if close == TokenKind::RightCurlyBracket { " " } else { "" };
        let mut first = true;
        loop {
            while self.is_next(TokenKind::Whitespace) || self.is_next(TokenKind::Comma) {
                self.at += 1;
            }
            match self.peek() {
                Some(piece) if piece.kind != close => {}
                _ => break,
            }
            self.text.push_str(if first { space } else { ", " });
            first = false;
            let before = self.at;
            self.item(indent, close);
            // A piece that is no entry cannot be in a valid text.
            self.at = self.at.max(before + 1);
        }
        if !first {
            self.text.push_str(space);
        }
        self.open();
    }

    /// Writes a list with lines of its own: the entries that stood on one line stay on one line, unless each gets its own.
    fn lines(&mut self, indent: usize, close: TokenKind, apart: bool) {
        self.open();
        let inner = indent + INDENT;
        let (mut fresh, mut blank, mut empty) = (false, false, true);
        loop {
            let spaces = self.spaces();
            let Some(piece) = self.peek() else { return };
            match piece.kind {
                kind if kind == close => break,
                TokenKind::Comma => self.at += 1,
                TokenKind::Newline => {
                    self.at += 1;
                    // A second line break in a row is a blank line.
                    blank = fresh && !empty;
                    fresh = true;
                }
                TokenKind::Comment => {
                    if fresh {
                        self.start_line(inner, blank);
                    } else {
                        let aligned = !spaces.is_empty() && spaces.bytes().all(|byte| byte == b' ');
                        self.text.push_str(if aligned { spaces } else { " " });
                    }
                    self.text.push_str(piece.text.trim_end());
                    self.at += 1;
                    (fresh, blank, empty) = (false, false, false);
                }
                _ => {
                    if fresh || empty || apart {
                        self.start_line(inner, blank);
                    } else {
                        self.text.push(' ');
                    }
                    let before = self.at;
                    self.item(inner, close);
                    self.at = self.at.max(before + 1);
                    self.text.push(',');
                    (fresh, blank, empty) = (false, false, false);
                }
            }
        }
        self.start_line(indent, false);
        self.open();
    }

    fn start_line(&mut self, indent: usize, blank: bool) {
        self.text.push_str(self.end);
        if blank {
            self.text.push_str(self.end);
        }
        self.text.push_str(&" ".repeat(indent));
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
