//! Images in registries: a registry in a directory.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use oci_registry::reference::RegistryEndpoint;
use oci_registry::{ConnectOptions, RegistryLocation, Repository, TagOrDigest};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::super::fixture::{self, TestImage, TestLayer, Written};
use super::super::{OpenedContent, Surroundings, open, walk};
use super::*;
use crate::refusal::variant;
use crate::{DigestFolder, OpenedSource, SourceRegistries, SourceRepository, SourceSpec, TransportSpec};

/// A registry with one repository, which every image is read from.
struct RemoteFixture {
    folder: TempDir,
    runtime: Runtime,
    repository: Arc<dyn Repository>,
}

impl RemoteFixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("registry").display().to_string();
        let endpoint = RegistryEndpoint::of(RegistryLocation::Directory { path });
        let registry = oci_registry::connect(&endpoint, &ConnectOptions::default()).expect("a registry");
        let repository = registry.repository(&"team/app".parse().expect("a name"));
        Self { folder, runtime: Runtime::new().expect("a runtime"), repository }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The layout that holds the repository.
    fn layout(&self) -> PathBuf {
        self.path().join("registry/team/app")
    }

    fn push(&self, tag: &str, image: &TestImage) -> Written {
        let written = image.write(&self.layout());
        self.tag(tag, &written.media_type, &written.bytes);
        written
    }

    fn tag(&self, tag: &str, media_type: &str, bytes: &[u8]) {
        let at = TagOrDigest::Tag(tag.parse().expect("a tag"));
        let manifest = RawManifest::new(media_type, bytes.to_vec());
        self.runtime.block_on(self.repository.put_manifest(&at, &manifest)).expect("put");
    }

    fn surroundings(&self) -> Surroundings {
        let repository = Arc::clone(&self.repository);
        let find = move |_: &RemoteReference| {
            Ok(SourceRepository { repository: Arc::clone(&repository), travels: true, pauses: Vec::new() })
        };
        let registries = SourceRegistries::new(self.runtime.handle().clone(), find);
        Surroundings { registries: Some(registries), ..Surroundings::local(self.path()) }
    }

    fn open_spec(&self, spec: &SourceSpec) -> Result<OpenedSource, SourceError> {
        open(spec, &self.surroundings())
    }

    fn open(&self, text: &str) -> Result<OpenedSource, SourceError> {
        self.open_spec(&SourceSpec::One(text.parse().expect(text)))
    }

    fn refused(&self, text: &str) -> SourceError {
        let Err(error) = self.open(text) else { panic!("{text} was opened") };
        error
    }

    fn digests(&self) -> Result<OpenedSource, SourceError> {
        let from = "docker://r.example/team/app".parse().expect("a source");
        self.open_spec(&SourceSpec::Digests(DigestFolder {
            digests: "digests".to_owned(),
            from,
            target: None,
        }))
    }

    fn leave(&self, name: &str) {
        let path = self.path().join("digests").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "").expect("written");
    }
}

#[test]
fn digests_that_never_come_are_given_up_and_the_wait_is_said() {
    let scene = RemoteFixture::new();
    let absent = "0".repeat(64);
    scene.leave(&absent);
    let from = "docker://r.example/team/app".parse().expect("a source");
    let spec = SourceSpec::Digests(DigestFolder { digests: "digests".to_owned(), from, target: None });
    let waits = Arc::new(Mutex::new(Vec::new()));
    for (pauses, words) in [(3, ", after 0 s of waiting for it"), (0, "")] {
        let (repository, noted) = (Arc::clone(&scene.repository), Arc::clone(&waits));
        let find = move |_: &RemoteReference| {
            let pauses = vec![Duration::from_millis(1); pauses];
            Ok(SourceRepository { repository: Arc::clone(&repository), travels: true, pauses })
        };
        let registries = SourceRegistries::new(scene.runtime.handle().clone(), find);
        let registries = registries.notifying(move |wait| {
            noted.lock().expect("a lock").push((wait.attempt, wait.content.to_owned()));
        });
        let surroundings = Surroundings { registries: Some(registries), ..Surroundings::local(scene.path()) };
        let Err(error) = open(&spec, &surroundings) else { panic!("it was opened") };
        assert_eq!(
            error.to_string(),
            format!("there is no image `r.example/team/app@sha256:{absent}`{words}")
        );
        // Content that was not just pushed is not waited for.
        let one = SourceSpec::One(
            format!("docker://r.example/team/app@sha256:{absent}").parse().expect("a source"),
        );
        let Err(error) = open(&one, &surroundings) else { panic!("it was opened") };
        assert!(!error.to_string().contains("waiting"), "{error}");
    }
    let waits = waits.lock().expect("a lock");
    let name = format!("GET manifest `sha256:{absent}` of docker://r.example/team/app");
    assert_eq!(*waits, [(1, name.clone()), (2, name.clone()), (3, name)]);
}

fn for_platform(platform: &str) -> TestImage {
    TestImage::new().platform(platform, vec![TestLayer::files(&[("for", platform.as_bytes())])])
}

#[test]
fn a_tag_is_resolved_once() {
    let scene = RemoteFixture::new();
    let first = scene.push("rc", &for_platform("linux/amd64").attested());
    let opened = scene.open("docker://r.example/team/app:rc").expect("opened");
    assert_eq!(opened.spec.to_string(), format!("docker://r.example/team/app:rc@{}", first.digest));
    scene.push("rc", &for_platform("linux/arm64"));
    let content = walk(opened.source.as_ref()).expect("content");
    assert_eq!(content.root.digest.to_string(), first.digest);
    assert_eq!(content.manifests.last().map(RawManifest::bytes), Some(&first.bytes[..]));
    let again = scene.open_spec(&opened.spec).expect("opened");
    assert_eq!(again.spec, opened.spec);
    assert_eq!(again.source.root().expect("a root").digest.to_string(), first.digest);
}

/// Reads everything that `source` reaches.
fn read_all(source: &dyn Source) -> Result<(), SourceError> {
    for blob in &walk(source)?.blobs {
        let read = std::io::copy(&mut source.open(blob)?, &mut std::io::sink());
        read.map_err(|error| SourceError::io("a blob", error))?;
    }
    Ok(())
}

#[test]
fn content_is_downloaded_once_by_all_who_share_it() {
    let scene = RemoteFixture::new();
    let large = TestImage::new()
        .platform("linux/amd64", vec![TestLayer::noise(1, 5 << 20), TestLayer::noise(2, 100)]);
    scene.push("rc", &large);
    let spec = SourceSpec::One("docker://r.example/team/app:rc".parse().expect("a source"));
    let alone = Surroundings { content: Arc::new(OpenedContent::default()), ..scene.surroundings() };
    let spooling = Surroundings { content: Arc::new(OpenedContent::spooling(6 << 20)), ..alone.clone() };
    let pinned = open(&spec, &spooling).expect("opened").spec;
    for surroundings in [&alone, &spooling] {
        read_all(open(&pinned, surroundings).expect("opened").source.as_ref()).expect("read");
    }
    // The registry has nothing any more, so only content that is kept can be read.
    std::fs::remove_dir_all(scene.layout().join("blobs")).expect("removed");
    read_all(open(&pinned, &spooling).expect("opened").source.as_ref()).expect("read again");
    let error = read_all(open(&pinned, &alone).expect("opened").source.as_ref()).expect_err("a large layer");
    assert_eq!(variant(&error), "Registry");
    let other = scene.open_spec(&pinned).err().expect("nothing is shared");
    assert_eq!(variant(&other), "NotInRegistry");
}

#[test]
fn blobs_can_be_mounted_from_the_repository_of_the_image() {
    let scene = RemoteFixture::new();
    scene.push("latest", &for_platform("linux/amd64"));
    for (text, host, repository) in [
        ("docker://r.example/team/app", "r.example:443", "team/app"),
        ("docker://index.docker.io/acme/app", "docker.io:443", "acme/app"),
        ("docker://app", "docker.io:443", "library/app"),
    ] {
        let origin = scene.open(text).expect("opened").source.origin(&Digest::of(b"x")).expect("a place");
        assert_eq!((origin.host.as_str(), origin.repository.as_str()), (host, repository), "{text}");
    }
}

#[test]
fn missing_content_is_named_with_a_way_out() {
    let scene = RemoteFixture::new();
    let absent = Digest::of(b"x");
    for (text, help) in [
        ("docker://r.example/team/app:rc".to_owned(), "skopeo list-tags docker://r.example/team/app"),
        (format!("docker://r.example/team/app@{absent}"), "push it again"),
    ] {
        let error = scene.refused(&text);
        assert_eq!(variant(&error), "NotInRegistry");
        assert!(error.to_string().contains(text.strip_prefix("docker://").expect("a name")), "{error}");
        assert!(error.help().expect("a help").contains(help));
    }
    let written = scene.push("rc", &for_platform("linux/amd64"));
    std::fs::remove_file(fixture::blob_path(&scene.layout(), &written.blobs[0])).expect("removed");
    let opened = scene.open("docker://r.example/team/app:rc").expect("opened");
    let error = walk(opened.source.as_ref()).expect_err("lost");
    assert_eq!(variant(&error), "NotInRegistry");
    assert!(error.to_string().contains(&written.blobs[0]), "{error}");
}

#[test]
fn dockers_first_schema_is_refused_with_the_reason() {
    let scene = RemoteFixture::new();
    for media_type in [media_type::DOCKER_SCHEMA_1, media_type::DOCKER_SCHEMA_1_SIGNED] {
        scene.tag("old", media_type, br#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#);
        let error = scene.refused("docker://r.example/team/app:old");
        assert_eq!(variant(&error), "Unsupported");
        assert!(error.to_string().contains("schema 1"), "{error}");
    }
}

#[test]
fn bytes_are_never_trusted() {
    let scene = RemoteFixture::new();
    let written = scene.push("rc", &for_platform("linux/amd64").single());
    let content = walk(scene.open("docker://r.example/team/app:rc").expect("opened").source.as_ref());
    let content = content.expect("content");
    let opened = scene.open("docker://r.example/team/app:rc").expect("opened");
    for digest in &written.blobs {
        let path = fixture::blob_path(&scene.layout(), digest);
        let length = std::fs::metadata(&path).expect("a file").len();
        std::fs::write(&path, vec![b'x'; usize::try_from(length).expect("a size")]).expect("written");
    }
    for blob in &content.blobs {
        let mut bytes = Vec::new();
        let read = opened.source.open(blob).expect("opened").read_to_end(&mut bytes);
        let error = SourceError::io("", read.expect_err("other bytes"));
        assert_eq!(variant(&error), "Digest");
        assert!(error.to_string().contains("r.example/team/app"), "{error}");
    }
}

#[test]
fn images_pushed_by_digest_are_assembled_and_pinned() {
    let scene = RemoteFixture::new();
    let mut written: Vec<Written> = ["linux/arm/v7", "linux/amd64", "linux/arm/v6"]
        .iter()
        .map(|platform| scene.push("x", &for_platform(platform).attested()))
        .collect();
    written.push(scene.push("x", &for_platform("linux/arm64").single()));
    let hex = |written: &Written| written.digest.trim_start_matches("sha256:").to_owned();
    scene.leave(&hex(&written[0]));
    scene.leave(&written[1].digest);
    scene.leave(&format!("digests-linux-arm-v6/{}", hex(&written[2])));
    scene.leave(&format!("digests-linux-arm64/{}", hex(&written[3])));
    // The same digest once more, as two ways of downloading leave it.
    scene.leave(&format!("digests-linux-arm64/{}", hex(&written[1])));
    let opened = scene.digests().expect("assembled");
    let content = walk(opened.source.as_ref()).expect("content");
    let platforms: Vec<String> = content.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64"]);
    let index: serde_json::Value =
        serde_json::from_slice(content.manifests.last().expect("a root").bytes()).expect("JSON");
    let entries = index["manifests"].as_array().expect("entries");
    // Three attestations follow their images.
    assert_eq!(entries.len(), 7, "{index:#}");
    assert_eq!(entries[1]["annotations"]["vnd.docker.reference.digest"], entries[0]["digest"]);
    assert_eq!(entries[0]["platform"], serde_json::json!({ "os": "linux", "architecture": "amd64" }));

    let SourceSpec::Several(pinned) = &opened.spec else { panic!("{}", opened.spec) };
    let mut expected: Vec<String> =
        written.iter().map(|it| format!("docker://r.example/team/app@{}", it.digest)).collect();
    expected.sort();
    assert_eq!(pinned.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    // The pinned spec needs no folder.
    std::fs::remove_dir_all(scene.path().join("digests")).expect("removed");
    let again = scene.open_spec(&opened.spec).expect("assembled");
    assert_eq!(again.source.root().expect("a root"), content.root);
}

#[test]
fn two_images_for_one_platform_are_named() {
    let scene = RemoteFixture::new();
    let one = scene.push("one", &for_platform("linux/arm64"));
    let two = scene.push("two", &for_platform("linux/arm64/v8").single());
    for written in [&one, &two] {
        scene.leave(written.digest.trim_start_matches("sha256:"));
    }
    let Err(error) = scene.digests() else { panic!("two for one platform") };
    assert_eq!(variant(&error), "Platform");
    for written in [&one, &two] {
        let spec: TransportSpec =
            format!("docker://r.example/team/app@{}", written.digest).parse().expect("a source");
        assert!(error.to_string().contains(&spec.to_string()), "{error}");
    }
    assert!(error.to_string().contains("linux/arm64"), "{error}");
}
