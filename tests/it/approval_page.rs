//! `show --format html` and `--format markdown`: the page for approvers, of plans and records, also of hostile ones.

use testkit::command::Folder;
use testkit::world::image;

const CONFIG: &str = "version = 1\n\n[registries.bundle]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n\n[images.app]\nsource = \"oci:one\"\n";

fn folder() -> Folder {
    let folder = Folder::with(&[("publish.toml", CONFIG)]);
    folder.image("one", &image("one"));
    folder
}

/// The texts of a page, without its tags.
fn texts(page: &str) -> String {
    let tags = regex::Regex::new("<style>.*?</style>|<[^>]*>").expect("a pattern");
    tags.replace_all(&page.replace('\n', " "), " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_shows_what_changes_from_what_to_what() {
    let folder = folder();
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3").done().expect_code(0);
    folder.image("one", &image("two"));
    let saved = folder.run("plan --ref refs/tags/v1.3.0 --out plan.json").done().expect_code(0);
    let digest = saved.stderr().split("--expect ").nth(1).expect("a digest").trim().to_owned();
    let page = folder.run("show plan.json --format html").done().expect_code(0).stdout();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"), "{page}");
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"), "{page}");
    for foreign in ["<script", "src=", "href=", "http://", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}: {page}");
    }
    let texts = texts(&page);
    for part in [
        "refs/tags/v1.3.0",
        "1 to create, 1 to move",
        "linux/amd64, linux/arm64",
        "to send",
        "images.app@bundle",
        "not searched",
        "v1.2.3",
        digest.as_str(),
    ] {
        assert!(texts.contains(part), "{part} is missing: {texts}");
    }
    // Before and after are there in full, for a comparison.
    assert!(texts.matches("sha256:").count() >= 5, "{texts}");
}

#[test]
fn a_record_shows_what_was_done() {
    let folder = folder();
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3 --record record.json").done().expect_code(0);
    let page = texts(&folder.run("show record.json --format html").done().expect_code(0).stdout());
    for part in [
        "brokkr-publish record",
        "Applied: 2 created",
        "Deploy by digest",
        "oci:registry/app@sha256:",
        "created",
    ] {
        assert!(page.contains(part), "{part} is missing: {page}");
    }
    let markdown = folder.run("show record.json --format markdown").done().expect_code(0).stdout();
    assert!(
        markdown.starts_with("### brokkr-publish apply") && markdown.contains("Deploy by digest"),
        "{markdown}"
    );
}

#[test]
fn plans_have_markdown_and_no_references() {
    let folder = folder();
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let markdown = folder.run("show plan.json --format markdown").done().expect_code(0).stdout();
    assert!(
        markdown.starts_with("### brokkr-publish plan") && markdown.contains("| `+` | `v1.2.3` |"),
        "{markdown}"
    );
    folder.run("show plan.json --format digests").done().expect_code(1);
}

#[test]
fn texts_of_a_hostile_plan_are_no_markup() {
    let folder = folder();
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}";
    let plan: serde_json::Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    let mut spoiled = plan.clone();
    spoiled["title"] = evil.into();
    spoiled["context"]["ref"] = evil.into();
    spoiled["config"]["path"] = evil.into();
    spoiled["generator"] = evil.into();
    spoiled["repositories"][0]["name"] = evil.into();
    spoiled["repositories"][0]["address"] = evil.into();
    spoiled["silent"] = serde_json::json!([{ "resource": "images.app", "rules": { evil: evil } }]);
    brokkr_publish::saved::seal(&mut spoiled);
    folder.write("plan.json", spoiled.to_string());
    let done = folder.run("show plan.json --format html").done();
    let page = done.stdout();
    assert!(done.code() == Some(1) || page.contains("&lt;script&gt;"), "{}", done.shown());
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'), "{page}");
}

#[test]
fn other_commands_have_pages_too() {
    let folder = folder();
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3 --record record.json").done().expect_code(0);
    folder.image("one", &image("two"));
    folder.run("apply --auto-approve --ref refs/tags/v1.3.0").done().expect_code(0);
    for command in ["rollback --to v1.2.3 --auto-approve", "withdraw v1.3.0 --auto-approve"] {
        let run =
            |format: &str| folder.run(&format!("{command} --format {format}")).done().expect_code(0).stdout();
        let name = command.split(' ').next().expect("a command");
        assert!(run("markdown").starts_with(&format!("### brokkr-publish {name}")), "{command}");
        assert!(run("html").starts_with("<!doctype html>"), "{command}");
        let gitlab: serde_json::Value = serde_json::from_str(&run("gitlab")).expect("JSON");
        assert!(gitlab["update"].is_u64(), "{gitlab}");
        let github = folder
            .run(&format!("{command} --format github"))
            .env("GITHUB_STEP_SUMMARY", folder.path.join("summary.md"));
        github.done().expect_code(0);
        assert!(folder.read("summary.md").contains(&format!("### brokkr-publish {name}")));
    }
    let list = folder.run("list --format markdown").done().expect_code(0).stdout();
    assert!(list.starts_with("### brokkr-publish list") && list.contains("v1.2.3"), "{list}");
}
