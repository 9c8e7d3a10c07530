//! Conflicts that the plan refuses before anything is sent: all at once, each with both sides.

use insta::assert_snapshot;

use testkit::command::{EndedRun, Folder};
use testkit::world::image;

const START: &str = r#"version = 1

[registries.bundle]
url = "oci:registry"

[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"

[images.app]
source = "oci:one"
"#;

fn folder(more: &str) -> Folder {
    let folder = Folder::with(&[("publish.toml", &format!("{START}{more}"))]);
    folder.image("one", &image("one"));
    folder.image("two", &image("two"));
    folder
}

fn plan(folder: &Folder, more: &str) -> EndedRun {
    folder.run(&format!("plan --ref refs/tags/v1.2.3 {more}")).done()
}

/// The output of a run, with each digest replaced.
fn steady(done: &EndedRun) -> String {
    let digests = regex::Regex::new("sha256:[0-9a-f]{12}").expect("a pattern");
    digests.replace_all(&done.shown(), "sha256:[DIGEST]").into_owned()
}

#[test]
fn everything_that_collides_is_told_at_once() {
    let folder = folder(
        r#"
[registries.again]
url = "oci:./registry"

[tags.newest]
on = "tag"
template = "latest"
mutability = "mutable"

[images.other]
source = "oci:two"
repository = "app"
registries = ["bundle"]
tags = ["version"]
"#,
    );
    assert_snapshot!(steady(&plan(&folder, "").expect_code(1)));
    assert!(!folder.path.join("registry").exists());
}

#[test]
fn two_profiles_that_want_one_tag_with_different_content() {
    let folder = folder(
        r#"
[profile.debug.images.app]
source = "oci:two"
"#,
    );
    let refused = plan(&folder, "--profile debug").expect_code(1);
    assert_snapshot!(steady(&refused));
    plan(&folder, "").expect_code(1);
    // The same content under another path is no conflict, and neither is content that cannot be opened.
    std::fs::remove_dir_all(folder.path.join("two")).expect("removed");
    plan(&folder, "").expect_code(0);
    folder.image("two", &image("one"));
    plan(&folder, "").expect_code(0);
    plan(&folder, "--profile debug").expect_code(0);
}

#[test]
fn two_profiles_with_places_of_their_own() {
    let folder = folder(
        r#"
[profile.debug.images.app]
source = "oci:two"
repository = "debug/app"
"#,
    );
    plan(&folder, "--profile debug").expect_code(0);
    plan(&folder, "").expect_code(0);
}

#[test]
fn one_tag_under_two_mutabilities_in_two_profiles() {
    let folder = folder(
        r#"
[profile.nightly.tags.version]
mutability = "mutable"
"#,
    );
    assert_snapshot!(steady(&plan(&folder, "--profile nightly").expect_code(1)));
}
