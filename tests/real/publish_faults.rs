//! Failures in the middle of an apply: kills, interruptions, two applies at once. After each the registry is consistent, and
//! another apply converges.

use std::io::Read;
use std::process::Child;
use std::time::{Duration, Instant};
use testkit::image;

use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image::{TestImage, TestLayer};
use testkit::world::{configuration, digest, image, pull, signal, size_of, tags, wait_until};

const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";

/// Large enough that an apply takes a moment.
fn large() -> TestImage {
    let platform = |seed| vec![TestLayer::noise(seed, 50_000_000)];
    TestImage::new().platform("linux/amd64", platform(1)).platform("linux/arm64", platform(2))
}

fn text(stream: Option<impl Read>) -> String {
    let mut text = String::new();
    stream.expect("a stream").read_to_string(&mut text).expect("a text");
    text
}

/// Waits for the end of a process, at most `seconds`, and returns its exit code.
#[track_caller]
fn end(child: &mut Child, seconds: u64) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            return status.code();
        }
        if started.elapsed() > Duration::from_secs(seconds) {
            child.kill().expect("killed");
            panic!("the program did not end within {seconds} s");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn killed_while_pushing_to_a_registry() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::with(&[("publish.toml", &configuration(&[("local", &registry.host())]))]);
    let before = folder.publish("1.2.2");
    let written = folder.image("image", &large());
    // Killed at the start, in the middle and near the end of the upload.
    for bytes in [1_000_000, 25_000_000, 85_000_000] {
        let base = size_of(&registry.data());
        let mut child = folder.start(APPLY);
        wait_until("bytes arrived", || {
            size_of(&registry.data()) > base + bytes || child.try_wait().expect("a status").is_some()
        });
        child.kill().expect("killed");
        child.wait().expect("ended");
        for tag in tags(&format!("{}/app", registry.host())) {
            pull(&format!("docker://{}/app:{tag}", registry.host()));
        }
    }
    assert_eq!(digest(&format!("docker://{}/app:v1.2.2", registry.host())), Some(before));
    folder.run(APPLY).done().expect_code(0);
    for tag in ["v1.2.3", "v1.2", "v1", "latest"] {
        assert_eq!(
            digest(&format!("docker://{}/app:{tag}", registry.host())).as_ref(),
            Some(&written.digest)
        );
    }
    pull(&format!("docker://{}/app:v1.2.3", registry.host()));
}

#[test]
fn killed_while_writing_a_directory() {
    let folder = Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:registry")]))]);
    let before = folder.publish("1.2.2");
    let written = folder.image("image", &large());
    let place = folder.path.join("registry");
    let layout = place.join("app").display().to_string();
    for bytes in [1_000_000, 25_000_000, 85_000_000] {
        let base = size_of(&place);
        let mut child = folder.start(APPLY);
        wait_until("bytes arrived", || {
            size_of(&place) > base + bytes || child.try_wait().expect("a status").is_some()
        });
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(digest(&format!("oci:{layout}:v1.2.2")).as_ref(), Some(&before));
        pull(&format!("oci:{layout}:latest"));
    }
    folder.run(APPLY).done().expect_code(0);
    for tag in ["v1.2.3", "v1.2", "v1", "latest"] {
        assert_eq!(digest(&format!("oci:{layout}:{tag}")).as_ref(), Some(&written.digest));
    }
    pull(&format!("oci:{layout}:v1.2.3"));
}

#[test]
fn interrupted_it_stops_and_says_where_it_stood() {
    for name in ["INT", "TERM"] {
        let registry = DockerRegistry::start(&AcceptedClients::None);
        let folder = Folder::with(&[("publish.toml", &configuration(&[("local", &registry.host())]))]);
        folder.image("image", &large());
        let mut child = folder.start(APPLY);
        wait_until("bytes arrived", || size_of(&registry.data()) > 1_000_000);
        // The registry accepts nothing more, so that the interruption comes in the middle of an upload.
        signal("STOP", registry.process_id());
        signal(name, child.id());
        let code = end(&mut child, 10);
        signal("CONT", registry.process_id());
        let (stdout, stderr) = (text(child.stdout.take()), text(child.stderr.take()));
        assert_eq!(code, Some(1), "{stdout}\n{stderr}");
        assert!(stderr.contains("publish::apply::interrupted"), "{stdout}\n{stderr}");
        assert!(stdout.contains("4 skipped"), "{stdout}\n{stderr}");
        let (_, error) = stderr.split_once("error: ").expect("an error");
        insta::assert_snapshot!(
            "interrupted",
            format!("error: {}", error.replace(&registry.host(), "[REGISTRY]"))
        );
        assert_eq!(tags(&format!("{}/app", registry.host())), Vec::<String>::new());
    }
}

#[test]
fn a_second_interruption_ends_it_at_once() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::with(&[("publish.toml", &configuration(&[("local", &registry.host())]))]);
    folder.image("image", &large());
    let mut child = folder.start(APPLY);
    wait_until("bytes arrived", || size_of(&registry.data()) > 1_000_000);
    signal("STOP", registry.process_id());
    signal("INT", child.id());
    std::thread::sleep(Duration::from_millis(50));
    if child.try_wait().expect("a status").is_none() {
        signal("INT", child.id());
    }
    assert_eq!(end(&mut child, 5), Some(1));
    signal("CONT", registry.process_id());
}

#[test]
fn two_at_once_into_one_directory() {
    let folder = Folder::new();
    let versions = ["1.0.0", "1.1.0", "1.2.0", "2.0.0"];
    let mut digests = Vec::new();
    for version in versions {
        let text = configuration(&[("bundle", "oci:../registry")]);
        folder.write(&format!("{version}/publish.toml"), &text);
        let shared = TestLayer::noise(9, 2_000_000);
        let own = TestLayer::files(&[("version", version.as_bytes())]);
        let image = TestImage::new()
            .platform("linux/amd64", vec![shared.clone(), own.clone()])
            .platform("linux/arm64", vec![own, shared]);
        digests.push(folder.image(&format!("{version}/image"), &image).digest);
    }
    let mut children: Vec<Child> = versions
        .iter()
        .map(|version| {
            let mut run = folder
                .run(&format!(
                    "apply --auto-approve --ref refs/tags/v{version} --target images.app:v{version}"
                ))
                .in_folder(version);
            run.command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            run.command.spawn().expect("the program runs")
        })
        .collect();
    for child in &mut children {
        let code = end(child, 60);
        assert_eq!(code, Some(0), "{}", text(child.stderr.take()));
    }
    let layout = folder.path.join("registry/app").display().to_string();
    for (version, expected) in versions.iter().zip(&digests) {
        assert_eq!(digest(&format!("oci:{layout}:v{version}")).as_ref(), Some(expected), "{version}");
        pull(&format!("oci:{layout}:v{version}"));
    }
}

#[test]
fn sources_that_are_not_what_they_say_reach_no_tag() {
    let folder = Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:registry")]))]);
    let written = folder.image("image", &image("cut off"));
    let archive = folder.path.join("image.tar");
    image::to_archive(&written.directory, &archive);
    let whole = std::fs::read(&archive).expect("read");
    std::fs::write(&archive, &whole[..whole.len() / 2]).expect("written");
    let cut = folder.run_with([
        "plan",
        "--ref",
        "refs/tags/v1.2.3",
        "--set",
        "images.app.source=oci-archive:image.tar",
    ]);
    let cut = cut.done().expect_code(1);
    assert!(cut.stderr().contains("publish::source::"), "{}", cut.shown());
    // A layer whose bytes do not match its digest.
    let layer = image::blob_path(&written.directory, written.blobs.last().expect("a blob"));
    let mut bytes = std::fs::read(&layer).expect("read");
    bytes[0] ^= 1;
    std::fs::write(&layer, bytes).expect("written");
    let broken = folder.run(APPLY).done().expect_code(1);
    assert!(broken.stderr().contains("publish::source::digest"), "{}", broken.shown());
    assert_eq!(digest(&format!("oci:{}/registry/app:v1.2.3", folder.path.display())), None);
}
