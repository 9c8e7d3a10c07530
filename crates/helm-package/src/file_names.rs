//! Names of files in charts: the names that Helm refuses, or would read as other names, and the order of files.

use std::cmp::Ordering;

/// Returns the reason why a file of a chart cannot have this name; `name` is relative to the chart.
pub(crate) fn refusal(name: &str) -> Option<&'static str> {
    let drive =
        |name: &str| matches!(name.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    if name.is_empty() {
        Some("has no name")
    } else if name.starts_with('/') {
        Some("has an absolute path")
    } else if name.contains('\\') {
        Some("has a backslash in its name, which Helm treats as a path separator")
    } else if name.contains('\0') {
        Some("has a NUL in its name")
    } else if drive(name) {
        Some("has a name that starts with a Windows drive")
    } else if name.split('/').any(|part| part == "..") {
        Some("has `..` in its path")
    } else if name.len() > 1024 {
        Some("has a name longer than 1,024 bytes")
    } else {
        None
    }
}

/// Compares names in the order in which Helm walks files: those of a directory are sorted, and each directory is in its place.
pub(crate) fn walk_order(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}
