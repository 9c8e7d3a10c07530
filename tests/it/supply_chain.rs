//! Everything that others run for this project is pinned: actions by commit, dependencies by the lock file.

use std::path::{Path, PathBuf};

/// The files with workflows or commands: the documentation, workflows, examples and scripts.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = [".github", ".ci", "docs", "examples", "benches", "packaging", "scripts"]
        .map(|it| root.join(it))
        .into();
    let mut files: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "action.yml"].map(|it| root.join(it)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn actions_are_named_by_commit_and_cargo_takes_the_lock_file() {
    let mut wrong = Vec::new();
    let (mut actions, mut commands) = (0, 0);
    for file in files() {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for line in text.lines() {
            let action = line.trim().trim_start_matches("- ").strip_prefix("uses: ").unwrap_or_default();
            let action = action.split_whitespace().next().unwrap_or_default();
            if let Some((_, version)) = action.split_once('@') {
                actions += 1;
                if version.len() != 40 || !version.bytes().all(|it| it.is_ascii_hexdigit()) {
                    wrong.push(format!("{}: {line}", file.display()));
                }
            }
            for command in ["cargo build ", "cargo install ", "cargo run ", "cargo test ", "cargo fetch "] {
                let Some((_, rest)) = line.split_once(command) else { continue };
                if rest.starts_with(['-', '"']) {
                    commands += 1;
                    if !rest.contains("--locked") {
                        wrong.push(format!("{}: {line}", file.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(actions > 40 && commands > 10, "{actions} actions, {commands} commands");
}

#[test]
fn new_versions_and_advisories_are_looked_for_on_a_schedule() {
    let read = |name: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".github").join(name))
            .expect("a file")
    };
    let updates = read("dependabot.yml");
    assert!(
        updates.contains("package-ecosystem: cargo") && updates.contains("package-ecosystem: github-actions")
    );
    let advisories = read("workflows/advisories.yml");
    assert!(advisories.contains("- cron:") && advisories.contains(".ci/deny"));
    assert!(read("workflows/release.yml").contains("attest-build-provenance"));
}
