//! Retention by git, by use, by age since publication, and of the versions of charts.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testkit::chart::TestChart;
use testkit::command::Folder;
use testkit::test_registry::{Deletes, TestRegistry, TestRegistryOptions};
use testkit::world::image;

/// A git repository with a remote, that publishes to a directory, and these retentions.
fn repository(retentions: &str) -> Folder {
    let text = format!(
        "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n\
         [tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\
         [tags.branch]\non = \"branch\"\ntemplate = \"branch-{{{{ git.branch | slug }}}}\"\nmutability = \"mutable\"\n\
         [images.app]\nsource = \"oci:image\"\n{retentions}"
    );
    let folder = Folder::with(&[("publish.toml", &text), (".gitignore", "/image\n/registry\n/origin\n")]);
    folder.image("image", &image("app"));
    folder.git(&["init", "--quiet", "--initial-branch", "main"]);
    folder.git(&["init", "--quiet", "--bare", "origin"]);
    folder.git(&["remote", "add", "origin", "./origin"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder.git(&["push", "--quiet", "origin", "main"]);
    folder
}

/// The tags of a repository in a directory.
fn tags(folder: &Folder, repository: &str) -> Vec<String> {
    let index: Value =
        serde_json::from_str(&folder.read(&format!("registry/{repository}/index.json"))).expect("JSON");
    let named = index["manifests"].as_array().expect("manifests").iter();
    let mut tags: Vec<String> = named
        .filter_map(|it| it["annotations"]["org.opencontainers.image.ref.name"].as_str().map(str::to_owned))
        .collect();
    tags.sort();
    tags
}

/// Makes every file of the directory that old.
fn age(folder: &Folder, repository: &str, days: u64) {
    let blobs = folder.path.join(format!("registry/{repository}/blobs/sha256"));
    for entry in std::fs::read_dir(blobs).expect("blobs") {
        let file =
            std::fs::File::options().write(true).open(entry.expect("an entry").path()).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).expect("a time");
    }
}

fn published(folder: &Folder, reference: &str) {
    folder.run(&format!("apply --auto-approve --ref {reference}")).done().expect_code(0);
}

#[test]
fn branches_that_are_gone_lose_their_tags() {
    let folder = repository("[retention.branches]\nrule = \"branch\"\nkeep = \"branches\"\n");
    for branch in ["feature", "other/fix"] {
        folder.git(&["branch", branch]);
        folder.git(&["push", "--quiet", "origin", branch]);
    }
    for branch in ["main", "feature", "other/fix"] {
        published(&folder, &format!("refs/heads/{branch}"));
    }
    let all = tags(&folder, "app");
    // The clone still has the branch, and the remote does not.
    folder.git(&["push", "--quiet", "origin", "--delete", "feature"]);
    let shown = folder.run("prune --event schedule -v --auto-approve").wide().done().expect_code(0).shown();
    assert!(shown.contains("no git tag or branch that exists has it"), "{shown}");
    assert!(shown.contains("kept: the branch main exists"), "{shown}");
    let left: Vec<String> = all.into_iter().filter(|tag| tag != "branch-feature").collect();
    assert_eq!(tags(&folder, "app"), left);
    // A remote that does not answer proves nothing.
    folder.git(&["push", "--quiet", "origin", "--delete", "other/fix"]);
    folder.git(&["remote", "set-url", "origin", "./nowhere"]);
    let shown = folder.run("prune --event schedule --auto-approve").wide().done().expect_code(0).shown();
    assert!(shown.contains("the remote `origin` does not list its tags and branches"), "{shown}");
    assert_eq!(tags(&folder, "app"), left);
}

#[test]
fn versions_of_git_tags_that_exist_stay_and_so_do_the_newest_of_each_minor_line() {
    let folder =
        repository("[retention.releases]\nrule = \"version\"\nkeep = [\"git_tags\"]\nkeep_per_minor = 1\n");
    for version in ["1.0.0", "1.0.1", "1.0.2", "1.1.0"] {
        folder.git(&["tag", &format!("v{version}")]);
        published(&folder, &format!("refs/tags/v{version}"));
    }
    folder.git(&["push", "--quiet", "origin", "v1.0.0"]);
    let shown = folder.run("prune --event schedule -v --auto-approve").wide().done().expect_code(0).shown();
    for expected in [
        "kept: the git tag v1.0.0 exists",
        "beyond the newest 1 of its minor line",
        "kept: the newest of its minor line",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert_eq!(tags(&folder, "app"), ["v1.0.0", "v1.0.2", "v1.1.0"]);
}

#[test]
fn the_age_counts_from_the_publication_unless_the_file_says_otherwise() {
    let old = "[retention.old]\nmatch = \"branch-main\"\nolder_than = \"30d\"\n";
    let folder = repository(old);
    // An old commit, published today.
    folder.image("image", &image("app").created("2020-01-01T00:00:00Z"));
    published(&folder, "refs/heads/main");
    folder.run("prune --event schedule --auto-approve").done().expect_code(0);
    assert_eq!(tags(&folder, "app"), ["branch-main"]);
    let text = folder.read("publish.toml");
    folder.write("publish.toml", format!("{text}age_from = \"creation\"\n"));
    let shown = folder.run("prune --event schedule").wide().done().expect_code(1).shown();
    assert!(shown.contains("older than 30d"), "{shown}");
    folder.write("publish.toml", text);
    age(&folder, "app", 31);
    folder.run("prune --event schedule --auto-approve").done().expect_code(0);
    assert_eq!(tags(&folder, "app"), [""; 0]);
}

#[test]
fn the_charts_of_a_pull_request_go_when_it_closes() {
    let text = "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n[charts.web]\nsource = \"charts/web\"\n\
                version = \"0.0.0-pr.{{ pr.number }}\"\n[retention.pr]\nrule = \"charts.web version\"\non = \"pull_request_closed\"\n";
    let folder = Folder::with(&[("publish.toml", text)]);
    TestChart::small("web", "0.1.0").write(&folder.path.join("charts/web"));
    for number in ["1", "12", "123"] {
        folder.run(&format!("apply --auto-approve --event pull_request --pr {number}")).done().expect_code(0);
    }
    assert_eq!(tags(&folder, "charts/web"), ["0.0.0-pr.1", "0.0.0-pr.12", "0.0.0-pr.123"]);
    let prune = "prune --event pull_request_closed --pr 12 --auto-approve";
    let shown = folder.run(prune).wide().done().expect_code(0).shown();
    assert!(shown.contains("pull request 12 is closed"), "{shown}");
    assert_eq!(tags(&folder, "charts/web"), ["0.0.0-pr.1", "0.0.0-pr.123"]);
    // A chart has one template for every event, so conditions are common.
    let conditional =
        "{% if event == 'pull_request' %}0.0.0-pr.{{ pr.number }}{% else %}{{ version }}{% endif %}";
    folder.write("publish.toml", text.replace("0.0.0-pr.{{ pr.number }}", conditional));
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3").done().expect_code(0);
    folder.run("prune --event pull_request_closed --pr 1 --auto-approve").done().expect_code(0);
    assert_eq!(tags(&folder, "charts/web"), ["0.0.0-pr.123", "1.2.3"]);
    // A version that does not name the pull request cannot say which charts go, and the message shows the place.
    folder.write("publish.toml", text.replace("0.0.0-pr.{{ pr.number }}", "{{ version }}"));
    let shown = folder.run("lint").wide().done().expect_code(1).shown();
    assert!(shown.contains("publish::retention::rule") && shown.contains("{{ version }}"), "{shown}");
    folder.write("publish.toml", text.replace("charts.web version", "charts.wbe version"));
    let shown = folder.run("lint").wide().done().expect_code(1).shown();
    assert!(shown.contains("there is no tag rule `charts.wbe version`"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_or_a_file_still_names_stays() {
    let registry =
        TestRegistry::start(TestRegistryOptions { deletes: Deletes::Tags, ..Default::default() }).await;
    let text = format!(
        "version = 1\n[registries.r]\nurl = \"{}/acme\"\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\
         [images.app]\nsource = \"oci:image\"\n[retention.releases]\nrule = \"version\"\nkeep_last = 1\n\
         in_use = [\"file:deployed.txt\", \"file:pods.json\"]\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let mut platform = String::new();
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"] {
        let written = folder.image("image", &image(version));
        if version == "1.1.0" {
            platform = written.images[0]["digest"].as_str().expect("a digest").to_owned();
        }
        folder.run(&format!("apply --auto-approve --ref refs/tags/v{version}")).done().expect_code(0);
    }
    let host = registry.host();
    // A missing file, and a line that is no reference, are refused.
    let shown = folder.run("prune --auto-approve").wide().done().expect_code(1).shown();
    assert!(shown.contains("publish::retention::in_use"), "{shown}");
    folder.write(
        "deployed.txt",
        format!("# production\n{host}/acme/app:v1.0.0\nelsewhere.example/acme/app:v1.2.0\n"),
    );
    let pods = json!({ "kind": "List", "items": [{ "status": { "containerStatuses": [
        { "image": "whatever:v9", "imageID": format!("{host}/acme/app@{platform}") }] } }] });
    folder.write("pods.json", pods.to_string());
    let shown = folder.run("prune -v --auto-approve").wide().done().expect_code(0).shown();
    assert!(shown.contains("kept: in use: deployed.txt names it"), "{shown}");
    assert!(shown.contains("kept: in use: pods.json names it"), "{shown}");
    let mut left: Vec<String> = registry.content().tags.keys().map(|(_, tag)| tag.clone()).collect();
    left.sort();
    assert_eq!(left, ["v1.0.0", "v1.1.0", "v1.4.0"]);
}
