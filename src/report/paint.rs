//! Colours and characters, as far as the terminal has them. Colour never carries meaning alone.

use std::fmt::Display;

use anstyle::{AnsiColor, Style as Ansi};

use super::Style;

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// A title.
    Strong,
    /// Something that comes into being.
    Created,
    /// Something that moves.
    Moved,
    /// Something that stays.
    Kept,
    /// Something that needs a person.
    Alarm,
}

impl Style {
    /// `text` in `ink`, where there are colours.
    pub(super) fn paint(self, ink: Ink, text: impl Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let style = match ink {
            Ink::Strong => Ansi::new().bold(),
            Ink::Created => AnsiColor::Green.on_default(),
            Ink::Moved => AnsiColor::Yellow.on_default(),
            Ink::Kept => Ansi::new().dimmed(),
            Ink::Alarm => AnsiColor::Red.on_default().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// `text` of our own, or quoted in it, with what of our characters the stream does not have in ASCII.
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
                // What stands for bytes that are no text.
                '\u{fffd}' => plain.push('?'),
                _ => plain.push(character),
            }
        }
        plain
    }

    /// `→`.
    pub(super) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// `…`.
    pub(super) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// `—`.
    pub(super) fn dash(self) -> &'static str {
        if self.unicode { "—" } else { "--" }
    }
}
