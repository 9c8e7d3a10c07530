//! Diagnostics report what went wrong, where, and what to do: [`Diagnostic`], and the [`Code`]s it can carry.
//!
//! Other modules have typed errors of their own; at the edge each becomes a `Diagnostic`. Nothing here prints.

mod catalogue;
mod planned;
mod source_text;

use std::fmt;

pub use catalogue::Code;
pub use planned::left_out;
pub use source_text::{Location, SourceText};

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something the reader should know; it does not stop the command.
    Warning,
    /// A problem that keeps the command from doing what was asked.
    Error,
}

impl Severity {
    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A text that points at a place in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub place: Location,
    /// The text; may be empty.
    pub text: String,
}

/// One problem: code, message, places, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem; `explain` has a page about it.
    pub code: Code,
    /// How serious it is.
    pub severity: Severity,
    /// A message that says what happened, in lower case, with values in backticks.
    pub message: String,
    /// The places of the problem; the first is the main one.
    pub labels: Vec<Label>,
    /// A text that says what to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Returns an error without a place or help.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Returns a warning without a place or help.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a label.
    #[must_use]
    pub fn at(mut self, place: Location, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// Adds a label if there is a place.
    #[must_use]
    pub fn at_maybe(self, place: Option<Location>, text: impl Into<String>) -> Self {
        match place {
            Some(place) => self.at(place, text),
            None => self,
        }
    }

    /// Puts the thing that the diagnostic is about in front of its message: `ghcr.io/acme/app: cannot …`.
    #[must_use]
    pub fn about(mut self, subject: impl fmt::Display) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the help if there is one.
    #[must_use]
    pub fn help_maybe(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Whether the diagnostic stops the command.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// An error that becomes a [`Diagnostic`] when it is shown.
pub trait ToDiagnostic {
    /// Returns the diagnostic of this error: code, message, place and help.
    fn to_diagnostic(&self) -> Diagnostic;
}
