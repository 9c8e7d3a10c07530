//! Charts with versions of their own, the events that charts are published on, and times that no unrelated commit changes.

use testkit::chart::TestChart;
use testkit::command::Folder;

/// A repository with the charts `web` 1.2.0 and `worker` 0.3.1; `more` belongs to each in `publish.toml`.
fn folder(more: &str) -> Folder {
    let chart = |name: &str| format!("[charts.{name}]\nsource = \"charts/{name}\"\n{more}\n");
    let text = format!(
        "version = 1\n[project]\ndefault_branch = \"main\"\n[registries.bundle]\nurl = \"oci:registry\"\n{}{}",
        chart("web"),
        chart("worker")
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    TestChart::small("web", "1.2.0").write(&folder.path.join("charts/web"));
    TestChart::small("worker", "0.3.1").write(&folder.path.join("charts/worker"));
    folder.write(".gitignore", "registry\n");
    folder.git(&["init", "--quiet"]);
    commit(&folder, "Say hello");
    folder
}

fn commit(folder: &Folder, message: &str) {
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", message]);
}

/// Commits everything at another time than `commit` does, and tags it.
fn release_at(folder: &Folder, time: &str) {
    folder.git(&["add", "."]);
    let mut command = std::process::Command::new("git");
    command.args(["commit", "--quiet", "--message", "Change"]).current_dir(&folder.path);
    testkit::command::clean(&mut command, &folder.home());
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "A Smith")
            .env(format!("GIT_{role}_EMAIL"), "smith@example.com");
        command.env(format!("GIT_{role}_DATE"), time);
    }
    assert!(command.status().expect("git").success());
    folder.git(&["tag", "--force", "v1.2.3"]);
}

const OWN: &str = "version = \"{{ chart.version }}\"";

#[test]
fn each_chart_is_published_under_its_own_version() {
    let folder = folder(OWN);
    folder.run("lint").done().expect_code(0);
    for at in ["--ref refs/heads/main", "--ref refs/tags/v9.0.0", "--event schedule --ref refs/heads/main"] {
        let shown = folder.run(&format!("tags {at}")).done().expect_code(0).stdout();
        assert!(shown.contains("1.2.0") && shown.contains("0.3.1"), "{shown}");
    }
    folder.run("apply --ref refs/heads/main --auto-approve").done().expect_code(0);
    // One chart gets a new version, the other changes without one, and a third commit changes neither.
    TestChart::small("web", "1.3.0").write(&folder.path.join("charts/web"));
    folder.write("charts/worker/values.yaml", "replicas: 2\n");
    commit(&folder, "Release web");
    let plan = folder.run("plan --ref refs/heads/main").wide().done().expect_code(0).stdout();
    assert!(plan.contains("+ 1.3.0"), "{plan}");
    assert!(plan.contains("= 0.3.1"), "{plan}");
    folder.run("apply --ref refs/heads/main --auto-approve").done().expect_code(0);
    folder.run("plan --ref refs/heads/main --detailed-exitcode").done().expect_code(0);

    // A version that another branch or a pull request holds is not released.
    for at in ["--ref refs/heads/feature", "--pr 12"] {
        let shown = folder.run(&format!("tags {at}")).wide().done().shown();
        assert!(!shown.contains("1.3.0"), "{shown}");
    }
    let strict = folder.read("publish.toml").replace(OWN, &format!("{OWN}\non_conflict = \"fail\""));
    folder.write("publish.toml", strict);
    commit(&folder, "Fail");
    let shown = folder.run("plan --ref refs/heads/main").wide().done().expect_code(1).shown();
    assert!(shown.contains("an immutable tag cannot move"), "{shown}");
}

#[test]
fn charts_take_the_conditions_of_tag_rules() {
    for (more, at, fires) in [
        ("on = \"tag\"", "--ref refs/heads/main", false),
        ("on = \"tag\"", "--ref refs/tags/v1.2.3", true),
        ("on = [\"branch\", \"tag\"]\nmatch = \"release/*\"", "--ref refs/heads/main", false),
        ("on = [\"branch\", \"tag\"]\nmatch = \"release/*\"", "--ref refs/heads/release/1", true),
        ("when = \"version.pre == ''\"\non = \"tag\"", "--ref refs/tags/v1.2.3-rc.1", false),
        ("when = \"version.pre == ''\"\non = \"tag\"", "--ref refs/tags/v1.2.3", true),
    ] {
        let folder = folder(more);
        folder.run("lint").done().expect_code(0);
        let shown = folder.run(&format!("tags {at} --format json")).done().json();
        let tags = shown["charts"]["web"]["tags"].as_array().expect("tags").len();
        assert_eq!(tags == 1, fires, "{more} {at}: {shown}");
    }
    let shown = folder("when = \"versoin\"").run("lint").wide().done().expect_code(1).shown();
    assert!(shown.contains("did you mean"), "{shown}");
}

#[test]
fn an_unrelated_commit_gives_the_same_package() {
    let folder = folder("version = \"{{ version }}\"");
    let digest = || {
        let plan = folder.run("plan --ref refs/tags/v1.2.3 --json").done().expect_code(0).json();
        plan["repositories"][0]["content"]["root"]["digest"].clone()
    };
    folder.git(&["tag", "v1.2.3"]);
    let first = digest();
    folder.write("README.md", "# Hello\n");
    folder.write("charts/worker/values.yaml", "replicas: 3\n");
    release_at(&folder, "2026-02-02T00:00:00Z");
    assert_eq!(digest(), first);
    folder.write("charts/web/values.yaml", "replicas: 3\n");
    release_at(&folder, "2026-03-03T00:00:00Z");
    assert_ne!(digest(), first);
}

#[test]
fn one_table_declares_many() {
    let text = "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\
                [charts.\"*\"]\nsource = \"charts/*\"\nversion = \"{{ chart.version }}\"\n\
                [charts.worker]\nsource = \"charts/worker\"\nversion = \"9.9.9\"\n\
                [images.\"tools/*\"]\neach = \"docker/*/Dockerfile\"\nsource = \"oci:dist/{{ image.name }}\"\n";
    let folder = Folder::with(&[
        ("publish.toml", text),
        ("charts/README.md", "# Charts\n"),
        ("docker/lint/Dockerfile", "FROM scratch\n"),
    ]);
    TestChart::small("web", "1.2.0").write(&folder.path.join("charts/web"));
    TestChart::small("worker", "0.3.1").write(&folder.path.join("charts/worker"));
    folder.run("lint").done().expect_code(0);
    let json = folder.run("tags --ref refs/tags/v1.2.3 --format json").done().expect_code(0).json();
    for (kind, name, tag) in
        [("charts", "web", "1.2.0"), ("charts", "worker", "9.9.9"), ("images", "tools/lint", "v1.2.3")]
    {
        assert_eq!(json[kind][name]["tags"][0]["tag"], tag, "{json}");
    }
    assert_eq!(json["charts"].as_object().expect("charts").len(), 2);
    for (from, to, expected) in [
        ("charts/*", "chart/*", "stands for nothing"),
        ("\"charts/*\"", "\"../*\"", "inside the project"),
        ("source = \"charts/*\"", "source = \"charts\"", "needs one `*`"),
        ("each = \"docker/*/Dockerfile\"", "", "has no `each`"),
    ] {
        folder.write("publish.toml", text.replace(from, to));
        let shown = folder.run("lint").wide().done().expect_code(1).shown();
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn versions_of_a_branch_sort_by_time() {
    let folder = folder("");
    let commit = folder.git(&["rev-parse", "--short=7", "HEAD"]);
    let shown = folder.run("tags --ref refs/heads/main").done().expect_code(0).stdout();
    assert!(shown.contains(&format!("0.0.0-main.20260102030405.sha{commit}")), "{shown}");
    let version = |text: &str| semver::Version::parse(text).expect("a version");
    let (one, other) = ("0.0.0-main.20261127101500.sha0123456", "0.0.0-main.20261127101501.sha0000000");
    assert!(version(one) < version(other));
}
