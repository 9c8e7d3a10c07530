//! The context of a run in git repositories and CIs as people have them: several git tags on one commit, changed files, another
//! commit checked out, commits and refs that are not there, and witnesses that contradict each other.

use insta::assert_snapshot;

use testkit::command::{EndedRun, Folder, ProgramRun};
use testkit::world::image;

const HEAD: &str = "version = 1\n\n[registries.bundle]\nurl = \"oci:dist/registry\"\n\n";
const VERSION: &str = "[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n";
const BRANCH: &str =
    "[tags.branch]\non = \"branch\"\ntemplate = \"{{ git.branch | slug }}\"\nmutability = \"mutable\"\n\n";
const IMAGE: &str = "[images.hello]\nsource = \"oci:dist/hello\"\n";
const CHART: &str = "[charts.web]\nsource = \"charts/web\"\n";
const CHECK: &str = "[[checks]]\nfile = \"Cargo.toml\"\nkey = \"version\"\nequals = \"{{ version }}\"\n";
const NOWHERE: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

/// A repository with this configuration, a chart, a file with a version, and an image that git ignores.
fn repository(configuration: &str) -> Folder {
    let folder = Folder::with(&[
        ("publish.toml", configuration),
        (".gitignore", "/dist\n*.secret\n"),
        ("Cargo.toml", "version = \"1.2.3\"\n"),
        ("README.md", "hello\n"),
        ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n"),
        ("charts/web/values.yaml", "a: 1\n"),
        ("charts/web/.helmignore", "*.bak\nci/\n"),
    ]);
    folder.image("dist/hello", &image("1.2.3"));
    folder.git(&["init", "--quiet"]);
    commit(&folder, "first");
    folder
}

fn commit(folder: &Folder, message: &str) -> String {
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    folder.git(&["rev-parse", "HEAD"])
}

/// Makes a clone of `folder` in `clone`, with the image.
fn clone(folder: &Folder, options: &[&str]) {
    let from = format!("file://{}", folder.path.display());
    let quiet = ["clone", "--quiet", "-c", "advice.detachedHead=false"];
    folder.git(&[quiet.as_slice(), options, &[&from, "clone"]].concat());
    folder.image("clone/dist/hello", &image("1.2.3"));
}

fn images() -> String {
    format!("{HEAD}{VERSION}{BRANCH}{IMAGE}")
}

fn charts() -> String {
    format!("{HEAD}{VERSION}{BRANCH}{IMAGE}{CHART}")
}

#[track_caller]
fn contains(done: &EndedRun, texts: &[&str]) {
    let shown = done.shown().split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    for text in texts {
        assert!(shown.contains(text), "`{text}` is missing:\n{}", done.shown());
    }
}

/// Runs with the variables of a job of GitHub Actions.
fn github(run: ProgramRun, reference: &str, sha: &str) -> ProgramRun {
    let (kind, name) = match reference.split_once("refs/tags/") {
        Some((_, name)) => ("tag", name),
        None => ("branch", reference.trim_start_matches("refs/heads/")),
    };
    run.env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REF", reference)
        .env("GITHUB_REF_NAME", name)
        .env("GITHUB_REF_TYPE", kind)
        .env("GITHUB_SHA", sha)
}

#[test]
fn several_release_tags_on_one_commit_need_a_ref() {
    // The tags on the commit, whether the head is detached, and the ref of the run, or none if it asks which.
    for (tags, detached, expected) in [
        (vec!["v1.2.3", "v1.2.4"], true, None),
        (vec!["v1.2.3", "v1.2.4"], false, None),
        (vec!["v1.2.3", "v1.2.3-rc.1", "latest"], true, None),
        (vec!["v1.2.3", "agent-v0.9.0"], true, Some("refs/tags/v1.2.3")),
        (vec!["v1.2.3", "v1", "v1.2", "stable"], true, Some("refs/tags/v1.2.3")),
        (vec!["v1.2.3"], true, Some("refs/tags/v1.2.3")),
        (vec!["v1.2.3"], false, Some("refs/heads/main")),
        (vec!["v1.2.3", "stable"], false, Some("refs/heads/main")),
    ] {
        let folder = repository(&images());
        for tag in &tags {
            folder.git(&["tag", tag]);
        }
        if detached {
            folder.git(&["checkout", "--quiet", "--detach"]);
        }
        for command in ["plan --json", "tags --format json"] {
            let done = folder.run(command).wide().done();
            if let Some(expected) = expected {
                assert_eq!(done.json()["context"]["ref"], expected, "{tags:?}\n{}", done.shown());
            } else {
                let done = done.expect_code(1);
                contains(&done, &["publish::context::ambiguous", "`v1.2.3`", "--ref refs/tags/v1.2.3"]);
            }
        }
        let asked = folder.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0);
        assert_eq!(asked.json()["context"]["tag"], "v1.2.3");
        let sha = folder.git(&["rev-parse", "HEAD"]);
        let in_ci = github(folder.run("plan --json"), "refs/tags/v1.2.3", &sha).done().expect_code(0);
        assert_eq!(in_ci.json()["context"]["tag"], "v1.2.3");
    }
}

#[test]
fn the_diagnostics_of_a_context_that_cannot_be_believed() {
    let folder = repository(&charts());
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["tag", "v1.2.4"]);
    assert_snapshot!("context_ambiguous", folder.run("plan").shown());
    folder.write("charts/web/values.yaml", "a: 2\n");
    assert_snapshot!("context_work_tree", folder.run("plan --ref refs/tags/v1.2.3").shown());
    let second = commit(&folder, "second");
    let run = github(folder.run("plan"), "refs/tags/v1.2.3", &second);
    assert_snapshot!("context_contradiction", run.shown());
}

#[test]
fn prefixes_of_images_make_release_tags() {
    let agent = "[images.agent]\nsource = \"oci:dist/hello\"\ntag_prefix = \"agent-v\"\n";
    let folder = repository(&format!("{}{agent}", images()));
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["tag", "agent-v0.9.0"]);
    folder.git(&["checkout", "--quiet", "--detach"]);
    contains(&folder.run("plan").done().expect_code(1), &["context::ambiguous", "`agent-v0.9.0`, `v1.2.3`"]);
    let done = folder.run("plan --ref refs/tags/agent-v0.9.0").done().expect_code(0);
    contains(&done, &["+ v0.9.0"]);
}

/// A change of a work tree.
type ContextChange<'a> = &'a dyn Fn(&Folder);

#[test]
fn changed_files_do_not_become_part_of_a_release() {
    let change = |folder: &Folder| {
        folder.write("charts/web/values.yaml", "a: 2\n");
    };
    let readme = |folder: &Folder| {
        folder.write("README.md", "changed\n");
    };
    let staged = |folder: &Folder| {
        folder.write("charts/web/values.yaml", "a: 2\n");
        folder.git(&["add", "--all"]);
    };
    let untracked = |folder: &Folder| {
        folder.write("charts/web/templates/new.yaml", "a: 2\n");
    };
    let harmless = |folder: &Folder| {
        folder.write("notes.txt", "x\n");
        folder.write("charts/web/values.yaml.bak", "x\n");
        folder.write("charts/web/ci/values.yaml", "x\n");
        folder.write("charts/web/x.secret", "x\n");
    };
    let deleted = |folder: &Folder| std::fs::remove_file(folder.path.join("README.md")).expect("removed");
    let (with_check, plain) = (format!("{}{CHECK}", images()), images());
    let cases: [(&str, &str, ContextChange<'_>, bool, &[&str]); 9] = [
        ("chart", &charts(), &change, true, &["`charts/web/values.yaml`", "chart `web` is read"]),
        ("any tracked file", &charts(), &readme, true, &["`README.md`", "chart `web`"]),
        ("staged", &charts(), &staged, true, &["`charts/web/values.yaml`"]),
        ("deleted", &charts(), &deleted, true, &["`README.md`"]),
        ("untracked in a chart", &charts(), &untracked, true, &["`charts/web/templates/new.yaml`"]),
        ("untracked elsewhere", &charts(), &harmless, false, &[]),
        ("check", &with_check, &readme, true, &["the check of `Cargo.toml` is read"]),
        ("images alone", &plain, &change, false, &["warning: publish::context::work_tree", "values.yaml`"]),
        ("images alone, untracked in a chart", &plain, &untracked, false, &[]),
    ];
    for (name, configuration, change, is_error, texts) in cases {
        let folder = repository(configuration);
        folder.git(&["tag", "v1.2.3"]);
        let plan = "plan --ref refs/tags/v1.2.3";
        let clean = folder.run(plan).done().expect_code(0);
        assert_eq!(clean.stderr(), "", "{name}");
        change(&folder);
        let done = folder.run(plan).wide().done().expect_code(i32::from(is_error));
        contains(&done, texts);
        assert_eq!(done.stderr().is_empty(), texts.is_empty(), "{name}: {}", done.shown());
        if !is_error {
            continue;
        }
        contains(&done, &["error: publish::context::work_tree", "--allow-dirty", "allow_dirty = true"]);
        for allowed in ["--allow-dirty", "--set project.allow_dirty=true"] {
            let done = folder.run(&format!("{plan} {allowed}")).wide().done().expect_code(0);
            contains(&done, &["warning: publish::context::work_tree"]);
            contains(&done, texts);
        }
        let apply = format!("apply --auto-approve{}", plan.trim_start_matches("plan"));
        folder.run(&apply).done().expect_code(1);
        folder.run(&format!("{apply} --allow-dirty")).done().expect_code(0);
    }
}

#[test]
fn a_profile_may_allow_changes_and_a_saved_plan_says_them() {
    let folder = repository(&format!("{}\n[profile.dev.project]\nallow_dirty = true\n", charts()));
    folder.git(&["tag", "v1.2.3"]);
    folder.write("README.md", "changed\n");
    folder.run("plan --ref refs/tags/v1.2.3").done().expect_code(1);
    let plan = "plan --ref refs/tags/v1.2.3 --profile dev --json --out plan.json";
    let json = folder.run(plan).done().expect_code(0).json();
    assert_eq!(json["context"]["dirty"], true);
    assert_eq!(json["problems"][0]["severity"], "warning");
    assert_eq!(json["problems"][0]["code"], "publish::context::work_tree");
    contains(&folder.run("show plan.json").done().expect_code(0), &["warning: publish::context::work_tree"]);
    let flag = folder.run("apply plan.json --allow-dirty").done().expect_code(1);
    contains(&flag, &["`--allow-dirty` cannot change it"]);
    contains(&folder.run("apply plan.json").done().expect_code(0), &["warning: publish::context::work_tree"]);
}

#[test]
fn packaged_dependencies_and_ignored_charts_are_not_changes() {
    let folder = repository(&charts());
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["mv", "charts/web", "dist-chart"]);
    std::fs::create_dir_all(folder.path.join("dist")).expect("a folder");
    std::fs::rename(folder.path.join("dist-chart"), folder.path.join("dist/web")).expect("moved");
    let text = charts().replace("charts/web", "dist/web");
    folder.write("publish.toml", &text);
    commit(&folder, "the chart is built");
    folder.git(&["tag", "--force", "v1.2.3"]);
    folder.write("README.md", "changed\n");
    let done = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(0);
    contains(&done, &["warning: publish::context::work_tree"]);
}

#[test]
fn another_commit_than_the_published_one_is_noticed() {
    for (configuration, is_error) in [(charts(), true), (images(), false), (images() + CHECK, true)] {
        let folder = repository(&configuration);
        folder.git(&["tag", "--annotate", "--message", "release", "v1.2.3"]);
        let released = folder.git(&["rev-parse", "HEAD"]);
        let head = commit(&folder, "second");
        let runs = [
            folder.run("plan --ref refs/tags/v1.2.3"),
            folder.run(&format!("plan --ref refs/tags/v1.2.3 --sha {}", &released[..9])),
            github(folder.run("plan"), "refs/tags/v1.2.3", &released),
        ];
        for run in runs {
            let done = run.wide().done().expect_code(i32::from(is_error));
            let said = format!(
                "commit {} is checked out, but `refs/tags/v1.2.3` is for commit {}",
                &head[..7],
                &released[..7]
            );
            contains(&done, &["publish::context::work_tree", &said, "git checkout v1.2.3"]);
        }
        folder.run("plan --allow-dirty --ref refs/tags/v1.2.3").done().expect_code(0);
        folder.git(&["checkout", "--quiet", "v1.2.3"]);
        let done = folder.run("plan --ref refs/tags/v1.2.3").done().expect_code(0);
        assert_eq!(done.stderr(), "");
    }
}

#[test]
fn the_merge_of_a_pull_request_is_its_checkout() {
    let pr =
        "[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}\"\nmutability = \"mutable\"\n\n";
    let chart = "[charts.web]\nsource = \"charts/web\"\nversion = \"0.0.0-pr.{{ pr.number }}\"\n";
    let folder = repository(&format!("{HEAD}{pr}{IMAGE}{chart}"));
    folder.git(&["checkout", "--quiet", "-b", "feature"]);
    folder.write("feature", "x");
    let head = commit(&folder, "feature");
    folder.git(&["checkout", "--quiet", "main"]);
    commit(&folder, "meanwhile");
    folder.git(&["checkout", "--quiet", "--detach"]);
    folder.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "feature"]);
    let merge = folder.git(&["rev-parse", "HEAD"]);
    let payload = format!(
        r#"{{"action": "opened", "pull_request": {{"number": 12, "head": {{"sha": "{head}", "ref": "feature"}}}}}}"#
    );
    folder.write("dist/event.json", payload);
    let path = folder.path.join("dist/event.json");
    let run = |name: &str| {
        let run = github(folder.run("plan --json"), "refs/pull/12/merge", &merge);
        run.env("GITHUB_EVENT_NAME", name).env("GITHUB_EVENT_PATH", &path).done()
    };
    let done = run("pull_request").expect_code(0);
    assert_eq!((done.stderr(), done.json()["context"]["sha"].as_str()), (String::new(), Some(head.as_str())));
    // A job of `pull_request_target` has the base checked out: its chart is not that of the pull request.
    folder.git(&["checkout", "--quiet", "main"]);
    contains(&run("pull_request_target").expect_code(1), &["publish::context::work_tree", "pull request 12"]);
}

#[test]
fn a_sha_is_a_commit_of_the_repository() {
    let folder = repository(&images());
    folder.git(&["tag", "--annotate", "--message", "release", "v1.2.3"]);
    let head = folder.git(&["rev-parse", "HEAD"]);
    let tag = folder.git(&["rev-parse", "v1.2.3"]);
    let tree = folder.git(&["rev-parse", "HEAD^{tree}"]);
    assert_ne!(tag, head);
    let plan =
        |sha: &str| folder.run(&format!("plan --json --ref refs/tags/v1.2.3 --sha {sha}")).wide().done();
    for sha in [&head, &tag, &head[..7], &tag[..9], &tag.to_uppercase()] {
        let done = plan(sha).expect_code(0);
        assert_eq!(
            (done.json()["context"]["sha"].as_str(), done.stderr()),
            (Some(head.as_str()), String::new())
        );
    }
    for (sha, texts) in [
        (tree.as_str(), ["publish::context::flag", "it names a tree, not a commit"]),
        (&tree[..8], ["publish::context::flag", "it names a tree, not a commit"]),
        (NOWHERE, ["publish::context::flag", "this repository has no such commit"]),
        (&NOWHERE[..8], ["publish::context::flag", "no commit of this repository starts with these digits"]),
        ("12345", ["publish::context::flag", "7 to 64 hexadecimal digits"]),
    ] {
        contains(&plan(sha).expect_code(1), &texts);
    }
    // The tag names another commit.
    let second = commit(&folder, "second");
    contains(&plan(&second).expect_code(1), &["publish::context::contradiction", &head[..7], &second[..7]]);
    // A branch has many commits.
    let branch = folder.run(&format!("plan --json --ref refs/heads/main --sha {head}")).done().expect_code(0);
    assert_eq!(branch.json()["context"]["sha"], head.as_str());
}

#[test]
fn a_sha_that_cannot_be_looked_up_is_believed_if_it_is_whole() {
    let folder = Folder::with(&[("publish.toml", &images())]);
    folder.image("dist/hello", &image("1.2.3"));
    let plan = |sha: &str| folder.run(&format!("plan --json --ref refs/tags/v1.2.3 --sha {sha}")).wide();
    for run in [plan(NOWHERE), plan(NOWHERE).env("PATH", "")] {
        let done = run.done().expect_code(0);
        assert_eq!((done.json()["context"]["sha"].as_str(), done.stderr()), (Some(NOWHERE), String::new()));
    }
    contains(&plan(&NOWHERE[..8]).done().expect_code(1), &["is not in a git repository", "give all 40"]);
    contains(
        &plan(&NOWHERE[..8]).env("PATH", "").done().expect_code(1),
        &["is not installed", "give all 40"],
    );

    let full = repository(&images());
    full.git(&["tag", "v1.2.3"]);
    commit(&full, "second");
    full.git(&["tag", "v1.2.4"]);
    clone(&full, &["--depth", "1", "--branch", "v1.2.4"]);
    let first = full.git(&["rev-parse", "v1.2.3"]);
    let shallow = |sha: &str| {
        let plan = format!("plan --json --ref refs/heads/main --sha {sha}");
        full.run(&plan).wide().in_folder("clone").done()
    };
    let done = shallow(&first).expect_code(0);
    assert_eq!(done.json()["context"]["sha"], first.as_str());
    contains(&done, &["warning: publish::context::flag", "this clone has no commit", "shallow"]);
    contains(&shallow(&first[..8]).expect_code(1), &["the clone is shallow", "give all 40"]);
}

#[test]
fn a_ref_that_does_not_exist_is_noticed() {
    let folder = repository(&images());
    folder.git(&["tag", "v1.2.3"]);
    let head = folder.git(&["rev-parse", "HEAD"]);
    for reference in ["refs/tags/v9.9.9", "refs/heads/nowhere"] {
        let run = |command: &str| folder.run(&format!("{command} --ref {reference}")).wide().done();
        let said = format!("`--ref {reference}`: this repository has no such ref");
        for command in ["plan", "apply --auto-approve"] {
            contains(&run(command).expect_code(1), &["error: publish::context::flag", &said, "--sha"]);
        }
        // Nothing is published here, and the person may ask before the git tag is made.
        let done = run("tags --format json").expect_code(0);
        contains(&done, &["warning: publish::context::flag", reference, &head[..7]]);
        let done = run(&format!("plan --json --sha {head}")).expect_code(0);
        contains(&done, &["warning: publish::context::flag", reference, "is that of `--sha`"]);
        assert_eq!(done.json()["problems"][0]["severity"], "warning");
    }

    // Clones that need not have every ref.
    for (name, options, reference, cause) in [
        ("shallow", vec!["--depth", "1"], "refs/tags/v9.9.9", "the clone is shallow"),
        ("no tags", vec!["--no-tags"], "refs/tags/v1.2.3", "the clone fetches no git tags"),
        ("one branch", vec!["--single-branch"], "refs/heads/other", "fetches only some branches"),
    ] {
        let folder = repository(&images());
        folder.git(&["tag", "v1.2.3"]);
        clone(&folder, &options);
        let run = folder.run(&format!("plan --json --ref {reference}")).wide().in_folder("clone");
        let done = run.done().expect_code(0);
        contains(
            &done,
            &["warning: publish::context::flag", reference, cause, "which is checked out, is used"],
        );
        assert_eq!(done.json()["context"]["sha"], folder.git(&["rev-parse", "HEAD"]).as_str(), "{name}");
    }
    // A whole clone has every ref, and knows the branches of its remote.
    let folder = repository(&images());
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["checkout", "--quiet", "-b", "other"]);
    let other = commit(&folder, "other");
    folder.git(&["checkout", "--quiet", "main"]);
    clone(&folder, &[]);
    let plan =
        |reference: &str| folder.run(&format!("plan --json --ref {reference}")).in_folder("clone").done();
    plan("refs/tags/v9.9.9").expect_code(1);
    let done = plan("refs/heads/other").expect_code(0);
    assert_eq!(done.json()["context"]["sha"], other.as_str());
    contains(&done, &["publish::context::work_tree"]);
}

#[test]
fn a_ref_needs_no_repository_and_no_git() {
    let folder = Folder::with(&[("publish.toml", &images())]);
    folder.image("dist/hello", &image("1.2.3"));
    for run in
        [folder.run("plan --ref refs/tags/v1.2.3"), folder.run("plan --ref refs/tags/v1.2.3").env("PATH", "")]
    {
        assert_eq!(run.done().expect_code(0).stderr(), "");
    }
    // The variables of the CI are enough where the job has no clone.
    let done = github(folder.run("plan --json"), "refs/tags/v1.2.3", NOWHERE).done().expect_code(0);
    assert_eq!((done.json()["context"]["sha"].as_str(), done.stderr()), (Some(NOWHERE), String::new()));
}

#[test]
fn the_ci_and_the_clone_must_agree_on_a_git_tag() {
    let folder = repository(&images());
    let first = folder.git(&["rev-parse", "HEAD"]);
    folder.git(&["tag", "--annotate", "--message", "release", "v1.2.3"]);
    let object = folder.git(&["rev-parse", "v1.2.3"]);
    for sha in [&first, &object] {
        let done = github(folder.run("plan --json"), "refs/tags/v1.2.3", sha).done().expect_code(0);
        assert_eq!(
            (done.json()["context"]["sha"].as_str(), done.stderr()),
            (Some(first.as_str()), String::new())
        );
    }
    let second = commit(&folder, "second");
    let gitlab = folder.run("plan").env("GITLAB_CI", "true").env("CI_COMMIT_TAG", "v1.2.3");
    for run in [
        github(folder.run("plan"), "refs/tags/v1.2.3", &second),
        github(folder.run("tags"), "refs/tags/v1.2.3", &second),
        gitlab.env("CI_COMMIT_SHA", &second),
    ] {
        let done = run.wide().done().expect_code(1);
        contains(
            &done,
            &["publish::context::contradiction", "the git tag `v1.2.3`", &first[..7], &second[..7]],
        );
    }
    // A branch moves on while its job runs.
    let done = github(folder.run("plan"), "refs/heads/main", &first).done().expect_code(0);
    contains(&done, &["warning: publish::context::work_tree"]);
}

#[test]
fn variables_of_github_that_contradict_each_other_are_refused() {
    let folder = Folder::with(&[
        ("publish.toml", &images()),
        ("event.json", r#"{"action": "published", "release": {"tag_name": "v1.2.4"}}"#),
    ]);
    let event = folder.path.join("event.json");
    let run = || github(folder.run("tags"), "refs/tags/v1.2.3", NOWHERE).wide();
    run().done().expect_code(0);
    for (run, said) in [
        (
            run().env("GITHUB_REF_TYPE", "branch"),
            "GITHUB_REF is `refs/tags/v1.2.3`, but GITHUB_REF_TYPE is `branch`",
        ),
        (
            run().env("GITHUB_REF", "refs/heads/main"),
            "GITHUB_REF is `refs/heads/main`, but GITHUB_REF_TYPE is `tag`",
        ),
        (run().env("GITHUB_REF_NAME", "v1.2.4"), "GITHUB_REF_NAME is `v1.2.4`"),
        (
            run().env("GITHUB_EVENT_NAME", "release").env("GITHUB_EVENT_PATH", &event),
            "the event payload is `v1.2.4`",
        ),
    ] {
        contains(
            &run.done().expect_code(1),
            &["publish::context::contradiction", "GitHub Actions contradicts itself", said],
        );
    }
    // The flags win over the variables.
    let flags = github(folder.run("tags --ref refs/tags/v1.2.3"), "refs/heads/main", NOWHERE);
    flags.env("GITHUB_REF_TYPE", "tag").done().expect_code(0);
}

#[test]
fn prune_does_not_name_the_commit_that_happens_to_be_checked_out() {
    let pr =
        "[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}\"\nmutability = \"mutable\"\n\n";
    let retention = "\n[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\n";
    let folder = repository(&format!("{HEAD}{pr}{IMAGE}{retention}"));
    let head = folder.git(&["rev-parse", "HEAD"]);
    folder.run("apply --auto-approve --pr 12").done().expect_code(0);
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["tag", "v1.2.4"]);
    for arguments in
        ["prune --pr 12 --auto-approve", "prune --event pull_request_closed --pr 12 --auto-approve"]
    {
        let done = folder.run(arguments).done().expect_code(0);
        contains(&done, &["pull request 12"]);
        assert!(!done.shown().contains(&head[..7]), "{}", done.shown());
        assert_eq!(done.stderr().matches("warning").count(), 0, "{}", done.shown());
    }
}
