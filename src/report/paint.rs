//! Colours and characters that the terminal can show. Colour never carries meaning alone.

use std::fmt::Display;

use anstyle::{AnsiColor, Style as Ansi};

/// The abilities of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours, which never carry meaning alone.
    pub color: bool,
    /// Characters beyond ASCII.
    pub unicode: bool,
    /// The width in characters to wrap text at.
    pub width: usize,
    /// The width that no line may exceed: that of the terminal, or of `COLUMNS`.
    pub limit: Option<usize>,
    /// Whether nothing is folded.
    pub verbose: bool,
}

/// The meaning of a piece of text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// A title.
    Strong,
    /// Something that is created.
    Created,
    /// Something that moves.
    Moved,
    /// Something that stays.
    Kept,
    /// Something that is as it should be already.
    InPlace,
    /// Something that needs attention.
    Alarm,
}

impl Style {
    /// Returns `text` in `ink` if there are colours.
    pub(super) fn paint(self, ink: Ink, text: impl Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let style = match ink {
            Ink::Strong => Ansi::new().bold(),
            Ink::Created => AnsiColor::Green.on_default(),
            Ink::Moved => AnsiColor::Yellow.on_default(),
            Ink::Kept | Ink::InPlace => Ansi::new().dimmed(),
            Ink::Alarm => AnsiColor::Red.on_default().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// Returns `text` with our special characters replaced by ASCII if the stream does not have them.
    pub fn plain(self, text: impl Into<String>) -> String {
        let text = text.into();
        if self.unicode || text.is_ascii() {
            return text;
        }
        let mut plain = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '…' => plain.push_str("..."),
                '—' => plain.push_str("--"),
                '→' => plain.push_str("->"),
                '≥' => plain.push_str(">="),
                '≤' => plain.push_str("<="),
                '×' => plain.push('x'),
                '–' | '─' | '━' | '┄' => plain.push('-'),
                '│' | '┬' | '├' | '┼' => plain.push('|'),
                '╭' | '┌' => plain.push(','),
                '╰' | '└' => plain.push('`'),
                '·' => plain.push(':'),
                '▲' => plain.push('^'),
                '☞' | '▶' => plain.push('>'),
                '⚠' => plain.push('!'),
                '‘' | '’' => plain.push('\''),
                '“' | '”' => plain.push('"'),
                // The replacement character, for bytes that are not text.
                '\u{fffd}' => plain.push('?'),
                _ => plain.push(character),
            }
        }
        plain
    }

    /// Returns `→`, or `->` in ASCII.
    pub(super) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// Returns `…`, or `...` in ASCII.
    pub(super) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// Returns `—`, or `--` in ASCII.
    pub(super) fn dash(self) -> &'static str {
        if self.unicode { "—" } else { "--" }
    }
}
