//! Releases to other places than one plain registry, and of other shapes than one image: several registries at once,
//! directories, repositories that share content, annotations, tables of platforms. Branches are in
//! `branches.rs`.

use std::process::Command;
use testkit::{docker_registry, image, world};

use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};
use testkit::image::{TestImage, TestLayer};
use testkit::world::{RELEASE_RULES, configuration, digest, image, manifest, tags};

#[test]
fn one_release_to_registries_of_every_kind() {
    let plain = DockerRegistry::start(&AcceptedClients::None);
    let private =
        DockerRegistry::start_tls(&AcceptedClients::Basic { username: "alice", password: "se:cret" });
    let folder = Folder::new();
    let authority = private.ca_file().expect("an authority");
    std::fs::copy(authority, folder.path.join("ca.pem")).expect("copied");
    let text = format!(
        "version = 1\n\n[registries.plain]\nurl = \"{}/team\"\n\n[registries.private]\nurl = \"{}\"\nca_file = \"ca.pem\"\nauth = {{ username_env = \"THE_USER\", password_env = \"THE_WORD\" }}\n\n[registries.bundle]\nurl = \"oci:dist/registry\"\n{RELEASE_RULES}\n[images.app]\nsource = \"oci:image\"\n",
        plain.host(),
        private.host()
    );
    folder.write("publish.toml", text);
    let written = folder.image("image", &image("everywhere"));

    let refused = folder.apply("1.2.3").done().expect_code(1);
    assert!(refused.stderr().contains("THE_USER"), "{}", refused.shown());
    assert_eq!(tags(&format!("{}/team/app", plain.host())), Vec::<String>::new(), "nothing moved anywhere");
    let wrong = folder.apply("1.2.3").env("THE_USER", "alice").env("THE_WORD", "wr0ng").done().expect_code(1);
    assert!(wrong.stderr().contains("publish::registry::unauthorized"), "{}", wrong.shown());
    assert!(!wrong.shown().contains("wr0ng"), "{}", wrong.shown());

    let done =
        folder.apply("1.2.3").env("THE_USER", "alice").env("THE_WORD", "se:cret").done().expect_code(0);
    assert!(!done.shown().contains("se:cret"), "{}", done.shown());
    assert_eq!(done.stdout().matches(&format!("@{}", written.digest)).count(), 3, "{}", done.shown());
    for tag in ["v1.2.3", "v1.2", "v1", "latest"] {
        assert_eq!(
            digest(&format!("docker://{}/team/app:{tag}", plain.host())).as_ref(),
            Some(&written.digest)
        );
        assert_eq!(
            digest(&format!("oci:{}/dist/registry/app:{tag}", folder.path.display())).as_ref(),
            Some(&written.digest)
        );
        let raw = run(Command::new("skopeo").args([
            "inspect",
            "--raw",
            "--creds=alice:se:cret",
            "--tls-verify=false",
            &format!("docker://{}/app:{tag}", private.host()),
        ]));
        assert_eq!(image::sha256(&raw), written.digest);
    }
}

#[test]
fn an_unreachable_registry_stops_everything_before_the_first_tag() {
    let plain = DockerRegistry::start(&AcceptedClients::None);
    let nobody = docker_registry::free_port();
    let there = format!("{}/team", plain.host());
    let text = configuration(&[("there", &there), ("gone", &format!("localhost:{nobody}"))]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("unreachable"));
    let refused = folder.apply("1.2.3").done().expect_code(1);
    assert!(refused.stderr().contains("publish::registry::unreachable"), "{}", refused.shown());
    assert_eq!(tags(&format!("{there}/app")), Vec::<String>::new());
}

#[test]
fn repositories_of_one_registry_share_content_by_mounting() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let base = TestLayer::noise(1, 100_000);
    let of = |name: &str| {
        let own = TestLayer::files(&[("name", name.as_bytes())]);
        TestImage::new().platform("linux/amd64", vec![base.clone(), own])
    };
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{}\"\n{RELEASE_RULES}\n[images.one]\nsource = \"oci:one\"\n\n[images.two]\nsource = \"oci:two\"\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("one", &of("one"));
    let two = folder.image("two", &of("two"));
    let plan = folder.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0).json();
    let mounts: u64 = plan["repositories"]
        .as_array()
        .expect("repositories")
        .iter()
        .map(|it| it["content"]["sending"]["blobs_to_mount"].as_u64().expect("a number"))
        .sum();
    assert_eq!(mounts, 1, "{plan:#}");
    let done = folder.apply("1.2.3").done().expect_code(0);
    assert!(done.stdout().contains("1 blob mounted"), "{}", done.shown());
    let mounted: Vec<String> = registry
        .requests()
        .into_iter()
        .filter(|request| request.contains("mount=") && request.ends_with(" 201"))
        .collect();
    assert_eq!(mounted.len(), 1, "{mounted:?}");
    assert_eq!(digest(&format!("docker://{}/two:latest", registry.host())), Some(two.digest));
    world::pull(&format!("docker://{}/two:latest", registry.host()));
    world::pull(&format!("docker://{}/one:latest", registry.host()));
}

#[test]
fn annotations_are_written_to_the_root_and_nothing_else_changes() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = configuration(&[("local", &registry.host())])
        + "\n[images.app.annotations]\n\"org.opencontainers.image.version\" = \"{{ version }}\"\n\"org.opencontainers.image.revision\" = \"{{ git.sha }}\"\n";
    let folder = Folder::with(&[("publish.toml", &text)]);
    let written = folder.image("image", &image("annotated").annotation("kept", "as it is"));
    let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    let run = |command: &str| folder.run(&format!("{command} --ref refs/tags/v1.2.3 --sha {sha}"));
    let planned = run("plan --json").done().expect_code(0).json();
    run("apply --auto-approve").done().expect_code(0);
    let reference = format!("docker://{}/app:latest", registry.host());
    assert_eq!(
        digest(&reference).as_deref(),
        planned["repositories"][0]["content"]["root"]["digest"].as_str()
    );
    let published = manifest(&reference);
    let mut expected: serde_json::Value = serde_json::from_slice(&written.bytes).expect("JSON");
    expected["annotations"]["org.opencontainers.image.version"] = "1.2.3".into();
    expected["annotations"]["org.opencontainers.image.revision"] = sha.into();
    assert_eq!(published, expected);
    world::pull(&reference);
    run("plan --detailed-exitcode").done().expect_code(0);
}

#[test]
fn what_one_registry_keeps_no_other_gets_differently() {
    let (one, other) =
        (DockerRegistry::start(&AcceptedClients::None), DockerRegistry::start(&AcceptedClients::None));
    let text = configuration(&[("one", &one.host()), ("other", &other.host())]);
    let text = text.replacen(
        "template = \"v{{ version }}\"",
        "template = \"v{{ version }}\"\non_conflict = \"keep\"",
        1,
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let first = folder.image("image", &image("first")).digest;
    folder.run("apply --auto-approve --ref refs/tags/v1.0.0 --target images.app@one").done().expect_code(0);
    folder.image("image", &image("rebuilt"));
    let refused = folder.run("apply --auto-approve --ref refs/tags/v1.0.0").wide().done().expect_code(1);
    let copy =
        format!("skopeo copy --all docker://{}/app@{first} docker://{}/app:v1.0.0", one.host(), other.host());
    assert!(refused.stderr().contains(&copy), "{}", refused.shown());
    let words: Vec<&str> = copy.split(' ').skip(1).collect();
    run(Command::new("skopeo")
        .args(["--insecure-policy"])
        .args(&words[..2])
        .args(["--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"])
        .args(&words[2..]));
    folder.run("apply --auto-approve --ref refs/tags/v1.0.0").done().expect_code(0);
    for host in [one.host(), other.host()] {
        for tag in ["v1.0.0", "v1.0", "v1", "latest"] {
            assert_eq!(digest(&format!("docker://{host}/app:{tag}")).as_ref(), Some(&first), "{host} {tag}");
        }
    }
}

#[test]
fn a_table_of_platforms_becomes_one_index() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{}\"\n{RELEASE_RULES}\n[images.app]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n\n[images.app.source]\n\"linux/amd64\" = \"oci:amd64\"\n\"linux/arm64\" = \"oci-archive:arm64.tar\"\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let layer = |name: &str| vec![TestLayer::files(&[("name", name.as_bytes())])];
    folder.image("amd64", &TestImage::new().platform("linux/amd64", layer("amd64")).single());
    let arm = folder.image("arm64", &TestImage::new().platform("linux/arm64", layer("arm64")).single());
    image::to_archive(&arm.directory, &folder.path.join("arm64.tar"));
    folder.apply("1.2.3").done().expect_code(0);
    let reference = format!("docker://{}/app:latest", registry.host());
    let index = manifest(&reference);
    let platforms: Vec<String> = index["manifests"]
        .as_array()
        .expect("manifests")
        .iter()
        .map(|it| {
            format!(
                "{}/{}",
                it["platform"]["os"].as_str().unwrap_or("?"),
                it["platform"]["architecture"].as_str().unwrap_or("?")
            )
        })
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(index["manifests"][1]["digest"], arm.digest.as_str());
    world::pull(&reference);
    let again = folder.run("plan --detailed-exitcode --ref refs/tags/v1.2.3").done();
    assert_eq!(again.code(), Some(0), "the same index on every run\n{}", again.shown());
    let missing = folder
        .run_with([
            "plan",
            "--ref",
            "refs/tags/v1.2.4",
            "--set",
            "images.app.platforms=[\"linux/amd64\", \"linux/s390x\"]",
        ])
        .done()
        .expect_code(1);
    assert!(missing.stderr().contains("linux/s390x"), "{}", missing.shown());
}

#[test]
fn a_directory_is_a_registry_that_other_programs_read() {
    let folder = Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:dist/registry")]))]);
    let first = folder.publish("1.2.3");
    let second = folder.publish("2.0.0");
    let backport = folder.publish("1.2.4");
    let layout = format!("{}/dist/registry/app", folder.path.display());
    for (tag, expected) in [
        ("v1.2.3", &first),
        ("v2.0.0", &second),
        ("v1.2.4", &backport),
        ("v1", &backport),
        ("v1.2", &backport),
        ("v2", &second),
        ("latest", &second),
    ] {
        assert_eq!(digest(&format!("oci:{layout}:{tag}")).as_ref(), Some(expected), "{tag}");
    }
    let listed = run(Command::new("umoci").args(["list", "--layout", &layout]));
    let mut listed: Vec<String> = String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect();
    listed.sort();
    assert_eq!(listed, ["latest", "v1", "v1.2", "v1.2.3", "v1.2.4", "v2", "v2.0", "v2.0.0"]);
    let store = tempfile::tempdir().expect("a folder");
    let store = store.path().to_str().expect("a path");
    let podman = |arguments: &[&str]| {
        let options = ["--root", store, "--runroot", store, "--storage-driver", "vfs"];
        // podman names the image after its path, which therefore has to be in lower case.
        let place = folder.path.join("dist/registry");
        let output = run(Command::new("podman").args(options).args(arguments).current_dir(place));
        String::from_utf8(output).expect("a text")
    };
    let id = podman(&["pull", "--quiet", "--platform", "linux/amd64", "oci:app:v1.2.4"]);
    let platform = podman(&["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", id.trim()]);
    assert_eq!(platform.trim(), "linux/amd64");
    // A promotion out of the directory.
    folder.write(
        "promote/publish.toml",
        configuration(&[("second", "oci:registry")]).replace("oci:image", "oci:../dist/registry/app:v2.0.0"),
    );
    let promotion = folder.run("apply --auto-approve --ref refs/tags/v2.0.0 --allow-outside ../dist");
    promotion.in_folder("promote").done().expect_code(0);
    assert_eq!(digest(&format!("oci:{}/promote/registry/app:latest", folder.path.display())), Some(second));
}
