//! The documentation as a book: the summary lists every page, the README is short and its commands work, and each error is found by
//! its message.

use std::fs;
use std::path::Path;

use testkit::command::Folder;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page below `docs`, by its path in it.
fn pages() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join("docs").join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(format!("{name}/"));
            } else if Path::new(&name).extension().is_some_and(|it| it == "md") && name != "SUMMARY.md" {
                found.push(name);
            }
        }
    }
    found
}

#[test]
fn the_summary_lists_every_page_once_and_no_other() {
    let summary = read("docs/SUMMARY.md");
    let links = regex::Regex::new(r"\]\(([^)]+)\)").expect("a pattern");
    let mut listed: Vec<String> = links.captures_iter(&summary).map(|it| it[1].to_owned()).collect();
    let mut pages = pages();
    listed.sort();
    pages.sort();
    assert_eq!(listed, pages);
    let book: toml::Table = read("docs/book.toml").parse().expect("TOML");
    assert_eq!(book["book"]["src"].as_str(), Some("."));
}

#[test]
fn every_error_is_in_the_troubleshooting() {
    let page = read("docs/troubleshooting.md");
    for name in pages().iter().filter(|name| name.starts_with("errors/") && *name != "errors/README.md") {
        assert!(page.contains(&format!("]({name})")), "docs/troubleshooting.md lacks {name}");
    }
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines < 150, "{lines} lines");
}

/// Returns the commands of the consoles of a page, each with the output that the page shows.
fn consoles(page: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            match (line.strip_prefix("$ brokkr-publish "), found.last_mut()) {
                (Some(command), _) => found.push((command.to_owned(), String::new())),
                (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
                (None, None) => {}
            }
        }
    }
    found
}

/// Returns the first whole configuration of a page.
fn configuration(page: &str) -> &str {
    page.split("```toml\n").nth(1).and_then(|text| text.split("```").next()).expect("a configuration")
}

#[test]
fn the_readme_and_the_tutorial_show_what_the_program_prints() {
    for name in ["README.md", "docs/tutorial.md"] {
        let page = read(name);
        let folder = Folder::with(&[("publish.toml", configuration(&page))]);
        folder.write("image.tar", fs::read(root().join("examples/quickstart/image.tar")).expect("an image"));
        let commands = consoles(&page);
        assert!(commands.len() >= 2, "{name}: {commands:?}");
        for (command, output) in commands {
            let done = folder.run(&command).done().expect_code(0);
            let printed = done.stderr() + &done.stdout();
            if command != "fmt" {
                assert_eq!(printed, output, "{name}: {command}");
            }
        }
    }
}

#[test]
fn the_tutorial_can_be_followed_to_its_end() {
    let page = read("docs/tutorial.md");
    let folder = Folder::with(&[("publish.toml", configuration(&page))]);
    folder.write("image.tar", fs::read(root().join("examples/quickstart/image.tar")).expect("an image"));
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3").done().expect_code(0);
    for block in page.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            let command = line.split(" > ").next().unwrap_or_default();
            let Some(command) = command.strip_prefix("brokkr-publish ") else { continue };
            // Nobody can be asked here.
            let auto = if command.starts_with("rollback") { " --auto-approve" } else { "" };
            folder.run(&format!("{command}{auto}")).done().expect_code(0);
        }
    }
    assert!(folder.path.join("plan.json").is_file() && folder.path.join("record.json").is_file());
}
