//! The values of charts that a plan sets.

use super::Style;
use super::clean;
use super::paint::Ink;
use super::rows::TableRow;
use crate::model::plan::PlannedRepository;

/// Returns a row for each value that is set in a chart that is to be published: before and after.
pub(super) fn rows(repository: &PlannedRepository, style: Style) -> Vec<TableRow> {
    if !repository.changes.iter().any(|change| change.action.is_change()) {
        return Vec::new();
    }
    let values = repository.content.iter().flat_map(|content| &content.values);
    values
        .map(|value| {
            let (before, after) = (value.before.as_deref(), clean::line(&value.after));
            let (ink, sign, shown) = match before {
                Some(before) if before == value.after => (Ink::Kept, '=', quoted(&after)),
                None => (Ink::Created, '+', quoted(&after)),
                Some(before) => {
                    let shown =
                        format!("{} {} {}", quoted(&clean::line(before)), style.arrow(), quoted(&after));
                    (Ink::Moved, '~', shown)
                }
            };
            TableRow {
                ink,
                sign,
                name: clean::line(&value.path),
                value: shown,
                why: "in values.yaml".to_owned(),
            }
        })
        .collect()
}

/// Returns a text as it is shown; an empty one would not be seen.
fn quoted(text: &str) -> String {
    if text.is_empty() { "\"\"".to_owned() } else { text.to_owned() }
}
