//! Names of files in charts: which Helm refuses, and which it would read as others.

use std::cmp::Ordering;

/// Why a file of a chart cannot have this name; `name` is relative to the chart.
pub(super) fn refused(name: &str) -> Option<&'static str> {
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

/// The order in which Helm walks files: those of a directory sorted, each directory in its place.
pub(super) fn in_order(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}
