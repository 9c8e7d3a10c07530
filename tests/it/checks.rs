//! Lockstep checks as people see them: `plan` at a git tag, on a branch, in a monorepo, with files of every kind.

use insta::assert_snapshot;

use testkit::command::{EndedRun, Folder};
use testkit::image::{TestImage, TestLayer};

const START: &str = r#"version = 1

[registries.bundle]
url = "oci:registry"

[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.sha]
on = ["branch", "pull_request"]
template = "sha-{{ git.short_sha }}"

[images.app]
source = "oci:image"
"#;

const CARGO: &str =
    "\n[[checks]]\nfile = \"Cargo.toml\"\nkey = \"workspace.package.version\"\nequals = \"{{ version }}\"\n";

fn check(file: &str, key: &str, more: &str) -> String {
    format!("\n[[checks]]\nfile = \"{file}\"\nkey = '{key}'\n{more}\n")
}

/// A folder with an image, a configuration that ends with `checks`, and files.
fn folder(checks: &str, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(files);
    folder.write("publish.toml", format!("{START}{checks}"));
    TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 10)]).write(&folder.path.join("image"));
    folder
}

fn plan(folder: &Folder, reference: &str) -> EndedRun {
    let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    folder.run(&format!("plan --ref {reference} --sha {sha}")).wide().done()
}

const FILES: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n\n[workspace.package]\nversion = \"1.2.2\"\nedition = \"2024\"\n",
    ),
    ("ui/package.json", "{\n  \"name\": \"ui\",\n  \"version\": \"1.2.2\",\n  \"private\": true\n}\n"),
    (
        "charts/app/Chart.yaml",
        "apiVersion: v2\nname: app\nversion: 0.4.0\nappVersion: v1.2.2 # of the image\n",
    ),
];

#[test]
fn every_check_that_fails_is_told_at_once() {
    let checks = [
        CARGO.to_owned(),
        check("ui/package.json", "version", "equals = \"{{ version }}\""),
        check("charts/app/Chart.yaml", "appVersion", "equals = \"v{{ version }}\""),
    ]
    .concat();
    let folder = folder(&checks, &FILES);
    let done = plan(&folder, "refs/tags/v1.2.3").expect_code(1);
    assert_snapshot!(done.shown());
    assert!(!folder.path.join("registry").exists(), "nothing was published");
    assert_snapshot!("from_a_folder_below", applied_from_below(&folder).shown());
    let agreed = plan(&folder, "refs/tags/v1.2.2").expect_code(0);
    assert!(agreed.stdout().contains("+ v1.2.2"), "{}", agreed.shown());
}

/// An apply that is refused, run in a folder below.
fn applied_from_below(folder: &Folder) -> EndedRun {
    folder.write("below/file", "");
    let run = folder.run("apply --auto-approve --config ../publish.toml --ref refs/tags/v1.2.3");
    run.in_folder("below").wide().done().expect_code(1)
}

#[test]
fn what_is_wrong_with_a_source_is_told_beside_the_checks() {
    let folder = folder(CARGO, &FILES);
    std::fs::remove_dir_all(folder.path.join("image")).unwrap();
    let shown = plan(&folder, "refs/tags/v1.2.3").expect_code(1).shown();
    assert!(shown.contains("publish::source::missing"), "{shown}");
    assert!(shown.contains("publish::check::differs"), "{shown}");
}

#[test]
fn a_check_that_wants_a_version_is_silent_where_there_is_none() {
    let mut checks = check("Cargo.toml", "workspace.package.version", "equals = \"{{ version.major }}.9.9\"");
    checks.push_str(&check("missing.toml", "a", "equals = \"{{ git.tag }}\""));
    let folder = folder(&checks, &FILES);
    let _branch = plan(&folder, "refs/heads/main").expect_code(0);
    // A git tag that is no release has no version, but it is a git tag.
    let nightly = plan(&folder, "refs/tags/nightly").expect_code(1).shown();
    assert!(nightly.contains("`missing.toml`") && !nightly.contains("`Cargo.toml`"), "{nightly}");
    let pull_request = folder.run("plan --pr 7 --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c").done();
    let _silent = pull_request.expect_code(0);
    let release = plan(&folder, "refs/tags/v1.2.3").expect_code(1);
    assert_snapshot!(release.shown());
}

#[test]
fn a_check_applies_on_every_event_that_it_can_be_rendered_for() {
    let checks = check("Cargo.toml", "workspace.package.version", "equals = \"{{ vars.next }}\"");
    let folder = folder(&format!("\n[vars]\nnext = \"1.2.3\"\n{checks}"), &FILES);
    let done = plan(&folder, "refs/heads/main").expect_code(1);
    assert!(done.shown().contains("is `1.2.2`, but should be `1.2.3`"), "{}", done.shown());
    let run = folder.run("plan --ref refs/heads/main --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c");
    let _agreed = run.env("BROKKR_PUBLISH_VARS__NEXT", "\"1.2.2\"").done().expect_code(0);
}

#[test]
fn core_compares_versions_without_what_follows() {
    let checks = check("package.json", "version", "equals = \"{{ version }}\"\ncompare = \"core\"");
    let folder = folder(&checks, &[("package.json", "{\"version\": \"1.2.3-SNAPSHOT\"}\n")]);
    let _agreed = plan(&folder, "refs/tags/v1.2.3-rc.1").expect_code(0);
    let _agreed = plan(&folder, "refs/tags/v1.2.3").expect_code(0);
    assert_snapshot!("core_differs", plan(&folder, "refs/tags/v1.2.4-rc.1").expect_code(1).error());
    folder.write("package.json", "{\"version\": \"next\"}\n");
    assert_snapshot!("core_of_no_version", plan(&folder, "refs/tags/v1.2.3").expect_code(1).error());
}

#[test]
fn files_that_give_no_text() {
    let checks = [
        check("missing.toml", "a", "equals = \"x\""),
        check("missing.toml", "b", "equals = \"x\""),
        check("broken.json", "version", "equals = \"x\""),
        check("Chart.yaml", "appVersion", "equals = \"x\""),
        check("crate/Cargo.toml", "package.version", "equals = \"x\""),
        check("crate/Cargo.toml", "package.vresion", "equals = \"x\""),
        check("VERSION", "version", "equals = \"x\""),
    ]
    .concat();
    let files = [
        ("broken.json", "{\n  \"version\": 1.2.3\n}\n"),
        ("Chart.yaml", "name: app\nappVersion: 1.2\npassword: hunter2\n"),
        ("crate/Cargo.toml", "[package]\nname = \"x\"\nversion.workspace = true\n"),
        ("VERSION", "1.2.3\n"),
    ];
    let done = plan(&folder(&checks, &files), "refs/tags/v1.2.3").expect_code(1);
    assert!(!done.shown().contains("hunter2"), "{}", done.shown());
    assert_snapshot!(done.shown());
}

/// Two images that are released by tags of their own, and a check for each.
fn monorepo() -> Folder {
    let images = "tag_prefix = \"app/v\"\n\n[images.tool]\nsource = \"oci:image\"\ntag_prefix = \"tool/v\"\n";
    let checks = [
        check("app/Cargo.toml", "package.version", "equals = \"{{ version }}\"\nimage = \"app\""),
        check("tool/Cargo.toml", "package.version", "equals = \"{{ version }}\"\nimage = \"tool\""),
        check("names.yaml", "tool", "equals = \"{{ image.name }}\"\nimage = \"tool\""),
        check("Cargo.toml", "workspace.package.version", "equals = \"{{ version }}\""),
    ]
    .concat();
    let manifest = "[package]\nversion = \"1.0.0\"\n";
    let files = [("app/Cargo.toml", manifest), ("tool/Cargo.toml", manifest), ("names.yaml", "tool: tool\n")];
    folder(&format!("{images}{checks}"), &files)
}

#[test]
fn in_a_monorepo_each_image_has_its_version() {
    let folder = monorepo();
    // The file of the whole project is missing, but no tag starts with the project's prefix.
    let _agreed = plan(&folder, "refs/tags/app/v1.0.0").expect_code(0);
    let done = plan(&folder, "refs/tags/tool/v2.0.0").expect_code(1);
    assert_snapshot!(done.error());
    let shown = plan(&folder, "refs/tags/v1.0.0").expect_code(1).shown();
    assert!(shown.contains("there is no file `Cargo.toml`"), "{shown}");
}

#[test]
fn a_check_of_an_image_that_is_not_selected_does_not_count() {
    let checks =
        check("Cargo.toml", "workspace.package.version", "equals = \"{{ version }}\"\nimage = \"app\"");
    let folder = folder(&format!("\n[images.tool]\nsource = \"oci:image\"\n{checks}"), &FILES);
    for (target, code) in [("images.tool", 0), ("images.app@bundle:v1.2.3", 1)] {
        let run = folder.run(&format!("plan --ref refs/tags/v1.2.3 --target {target}"));
        let _done = run.done().expect_code(code);
    }
}

#[test]
fn a_saved_plan_is_applied_without_the_files() {
    let folder = folder(CARGO, &FILES);
    let _planned = folder.run("plan --ref refs/tags/v1.2.2 --out plan.json").done().expect_code(0);
    std::fs::remove_file(folder.path.join("Cargo.toml")).unwrap();
    let _applied = folder.run("apply plan.json").done().expect_code(0);
}

#[test]
fn a_profile_replaces_the_checks() {
    let folder = folder(&format!("{CARGO}\n[profile.local]\nchecks = []\n"), &FILES);
    let _refused = plan(&folder, "refs/tags/v1.2.3").expect_code(1);
    let run = folder.run("plan --profile local --ref refs/tags/v1.2.3");
    let _planned = run.done().expect_code(0);
}

#[test]
fn lint_finds_what_is_wrong_with_the_templates() {
    let checks = [
        check("none.toml", "a", "equals = \"{{ versoin }}\""),
        check("none.toml", "a", "equals = \"{{ image.name }}\""),
        check("none.toml", "a", "equals = \"v{{ version }}\"\ncompare = \"core\""),
        check("none.toml", "a", "equals = \"{{ git.branch | capture('release/(.+)', 1) }}\""),
        check("none.toml", "a", "equals = \"{{ version }}-{{ git.tag }}-{{ pr.number }}\""),
    ]
    .concat();
    let done = folder(&checks, &[]).run("lint").wide().done().expect_code(1);
    assert_snapshot!(done.shown());
    let right = [CARGO.to_owned(), check("none.yml", "a", "equals = \"{{ git.sha }}\"")].concat();
    let _right = folder(&right, &[]).run("lint").done().expect_code(0);
}

#[test]
fn a_variable_that_is_missing_here_is_an_error() {
    let folder = folder(&check("a.toml", "a", "equals = \"{{ git.commit_time }}\""), &[]);
    let done = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    assert_snapshot!(done.error());
}

#[test]
fn a_version_file_may_be_yaml() {
    let project = "\n[project]\nversion = { file = \"app.yaml\", key = 'app.\"the.version\"' }\n";
    let checks = check("Cargo.toml", "workspace.package.version", "equals = \"{{ version }}\"");
    let folder = folder(&format!("{project}{checks}"), &FILES);
    folder.write("app.yaml", "app:\n  the.version: 1.2.2\n");
    // With a version file there is a version on branches too, and so the check applies there.
    let _agreed = plan(&folder, "refs/heads/main").expect_code(0);
    folder.write("app.yaml", "app:\n  the.version: 1.2.4\n");
    let shown = plan(&folder, "refs/heads/main").expect_code(1).shown();
    assert!(shown.contains("is `1.2.2`, but should be `1.2.4`"), "{shown}");
    folder.write("app.yaml", "app:\n  the.version: 1.2\n");
    for reference in ["refs/heads/main", "refs/tags/v1.2.2"] {
        let shown = plan(&folder, reference).expect_code(1).shown();
        assert_eq!(shown.matches("publish::context::version (").count(), 1, "{shown}");
        assert!(shown.contains("is the number `1.2`, not a string"), "{shown}");
    }
}

#[test]
fn check_compares_and_does_nothing_else() {
    let checks = [
        CARGO.to_owned(),
        check("*/package.json", "version", "equals = \"{{ version }}\""),
        check("charts/*/Chart.yaml", "appVersion", "equals = \"v{{ version }}\""),
        check("Cargo.toml", "package.version", "equals = \"{{ pr.number }}\""),
    ]
    .concat();
    let folder = folder(&checks, &FILES);
    std::fs::remove_dir_all(folder.path.join("image")).unwrap();
    let check = |rest: &str| folder.run(&format!("check {rest}")).wide().done();
    assert_snapshot!("check_agrees", check("--ref refs/tags/v1.2.2").expect_code(0).shown());
    assert_snapshot!("check_differs", check("--ref refs/tags/v1.2.3").expect_code(1).shown());
    assert_snapshot!("check_applies_to_nothing", check("--ref refs/heads/main").expect_code(0).shown());
    let document = check("--ref refs/tags/v1.2.3 --json").expect_code(1).json();
    assert_eq!(
        (document["agreeing"].as_array().map(Vec::len), &document["not_applying"]),
        (Some(0), &1.into())
    );
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(2), "{document}");
    assert!(!folder.path.join("registry").exists());
}
