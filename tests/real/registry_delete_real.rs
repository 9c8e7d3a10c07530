//! Deletion from real registries, `docker-registry` and directories, and its effects for other programs.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::small_image::{SmallImage, at, name};
use brokkr_publish::diagnostic::{Code, ToDiagnostic};
use oci_registry::reference::{CredentialVariables, RegistryEndpoint};
use oci_registry::{
    ConnectOptions, Deletion, DeletionObstacle, HeldManifest, RemovalOutcome, Repository, connect, remove_tag,
};
use oci_registry::{Digest, RawManifest, Tag, media_type};
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};

const BASIC: AcceptedClients = AcceptedClients::Basic { username: "alice", password: "secret" };

fn open(url: &str, folder: &Path, password: &'static str) -> Arc<dyn Repository> {
    let endpoint = RegistryEndpoint {
        url: url.parse().expect("a location"),
        insecure: false,
        ca_file: None,
        auth: Some(CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() }),
        provider: None,
        client_certificate: None,
        client_key: None,
        api_url: None,
        api_token_env: None,
    };
    let options = ConnectOptions {
        folder: folder.to_owned(),
        environment: Arc::new(move |name| match name {
            "U" => Some("alice".to_owned()),
            "P" => Some(password.to_owned()),
            _ => None,
        }),
        ..ConnectOptions::default()
    };
    connect(&endpoint, &options).expect("a registry").repository(&name("team/image"))
}

fn tag(text: &str) -> Tag {
    text.parse().expect("a tag")
}

/// The digest of the manifest that skopeo finds at an address; all of its content is copied.
fn seen_by_skopeo(address: &str) -> Digest {
    let copy = tempfile::tempdir().expect("a folder");
    let target = format!("dir:{}", copy.path().display());
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--all", "--preserve-digests"]);
    if address.starts_with("docker://") {
        skopeo.args(["--src-tls-verify=false", "--src-creds", "alice:secret"]);
    }
    run(skopeo.args([address, target.as_str()]));
    Digest::of(&std::fs::read(copy.path().join("manifest.json")).expect("a manifest"))
}

#[tokio::test]
async fn one_tag_goes_and_the_other_stays() {
    for auth in [AcceptedClients::None, BASIC] {
        let server = DockerRegistry::start(&auth);
        let repository = open(&server.host(), Path::new("."), "secret");
        let image = SmallImage::new("deleted");
        let digest = image.index.digest();
        image.push(repository.as_ref(), "v1").await.expect("pushed");
        repository.put_manifest(&at("latest"), &image.index).await.expect("put");
        // This version deletes only by digest, and answers 400 to a tag.
        let deletion = repository.deletion().await.expect("an answer");
        assert_eq!(deletion, Deletion::Manifests);
        assert_eq!(repository.list_tags().await.expect("tags").tags().len(), 2);

        let removal = remove_tag(repository.as_ref(), &tag("v1"), digest, &deletion).await;
        assert_eq!(removal.expect("removed"), RemovalOutcome::Removed);
        assert_eq!(repository.list_tags().await.expect("tags").tags(), [tag("latest")]);
        assert_eq!(seen_by_skopeo(&format!("docker://{}/team/image:latest", server.host())), *digest);
        let again = remove_tag(repository.as_ref(), &tag("v1"), digest, &deletion).await;
        assert_eq!(again.expect("nothing"), RemovalOutcome::Absent);
        let other = Digest::of(b"other");
        let moved = remove_tag(repository.as_ref(), &tag("latest"), &other, &deletion).await;
        assert_eq!(moved.expect("an answer"), RemovalOutcome::Moved(digest.clone()));
        assert_eq!(repository.list_tags().await.expect("tags").tags(), [tag("latest")]);

        repository.delete_manifest(digest).await.expect("deleted");
        repository.delete_manifest(digest).await.expect("gone already");
        assert!(repository.list_tags().await.expect("tags").is_empty());
        assert_eq!(repository.head_manifest(&digest.clone().into()).await.expect("an answer"), None);
        assert_eq!(repository.list_manifests().await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn a_tag_of_docker_s_types_goes_too() {
    let server = DockerRegistry::start(&AcceptedClients::None);
    let repository = open(&server.host(), Path::new("."), "secret");
    let image = SmallImage::new("docker");
    image.push(repository.as_ref(), "oci").await.expect("pushed");
    let (config, layer) = (&image.blobs[0].descriptor, &image.blobs[1].descriptor);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::DOCKER_MANIFEST,
        "config": { "mediaType": media_type::DOCKER_CONFIG, "digest": config.digest, "size": config.size },
        "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar", "digest": layer.digest, "size": layer.size }],
    });
    let manifest = RawManifest::new(media_type::DOCKER_MANIFEST, manifest.to_string().into_bytes());
    for name in ["v1", "latest"] {
        repository.put_manifest(&at(name), &manifest).await.expect("put");
    }
    let deletion = repository.deletion().await.expect("an answer");
    let removal = remove_tag(repository.as_ref(), &tag("v1"), manifest.digest(), &deletion).await;
    assert_eq!(removal.expect("removed"), RemovalOutcome::Removed);
    assert_eq!(seen_by_skopeo(&format!("docker://{}/team/image:latest", server.host())), *manifest.digest());
    assert_eq!(seen_by_skopeo(&format!("docker://{}/team/image:oci", server.host())), *image.index.digest());
}

#[tokio::test]
async fn many_tags_of_one_manifest_go_one_by_one() {
    let server = DockerRegistry::start(&AcceptedClients::None);
    let repository = open(&server.host(), Path::new("."), "secret");
    let image = SmallImage::new("many");
    image.push(repository.as_ref(), "kept").await.expect("pushed");
    let names: Vec<_> = (0..8).map(|number| format!("pr-{number}")).collect();
    for name in &names {
        repository.put_manifest(&at(name), &image.index).await.expect("put");
    }
    let deletion = repository.deletion().await.expect("an answer");
    let removals = names.iter().map(|name| {
        let (repository, deletion, digest) = (repository.as_ref(), &deletion, image.index.digest());
        async move { remove_tag(repository, &tag(name), digest, deletion).await }
    });
    for removal in futures_util::future::join_all(removals).await {
        assert_eq!(removal.expect("removed"), RemovalOutcome::Removed);
    }
    assert_eq!(repository.list_tags().await.expect("tags").tags(), [tag("kept")]);
    assert_eq!(seen_by_skopeo(&format!("docker://{}/team/image:kept", server.host())), *image.index.digest());
}

#[tokio::test]
async fn a_registry_that_deletes_nothing_says_so() {
    for auth in [AcceptedClients::None, BASIC] {
        let server = DockerRegistry::start_without_deleting(&auth);
        let repository = open(&server.host(), Path::new("."), "secret");
        let image = SmallImage::new("kept");
        image.push(repository.as_ref(), "v1").await.expect("pushed");
        let deletion = repository.deletion().await.expect("an answer");
        assert!(matches!(&deletion, Deletion::Nothing(DeletionObstacle::Unsupported { .. })));
        let error = remove_tag(repository.as_ref(), &tag("v1"), image.index.digest(), &deletion).await;
        assert_eq!(error.expect_err("nothing is deleted").to_diagnostic().code, Code::RegistryRejected);
        assert_eq!(
            seen_by_skopeo(&format!("docker://{}/team/image:v1", server.host())),
            *image.index.digest()
        );
        // Nothing is lost, even if the registry was not asked before.
        let error =
            remove_tag(repository.as_ref(), &tag("v1"), image.index.digest(), &Deletion::Manifests).await;
        assert_eq!(error.expect_err("nothing is deleted").to_diagnostic().code, Code::RegistryRejected);
        assert_eq!(
            seen_by_skopeo(&format!("docker://{}/team/image:v1", server.host())),
            *image.index.digest()
        );
    }
    let server = DockerRegistry::start(&BASIC);
    let wrong = open(&server.host(), Path::new("."), "wrong");
    assert_eq!(
        wrong.deletion().await.expect_err("a refusal").to_diagnostic().code,
        Code::RegistryUnauthorized
    );
}

/// The manifests that a directory lists, without their times, which are those of the files.
async fn listed_now(repository: &dyn Repository) -> Vec<HeldManifest> {
    let mut listed = repository.list_manifests().await.expect("an answer").expect("a list");
    let now = jiff::Timestamp::now().as_second();
    for held in &mut listed {
        let created = held.created.take().expect("a time");
        assert!((now - 600..=now).contains(&created), "{created}");
    }
    listed
}

#[tokio::test]
async fn a_directory_lets_go_of_one_tag() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = open("oci:registry", folder.path(), "");
    let layout = folder.path().join("registry/team/image");
    let blob = |digest: &Digest| layout.join("blobs/sha256").join(digest.hex());
    let deletion = repository.deletion().await.expect("an answer");
    assert_eq!(deletion, Deletion::Tags);
    assert_eq!(repository.list_manifests().await.expect("an answer"), Some(Vec::new()));
    let (one, two) = (SmallImage::new("one"), SmallImage::new("two"));
    let absent = remove_tag(repository.as_ref(), &tag("v1"), one.index.digest(), &deletion).await;
    assert_eq!(absent.expect("nothing"), RemovalOutcome::Absent);
    repository.deleter().expect("a deleter").delete_tag(&tag("v1")).await.expect("nothing");
    repository.delete_manifest(one.index.digest()).await.expect("nothing");
    assert!(!layout.exists(), "nothing was made");
    one.push(repository.as_ref(), "v1").await.expect("pushed");
    repository.put_manifest(&at("latest"), &one.index).await.expect("put");
    two.push(repository.as_ref(), "v2").await.expect("pushed");

    let removal = remove_tag(repository.as_ref(), &tag("v1"), one.index.digest(), &deletion).await;
    assert_eq!(removal.expect("removed"), RemovalOutcome::Removed);
    let held = |image: &SmallImage, tags: &[&str]| HeldManifest {
        digest: image.index.digest().clone(),
        tags: tags.iter().map(|text| tag(text)).collect(),
        created: None,
    };
    let listed = listed_now(repository.as_ref()).await;
    assert_eq!(listed, [held(&one, &["latest"]), held(&two, &["v2"])]);
    assert_eq!(seen_by_skopeo(&format!("oci:{}:latest", layout.display())), *one.index.digest());
    let ls = run(Command::new("umoci").args(["ls", "--layout"]).arg(&layout));
    let ls = String::from_utf8(ls).expect("text");
    assert_eq!(ls.split_whitespace().collect::<Vec<_>>(), ["latest", "v2"]);

    // Without a tag the manifest still exists, until it is deleted.
    repository.deleter().expect("a deleter").delete_tag(&tag("latest")).await.expect("removed");
    assert_eq!(listed_now(repository.as_ref()).await, [held(&two, &["v2"]), held(&one, &[])]);
    assert!(repository.get_manifest(&one.index.digest().clone().into()).await.expect("an answer").is_some());
    // A manifest that an index names is not deleted.
    let child = two.manifests[0].digest();
    repository.delete_manifest(child).await.expect("kept");
    assert!(blob(child).is_file());
    repository.delete_manifest(one.index.digest()).await.expect("deleted");
    assert!(!blob(one.index.digest()).exists());
    assert_eq!(listed_now(repository.as_ref()).await, [held(&two, &["v2"])]);
    assert_eq!(seen_by_skopeo(&format!("oci:{}:v2", layout.display())), *two.index.digest());
    // A manifest is deleted with all its tags.
    repository.put_manifest(&at("v3"), &two.index).await.expect("put");
    repository.delete_manifest(two.index.digest()).await.expect("deleted");
    assert!(repository.list_tags().await.expect("tags").is_empty());
    repository.delete_manifest(child).await.expect("deleted");
    assert!(!blob(child).exists());
    run(Command::new("umoci").args(["gc", "--layout"]).arg(&layout));
    assert_eq!(std::fs::read_dir(layout.join("blobs/sha256")).expect("a folder").count(), 0);
}
