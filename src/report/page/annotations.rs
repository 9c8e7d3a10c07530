//! The rows of a page that need attention, as annotations of GitHub and as issues of GitLab's Code Quality report.

use serde_json::json;

use super::contents::{Page, PageRow};
use crate::report::clean;
use crate::report::diagnostics::{FoundIssue, code_quality_of, github_command};

/// Returns the rows with one of these signs, each with the name of its table.
fn rows<'p>(page: &'p Page, signs: &'p [char]) -> impl Iterator<Item = (&'p str, &'p PageRow)> {
    let rows = page.tables.iter().flat_map(|table| table.rows.iter().map(|row| (table.name.as_str(), row)));
    rows.filter(|(_, row)| signs.contains(&row.sign))
}

fn message(row: &PageRow) -> String {
    let cells = row.cells.iter().filter(|cell| !cell.is_empty()).map(String::as_str);
    cells.collect::<Vec<_>>().join("  ")
}

/// Returns a command of GitHub Actions for each row with one of these signs.
pub fn annotations(page: &Page, severity: &str, signs: &[char]) -> String {
    rows(page, signs)
        .map(|(table, row)| github_command(severity, &[("title", table)], &message(row)))
        .collect()
}

/// Returns a Code Quality report with an issue for each row with one of these signs. The rows belong to no line, so they are shown at
/// the beginning of `file`.
pub fn code_quality(page: &Page, check: &str, file: &str, signs: &[char]) -> String {
    let issues = rows(page, signs).map(|(table, row)| FoundIssue {
        check: check.to_owned(),
        severity: "major",
        description: format!("{table}: {}", message(row)),
        path: file.to_owned(),
        line: 1,
    });
    clean::json(&format!("{:#}\n", json!(code_quality_of(issues))))
}
