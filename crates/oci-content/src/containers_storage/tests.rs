//! Stores that were written by hand, good and bad. Stores of podman and buildah are read in the tests against real programs.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{open, walk};
use super::*;
use crate::SourceSpec;
use crate::refusal::shown;

const HEX: &str = "5";

fn id(digit: &str) -> String {
    digit.repeat(64)
}

/// A store with one image of one layer, whose file `hello` has `contents`.
fn store(contents: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: String| folder.path().join("store").join(path);
    let write = |path: String, bytes: &[u8]| {
        let path = at(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    };
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(contents.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "hello", contents.as_bytes()).expect("appended");
    let tar = tar.into_inner().expect("finished");
    let mut split = Vec::new();
    for entry in [
        json!({ "type": 2, "payload": STANDARD.encode(&tar[..512]), "position": 0 }),
        json!({ "type": 1, "name": "hello", "size": contents.len(), "payload": "AAAAAAAAAAA=", "position": 1 }),
        json!({ "type": 2, "payload": STANDARD.encode(&tar[512 + contents.len()..]), "position": 2 }),
    ] {
        writeln!(split, "{entry}").expect("written");
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&split).expect("compressed");
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": [Digest::of(&tar)] } });
    let config = config.to_string();
    let digest = Digest::of(config.as_bytes());
    let manifest =
        json!({ "schemaVersion": 2, "config": { "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": digest, "size": config.len() }, "layers": [], "annotations": { "a": "b" } })
        .to_string();
    let image = digest.hex();
    write(format!("vfs-images/{image}/manifest"), manifest.as_bytes());
    write(format!("vfs-images/{image}/={}", STANDARD.encode(digest.as_str())), config.as_bytes());
    let manifest_digest = Digest::of(manifest.as_bytes());
    let images = json!([
        { "id": image, "digest": manifest_digest, "names": ["localhost/app:v1", "ghcr.io/a/app:v1"], "layer": id(HEX),
          "big-data-digests": { "manifest": manifest_digest } },
        { "id": id("e"), "names": ["localhost/empty:v1"] }
    ]);
    write("vfs-images/images.json".to_owned(), images.to_string().as_bytes());
    write("vfs-layers/layers.json".to_owned(), json!([{ "id": id(HEX) }]).to_string().as_bytes());
    write(format!("vfs-layers/{}.tar-split.gz", id(HEX)), &gzip.finish().expect("compressed"));
    write(format!("vfs/dir/{}/hello", id(HEX)), contents.as_bytes());
    folder
}

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn opened(folder: &TempDir, image: &str) -> Result<(String, String), SourceError> {
    let spec = SourceSpec::One(format!("containers-storage:[vfs@store]{image}").parse().expect("a source"));
    let opened = open(&spec, &Surroundings::local(folder.path()))?;
    walk(opened.source.as_ref())?;
    Ok((opened.source.root()?.digest.to_string(), opened.spec.to_string()))
}

fn refused(folder: &TempDir, image: &str) -> String {
    match opened(folder, image) {
        Ok(_) => panic!("{image} was accepted"),
        Err(error) => shown(&error).replace(&folder.path().display().to_string(), "/F"),
    }
}

#[test]
fn an_image_is_found_by_every_name_and_pinned_to_its_id() {
    let folder = store("hello");
    let images = fs::read_to_string(folder.path().join("store/vfs-images/images.json")).expect("read");
    let images: Value = serde_json::from_str(&images).expect("a list");
    let (image, digest) =
        (images[0]["id"].as_str().expect("an id"), images[0]["digest"].as_str().expect("a digest"));
    let (root, pinned) = opened(&folder, "app:v1").expect("an image");
    assert_eq!(pinned, format!("containers-storage:[vfs@store]{image}"));
    for name in [
        "localhost/app:v1",
        "ghcr.io/a/app:v1",
        image,
        &image[..12],
        &format!("@{image}"),
        &format!("sha256:{image}"),
        &format!("app@{digest}"),
    ] {
        assert_eq!(opened(&folder, name).expect(name), (root.clone(), pinned.clone()), "{name}");
    }
    // The annotations of the manifest stay.
    let spec = SourceSpec::One("containers-storage:[vfs@store]app:v1".parse().expect("a source"));
    let source = open(&spec, &Surroundings::local(folder.path())).expect("opened").source;
    let content = walk(source.as_ref()).expect("content");
    let manifest: Value = serde_json::from_slice(content.manifests[0].bytes()).expect("a manifest");
    assert_eq!(manifest["annotations"], json!({ "a": "b" }));
}

#[test]
fn what_the_store_does_not_have_is_named() {
    let folder = store("hello");
    for (image, words) in [
        (
            "other:v1",
            "has no image `other:v1`\nbuild it first (`podman build --tag NAME .`), or name one that is there: `ghcr.io/a/app:v1`",
        ),
        ("app:v2", "has no image `app:v2`"),
        ("app@sha256:00", "has no image"),
        ("empty:v1", "manifest"),
    ] {
        let text = refused(&folder, image);
        assert!(text.contains(words), "{image}: {text}");
    }
    let spec = SourceSpec::One("containers-storage:[overlay@none]app".parse().expect("a source"));
    let Err(error) = open(&spec, &Surroundings::local(folder.path())) else { panic!("no store") };
    assert!(
        shown(&error).contains("holds no images: there is no `overlay-images/images.json` in it"),
        "{error}"
    );
    let spec = SourceSpec::One("containers-storage:[btrfs@store]app".parse().expect("a source"));
    let Err(error) = open(&spec, &Surroundings::local(folder.path())) else { panic!("no such driver") };
    assert!(shown(&error).contains("has the driver `btrfs`, which is not supported"), "{error}");
}

#[test]
fn a_layer_that_differs_is_never_published() {
    let folder = store("hello");
    let file = folder.path().join("store/vfs/dir").join(id(HEX)).join("hello");
    fs::write(&file, "jello").expect("written");
    let text = refused(&folder, "app:v1");
    assert!(
        text.starts_with("Digest") && text.contains("the configuration of the image says otherwise"),
        "{text}"
    );
    fs::write(&file, "he").expect("written");
    assert!(refused(&folder, "app:v1").contains("it has 2 bytes, but the layer has 5 for it"));
    fs::remove_file(&file).expect("removed");
    assert!(refused(&folder, "app:v1").contains("hello"));
    fs::remove_file(folder.path().join(format!("store/vfs-layers/{}.tar-split.gz", id(HEX))))
        .expect("removed");
    assert!(refused(&folder, "app:v1").contains("has no record of its tar"));
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_no_file_outside_of_the_layer() {
    let folder = store("hello");
    fs::write(folder.path().join("secret"), "hello").expect("written");
    let file = folder.path().join("store/vfs/dir").join(id(HEX)).join("hello");
    fs::remove_file(&file).expect("removed");
    std::os::unix::fs::symlink(folder.path().join("secret"), &file).expect("a link");
    assert!(refused(&folder, "app:v1").contains("it leads out of the layer"));
}

#[test]
fn lists_that_are_damaged_are_refused() {
    let folder = store("hello");
    let images = folder.path().join("store/vfs-images/images.json");
    for (text, words) in [
        ("[", "Malformed"),
        ("[{\"id\":\"../../etc\",\"names\":[\"localhost/app:v1\"]}]", "which is not an id"),
        ("[]", "has no image `app:v1`\nbuild the image first"),
    ] {
        fs::write(&images, text).expect("written");
        let shown = refused(&folder, "app:v1");
        assert!(shown.contains(words), "{text}: {shown}");
    }
}

#[test]
fn a_store_that_the_source_names_is_within_the_project() {
    let folder = store("hello");
    let project = folder.path().join("project");
    fs::create_dir(&project).expect("made");
    let spec = SourceSpec::One("containers-storage:[vfs@../store]app:v1".parse().expect("a source"));
    let confined = |allowed: Vec<std::path::PathBuf>| {
        let surroundings = Surroundings {
            confines: crate::Confines::within(&project, allowed),
            ..Surroundings::local(&project)
        };
        open(&spec, &surroundings).map(drop)
    };
    assert!(matches!(confined(Vec::new()), Err(SourceError::Outside(_))));
    assert!(confined(vec![folder.path().join("store")]).is_ok());
}
