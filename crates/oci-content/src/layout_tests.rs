//! Good layouts, damaged layouts, and files that are not layouts at all.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::fixture::{TestImage, TestLayer, Written, blob_path, files_of, to_archive};
use super::super::{Surroundings, open, walk};
use super::*;
use crate::SourceSpec;
use crate::refusal::shown;
use oci_registry::{Digest, RawManifest};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn two_platforms(at: &Path) -> Written {
    TestImage::new()
        .platform("linux/amd64", vec![TestLayer::files(&[("hello.txt", b"hello")])])
        .platform(
            "linux/arm64/v8",
            vec![TestLayer::files(&[("hello.txt", b"hallo")]), TestLayer::noise(1, 5000)],
        )
        .attested()
        .write(at)
}

fn opened(spec: &str, folder: &Path) -> Result<Arc<dyn Source>, SourceError> {
    open(&SourceSpec::One(spec.parse().expect("a source")), &Surroundings::local(folder)).map(|it| it.source)
}

/// Returns the message of the error that opening and walking `spec` ends with, with `/F` for `folder`.
fn refused(spec: &str, folder: &Path) -> String {
    let Err(error) = opened(spec, folder).and_then(|source| walk(source.as_ref())) else {
        panic!("`{spec}` was accepted")
    };
    shown(&error).replace(&folder.display().to_string(), "/F")
}

#[test]
fn a_directory_and_its_archive_are_the_same_source() {
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    to_archive(&written.directory, &folder.path().join("a.tar"));
    for spec in ["oci:layout", "oci-archive:a.tar"] {
        let source = opened(spec, folder.path()).expect("a source");
        let root = source.root().expect("a root");
        assert_eq!(root.digest.as_str(), written.digest);
        assert_eq!(root.media_type, written.media_type);
        let content = walk(source.as_ref()).expect("content");
        assert_eq!(content.manifests.len(), 5);
        assert_eq!(content.manifests.last().map(RawManifest::bytes), Some(written.bytes.as_slice()));
        for blob in &content.blobs {
            let mut bytes = Vec::new();
            source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
            assert_eq!(Digest::of(&bytes), blob.digest);
        }
    }
}

#[test]
fn an_archive_that_is_compressed_as_a_whole_is_the_same_source() {
    use std::io::Write;
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    to_archive(&written.directory, &folder.path().join("a.tar"));
    let tar = fs::read(folder.path().join("a.tar")).expect("read");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("compressed");
    fs::write(folder.path().join("a.tar.gz"), gzip.finish().expect("compressed")).expect("written");
    fs::write(folder.path().join("a.tar.zst"), zstd::encode_all(&*tar, 1).expect("compressed"))
        .expect("written");
    for spec in ["oci-archive:a.tar.gz", "oci-archive:a.tar.zst"] {
        let source = opened(spec, folder.path()).expect("a source");
        assert_eq!(source.root().expect("a root").digest.as_str(), written.digest, "{spec}");
        assert_eq!(walk(source.as_ref()).expect("content").manifests.len(), 5, "{spec}");
    }
}

/// Rewrites `index.json` so that it is the index of the image itself, as apko writes it, and returns its digest.
fn as_apko(written: &Written, change: impl Fn(&mut serde_json::Value)) -> String {
    let mut index: serde_json::Value = serde_json::from_slice(&written.bytes).expect("an index");
    change(&mut index);
    let bytes = serde_json::to_vec(&index).expect("written");
    fs::write(written.directory.join("index.json"), &bytes).expect("written");
    Digest::of(&bytes).to_string()
}

#[test]
fn an_index_file_that_is_the_index_of_the_image_is_published_itself() {
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    for media_type in [Some("application/vnd.oci.image.index.v1+json"), None] {
        let digest = as_apko(&written, |index| match media_type {
            Some(media_type) => index["mediaType"] = media_type.into(),
            None => drop(index.as_object_mut().expect("an object").remove("mediaType")),
        });
        let source = opened("oci:layout", folder.path()).expect("a source");
        let root = source.root().expect("a root");
        assert_eq!((root.digest.as_str(), root.media_type.as_str()), (&*digest, media_type::OCI_INDEX));
        let content = walk(source.as_ref()).expect("content");
        assert_eq!(content.manifests.len(), 5);
        assert_eq!(
            opened("oci:layout:@0", folder.path()).expect("one").root().expect("a root").media_type,
            media_type::OCI_MANIFEST
        );
    }
}

#[test]
fn entries_that_may_be_several_images_are_not_called_one() {
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    let changes: [fn(&mut serde_json::Value); 3] = [
        |index| {
            index["manifests"][0]["annotations"] =
                serde_json::json!({ "org.opencontainers.image.ref.name": "v1" });
        },
        |index| index["manifests"][1]["platform"] = index["manifests"][0]["platform"].clone(),
        |index| drop(index["manifests"][1].as_object_mut().expect("an entry").remove("platform")),
    ];
    for change in changes {
        as_apko(&written, change);
        let text = refused("oci:layout", folder.path());
        assert!(text.starts_with("Ambiguous"), "{text}");
    }
}

#[test]
fn files_that_are_not_layouts_are_refused_with_the_reason() {
    let folder = folder();
    let at = folder.path();
    two_platforms(&at.join("layout"));
    to_archive(&at.join("layout"), &at.join("a.tar"));
    fs::create_dir(at.join("empty")).expect("made");
    fs::create_dir(at.join("docker")).expect("made");
    fs::write(at.join("docker/manifest.json"), "[]").expect("written");
    fs::write(at.join("text.tar"), "hello").expect("written");
    fs::write(at.join("nothing.tar"), "").expect("written");
    fs::write(at.join("zeros.tar"), [0; 1024]).expect("written");
    fs::write(at.join("a.tar.gz"), [0x1f, 0x8b, 8, 0]).expect("written");
    fs::write(at.join("a.tar.xz"), b"\xfd7zXZ\0...").expect("written");
    fs::create_dir_all(at.join("version")).expect("made");
    fs::write(at.join("version/oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).expect("written");
    for (spec, words) in [
        ("oci:absent", "Missing: source `absent` does not exist"),
        ("oci-archive:absent.tar", "source `absent.tar` does not exist"),
        ("oci:a.tar", "it is not a directory\nfor a layout in a tar file, write `oci-archive:a.tar`"),
        ("oci-archive:layout", "it is not a file\nfor a layout in a directory, write `oci:layout`"),
        ("oci:empty", "NotALayout: source `empty` is not an OCI image layout: it has no file `oci-layout`"),
        ("oci:docker", "`tar -C DIR -cf FILE .`, and publish that as `docker-archive:FILE`"),
        ("oci-archive:text.tar", "Malformed: archive `text.tar` is damaged: at byte 0"),
        (
            "oci-archive:nothing.tar",
            "it has no `oci-layout`, and ends without an end marker: the file is cut off",
        ),
        ("oci-archive:zeros.tar", "it has no file `oci-layout`"),
        ("oci-archive:a.tar.gz", "Malformed: archive `a.tar.gz` is damaged"),
        (
            "oci-archive:a.tar.xz",
            "archive `a.tar.xz` is compressed with xz, which is not supported\ndecompress it first: `unxz`",
        ),
        ("oci:version", "says version `2.0.0`; this program reads `1.0.0`"),
        ("oci:layout:v1", "source `oci:layout` holds no image `v1`: `@0`"),
    ] {
        let text = refused(spec, at);
        assert!(text.contains(words), "{spec}: {text}\nexpected: {words}");
    }
}

#[test]
fn an_incomplete_layout_is_refused_before_anything_is_read() {
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    let blob = written.blobs.last().expect("a blob");
    let path = blob_path(&written.directory, blob);
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[1..]).expect("written");
    let text = refused("oci:layout", folder.path());
    let size = bytes.len();
    assert!(text.starts_with("Digest"), "{text}");
    assert!(text.contains(&format!("it has {} bytes, but {size} are declared", size - 1)), "{text}");
    fs::remove_file(&path).expect("removed");
    let text = refused("oci:layout", folder.path());
    assert!(text.starts_with(&format!("MissingBlob: `{blob}` is not in the source")), "{text}");
    assert!(text.contains(&format!("expected `layout/blobs/{}`", blob.replace(':', "/"))), "{text}");
    fs::create_dir(&path).expect("made");
    assert!(refused("oci:layout", folder.path()).contains("not a regular file"));
}

#[test]
fn a_wrong_manifest_is_refused_by_its_digest() {
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    let path = blob_path(&written.directory, &written.digest);
    let text = fs::read_to_string(&path).expect("read").replace("arm64", "arm46");
    fs::write(&path, text).expect("written");
    let text = refused("oci:layout", folder.path());
    assert!(text.starts_with("Digest") && text.contains("its bytes are `sha256:"), "{text}");
}

#[test]
fn links_in_an_archive_are_refused_by_name() {
    let folder = folder();
    let written = two_platforms(&folder.path().join("layout"));
    let linked = format!("blobs/{}", written.blobs[0].replace(':', "/"));
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files_of(&written.directory) {
        let mut header = tar::Header::new_ustar();
        if name == linked {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            tar.append_link(&mut header, &name, "../elsewhere").expect("appended");
        } else {
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, &name, bytes.as_slice()).expect("appended");
        }
    }
    fs::write(folder.path().join("a.tar"), tar.into_inner().expect("finished")).expect("written");
    let text = refused("oci-archive:a.tar", folder.path());
    assert!(text.contains(&format!("`{linked}` in `a.tar` is a link to another file")), "{text}");
}

#[test]
fn large_index_files_and_manifests_are_refused_by_size() {
    let folder = folder();
    let at = folder.path().join("layout");
    let written = two_platforms(&at);
    let sparse = |path: &Path| {
        fs::File::create(path).and_then(|file| file.set_len(100 * 1024 * 1024)).expect("a large file");
    };
    let index = fs::read_to_string(at.join("index.json")).expect("read");
    let size = format!("\"size\":{}", written.bytes.len());
    assert!(index.contains(&size));
    fs::write(at.join("index.json"), index.replace(&size, "\"size\":104857600")).expect("written");
    sparse(&blob_path(&at, &written.digest));
    assert!(
        refused("oci:layout", folder.path()).contains("has 104857600 bytes, more than the limit of 10485760")
    );
    for negative in ["-1", "18446744073709551616", "1.5", "\"1\""] {
        let index = index.replace(&size, &format!("\"size\":{negative}"));
        fs::write(at.join("index.json"), index).expect("written");
        assert!(refused("oci:layout", folder.path()).starts_with("Malformed"), "{negative}");
    }
    sparse(&at.join("index.json"));
    assert!(refused("oci:layout", folder.path()).contains("has 104857600 bytes, more than"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// If any bits are flipped, nothing panics, and reading gives either the described content or an error.
    #[test]
    fn flipped_bits_never_pass_as_content(flips in proptest::collection::vec((any::<prop::sample::Index>(), 0_u32..8), 1..4), cut in proptest::option::of(any::<prop::sample::Index>())) {
        let folder = folder();
        let written = two_platforms(&folder.path().join("layout"));
        let archive = folder.path().join("a.tar");
        to_archive(&written.directory, &archive);
        let mut bytes = fs::read(&archive).expect("read");
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&archive, bytes).expect("written");
        let Ok(source) = opened("oci-archive:a.tar", folder.path()) else { return Ok(()) };
        let Ok(content) = walk(source.as_ref()) else { return Ok(()) };
        prop_assert_eq!(content.root.digest.as_str(), &written.digest);
        for blob in &content.blobs {
            let mut bytes = Vec::new();
            if let Ok(mut reader) = source.open(blob) && reader.read_to_end(&mut bytes).is_ok() {
                prop_assert_eq!(&Digest::of(&bytes), &blob.digest);
            }
        }
    }
}
