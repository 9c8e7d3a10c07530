//! Builds that push each platform by digest, and one run that publishes them together: the images are built by buildah, pushed
//! by buildah and skopeo without a tag, and read back by skopeo and podman.

use std::fs;
use std::path::Path;
use std::process::Command;
use testkit::world;

use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};
use testkit::image::{TestImage, TestLayer};
use testkit::world::{RELEASE_RULES, digest, manifest, tags};

/// A registry, and a folder whose `publish.toml` publishes from a folder of digests.
struct DigestsFixture {
    registry: DockerRegistry,
    folder: Folder,
}

impl DigestsFixture {
    /// Publishes to `target`, which is a repository in the registry's `team`.
    fn new(target: &str, platforms: &str) -> Self {
        let registry = DockerRegistry::start(&AcceptedClients::None);
        let host = registry.host();
        let text = format!(
            "version = 1\n\n[registries.local]\nurl = \"{host}/team\"\n{RELEASE_RULES}\n[images.app]\nrepository = \"{target}\"\nsource = {{ digests = \"digests\", from = \"docker://{host}/team/app\" }}\nplatforms = [{platforms}]\n"
        );
        Self { registry, folder: Folder::with(&[("publish.toml", &text)]) }
    }

    /// The repository that the builds push to.
    fn from(&self) -> String {
        format!("{}/team/app", self.registry.host())
    }

    fn named(&self, tag: &str) -> String {
        format!("docker://{}:{tag}", self.from())
    }

    /// Writes a file named by a digest, as each build does.
    fn leave(&self, folder: &str, digest: &str) {
        self.folder.write(&format!("{folder}/{}", digest.trim_start_matches("sha256:")), "");
    }

    /// Builds an image with buildah, and pushes it only by digest, as `docker buildx build` does with
    /// `push-by-digest=true`; returns the digest.
    fn build(&self, platform: &str) -> String {
        let place = tempfile::tempdir().expect("a folder");
        fs::write(place.path().join("hello.txt"), format!("for {platform}\n")).unwrap();
        let mut parts = platform.split('/').skip(1);
        let container = buildah(place.path(), &["from", "scratch"]);
        buildah(place.path(), &["copy", &container, "hello.txt", "/"]);
        let architecture = parts.next().expect("an architecture");
        let mut config = vec!["config", "--os", "linux", "--arch", architecture];
        config.extend(parts.next().iter().flat_map(|variant| ["--variant", variant]));
        config.push(&container);
        buildah(place.path(), &config);
        let layout = place.path().join("layout");
        buildah(
            place.path(),
            &["commit", "--disable-compression=false", &container, &format!("oci:{}", layout.display())],
        );
        self.push(&layout)
    }

    /// Pushes the image of a layout only by digest.
    fn push(&self, layout: &Path) -> String {
        let from = format!("oci:{}", layout.display());
        let digest = digest(&from).expect("an image");
        run(Command::new("skopeo")
            .args(["copy", "--all", "--preserve-digests", "--quiet", "--dest-tls-verify=false", &from])
            .arg(format!("docker://{}@{digest}", self.from())));
        digest
    }

    /// The requests that changed something, without the upload sessions that are opened as a check and cancelled.
    fn changes_since(&self, before: usize) -> Vec<String> {
        let reads = |request: &String| request.starts_with("GET ") || request.starts_with("HEAD ");
        let asks =
            |request: &String| request.ends_with("/blobs/uploads/ 202") || request.starts_with("DELETE ");
        let changes = |request: &String| !reads(request) && !asks(request);
        self.registry.requests().into_iter().skip(before).filter(changes).collect()
    }
}

/// Runs buildah with a separate store.
fn buildah(place: &Path, arguments: &[&str]) -> String {
    let store = |name: &str| place.join(name).display().to_string();
    let output = run(Command::new("buildah")
        .args(["--storage-driver=vfs", "--root", &store("root"), "--runroot", &store("run")])
        .args(arguments)
        .current_dir(place)
        .env("BUILDAH_ISOLATION", "chroot")
        .env("TMPDIR", place));
    String::from_utf8(output).expect("text").trim().to_owned()
}

#[test]
fn each_platform_stays_where_it_was_pushed() {
    let scene = DigestsFixture::new("app", "\"linux/amd64\", \"linux/arm/v6\", \"linux/arm/v7\"");
    let built = ["linux/arm/v7", "linux/amd64", "linux/arm/v6"].map(|platform| scene.build(platform));
    assert_eq!(tags(&scene.from()), Vec::<String>::new(), "they were pushed by digest alone");
    for digest in &built {
        scene.leave("digests", digest);
    }
    let before = scene.registry.requests().len();
    let plan = scene.folder.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0).json();
    let sending = &plan["repositories"][0]["content"]["sending"];
    for (key, expected) in [("blobs_to_push", 0), ("blobs_to_mount", 0), ("manifests_to_put", 1)] {
        assert_eq!(sending[key], expected, "{sending:#}");
    }
    scene.folder.apply("1.2.3").done().expect_code(0);

    let index = manifest(&scene.named("v1.2.3"));
    let found: Vec<(String, String)> = index["manifests"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            let platform = &entry["platform"];
            let variant = platform["variant"].as_str().unwrap_or_default();
            let name = format!("{}/{variant}", platform["architecture"].as_str().expect("an architecture"));
            (name, entry["digest"].as_str().expect("a digest").to_owned())
        })
        .collect();
    let expected =
        [("amd64/", 1), ("arm/v6", 2), ("arm/v7", 0)].map(|(name, at)| (name.to_owned(), built[at].clone()));
    assert_eq!(found, expected);
    // The index is put once by digest, then the tags are set; nothing else is sent.
    let root = digest(&scene.named("v1.2.3")).expect("published");
    let mut changes = scene.changes_since(before);
    changes.sort();
    let together = format!("{root}?tag=v1.2&tag=v1&tag=latest");
    let mut puts: Vec<String> = [root.as_str(), "v1.2.3", &together, "v1.2", "v1", "latest"]
        .iter()
        .map(|at| format!("PUT /v2/team/app/manifests/{at} 201"))
        .collect();
    puts.sort();
    assert_eq!(changes, puts);
    world::pull(&scene.named("latest"));
    let store = tempfile::tempdir().expect("a folder");
    let place = |name: &str| store.path().join(name).display().to_string();
    for platform in ["linux/arm/v6", "linux/arm/v7"] {
        run(Command::new("podman")
            .args(["--storage-driver=vfs", "--root", &place("root"), "--runroot", &place("run")])
            .args(["pull", "--quiet", "--tls-verify=false", "--platform", platform, &scene.named("latest")]));
    }
    // A second run sends nothing.
    scene.folder.run("plan --detailed-exitcode --ref refs/tags/v1.2.3").done().expect_code(0);
}

#[test]
fn attestations_come_along_and_a_saved_plan_needs_no_folder() {
    let scene = DigestsFixture::new("released", "\"linux/amd64\", \"linux/arm64\"");
    // As buildx pushes with provenance: an index of an image and its attestation.
    let mut attested = 0;
    for platform in ["linux/amd64", "linux/arm64"] {
        let place = tempfile::tempdir().expect("a folder");
        let layers = vec![TestLayer::files(&[("for", platform.as_bytes())])];
        let written =
            TestImage::new().platform(platform, layers).attested().write(&place.path().join("image"));
        let digest = scene.push(&written.directory);
        // Each artifact is in a folder of its own, as actions/download-artifact downloads several.
        scene.leave(&format!("digests/digests-{}", platform.replace('/', "-")), &digest);
        attested += 1;
    }
    scene.folder.run("plan --out plan.json --ref refs/tags/v1.2.3").done().expect_code(0);
    let plan = scene.folder.read("plan.json");
    fs::remove_dir_all(scene.folder.path.join("digests")).expect("removed");
    let elsewhere = Folder::with(&[("plan.json", &plan)]);
    elsewhere.run("apply plan.json").done().expect_code(0);
    let named = format!("docker://{}/team/released:latest", scene.registry.host());
    let index = manifest(&named);
    let attestations = index["manifests"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["platform"]["os"] == "unknown")
        .count();
    assert_eq!(attestations, attested, "{index:#}");
    world::pull(&named);
    // Into another repository of the registry: only by mounting.
    let sent = |request: &&String| {
        let sends = request.starts_with("PUT") || request.starts_with("PATCH");
        request.contains("/v2/team/released/blobs/uploads/") && sends
    };
    assert_eq!(scene.registry.requests().iter().filter(sent).count(), 0);
}

#[test]
fn what_is_missing_or_there_twice_is_said() {
    let scene = DigestsFixture::new("app", "\"linux/amd64\", \"linux/arm64\"");
    let refused = |code: &str, words: &[&str]| {
        let told = scene.folder.apply("1.2.3").done().expect_code(1);
        let text = told.stderr().replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(code), "{}", told.shown());
        for words in words {
            assert!(text.contains(words), "{words}\n{}", told.shown());
        }
    };
    refused("publish::source::missing", &["digests"]);
    fs::create_dir(scene.folder.path.join("digests")).unwrap();
    refused("publish::source::platform", &["holds no digest", "touch"]);

    let amd64 = scene.build("linux/amd64");
    scene.leave("digests", &amd64);
    refused("publish::source::platform", &["lacks `linux/arm64`"]);

    let place = tempfile::tempdir().expect("a folder");
    let twin = TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 1000)]).single();
    let twin = scene.push(&twin.write(&place.path().join("twin")).directory);
    scene.leave("digests", &twin);
    let short = |digest: &str| digest[..19].to_owned();
    refused(
        "publish::source::platform",
        &["two images are for `linux/amd64`", &short(&amd64), &short(&twin)],
    );

    fs::remove_file(scene.folder.path.join("digests").join(&twin["sha256:".len()..])).unwrap();
    scene.folder.write("digests/digest.txt", "");
    refused("publish::source::unsupported", &["digest.txt", "is not named by digest and lists no digests"]);
    fs::remove_file(scene.folder.path.join("digests/digest.txt")).unwrap();

    let absent = "0".repeat(64);
    scene.leave("digests", &absent);
    refused("publish::source::missing", &[&absent]);
    assert_eq!(tags(&scene.from()), Vec::<String>::new());
}

#[test]
fn a_list_is_published_as_one_image() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = Folder::new();
    let remote = folder
        .image("remote", &TestImage::new().platform("linux/arm64", vec![TestLayer::noise(2, 1000)]).single());
    world::copy(&remote.directory, &format!("{host}/builds/app:arm64"));
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{host}/team\"\n{RELEASE_RULES}\n[images.app]\nsource = [\"oci:local\", \"docker://{host}/builds/app:arm64\"]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n"
    );
    folder.write("publish.toml", text);
    let local = folder
        .image("local", &TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 1000)]).single());
    folder.apply("1.2.3").done().expect_code(0);
    let named = format!("docker://{host}/team/app:latest");
    let index = manifest(&named);
    let digests: Vec<&str> = index["manifests"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|it| it["digest"].as_str().unwrap())
        .collect();
    assert_eq!(digests, [local.digest.as_str(), remote.digest.as_str()]);
    world::pull(&named);
}
