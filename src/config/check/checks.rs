//! `[[checks]]` and keys into files. Templates are checked when they are rendered, and files when they are read.

use super::problems::Problems;
use crate::config::declared::DeclaredNames;
use crate::config::{DeclaredCheck, raw};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::KeyPath;

pub(super) fn check_lockstep(
    raw: Vec<raw::RawCheck>,
    declared: &DeclaredNames,
    problems: &mut Problems<'_>,
) -> Vec<DeclaredCheck> {
    let mut checks = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let position = index.to_string();
        let at = |key: &'static str| ["checks", position.as_str(), key];
        if let (Some(name), Some(known)) = (&raw.image, &declared.images) {
            problems.known_name(name, known, &at("image"), Code::ConfigUnknownImage);
        }
        let key = raw.key.and_then(|key| key_path(&key, &at("key"), problems));
        let (Some(file), Some(key), Some(equals)) = (raw.file, key, raw.equals) else { continue };
        let compare = raw.compare.unwrap_or_default();
        checks.push(DeclaredCheck { index, file, key, equals, compare, image: raw.image });
    }
    checks
}

/// Parses `text`, which is written at `path`, as a key path.
pub(super) fn key_path(text: &str, path: &[&str], problems: &mut Problems<'_>) -> Option<KeyPath> {
    let error = match text.parse::<KeyPath>() {
        Ok(key) => return Some(key),
        Err(error) => error,
    };
    let shown = text.escape_debug().to_string().replace("\\'", "'");
    let message = format!("`{shown}` is not a key: {}", error.message);
    let place = problems.places.inside(path, error.range).or_else(|| problems.places.value(path));
    let help = "separate keys with dots, as in `workspace.package.version`; quote a key that contains a dot, as in `annotations.\"app.io/version\"`";
    problems.report(Diagnostic::error(Code::ConfigValue, message).at_maybe(place, "here").help(help));
    None
}
