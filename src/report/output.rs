//! Writing to standard output and standard error, and asking the person at the terminal.

use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use super::{Style, clean};

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// Where the stream is a terminal, unless `NO_COLOR` or `CLICOLOR_FORCE` say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The first error of writing.
static FAILURE: OnceLock<String> = OnceLock::new();

/// Why something could not be written since the process began: on a full disk, say. Who reads it has not got all.
pub fn failure() -> Option<&'static str> {
    FAILURE.get().map(String::as_str)
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Whether it is a terminal.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Out => std::io::stdout().is_terminal(),
            Self::Err => std::io::stderr().is_terminal(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Out => "standard output",
            Self::Err => "standard error",
        }
    }

    /// What it can show.
    pub fn style(self, color: Color) -> Style {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            // no-color.org, by which any value counts, `0` included; and bixense.com/clicolors.
            Color::Auto if set("NO_COLOR").is_some() => false,
            Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Color::Auto => self.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        // A locale that says it is not UTF-8 is believed; none at all is common in containers, and all can show it.
        let unicode = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8")
                || locale.contains("utf8")
                || !(locale == "c" || locale == "posix" || locale.contains("8859"))
        });
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = width.or_else(|| terminal_width(self)).unwrap_or(100);
        Style { color, unicode, width }
    }

    /// Writes `text` for people. Whatever it holds, nothing but our colours acts on a terminal, and no line is a command of
    /// a CI. A reader that went away (`plan | head`) is no error; any other is kept for [`failure`].
    pub fn write(self, text: &str) {
        self.write_commands(&clean::told(text));
    }

    /// Writes `text` that is made of commands of a CI, and is clean already.
    pub fn write_commands(self, text: &str) {
        let result = match self {
            Self::Out => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
            Self::Err => std::io::stderr().lock().write_all(text.as_bytes()),
        };
        if let Err(error) = result
            && error.kind() != ErrorKind::BrokenPipe
        {
            FAILURE.get_or_init(|| format!("{} cannot be written to: {error}", self.name()));
        }
    }
}

/// Standard error for a log that something else writes: each piece passes as if it was told to people.
#[derive(Debug, Clone, Copy, Default)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Stream::Err.write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn terminal_width(stream: Stream) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let (_, columns) = match stream {
        Stream::Out => indicatif_terminal(false)?,
        Stream::Err => indicatif_terminal(true)?,
    };
    Some(usize::from(columns))
}

fn indicatif_terminal(err: bool) -> Option<(u16, u16)> {
    let terminal = if err { console::Term::stderr() } else { console::Term::stdout() };
    terminal.size_checked()
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks `question` on standard error and returns the answer, or `None` where nobody can be asked.
pub fn ask(question: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    Stream::Err.write(question);
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(answer.trim().to_owned()),
    }
}
