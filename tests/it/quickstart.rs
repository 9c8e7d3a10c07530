//! The quickstart's image is what its script makes, and is an image that can be published.

use std::fs;
use std::path::Path;
use std::process::Command;

use brokkr_publish::content::publishable;
use brokkr_publish::model::content::ContentSpec;
use oci_content::ImageSpec;
use oci_content::SourceSpec;
use oci_content::Surroundings;

#[test]
fn the_committed_image_is_what_its_script_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let script = elsewhere.path().join("make-image.py");
    fs::copy(folder.join("make-image.py"), &script).expect("copied");
    let status = Command::new("python3").arg(&script).status().expect("python3, which this test needs");
    assert!(status.success());
    let made = fs::read(elsewhere.path().join("image.tar")).expect("made");
    let committed = fs::read(folder.join("image.tar")).expect("committed");
    assert!(made == committed, "run examples/quickstart/make-image.py and commit what it writes");
}

#[test]
fn the_committed_image_can_be_published() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let spec = SourceSpec::One("oci-archive:image.tar".parse().expect("a source"));
    let platforms = ["linux/amd64", "linux/arm64"].map(|it| it.parse().expect("a platform"));
    let spec = ImageSpec { platforms: platforms.to_vec(), ..ImageSpec::of(spec) };
    let published =
        publishable(&ContentSpec::Image(spec), &Surroundings::local(&folder)).expect("publishable");
    assert_eq!(published.content.platforms, platforms);
    assert_eq!((published.content.manifests.len(), published.content.blobs.len()), (3, 4));
}
