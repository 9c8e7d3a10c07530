//! The quickstart's image is what its script makes, and is an image that can be published.

use std::fs;
use std::path::Path;
use std::process::Command;

use brokkr_publish::content::publishable;
use brokkr_publish::model::content::ContentSpec;
use oci_content::ImageSpec;
use oci_content::SourceSpec;
use oci_content::Surroundings;
use testkit::command::Folder;

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

/// The first command of the README prints what the README shows. Blobs end in any order, and the commit differs.
#[test]
fn the_readme_shows_what_its_first_command_prints() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let shown =
        readme.split("```text\n").find(|text| text.contains("oci:published/hello  ")).expect("its output");
    let shown = shown.split("```").next().expect("its end");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let copy = Folder::with(&[]);
    for file in ["publish.toml", "image.tar"] {
        copy.write(file, fs::read(folder.join(file)).expect("a file"));
    }
    let done = copy.run("apply --auto-approve").wide().done().expect_code(0);
    let printed = done.shown();
    let steady = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("brokkr-publish plan") && !line.starts_with("  pushed "));
        lines.retain(|line| !line.starts_with("exit code") && !line.starts_with("-----") && !line.is_empty());
        lines.sort();
        lines
    };
    assert_eq!(steady(shown), steady(&printed));
}
