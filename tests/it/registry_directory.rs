//! Registries that are a directory: several writers at once, and writers that are killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::small_image::{Blob, Body, SmallImage, at, name};
use brokkr_publish::diagnostic::{Code, ToDiagnostic};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{BlobOutcome, ConnectOptions, RegistryError, Repository, connect};
use oci_registry::{Digest, Manifest, RawManifest, media_type};

/// Names the directory to a process that is to be killed.
const TARGET: &str = "BROKKR_PUBLISH_TEST_TARGET";

fn repository(folder: &Path, text: &str) -> Arc<dyn Repository> {
    let options = ConnectOptions { folder: folder.to_owned(), ..ConnectOptions::default() };
    let url = "oci:registry".parse().expect("a location");
    let endpoint = RegistryEndpoint::of(url);
    connect(&endpoint, &options).expect("a registry").repository(&name(text))
}

/// Every tag names a manifest that is whole, down to its blobs. Returns how many there are.
async fn check_complete(folder: &Path, repository: &dyn Repository) -> usize {
    let tags = repository.list_tags().await.expect("tags").tags().to_vec();
    for tag in &tags {
        let index =
            repository.get_manifest(&tag.clone().into()).await.expect("an answer").expect("a manifest");
        let Manifest::Index { manifests, .. } = index.parse().expect("an index") else { panic!("no index") };
        for child in manifests {
            let child =
                repository.get_manifest(&child.digest.into()).await.expect("an answer").expect("a child");
            for blob in child.parse().expect("a manifest").blobs() {
                let bytes = repository.get_blob(blob, 1 << 20).await.expect("a blob");
                assert_eq!(Digest::of(&bytes), blob.digest);
            }
        }
    }
    let marker = folder.join("registry/o/n/oci-layout");
    assert!(tags.is_empty() || marker.is_file());
    tags.len()
}

#[tokio::test]
async fn a_killed_writer_leaves_a_layout_that_can_be_read() {
    if let Ok(folder) = std::env::var(TARGET) {
        let repository = repository(Path::new(&folder), "o/n");
        for round in 0.. {
            let image = SmallImage::new(&format!("round {round}"));
            image.push(repository.as_ref(), &format!("v{}", round % 7)).await.expect("pushed");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let repository = repository(folder.path(), "o/n");
    for round in 0..12 {
        let mut children: Vec<Child> = (0..2).map(|_| spawn(folder.path())).collect();
        // Long enough for a process to start, and then another moment each time.
        tokio::time::sleep(Duration::from_millis(60 + round * 7)).await;
        for child in &mut children {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        check_complete(folder.path(), repository.as_ref()).await;
    }
    SmallImage::new("last").push(repository.as_ref(), "last").await.expect("pushed");
    assert!(check_complete(folder.path(), repository.as_ref()).await > 1);
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "registry_directory::a_killed_writer_leaves_a_layout_that_can_be_read"])
        .env(TARGET, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_do_not_lose_each_others_tags() {
    let folder = tempfile::tempdir().expect("a folder");
    let writers = (0..8).map(|writer| {
        let folder = folder.path().to_owned();
        tokio::spawn(async move {
            let repository = repository(&folder, "o/n");
            let image = SmallImage::new("shared");
            for number in 0..10 {
                image.push(repository.as_ref(), &format!("w{writer}-{number}")).await?;
            }
            Ok::<_, RegistryError>(())
        })
    });
    for writer in futures_util::future::join_all(writers).await {
        writer.expect("a writer").expect("pushed");
    }
    let repository = repository(folder.path(), "o/n");
    assert_eq!(check_complete(folder.path(), repository.as_ref()).await, 80);
    // Only the files of a layout and the lock are left.
    let mut left: Vec<_> = std::fs::read_dir(folder.path().join("registry/o/n"))
        .expect("a listing")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    left.sort();
    assert_eq!(left, [".brokkr-publish.lock", "blobs", "index.json", "oci-layout"]);
}

#[tokio::test]
async fn blobs_are_linked_from_other_repositories() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (repository(folder.path(), "one"), repository(folder.path(), "two"));
    let blob = Blob::noise(3_000_000, 1);
    assert!(!one.has_blob(&blob.descriptor).await.expect("an answer"));
    let outcome = one.push_blob(&blob.descriptor, &blob.body(), None).await.expect("pushed");
    assert_eq!(outcome, BlobOutcome::Pushed);
    let body = blob.body();
    let outcome = two.push_blob(&blob.descriptor, &body, Some(&name("one"))).await.expect("linked");
    assert_eq!((outcome, body.opened()), (BlobOutcome::Mounted, 0));
    let outcome = two.push_blob(&blob.descriptor, &body, Some(&name("one"))).await.expect("linked again");
    assert_eq!(outcome, BlobOutcome::Mounted);
    assert_eq!(two.get_blob(&blob.descriptor, 1 << 30).await.expect("a blob"), blob.bytes);
    // A broken blob is not linked from the other repository.
    let other = Blob::noise(1000, 2);
    one.push_blob(&other.descriptor, &other.body(), None).await.expect("pushed");
    let path = folder.path().join("registry/one/blobs/sha256").join(other.descriptor.digest.hex());
    std::fs::write(path, [0; 1000]).expect("broken");
    let outcome = two.push_blob(&other.descriptor, &other.body(), Some(&name("one"))).await.expect("pushed");
    assert_eq!(outcome, BlobOutcome::Pushed);
    assert!(matches!(
        one.get_blob(&other.descriptor, 1000).await,
        Err(RegistryError::ContentMismatch { .. })
    ));
}

#[tokio::test]
async fn what_is_not_as_described_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = repository(folder.path(), "o/n");
    let blob = Blob::noise(10_000, 1);
    for body in [
        Body::broken(blob.bytes.clone()),
        Body::new(blob.bytes.slice(..9_999), 100),
        Body::new([&blob.bytes[..], b"x"].concat(), 100),
        Body::new(vec![0; 10_000], 100),
    ] {
        let error = repository.push_blob(&blob.descriptor, &body, None).await.expect_err("refused");
        assert!(matches!(error, RegistryError::Content { .. }), "{error:?}");
        assert!(!repository.has_blob(&blob.descriptor).await.expect("an answer"));
    }
    let blobs = folder.path().join("registry/o/n/blobs/sha256");
    assert_eq!(std::fs::read_dir(blobs).expect("a listing").count(), 0);
}

#[tokio::test]
async fn no_tag_names_an_incomplete_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = repository(folder.path(), "o/n");
    let image = SmallImage::new("incomplete");
    let error = repository.put_manifest(&at("v1"), &image.index).await.expect_err("children are missing");
    assert_eq!(error.to_diagnostic().code, Code::RegistryDirectory);
    assert!(error.to_string().contains("which is not there"), "{error}");
    assert_eq!(repository.head_manifest(&at("v1")).await.expect("an answer"), None);
    image.push(repository.as_ref(), "v1").await.expect("pushed");
    let child = image.manifests[0].digest().clone();
    let found =
        repository.head_manifest(&child.clone().into()).await.expect("an answer").expect("a manifest");
    assert_eq!(found.media_type, media_type::OCI_MANIFEST);
    // The registry notices a manifest that broke since, and it can be put again.
    let path = folder.path().join("registry/o/n/blobs/sha256").join(child.hex());
    std::fs::write(path, "{}").expect("broken");
    assert_eq!(repository.head_manifest(&child.clone().into()).await.expect("an answer"), None);
    repository.put_manifest(&child.clone().into(), &image.manifests[0]).await.expect("put");
    assert!(repository.head_manifest(&child.into()).await.expect("an answer").is_some());
    let index = folder.path().join("registry/o/n/blobs/sha256").join(image.index.digest().hex());
    std::fs::remove_file(index).expect("removed");
    assert!(repository.head_manifest(&at("v1")).await.is_err());
    let empty = RawManifest::new(media_type::OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    let wrong = repository.put_manifest(&Digest::of(b"x").into(), &empty).await.expect_err("another digest");
    assert!(matches!(wrong, RegistryError::ContentMismatch { .. }), "{wrong:?}");
}

#[tokio::test]
async fn each_cause_has_its_way_out() {
    let folder = tempfile::tempdir().expect("a directory");
    let registry = folder.path().join("registry");
    std::fs::create_dir_all(registry.join("web")).expect("a folder");
    std::fs::write(registry.join("web/index.html"), "a web page").expect("a file");
    std::fs::write(registry.join("file"), "a file").expect("a file");
    for text in ["broken", "whole"] {
        SmallImage::new("a").push(repository(folder.path(), text).as_ref(), "v1").await.expect("pushed");
    }
    std::fs::write(registry.join("broken/index.json"), "[").expect("a file");
    for (text, words) in [
        ("web", "empty or new directory"),
        ("file/below", "empty or new directory"),
        ("broken", "restore the missing files"),
        ("whole/blobs", "another `repository`"),
    ] {
        let error = repository(folder.path(), text).list_tags().await.expect_err(text);
        assert_eq!(error.to_diagnostic().code, Code::RegistryDirectory, "{error:?}");
        let help = error.to_diagnostic().help.expect("a help");
        assert!(help.contains(words), "{text}: {help}");
    }
    std::fs::write(registry.join("oci-layout"), "{}").expect("a file");
    let error = repository(folder.path(), "whole").list_tags().await.expect_err("a layout as a registry");
    assert!(error.to_diagnostic().help.is_some_and(|help| help.contains("above this layout")), "{error:?}");
}
