//! The values of lockstep checks, as text for people and as JSON.

use serde_json::json;

use super::{Style, clean, diagnostics};
use crate::diagnostic::Diagnostic;
use crate::model::AgreeingValue;

/// The result of `check`.
pub struct CheckedValues<'a> {
    /// One line about the context.
    pub title: &'a str,
    /// The values that are as expected.
    pub agreeing: &'a [AgreeingValue],
    /// The number of checks that do not apply.
    pub silent: usize,
    /// Everything that is wrong.
    pub diagnostics: &'a [Diagnostic],
}

/// Returns one JSON document: `{"format_version": 1, "agreeing": [{"file", "key", "value"}], "not_applying": 0, "diagnostics": [...]}`,
/// with the diagnostics of `lint --format json`.
pub fn json(checked: &CheckedValues<'_>) -> String {
    let document = json!({
        "format_version": 1,
        "agreeing": checked.agreeing,
        "not_applying": checked.silent,
        "diagnostics": checked.diagnostics.iter().map(diagnostics::member).collect::<Vec<_>>(),
    });
    clean::json(&format!("{document:#}\n"))
}

/// Returns the values as text for people.
pub fn human(checked: &CheckedValues<'_>, style: Style) -> String {
    let mut text = String::new();
    let wide = checked.agreeing.iter().map(|it| it.file.chars().count()).max().unwrap_or_default();
    for AgreeingValue { file, key, value } in checked.agreeing {
        text.push_str(&format!("  = {:wide$}  {} is {value}\n", clean::line(file), clean::line(key)));
    }
    let count = |count: usize| format!("{count} {}", if count == 1 { "check" } else { "checks" });
    let silent = match checked.silent {
        0 => String::new(),
        1 => "; 1 check does not apply".to_owned(),
        several => format!("; {} do not apply", count(several)),
    };
    let title = clean::line(checked.title);
    text.push_str(&match (checked.agreeing.len(), checked.diagnostics.iter().any(Diagnostic::is_error)) {
        (0, true) => format!("No value agrees on {title}{silent}.\n"),
        (0, false) => format!("No check applies on {title}{silent}.\n"),
        (1, _) => format!("1 value agrees on {title}{silent}.\n"),
        (agreeing, _) => format!("{agreeing} values agree on {title}{silent}.\n"),
    });
    style.plain(text)
}
