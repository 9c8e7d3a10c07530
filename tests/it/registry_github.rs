//! Deleting from GitHub's container registry, by its packages API, against a stand-in.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::small_image::{SmallImage, at, name};
use brokkr_publish::diagnostic::{Code, ToDiagnostic};
use oci_registry::reference::{CredentialVariables, RegistryEndpoint};
use oci_registry::{
    ConnectOptions, Deletion, HeldManifest, Notice, RegistryError, RemovalOutcome, Repository, RetryPolicy,
    connect, remove_tag,
};
use oci_registry::{Digest, Provider, Tag};
use testkit::github_packages::{FIRST, GithubPackages, Owner, TOKEN};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};

const NAME: &str = "acme/charts/hello";
const LISTING: &str = "/packages/container/charts%2Fhello/versions?state=active&per_page=100";

/// A registry with one image under two tags and another under `kept`, its packages API, and a client of both.
struct DeleterFixture {
    registry: TestRegistry,
    packages: GithubPackages,
    repository: Arc<dyn Repository>,
    notices: Arc<Mutex<Vec<Notice>>>,
    image: SmallImage,
}

impl DeleterFixture {
    async fn new(owner: Owner) -> Self {
        Self::with(owner, Some(TOKEN)).await
    }

    async fn with(owner: Owner, token: Option<&'static str>) -> Self {
        let options =
            TestRegistryOptions { auth: RequiredCredentials::Token, ..TestRegistryOptions::default() };
        let registry = TestRegistry::start(options).await;
        let packages = GithubPackages::start(&registry, owner).await;
        let (repository, notices) = client(&registry, &packages.url(), token);
        let image = SmallImage::new("hello");
        image.push(repository.as_ref(), "v1").await.expect("pushed");
        repository.put_manifest(&at("latest"), &image.index).await.expect("put");
        SmallImage::new("other").push(repository.as_ref(), "kept").await.expect("pushed");
        registry.forget_log();
        Self { registry, packages, repository, notices, image }
    }

    async fn remove(&self, tag: &str) -> Result<RemovalOutcome, RegistryError> {
        let deletion = self.repository.deletion().await.expect("an answer");
        assert_eq!(deletion, Deletion::Manifests);
        let tag = tag.parse().expect("a tag");
        remove_tag(self.repository.as_ref(), &tag, self.image.index.digest(), &deletion).await
    }

    fn tags(&self) -> Vec<String> {
        self.registry.content().tags.keys().map(|(_, tag)| tag.clone()).collect()
    }
}

fn client(
    registry: &TestRegistry,
    api: &str,
    token: Option<&'static str>,
) -> (Arc<dyn Repository>, Arc<Mutex<Vec<Notice>>>) {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let (sink, api) = (Arc::clone(&notices), api.to_owned());
    let options = ConnectOptions {
        environment: Arc::new(move |name| match name {
            "U" => Some("octocat".to_owned()),
            "P" => token.map(str::to_owned),
            "GITHUB_API_URL" => Some(api.clone()),
            _ => None,
        }),
        notify: Arc::new(move |notice| sink.lock().expect("a lock").push(notice)),
        retry: RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() },
        ..ConnectOptions::default()
    };
    let auth = CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() };
    let endpoint = RegistryEndpoint {
        url: registry.host().parse().expect("a location"),
        insecure: false,
        ca_file: None,
        auth: token.map(|_| auth),
        provider: Some(Provider::Github),
        client_certificate: None,
        client_key: None,
        api_url: None,
        api_token_env: None,
    };
    (connect(&endpoint, &options).expect("a registry").repository(&name(NAME)), notices)
}

fn tags(held: &HeldManifest) -> Vec<&str> {
    held.tags.iter().map(Tag::as_str).collect()
}

#[tokio::test]
async fn one_tag_goes_and_the_other_stays() {
    for owner in [Owner::Organization, Owner::User] {
        let scene = DeleterFixture::new(owner).await;
        let before = scene.registry.content().manifests.len();
        assert_eq!(scene.remove("v1").await.expect("removed"), RemovalOutcome::Removed);
        assert_eq!(scene.tags(), ["kept", "latest"]);
        let read = scene.repository.get_manifest(&at("latest")).await.expect("an answer");
        assert_eq!(read.as_ref(), Some(&scene.image.index));
        assert_eq!(scene.registry.content().manifests.len(), before, "the placeholder is gone");
        assert_eq!(scene.remove("v1").await.expect("nothing"), RemovalOutcome::Absent);
        assert_eq!(scene.registry.count("DELETE", ""), 0, "the registry itself deletes nothing");
    }
}

#[tokio::test]
async fn a_version_is_looked_up_right_before_it_is_deleted() {
    let scene = DeleterFixture::new(Owner::User).await;
    let digest = scene.image.index.digest().clone();
    scene.repository.delete_manifest(&digest).await.expect("deleted");
    let lines = scene.packages.lines();
    let (listed, last) = lines.split_at(2);
    assert_eq!(
        listed,
        [format!("GET /api/v3/orgs/acme{LISTING}"), format!("GET /api/v3/users/acme{LISTING}")]
    );
    let version = last[0].strip_prefix("GET ").expect("a reading").to_owned();
    assert!(
        version.starts_with("/api/v3/users/acme/packages/container/charts%2Fhello/versions/1"),
        "{version}"
    );
    assert_eq!(last[1..], [format!("DELETE {version}")]);
    for asked in scene.packages.asked() {
        let header = |name: &str| asked.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
        assert_eq!(header("authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(header("accept"), "application/vnd.github+json");
        assert_eq!(header("x-github-api-version"), "2022-11-28");
        assert!(header("user-agent").starts_with("oci-registry/"));
    }
    assert_eq!(scene.tags(), ["kept"]);
    scene.repository.delete_manifest(&digest).await.expect("gone already");
}

#[tokio::test]
async fn every_version_is_listed() {
    for size in [1, 2, 100] {
        let scene = DeleterFixture::new(Owner::Organization).await;
        scene.packages.pages_of(size);
        let held = scene.repository.list_manifests().await.expect("an answer").expect("a list");
        // An index and two manifests without a tag, twice.
        assert_eq!(held.len(), 6);
        let index = held.iter().find(|it| it.digest == *scene.image.index.digest()).expect("the index");
        assert_eq!(tags(index), ["latest", "v1"]);
        assert_eq!(held.iter().filter(|it| it.tags.is_empty()).count(), 4);
        let mut created: Vec<_> = held.iter().filter_map(|it| it.created).collect();
        created.sort_unstable();
        assert_eq!(created, (0..6).map(|minute| FIRST + 60 * minute).collect::<Vec<_>>());
        assert_eq!(scene.packages.lines().len(), 6_usize.div_ceil(size));
    }
}

#[tokio::test]
async fn a_package_that_does_not_exist_is_empty() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    {
        let mut content = scene.registry.content();
        content.manifests.clear();
        content.tags.clear();
    }
    assert_eq!(scene.repository.list_manifests().await.expect("an answer"), Some(Vec::new()));
    scene.repository.delete_manifest(&Digest::of(b"x")).await.expect("nothing is there");
    assert_eq!(scene.remove("v1").await.expect("nothing"), RemovalOutcome::Absent);
    // One that is there and that the API hides is no empty one.
    let scene = DeleterFixture::new(Owner::Organization).await;
    scene.packages.on("GET", "/versions", 9, 404, &[], r#"{"message":"Package not found."}"#);
    let error = scene.repository.list_manifests().await.expect_err("it is hidden").to_diagnostic();
    assert_eq!(error.code, Code::RegistryNotFound);
    assert!(error.help.as_deref().unwrap_or_default().contains("role Admin"), "{error:?}");
}

#[tokio::test]
async fn what_is_not_listed_yet_is_waited_for() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    scene.packages.lag(2);
    assert_eq!(scene.remove("v1").await.expect("removed"), RemovalOutcome::Removed);
    assert_eq!(scene.tags(), ["kept", "latest"]);
    assert_eq!(scene.packages.lines().iter().filter(|line| line.contains("state=active")).count(), 3);
}

#[tokio::test]
async fn refusals_have_a_way_out_and_the_tag_is_put_back() {
    for (status, message, code, help) in [
        (403, "Resource not accessible by integration", Code::RegistryDenied, "packages: write"),
        (403, "Must have admin rights to Repository.", Code::RegistryDenied, "role Admin"),
        (
            403,
            "You need at least delete:packages scope to delete a package.",
            Code::RegistryDenied,
            "delete:packages",
        ),
        (
            400,
            "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.",
            Code::RegistryRejected,
            "5,000",
        ),
        (401, "Bad credentials", Code::RegistryUnauthorized, "`U` and `P`"),
    ] {
        let scene = DeleterFixture::new(Owner::Organization).await;
        let body = serde_json::json!({ "message": message }).to_string();
        scene.packages.on("DELETE", "/versions/", 9, status, &[], &body);
        let error = scene.remove("v1").await.expect_err(message).to_diagnostic();
        assert_eq!(error.code, code, "{message}");
        assert!(error.help.as_deref().unwrap_or_default().contains(help), "{error:?}");
        assert!(!format!("{error:?}").contains(TOKEN));
        assert_eq!(scene.tags(), ["kept", "latest", "v1"]);
        let read = scene.repository.get_manifest(&at("v1")).await.expect("an answer");
        assert_eq!(read.as_ref(), Some(&scene.image.index), "{message}");
    }
}

#[tokio::test]
async fn the_last_tag_of_a_package_stays() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    scene.registry.content().tags.retain(|(_, tag), _| tag == "v1");
    let error = scene.remove("v1").await.expect_err("GitHub keeps it").to_diagnostic();
    assert_eq!(error.code, Code::RegistryRejected);
    assert!(error.help.as_deref().unwrap_or_default().contains("last tagged version"), "{error:?}");
    let read = scene.repository.get_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(read.as_ref(), Some(&scene.image.index));
}

#[tokio::test]
async fn credentials_are_asked_for() {
    let scene = DeleterFixture::with(Owner::Organization, None).await;
    let error = scene.repository.list_manifests().await.expect_err("no token").to_diagnostic();
    assert_eq!(error.code, Code::RegistryUnauthorized);
    assert!(error.help.as_deref().unwrap_or_default().contains("no credentials were found"), "{error:?}");
    let scene = DeleterFixture::with(Owner::Organization, Some("ghp_wrong")).await;
    let error = scene.repository.list_manifests().await.expect_err("another token");
    assert_eq!(error.to_diagnostic().code, Code::RegistryUnauthorized);
    assert!(!format!("{error} {error:?}").contains("ghp_wrong"));
}

#[tokio::test]
async fn limits_are_waited_for() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#;
    scene.packages.on("DELETE", "/versions/", 1, 403, &[("retry-after", "1")], secondary);
    let soon = (jiff::Timestamp::now().as_second() + 2).to_string();
    let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", soon.as_str())];
    let primary = r#"{"message":"API rate limit exceeded for user ID 1."}"#;
    scene.packages.on("GET", "/versions/", 1, 403, &used_up, primary);
    scene.packages.on("GET", "state=active", 1, 503, &[], "");
    let started = Instant::now();
    assert_eq!(scene.remove("v1").await.expect("removed"), RemovalOutcome::Removed);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(scene.notices.lock().expect("a lock").len(), 3);

    let hour = (jiff::Timestamp::now().as_second() + 3600).to_string();
    let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", hour.as_str())];
    scene.packages.on("GET", "state=active", 1, 403, &used_up, primary);
    let error = scene.repository.list_manifests().await.expect_err("too long a wait").to_diagnostic();
    assert_eq!(error.code, Code::RegistryRateLimited);
    assert!(error.help.as_deref().unwrap_or_default().contains("60 minutes"), "{error:?}");
}

#[tokio::test]
async fn what_was_deleted_unnoticed_is_gone() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    scene.packages.lose("DELETE", "/versions/", 502);
    assert_eq!(scene.remove("v1").await.expect("removed"), RemovalOutcome::Removed);
    assert_eq!(scene.tags(), ["kept", "latest"]);
}

#[tokio::test]
async fn a_version_that_became_another_is_left_alone() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    let other = serde_json::json!({ "id": 1001, "name": Digest::of(b"other") }).to_string();
    scene.packages.on("GET", "/versions/1", 1, 200, &[], &other);
    let error = scene.repository.delete_manifest(scene.image.index.digest()).await.expect_err("another");
    assert!(error.to_string().contains("is another one now"), "{error}");
    assert!(!scene.packages.lines().iter().any(|line| line.starts_with("DELETE")));
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let scene = DeleterFixture::new(Owner::Organization).await;
    let elsewhere = GithubPackages::start(&scene.registry, Owner::Organization).await;
    let next = format!("<{}/orgs/acme{LISTING}&page=2>; rel=\"next\"", elsewhere.url());
    scene.packages.on("GET", "state=active", 1, 200, &[("link", &next)], "[]");
    let error = scene.repository.list_manifests().await.expect_err("another host");
    assert!(error.to_string().contains("another host"), "{error}");
    scene.packages.on("GET", "state=active", 1, 307, &[("location", &elsewhere.url())], "");
    assert!(scene.repository.list_manifests().await.is_err());
    assert!(elsewhere.lines().is_empty());
    // Pages that come again and again.
    let same = format!("<{}/orgs/acme{LISTING}&page=7>; rel=\"next\"", scene.packages.url());
    scene.packages.on("GET", "state=active", 9, 200, &[("link", &same)], "[]");
    let error = scene.repository.list_manifests().await.expect_err("a circle");
    assert!(error.to_string().contains("without an end"), "{error}");

    for api in ["http://ghe.example/api/v3", "ftp://127.0.0.1/", "nowhere"] {
        let (repository, _) = client(&scene.registry, api, Some(TOKEN));
        let error = repository.list_manifests().await.expect_err(api);
        assert!(error.to_string().contains("GITHUB_API_URL"), "{error}");
        assert!(repository.head_manifest(&at("kept")).await.expect("an answer").is_some(), "the rest works");
    }
}

#[tokio::test]
async fn strange_answers_are_said() {
    for body in ["", "{}", "<html>", r#"[{"id":"x"}]"#] {
        let scene = DeleterFixture::new(Owner::Organization).await;
        scene.packages.on("GET", "state=active", 1, 200, &[], body);
        let error = scene.repository.list_manifests().await.expect_err(body);
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
    }
}
