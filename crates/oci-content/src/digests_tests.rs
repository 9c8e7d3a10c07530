//! Folders of digests.

use tempfile::TempDir;

use super::*;
use crate::refusal::variant;

fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for name in files {
        let path = folder.path().join("digests").join(name);
        if name.ends_with('/') || name.is_empty() {
            fs::create_dir_all(path).expect("made");
        } else {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
    }
    folder
}

fn read(folder: &TempDir, from: &str) -> Result<Vec<String>, SourceError> {
    let spec = DigestFolder { digests: "digests".to_owned(), from: from.parse().expect("a source") };
    pushed(&spec, folder.path()).map(|found| found.iter().map(ToString::to_string).collect())
}

#[test]
fn files_are_named_by_digest() {
    let (one, two, three) = ("1".repeat(64), "2".repeat(64), "3".repeat(64));
    let names =
        [three.as_str(), &format!("sha256:{one}"), &format!("linux-amd64/{two}"), &format!("x/{one}")];
    let found = read(&folder(&names), "docker://r.example/app").expect("read");
    assert_eq!(found, [one, two, three].map(|hex| format!("docker://r.example/app@sha256:{hex}")));
}

#[test]
fn other_files_are_refused_by_name() {
    let hex = "a".repeat(64);
    for (names, kind, words) in [
        (vec![".DS_Store"], "Unsupported", ".DS_Store"),
        (vec![hex.as_str(), "digest.txt"], "Unsupported", "digest.txt"),
        (vec![&hex[1..]], "Unsupported", &hex[1..]),
        (vec!["a/b/c"], "Unsupported", "a/b"),
        (vec!["a/README"], "Unsupported", "a/README"),
        (vec![hex.as_str(), "linux-amd64/"], "Platform", "linux-amd64` holds no digest"),
        (vec![""], "Platform", "digests` holds no digest"),
    ] {
        let upper = folder(&names);
        let error = read(&upper, "docker://r.example/app").expect_err(words);
        assert!(variant(&error) == kind && error.to_string().contains(words), "{names:?}: {error}");
        assert!(error.help().is_some_and(|help| help.contains("touch")));
    }
    let upper = folder(&[&"A".repeat(64)]);
    assert!(read(&upper, "docker://r.example/app").is_err());
    let error = read(&tempfile::tempdir().expect("a directory"), "docker://app").expect_err("nothing");
    assert_eq!(variant(&error), "Missing");
}

#[test]
fn a_folder_too_full_is_refused() {
    let names: Vec<String> = (0..=MAX_FILES).map(|number| format!("{number:064x}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = read(&folder(&names), "docker://r.example/app").expect_err("too many");
    assert!(error.to_string().contains("more than 1000 files"), "{error}");
}

#[test]
fn the_source_must_be_a_repository() {
    let hex = "1".repeat(64);
    let folder = folder(&[&hex]);
    for (from, example) in [
        ("docker://r.example/app:v1", "docker://r.example/app`"),
        (&format!("docker://r.example/app@sha256:{hex}"), "docker://r.example/app`"),
        ("oci:dist", "docker://ghcr.io/OWNER/NAME"),
    ] {
        let error = read(&folder, from).expect_err(from);
        assert!(error.to_string().contains(from), "{error}");
        assert!(error.help().is_some_and(|help| help.contains(example)), "{from}");
    }
}
