//! A run that publishes nothing: an error at a git tag, and a warning on anything else.

use insta::assert_snapshot;

use testkit::command::{EndedRun, Folder};
use testkit::world::image;

const HEAD: &str = "version = 1\n\n[registries.bundle]\nurl = \"oci:dist/registry\"\n\n";
const VERSION: &str = "[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n";
const LATEST: &str = "[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n";
const IMAGE: &str = "[images.hello]\nsource = \"oci:dist/hello\"\n";

fn folder(configuration: &str) -> Folder {
    let folder = Folder::with(&[
        ("publish.toml", configuration),
        ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n"),
    ]);
    folder.image("dist/hello", &image("1.2.3"));
    folder
}

#[track_caller]
fn contains(done: &EndedRun, texts: &[&str]) {
    let shown = done.shown().split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    for text in texts {
        assert!(shown.contains(text), "`{text}` is missing:\n{}", done.shown());
    }
}

#[test]
fn a_release_that_publishes_nothing_fails() {
    let release = format!("{HEAD}{VERSION}{LATEST}{IMAGE}");
    let branches =
        format!("{HEAD}[tags.b]\non = \"branch\"\ntemplate = \"b\"\nmutability = \"mutable\"\n{IMAGE}");
    let stable = format!("{HEAD}{VERSION}when = \"version.pre == ''\"\n{IMAGE}");
    let matched = format!("{HEAD}{VERSION}match = \"v2.*\"\n{IMAGE}");
    let chart = format!("{HEAD}[charts.web]\nsource = \"charts/web\"\n");
    let profile = format!(
        "{release}[profile.off.tags.version]\non = \"branch\"\n[profile.off.tags.latest]\non = \"branch\"\n"
    );
    let monorepo = format!("{HEAD}{VERSION}{IMAGE}tag_prefix = \"hello/v\"\n");
    for (name, configuration, arguments, texts) in [
        ("prefix", &release, "--ref refs/tags/1.2.3", vec!["does not start with `v`", "`tag_prefix`"]),
        ("other component", &monorepo, "--ref refs/tags/docs-v1.0.0", vec!["`tag_prefix`", "`silent_tags`"]),
        (
            "no rule for tags",
            &branches,
            "--ref refs/tags/v1.2.3",
            vec!["`on` does not name `tag`", "name `tag` in `on`"],
        ),
        ("by hand", &branches, "--event manual --ref refs/tags/v1.2.3", vec!["does not name `tag`"]),
        ("schedule", &branches, "--event schedule --ref refs/tags/v1.2.3", vec!["name `tag` in `on`"]),
        ("when", &stable, "--ref refs/tags/v1.2.3-rc.1", vec!["does not hold", "`match` and `when`"]),
        ("match", &matched, "--ref refs/tags/v1.2.3", vec!["does not match", "`match` and `when`"]),
        ("chart", &chart, "--ref refs/tags/1.2.3", vec!["`tag_prefix`"]),
        ("profile", &profile, "--profile off --ref refs/tags/v1.2.3", vec!["`on` does not name `tag`"]),
    ] {
        let folder = folder(configuration);
        let plan = folder.run(&format!("plan {arguments}")).wide().done().expect_code(1);
        contains(
            &plan,
            &[
                "error: publish::plan::nothing",
                "nothing is published at the git tag",
                "because no rule fires",
            ],
        );
        contains(&plan, &texts);
        let json =
            folder.run(&format!("plan --json --out dist/plan.json {arguments}")).done().expect_code(1).json();
        assert_eq!(json["problems"][0]["code"], "publish::plan::nothing", "{name}");
        assert_eq!(json["problems"][0]["severity"], "error", "{name}");
        assert!(json["problems"][0]["help"].as_str().is_some_and(|help| help.contains("silent_tags")));
        folder.run(&format!("plan --detailed-exitcode {arguments}")).done().expect_code(1);
        // Nothing approves it: neither `--auto-approve` nor a saved plan.
        let apply = folder.run(&format!("apply --auto-approve {arguments}")).wide().done().expect_code(1);
        contains(&apply, &["error: publish::plan::nothing", "Stopped: there is nothing to publish."]);
        assert_eq!(apply.stderr().matches("publish::plan::nothing (").count(), 1, "{}", apply.shown());
        let events =
            folder.run(&format!("apply --auto-approve --json {arguments}")).done().expect_code(1).stdout();
        let last: serde_json::Value =
            serde_json::from_str(events.lines().last().expect("a line")).expect("JSON");
        assert_eq!(
            (&last["success"], &last["problems"][0]["code"]),
            (&false.into(), &"publish::plan::nothing".into())
        );
        contains(
            &folder.run("apply dist/plan.json").done().expect_code(1),
            &["error: publish::plan::nothing"],
        );
        contains(
            &folder.run("show dist/plan.json").done().expect_code(0),
            &["error: publish::plan::nothing"],
        );
        let tags = folder.run(&format!("tags {arguments}")).done().expect_code(0);
        contains(&tags, &["warning: publish::plan::nothing"]);
        // It can be said that this git tag releases nothing here.
        for silent in ["**", "*"] {
            let silent = format!("{arguments} --set project.silent_tags={silent}");
            let done = folder.run(&format!("plan {silent}")).done().expect_code(0);
            assert_eq!(done.stderr(), "", "{name}");
            folder.run(&format!("apply --auto-approve {silent}")).done().expect_code(0);
            let _done = folder.run(&format!("tags {silent}")).done().expect_code(0);
        }
    }
}

#[test]
fn forward_rules_alone_publish_no_pre_release() {
    let folder = folder(&format!("{HEAD}{VERSION}when = \"version.pre == ''\"\n{LATEST}{IMAGE}"));
    let done = folder.run("plan --ref refs/tags/v2.0.0-rc.1").wide().done().expect_code(1);
    contains(
        &done,
        &["publish::plan::nothing", "is a pre-release", "`prereleases = true`", "no rule fires for anything"],
    );
    folder.run("apply --auto-approve --ref refs/tags/v2.0.0-rc.1").done().expect_code(1);
    folder.run("plan --ref refs/tags/v2.0.0-rc.1 --set tags.latest.prereleases=true").done().expect_code(0);
    folder.run("plan --ref refs/tags/v2.0.0").done().expect_code(0);
}

#[test]
fn git_tags_of_other_components_can_be_named() {
    let silent = "[project]\nsilent_tags = [\"docs-v*\", \"site/**\"]\n";
    let folder = folder(&format!("{HEAD}{silent}{VERSION}{IMAGE}"));
    for (tag, code) in
        [("docs-v1.0.0", 0), ("site/a/b", 0), ("dcos-v1.0.0", 1), ("docs-v1/x", 1), ("v1.2.3", 0)]
    {
        let done = folder.run(&format!("plan --ref refs/tags/{tag}")).done().expect_code(code);
        assert_eq!(done.stderr().is_empty(), code == 0, "{tag}");
    }
    assert_snapshot!("nothing_published", folder.run("plan --ref refs/tags/dcos-v1.0.0").shown());
    let wrong = folder.run("lint --set project.silent_tags=[").done().expect_code(1);
    contains(&wrong, &["`[` is not a glob"]);
}

#[test]
fn a_target_without_a_tag_fails() {
    let agent = "[images.agent]\nsource = \"oci:dist/hello\"\ntag_prefix = \"agent-v\"\n";
    let folder = folder(&format!("{HEAD}{VERSION}{IMAGE}{agent}"));
    let done = folder.run("plan --ref refs/tags/v1.2.3 --target images.agent").done().expect_code(1);
    contains(&done, &["names nothing here: no rule of image `agent` fires"]);
    folder.run("plan --ref refs/tags/v1.2.3 --target images.hello").done().expect_code(0);
}

#[test]
fn other_events_only_warn() {
    let folder = folder(&format!("{HEAD}{VERSION}{IMAGE}"));
    for (arguments, situation) in [
        ("--ref refs/heads/main", "on the branch `main`"),
        ("--pr 12", "on pull request 12"),
        ("--event manual --ref refs/heads/main", "on the branch `main`"),
        ("--event schedule", "on the event `schedule`"),
    ] {
        let plan = folder.run(&format!("plan {arguments}")).wide().done().expect_code(0);
        contains(&plan, &["warning: publish::plan::nothing", situation, "`brokkr-publish tags -v`"]);
        let apply = folder.run(&format!("apply --auto-approve {arguments}")).done().expect_code(0);
        contains(&apply, &["warning: publish::plan::nothing"]);
        let json = folder.run(&format!("plan --json {arguments}")).done().expect_code(0).json();
        assert_eq!(json["problems"][0]["severity"], "warning");
    }
}

#[test]
fn a_branch_that_is_tagged_is_asked_for_the_release() {
    let folder = folder(&format!("{HEAD}{VERSION}{IMAGE}"));
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "publish.toml"]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder.git(&["tag", "v1.2.3"]);
    let done = folder.run("plan").wide().done().expect_code(0);
    contains(&done, &["warning: publish::plan::nothing", "`--ref refs/tags/v1.2.3` publishes that release"]);
}

#[test]
fn the_deletion_of_a_release_is_no_failed_release() {
    let folder = folder(&format!("{HEAD}{VERSION}{IMAGE}"));
    for action in ["deleted", "edited", "unpublished"] {
        let payload = format!(r#"{{"action": "{action}", "release": {{"tag_name": "v1.2.3"}}}}"#);
        folder.write("event.json", payload);
        let run = folder.run("plan").wide().envs(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "release"),
            ("GITHUB_REF", "refs/tags/v1.2.3"),
            ("GITHUB_REF_NAME", "v1.2.3"),
            ("GITHUB_REF_TYPE", "tag"),
        ]);
        let done = run.env("GITHUB_EVENT_PATH", folder.path.join("event.json")).done().expect_code(0);
        contains(&done, &["warning: publish::plan::nothing", action]);
    }
}
