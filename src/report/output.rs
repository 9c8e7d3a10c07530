//! Writing to standard output and standard error, and questions to the person at the terminal.

use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::{Style, clean};

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// If the stream is a terminal, unless `NO_COLOR` or `CLICOLOR_FORCE` say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl OutputStream {
    /// Whether the stream is a terminal.
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

    /// Returns what the stream can show.
    pub fn style(self, color: Color) -> Style {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            // See no-color.org, which says that any value counts, including `0`; and bixense.com/clicolors.
            Color::Auto if set("NO_COLOR").is_some() => false,
            Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Color::Auto => self.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        // A locale that is not UTF-8 is believed. Containers often have no locale, and can still show Unicode.
        let unicode = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8")
                || locale.contains("utf8")
                || !(locale == "c" || locale == "posix" || locale.contains("8859"))
        });
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        // A pipe or a file has no width: lines of a table are as long as they need to be.
        let limit = columns.filter(|columns| *columns > 0).or_else(|| terminal_width(self));
        Style { color, unicode, width: limit.unwrap_or(100), limit, verbose: false }
    }
}

/// The output of a run. All clones are one output: they share the first failure.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// The first error while writing.
    failure: Arc<OnceLock<String>>,
}

impl Output {
    /// Returns why something could not be written, for example because the disk is full. The reader then did not get everything.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Writes `text` for people or programs to standard output.
    pub fn out(&self, text: &str) {
        self.write(OutputStream::Out, text);
    }

    /// Writes `text`, which is a file, to standard output: unchanged, unless a terminal shows it.
    pub fn document(&self, text: &str) {
        if OutputStream::Out.is_terminal() {
            self.out(text);
        } else {
            self.write_commands(OutputStream::Out, text);
        }
    }

    /// Writes `text` for people to standard error.
    pub fn err(&self, text: &str) {
        self.write(OutputStream::Err, text);
    }

    /// Writes `text`. For any content, only our own colours act on a terminal, and no line is a command of a CI. A reader that
    /// went away (`plan | head`) is not an error. The first other error is kept for [`Output::failure`].
    pub fn write(&self, stream: OutputStream, text: &str) {
        self.write_commands(stream, &clean::for_people(text));
    }

    /// Writes `text` that consists of commands of a CI, and is already clean.
    pub fn write_commands(&self, stream: OutputStream, text: &str) {
        let result = match stream {
            OutputStream::Out => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
            OutputStream::Err => std::io::stderr().lock().write_all(text.as_bytes()),
        };
        if let Err(error) = result
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.failure.get_or_init(|| format!("{} cannot be written to: {error}", stream.name()));
        }
    }

    /// Appends `text`, which is already clean, to a file that a CI reads after the step. Like output, it fails the run if it cannot be
    /// written.
    pub fn append(&self, file: &Path, text: &str) {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
        if let Err(error) = opened.and_then(|mut file| file.write_all(text.as_bytes())) {
            let file = clean::line(&file.display().to_string());
            self.failure.get_or_init(|| format!("`{file}` cannot be written to: {error}"));
        }
    }

    /// Asks `question` on standard error, and shows nothing of the answer. Returns the answer, or `None` if nobody can be asked.
    pub fn ask_secretly(&self, question: &str) -> Option<String> {
        if !can_ask() {
            return None;
        }
        self.err(question);
        secret().ok().map(|answer| answer.trim().to_owned())
    }

    /// Asks `question` on standard error. Returns the answer, or `None` if nobody can be asked.
    pub fn ask(&self, question: &str) -> Option<String> {
        if !can_ask() {
            return None;
        }
        self.err(question);
        let mut answer = String::new();
        match std::io::stdin().lock().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer.trim().to_owned()),
        }
    }
}

/// A terminal that shows nothing of what is typed.
fn secret() -> std::io::Result<String> {
    console::Term::stderr().read_secure_line()
}

/// Standard error for a log that something else writes. Each piece is cleaned like text for people.
#[derive(Debug)]
pub struct Log(pub Output);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.err(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn terminal_width(stream: OutputStream) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let (_, columns) = match stream {
        OutputStream::Out => indicatif_terminal(false)?,
        OutputStream::Err => indicatif_terminal(true)?,
    };
    Some(usize::from(columns))
}

fn indicatif_terminal(err: bool) -> Option<(u16, u16)> {
    let terminal = if err { console::Term::stderr() } else { console::Term::stdout() };
    terminal.size_checked()
}

/// Whether somebody can be asked.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}
