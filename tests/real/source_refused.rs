//! The messages for people about unavailable sources: engines that do not run, temporary folders that are full.

use std::process::Command;

use insta::assert_snapshot;

use testkit::command::Folder;
use testkit::docker_registry::run;
use testkit::world::{configuration, image};

fn folder(source: &str) -> Folder {
    let text = configuration(&[("local", "oci:registry")]).replace("oci:image", source);
    let text = text.replace("platforms = [\"linux/amd64\", \"linux/arm64\"]\n", "");
    Folder::with(&[("publish.toml", &text)])
}

#[test]
fn an_engine_that_does_not_run() {
    let folder = folder("docker-daemon:app");
    let told =
        folder.run("plan --ref refs/tags/v1.2.3").env("DOCKER_HOST", "unix:///nowhere/docker.sock").done();
    assert_snapshot!("source_engine", told.expect_code(1).stderr());
}

#[test]
fn layers_that_cannot_be_compressed_anywhere() {
    let folder = folder("docker-archive:app.tar");
    folder.image("image", &image("hello"));
    // Uncompressed, as `docker save` writes them.
    let at = folder.path.display().to_string();
    let (layout, archive) = (format!("oci:{at}/image"), format!("docker-archive:{at}/app.tar"));
    run(Command::new("skopeo").args(["copy", "--override-arch", "amd64", &layout, &archive]));
    let told = folder.run("plan --ref refs/tags/v1.2.3").env("TMPDIR", "nowhere").done();
    assert_snapshot!("source_temporary", told.expect_code(1).stderr());
}
