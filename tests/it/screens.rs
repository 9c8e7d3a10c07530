//! Screens of three widths: nothing is wider than the terminal, what is in place is folded, and the same cause is shown once.

use std::fmt::Write as _;

use insta::assert_snapshot;
use testkit::command::{EndedRun, Folder};
use testkit::test_registry::{TestRegistry, TestRegistryOptions};
use testkit::world::image;

const WIDTHS: [usize; 3] = [60, 80, 120];

const TAG: &str = "--ref refs/tags/v1.2.3-rc.1";

/// Five tags for each image, some of them long.
const RULES: &str = r#"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.bare]
on = "tag"
template = "{{ version }}"
[tags.long]
on = "tag"
template = "release-of-the-integration-environment-{{ version }}"
[tags.nightly]
on = "tag"
template = "nightly-{{ version }}"
[tags.edge]
on = "tag"
template = "edge"
mutability = "mutable"
"#;

fn config(images: &[String], source: &str, registry: &str) -> String {
    let mut text = format!("version = 1\n\n[registries.bundle]\nurl = \"{registry}\"\n{RULES}");
    for image in images {
        write!(text, "\n[images.{image}]\nsource = \"oci:{source}\"\n").expect("a text");
    }
    text
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|it| format!("integration-environment-service-{it:02}")).collect()
}

fn folder(images: &[String]) -> Folder {
    let folder = Folder::with(&[("publish.toml", &config(images, "one", "oci:registry"))]);
    folder.image("one", &image("one"));
    folder.image("two", &image("two"));
    folder
}

/// A word that is copied whole may be wider than the screen.
fn is_whole(line: &str) -> bool {
    let word = line.split_whitespace().last().unwrap_or_default();
    word.contains("://") || word.split_once("sha256:").is_some_and(|(_, digits)| digits.len() >= 64)
}

/// Runs a command at each width, and returns what it prints. Asserts that no line is too wide.
#[track_caller]
fn screens(folder: &Folder, arguments: &str) -> String {
    let mut all = String::new();
    for width in WIDTHS {
        let done = folder.run(arguments).env("COLUMNS", width.to_string()).done();
        fits(&done, width, arguments);
        writeln!(all, "{width} columns\n{}", steady(&done)).expect("a text");
    }
    all
}

#[track_caller]
fn fits(done: &EndedRun, width: usize, what: &str) {
    for line in (done.stdout() + &done.stderr()).lines() {
        let columns = line.chars().count();
        assert!(columns <= width || is_whole(line), "{what}: {columns} of {width} columns: {line}");
    }
}

fn steady(done: &EndedRun) -> String {
    let digests = regex::Regex::new("sha256:[0-9a-f]{12}").expect("a pattern");
    let ports = regex::Regex::new("(127.0.0.1|localhost):[0-9]{5}").expect("a pattern");
    let text = digests.replace_all(&done.shown(), "sha256:DIGESTDIGEST").into_owned();
    ports.replace_all(&text, "$1:PPPPP").into_owned()
}

#[test]
fn a_plan_with_new_tags() {
    assert_snapshot!(screens(&folder(&names(2)), &format!("plan {TAG}")));
}

#[test]
fn tags_in_place_are_one_line() {
    let folder = folder(&names(20));
    folder.run(&format!("apply --auto-approve {TAG}")).done().expect_code(0);
    let screen = screens(&folder, &format!("plan {TAG}"));
    assert_snapshot!(screen);
    let all = folder.run(&format!("plan -v {TAG}")).done().stdout();
    assert_eq!(all.lines().filter(|line| line.trim_start().starts_with('=')).count(), 100, "{all}");
    let again = folder.run(&format!("apply --auto-approve {TAG}")).done().expect_code(0);
    assert!(again.stdout().contains("    = 85 tags "), "{}", again.shown());
    assert!(again.stdout().lines().count() < 60, "{}", again.shown());
    // Machines get everything.
    let json = folder.run(&format!("plan --json {TAG}")).done().json();
    assert_eq!(json["repositories"].as_array().expect("repositories").len(), 20);
}

#[test]
fn a_conflict_of_twenty_images_is_one_screen() {
    let images = names(20);
    let folder = folder(&images);
    let rules = RULES.replace("mutability = \"mutable\"", "");
    let write = |source: &str| {
        folder.write("publish.toml", config(&images, source, "oci:registry").replace(RULES, &rules));
    };
    write("one");
    folder.run(&format!("apply --auto-approve {TAG}")).done().expect_code(0);
    write("two");
    assert_snapshot!(screens(&folder, &format!("plan {TAG}")));
    let applied =
        folder.run(&format!("apply --auto-approve {TAG}")).env("COLUMNS", "80").done().expect_code(1);
    fits(&applied, 80, "apply");
    assert!(applied.stdout().lines().count() <= 40, "{}", applied.shown());
    assert!(applied.stderr().lines().count() <= 24, "{}", applied.shown());
    let all = folder.run(&format!("apply -v --auto-approve {TAG}")).wide().done().stderr();
    assert_eq!(all.matches("is immutable and names").count(), 100, "{all}");
}

#[test]
fn findings_of_lint() {
    let images = names(20);
    let folder = folder(&images);
    let config = config(&images, "nowhere", "oci:registry");
    folder.write(
        "publish.toml",
        config.clone()
            + "tags = [\"version\", \"bare\", \"long\", \"nightly\", \"edge\", \"a-rule-that-nobody-has-declared-in-this-file\"]\n",
    );
    assert_snapshot!("lint", screens(&folder, "lint"));
    folder.write("publish.toml", config);
    assert_snapshot!("missing_sources", screens(&folder, &format!("plan {TAG}")));
}

#[test]
fn every_error_of_a_spoiled_configuration_fits() {
    let folder = folder(&names(1));
    let config = folder.read("publish.toml");
    let long = "a-value-that-is-much-too-long-for-any-terminal-".repeat(4);
    for spoiled in [
        config.replace("oci:one", &format!("{long}:one")),
        config.replace("\"v{{ version }}\"", &format!("\"{{{{ version | {} }}}}\"", "x".repeat(50))),
        config.replace("\"v{{ version }}\"", &format!("\"{long} {{{{ versoin }}}} {long}\"")),
        config.replace("mutability = \"mutable\"", "mutability = \"mutable\" # comment\nmutabillity = 7"),
        config.replace("oci:registry", &format!("https://{}.example.com/ACME", "x".repeat(60))),
        config.replace("on = \"tag\"", &format!("on = [\"tag\", \"{long}\"]")),
        format!("{config}[profile.{long}]\nx = 1\n"),
        format!("{config}this is no TOML {long}\n"),
    ] {
        folder.write("publish.toml", &spoiled);
        for width in WIDTHS {
            let done = folder.run("lint").env("COLUMNS", width.to_string()).done().expect_code(1);
            fits(&done, width, "lint");
        }
    }
}

#[test]
fn verification() {
    let images = names(8);
    let folder = folder(&images);
    folder.run(&format!("apply --auto-approve {TAG}")).done().expect_code(0);
    assert_snapshot!(screens(&folder, "verify"));
}

#[tokio::test(flavor = "multi_thread")]
async fn access() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = folder(&names(2));
    folder.write("publish.toml", config(&names(2), "one", &format!("{}/acme", registry.host())));
    assert_snapshot!(screens(&folder, "auth check"));
}
