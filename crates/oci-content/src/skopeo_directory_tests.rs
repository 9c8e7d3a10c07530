//! Directories of skopeo.

use std::fs;
use std::io::Read;
use std::path::Path;

use tempfile::TempDir;

use super::super::fixture::{TestImage, TestLayer, Written, files_of};
use super::super::{Surroundings, open, walk};
use super::*;
use crate::refusal::shown;
use crate::{Content, SourceSpec};

fn image(layer: &[u8]) -> TestImage {
    TestImage::new().platform("linux/amd64", vec![TestLayer::files(&[("hello.txt", layer)])])
}

/// Writes the image as `skopeo copy --all … dir:` does, with `HEX.manifest.json` for the manifests of an index.
fn directory(folder: &TempDir, image: &TestImage) -> Written {
    let written = image.write(&folder.path().join("layout"));
    let at = folder.path().join("dir");
    fs::create_dir_all(&at).expect("made");
    fs::write(at.join("version"), "Directory Transport Version: 1.1\n").expect("written");
    fs::write(at.join("manifest.json"), &written.bytes).expect("written");
    for (name, bytes) in files_of(&written.directory) {
        let Some(hex) = name.strip_prefix("blobs/sha256/") else { continue };
        let is_manifest =
            bytes.starts_with(b"{") && String::from_utf8_lossy(&bytes).contains("\"schemaVersion\"");
        let name = if is_manifest { format!("{hex}.manifest.json") } else { hex.to_owned() };
        fs::write(at.join(name), bytes).expect("written");
    }
    written
}

fn opened(folder: &Path, source: &str) -> Result<(Content, Descriptor), SourceError> {
    let spec = SourceSpec::One(source.parse().expect("a source"));
    let source = open(&spec, &Surroundings::local(folder))?.source;
    let content = walk(source.as_ref())?;
    for blob in &content.blobs {
        let read = source.open(blob)?.read_to_end(&mut Vec::new());
        read.map_err(|error| SourceError::io("a blob", error))?;
    }
    Ok((content, source.root()?))
}

fn refused(folder: &Path, source: &str) -> String {
    match opened(folder, source) {
        Ok(_) => panic!("{source} was accepted"),
        Err(error) => shown(&error),
    }
}

#[test]
fn an_image_and_an_index_keep_their_digests() {
    for image in [image(b"a").single(), image(b"a"), image(b"a").docker(), image(b"a").docker().single()] {
        let folder = tempfile::tempdir().expect("a folder");
        let written = directory(&folder, &image);
        let (_, root) = opened(folder.path(), "dir:dir").expect("content");
        assert_eq!(
            (root.digest.as_str(), root.media_type.as_str()),
            (&*written.digest, &*written.media_type)
        );
    }
}

#[test]
fn older_directories_end_layers_in_tar_and_state_no_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = directory(&folder, &image(b"a").single());
    let at = folder.path().join("dir");
    fs::remove_file(at.join("version")).expect("removed");
    for blob in &written.blobs {
        let hex = blob.trim_start_matches("sha256:");
        fs::rename(at.join(hex), at.join(format!("{hex}.tar"))).expect("renamed");
    }
    assert_eq!(opened(folder.path(), "dir:dir").expect("content").1.digest.as_str(), written.digest);
}

#[test]
fn other_directories_are_refused_with_the_transport_that_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    directory(&folder, &image(b"a"));
    for (name, file, text) in [
        ("empty", "x", ""),
        ("docker", "manifest.json", "[{\"Config\":\"a.json\"}]"),
        ("text", "manifest.json", "hello"),
        ("other", "manifest.json", "{}"),
        (
            "schema1",
            "manifest.json",
            "{\"schemaVersion\":1,\"name\":\"a\",\"tag\":\"b\",\"architecture\":\"amd64\",\"fsLayers\":[],\"history\":[]}",
        ),
    ] {
        fs::create_dir_all(at.join(name)).expect("made");
        fs::write(at.join(name).join(file), text).expect("written");
    }
    directory(&folder, &image(b"a"));
    fs::create_dir_all(at.join("newer")).expect("made");
    fs::copy(at.join("dir/manifest.json"), at.join("newer/manifest.json")).expect("copied");
    fs::write(at.join("newer/version"), "Directory Transport Version: 2.0\n").expect("written");
    for (source, words) in [
        ("dir:absent", "source `absent` does not exist"),
        ("dir:layout", "write `oci:layout`"),
        ("dir:empty", "it has no file `manifest.json`\nwrite the image with `skopeo copy --all … dir:DIR`"),
        ("dir:docker", "publish that as `docker-archive:FILE`"),
        ("dir:text", "Malformed: `text/manifest.json` is damaged"),
        ("dir:other", "`schemaVersion` is not 2"),
        ("dir:schema1", "schema 1"),
        ("dir:newer", "says `Directory Transport Version: 2.0`; this program reads version 1"),
    ] {
        let text = refused(at, source);
        assert!(text.contains(words), "{source}: {text}");
    }
}

#[test]
fn every_byte_is_verified() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = directory(&folder, &image(b"a").single());
    let blob = written.blobs.last().expect("a blob");
    let path = folder.path().join("dir").join(blob.trim_start_matches("sha256:"));
    let mut bytes = fs::read(&path).expect("read");
    bytes[10] ^= 1;
    fs::write(&path, &bytes).expect("written");
    assert!(refused(folder.path(), "dir:dir").starts_with("Digest"));
    fs::write(&path, &bytes[1..]).expect("written");
    assert!(refused(folder.path(), "dir:dir").contains("are declared"));
    fs::remove_file(&path).expect("removed");
    assert!(refused(folder.path(), "dir:dir").starts_with("MissingBlob"));
}
