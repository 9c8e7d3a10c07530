//! Trees of manifests that somebody made to do harm: each is refused by name, or accepted, in bounded time and memory.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::images::images;
use super::rewrite::rewrite;
use super::verify::VerifyingReader;
use super::{BlobReader, Content, Source, SourceError, walk};
use crate::SourceSpec;
use crate::{AnnotationPlace, ImageSpec};
use oci_registry::media_type::{DOCKER_SCHEMA_1_SIGNED, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};
use oci_registry::{Descriptor, Digest};

/// A source in memory whose content may lie.
#[derive(Default)]
pub(super) struct Memory {
    root: Option<Value>,
    blobs: HashMap<String, Vec<u8>>,
    opened: AtomicUsize,
}

impl Memory {
    pub(super) fn put(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        self.blobs.insert(digest.clone(), bytes.to_vec());
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    pub(super) fn json(&mut self, media_type: &str, value: &Value) -> Value {
        self.put(media_type, &serde_json::to_vec(value).expect("json"))
    }

    pub(super) fn index(&mut self, entries: &[Value]) -> Value {
        self.json(OCI_INDEX, &json!({ "schemaVersion": 2, "manifests": entries }))
    }

    /// An image. Each `number` gives another digest; all images have the same configuration.
    fn image(&mut self, number: usize) -> Value {
        let config = self.json(OCI_CONFIG, &json!({ "os": "linux", "architecture": "amd64" }));
        self.json(OCI_MANIFEST, &json!({ "schemaVersion": 2, "config": config, "layers": null, "n": number }))
    }

    pub(super) fn with_root(mut self, root: &Value) -> Arc<Self> {
        self.root = Some(root.clone());
        Arc::new(self)
    }
}

impl Source for Memory {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(serde_json::from_value(self.root.clone().expect("a root")).expect("a descriptor"))
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let bytes = self.blobs.get(blob.digest.as_str()).expect("only existing content is opened").clone();
        Ok(VerifyingReader::boxed(Cursor::new(bytes), blob, "memory".to_owned()))
    }

    fn check(&self, _: &[Descriptor]) -> Result<(), SourceError> {
        Ok(())
    }
}

/// A spec with every kind of change.
fn everything() -> ImageSpec {
    let texts = std::collections::BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    ImageSpec {
        platforms: vec!["linux/amd64".parse().expect("a platform")],
        annotations: texts.clone(),
        annotate: vec![AnnotationPlace::Root, AnnotationPlace::Manifests, AnnotationPlace::Descriptors],
        labels: texts,
        ..ImageSpec::of(SourceSpec::Several(Vec::new()))
    }
}

fn publish(source: &Arc<Memory>) -> Result<Content, SourceError> {
    let source: Arc<dyn Source> = Arc::<Memory>::clone(source);
    walk(rewrite(source, &everything())?.as_ref())
}

/// Checks that every way of publishing refuses the source with these words.
fn refused(source: &Arc<Memory>, words: &str) {
    let errors = [
        walk(source.as_ref()).map(drop).expect_err("walked"),
        images(source.as_ref()).map(drop).expect_err("searched"),
        publish(source).map(drop).expect_err("published"),
    ];
    for error in errors {
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.help().is_none_or(|help| !help.is_empty()));
    }
}

#[test]
fn an_index_that_contains_itself_lies_about_its_digest() {
    let mut memory = Memory::default();
    let entry = memory.index(&[]);
    let digest = entry["digest"].as_str().expect("a digest").to_owned();
    let mut own = entry.clone();
    let index = serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": [entry] })).expect("json");
    own["size"] = json!(index.len());
    memory.blobs.insert(digest, index);
    refused(&memory.with_root(&own), "does not hold `sha256:");
}

#[test]
fn a_thousand_levels_are_too_deep() {
    let mut memory = Memory::default();
    let mut entry = memory.image(0);
    for _ in 0..1000 {
        entry = memory.index(&[entry]);
    }
    refused(&memory.with_root(&entry), "more than 16 deep");
}

/// A manifest that declares a hundred bytes and has no end.
struct Endless;

impl Source for Endless {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(Descriptor::new(OCI_INDEX, Digest::of(b"x"), 100))
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        Ok(VerifyingReader::boxed(std::io::repeat(b'['), blob, "memory".to_owned()))
    }
}

#[test]
fn a_large_manifest_is_refused_before_it_is_read() {
    let mut memory = Memory::default();
    let mut large = memory.image(0);
    large["size"] = json!(100 * 1024 * 1024);
    let source = memory.with_root(&large);
    refused(&source, "has 104857600 bytes, more than the limit of 10485760");
    assert_eq!(source.opened.load(Ordering::Relaxed), 0);
    // A manifest that is larger than its declared size is not read to its end.
    let error = walk(&Endless).expect_err("endless").to_string();
    assert!(error.contains("larger than the 100 bytes declared"), "{error}");
    let mut read = 0;
    let mut reader = Endless.open(&Endless.root().expect("a root")).expect("opened");
    while let Ok(count @ 1..) = reader.read(&mut [0; 64]) {
        read += count;
    }
    assert!(read <= 128, "{read}");
}

#[test]
fn media_types_that_lie_are_found_out() {
    for (claimed, words) in [
        (OCI_INDEX, "an index without `manifests`"),
        (OCI_MANIFEST, "an image manifest without `config`"),
        (DOCKER_SCHEMA_1_SIGNED, "schema 1"),
        ("application/octet-stream", "neither an image nor an index"),
    ] {
        let mut memory = Memory::default();
        let mut entry = if claimed == OCI_INDEX { memory.image(0) } else { memory.index(&[]) };
        // The wrong media type is in the entry of an index.
        entry["mediaType"] = json!(claimed);
        let good = memory.image(1);
        let root = memory.index(&[good, entry]);
        let source = memory.with_root(&root);
        refused(&source, words);
    }
    let mut memory = Memory::default();
    let schema_1 = memory.put(DOCKER_SCHEMA_1_SIGNED, br#"{"schemaVersion":1}"#);
    refused(&memory.with_root(&schema_1), "schema 1, which registries no longer accept");
}

#[test]
fn one_manifest_is_described_once_or_alike() {
    for (key, value) in [("size", json!(7)), ("mediaType", json!(OCI_INDEX))] {
        let mut memory = Memory::default();
        let image = memory.image(0);
        let mut other = image.clone();
        other[key] = value;
        let root = memory.index(&[image, other]);
        let source = memory.with_root(&root);
        for error in [walk(source.as_ref()).map(drop), publish(&source).map(drop)] {
            let error = error.expect_err("described twice").to_string();
            assert!(error.contains("described twice, with different sizes or media types"), "{error}");
        }
    }
}

#[test]
fn one_image_that_is_listed_tens_of_thousands_of_times_is_read_once() {
    let mut memory = Memory::default();
    let image = memory.image(0);
    let mut attestation = memory.image(1);
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    attestation["annotations"] = json!({ "vnd.docker.reference.digest": image["digest"] });
    let inner = memory.index(&vec![image; 20_000]);
    let mut entries = vec![inner; 10_000];
    entries.extend(vec![attestation; 10_000]);
    let root = memory.index(&entries);
    let source = memory.with_root(&root);
    assert_eq!(walk(source.as_ref()).expect("content").manifests.len(), 4);
    assert_eq!(source.opened.load(Ordering::Relaxed), 5, "four manifests, a configuration");
    let found = images(source.as_ref()).expect("images");
    assert_eq!((found.len(), found[0].attestations.len()), (1, 1));
    let error = publish(&source).expect_err("attested").to_string();
    assert!(error.contains("refers to it by its digest"), "{error}");
}

#[test]
fn thousands_of_images_take_no_time_that_grows_with_their_square() {
    let mut memory = Memory::default();
    let entries: Vec<Value> = (0..9_000).map(|number| memory.image(number)).collect();
    let root = memory.index(&entries);
    let source = memory.with_root(&root);
    let content = walk(source.as_ref()).expect("content");
    assert_eq!((content.manifests.len(), content.platforms.len()), (9_001, 1));
    assert_eq!(source.opened.load(Ordering::Relaxed), 9_002, "their one configuration is read once");
    assert_eq!(images(source.as_ref()).expect("images").len(), 9_000);
    assert_eq!(publish(&source).expect("published").manifests.len(), 9_001);
}

#[test]
fn platforms_without_number_are_compared_quickly() {
    let mut memory = Memory::default();
    let image = memory.image(0);
    let entries: Vec<Value> = (0..30_000)
        .map(|number| {
            let mut entry = image.clone();
            entry["platform"] = json!({ "os": "linux", "architecture": format!("x{number}") });
            entry
        })
        .collect();
    let root = memory.index(&entries);
    let source = memory.with_root(&root);
    assert_eq!(walk(source.as_ref()).expect("content").platforms.len(), 30_000);
    let error = publish(&source).expect_err("no such platform").to_string();
    assert!(error.starts_with("source `` lacks `linux/amd64`"), "{}", &error[..100]);
    assert!(error.len() < 2_000, "{} bytes", error.len());
}

#[test]
fn unread_members_may_be_nested_deeply() {
    let mut memory = Memory::default();
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let config = memory.put(
        OCI_CONFIG,
        format!(r#"{{"os":"linux","architecture":"amd64","x":{deep},"config":{{"y":{deep}}}}}"#).as_bytes(),
    );
    let image = memory.put(
        OCI_MANIFEST,
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"x":{deep}}}"#).as_bytes(),
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{image}],"x":{deep}}}"#);
    let root = memory.put(OCI_INDEX, index.as_bytes());
    let source = memory.with_root(&root);
    let content = publish(&source).expect("published");
    let bytes = content.manifests.last().expect("a root").bytes();
    assert!(std::str::from_utf8(bytes).expect("text").contains(&deep), "it is kept");
}

#[test]
fn content_named_by_sha512_is_read_and_written_by_sha256() {
    let mut memory = Memory::default();
    let bytes = br#"{"os":"linux","architecture":"amd64"}"#;
    let mut config = memory.put(OCI_CONFIG, bytes);
    let digest = format!("sha512:{}", hex::encode(<sha2::Sha512 as sha2::Digest>::digest(bytes)));
    memory.blobs.insert(digest.clone(), bytes.to_vec());
    config["digest"] = json!(digest);
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [] });
    let image = memory.json(OCI_MANIFEST, &manifest);
    let root = memory.index(std::slice::from_ref(&image));
    let source = memory.with_root(&root);
    assert_eq!(walk(source.as_ref()).expect("content").blobs[0].digest.as_str(), digest);
    assert!(publish(&source).expect("published").blobs[0].digest.as_str().starts_with("sha256:"));
    // Manifests are requested by sha256.
    let mut memory = Memory::default();
    let mut image = memory.json(OCI_MANIFEST, &manifest);
    let bytes = memory.blobs[image["digest"].as_str().expect("a digest")].clone();
    let digest = format!("sha512:{}", hex::encode(<sha2::Sha512 as sha2::Digest>::digest(&bytes)));
    memory.blobs.insert(digest.clone(), bytes);
    image["digest"] = json!(digest);
    let root = memory.index(&[image]);
    refused(&memory.with_root(&root), "is named by `sha512`, not by `sha256`");
}
