//! `scripts/tag-and-push.sh` with a real Docker Engine and a real docker-registry. Only the build itself is a stand-in: containers
//! cannot run here, so `docker build` imports the folder as an image; all other commands go to the real docker.
//!
//! Needs docker, docker-registry, skopeo and git, and dockerd as root; fails if one is missing.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testkit::command::{Folder, clean};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::engine::{self, TestEngine};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/tag-and-push.sh");

/// Nothing answers at the registry of this file: `--registry` sets the real place.
const CONFIGURATION: &str = r#"version = 1

[registries.elsewhere]
url = "localhost:1/group"

[tags.version]
on = "tag"
template = "v{{ version }}"

[images.brokkr-broker]
source = "oci-archive:dist/brokkr-broker.tar"
platforms = ["linux/amd64", "linux/arm64"]

[images.brokkr-broker.annotations]
"org.opencontainers.image.revision" = "{{ git.sha }}"

[images.brokkr-agent]
source = "oci-archive:dist/brokkr-agent.tar"
"#;

/// Builds by importing the content that the Dockerfile names, and prints its arguments.
const DOCKER: &str = r#"#!/usr/bin/env bash
set -euo pipefail
if [ "$1" != build ]; then exec "$REAL_DOCKER" "$@"; fi
shift
echo "docker build $*"
while [ "$#" -gt 1 ]; do
  case "$1" in
    --file) file=$2 && shift ;;
    --tag) tag=$2 && shift ;;
  esac
  shift
done
tar --create --mtime=@0 --directory "$(dirname "$file")" "$(basename "$file")" | "$REAL_DOCKER" import - "$tag" >/dev/null
"#;

/// Runs the script in the folder; returns exit code, standard output and standard error.
fn script(folder: &Folder, engine: &TestEngine, arguments: &str) -> (Option<i32>, String, String) {
    let which = Command::new("sh").args(["-c", "command -v docker"]).output().expect("sh");
    let docker = String::from_utf8(which.stdout).unwrap().trim().to_owned();
    let mut command = Command::new(SCRIPT);
    command.args(arguments.split_whitespace()).current_dir(&folder.path);
    clean(&mut command, &folder.home());
    let path = format!("{}:{}", folder.path.join("bin").display(), std::env::var("PATH").unwrap());
    command
        .env("PATH", path)
        .env("REAL_DOCKER", docker)
        .env("DOCKER_HOST", engine.host())
        .env("BROKKR_PUBLISH", env!("CARGO_BIN_EXE_brokkr-publish"));
    let output = command.stdin(std::process::Stdio::null()).output().expect("the script runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn skopeo(arguments: &[&str]) -> String {
    engine::run_in(Path::new("/"), "skopeo", arguments)
}

#[test]
fn builds_and_publishes_from_the_engine() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = Folder::with(&[
        ("publish.toml", CONFIGURATION),
        ("docker/Dockerfile.broker", "FROM scratch\nCOPY broker /\n"),
        ("agent.dockerfile", "FROM scratch\nCOPY agent /\n"),
        ("bin/docker", DOCKER),
    ]);
    std::fs::set_permissions(folder.path.join("bin/docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder.git(&["tag", "v1.2.3"]);
    let engine = TestEngine::docker(&folder.home());

    let (code, plan, said) =
        script(&folder, &engine, &format!("--dry-run --tag test --registry {host}/team brokkr-broker"));
    assert_eq!(code, Some(0), "{plan}{said}");
    assert!(said.contains("tag-and-push: building brokkr-broker from "), "{said}");
    assert!(said.contains("/docker/Dockerfile.broker --tag brokkr-broker:tag-and-push"), "{said}");
    assert!(plan.contains(&format!("{host}/team/brokkr-broker")) && plan.contains("+ test"), "{plan}");
    assert!(!plan.contains("brokkr-agent") && plan.contains("linux/amd64"), "{plan}");
    assert!(
        registry.requests().iter().all(|it| it.starts_with("GET") || it.starts_with("HEAD")),
        "a plan writes nothing"
    );

    let both = "brokkr-broker brokkr-agent=agent.dockerfile -- --build-arg A=1";
    let (code, shown, said) =
        script(&folder, &engine, &format!("--yes --tag test --registry {host}/team {both}"));
    assert_eq!(code, Some(0), "{shown}{said}");
    assert!(said.contains("--build-arg A=1"), "{said}");
    for name in ["brokkr-broker", "brokkr-agent"] {
        let image = format!("docker://{host}/team/{name}:test");
        let inspected = skopeo(&["inspect", "--tls-verify=false", &image]);
        assert!(inspected.contains(r#""Os": "linux""#), "{inspected}");
        let layout = format!("oci:{}/{name}:test", folder.home().display());
        skopeo(&["copy", "--src-tls-verify=false", &image, &layout]);
    }
    let raw = skopeo(&[
        "inspect",
        "--raw",
        "--tls-verify=false",
        &format!("docker://{host}/team/brokkr-broker:test"),
    ]);
    assert!(
        raw.contains("org.opencontainers.image.revision"),
        "what publish.toml says holds here too: {raw}"
    );

    // The settings of publish.toml for a release, and the build from before.
    let (code, shown, said) = script(
        &folder,
        &engine,
        &format!("--yes --no-build --ref refs/tags/v1.2.3 --registry {host}/team brokkr-broker"),
    );
    assert_eq!(code, Some(0), "{shown}{said}");
    assert!(!said.contains("building"), "{said}");
    skopeo(&["inspect", "--tls-verify=false", &format!("docker://{host}/team/brokkr-broker:v1.2.3")]);
    let (code, shown, said) = script(
        &folder,
        &engine,
        &format!("--dry-run --no-build --ref refs/tags/v1.2.3 --registry {host}/team brokkr-broker"),
    );
    assert!(code == Some(0) && shown.contains("= v1.2.3"), "{shown}{said}");
}

#[test]
fn says_what_is_wrong_before_anything_is_built() {
    let folder = Folder::with(&[("publish.toml", CONFIGURATION), ("bin/none", "")]);
    let run = |arguments: &str| {
        let mut command = Command::new(SCRIPT);
        command.args(arguments.split_whitespace()).current_dir(&folder.path);
        clean(&mut command, &folder.home());
        command.env("BROKKR_PUBLISH", env!("CARGO_BIN_EXE_brokkr-publish"));
        let output = command.output().expect("the script runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, said) = run("--help");
    assert!(code == Some(0) && said.contains("usage: scripts/tag-and-push.sh"), "{said}");
    for (arguments, words) in [
        ("", "no image was named"),
        ("--frobnicate brokkr-broker", "--frobnicate is not an option"),
        ("brokkr-broker --tag", "--tag needs a value"),
        ("--tag a/b brokkr-broker", "a/b is not a tag"),
        ("Broker", "Broker is not the name of an image"),
        ("helo", "publish.toml declares no image helo"),
        ("brokkr-broker", "there is no Dockerfile for brokkr-broker"),
        ("brokkr-broker=none", "none does not exist"),
        ("--config none.toml brokkr-broker", "none.toml does not exist"),
    ] {
        let (code, said) = run(arguments);
        assert!(code == Some(1) && said.contains(words), "{arguments}: {said}");
    }
}
