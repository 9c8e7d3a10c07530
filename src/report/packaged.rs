//! The files that `package` wrote, as text for people and as JSON.

use serde_json::json;

use super::size::size;
use super::{Style, clean};
use crate::model::packaged::PackagedFile;

/// Returns the files as text for people: path, size, and SHA-256.
pub fn human(files: &[PackagedFile], style: Style) -> String {
    let wide = files.iter().map(|file| file.path.chars().count()).max().unwrap_or_default();
    let lines = files.iter().map(|file| {
        let path = clean::line(&file.path);
        format!("{path:wide$}  {:>10}  sha256:{}\n", size(file.size), file.sha256)
    });
    let text: String = lines.collect();
    style.plain(if text.is_empty() { "Nothing to package.\n".to_owned() } else { text })
}

/// Returns one JSON document: `{"format_version": 1, "files": [{"resource", "path", "size", "sha256", "digest"}]}`.
pub fn json(files: &[PackagedFile]) -> String {
    clean::json(&format!("{:#}\n", json!({ "format_version": 1, "files": files })))
}
