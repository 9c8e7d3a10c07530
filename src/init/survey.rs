//! Finds the files of a repository that show what to publish, and reads what their content says. The list of files comes from
//! git, or from a walk with limits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::names::called_for;
use super::project::{FoundChart, FoundVersion, LeftOutFile, ProjectSurvey, UnfitBranch};
use super::publishing_files::is_publishing_file;
use super::remote::project;

/// The most bytes that are read of a file that may contain a name or a version.
const MAX_SIZE: u64 = 1024 * 1024;
/// The most entries that a walk looks at.
const MAX_ENTRIES: usize = 50_000;
/// The most files that are read for what they publish.
const MAX_TEXTS: usize = 500;
/// The greatest depth of a walk.
const MAX_DEPTH: usize = 8;

/// The facts from git.
#[derive(Debug, Clone, Default)]
pub struct GitFacts {
    /// The files that git tracks or would track, and that are candidates by [`is_candidate`]. `None` outside of a repository.
    pub files: Option<Vec<String>>,
    /// The address of the remote.
    pub remote: Option<String>,
    /// The branch whose pushes publish.
    pub branch: Option<String>,
    /// The git tags, the newest first.
    pub tags: Vec<String>,
}

/// Whether a file of this name is of interest.
pub fn is_candidate(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name == "Chart.yaml" || called_for(name).is_some() || is_publishing_file(file)
}

/// The files below `folder` that are candidates by [`is_candidate`], for use without git. The walk follows no links, skips
/// hidden folders and those of builds, and has limits.
pub fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.to_owned(), String::new(), 0)];
    let mut entries = 0;
    while let Some((folder, prefix, depth)) = waiting.pop() {
        let Ok(listed) = std::fs::read_dir(&folder) else { continue };
        for entry in listed.flatten() {
            entries += 1;
            if entries > MAX_ENTRIES {
                return found;
            }
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            let file = format!("{prefix}{name}");
            let is_ci = matches!(name.as_str(), ".github" | ".gitea" | ".forgejo");
            let skipped = name.starts_with('.') && !is_ci
                || matches!(name.as_str(), "node_modules" | "target" | "vendor");
            if kind.is_dir() && depth < MAX_DEPTH && !skipped {
                waiting.push((entry.path(), format!("{file}/"), depth + 1));
            } else if kind.is_file() && is_candidate(&file) {
                found.push(file);
            }
        }
    }
    found
}

/// Surveys the files in `folder`.
pub fn survey(folder: &Path, surroundings: GitFacts) -> ProjectSurvey {
    let GitFacts { files, remote, branch, tags } = surroundings;
    let default_branch = branch.clone().filter(|it| is_plain(it));
    let mut files = files.unwrap_or_else(|| walk(folder));
    files.sort_unstable();
    files.dedup();
    let named = folder.file_name().and_then(|name| name.to_str()).and_then(super::names::slug);
    let (branch, unfit_branch) = match branch.map(|branch| (unfit(&branch), branch)) {
        None => (None, None),
        Some((None, branch)) => (Some(branch), None),
        Some((Some(why), branch)) => {
            let name = if is_plain(&branch) { branch } else { branch.escape_default().to_string() };
            (None, Some(UnfitBranch { name, why }))
        }
    };
    let mut found = ProjectSurvey {
        project: project(remote.as_deref()).or(named).unwrap_or_else(|| "app".to_owned()),
        remote,
        branch,
        unfit_branch,
        default_branch,
        git_tags: tags,
        version: version(folder),
        ..ProjectSurvey::default()
    };
    for file in files {
        let is_file = std::fs::symlink_metadata(folder.join(&file)).is_ok_and(|it| it.is_file());
        if !is_plain(&file) {
            found.left_out.push(LeftOutFile {
                file,
                why: "its name has characters that do not belong in a text file".to_owned(),
            });
        } else if !is_file {
            // The file is tracked but was removed, or it is a link, whose target is found by itself.
        } else if file.rsplit('/').next() == Some("Chart.yaml") {
            chart(folder, &file, &mut found);
        } else if is_publishing_file(&file) {
            if let Some(text) = text_of(&folder.join(&file)).filter(|_| found.texts.len() < MAX_TEXTS) {
                found.texts.insert(file, text);
            }
        } else {
            found.dockerfiles.push(file);
        }
    }
    found
}

/// Whether `text` can be written into a comment and a message unchanged.
fn is_plain(text: &str) -> bool {
    !text.chars().any(is_odd) && text.len() <= 1000
}

/// Whether a character hides what a text says, or breaks its line.
pub(super) fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

/// The reason why `branch` cannot be a glob that matches only itself, or why its tag could be that of another rule in the first
/// file.
fn unfit(branch: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    if !branch.starts_with(|c: char| c.is_ascii_alphanumeric()) || !branch.chars().all(plain) {
        return Some("its name has characters with a special meaning in `match`".to_owned());
    }
    // This is the result of the filter `slug` for these characters, except for runs of `-`, which do not matter here.
    let slug = branch.to_ascii_lowercase().replace('/', "-");
    let slug = slug.trim_end_matches(['-', '.']);
    let version = slug.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let taken =
        slug == "latest" || version || ["pr-", "sha-"].into_iter().any(|start| slug.starts_with(start));
    taken.then(|| format!("its tag `{slug}` could be that of another rule"))
}

fn chart(folder: &Path, file: &str, found: &mut ProjectSurvey) {
    let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory).to_owned();
    let inside = |other: &FoundChart| {
        other.directory == "." || directory.starts_with(&format!("{}/", other.directory))
    };
    if found.charts.iter().any(inside) {
        // A dependency that is vendored in a chart is published with it.
        return;
    }
    let text = text_of(&folder.join(file)).unwrap_or_default();
    let is_template = directory.contains(['{', ':'])
        || Path::new(&directory).extension().is_some_and(|it| it.eq_ignore_ascii_case("tgz"));
    let mut leave =
        |why: &str| found.left_out.push(LeftOutFile { file: directory.clone(), why: why.to_owned() });
    if is_template {
        return leave("its name has a special meaning in `source`");
    }
    if scalar(&text, "type").as_deref() == Some("library") {
        return leave("it is a library for other charts");
    }
    match scalar(&text, "name") {
        Some(name) => {
            let images = super::chart_images::named(folder, &directory);
            found.charts.push(FoundChart { directory, name, images });
        }
        None => leave("its `Chart.yaml` has no name"),
    }
}

/// The value of a key at the start of a line of YAML, if it is a plain word, quoted or not. The `name` and `type` of a chart
/// cannot be anything else. `lint` reports everything else that is wrong with a chart.
fn scalar(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'))?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let value = quoted.unwrap_or(value);
    (!value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)))
        .then(|| value.to_owned())
}

/// The text of a regular file that has at most [`MAX_SIZE`] bytes.
fn text_of(path: &Path) -> Option<String> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let read = File::open(path).ok()?.take(MAX_SIZE + 1).read_to_end(&mut bytes).ok()?;
    if read as u64 > MAX_SIZE { None } else { String::from_utf8(bytes).ok() }
}

/// The version of the project, with its file and its key.
fn version(folder: &Path) -> Option<FoundVersion> {
    for (file, keys) in [
        ("Cargo.toml", ["workspace.package.version", "package.version"]),
        ("pyproject.toml", ["project.version", "tool.poetry.version"]),
        ("package.json", ["version", "version"]),
    ] {
        let Some(text) = text_of(&folder.join(file)) else { continue };
        let document: Option<serde_json::Value> = if file == "package.json" {
            serde_json::from_str(&text).ok()
        } else {
            toml::from_str(&text).ok()
        };
        for key in keys {
            let found = document.as_ref().and_then(|it| it.pointer(&format!("/{}", key.replace('.', "/"))));
            // `0.0.0` is a placeholder in projects whose releases set the version, and never agrees with a tag.
            let version = found
                .and_then(serde_json::Value::as_str)
                .filter(|it| *it != "0.0.0" && it.parse::<semver::Version>().is_ok());
            if let Some(version) = version {
                return Some(FoundVersion { file, key, version: version.to_owned() });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_whose_tag_could_be_that_of_another_rule_are_unfit() {
        for branch in
            ["main", "Main", "develop", "release/next", "latest-dev", "vnext", "v/2", "shared", "x/v2"]
        {
            assert_eq!(unfit(branch), None, "{branch}");
        }
        for branch in [
            "latest", "Latest", "LATEST-", "v2", "V2", "v2-dev", "sha-x", "Sha-x", "sha/x", "pr-1", "PR/1",
            "-x", "", "a*", "ä", "a{b}", "a\u{1b}",
        ] {
            assert!(unfit(branch).is_some(), "{branch}");
        }
    }

    #[test]
    fn names_of_charts_are_read_if_they_are_plain() {
        for (text, expected) in [
            ("apiVersion: v2\nname: web\n", Some("web")),
            ("name:   'web' # the one\n", Some("web")),
            ("name : \"web\"\r\n", Some("web")),
            ("  name: nested\n", None),
            ("names: x\n", None),
            ("name: {{ .Values }}\n", None),
            ("name: \"a\\u001b\"\n", None),
            ("", None),
        ] {
            assert_eq!(scalar(text, "name").as_deref(), expected, "{text:?}");
        }
    }
}
