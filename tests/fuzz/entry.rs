//! The bodies of the fuzz targets. `tests/it/fuzz_corpus.rs` runs them on the inputs that fuzzing kept. Each function gives the
//! bytes to a reader through the public interface, and returns whether the reader accepted them. Nothing may panic. Accepted
//! content must be consistent: every blob can be read and has its digest.
#![allow(dead_code)] // each target uses one of them
#![allow(clippy::unwrap_used, clippy::expect_used)] // an error of the machine is no finding

use brokkr_publish::diagnostic::ToDiagnostic;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use brokkr_publish::content::publishable;
use brokkr_publish::model::content::ContentSpec;
use helm_package::ChartSpec;
use oci_content::SourceSpec;
use oci_content::{AnnotationPlace, ImageSpec};
use oci_content::{Content, Source, SourceError, Surroundings, open, walk};
use oci_registry::{Platform, RawManifest, media_type};
use sha2::{Digest as _, Sha256};

/// An OCI layout in a tar file: the bytes are the file.
pub fn archive(bytes: &[u8]) -> bool {
    let folder = folder();
    fs::write(folder.path().join("x"), bytes).unwrap();
    walked("oci-archive:x", folder.path())
}

/// An archive as `docker save` writes it: the bytes are the file.
pub fn docker_archive(bytes: &[u8]) -> bool {
    let folder = folder();
    fs::write(folder.path().join("x"), bytes).unwrap();
    walked("docker-archive:x", folder.path())
}

/// A layout in a directory: pieces, each the content of one file. In them `@D0` stands for the digest of the first piece, and
/// `@S0` for its size, so that the fuzzer can change a blob and its digest still matches.
pub fn layout(bytes: &[u8]) -> bool {
    let folder = folder();
    let blobs = folder.path().join("x/blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(folder.path().join("x/oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let mut known: Vec<(String, usize)> = Vec::new();
    for (kind, content) in pieces(bytes) {
        let content = filled(content, &known);
        let digest = hex::encode(Sha256::digest(&content));
        match kind % 8 {
            0 => fs::write(folder.path().join("x/index.json"), &content).unwrap(),
            1 => fs::write(folder.path().join("x/oci-layout"), &content).unwrap(),
            _ => fs::write(blobs.join(&digest), &content).unwrap(),
        }
        known.push((format!("sha256:{digest}"), content.len()));
    }
    let walked = walked("oci:x", folder.path());
    let text = |key: &str| BTreeMap::from([(key.to_owned(), "value".to_owned())]);
    let spec = ImageSpec {
        platforms: vec!["linux/amd64".parse().unwrap()],
        annotations: text("annotation"),
        annotate: vec![AnnotationPlace::Root, AnnotationPlace::Manifests, AnnotationPlace::Descriptors],
        labels: text("label"),
        ..ImageSpec::of(SourceSpec::One("oci:x".parse().unwrap()))
    };
    published(&ContentSpec::Image(spec), folder.path()) || walked
}

/// A manifest or an image's configuration: the first byte says of which media type.
pub fn manifest(bytes: &[u8]) -> bool {
    let Some((kind, bytes)) = bytes.split_first() else { return false };
    let types = media_type::MANIFESTS;
    let manifest = RawManifest::new(types[usize::from(*kind) % types.len()], bytes.to_vec());
    let parsed = manifest.parse().map(|parsed| (parsed.annotations().len(), parsed.blobs().count()));
    let platform = Platform::of_config(bytes).map(|platform| platform.map(|it| it.to_string()));
    parsed.is_ok() || platform.is_ok()
}

/// A chart: the first byte says whether pieces are the files of its directory, or bytes the packaged one, or a tar that is
/// compressed first.
pub fn chart(bytes: &[u8]) -> bool {
    const NAMES: [&str; 10] = [
        "Chart.yaml",
        "values.yaml",
        "values.schema.json",
        ".helmignore",
        "Chart.lock",
        "requirements.yaml",
        "templates/service.yaml",
        "charts/sub.tgz",
        "charts/sub/Chart.yaml",
        "crds/thing.yaml",
    ];
    let Some((kind, bytes)) = bytes.split_first() else { return false };
    let folder = folder();
    let path = if kind % 3 == 0 {
        for (name, content) in pieces(bytes) {
            let file = folder.path().join("x").join(NAMES[usize::from(name) % NAMES.len()]);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        "x"
    } else {
        let packaged = if kind % 3 == 1 { gzipped(bytes) } else { bytes.to_vec() };
        fs::write(folder.path().join("x.tgz"), packaged).unwrap();
        "x.tgz"
    };
    let spec = ChartSpec {
        path: path.to_owned(),
        name: "x".to_owned(),
        version: "1.2.3".to_owned(),
        // A packaged chart cannot get another app version.
        app_version: (kind % 3 == 0).then(|| "1.2.3".to_owned()),
        images: Vec::new(),
        annotations: BTreeMap::new(),
        created: Some(0),
    };
    published(&ContentSpec::Chart(spec), folder.path())
}

fn folder() -> tempfile::TempDir {
    // Files in memory do not wear out a disk.
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

fn walked(source: &str, folder: &Path) -> bool {
    let spec = SourceSpec::One(source.parse().unwrap());
    let read = || -> Result<(), SourceError> {
        let opened = open(&spec, &Surroundings::local(folder))?;
        let content = walk(opened.source.as_ref())?;
        whole(opened.source.as_ref(), &content);
        Ok(())
    };
    told(&read())
}

fn published(spec: &ContentSpec, folder: &Path) -> bool {
    told(&publishable(spec, &Surroundings::local(folder)).map(|published| {
        whole(published.source.as_ref(), &published.content);
    }))
}

/// Asserts that an error has a message that people can read. Returns whether there was no error.
fn told(result: &Result<(), impl ToDiagnostic>) -> bool {
    if let Err(error) = result {
        let message = error.to_diagnostic().message;
        assert!(message.len() < 20_000, "{} bytes", message.len());
        assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
    }
    result.is_ok()
}

/// Everything that a root reaches can be opened, and is of its size where reading ends without an error.
fn whole(source: &dyn Source, content: &Content) {
    assert!(content.manifests.last().is_some_and(|root| *root.digest() == content.root.digest));
    for blob in &content.blobs {
        let mut reader = source.open(blob).expect("what was walked can be opened");
        let mut bytes = Vec::new();
        if reader.by_ref().take(1 << 24).read_to_end(&mut bytes).is_ok() && bytes.len() < 1 << 24 {
            assert_eq!(bytes.len() as u64, blob.size);
            assert_eq!(format!("sha256:{}", hex::encode(Sha256::digest(&bytes))), blob.digest.as_str());
        }
    }
}

/// Pieces of an input: a byte that says what one is, its length in two bytes, and that many bytes or what is left.
pub fn pieces(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut pieces = Vec::new();
    while let [kind, low, high, rest @ ..] = bytes {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        pieces.push((*kind, content));
        bytes = rest;
    }
    pieces
}

/// The other way round.
pub fn input(pieces: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, content) in pieces {
        bytes.push(*kind);
        bytes.extend_from_slice(&u16::try_from(content.len()).expect("small").to_le_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}

fn filled(content: &[u8], known: &[(String, usize)]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else { return content.to_vec() };
    let mut text = text.to_owned();
    for (at, (digest, size)) in known.iter().enumerate().take(10) {
        text = text.replace(&format!("@D{at}"), digest).replace(&format!("@S{at}"), &size.to_string());
    }
    let mut bytes = text.into_bytes();
    bytes.truncate(100_000);
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}
