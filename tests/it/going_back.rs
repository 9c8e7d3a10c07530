//! Going back without a record, and versions that are withdrawn: floating tags go to the versions that the registry holds, and no
//! job takes them back.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::command::Folder;
use testkit::world::{configuration, image};

/// A folder that publishes to a directory, with the digest of each version.
struct Released {
    folder: Folder,
    digests: BTreeMap<String, String>,
}

impl Released {
    fn new(versions: &[&str]) -> Self {
        let folder = Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:registry")]))]);
        let digests = versions.iter().map(|version| ((*version).to_owned(), folder.publish(version)));
        let digests = digests.collect();
        Self { folder, digests }
    }

    /// The version that each tag names.
    fn tags(&self) -> BTreeMap<String, String> {
        let index: Value = serde_json::from_str(&self.folder.read("registry/app/index.json")).expect("JSON");
        let named = index["manifests"].as_array().expect("manifests").iter().filter_map(|it| {
            let tag = it["annotations"]["org.opencontainers.image.ref.name"].as_str()?;
            let digest = it["digest"].as_str()?;
            let version = self.digests.iter().find(|(_, known)| *known == digest);
            Some((tag.to_owned(), version.map_or("?", |(version, _)| version.as_str()).to_owned()))
        });
        named.collect()
    }

    #[track_caller]
    fn expect(&self, expected: &[(&str, &str)]) {
        let tags = self.tags();
        for (tag, version) in expected {
            assert_eq!(tags.get(*tag).map(String::as_str), Some(*version), "{tag}: {tags:?}");
        }
    }

    /// Publishes a version once more, as an old job does.
    #[track_caller]
    fn again(&self, version: &str, options: &str) -> String {
        self.folder.image("image", &image(version));
        let run = format!("apply --auto-approve --ref refs/tags/v{version} {options}");
        self.folder.run(&run).wide().done().expect_code(0).shown()
    }
}

#[test]
fn going_back_to_a_version_needs_no_record() {
    let released = Released::new(&["1.2.3", "1.2.4", "1.3.0", "2.0.0"]);
    let shown = released.folder.run("rollback --to 1.2.3").wide().done().expect_code(1).shown();
    assert!(shown.contains("brokkr-publish rollback — to 1.2.3"), "{shown}");
    assert!(shown.contains("(v2.0.0) → ") && shown.contains("(v1.2.3)    back to 1.2.3"), "{shown}");
    released.expect(&[("latest", "2.0.0")]);
    released.folder.run("rollback --to v1.2.3 --auto-approve --record back.json").done().expect_code(0);
    released.expect(&[("latest", "1.2.3"), ("v1", "1.2.3"), ("v1.2", "1.2.3")]);
    released.expect(&[("v1.3", "1.3.0"), ("v2", "2.0.0"), ("v2.0", "2.0.0"), ("v2.0.0", "2.0.0")]);
    let again = released.folder.run("rollback --to 1.2.3 --auto-approve").done().expect_code(0).shown();
    assert!(again.contains("Nothing to do"), "{again}");
    // The record of the way back leads forward again.
    released.folder.run("rollback back.json --auto-approve").done().expect_code(0);
    released.expect(&[("latest", "2.0.0"), ("v1", "1.3.0"), ("v1.2", "1.2.4")]);
}

#[test]
fn one_tag_goes_back_and_a_saved_plan_says_so() {
    let released = Released::new(&["1.2.3", "2.0.0"]);
    let target = "--target images.app@bundle:latest";
    released.folder.run(&format!("rollback --to 1.2.3 {target} --out plan.json")).done().expect_code(0);
    released.expect(&[("latest", "2.0.0")]);
    released.folder.run("apply plan.json").done().expect_code(0);
    released.expect(&[("latest", "1.2.3"), ("v2", "2.0.0")]);
}

#[test]
fn versions_that_name_nothing_are_refused() {
    let released = Released::new(&["1.2.3"]);
    for (arguments, expected) in [
        ("rollback --to 9.9.9", "does not hold 9.9.9"),
        ("withdraw 9.9.9", "does not hold 9.9.9"),
        ("rollback --to one", "`one` is not a version of anything here"),
        ("withdraw 1.2", "`1.2` is not a version of anything here"),
        ("rollback --to 1.2.3 --set project.withdrawn=[\"1.2.3\"]", "1.2.3 is withdrawn"),
        ("rollback --to 1.2.3 --target images.other", "`images.other` is not an address"),
        ("rollback record.json --to 1.2.3", "cannot be used with"),
        ("lint --set project.withdrawn=[\"1.2\"]", "`1.2` is not a version that could be withdrawn"),
    ] {
        let shown = released.folder.run(arguments).wide().done().expect_code(1).shown();
        assert!(shown.contains(expected), "{arguments}: {shown}");
    }
}

#[test]
fn a_withdrawn_version_loses_its_tags_and_an_old_job_does_not_take_them_back() {
    let released = Released::new(&["1.2.3", "1.2.4", "2.0.0", "2.0.1"]);
    let done = released.folder.run("withdraw 2.0.1 --auto-approve --record back.json").wide().done();
    let shown = done.expect_code(0).shown();
    assert!(shown.contains("withdrawn = [\"2.0.1\"]"), "{shown}");
    assert!(shown.contains("marks 2.0.1 as withdrawn"), "{shown}");
    let standing = [("latest", "2.0.0"), ("v2", "2.0.0"), ("v2.0", "2.0.0"), ("v1", "1.2.4")];
    released.expect(&standing);
    released.expect(&[("v2.0.1", "2.0.1"), ("withdrawn-v2.0.1", "2.0.1")]);
    // The old job knows nothing of a setting: the registry says it.
    for options in ["", "--set project.withdrawn=[\"2.0.1\"]"] {
        let shown = released.again("2.0.1", options);
        assert!(shown.contains("kept: 2.0.1 is withdrawn"), "{shown}");
        released.expect(&standing);
        released.folder.run(&format!("verify {options}")).done().expect_code(0);
    }
    let shown = released.again("1.2.4", "");
    assert!(shown.contains("kept: v2.0.0 is newer"), "{shown}");
    // A plan from before the withdrawal takes nothing either: see below. The next release moves on.
    released.again("2.0.2", "");
    let tags = released.tags();
    assert_eq!(tags["latest"], tags["v2.0.2"]);
    assert_eq!(tags["latest"], "?");
}

#[test]
fn a_withdrawal_is_rolled_back_by_its_record() {
    let released = Released::new(&["1.2.3", "1.2.4"]);
    released.folder.run("withdraw v1.2.4 --auto-approve --record back.json").done().expect_code(0);
    released.expect(&[("latest", "1.2.3")]);
    released.folder.run("rollback back.json --auto-approve").done().expect_code(0);
    released.expect(&[("latest", "1.2.4"), ("v1.2", "1.2.4"), ("v1", "1.2.4")]);
    assert!(!released.tags().contains_key("withdrawn-v1.2.4"), "{:?}", released.tags());
    released.folder.run("verify").done().expect_code(0);
}

#[test]
fn the_record_of_a_withdrawn_version_still_verifies() {
    let released = Released::new(&["1.2.3"]);
    released.again("1.2.4", "--record release.json");
    released.folder.run("verify --record release.json").done().expect_code(0);
    released.folder.run("withdraw 1.2.4 --auto-approve").done().expect_code(0);
    let shown = released.folder.run("verify --record release.json").wide().done().expect_code(0).shown();
    assert!(shown.contains("in place") && !shown.contains("drift"), "{shown}");
    released.expect(&[("latest", "1.2.3")]);
}

#[test]
fn the_setting_alone_frees_the_tags_for_the_best_version() {
    let released = Released::new(&["1.2.3", "1.2.4"]);
    let text = configuration(&[("bundle", "oci:registry")]);
    let text = text.replace("version = 1\n", "version = 1\n[project]\nwithdrawn = [\"1.2.4\"]\n");
    released.folder.write("publish.toml", text);
    let drift = released.folder.run("verify").wide().done().expect_code(2).shown();
    assert!(drift.contains("latest") && drift.contains("v1.2.3"), "{drift}");
    let shown = released.again("1.2.3", "");
    assert!(shown.contains("forward: it names 1.2.4, which is withdrawn"), "{shown}");
    released.expect(&[("latest", "1.2.3"), ("v1", "1.2.3"), ("v1.2", "1.2.3")]);
    released.folder.run("verify").done().expect_code(0);
    released.again("1.2.4", "");
    released.expect(&[("latest", "1.2.3"), ("v1.2.4", "1.2.4")]);
}

#[test]
fn a_saved_plan_of_a_version_that_is_withdrawn_meanwhile_takes_no_tag() {
    let released = Released::new(&["1.2.3", "1.2.4"]);
    released.folder.run("rollback --to 1.2.3 --auto-approve").done().expect_code(0);
    released.folder.image("image", &image("1.2.4"));
    released.folder.run("plan --ref refs/tags/v1.2.4 --out old.json").done().expect_code(0);
    released.folder.run("withdraw 1.2.4 --auto-approve").done().expect_code(0);
    let done = released.folder.run("apply old.json").wide().done();
    assert!(done.shown().contains("1.2.4 was withdrawn meanwhile"), "{}", done.shown());
    released.expect(&[("latest", "1.2.3"), ("v1", "1.2.3")]);
}

#[test]
fn the_only_version_of_a_line_keeps_its_tag_and_the_plan_says_so() {
    let released = Released::new(&["1.2.3", "2.0.0"]);
    let shown = released.folder.run("withdraw 2.0.0 --auto-approve").wide().done().expect_code(0).shown();
    assert!(shown.contains("no other version of its line is there"), "{shown}");
    released.expect(&[("latest", "1.2.3"), ("v2", "2.0.0"), ("v2.0", "2.0.0")]);
    released.folder.run("verify").done().expect_code(0);
}

#[test]
fn a_version_of_several_components_is_named_by_its_git_tag() {
    let text = configuration(&[("bundle", "oci:registry")]);
    let text = format!(
        "{text}tag_prefix = \"app/v\"\n\n[images.agent]\nsource = \"oci:image\"\ntag_prefix = \"agent/v\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    for version in ["1.2.3", "1.2.4"] {
        for component in ["app", "agent"] {
            folder.image("image", &image(&format!("{component} {version}")));
            folder
                .run(&format!("apply --auto-approve --ref refs/tags/{component}/v{version}"))
                .done()
                .expect_code(0);
        }
    }
    let shown = folder.run("rollback --to 1.2.3").wide().done().expect_code(1).shown();
    assert!(shown.contains("`1.2.3` may mean any of the git tags `agent/v1.2.3`, `app/v1.2.3`"), "{shown}");
    let shown = folder.run("withdraw agent/v1.2.4 --auto-approve").wide().done().expect_code(0).shown();
    assert!(shown.contains("withdrawn = [\"agent/v1.2.4\"]") && !shown.contains("registry/app"), "{shown}");
}
