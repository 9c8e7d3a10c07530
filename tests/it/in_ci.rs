//! Reports for CIs: formats, the summary of a step, outputs, and annotations at the right file.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::command::Folder;

/// The quickstart, which publishes into a directory.
fn quickstart() -> Folder {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let folder = Folder::new();
    for name in ["publish.toml", "image.tar"] {
        folder.write(name, fs::read(examples.join(name)).expect("an example"));
    }
    folder
}

const WRONG: &str = "version = 1\n\n[registries.local]\nurl = \"oci:dist\"\n\n[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\n\
                     mutability = \"mutable\"\n\n[images.app]\nsource = \"oci:dist\"\nplatfroms = [\"linux/amd64\"]\n";

/// A repository with the configuration in a folder, as a `working-directory` of a workflow.
fn repository() -> Folder {
    let folder = Folder::with(&[("deploy/app/publish.toml", WRONG)]);
    folder.git(&["init", "--quiet"]);
    folder
}

#[test]
fn annotations_name_the_file_from_the_root_of_the_repository() {
    let folder = repository();
    for (place, arguments) in [
        ("deploy/app", "lint --format github"),
        ("deploy/app", "lint --format github ../app/publish.toml"),
        ("deploy", "lint --format github app/publish.toml"),
        ("", "lint --format github deploy/app/publish.toml"),
    ] {
        let run = folder.run(arguments).in_folder(place).done().expect_code(1);
        let annotation = run.stdout();
        assert!(
            annotation.starts_with("::error file=deploy/app/publish.toml,line=13,"),
            "{place}: {annotation}"
        );
    }
    let sarif = folder.run("lint --format sarif").in_folder("deploy/app").done().expect_code(1).json();
    let result = &sarif["runs"][0]["results"][0];
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "deploy/app/publish.toml");
}

/// Without a repository, the folder of the job is the root; outside of both, the path is the one that was given.
#[test]
fn annotations_without_git_start_at_the_folder_of_the_job() {
    let folder = Folder::with(&[("deploy/app/publish.toml", WRONG)]);
    let run = folder.run("lint --format github").in_folder("deploy/app");
    let run = run.env("GITHUB_WORKSPACE", &folder.path).done();
    assert!(run.stdout().starts_with("::error file=deploy/app/publish.toml,"), "{}", run.stdout());
    let run = folder.run("lint --format github app/publish.toml").in_folder("deploy").done();
    assert!(run.stdout().starts_with("::error file=app/publish.toml,"), "{}", run.stdout());
}

#[test]
fn a_job_of_github_gets_annotations_without_asking() {
    let folder = repository();
    for arguments in ["lint", "plan", "verify", "auth check"] {
        let run = folder.run(arguments).in_folder("deploy/app").env("GITHUB_ACTIONS", "true").done();
        let run = run.expect_code(1);
        let count = run.stderr().matches("::error file=deploy/app/publish.toml,line=13,").count();
        assert_eq!(count, 1, "{arguments}: {}", run.stderr());
        let plain = folder.run(arguments).in_folder("deploy/app").done().expect_code(1);
        assert!(!plain.shown().contains("::error"), "{arguments}: {}", plain.shown());
    }
    let run = folder.run("plan --format github").in_folder("deploy/app").env("GITHUB_ACTIONS", "true").done();
    assert_eq!(run.shown().matches("::error file=").count(), 1, "{}", run.shown());
}

#[test]
fn lint_writes_reports_of_gitlab_and_junit() {
    let folder = repository();
    folder.write("deploy/app/fine.toml", WRONG.replace("platfroms", "platforms"));
    let issues = folder.run("lint --format gitlab").in_folder("deploy/app").done().expect_code(1).json();
    let issue = &issues[0];
    assert_eq!(
        issue["location"],
        serde_json::json!({ "path": "deploy/app/publish.toml", "lines": { "begin": 13 } })
    );
    assert_eq!(
        (&issue["check_name"], &issue["severity"]),
        (&"publish::config::unknown_key".into(), &"major".into())
    );
    assert!(issue["description"].as_str().expect("text").contains("did you mean `platforms`?"), "{issue}");
    assert_eq!(issue["fingerprint"].as_str().map(str::len), Some(64));
    let none =
        folder.run("lint --format gitlab fine.toml").in_folder("deploy/app").done().expect_code(0).json();
    assert_eq!(none, serde_json::json!([]));

    let run = folder.run("lint --format junit publish.toml fine.toml").in_folder("deploy/app").done();
    let report = run.expect_code(1).stdout();
    for line in [
        "<testsuites tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">",
        "<testcase classname=\"brokkr-publish.lint\" name=\"deploy/app/publish.toml\" file=\"deploy/app/publish.toml\">",
        "<failure type=\"publish::config::unknown_key\"",
        "deploy/app/publish.toml:13: ",
        "name=\"deploy/app/fine.toml\"",
    ] {
        assert!(report.contains(line), "no {line} in\n{report}");
    }
    assert_eq!(report.matches("<failure").count(), report.matches("</failure>").count());
}

#[test]
fn summaries_and_outputs_of_a_release() {
    let folder = quickstart();
    let summary = folder.path.join("summary.md");
    let file = |name: &str| folder.path.join(name);
    let run = |arguments: &str, output: &str| {
        let _ignored = fs::remove_file(&summary);
        let run = folder.run(&format!("{arguments} --outputs dotenv-{output}"));
        let run = run.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", file(output)).done();
        (run.expect_code(0), fs::read_to_string(&summary).expect("a summary"), folder.read(output))
    };
    let (planned, page, outputs) = run("plan --out plan.json --format markdown", "planned");
    assert_eq!(planned.stdout(), page, "the summary is the report");
    assert!(page.contains("**Plan: 2 to create.") && page.contains("#### `oci:published/hello`"), "{page}");
    assert!(page.contains("| `+` | `v1.2.3` | `sha256:1ce8be44fe01…` | new, immutable |"), "{page}");
    let digest = oci_registry::Digest::of(&fs::read(file("plan.json")).expect("a plan"));
    let content = "sha256:1ce8be44fe01daf71516702b92f325777ddc2369c382e3a64ab18391ea85f1fd";
    assert_eq!(
        outputs,
        format!(
            "changed=true\nplan-digest={digest}\ndigest={content}\ntags<<end_of_brokkr_publish\noci:published/hello:v1.2.3\n\
             oci:published/hello:latest\nend_of_brokkr_publish\nreferences=oci:published/hello@{content}\n"
        )
    );

    let (_, page, outputs) = run(&format!("apply plan.json --expect {digest}"), "applied");
    assert!(
        page.contains("**Applied: 2 created.")
            && page.contains(&format!("- `oci:published/hello@{content}`")),
        "{page}"
    );
    assert!(outputs.starts_with(&format!("changed=true\ndigest={content}\n")), "{outputs}");
    let dotenv = folder.read("dotenv-applied");
    let tags = "BROKKR_PUBLISHED_TAGS=oci:published/hello:v1.2.3 oci:published/hello:latest\n";
    assert!(dotenv.starts_with("BROKKR_PUBLISHED_CHANGED=true\n") && dotenv.contains(tags), "{dotenv}");
    // The next job has these variables, and they are not taken for keys of the configuration.
    let mut next = folder.run("plan");
    for line in dotenv.lines() {
        let (name, value) = line.split_once('=').expect("a variable");
        next = next.env(name, value);
    }
    next.done().expect_code(0);

    let (_, page, outputs) = run("apply --auto-approve", "again");
    assert!(page.contains("**Nothing to do: 2 in place."), "{page}");
    assert!(outputs.starts_with("changed=false\n"), "{outputs}");
    let (_, page, outputs) = run("auth check", "access");
    assert!(
        page.contains("| `+` | `oci:published/hello` |") && outputs == "granted=true\n",
        "{page}{outputs}"
    );
    let (verified, page, outputs) = run("verify --format html", "verified");
    assert!(page.contains("### brokkr-publish verify"), "{page}");
    assert_eq!(outputs, "changed=false\n");
    let html = verified.stdout();
    assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"), "{html}");
    assert!(
        !html.contains("<script") && !html.contains("src=") && !html.contains("href="),
        "nothing from outside: {html}"
    );
}

#[test]
fn a_conflict_is_an_annotation_and_a_number_of_gitlab() {
    let folder = quickstart();
    let counts: Value = folder.run("plan --format gitlab").done().expect_code(0).json();
    assert_eq!(counts, serde_json::json!({ "create": 2, "update": 0, "delete": 0 }));
    folder.run("apply --auto-approve").done().expect_code(0);
    let text = folder.read("publish.toml");
    folder.write("publish.toml", text + "\"org.example.changed\" = \"yes\"\n");
    let run = folder.run("plan --format github").done().expect_code(1);
    let annotation = run.stdout().lines().find(|line| line.starts_with("::")).map(str::to_owned);
    let annotation = annotation.expect("an annotation");
    assert!(annotation.starts_with("::error title=oci%3Apublished/hello::v1.2.3  sha256:"), "{annotation}");
    assert!(annotation.contains("conflict: immutable"), "{annotation}");
    let summary = folder.path.join("summary.md");
    let run = folder.run("apply --auto-approve").env("GITHUB_STEP_SUMMARY", &summary).done();
    run.expect_code(1);
    let page = folder.read("summary.md");
    assert!(page.contains("> **error** `publish::plan::conflict`"), "{page}");
}

#[test]
fn a_summary_that_cannot_be_written_fails_the_step() {
    let folder = quickstart();
    let run = folder.run("plan").env("GITHUB_OUTPUT", folder.path.join("none/output")).done().expect_code(1);
    assert!(run.stderr().contains("none/output` cannot be written to"), "{}", run.stderr());
}

#[test]
fn two_formats_at_once_are_refused() {
    let folder = quickstart();
    let run = folder.run("plan --json --format html").done().expect_code(1);
    assert!(run.stderr().contains("cannot be used with"), "{}", run.stderr());
}
