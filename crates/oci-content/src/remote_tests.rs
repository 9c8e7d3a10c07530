//! Images in registries. Layouts play the registries here.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::fixture::{self, Image, Layer, Written};
use super::super::{Surroundings, open, walk};
use super::*;
use crate::refusal::variant;
use crate::spec::DigestFolder;
use crate::{SourceSpec, TransportSpec};

/// A registry with one repository, whose content is in a layout.
struct Layouts {
    folder: PathBuf,
    tags: Mutex<BTreeMap<String, (String, Vec<u8>)>>,
    asked: Mutex<Vec<String>>,
    missing: Vec<String>,
}

impl Layouts {
    fn bytes(&self, digest: &Digest) -> Option<Vec<u8>> {
        std::fs::read(fixture::blob_path(&self.folder, &digest.to_string())).ok()
    }
}

struct Reaching(Arc<Layouts>);

impl Reach for Reaching {
    fn repository(&self, _: &RemoteReference) -> Result<Arc<dyn RemoteRepository>, SourceError> {
        Ok(self.0.clone())
    }
}

impl RemoteRepository for Layouts {
    fn referrers(&self, _: &Digest) -> Result<Vec<Referrer>, SourceError> {
        Ok(Vec::new())
    }

    fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, SourceError> {
        self.asked.lock().expect("a lock").push(at.to_string());
        let (media_type, bytes) = match at {
            TagOrDigest::Tag(tag) => match self.tags.lock().expect("a lock").get(tag.as_str()) {
                Some(found) => found.clone(),
                None => return Ok(None),
            },
            TagOrDigest::Digest(digest) => {
                let Some(bytes) = self.bytes(digest) else { return Ok(None) };
                let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
                (value["mediaType"].as_str().expect("a type").to_owned(), bytes)
            }
        };
        Ok(Some(RawManifest::new(media_type, bytes)))
    }

    fn missing(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError> {
        let lost = |digest: &Digest| self.missing.contains(&digest.to_string());
        Ok(blobs.iter().map(|blob| blob.digest.clone()).filter(lost).collect())
    }

    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(Box::new(Cursor::new(self.bytes(&blob.digest).unwrap_or_default())))
    }
}

struct Scene {
    folder: TempDir,
    layouts: Arc<Layouts>,
}

impl Scene {
    fn new() -> Self {
        Self::losing(&[])
    }

    fn losing(missing: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let layouts = Layouts {
            folder: folder.path().join("registry"),
            tags: Mutex::default(),
            asked: Mutex::default(),
            missing: missing.to_vec(),
        };
        Self { folder, layouts: Arc::new(layouts) }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn push(&self, tag: &str, image: &Image) -> Written {
        let written = image.write(&self.layouts.folder);
        self.tag(tag, &written.media_type, &written.bytes);
        written
    }

    fn tag(&self, tag: &str, media_type: &str, bytes: &[u8]) {
        let named = (media_type.to_owned(), bytes.to_vec());
        self.layouts.tags.lock().expect("a lock").insert(tag.to_owned(), named);
    }

    fn open_spec(&self, spec: &SourceSpec) -> Result<super::super::Opened, SourceError> {
        let reach = Arc::new(Reaching(self.layouts.clone()));
        open(spec, &Surroundings { reach, ..Surroundings::local(self.path()) })
    }

    fn open(&self, text: &str) -> Result<super::super::Opened, SourceError> {
        self.open_spec(&SourceSpec::One(text.parse().expect(text)))
    }

    fn refused(&self, text: &str) -> SourceError {
        let Err(error) = self.open(text) else { panic!("{text} was opened") };
        error
    }

    fn digests(&self) -> Result<super::super::Opened, SourceError> {
        let from = "docker://r.example/team/app".parse().expect("a source");
        self.open_spec(&SourceSpec::Digests(DigestFolder { digests: "digests".to_owned(), from }))
    }

    fn leave(&self, name: &str) {
        let path = self.path().join("digests").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "").expect("written");
    }
}

fn for_platform(platform: &str) -> Image {
    Image::new().platform(platform, vec![Layer::files(&[("for", platform.as_bytes())])])
}

#[test]
fn a_tag_is_resolved_once() {
    let scene = Scene::new();
    let first = scene.push("rc", &for_platform("linux/amd64").attested());
    let opened = scene.open("docker://r.example/team/app:rc").expect("opened");
    assert_eq!(opened.spec.to_string(), format!("docker://r.example/team/app:rc@{}", first.digest));
    scene.push("rc", &for_platform("linux/arm64"));
    let content = walk(opened.source.as_ref()).expect("content");
    assert_eq!(content.root.digest.to_string(), first.digest);
    assert_eq!(content.manifests.last().map(RawManifest::bytes), Some(&first.bytes[..]));
    // A pinned image is requested by digest, and each manifest once.
    let again = scene.open_spec(&opened.spec).expect("opened");
    assert_eq!(again.spec, opened.spec);
    assert_eq!(again.source.root().expect("a root").digest.to_string(), first.digest);
    let asked = scene.layouts.asked.lock().expect("a lock").clone();
    assert_eq!(asked.iter().filter(|at| *at == "rc").count(), 1, "{asked:?}");
    let again = asked.iter().filter(|at| **at == first.digest).count();
    assert_eq!(again, 1, "{asked:?}");
}

#[test]
fn blobs_can_be_mounted_from_the_repository_of_the_image() {
    let scene = Scene::new();
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
    let scene = Scene::new();
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
    let losing = Scene::losing(&written.blobs[..1]);
    losing.push("rc", &for_platform("linux/amd64"));
    let opened = losing.open("docker://r.example/team/app:rc").expect("opened");
    let error = walk(opened.source.as_ref()).expect_err("lost");
    assert_eq!(variant(&error), "NotInRegistry");
    assert!(error.to_string().contains(&written.blobs[0]), "{error}");
}

#[test]
fn dockers_first_schema_is_refused_with_the_reason() {
    let scene = Scene::new();
    for media_type in [media_type::DOCKER_SCHEMA_1, media_type::DOCKER_SCHEMA_1_SIGNED] {
        scene.tag("old", media_type, br#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#);
        let error = scene.refused("docker://r.example/team/app:old");
        assert_eq!(variant(&error), "Unsupported");
        assert!(error.to_string().contains("schema 1"), "{error}");
    }
}

#[test]
fn bytes_are_never_trusted() {
    let scene = Scene::new();
    let written = scene.push("rc", &for_platform("linux/amd64").single());
    let opened = scene.open("docker://r.example/team/app:rc").expect("opened");
    let content = walk(opened.source.as_ref()).expect("content");
    for digest in &written.blobs {
        let path = fixture::blob_path(&scene.layouts.folder, digest);
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
    let scene = Scene::new();
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
    let scene = Scene::new();
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
