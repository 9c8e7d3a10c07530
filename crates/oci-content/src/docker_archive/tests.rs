//! Docker archives as each tool writes them, and malformed archives.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::fixture::{OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, describe, noise, sha256};
use super::super::{Content, Source, Surroundings, open, walk};
use super::*;
use crate::SourceSpec;
use crate::refusal::shown;

#[path = "hostile_tests.rs"]
mod hostile;

/// The files of an archive, in order.
#[derive(Default, Clone)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, name: &str, kind: tar::EntryType, link: &str, contents: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        let bytes = header.as_mut_bytes();
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, contents: &[u8]) -> Self {
        self.entry(name, tar::EntryType::Regular, "", contents)
    }

    fn symbolic(self, name: &str, target: &str) -> Self {
        self.entry(name, tar::EntryType::Symlink, target, b"")
    }

    fn hard(self, name: &str, target: &str) -> Self {
        self.entry(name, tar::EntryType::Link, target, b"")
    }

    fn write(mut self, path: &Path) {
        self.0.extend([0; 1024]);
        fs::write(path, self.0).expect("written");
    }
}

/// The uncompressed bytes of a layer: a tar with one file.
fn layer(text: &str) -> Vec<u8> {
    let mut tar = Tar::default().file("text", text.as_bytes()).0;
    tar.extend([0; 1024]);
    tar
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| sha256(layer)).collect();
    let config = json!({ "architecture": "arm64", "os": "linux", "config": { "Healthcheck": { "Test": ["NONE"] } },
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    serde_json::to_vec(&config).expect("JSON")
}

fn hex_of(bytes: &[u8]) -> String {
    sha256(bytes).trim_start_matches("sha256:").to_owned()
}

fn manifest(config: &str, names: &[&str], layers: &[&str]) -> Vec<u8> {
    serde_json::to_vec(&json!([{ "Config": config, "RepoTags": names, "Layers": layers }])).expect("JSON")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn opened(folder: &TempDir, source: &str) -> Result<(Arc<dyn Source>, Content), SourceError> {
    let spec = SourceSpec::One(source.parse().expect("a source"));
    let source = open(&spec, &Surroundings::local(folder.path()))?.source;
    let content = walk(source.as_ref())?;
    Ok((source, content))
}

fn content(folder: &TempDir, source: &str) -> Content {
    let (source, content) = opened(folder, source).unwrap_or_else(|error| panic!("{source}: {error}"));
    for blob in &content.blobs {
        assert_eq!(Digest::of(&read(source.as_ref(), blob)), blob.digest);
    }
    content
}

fn read(source: &dyn Source, blob: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
    bytes
}

/// The error as tests see it.
fn refused(folder: &TempDir, source: &str) -> String {
    let Err(error) = opened(folder, source) else { panic!("`{source}` was accepted") };
    shown(&error).replace(&folder.path().display().to_string(), "/F")
}

/// An archive in the older format, with one layer in a file and another behind a link.
fn older(first: &[u8], second: &[u8]) -> Tar {
    let config = config(&[first, second]);
    let name = format!("{}.json", hex_of(&config));
    Tar::default()
        .entry("aa/", tar::EntryType::Directory, "", b"")
        .file("aa/VERSION", b"1.0")
        .file("aa/layer.tar", first)
        .file("bb.tar", second)
        .symbolic("bb/layer.tar", "../bb.tar")
        .file(&name, &config)
        .file("manifest.json", &manifest(&name, &["app:v1"], &["aa/layer.tar", "bb/layer.tar"]))
}

#[test]
fn the_same_bytes_on_every_run() {
    let folder = folder();
    // The text is long enough to show the compressor's choices.
    let text: Vec<String> = noise(1, 200_000).chunks(7).map(hex::encode).collect();
    let (one, two) = (layer("one"), layer(&text.join(" ")));
    older(&one, &two).write(&folder.path().join("a.tar"));
    let content = content(&folder, "docker-archive:a.tar");
    // These bytes change only with the compressor. If they do, layers that are already published are sent again under other
    // digests, and immutable tags that are built again conflict: say so in the changelog.
    assert_eq!(
        content.root.digest.as_str(),
        "sha256:c90f9a64d4ac687f13b12884baba1f4958756085908e50df578a557d03e87243"
    );
    let raw: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("JSON");
    assert_eq!(raw["mediaType"], OCI_MANIFEST);
    assert_eq!(raw["config"]["digest"], sha256(&config(&[&one, &two])));
    assert_eq!(raw["layers"][0]["mediaType"], OCI_LAYER_GZIP);
    assert_eq!(content.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/arm64"]);
}

#[test]
fn large_layers_compress_the_same_however_they_are_read() {
    let tar = layer(&"All work and no play makes Jack a dull boy. ".repeat(100_000));
    let folder = folder();
    let mut digests = Vec::new();
    for padding in [0, 1, 4095, 70_000] {
        // The layer is at another position in each file, so that its reads are split differently; the other layer has another
        // diff id each time.
        let other = layer(&format!("padding {padding}"));
        let config = config(&[&tar, &other]);
        let tar = Tar::default()
            .file("padding", &vec![0; padding])
            .file("1.tar", &tar)
            .file("2.tar", &other)
            .file("c", &config)
            .file("manifest.json", &manifest("c", &[], &["1.tar", "2.tar"]));
        tar.write(&folder.path().join("a.tar"));
        let content = content(&folder, "docker-archive:a.tar");
        digests.push(content.blobs[1].digest.clone());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[test]
fn a_layer_that_is_there_twice_is_one_blob() {
    let folder = folder();
    let (one, empty) = (layer("twice"), vec![0; 1024]);
    let config = config(&[&one, &empty, &one, &empty, b""]);
    Tar::default()
        .file("1/layer.tar", &one)
        .hard("3/layer.tar", "1/layer.tar")
        .file("2/layer.tar", &empty)
        .symbolic("4/layer.tar", "./../2/layer.tar")
        .file("5/layer.tar", b"")
        .file("config", &config)
        .file(
            "manifest.json",
            &manifest(
                "config",
                &[],
                &["1/layer.tar", "2/layer.tar", "3/layer.tar", "4/layer.tar", "5/layer.tar"],
            ),
        )
        .write(&folder.path().join("a.tar"));
    let content = content(&folder, "docker-archive:a.tar");
    assert_eq!(content.blobs.len(), 4, "configuration and three layers");
    let raw: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("JSON");
    let layers = raw["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 5);
    assert!(layers[0] == layers[2] && layers[1] == layers[3]);
}

#[test]
fn an_image_without_layers() {
    let folder = folder();
    Tar::default()
        .file(
            "config",
            br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":null}}"#,
        )
        .file("manifest.json", br#"[{"Config":"config","RepoTags":null,"Layers":null}]"#)
        .write(&folder.path().join("a.tar"));
    assert_eq!(content(&folder, "docker-archive:a.tar").blobs.len(), 1);
}

/// An archive in the format of Docker 25 and newer: a layout with `manifest.json`. `compressed` is the layers as they are in it.
fn newer(tars: &[&[u8]], compressed: &[Vec<u8>], layer_type: &str) -> (Tar, Vec<u8>) {
    let config = config(tars);
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex_of(bytes));
    let layers: Vec<Value> = compressed.iter().map(|bytes| describe(layer_type, bytes)).collect();
    let image = serde_json::to_vec_pretty(&json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": describe("application/vnd.oci.image.config.v1+json", &config), "layers": layers,
        "annotations": { "builder": "somebody" } }))
    .expect("JSON");
    let absent = json!({ "mediaType": OCI_MANIFEST, "digest": sha256(b"not here"), "size": 8 });
    let inner = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [absent, describe(OCI_MANIFEST, &image)] });
    let inner = serde_json::to_vec(&inner).expect("JSON");
    let index = json!({ "schemaVersion": 2, "manifests": [describe(OCI_INDEX, &inner)] });
    let names: Vec<String> = compressed.iter().map(|bytes| blob(bytes)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut tar = Tar::default()
        .file(&blob(&config), &config)
        .file(&blob(&image), &image)
        .file(&blob(&inner), &inner)
        .file("index.json", &serde_json::to_vec(&index).expect("JSON"))
        .file("manifest.json", &manifest(&blob(&config), &["app:v1"], &names))
        .file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    for (name, bytes) in names.iter().zip(compressed) {
        tar = tar.file(name, bytes);
    }
    (tar, image)
}

#[test]
fn a_layout_whose_layers_are_compressed_keeps_its_manifest() {
    let folder = folder();
    let tars = [layer("one"), layer("two")];
    let tars: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
    let gzipped: Vec<Vec<u8>> = tars.iter().map(|tar| gzip(tar)).collect();
    let (tar, image) = newer(&tars, &gzipped, OCI_LAYER_GZIP);
    tar.write(&folder.path().join("a.tar"));
    let gzipped = content(&folder, "docker-archive:a.tar");
    assert_eq!(gzipped.manifests[0].bytes(), image);
    let zstd: Vec<Vec<u8>> =
        tars.iter().map(|tar| zstd::stream::encode_all(*tar, 3).expect("compressed")).collect();
    let (tar, image) = newer(&tars, &zstd, "application/vnd.oci.image.layer.v1.tar+zstd");
    tar.write(&folder.path().join("a.tar"));
    assert_eq!(content(&folder, "docker-archive:a.tar").manifests[0].bytes(), image);
    // Layers that are not compressed yet are compressed, and then another manifest describes them.
    let plain: Vec<Vec<u8>> = tars.iter().map(|tar| tar.to_vec()).collect();
    let (tar, image) = newer(&tars, &plain, "application/vnd.oci.image.layer.v1.tar");
    tar.write(&folder.path().join("a.tar"));
    let plain = content(&folder, "docker-archive:a.tar:app:v1");
    assert_ne!(plain.manifests[0].bytes(), image);
    older(tars[0], tars[1]).write(&folder.path().join("older.tar"));
    assert_eq!(plain.root, content(&folder, "docker-archive:older.tar").root, "one image, in both formats");
}

#[test]
fn compressed_layers_without_a_manifest_keep_their_bytes() {
    let folder = folder();
    let (one, two) = (layer("one"), layer("two"));
    let zstd = zstd::stream::encode_all(two.as_slice(), 3).expect("compressed");
    let config = config(&[&one, &two]);
    // The files are named as crane and Jib name them; the gzip file has several members.
    let gzipped = [gzip(&one[..100]), gzip(&one[100..])].concat();
    let name = format!("sha256:{}", hex_of(&config));
    Tar::default()
        .file("1.tar.gz", &gzipped)
        .file("2.tar.zst", &zstd)
        .file(&name, &config)
        .file("manifest.json", &manifest(&name, &[], &["1.tar.gz", "2.tar.zst"]))
        .write(&folder.path().join("a.tar"));
    let content = content(&folder, "docker-archive:a.tar");
    let raw: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("JSON");
    assert_eq!(raw["layers"][0], describe(OCI_LAYER_GZIP, &gzipped));
    assert_eq!(raw["layers"][1], describe("application/vnd.oci.image.layer.v1.tar+zstd", &zstd));
}

/// An archive with one layer, from the bytes of the layer and its diff id in the configuration.
fn single(layer: &[u8], diff_id: &str) -> Tar {
    let config = json!({ "rootfs": { "diff_ids": [diff_id] } }).to_string();
    Tar::default()
        .file("l", layer)
        .file("c", config.as_bytes())
        .file("manifest.json", &manifest("c", &[], &["l"]))
}
