//! Diagnostics as `JUnit` XML, which most CIs show as the result of tests: a test case for each file that was checked.

use std::fmt::Write;

use super::code_quality::described;
use super::repository_path::repository_path;
use crate::diagnostic::Diagnostic;
use crate::report::clean;

/// Returns the report of a check of `files`. A file with an error has failed, once for each error, and warnings are its output.
pub fn junit(diagnostics: &[Diagnostic], files: &[String]) -> String {
    let place = |diagnostic: &Diagnostic| {
        let label = diagnostic.labels.iter().find(|label| label.place.source.file.is_some())?;
        Some((repository_path(&label.place.source), label.place.position().0))
    };
    let mut cases: Vec<(String, Vec<&Diagnostic>)> =
        files.iter().map(|file| (file.clone(), Vec::new())).collect();
    for diagnostic in diagnostics {
        // A diagnostic of no file, such as one about a variable, belongs to the first.
        let path = place(diagnostic).map(|(path, _)| path);
        let path = path.or_else(|| files.first().cloned()).unwrap_or_else(|| "publish.toml".to_owned());
        match cases.iter_mut().find(|(file, _)| *file == path) {
            Some((_, found)) => found.push(diagnostic),
            None => cases.push((path, vec![diagnostic])),
        }
    }
    let failed = cases.iter().filter(|(_, found)| found.iter().any(|it| it.is_error())).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\"", cases.len());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"brokkr-publish lint\" {counts}>\n"
    );
    for (file, found) in cases {
        let name = escaped(&file);
        let _infallible = writeln!(
            text,
            "    <testcase classname=\"brokkr-publish.lint\" name=\"{name}\" file=\"{name}\">"
        );
        let (errors, warnings): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
            found.into_iter().partition(|it| it.is_error());
        let line = |it: &Diagnostic| {
            let at = place(it).map(|(path, line)| format!("{path}:{line}: ")).unwrap_or_default();
            escaped(&format!("{at}{}", described(it)))
        };
        // Readers show one failure for a test case, so it has all errors.
        if let Some(first) = errors.first() {
            let all: Vec<String> = errors.iter().map(|it| line(it)).collect();
            let _infallible = writeln!(
                text,
                "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                escaped(&first.code.to_string()),
                escaped(&first.message).replace('\n', "&#10;"),
                all.join("\n\n")
            );
        }
        if !warnings.is_empty() {
            let all: Vec<String> = warnings.iter().map(|it| line(it)).collect();
            let _infallible = writeln!(text, "      <system-out>{}</system-out>", all.join("\n\n"));
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// Returns `text` for XML, without characters that XML 1.0 does not have.
fn escaped(text: &str) -> String {
    let text = clean::message(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
