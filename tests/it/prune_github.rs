//! Pruning GitHub's container registry, against a stand-in of its packages API: a prune deletes versions and the
//! manifests that only they reach, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;
use oci_registry::{Digest, RawManifest, media_type};
use serde_json::{Value, json};
use testkit::command::{EndedRun, Folder};
use testkit::github_packages::{GithubPackages, Owner, TOKEN};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};

mod untagged;

const REPOSITORY: &str = "acme/app";
const PRUNE: &str = "prune --event pull_request_closed --pr 12";

/// A registry, its packages API, a folder to prune from, and the names of the manifests.
struct PackagesFixture {
    registry: TestRegistry,
    packages: GithubPackages,
    folder: Folder,
    names: BTreeMap<String, String>,
}

impl PackagesFixture {
    /// A package with a release: an index `v1` of `v1-amd64` and an attestation of that.
    async fn new() -> Self {
        let registry = TestRegistry::start(TestRegistryOptions {
            auth: RequiredCredentials::Token,
            ..TestRegistryOptions::default()
        })
        .await;
        let packages = GithubPackages::start(&registry, Owner::Organization).await;
        let host = registry.host();
        let configuration = format!(
            r#"
version = 1

[registries.ghcr]
url = "{host}/acme"
provider = "github"
auth = {{ username_env = "U", password_env = "P" }}

[tags.version]
on = "tag"
template = "v{{{{ version }}}}"

[tags.pr]
on = "pull_request"
template = "pr-{{{{ pr.number }}}}"
mutability = "mutable"

[tags.sha]
on = "branch"
template = "sha-{{{{ git.short_sha }}}}"

[retention.pr]
rule = "pr"
on = "pull_request_closed"

[retention.commits]
rule = "sha"
older_than = "30d"

[images.app]
source = "oci:image"
"#
        );
        let folder = Folder::with(&[("publish.toml", configuration.as_str())]);
        let mut scene = Self { registry, packages, folder, names: BTreeMap::new() };
        scene.multi("v1", &["v1.0.0"]);
        scene
    }

    /// Holds a manifest, under tags or none.
    fn hold(&mut self, name: &str, manifest: &RawManifest, tags: &[&str]) -> Digest {
        let digest = manifest.digest().clone();
        let mut content = self.registry.content();
        content.put(REPOSITORY, manifest.media_type(), manifest.bytes());
        for tag in tags {
            content.tag(REPOSITORY, tag, manifest.media_type(), manifest.bytes());
        }
        self.names.insert(digest.to_string(), name.to_owned());
        digest
    }

    /// Holds an image, which may refer to another manifest.
    fn image(&mut self, name: &str, tags: &[&str], subject: Option<&Digest>) -> Digest {
        let blob = |media_type: &str| json!({ "mediaType": media_type, "digest": Digest::of(name.as_bytes()), "size": name.len() });
        let mut manifest = json!({ "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
            "config": blob(media_type::OCI_CONFIG), "layers": [] });
        if let Some(subject) = subject {
            manifest["subject"] =
                json!({ "mediaType": media_type::OCI_MANIFEST, "digest": subject, "size": 1 });
        }
        self.hold(name, &RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string().into_bytes()), tags)
    }

    /// Holds an index.
    fn index(&mut self, name: &str, tags: &[&str], children: &[&Digest]) -> Digest {
        let manifest = index(name, children);
        self.hold(name, &manifest, tags)
    }

    /// Holds an index of two platforms and an attestation of each.
    fn multi(&mut self, name: &str, tags: &[&str]) -> Digest {
        let parts = ["amd64", "arm64"].map(|platform| {
            let image = self.image(&format!("{name}-{platform}"), &[], None);
            let proof = self.image(&format!("{name}-{platform}-proof"), &[], Some(&image));
            [image, proof]
        });
        let children: Vec<&Digest> = parts.iter().flatten().collect();
        self.index(name, tags, &children)
    }

    fn run(&self, arguments: &str) -> EndedRun {
        let variables = [("U", "octocat"), ("P", TOKEN), ("GITHUB_API_URL", &self.packages.url())];
        self.folder.run(arguments).envs(&variables).wide().done()
    }

    /// Everything that is held, by name, each with its tags.
    fn held(&self) -> Vec<String> {
        let content = self.registry.content();
        let mut held: Vec<String> = content
            .manifests
            .keys()
            .map(|(_, digest)| {
                let tags = content.tags.iter().filter(|(_, named)| *named == digest);
                let tags: Vec<&str> = tags.map(|((_, tag), _)| tag.as_str()).collect();
                let name = self.names.get(digest).map_or(digest.as_str(), String::as_str);
                [&[name], tags.as_slice()].concat().join(" ")
            })
            .collect();
        held.sort();
        held
    }

    /// Asserts that the release is held, and this besides.
    #[track_caller]
    fn expect(&self, others: &[&str]) {
        let release = ["v1 v1.0.0", "v1-amd64", "v1-amd64-proof", "v1-arm64", "v1-arm64-proof"];
        let mut expected: Vec<&str> = release.iter().chain(others).copied().collect();
        expected.sort_unstable();
        assert_eq!(self.held(), expected);
    }

    /// The output of a run, with the place and every digest replaced.
    fn steady(&self, done: &EndedRun) -> String {
        let mut shown = done.shown().replace(&self.registry.host(), "[PLACE]");
        shown = shown.replace(&self.packages.url(), "[API]");
        for (digest, name) in &self.names {
            shown = shown.replace(&digest["sha256:".len()..], &format!("[{name}]"));
            shown = shown.replace(&digest[..19], &format!("sha256:[{name}]"));
        }
        shown
    }
}

fn index(name: &str, children: &[&Digest]) -> RawManifest {
    let entries: Vec<Value> = children
        .iter()
        .map(|child| json!({ "mediaType": media_type::OCI_MANIFEST, "digest": child, "size": 1 }))
        .collect();
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries,
        "annotations": { "name": name } });
    RawManifest::new(media_type::OCI_INDEX, manifest.to_string().into_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_goes_with_what_only_it_reaches() {
    let mut scene = PackagesFixture::new().await;
    scene.multi("pr", &["pr-12"]);
    scene.image("other", &["pr-123"], None);
    scene.image("stray", &[], None);
    let refused = scene.run(PRUNE).expect_code(1);
    assert_snapshot!("whole", scene.steady(&refused));
    let done = scene.run(&format!("{PRUNE} --auto-approve --record record.json")).expect_code(0);
    assert!(
        done.stdout().ends_with("Pruned: 1 removed, 4 untagged manifests deleted.\n"),
        "{}",
        done.shown()
    );
    scene.expect(&["other pr-123", "stray"]);
    // A package that was deleted whole cannot come back.
    let record: Value = serde_json::from_str(&scene.folder.read("record.json")).unwrap();
    assert_eq!(record["outcome"]["repositories"][0]["manifests_deleted"].as_array().unwrap().len(), 4);
    let schema = brokkr_publish::saved::json_schema::<brokkr_publish::model::record::Record>();
    jsonschema::validate(&schema, &record).expect("a record");
    let blocked = scene.run("rollback record.json --auto-approve").expect_code(1);
    assert!(
        blocked.stdout().contains("the registry no longer has the previous digest"),
        "{}",
        blocked.shown()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_with_another_tag_takes_two_steps() {
    let mut scene = PackagesFixture::new().await;
    let digest = scene.multi("pr", &["pr-12", "pr-123"]);
    let done = scene.run(&format!("{PRUNE} --auto-approve")).expect_code(0);
    assert!(done.stdout().contains("by way of a placeholder"), "{}", done.shown());
    scene.expect(&["pr pr-123", "pr-amd64", "pr-amd64-proof", "pr-arm64", "pr-arm64-proof"]);
    assert!(scene.registry.content().tags.values().any(|named| *named == digest.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_something_that_stays_reaches_survives() {
    let mut scene = PackagesFixture::new().await;
    let (shared, under_way, alone, signed) = (
        scene.image("shared", &[], None),
        scene.image("under-way", &[], None),
        scene.image("alone", &[], None),
        scene.image("signed", &[], None),
    );
    let fresh = scene.image("fresh", &[], None);
    scene.packages.put_at(fresh.as_str(), jiff::Timestamp::now().as_second() - 60);
    let pull_request = scene.index("pr", &["pr-12"], &[&shared, &under_way, &alone, &signed, &fresh]);
    scene.index("main", &["main"], &[&shared]);
    // A release under way: its index has no tag yet.
    scene.index("release", &[], &[&under_way]);
    // Signatures and bills: of what goes, and of what stays.
    let bundle = scene.image("bundle", &[], Some(&pull_request));
    let fallback = format!("sha256-{}", pull_request.hex());
    scene.index("fallback", &[&fallback], &[&bundle]);
    scene.image("signature", &[&format!("{fallback}.sig")], None);
    let of_shared = format!("sha256-{}.sig", shared.hex());
    scene.image("signature-of-shared", &[&of_shared], None);
    scene.image("bill", &["bill"], Some(&signed));
    let done = scene.run(&format!("{PRUNE} --auto-approve")).expect_code(0);
    assert_snapshot!("reached", scene.steady(&done));
    scene.expect(&[
        "bill bill",
        "fresh",
        "main main",
        "release",
        "shared",
        &format!("signature-of-shared {of_shared}"),
        "signed",
        "under-way",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_lists_the_version_keeps_it() {
    let mut scene = PackagesFixture::new().await;
    let image = scene.image("pr", &["pr-12"], None);
    scene.index("all", &["all"], &[&image]);
    scene.run(&format!("{PRUNE} --auto-approve")).expect_code(0);
    scene.expect(&["all all", "pr"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_since_the_plan_keeps_what_it_reaches() {
    let mut scene = PackagesFixture::new().await;
    let image = scene.image("pr-amd64", &[], None);
    let pull_request = scene.index("pr", &["pr-12"], &[&image]);
    scene.run(&format!("{PRUNE} --out plan.json")).expect_code(0);
    // An index of the version itself: nothing is deleted.
    let above = scene.index("above", &["above"], &[&pull_request]);
    let stale = scene.run("apply plan.json").expect_code(1);
    assert_snapshot!("needed", scene.steady(&stale));
    scene.expect(&["above above", "pr pr-12", "pr-amd64"]);
    scene.registry.content().delete(REPOSITORY, above.as_str());
    // Another tag of the version.
    scene
        .registry
        .content()
        .tags
        .insert((REPOSITORY.to_owned(), "also".to_owned()), pull_request.to_string());
    let stale = scene.run("apply plan.json").expect_code(1);
    assert!(stale.stderr().contains("it got another tag, `also`"), "{}", stale.shown());
    scene.registry.content().tags.remove(&(REPOSITORY.to_owned(), "also".to_owned()));
    // An index of its platform: that stays, and the rest goes.
    scene.index("main", &["main"], &[&image]);
    scene.run("apply plan.json").expect_code(0);
    scene.expect(&["main main", "pr-amd64"]);
    scene.run("apply plan.json").expect_code(0);
    scene.expect(&["main main", "pr-amd64"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_index_lists_by_the_time_it_is_deleted_is_put_back() {
    let mut scene = PackagesFixture::new().await;
    let image = scene.image("pr-amd64", &[], None);
    scene.index("pr", &["pr-12"], &[&image]);
    scene.run(&format!("{PRUNE} --out plan.json")).expect_code(0);
    let late = index("late", &[&image]);
    scene.names.insert(late.digest().to_string(), "late".to_owned());
    // It is read with everything else, and once more right before it is deleted: somebody puts an index just then.
    let (registry, reads) = (scene.registry.clone(), Arc::new(AtomicUsize::new(0)));
    scene.registry.hold(Arc::new(move |request| {
        let is_read = request.method == "GET" && request.path.ends_with(image.as_str());
        if is_read && reads.fetch_add(1, Ordering::SeqCst) == 1 {
            registry.content().put(REPOSITORY, late.media_type(), late.bytes());
        }
        Box::pin(async {})
    }));
    let done = scene.run("apply plan.json").expect_code(0);
    assert!(done.stdout().ends_with("Pruned: 1 removed.\n"), "{}", done.shown());
    scene.expect(&["late", "pr-amd64"]);
    let deleted = scene.packages.lines().iter().filter(|line| line.starts_with("DELETE")).count();
    assert_eq!(deleted, 2, "it was gone for a moment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_put_again_meanwhile_gets_its_parts_back() {
    let mut scene = PackagesFixture::new().await;
    let image = scene.image("pr-amd64", &[], None);
    let pull_request = scene.index("pr", &["pr-12"], &[&image]);
    scene.run(&format!("{PRUNE} --out plan.json")).expect_code(0);
    // A release of the same digest found everything in place, and gives it a tag.
    let (registry, reads) = (scene.registry.clone(), Arc::new(AtomicUsize::new(0)));
    let manifest = index("pr", &[&image]);
    assert_eq!(*manifest.digest(), pull_request);
    scene.registry.hold(Arc::new(move |request| {
        let is_read = request.method == "GET" && request.path.ends_with(image.as_str());
        if is_read && reads.fetch_add(1, Ordering::SeqCst) == 1 {
            registry.content().tag(REPOSITORY, "v2.0.0", manifest.media_type(), manifest.bytes());
        }
        Box::pin(async {})
    }));
    scene.run("apply plan.json").expect_code(0);
    scene.expect(&["pr v2.0.0", "pr-amd64"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lag_do_no_harm() {
    let mut scene = PackagesFixture::new().await;
    // Removed by way of a placeholder, which is listed after it is gone; and then whole.
    scene.image("both", &["sha-0000001", "kept"], None);
    scene.multi("pr", &["pr-12", "sha-0000002"]);
    scene.packages.linger(9);
    let done = scene.run(&format!("{PRUNE} --auto-approve")).expect_code(0);
    assert!(
        done.stdout().ends_with("Pruned: 3 removed, 4 untagged manifests deleted.\n"),
        "{}",
        done.shown()
    );
    scene.expect(&["both kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_deleted_goes_with_the_same_plan_again() {
    let mut scene = PackagesFixture::new().await;
    scene.multi("pr", &["pr-12"]);
    scene.run(&format!("{PRUNE} --out plan.json")).expect_code(0);
    let plan: Value = serde_json::from_str(&scene.folder.read("plan.json")).unwrap();
    let orphans = plan["repositories"][0]["orphans"].as_array().unwrap();
    let second = scene.packages.id(orphans[1].as_str().unwrap());
    let body = r#"{"message":"Must have admin rights to Repository."}"#;
    scene.packages.on("DELETE", &format!("/versions/{second}"), 1, 403, &[], body);
    let refused = scene.run("apply plan.json").expect_code(1);
    assert!(refused.stderr().contains("role Admin"), "{}", refused.shown());
    assert_eq!(scene.held().iter().filter(|name| name.starts_with("pr-")).count(), 3);
    scene.run("apply plan.json").expect_code(0);
    scene.expect(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_are_those_of_versions() {
    let mut scene = PackagesFixture::new().await;
    let now = jiff::Timestamp::now().as_second();
    for (tag, days) in [("sha-0000001", 31), ("sha-0000002", 29)] {
        let image = scene.image(tag, &[tag], None);
        scene.packages.put_at(image.as_str(), now - days * 24 * 60 * 60);
    }
    scene.run("prune --event schedule --auto-approve").expect_code(0);
    scene.expect(&["sha-0000002 sha-0000002"]);
    assert_eq!(scene.registry.count("GET", "/blobs/"), 0, "no image was asked for its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_tagged_version_stays() {
    let mut scene = PackagesFixture::new().await;
    scene.registry.content().manifests.clear();
    scene.registry.content().tags.clear();
    scene.image("pr", &["pr-12"], None);
    let done = scene.run(&format!("{PRUNE} --auto-approve")).expect_code(0);
    assert_snapshot!("last", scene.steady(&done));
    assert_eq!(scene.held(), ["pr pr-12"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_makes_everything_go_by_itself() {
    let mut scene = PackagesFixture::new().await;
    scene.multi("pr", &["pr-12"]);
    let strange = RawManifest::new("application/vnd.oci.artifact.manifest.v1+json", b"{}".to_vec());
    scene.hold("strange", &strange, &["strange"]);
    let done = scene.run(&format!("{PRUNE} --auto-approve")).expect_code(0);
    assert!(done.stdout().contains("by way of a placeholder"), "{}", done.shown());
    scene.expect(&["pr", "pr-amd64", "pr-amd64-proof", "pr-arm64", "pr-arm64-proof", "strange strange"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_said_and_nothing_is_half_gone() {
    for (method, part, status, message, words) in [
        ("GET", "state=active", 403, "Resource not accessible by integration", "packages: write"),
        ("DELETE", "/versions/", 403, "Must have admin rights to Repository.", "role Admin"),
        ("DELETE", "/versions/", 429, "You have exceeded a secondary rate limit.", "rate_limited"),
    ] {
        let mut scene = PackagesFixture::new().await;
        scene.multi("pr", &["pr-12"]);
        let before = scene.held();
        let body = json!({ "message": message }).to_string();
        scene.packages.on(method, part, 99, status, &[("retry-after", "3600")], &body);
        let refused = scene.run(&format!("{PRUNE} --auto-approve")).expect_code(1);
        assert!(refused.stderr().contains(words), "{}", refused.shown());
        assert!(!refused.shown().contains(TOKEN));
        assert_eq!(scene.held(), before, "{message}");
    }
}
