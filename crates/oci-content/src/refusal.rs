//! How tests look at an error of a source: its variant, its message, and the way out if the error itself knows one.

use super::SourceError;

/// `VARIANT: MESSAGE`, and the way out on a second line.
pub(crate) fn shown(error: &SourceError) -> String {
    format!("{}: {}", variant(error), message_and_help(error))
}

/// The message, and the way out on a second line.
pub(crate) fn message_and_help(error: &SourceError) -> String {
    assert!(error.help().is_none_or(|help| !help.is_empty()), "no way out of: {error}");
    format!("{error}\n{}", error.help().unwrap_or_default())
}

/// The name of the variant.
pub(crate) fn variant(error: &SourceError) -> String {
    let debug = format!("{error:?}");
    debug.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}
