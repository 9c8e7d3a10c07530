//! The files of a directory that are part of the chart in it, for tools that list the files in another way.

use std::fs;
use std::path::Path;

use crate::directory::HELMIGNORE;
use crate::ignore::HelmIgnore;

/// Returns those of `files` that `.helmignore` does not leave out of the chart in the directory `root`. Their names are relative to
/// `root`, with `/` as separator. Returns all of them if `.helmignore` cannot be read; opening the chart reports that.
pub fn part_of_chart<'f>(root: &Path, files: &'f [String]) -> Vec<&'f str> {
    let text = fs::read_to_string(root.join(HELMIGNORE)).unwrap_or_default();
    let Ok(rules) = HelmIgnore::parse(&text) else { return files.iter().map(String::as_str).collect() };
    let is_part = |file: &&str| {
        // A rule that leaves a directory out leaves out everything in it.
        let above = file.match_indices('/').map(|(at, _)| &file[..at]);
        let hides = |path: &str, is_directory| rules.hiding_rule(path, is_directory).is_some();
        !hides(file, false) && !above.into_iter().any(|folder| hides(folder, true))
    };
    files.iter().map(String::as_str).filter(is_part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_helmignore_names_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(HELMIGNORE), "*.bak\nci/\n").expect("written");
        let files = ["values.yaml", "values.yaml.bak", "ci/a/values.yaml", "templates/.x", "templates/x.bak"];
        let files = files.map(str::to_owned);
        assert_eq!(part_of_chart(folder.path(), &files), ["values.yaml"]);
        assert_eq!(part_of_chart(&folder.path().join("none"), &files).len(), 4);
    }
}
