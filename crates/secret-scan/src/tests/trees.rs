//! The rules on real files that contain no secrets: Python's library, whose tests hold keys and URLs with passwords.
//! `benches/secrets_trees.sh` does the same with larger trees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Rules, SecretSeverity};

fn library_of_python() -> PathBuf {
    let script = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let output = Command::new("python3").args(["-c", script]).output().expect("python3");
    assert!(output.status.success(), "{output:?}");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim())
}

/// Collects the files below `folder`, except installed packages.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let kind = entry.file_type().expect("a type");
        let installed = ["site-packages", "dist-packages"].iter().any(|it| entry.file_name() == *it);
        if kind.is_dir() && !installed {
            files(&entry.path(), into);
        } else if kind.is_file() {
            into.push(entry.path());
        }
    }
}

#[test]
fn nothing_of_high_severity_is_in_the_library_of_python() {
    let library = library_of_python();
    let mut all = Vec::new();
    files(&library, &mut all);
    let (mut bytes, mut high) = (0, Vec::new());
    for file in &all {
        let contents = fs::read(file).expect("a file");
        bytes += contents.len();
        let path = format!("usr/lib/python3/{}", file.strip_prefix(&library).expect("a path").display());
        let mut search = Rules::standard().text_search(Some(&path));
        search.push(&contents);
        let found = search.finish().into_iter().chain(Rules::standard().search_file_name(&path));
        high.extend(
            found.filter(|it| it.severity == SecretSeverity::High).map(|it| format!("{path}: {it:?}")),
        );
    }
    assert!(
        all.len() > 500 && bytes > 5_000_000,
        "{} files of {bytes} bytes in {}",
        all.len(),
        library.display()
    );
    assert!(high.is_empty(), "{}", high.join("\n"));
}

/// `code-points-data-browser.js` of the package `saslprep`: half a megabyte of zeros in base64 is searched whole.
#[test]
fn a_text_of_zeros_in_base64_is_no_text_of_tokens() {
    let text = format!("const data = Buffer.from('{}', 'base64')", "AAAA".repeat(1 << 19));
    for (path, head) in [("app/data.js", ""), ("app/program", "\0")] {
        let mut search = Rules::standard().text_search(Some(path));
        search.push(format!("{head}{text}").as_bytes());
        assert_eq!(search.skipped(), 0, "{path}");
    }
}

/// `mlkem/generate1024.go` of Go's module `fips140`, which Go's own tree holds as an archive.
#[test]
fn names_of_fields_are_no_secrets_and_modules_of_go_are_packages() {
    let text = "var replacements = map[string]string{\n\t\"encryptionKey\": \"encryptionKey1024\",\n\t\"decryptionKey\": \"decryptionKey1024\",\n}\n";
    assert!(Rules::standard().search_bytes(Some("app/main.go"), text.as_bytes()).is_empty());
    let text = format!("apiKey := \"{}\"\n", super::made::Maker::new(4).alnum(40));
    let found = |path| !Rules::standard().search_bytes(Some(path), text.as_bytes()).is_empty();
    assert!(!found("go/lib/a.zip!/golang.org/fips140@v1.26.0/main.go"));
    assert!(found("app/someone@v/main.go") && found("app/at@value.1/main.go"));
}
